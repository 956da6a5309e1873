/**
 * Why something failed, as a person reads it.
 *
 * @module
 */

import { reasonOf } from "../../../src/base/error_reason.ts";
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
