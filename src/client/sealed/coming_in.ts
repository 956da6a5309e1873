/**
 * What a client of a sealed room checks before it goes in: that it is the room which its link, or its memory, says, and
 * that its person is a member there, or becomes one now.
 *
 *     follow ──▶ control lines, checked ──┬── a member ────────────▶ join
 *                                         ├── an invite's key ─────▶ wrap for itself, enter, join
 *                                         └── nobody is there yet ─▶ found: wrap for itself, enter, join
 *
 * @module
 */

import {
  type Bytes,
  DecryptionError,
  equalBytes,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { escapeText, quote } from "../../base/safe_text.ts";
import { type Identity, identityOf, readCard } from "../../crypto/identity.ts";
import { fullId } from "../../crypto/person_id.ts";
import type { Event } from "../../protocol/events.ts";
import type { LogEntry } from "../../protocol/line.ts";
import {
  commitment,
  freshContentKey,
  openBlob,
  sealWrap,
} from "../../sealed/content_key.ts";
import { roomId, signControl } from "../../sealed/control_line.ts";
import { FOUNDING_ID } from "../../sealed/membership.ts";
import { JoinError } from "../join_error.ts";
import type { SealedRequest } from "../link.ts";
import type { SealedRoom } from "./sealed_room.ts";

/** By what a client comes. */
export interface InviteSecret {
  /** The invite's number. */
  readonly id: number;
  /** The link's secret, 32 bytes. */
  readonly secret: Bytes;
}

/** What the server told before the client is in. */
export interface Told {
  /** The number of the last control line that there is. */
  readonly seq: number;
  /** The digest of those that this client knew, base64url, as the server has it; "" where it has none there. */
  readonly digest: string;
  /** The blob of the invite by which the client came, or "". */
  readonly blob: string;
  /** The control lines that this client didn't know. */
  readonly lines: readonly LogEntry[];
  /** The content keys for this client. */
  readonly wraps: readonly Event<"wrapped">[];
}

/** A client that wants to come in. */
export interface Comer {
  /** What it knows of the room. */
  readonly room: SealedRoom;
  /** Its link's invite; undefined where it comes by its key. */
  readonly invite: InviteSecret | undefined;
  /** The name that it wants. */
  readonly name: string;
  /** Asks a person; false where nobody can be asked. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Whether a person founds the room. @throws {JoinError} where nobody can be asked. */
  readonly founds: () => Promise<boolean>;
  /** Asks the server for the control lines after a line; undefined where the connection ends. */
  readonly follow: (after: number) => Promise<Told | undefined>;
}

/** With what a client goes in. */
export interface Entrance {
  /** The name under which it joins. */
  readonly name: string;
  /** What it says before it joins. */
  readonly requests: readonly SealedRequest[];
  /** What was given as the room's key and isn't. */
  readonly wrong: readonly Event<"wrapped">[];
}

const TAMPERED =
  "The server may have been tampered with, or set up from a backup: tell its owner, and the keepers of the room";

/** Checks the room. @returns Undefined where the connection ends. @throws {JoinError} if the client can't, or had better not, go in. */
export async function comeIn(comer: Comer): Promise<Entrance | undefined> {
  const told = await followAll(comer);
  if (!told) return undefined;
  const { room, invite, name } = comer;
  const { membership } = room;
  if (membership.room === undefined) return await found(comer, told);
  const id = toBase64url(membership.room);
  if (room.known !== undefined && room.known !== id) {
    throw new JoinError(
      "The server shows another sealed room than the one that you know there",
      TAMPERED,
    );
  }
  if (invite && invite.id !== FOUNDING_ID) {
    await checkAnchor(room, invite, told);
  }
  const wrong: Event<"wrapped">[] = [];
  for (const wrapped of told.wraps) {
    const outcome = await room.keys.take(wrapped, membership);
    if (outcome === "wrong") wrong.push(wrapped);
  }
  const { own } = room;
  if (own) return { name: own.name, requests: [], wrong };
  if (invite?.id === FOUNDING_ID) {
    const [founder = ""] = membership.keepers;
    const by = membership.member(founder)?.name ?? "somebody";
    throw new JoinError(
      `The room was founded by ${quote(by)} already`,
      `Ask ${escapeText(by)}, or another keeper, for an invite`,
    );
  }
  if (!invite) {
    throw new JoinError(
      "You are no member of this room",
      "Ask a keeper of the room for an invite",
    );
  }
  return await becomeMember(room, invite, name, told);
}

/**
 * Follows the control lines that the server tells. Where they aren't those that this client saw, a person decides
 * whether they count from here on.
 */
async function followAll(comer: Comer): Promise<Told | undefined> {
  const { room, follow, confirm } = comer;
  const told = await follow(room.membership.seq);
  if (!told) return undefined;
  const doubt = doubtOf(room, told) ?? await takeAll(room, told);
  if (doubt === undefined) return told;
  const goesOn = await confirm(
    `${doubt}: a restored backup, or tampering. Ask its owner and a keeper which, by another way`,
  );
  if (!goesOn) {
    throw new JoinError(
      doubt,
      `${TAMPERED}. If they have restored a backup, answer yes to that question, at a terminal`,
    );
  }
  const all = await follow(0);
  if (!all) return undefined;
  await room.forget(); // not before: the answer may have come after the connection's end
  const wrong = await takeAll(room, all);
  if (wrong !== undefined) throw new JoinError(wrong, TAMPERED);
  return all;
}

/** What of the control lines that the server had before isn't as this client saw it; undefined for nothing. */
function doubtOf(
  { membership: { seq, digest } }: SealedRoom,
  told: Told,
): string | undefined {
  if (told.seq < seq) {
    return `The server no longer knows who came in or was removed from line ${
      told.seq + 1
    } on`;
  }
  if (seq === 0 || told.digest === toBase64url(digest)) return undefined;
  return "The server says otherwise than before who came in or was removed";
}

/**
 * Takes the control lines that the server told.
 * @returns Which of them it kept back before, as a sentence; undefined once all are taken. @throws {JoinError} for others.
 */
async function takeAll(
  room: SealedRoom,
  { lines, seq }: Told,
): Promise<string | undefined> {
  for (const line of lines) {
    const followed = line.what === "ruled"
      ? await room.follow(line)
      : "control-wrong";
    if (followed === "control-late") {
      return `The server kept control line ${line.seq} of the room from you: you saw lines up to ${room.file.last} without it`;
    }
    if (typeof followed !== "string") continue;
    throw new JoinError(
      `Control line ${line.seq} of the room is not one that may be said there`,
      TAMPERED,
    );
  }
  if (room.membership.seq === seq) return undefined;
  throw new JoinError(
    "The server keeps control lines of the room back",
    TAMPERED,
  );
}

/** Checks that the room is the one that the maker of an invite was in. */
async function checkAnchor(
  { record, membership }: SealedRoom,
  { secret }: InviteSecret,
  { blob }: Told,
): Promise<void> {
  try {
    const anchor = await openBlob(blob, secret);
    const digest = record.digestAt(anchor.seq);
    const isSame = membership.room && equalBytes(anchor.room, membership.room);
    if (isSame && digest && equalBytes(digest, anchor.digest)) return;
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
  }
  throw new JoinError(
    "The room that the server shows is not the one that your link is for",
    `${TAMPERED}. Or ask for another link`,
  );
}

/** Becomes a member by an invite, with the room's key that it was given. */
async function becomeMember(
  room: SealedRoom,
  { id: number, secret }: InviteSecret,
  name: string,
  { wraps }: Told,
): Promise<Entrance> {
  const { keys, membership, identity } = room;
  const invite = await identityOf(secret);
  keys.addRecipient(invite);
  for (const wrapped of wraps) await keys.take(wrapped, membership);
  const key = await keys.latest(membership);
  if (!membership.room || !key) {
    throw new JoinError(
      "The room's key did not come with your link",
      "Ask a keeper of the room for another link",
    );
  }
  const place = { room: membership.room, e: keys.highest };
  const count = membership.nextCount(room.self.id);
  const card = toBase64url(identity.card);
  const text = await signControl(
    { verb: "join", count, invite: number, card, name },
    membership.room,
    identity.signing,
    invite.signing,
  );
  // An older key is no longer passed on: keepers give the one of now once it is in.
  const requests: SealedRequest[] = place.e === membership.epoch
    ? [await ownWrap(identity, place, key)]
    : [];
  return {
    name,
    requests: [...requests, { kind: "enter", text }],
    wrong: [],
  };
}

/** Founds the room. */
async function found(
  { room, invite, name, founds }: Comer,
  { seq }: Told,
): Promise<Entrance> {
  if (room.known !== undefined || invite?.id !== FOUNDING_ID || seq !== 0) {
    throw new JoinError("The server no longer has the room", TAMPERED);
  }
  if (!await founds()) {
    throw new JoinError(
      "The room is not founded",
      "Who opens that link next can found it",
    );
  }
  const { identity } = room;
  const random = toBase64url(randomBytes(KEY_SIZE));
  const id = roomId(random, identity.id);
  const key = freshContentKey();
  const place = { room: id, e: 0 };
  room.keys.made(commitment(place, key), key);
  const card = toBase64url(identity.card);
  const commit = commitment(place, key);
  const text = await signControl(
    { verb: "found", count: 1, random, card, name, commit },
    id,
    identity.signing,
  );
  const wrap = await ownWrap(identity, place, key);
  return { name, requests: [wrap, { kind: "enter", text }], wrong: [] };
}

/** The content key for this client's own person, so that it can come back. */
async function ownWrap(
  { id, card }: Identity,
  place: { readonly room: Bytes; readonly e: number },
  key: Bytes,
): Promise<SealedRequest> {
  const { sealKey } = readCard(card);
  const data = await sealWrap({ ...place, by: id, to: id }, key, sealKey);
  return { kind: "wrap", to: fullId(id), e: place.e, next: false, data };
}
