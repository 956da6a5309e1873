/**
 * Why something failed, as a person reads it.
 *
 * @module
 */

import {
  isDisconnect,
  messageOf,
  reasonOf,
} from "../../../src/base/error_reason.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder, freePort } from "../../kit/folder.ts";

Deno.test("reasonOf() puts what the system says into words, and repeats the rest", async () => {
  await using folder = await Folder.make();
  const failing = (action: () => Promise<unknown>) =>
    action().then(() => "nothing failed", reasonOf);
  assertEquals(
    await failing(() => Deno.readTextFile(folder.file("none"))),
    "there is no such file or folder",
  );
  assertEquals(
    await failing(() => Deno.readTextFile(folder.path)),
    "it is a folder",
  );
  assertEquals(
    await failing(() =>
      Deno.connect({ hostname: "127.0.0.1", port: freePort() })
    ),
    "connection refused",
  );
  assertEquals(
    reasonOf(new Deno.errors.NotCapable("run again with --allow-all")),
    "Deno was not given the permission",
  );
  assertEquals(reasonOf(new RangeError("it is too long")), "it is too long");
  assertEquals(reasonOf("thrown as text"), "thrown as text");
});

Deno.test("isDisconnect() knows a connection's end by its name; messageOf() repeats what an error says itself", () => {
  const ends = [
    new Deno.errors.BrokenPipe("x"),
    new Deno.errors.ConnectionReset("x"),
    new Deno.errors.Interrupted("x"),
  ];
  assertEquals(ends.map(isDisconnect), [true, true, true]);
  const others = [new Error("BrokenPipe"), { name: "BrokenPipe" }, undefined];
  assertEquals(others.map(isDisconnect), [false, false, false]);
  const gone = new Deno.errors.ConnectionRefused("os error 111");
  assertEquals([messageOf(gone), messageOf("x")], ["os error 111", "x"]);
  assertEquals(reasonOf(new RangeError("")), "RangeError");
});
