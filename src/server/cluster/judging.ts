/**
 * What an entry of the stream is: one that counts, or one that is void for everybody. Every server judges it alike, by what
 * it has carried out before it.
 *
 * A conditional entry holds something that may be refused. Its proposer has looked whether it can be, as things were after
 * the last entry of that kind that it had carried out, its base. If another came first, it is void for all, and is proposed
 * again. Bans, invites and links need no base, but are one: nobody comes in by what was true before them.
 *
 * @module
 */

import { AdvisedError } from "../../base/advised_error.ts";
import type { Item } from "../batch.ts";
import { EntryError, type Proposal } from "./entry.ts";
import { decodeItem, type ItemContext } from "./items.ts";
import type { ServerRecord } from "./roster_record.ts";

/** A proposal that has come out of the stream. */
export interface Proposed {
  /** The id of its server. */
  readonly server: string;
  /** Its number among the entries of its server. */
  readonly k: number;
  /** What it says. */
  readonly content: Proposal;
}

/** What was carried out before it. */
export interface Before {
  /** The id of the stream. */
  readonly stream: string;
  /** The place of the last entry that is a base. */
  readonly base: number;
  /** The servers that are in the room, by id. */
  readonly servers: ReadonlyMap<string, ServerRecord>;
}

/** What an entry is. */
export type Verdict =
  /** It happens. `isBase`: what was tried before it has to be tried again. */
  | { readonly kind: "counts"; readonly isBase: boolean }
  | Uncounted;

/** What an entry is that doesn't count. */
export type Uncounted =
  /** Somebody has kept it, and adds it again. */
  | { readonly kind: "repeated"; readonly why: string }
  /** Something else was decided first, or its server isn't in the room. Its server waits for its turn, as one or the other. */
  | { readonly kind: "void"; readonly waits: "comer" | "decider" | undefined };

/** What an entry is, at its place. */
export function judge(
  { server, k, content }: Proposed,
  { stream, base, servers }: Before,
): Verdict {
  const known = servers.get(server);
  if (known && k <= known.k) {
    return { kind: "repeated", why: "it comes again" };
  }
  // There, places and who is in the room may be the same once more.
  if (content.stream !== stream) {
    return { kind: "repeated", why: "it is of an earlier stream" };
  }
  const isDecided = content.base !== null;
  if (!known && !content.items.some(isServer)) {
    return { kind: "void", waits: undefined };
  }
  if (isDecided && content.base !== base) {
    return { kind: "void", waits: known ? "decider" : "comer" };
  }
  return {
    kind: "counts",
    isBase: isDecided || content.items.some(isLimit),
  };
}

/** Whether items make an entry conditional: one of them may be refused, or must be the first of its server. */
export function isConditional(items: readonly Item[]): boolean {
  return items.some(({ kind }) => CONDITIONAL.has(kind));
}

const CONDITIONAL: ReadonlySet<string> = new Set<Item["kind"]>([
  "join",
  "rename",
  "release",
  "rule",
  "server",
  "gone", // of one that may have come back
]);

function isServer(item: unknown): boolean {
  return Array.isArray(item) && item[0] === "server";
}

/** Whether an item may take away by what somebody comes in: what was tried before it has to be tried again. */
function isLimit(item: unknown): boolean {
  return Array.isArray(item) && (item[0] === "people" || item[0] === "link");
}

/**
 * What happens by an entry that counts. @param place Its place, for people.
 * @throws {AdvisedError} where it says what this server doesn't understand.
 */
export function itemsOf(
  place: number,
  { items }: Proposal,
  context: ItemContext,
): Item[] {
  try {
    return items.flatMap((it) => decodeItem(it, context) ?? []);
  } catch (error) {
    if (!(error instanceof EntryError)) throw error;
    // It is new, and happens at the others: without it, this log would be another one from here on.
    throw new AdvisedError(
      `Cannot go on in the room: entry ${place} of the stream says what this server doesn't understand`,
      "Another server is of a newer version: start this one with that version",
    );
  }
}
