/**
 * With what a sealed room's log is opened: the key of a member's identity, or of an invite's link, and what `chat.control`
 * has for it.
 *
 * @module
 */

import { equalBytes } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { firstLine } from "../../base/first_line.ts";
import { givenPath } from "../../base/paths.ts";
import { type Identity, identityOf } from "../../crypto/identity.ts";
import { fullId, shortId } from "../../crypto/person_id.ts";
import { readIdentity } from "../../keys/identity.ts";
import { type Invite, parseInvite } from "../../keys/invite.ts";
import { openBlob } from "../../sealed/content_key.ts";
import { ControlRecord } from "../../sealed/control_record.ts";
import { isSealedInvite } from "../../sealed/membership.ts";
import { RoomKeys } from "../../sealed/room_keys.ts";
import { type Happened, readControlFile } from "../sealed/control_file.ts";

/** What opens a log. */
export interface LogKey {
  /** The control lines, checked. */
  readonly record: ControlRecord;
  /** The content keys that it leads to. */
  readonly keys: RoomKeys;
  /** The short id of the person whose identity it is; undefined for a link's. */
  readonly person: string | undefined;
  /** What lines can't be opened, and why, in one sentence; "" where all can. */
  readonly limits: string;
}

/** Somebody's key, as it was given. */
interface Given {
  readonly identity: Identity;
  /** The invite, where it is a link's. */
  readonly invite?: Invite;
}

/** The control lines in `chat.control`, checked. @throws {AdvisedError} | {FileError} */
async function readRecord(
  path: string,
): Promise<{ record: ControlRecord; kept: readonly Happened[] }> {
  const kept = await readControlFile(path) ?? [];
  const record = new ControlRecord();
  for (const it of kept) {
    if (it.kind !== "ruled" || await record.follow(it.entry)) continue;
    throw new AdvisedError(
      `Cannot use ${path}: control line ${it.entry.seq} is not one that may be said there`,
      "It was changed, or is of several rooms: take a copy of the server's",
    );
  }
  return { record, kept };
}

/**
 * What a key opens. @param given A link, the path of an identity, or "-" for a link on standard input.
 * @param control The path of `chat.control`.
 * @throws {AdvisedError} where it opens nothing. @throws {FileError} | {SyntaxError}
 */
export async function openKey(given: string, control: string): Promise<LogKey> {
  const { identity, invite } = await readKey(given);
  const { record, kept } = await readRecord(control);
  const { membership } = record;
  if (!membership.room) {
    throw new AdvisedError(
      `Cannot open the log: ${control} is missing, or its room is not founded`,
      "It is beside the server's log, and has the room's keys, sealed: name it by --control FILE",
    );
  }
  if (invite) await checkInvite(invite, kept, record, control);
  const keys = new RoomKeys();
  keys.addRecipient(identity);
  for (const it of kept) {
    if (it.kind === "wrap") {
      await keys.take({ kind: "wrapped", ...it.wrap }, membership);
    }
  }
  if (!await keys.latest(membership)) {
    throw new AdvisedError(
      `Cannot open the log: ${control} has no key for that ${
        invite ? "link" : "identity"
      }`,
      invite
        ? "Links that are used up or have ended are forgotten: take the identity of a member"
        : "It is no member of the room, or was removed: take another's, or a link that is open",
    );
  }
  const id = fullId(identity.id);
  const person = invite ? undefined : shortId(id);
  const isGone = !invite && !membership.member(id);
  return { record, keys, person, limits: limitsOf(record, keys, isGone) };
}

async function readKey(given: string): Promise<Given> {
  const text = given === "-" ? await firstLine("-") : given;
  if (/^\s*["'<]*chat:/i.test(text)) {
    const invite = parseInvite(text);
    return { identity: await identityOf(invite.secret), invite };
  }
  const path = givenPath(text);
  const identity = await readIdentity(path);
  if (identity) return { identity };
  throw new AdvisedError(
    `Cannot open the log: there is no identity at ${path}`,
    "Give the file of a member's identity, or a link of the room in quotes",
  );
}

/** Looks whether the control lines are those of the room that a link is for. */
async function checkInvite(
  { id, secret }: Invite,
  kept: readonly Happened[],
  record: ControlRecord,
  control: string,
): Promise<void> {
  if (!isSealedInvite(id)) {
    throw new AdvisedError(
      "Cannot open the log: that link is not of a sealed room",
      "Take the identity of a member, or a link that a keeper made",
    );
  }
  const known = kept.findLast((it) =>
    it.kind === "admission" && it.admission.invite === id
  );
  const blob = known?.kind === "admission" ? known.admission.blob : undefined;
  if (blob === undefined) return; // there is no key for it either
  const anchor = await openBlob(blob, secret).catch(() => undefined);
  const digest = anchor && record.digestAt(anchor.seq);
  const { room } = record.membership;
  const isSame = anchor && digest && room && equalBytes(anchor.room, room) &&
    equalBytes(anchor.digest, digest);
  if (isSame) return;
  throw new AdvisedError(
    `Cannot open the log: ${control} is not of the room that the link is for`,
    "One of them was changed, or they are of different rooms",
  );
}

/** From where on the keys open nothing. @param isGone Whether their owner is no member any more. */
function limitsOf(
  { membership, terms }: ControlRecord,
  keys: RoomKeys,
  isGone: boolean,
): string {
  if (keys.highest >= membership.epoch) return "";
  const start = terms.epochStart(keys.highest + 1) ?? 0;
  const why = isGone
    ? "that identity was removed from the room"
    : "chat.control has no later key for it";
  return `Lines from ${start + 1} on are sealed for members: ${why}`;
}
