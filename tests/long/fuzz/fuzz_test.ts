/**
 * The fuzzer's short form: every target with a few hundred inputs, the same in each run. `deno task fuzz` goes
 * on for as long as it is told.
 *
 * @module
 */

import { type Bytes, HandshakeError } from "../../../crypto_utils.ts";
import { WireError } from "../../../src/protocol/records.ts";
import { Fuzzer } from "./fuzzer.ts";
import { Mutator } from "./mutator.ts";
import { bytesOf, type Target } from "./target.ts";
import { allTargets } from "./targets.ts";
import { accept, freshKeys } from "./wire_targets.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { seededRandom, streamPair } from "../../kit/memory_stream.ts";
import { type Kem, KEM_KEY_SIZE, libraryKem } from "../../../src/crypto/kem.ts";
import { connectChannel } from "../../../src/protocol/handshake.ts";
import { Folder } from "../../kit/folder.ts";

const SEED = 7;
/** Inputs for each; those behind a handshake take a hundred times as long as others. */
const CASES = 200;
const SLOW = [
  "live-handshake",
  "client-handshake",
  "server-handshake",
  "member",
];
const SLOW_CASES = 12;

let folder: Folder | undefined;
const targets = await allTargets(async () => {
  folder = await Folder.make();
  return folder.path;
});

/** Closes what a target opened. */
async function close(target: Target): Promise<void> {
  await target.close?.();
  await folder?.[Symbol.asyncDispose]();
  folder = undefined;
}

for (const target of targets) {
  const { name } = target;
  Deno.test(`no input breaks a promise of the parser "${name}"`, async () => {
    const fuzzer = new Fuzzer([target], SEED);
    const cases = SLOW.includes(name) ? SLOW_CASES : CASES;
    const failure = await fuzzer.tryEach(cases);
    await close(target);
    assertEquals(failure, undefined);
    assert(fuzzer.cases >= cases);
  });
}

// ── What was found ─────────────────────────────────────────────────────────────────────────────────────

const BIG = Number.MAX_SAFE_INTEGER;

/** Inputs that broke a promise once: what they show, the target, and the input. */
const FOUND: readonly (readonly [string, string, Bytes])[] = [
  [
    "a refusal that a client sends is no refusal of the server's",
    "server-handshake",
    Uint8Array.fromHex("000404023301"),
  ],
  [
    "a third message that doesn't open counts as such, even if its sender is gone",
    "live-handshake",
    Uint8Array.fromHex("02c49f87393d"),
  ],
  [
    "going away and leaving at once disturbs nobody",
    "member",
    bytesOf('[["join","mallory",0,null]]\n[["away","tea"],["bye","left"]]'),
  ],
  [
    "a member can't make its number too large by leaving",
    "member",
    bytesOf(`[["join","mallory",${BIG},null]]\n[["bye","left"]]`),
  ],
  [
    "a member can't make its number too large by speaking and leaving",
    "member",
    bytesOf(
      `[["join","mallory",0,null]]\n[["say",${BIG},"x"],["bye","left"]]`,
    ),
  ],
];

for (const [what, name, input] of FOUND) {
  Deno.test(`${what} (found by fuzzing)`, async () => {
    const target = targets.find((target) => target.name === name);
    assert(target);
    try {
      await target.check(input);
    } finally {
      await close(target);
    }
  });
}

Deno.test("an improper ML-KEM key ends a handshake like any other mistake (found by fuzzing)", async () => {
  const keys = await freshKeys();
  const [near, far] = streamPair();
  const encapsulationKey = new Uint8Array(KEM_KEY_SIZE).fill(0xff);
  const kem: Kem = {
    ...libraryKem,
    generate: async () => ({
      ...await libraryKem.generate(),
      encapsulationKey,
    }),
  };
  const connecting = connectChannel(near, {
    keyPair: keys.client.keyPair,
    inviteId: 0,
    inviteKey: keys.invite,
    checkServer() {},
    kem,
  });
  await assertRejects(() => accept(far, keys), HandshakeError, "ML-KEM");
  await assertRejects(() => connecting, WireError);
});

// ── The fuzzer itself ──────────────────────────────────────────────────────────────────────────────────

/** A parser that can't take an "x" after three others. */
function brittle(): Target {
  return {
    name: "brittle",
    share: 1,
    seeds: [bytesOf("aaaa")],
    words: ["x"],
    check(input) {
      if (input[3] === 0x78) throw new TypeError("There is an x");
      return "fine";
    },
    properties: [],
  };
}

Deno.test("Fuzzer finds an input that a parser can't take, and shows it", async () => {
  const failure = await new Fuzzer([brittle()], SEED).tryEach(10_000);
  assert(failure);
  assertStringIncludes(failure.error, "There is an x");
  assertEquals(failure.where, "brittle");
  assertEquals(failure.input.slice(6, 8), "78");
});

Deno.test("Mutator makes the same inputs of the same seed", () => {
  const inputs = [1, 2].map(() => {
    const mutator = new Mutator(seededRandom(SEED), [bytesOf("hello")], []);
    return Array.from({ length: 50 }, () => mutator.next().toHex());
  });
  assertEquals(inputs[0], inputs[1]);
  assert(new Set(inputs[0]).size > 25);
});
