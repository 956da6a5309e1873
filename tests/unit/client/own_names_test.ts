/**
 * Tests of what somebody is told who comes by a name of before.
 *
 * @module
 */

import {
  entryRefused,
  handshakeRefused,
  JoinError,
} from "../../../src/client/join_error.ts";
import { renamedFrom, withPresentName } from "../../../src/client/own_names.ts";
import { HandshakeRefusal } from "../../../src/protocol/reasons.ts";
import { RefusedError } from "../../../src/protocol/record_reader.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

const RENAMED = { old: "ana", now: "anna" };

Deno.test("renamedFrom() finds who had a name before, and nobody where somebody has it now", () => {
  const ben = { name: "ben", earlier: ["benny"] };
  const anna = { name: "anna", earlier: ["an", "Ana"] };
  assertEquals(renamedFrom("ana", [ben, anna]), RENAMED);
  assertEquals(renamedFrom("anna", [ben, anna]), undefined);
  assertEquals(renamedFrom("cy", [ben, anna]), undefined);
  const ana = { name: "ANA", earlier: [] };
  assertEquals(renamedFrom("ana", [ben, anna, ana]), undefined);
  const later = { name: "annika", earlier: ["ana"] };
  assertEquals(renamedFrom("ana", [later, anna])?.now, "annika");
});

Deno.test("withPresentName() names the command by which one comes in, where the name was refused", () => {
  const unknown = new RefusedError(HandshakeRefusal.key);
  const refusals = [
    handshakeRefused(unknown, 0, "ana"),
    entryRefused({ reason: "name-taken", detail: "" }, "ana"),
  ];
  for (const error of refusals) {
    for (
      const [place, command] of [
        ["192.0.2.7:5000", "deno task client 192.0.2.7:5000 --name anna"],
        [undefined, "--name anna"],
      ]
    ) {
      const told = withPresentName(error, RENAMED, place);
      assert(told instanceof JoinError);
      assertEquals(told.message, error.message);
      assertEquals(
        told.advice,
        `On this machine "ana" goes by "anna" now: ${command}`,
      );
    }
    assertEquals(withPresentName(error, undefined, undefined), error);
  }
});

Deno.test("withPresentName() leaves alone what isn't about the name", () => {
  const busy = new RefusedError(HandshakeRefusal.busy);
  const others = [
    handshakeRefused(busy, 0, "ana"),
    entryRefused({ reason: "room-full", detail: "" }, "ana"),
    new JoinError("Cannot join", "Try again"),
    new TypeError("a fault"),
  ];
  for (const error of others) {
    assertEquals(withPresentName(error, RENAMED, undefined), error);
  }
});
