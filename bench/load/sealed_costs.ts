/**
 * What a sealed room costs its members' clients, by themselves: a keeper that changes the key, a reader that verifies
 * lines, and how long lines are in the log.
 *
 *     members ──▶ key, wraps, `keys` line ──▶ ms          lines ──▶ verified, opened ──▶ lines/s
 *
 * @module
 */

import { type Bytes, randomBytes, toBase64url } from "../../crypto_utils.ts";
import { importVerifyKey } from "../../src/crypto/ed25519.ts";
import { type Identity, identityOf } from "../../src/crypto/identity.ts";
import { fullId, shortId } from "../../src/crypto/person_id.ts";
import {
  NO_CHANGE,
  type Recipient,
  wrapFor,
} from "../../src/client/sealed/rekeying.ts";
import { formatEntry } from "../../src/log/line_format.ts";
import type { NewEntry, Words } from "../../src/protocol/line.ts";
import {
  commitment,
  freshContentKey,
  sealBack,
} from "../../src/sealed/content_key.ts";
import { roomId, signControl } from "../../src/sealed/control_line.ts";
import {
  isSenders,
  lineCipher,
  openLine,
  parseSealed,
  sealLine,
} from "../../src/sealed/sealed_line.ts";
import { type SealedCosts, type Spread, spread } from "./figures.ts";
import { textOf } from "./opener.ts";

/** Lines that are verified at a time, as a client takes them from a record, and how often. */
const LINES = 256;
const ROUNDS = 40;
const WORDS: Words = { what: "said", to: null, text: textOf(1) };
/** How often the key is changed. */
const CHANGES = 5;

/** A room with its founder. */
interface Room {
  readonly id: Bytes;
  readonly founder: Identity;
}

/** Measures them. @param members Sizes of rooms. */
export async function measureSealedCosts(
  members: readonly number[],
): Promise<SealedCosts> {
  const founder = await identityOf(randomBytes(32));
  const room = {
    id: roomId(toBase64url(randomBytes(32)), founder.id),
    founder,
  };
  const rekeys = [];
  for (const count of members) {
    rekeys.push({ members: count, ms: await rekeying(room, count) });
  }
  return { rekeys, ...await reading(room) };
}

async function rekeying(
  { id: room, founder: identity }: Room,
  count: number,
): Promise<Spread> {
  const recipients: Recipient[] = [];
  while (recipients.length < count) {
    const { id, card } = await identityOf(randomBytes(32));
    recipients.push({ id: fullId(id), card: toBase64url(card) });
  }
  const giver = {
    room: { membership: { room }, identity },
    send: () => Promise.resolve(),
  };
  const digest = toBase64url(randomBytes(32));
  const times: number[] = [];
  let before = freshContentKey();
  for (let e = 1; e <= CHANGES; e++) {
    const start = performance.now();
    const key = freshContentKey();
    const place = { room, e };
    const back = await sealBack(place, before, key);
    await wrapFor(giver, recipients, e, key, true);
    await signControl(
      {
        verb: "keys",
        count: e,
        e,
        prev: digest,
        seen: e,
        digest,
        commit: commitment(place, key),
        back,
        backTo: e - 1,
        ...NO_CHANGE,
      },
      room,
      identity.signing,
    );
    times.push(performance.now() - start);
    before = key;
  }
  return spread(times);
}

/** Has a reader verify and open lines of 100 bytes, by one person. */
async function reading({ id: room, founder }: Room) {
  const stay = randomBytes(8);
  const placeOf = (n: number) => ({ room, e: 0, sender: founder.id, stay, n });
  const cipher = await lineCipher(freshContentKey(), placeOf(0));
  const seen = { seq: 1, value: randomBytes(32) };
  const verifyKey = await importVerifyKey(founder.signing.verifyKey);
  const seal = (_: unknown, n: number) =>
    sealLine(WORDS, placeOf(n), seen, cipher, founder.signing);
  const read = async (text: string, n: number) => {
    const line = parseSealed(text);
    if (!line) throw new Error("Cannot read a sealed line");
    const [isRight, said] = await Promise.all([
      isSenders(line, placeOf(n), verifyKey),
      openLine(line, placeOf(n), cipher),
    ]);
    if (!isRight || !said) throw new Error("Cannot open a sealed line");
  };
  const lines = await Promise.all(Array.from({ length: LINES }, seal));
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await Promise.all(lines.map(read));
    rates.push(LINES / (performance.now() - start) * 1_000);
  }
  const entry: NewEntry = {
    ...WORDS,
    at: 0,
    person: shortId(fullId(founder.id)),
    stay: toBase64url(stay),
    n: 1,
    name: "member-1",
  };
  const size = (it: NewEntry) => formatEntry(it).length + 1; // all of it is ASCII
  const [text = ""] = lines;
  const sealed = size({ ...entry, what: "sealed", text });
  return {
    linesPerSecond: spread(rates),
    lineBytes: { sealed, open: size(entry) },
  };
}
