/**
 * Control lines, by which a sealed room rules itself: numbered lines of the log whose words anybody can read, signed by
 * the person who says them. The server orders them; nobody else's client believes one that isn't signed.
 *
 *     VERB JSON SIGNATURE [SIGNATURE]
 *
 *     found   {"count","random","card","name","commit"}          the founder: the room's first line
 *     invite  {"count","invite","card","uses","until"}           a keeper: an invite is a temporary identity
 *     join    {"count","invite","card","name"}                   the newcomer; the second signature is the invite's
 *     rename  {"count","name"}                                   a member
 *     keys    {"count","e","prev","seen","digest","commit","back","backTo","made","removed","barred","freed"}
 *                                                                a keeper: another content key
 *     close   {"count","invite"}                                 a keeper: an invite lets in nobody any more
 *
 * A signature is Ed25519 over label ‖ room ‖ verb, a space and the JSON, exactly as they stand there. The label is "rule",
 * and "admission" for the invite's. One line has one text: fields stand in this order, and base64url ends in no bits that
 * are no byte.
 *
 * @module
 */

import {
  type Bytes,
  copyOf,
  fromBase64url,
  labelled,
  labelledDigest,
  toBase64url,
} from "../../crypto_utils.ts";
import {
  importVerifyKey,
  sign,
  type SigningKeyPair,
  verify,
} from "../crypto/ed25519.ts";
import { isCard, isCount, matches, MAX_TIME } from "../protocol/events.ts";
import { MAX_ENTRY_LENGTH } from "../protocol/reasons.ts";

/** Ids that one `keys` line may name, in all its lists: so many fit into a line. */
export const MAX_NAMED = 100;

/** A room is founded. */
export interface Found {
  /** 32 random bytes, base64url: with the founder's id they name the room. */
  readonly random: string;
  /** The founder's card, base64url. */
  readonly card: string;
  /** The founder's name. */
  readonly name: string;
  /** What proves the first content key, 32 bytes in base64url. */
  readonly commit: string;
}

/** An invite is made. */
export interface Invite {
  /** Its number: 32 bits, the highest of them set. */
  readonly invite: number;
  /** The card of its temporary identity, base64url. */
  readonly card: string;
  /** How many persons it lets in, at least 1. */
  readonly uses: number;
  /** When it ends, ms since 1970; null: never. */
  readonly until: number | null;
}

/** A person becomes a member. */
export interface Join {
  /** The number of the invite by which it comes. */
  readonly invite: number;
  /** Its card, base64url. */
  readonly card: string;
  /** Its name. */
  readonly name: string;
}

/** A member goes by another name. */
export interface Rename {
  /** That name. */
  readonly name: string;
}

/** Another content key is used from here on. All ids are full ones. */
export interface Keys {
  /** The number of the epoch that begins, one more than that of the last. */
  readonly e: number;
  /** The digest of the `found` or `keys` line before it, as `keysDigest` makes it. */
  readonly prev: string;
  /** The number of the last control line that its signer had, the one of `prev` or a later one. */
  readonly seen: number;
  /**
   * The digest of all control lines up to that one, 32 bytes in base64url: who was shown others doesn't go on under the
   * same key.
   */
  readonly digest: string;
  /** What proves the content key, 32 bytes in base64url. */
  readonly commit: string;
  /** An earlier content key, sealed by this one, base64url. */
  readonly back: string;
  /** The number of that one's epoch: the last whose key its signer had. */
  readonly backTo: number;
  /** Members who are keepers from here on. */
  readonly made: readonly string[];
  /** Members who are none any more; with them all open invites end. */
  readonly removed: readonly string[];
  /** Persons who can't become members again. */
  readonly barred: readonly string[];
  /** Of those, some who can. */
  readonly freed: readonly string[];
}

/** An invite lets in nobody any more. */
export interface Close {
  /** Its number. */
  readonly invite: number;
}

/** What each verb says. */
export interface Controls {
  /** The room's first line. */
  found: Found;
  /** A keeper's. */
  invite: Invite;
  /** A newcomer's. */
  join: Join;
  /** A member's. */
  rename: Rename;
  /** A keeper's. */
  keys: Keys;
  /** A keeper's. */
  close: Close;
}

/** A verb. */
export type Verb = keyof Controls;

/** What a control line says, of one verb or of any. */
export type Control<V extends Verb = Verb> = {
  [V1 in V]: {
    readonly verb: V1;
    /** Greater than in the control line that its signer said before: none can be said again by somebody else. */
    readonly count: number;
  } & Controls[V1];
}[V];

/** A control line. */
export interface ControlLine {
  /** What it says. */
  readonly control: Control;
  /** Verb, a space and JSON: what is signed. */
  readonly said: string;
  /** The signer's, 64 bytes. */
  readonly signature: Bytes;
  /** The invite's for a `join`, 64 bytes; else undefined. */
  readonly inviteSignature: Bytes | undefined;
  /** The whole text. */
  readonly text: string;
}

type Check = (value: unknown) => boolean;

const isEnd: Check = (value) =>
  value === null || isCount(value) && value <= MAX_TIME;
const isDigest = matches(/^[\w-]{42}[AEIMQUYcgkosw048]$/);
const isName = matches(/^.{1,256}$/su);
const isBack = matches(/^[\w-]{64}$/);
const areIds: Check = (value) =>
  Array.isArray(value) && value.every((id) => isDigest(id)) &&
  new Set(value).size === value.length;

/** The fields of each verb, in the order in which they stand in a line. */
const FIELDS: { readonly [V in Verb]: Readonly<Record<string, Check>> } = {
  found: { random: isDigest, card: isCard, name: isName, commit: isDigest },
  invite: {
    invite: isCount,
    card: isCard,
    uses: isCount,
    until: isEnd,
  },
  join: { invite: isCount, card: isCard, name: isName },
  rename: { name: isName },
  keys: {
    e: isCount,
    prev: isDigest,
    seen: isCount,
    digest: isDigest,
    commit: isDigest,
    back: isBack,
    backTo: isCount,
    made: areIds,
    removed: areIds,
    barred: areIds,
    freed: areIds,
  },
  close: { invite: isCount },
};

const encoder = new TextEncoder();
const whole =
  /^(?<said>(?<verb>[a-z]+) (?<json>\{.*\})) (?<signature>[\w-]{85}[AQgw])(?: (?<other>[\w-]{85}[AQgw]))?$/u;

/** The control line that a text is; undefined for any other text. Its signatures are for `verifyControl`. */
export function parseControl(text: string): ControlLine | undefined {
  if (text.length > MAX_ENTRY_LENGTH) return undefined;
  const groups = whole.exec(text)?.groups;
  const { said = "", verb = "", json = "", signature = "" } = groups ?? {};
  if (!Object.hasOwn(FIELDS, verb)) return undefined;
  const control = parseFields(verb as Verb, json);
  const other = groups?.["other"];
  if (!control || (verb === "join") !== (other !== undefined)) return undefined;
  const inviteSignature = other === undefined ? other : fromBase64url(other);
  const own = fromBase64url(signature);
  return { control, said, signature: own, inviteSignature, text };
}

/** What the JSON of a verb says; undefined unless it is written exactly as `formatSaid` does. */
function parseFields(verb: Verb, json: string): Control | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isCount(value["count"])) return undefined;
  const fields = Object.entries(FIELDS[verb]);
  if (!fields.every(([name, check]) => check(value[name]))) return undefined;
  const control = { ...value, verb } as unknown as Control;
  if (formatSaid(control) !== `${verb} ${json}`) return undefined;
  return isNamingFew(control) ? control : undefined;
}

/** Whether a `keys` line names no more ids than it may. */
function isNamingFew(control: Control): boolean {
  if (control.verb !== "keys") return true;
  const { made, removed, barred, freed } = control;
  const named = [made, removed, barred, freed].flat();
  return named.length <= MAX_NAMED;
}

/** Verb, a space and the fields as JSON. */
function formatSaid(control: Control): string {
  const { verb } = control;
  const values = control as unknown as Record<string, unknown>;
  const names = ["count", ...Object.keys(FIELDS[verb])];
  const fields = Object.fromEntries(names.map((name) => [name, values[name]]));
  return `${verb} ${JSON.stringify(fields)}`;
}

/** What a control line's signature covers. @param room The room's id, 32 bytes. */
function signed(label: string, room: Bytes, said: string): Bytes {
  return labelled(label, room, encoder.encode(said));
}

/**
 * A control line, signed.
 * @param room The room's id, 32 bytes. @param invite The invite's keys, for a `join` alone.
 * @throws {RangeError} for one that nobody would take: a field is wrong, or it names more than `MAX_NAMED` ids.
 */
export async function signControl(
  control: Control,
  room: Bytes,
  signing: Pick<SigningKeyPair, "privateKey">,
  invite?: Pick<SigningKeyPair, "privateKey">,
): Promise<string> {
  const said = formatSaid(control);
  const own = await sign(signing, signed("rule", room, said));
  const parts = [said, toBase64url(own)];
  if (invite) {
    const bytes = signed("admission", room, said);
    parts.push(toBase64url(await sign(invite, bytes)));
  }
  const text = parts.join(" ");
  if (parseControl(text)) return text;
  throw new RangeError(
    `Cannot sign a control line "${control.verb}": a field is wrong`,
  );
}

/**
 * Whether a control line is signed by the owner of a key, and a `join` also by the invite's.
 * @param room The room's id, 32 bytes. @param verifyKey 32 bytes. @param inviteKey 32 bytes; for a `join` alone.
 */
export async function verifyControl(
  { said, signature, inviteSignature }: ControlLine,
  room: Bytes,
  verifyKey: Bytes,
  inviteKey?: Bytes,
): Promise<boolean> {
  if ((inviteKey === undefined) !== (inviteSignature === undefined)) {
    return false;
  }
  const check = (label: string, key: Bytes, by: Bytes) =>
    isBy(key, by, signed(label, room, said));
  const checks = [check("rule", verifyKey, signature)];
  if (inviteKey && inviteSignature) {
    checks.push(check("admission", inviteKey, inviteSignature));
  }
  return (await Promise.all(checks)).every((isRight) => isRight);
}

async function isBy(
  verifyKey: Bytes,
  signature: Bytes,
  bytes: Bytes,
): Promise<boolean> {
  try {
    return await verify(await importVerifyKey(verifyKey), signature, bytes);
  } catch (error) {
    if (error instanceof RangeError) return false; // a key of small order
    throw error;
  }
}

/** The id of a room, 32 bytes. @param random 32 bytes, base64url. @param founder The founder's id, 32 bytes. */
export function roomId(random: string, founder: Bytes): Bytes {
  return labelledDigest("room", fromBase64url(random), copyOf(founder));
}

/** What a `keys` line names as the `found` or `keys` line before it: 32 bytes in base64url. */
export function keysDigest(text: string): string {
  return toBase64url(labelledDigest("keys", encoder.encode(text)));
}
