/**
 * Entries of the stream that the servers of a room share, sealed and signed: who runs the stream reads nothing, and what no
 * server of the room has made is recognised.
 *
 *     entry     envelope ‖ Ed25519 signature over L("entry", envelope)
 *
 * @module
 */

import {
  type Bytes,
  concat,
  copyOf,
  labelled,
  SIGNATURE_SIZE,
} from "../../../crypto_utils.ts";
import { sign, verify } from "../../crypto/ed25519.ts";
import { isCount, matches } from "../../protocol/events.ts";
import {
  EntryError,
  forged,
  openEnvelope,
  requireRoom,
  sealEnvelope,
} from "./envelope.ts";
import { type ClusterKeys, freshServerId, isServerId } from "./keys.ts";

export { EntryError, type EntryFault } from "./envelope.ts";

/** What a server asks to happen. */
export interface Proposal {
  /** Always so. */
  readonly kind: "proposal";
  /** The id of the stream that it is for, as its beginning has it: in another one it is void. */
  readonly stream: string;
  /** The place of the last entry on which decisions rest that its server had carried out, if it holds one; else null. */
  readonly base: number | null;
  /** As `encodeItem` makes them. */
  readonly items: readonly unknown[];
  /** The number of the last line in the log of a server that comes by it. */
  readonly head?: number;
  /** The chain's value for that line, base64url. */
  readonly chain?: string;
}

/** What a server had carried out last. */
export interface StreamPlace {
  /** Which beginning the stream had. */
  readonly stream: string;
  /** The entry's place in it. */
  readonly place: number;
  /** The entry's digest. */
  readonly digest: string;
}

/** A stream that is new, or was lost, begins after what a server's log has. */
export interface Beginning {
  /** Always so. */
  readonly kind: "beginning";
  /** Another one for each beginning. */
  readonly stream: string;
  /** At which place of the stream it has to stand; anywhere else it is void. */
  readonly place: number;
  /** Whether the room is a sealed one. */
  readonly sealed: boolean;
  /** The number of the last line that is in the room's log. */
  readonly head: number;
  /** The chain's value for that line, base64url; "" for an empty log. */
  readonly chain: string;
  /** After what its server goes on; null where there was no stream. */
  readonly after: StreamPlace | null;
  /** The id of the server that says so. */
  readonly by: string;
}

/** What an entry says. */
export type Content = Proposal | Beginning;

/** An entry, ready to be published, as often as it takes. */
export interface SealedEntry {
  /** Its number among those of its server. */
  readonly k: number;
  /** Tells it from all others of all rooms: for `Wire.publish`. */
  readonly id: string;
  /** What is published. */
  readonly data: Bytes;
}

/** An entry that counts. */
export interface OpenedEntry {
  /** The id of the server that has made it. */
  readonly server: string;
  /** Its number there, from 0 on. Who carries entries out knows the last of each server: one that isn't above is repeated. */
  readonly k: number;
  /** What it says. */
  readonly content: Content;
}

const encoder = new TextEncoder();

/** Seals what one server says, under its id. */
export class EntrySealer {
  readonly #keys: ClusterKeys;
  #k = 0;

  /** Seals under keys of a room. @param server A fresh id: no second sealer may have it, since a key would seal twice. */
  constructor(keys: ClusterKeys, readonly server: string = freshServerId()) {
    this.#keys = keys;
  }

  /** The next entry. To publish it once more, use what came of it: sealed again it is another one. */
  async seal(content: Content): Promise<SealedEntry> {
    const { server } = this;
    const k = this.#k++;
    const envelope = await sealEnvelope(
      this.#keys,
      { purpose: "entry", server, k },
      encoder.encode(JSON.stringify(content)),
    );
    const signature = await sign(
      this.#keys.signing,
      labelled("entry", envelope),
    );
    return { k, id: `${server}.${k}`, data: concat(envelope, signature) };
  }
}

/** Opens an entry of any server of the room. @throws {EntryError} for one that doesn't count. */
export async function openEntry(
  keys: ClusterKeys,
  data: Uint8Array,
): Promise<OpenedEntry> {
  requireRoom(keys, "entry", data);
  const envelope = data.subarray(0, -SIGNATURE_SIZE);
  const signature = copyOf(data.subarray(-SIGNATURE_SIZE));
  const signed = labelled("entry", envelope);
  // Both at once, each on a thread of its own: members wait for it.
  const [opened, isGenuine] = await Promise.allSettled([
    openEnvelope(keys, "entry", envelope),
    verify(keys.verifyKey, signature, signed),
  ]);
  if (isGenuine.status === "rejected") throw isGenuine.reason;
  if (!isGenuine.value) throw forged("entry");
  if (opened.status === "rejected") throw opened.reason;
  const { server, k, value } = opened.value;
  return { server, k, content: contentOf(value) };
}

const isStreamId = matches(/^[\w-]{1,64}$/);
const isValue = matches(/^(?:[\w-]{43})?$/);
const isDigest = matches(/^[\w-]{1,64}$/);

function contentOf(value: Readonly<Record<string, unknown>>): Content {
  if (isProposal(value)) return value as unknown as Proposal;
  if (isBeginning(value)) return value as unknown as Beginning;
  throw new EntryError("malformed", "it says nothing that this server knows");
}

function isProposal(
  { kind, stream, base, items, head, chain }: Readonly<Record<string, unknown>>,
): boolean {
  return kind === "proposal" && isStreamId(stream) && Array.isArray(items) &&
    (base === null || isCount(base)) &&
    (head === undefined || isCount(head)) &&
    (chain === undefined || isValue(chain));
}

function isBeginning(
  { kind, stream, place, sealed, head, chain, after, by }: Readonly<
    Record<string, unknown>
  >,
): boolean {
  return kind === "beginning" && isStreamId(stream) && isCount(place) &&
    typeof sealed === "boolean" &&
    isCount(head) && isValue(chain) && isServerId(by) &&
    (after === null || isStreamPlace(after));
}

function isStreamPlace(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { stream, place, digest } = value as Readonly<Record<string, unknown>>;
  return isStreamId(stream) && isCount(place) && isDigest(digest);
}
