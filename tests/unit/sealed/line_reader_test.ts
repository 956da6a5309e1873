/**
 * Lines of a sealed room that are read: whose they are, what they say, and why one isn't shown as said.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  encryptMessage,
  fromBase64url,
  labelled,
  randomBytes,
  toBase64url,
  uint64,
} from "../../../crypto_utils.ts";
import { sign } from "../../../src/crypto/ed25519.ts";
import type { LineKind, LogEntry, Words } from "../../../src/protocol/line.ts";
import { ControlRecord } from "../../../src/sealed/control_record.ts";
import { type Checks, LineReader } from "../../../src/sealed/line_reader.ts";
import { Opener } from "../../../src/sealed/opener.ts";
import { RoomKeys } from "../../../src/sealed/room_keys.ts";
import { lineCipher, sealLine } from "../../../src/sealed/sealed_line.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import "../../kit/crypto_idle.ts";
import { madeUpStay } from "../../kit/people.ts";
import { SealedRoom, type Somebody, somebody } from "../../kit/sealed_room.ts";

const STAY = madeUpStay("x");
const SEEN = { seq: 3, value: new Uint8Array(32).fill(7) };

/** A room: ana founds it, bob joins at 3, is "robert" from 4 on, and is removed at 5, when the key changes. */
async function scene() {
  const room = await SealedRoom.found();
  const bob = await room.join("bob", 1);
  await room.say(bob, { verb: "rename", name: "robert" });
  await room.change(room.founder, { removed: [bob.full] });
  const record = await room.followed();
  const keys = new RoomKeys();
  const key = room.keys[1];
  assert(key);
  keys.adopt({ e: 1, key }, record.membership);
  const { founder: ana, entries } = room;
  return { room, record, keys, ana, bob, entries };
}

/** A line as a server tells it. */
const lineOf = (
  who: Somebody,
  seq: number,
  what: LineKind,
  more: Partial<LogEntry> = {},
): LogEntry => ({
  ...{ seq, at: seq, person: who.short, stay: STAY, n: seq, what },
  ...{ name: "as told", text: "", to: null, ...more },
});

/** A sealed line. */
async function sealed(
  { room, keys }: SealedRoom,
  who: Somebody,
  seq: number,
  e: number,
  words: Partial<Words> = {},
  key: Bytes | undefined = keys[e],
): Promise<LogEntry> {
  const place = { room, e, sender: who.id, stay: fromBase64url(STAY), n: seq };
  const cipher = await lineCipher(key ?? randomBytes(32), place);
  const whole: Words = { what: "said", to: null, text: "hello", ...words };
  const text = await sealLine(whole, place, SEEN, cipher, who.signing);
  return lineOf(who, seq, "sealed", { text });
}

/** A line that its sender has sealed and signed as it should, whatever is in it. */
async function sealedBytes(
  { room, keys }: SealedRoom,
  who: Somebody,
  seq: number,
  e: number,
  plaintext: Bytes,
): Promise<LogEntry> {
  const place = { room, e, sender: who.id, stay: fromBase64url(STAY), n: seq };
  const cipher = await lineCipher(keys[e] ?? plaintext, place);
  const ad = concat(room, uint64(e), who.id, place.stay, uint64(seq));
  const ciphertext = await encryptMessage(await cipher.at(seq), plaintext, ad);
  const head = concat(uint64(SEEN.seq), SEEN.value);
  const signed = labelled("line", ad, head, ciphertext);
  const signature = await sign(who.signing, signed);
  const text = `${e}.${toBase64url(concat(head, signature, ciphertext))}`;
  return lineOf(who, seq, "sealed", { text });
}

const FINE: Checks = { fits: () => true, seenDiffers: () => false };

Deno.test("LineReader shows lines under their members' names of then, and says of each that doesn't fit why", async () => {
  const { room, record, keys, ana, bob, entries } = await scene();
  const [founding, , joining, renaming] = entries;
  assert(founding && joining && renaming);
  const ruled = (
    { seq, at, person, text }: typeof founding,
    more: Partial<LogEntry> = {},
  ) => ({ ...lineOf(ana, seq, "ruled"), at, person, text, ...more });
  const hello = await sealed(room, bob, 4, 0);
  const flipped = hello.text.replace(
    /^(0\..{60})(.)/,
    (_, head, one) => head + (one === "A" ? "B" : "A"),
  );
  type Case = [line: LogEntry, shown: Record<string, unknown>];
  const cases: Case[] = [
    [hello, { name: "bob", what: "said", text: "hello" }],
    [await sealed(room, bob, 5, 0), { name: "robert", text: "hello" }],
    [await sealed(room, ana, 6, 1), { name: "ana", text: "hello" }],
    [await sealed(room, bob, 6, 1), { name: "robert", wrong: "not-member" }],
    [await sealed(room, bob, 3, 0), { name: "as told", wrong: "not-member" }],
    [await sealed(room, ana, 6, 0), { name: "ana", wrong: "epoch-wrong" }],
    [await sealed(room, ana, 5, 1), { wrong: "epoch-wrong" }],
    [{ ...hello, text: "0.AAAA" }, { wrong: "text-wrong" }],
    [{ ...hello, text: flipped }, { wrong: "signature-wrong" }],
    [{ ...hello, n: 9 }, { wrong: "signature-wrong" }],
    // Signed, but under another key than the epoch's.
    [await sealed(room, bob, 4, 0, {}, randomBytes(32)), {
      wrong: "text-wrong",
    }],
    [await sealedBytes(room, bob, 4, 0, new Uint8Array(128)), {
      wrong: "text-wrong",
    }],
    [await sealed(room, bob, 4, 0, { what: "edited", to: 3 }), {
      ...{ what: "edited", to: 3, wrong: undefined },
    }],
    [await sealed(room, bob, 4, 0, { what: "edited", to: 4 }), {
      wrong: "change-wrong",
    }],
    [await sealed(room, bob, 4, 0, { what: "replied", to: 4 }), {
      ...{ what: "replied", wrong: undefined },
    }],
    // What is said openly, anybody could have put there.
    [lineOf(bob, 4, "said", { text: "openly" }), {
      ...{ wrong: "signature-wrong", text: "openly", name: "bob" },
    }],
    [lineOf(bob, 4, "joined", { name: "bob" }), { wrong: undefined }],
    [lineOf(bob, 4, "joined", { name: "bo" }), {
      ...{ wrong: "presence-wrong", name: "bob" },
    }],
    [lineOf(bob, 9, "joined", { name: "bob" }), { wrong: "presence-wrong" }],
    [lineOf(bob, 9, "left", { text: "x" }), { text: "left", wrong: undefined }],
    [lineOf(bob, 3, "left"), { wrong: "presence-wrong" }],
    [lineOf(bob, 5, "renamed", { name: "bob", text: "robert" }), {
      wrong: undefined,
    }],
    [lineOf(bob, 5, "renamed", { name: "cy", text: "robert" }), {
      wrong: "presence-wrong",
    }],
    [lineOf(bob, 5, "renamed", { name: "bob", text: "bob" }), {
      wrong: "presence-wrong",
    }],
    [lineOf(bob, 4, "renamed", { name: "robert", text: "bob" }), {
      wrong: "presence-wrong",
    }],
    // Control lines are known.
    [ruled(founding), { name: "ana", told: "ana founded the room" }],
    [ruled(joining), { name: "bob", wrong: undefined }],
    [ruled(renaming), { name: "robert", wrong: undefined }],
    [ruled(founding, { at: 7 }), { wrong: "control-wrong" }],
    [ruled(founding, { person: bob.short }), { wrong: "control-wrong" }],
    [ruled(founding, { text: "found" }), { wrong: "control-wrong" }],
    [ruled(founding, { seq: 9 }), { wrong: "control-wrong" }],
  ];
  const reader = new LineReader(record, keys);
  const read = await reader.read(cases.map(([line]) => line), FINE);
  for (const [at, [, shown]] of cases.entries()) {
    const line = read[at] as unknown as Record<string, unknown>;
    for (const [field, value] of Object.entries(shown)) {
      assertEquals(line[field], value, `case ${at}: ${field}`);
    }
  }
});

Deno.test("LineReader holds lines that were opened, and those whose key isn't known, against what else is known of them", async () => {
  const { room, record, keys, ana, bob } = await scene();
  const lines = [await sealed(room, bob, 4, 0), await sealed(room, ana, 6, 1)];
  const asked: unknown[] = [];
  const reading = async (
    checks: Partial<Checks>,
    by = keys,
  ): Promise<(string | undefined)[]> => {
    const read = await new LineReader(record, by)
      .read(lines, { ...FINE, ...checks });
    return read.map(({ wrong, what }) => wrong ?? what);
  };
  assertEquals(await reading({ fits: ({ seq }) => seq !== 4 }), [
    "number-repeated",
    "said",
  ]);
  const seenDiffers: Checks["seenDiffers"] = (seen, { seq }) => {
    asked.push([seen, seq]);
    return seq === 6 ? true : undefined;
  };
  assertEquals(await reading({ seenDiffers }), ["said", "seen-differs"]);
  assertEquals(asked, [[SEEN, 4], [SEEN, 6]]);
  const none = new RoomKeys();
  assertEquals(await reading({ seenDiffers: () => true }, none), [
    "sealed",
    "sealed",
  ]);
  assertEquals(await reading({ fits: () => false }, none), [
    "number-repeated",
    "number-repeated",
  ]);
});

Deno.test("Opener says which key a line needs, and opens it once that has come", async () => {
  const { room, record, ana } = await scene();
  const keys = new RoomKeys();
  const opener = new Opener(record, keys);
  const line = await sealed(room, ana, 6, 1);
  const locked = { ...line, name: "ana" };
  assertEquals(await opener.open(line), {
    state: "locked",
    line: locked,
    e: 1,
  });
  const later = new RoomKeys();
  later.adopt(
    { e: 1, key: room.keys[1] ?? randomBytes(32) },
    record.membership,
  );
  const opened = await new Opener(record, later).open(line);
  const words = { what: "said", to: null, text: "hello" } as const;
  assertEquals(opened, {
    state: "opened",
    line: { ...locked, ...words },
    seen: SEEN,
  });
  const nobody = await new Opener(new ControlRecord(), later).open(line);
  assertEquals(nobody, { state: "wrong", reason: "not-member" });
});

Deno.test("MemberTerms know everybody who ever was a member, when each epoch began, and which one counts for a line", async () => {
  const { record: { terms }, ana, bob } = await scene();
  assertEquals(terms.everybody.map(({ id, name }) => [id, name]), [
    [ana.full, "ana"],
    [bob.full, "robert"],
  ]);
  assertEquals([0, 1, 2, 5, 6].map((seq) => terms.epochAt(seq)), [
    ...[-1, -1, 0, 0, 1],
  ]);
  assertEquals([0, 1, 2].map((e) => terms.epochStart(e)), [1, 5, undefined]);
  const names = [3, 4, 5, 6].map((seq) => terms.at(bob.short, seq)?.name);
  assertEquals(names, [undefined, "bob", "robert", undefined]);
  const before = [3, 4, 5, 6].map((seq) => terms.before(bob.short, seq)?.name);
  assertEquals(before, [undefined, "bob", "robert", "robert"]);
  const member = terms.before(bob.short, 9);
  assert(member);
  assertEquals(await terms.verifyKey(member), await terms.verifyKey(member));
  const stranger = await somebody("cy");
  assertEquals(terms.at(stranger.short, 4), undefined);
});
