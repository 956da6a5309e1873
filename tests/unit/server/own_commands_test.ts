/**
 * Commands that a server tells its owner to type.
 *
 * @module
 */

import {
  anotherRoom,
  inviteCommandFor,
  linkCommand,
  otherPort,
  startCommand,
} from "../../../src/server/own_commands.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("a server's commands have the files that aren't the default ones, in words of a shell", () => {
  const usual = {
    log: "chat.log",
    "key-file": "chat.key",
    people: "chat.people",
  };
  for (const values of [usual, {}]) {
    assertEquals(startCommand(values), "deno task server");
  }
  const sealed = { ...usual, sealed: true };
  assertEquals(startCommand(sealed), "deno task server --sealed");
  assertEquals(linkCommand(usual), "deno task server --link");
  assertEquals(inviteCommandFor(usual), "deno task invite");
  const own = {
    log: "my room/chat.log",
    "key-file": "own.key",
    people: "own.people",
    control: "own.control",
  };
  const files = "--log 'my room/chat.log' --key-file own.key";
  assertEquals(
    startCommand(own),
    `deno task server ${files} --people own.people --control own.control`,
  );
  assertEquals(
    linkCommand(own),
    `deno task server --link ${files} --control own.control`,
  );
  assertEquals(
    inviteCommandFor(own),
    "deno task invite --key-file own.key --people own.people",
  );
});

Deno.test("another room has a port that there is, and is of the kind that is asked for", () => {
  assertEquals([5_000, 65_534, 65_535].map(otherPort), [5_001, 65_535, 65_534]);
  const files =
    "--log room/chat.log --key-file room/chat.key --people room/chat.people";
  assertEquals(
    anotherRoom(5_001, false),
    `mkdir room && deno task server --port 5001 ${files}`,
  );
  assertEquals(
    anotherRoom(5_001, true),
    `mkdir room && deno task server --sealed --port 5001 ${files}`,
  );
});
