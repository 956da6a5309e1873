/**
 * What single steps of a sealed room cost who takes part in it: `deno bench`; `deno task bench --sealed` measures the rest.
 * Divide by the number in a bench's name for one.
 *
 * @module
 */

import { randomBytes, toBase64url } from "../crypto_utils.ts";
import { type Identity, identityOf, readCard } from "../src/crypto/identity.ts";
import { fullId, shortId } from "../src/crypto/person_id.ts";
import { commitment, openWrap, sealWrap } from "../src/sealed/content_key.ts";
import {
  type Control,
  parseControl,
  roomId,
  signControl,
} from "../src/sealed/control_line.ts";
import {
  type ControlPlace,
  follow,
  Membership,
  SEALED_INVITE,
} from "../src/sealed/membership.ts";
import { xwingKey } from "../src/crypto/xwing.ts";
import { sampleLines } from "./load/sealed_costs.ts";

const PERSONS = 1_000;

const random = randomBytes(32);
const ana = await identityOf(randomBytes(32));
const room = roomId(toBase64url(random), ana.id);
const key = randomBytes(32);

// ── Lines ──────────────────────────────────────────────────────────────────────────────────────────────

const { seal, read } = await sampleLines({ id: room, founder: ana });
const line = await seal(0);
let sealed = 0;

Deno.bench("a line of 100 bytes, sealed and signed", async () => {
  await seal(++sealed);
});

Deno.bench("a line of 100 bytes, verified and opened", async () => {
  await read(line, 0);
});

// ── Content keys ───────────────────────────────────────────────────────────────────────────────────────

const wrapping = { room, e: 3, by: ana.id, to: ana.id };
const { sealKey } = readCard(ana.card);
const ownKey = await xwingKey(ana.sealSeed);
const wrap = await sealWrap(wrapping, key, sealKey);
const commit = commitment(wrapping, key);

Deno.bench("a wrap, opened", async () => {
  await openWrap(wrapping, wrap, ownKey, commit);
});

// ── Control lines ──────────────────────────────────────────────────────────────────────────────────────

/** A control line, signed, and its place. */
interface Ruling {
  readonly text: string;
  readonly place: ControlPlace;
}

async function ruling(
  who: Identity,
  seq: number,
  control: Control,
  invite?: Identity,
): Promise<Ruling> {
  const by = invite?.signing;
  const text = await signControl(control, room, who.signing, by);
  return { text, place: { seq, at: seq, person: shortId(fullId(who.id)) } };
}

/** The control lines of a room into which so many came by one link. */
async function rulingsOf(persons: number): Promise<Ruling[]> {
  const link = await identityOf(randomBytes(32));
  const invite = SEALED_INVITE + 1;
  const card = toBase64url(ana.card);
  const rulings = [
    await ruling(ana, 1, {
      verb: "found",
      count: 1,
      random: toBase64url(random),
      card,
      name: "ana",
      commit,
    }),
    await ruling(ana, 2, {
      verb: "invite",
      count: 2,
      invite,
      card: toBase64url(link.card),
      uses: persons,
      until: null,
    }),
  ];
  for (let at = 0; at < persons; at++) {
    const who = await identityOf(randomBytes(32));
    const name = `p${at.toString(36).replaceAll(/[01lio]/g, "_")}-${at % 7}`;
    const text = toBase64url(who.card);
    const join = { verb: "join", count: 1, invite, card: text, name } as const;
    rulings.push(await ruling(who, at + 3, join, link));
  }
  return rulings;
}

const rulings = await rulingsOf(PERSONS);

Deno.bench(`${PERSONS} joins, verified and followed`, { n: 3 }, async () => {
  let membership = Membership.NONE;
  for (const { text, place } of rulings) {
    membership = await follow(membership, parseControl(text), place) ??
      membership;
  }
  if (membership.members.size !== PERSONS + 1) {
    throw new Error(`Only ${membership.members.size} are members`);
  }
});

Deno.bench(`${PERSONS} joins, followed that were verified before`, {
  n: 3,
}, () => {
  let membership = Membership.NONE;
  for (const { text, place } of rulings) {
    const line = parseControl(text);
    const next = line && membership.after(line, place);
    if (next instanceof Membership) membership = next;
  }
});
