/**
 * What is made of what others say in a sealed room: control lines, sealed lines, the words in them, and wraps.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  DecryptionError,
  decryptMessage,
  equalBytes,
  randomBytes,
  sha256,
  toBase64url,
  uint64,
} from "../../../crypto_utils.ts";
import { identityOf, readCard } from "../../../src/crypto/identity.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import { importVerifyKey } from "../../../src/crypto/ed25519.ts";
import { xwingKey } from "../../../src/crypto/xwing.ts";
import type { Words } from "../../../src/protocol/line.ts";
import {
  commitment,
  openBlob,
  openWrap,
  sealBlob,
  sealWrap,
} from "../../../src/sealed/content_key.ts";
import {
  type Control,
  parseControl,
  roomId,
  signControl,
} from "../../../src/sealed/control_line.ts";
import {
  follow,
  Membership,
  SEALED_INVITE,
} from "../../../src/sealed/membership.ts";
import {
  epochOf,
  isSenders,
  lineCipher,
  type LinePlace,
  openLine,
  parseSealed,
  readWords,
  sealLine,
} from "../../../src/sealed/sealed_line.ts";
import { openPiece, sealPiece } from "../../../src/sealed/sealed_piece.ts";
import {
  bytesOf,
  hold,
  outcomeOf,
  same,
  type Target,
  textOf,
} from "./target.ts";

const key = sha256(bytesOf("key"));
const digest = toBase64url(key);
const otherKey = sha256(bytesOf("another key"));
/** Where pieces begin, bytes. */
const FROM = 16_384;
const random = toBase64url(sha256(bytesOf("random")));

/** Who takes part. Not when the module is loaded: a thread that still loads misses what it is told. */
async function cast() {
  const ana = await identityOf(sha256(bytesOf("ana")));
  const link = await identityOf(sha256(bytesOf("link")));
  return { ana, link, room: roomId(random, ana.id) };
}

/** `parseControl`, and what a membership makes of it. */
export async function controlLines(): Promise<Target> {
  const { ana, link, room } = await cast();
  const card = toBase64url(ana.card);
  const person = shortId(fullId(ana.id));
  const invite = SEALED_INVITE + 1;
  const before = { prev: digest, seen: 1, digest, backTo: 0 };
  const keys = { ...before, commit: digest, back: "A".repeat(64) };
  const lists = { made: [digest], removed: [], barred: [digest], freed: [] };
  const controls: Control[] = [
    { verb: "found", count: 1, random, card, name: "ana", commit: digest },
    {
      verb: "invite",
      count: 2,
      invite,
      card: toBase64url(link.card),
      uses: 1,
      until: null,
    },
    { verb: "rename", count: 3, name: "Ana" },
    { verb: "keys", count: 4, e: 1, ...keys, ...lists },
    { verb: "close", count: 5, invite },
    { verb: "join", count: 6, invite, card, name: "ana" },
  ];
  const texts = await Promise.all(controls.map((control) => {
    const by = control.verb === "join" ? link.signing : undefined;
    return signControl(control, room, ana.signing, by);
  }));
  const place = { seq: 1, at: 1, person };
  const founded = await follow(
    Membership.NONE,
    parseControl(texts[0] ?? ""),
    place,
  );
  return {
    name: "control-lines",
    share: 4,
    seeds: texts.map(bytesOf),
    words: [
      ...[
        '"',
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "null",
        "1e3",
        "-0",
        "\\u0061",
      ],
      ...[digest, '"count":', '"__proto__":1,', "0x80000001", "2147483649"],
      ...controls.map(({ verb }) => `${verb} `),
    ],
    async check(input) {
      const text = textOf(input);
      const line = parseControl(text);
      if (!line) return "no control line";
      const { verb } = line.control;
      hold(line.text === text, "a line has another text");
      same(parseControl(text), line, "a line is read differently");
      const isMine = texts.some((it) => it.startsWith(`${line.said} `));
      for (const membership of [Membership.NONE, founded]) {
        if (!membership) continue;
        const after = await follow(membership, line, { ...place, seq: 2 });
        hold(!after || isMine, "a line that nobody signed counts");
        membership.next(line, { ...place, seq: 2 });
      }
      return isMine ? `${verb}, as it was said` : verb;
    },
    properties: [],
  };
}

const WORDS: readonly Words[] = [
  { what: "said", to: null, text: "hello" },
  { what: "replied", to: 42, text: "já 👍" },
  { what: "deleted", to: 42, text: "" },
  { what: "reacted", to: 42, text: "👍" },
  {
    what: "offered",
    to: null,
    text: `a.txt (1 bytes, SHA-256 ${"0a".repeat(32)})`,
  },
];

/** Where her line is, and what seals it and signs it. */
async function hers() {
  const { ana, room } = await cast();
  const place = { room, e: 3, sender: ana.id, stay: new Uint8Array(8), n: 7 };
  const seen = { seq: 6, value: key };
  const seal = async (words: Words) => {
    const cipher = await lineCipher(key, place);
    return await sealLine(words, place, seen, cipher, ana.signing);
  };
  return { ana, place, seal };
}

/** `parseSealed` and `epochOf`. */
export async function sealedLines(): Promise<Target> {
  const { ana, place, seal } = await hers();
  const texts = await Promise.all(WORDS.map((words) => seal(words)));
  const verifyKey = await importVerifyKey(ana.signing.verifyKey);
  return {
    name: "sealed-lines",
    share: 3,
    seeds: texts.map(bytesOf),
    words: [".", "0", "3", "-", "_", "=", " ", "A".repeat(171), "3.3."],
    async check(input) {
      const text = textOf(input);
      const line = parseSealed(text);
      if (!line) return epochOf(text) === undefined ? "no line" : "too short";
      hold(line.e === epochOf(text), "a line has two epochs");
      const isHers = await isSenders(line, { ...place, e: line.e }, verifyKey);
      hold(
        isHers === texts.includes(text),
        "a line that she didn't sign is hers",
      );
      return isHers ? "hers" : "nobody's";
    },
    properties: [],
  };
}

/** `readWords`. */
export async function sealedWords(): Promise<Target> {
  const { place, seal } = await hers();
  const cipher = await lineCipher(key, place);
  /** The plaintext that a line of these words has. */
  const plaintextOf = async (words: Words): Promise<Bytes> => {
    const line = parseSealed(await seal(words));
    hold(line !== undefined, "what is sealed is no line");
    const opened = await openLine(line, place, cipher);
    same(opened, words, "words are opened as others");
    const own = await cipher.at(place.n);
    return await decryptMessage(own, line.ciphertext, adOf(place));
  };
  return {
    name: "sealed-words",
    share: 3,
    seeds: await Promise.all(WORDS.map(plaintextOf)),
    words: ["\0", "\0".repeat(8), "\u0001", "\u0007", "\ud800", "hello", "👍"],
    async check(input) {
      const words = readWords(input);
      if (!words) return "no words";
      const again = await plaintextOf(words);
      hold(equalBytes(again, input), "words are written in two ways");
      return words.what;
    },
    properties: [],
  };
}

/** What is authenticated beside the words. */
function adOf({ room, e, sender, stay, n }: LinePlace): Bytes {
  return concat(room, uint64(e), sender, stay, uint64(n));
}

/** `openPiece`. */
export async function sealedPieces(): Promise<Target> {
  const { place } = await hers();
  const pieces = ["", "a piece", "x".repeat(1_000)].map(bytesOf);
  const sealed = await Promise.all(
    pieces.map((piece) => sealPiece(piece, FROM, place, { e: 3, key })),
  );
  const [first = new Uint8Array(0)] = pieces;
  sealed.push(await sealPiece(first, FROM, place, { e: 4, key: otherKey }));
  return {
    name: "sealed-pieces",
    share: 2,
    seeds: sealed,
    words: ["\0".repeat(8), "\0".repeat(16), "\u0003", "\u0004"],
    async check(input) {
      try {
        const piece = await openPiece(
          input,
          FROM,
          place,
          (e) => Promise.resolve(e === 3 ? key : undefined),
        );
        const at = sealed.findIndex((it) => equalBytes(it, input));
        same(piece, pieces[at], "a piece is opened that nobody sealed");
        return "piece";
      } catch (error) {
        return outcomeOf(error, DecryptionError);
      }
    },
    properties: [],
  };
}

/** `openWrap` and `openBlob`. */
export async function wraps(): Promise<Target> {
  const { ana, room } = await cast();
  const wrapping = { room, e: 3, by: ana.id, to: ana.id };
  const commit = commitment(wrapping, key);
  const sealKey = await xwingKey(ana.sealSeed);
  const wrap = await sealWrap(wrapping, key, readCard(ana.card).sealKey);
  const secret = randomBytes(32);
  const blob = await sealBlob({ room, seq: 9, digest: key }, secret);
  const other = await sealWrap(wrapping, secret, readCard(ana.card).sealKey);
  return {
    name: "wraps",
    share: 2,
    seeds: [wrap, other, blob, ""].map(bytesOf),
    words: ["=", "A", "_", " ", "A".repeat(43), "A".repeat(1_494)],
    async check(input) {
      const text = textOf(input);
      let outcome: string;
      try {
        const opened = await openWrap(wrapping, text, sealKey, commit);
        hold(equalBytes(opened, key), "a wrap gives another key");
        outcome = "wrap";
      } catch (error) {
        outcome = outcomeOf(error, DecryptionError);
      }
      try {
        const anchor = await openBlob(text, secret);
        same(
          anchor,
          { room, seq: 9, digest: key },
          "a blob says something else",
        );
        return "blob";
      } catch (error) {
        outcomeOf(error, DecryptionError);
        return outcome;
      }
    },
    properties: [],
  };
}
