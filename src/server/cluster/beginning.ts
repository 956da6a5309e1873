/**
 * What a server does when it comes to the stream, at its start and whenever it was away from it: goes on, takes over what
 * it lacks, or begins the stream anew where the stream has lost what the logs have.
 *
 * | the stream has                        | other servers               | this server                                           |
 * | ------------------------------------- | --------------------------- | ----------------------------------------------------- |
 * | its place, the entry there is the same |                            | goes on after it                                      |
 * | no longer what comes after its place  | one is in the stream        | takes over what it lacks from that one                |
 * |                                       | none                        | waits for one: it would leave out lines that they have |
 * | something else, less, or nothing      | one is in another beginning | goes on after it, or takes over what it lacks         |
 * |                                       | all have lost it as well    | begins it, if its log is the longest; else waits      |
 * | nothing, and it was never in it       | one is in the stream        | takes all over from that one                          |
 * |                                       | none                        | begins it, if its log is the longest                  |
 * | entries, and it was never in it       | one is in the stream        | takes all over from that one                          |
 * |                                       | none                        | waits for one                                         |
 *
 * Here is what is decided; standing.ts asks and does it.
 *
 * @module
 */

import type { StreamPlace } from "./entry.ts";
import type { Position } from "./position.ts";
import type { StreamState } from "./wire.ts";

/** What this server has. */
export interface Own {
  /** Its id. */
  readonly id: string;
  /** How far it is; undefined if it was never in the stream. */
  readonly place: Omit<Position, "roster"> | undefined;
  /** The number of its log's last line. */
  readonly head: number;
}

/** What the stream has. */
export interface Found {
  /** What it holds. */
  readonly state: StreamState;
  /** The digest of the entry at this server's place; undefined where it has none. */
  readonly digest: string | undefined;
}

/** What another server says that it has. */
export interface Other {
  /** Its id. */
  readonly id: string;
  /** Whether it is in the stream, and so can give its state. */
  readonly isSettled: boolean;
  /** The id of its stream; "" if it was never in one. */
  readonly stream: string;
  /** The place of that one's beginning. */
  readonly begun: number;
  /** Its place there. */
  readonly place: number;
  /** The number of its log's last line. */
  readonly head: number;
}

/** What a server does. */
export type Decision =
  /** Follows the stream from there. */
  | { readonly kind: "go-on"; readonly from: number }
  /** Takes over what it lacks, and says why. */
  | { readonly kind: "catch-up"; readonly of: string; readonly why: string }
  /** Goes on after the beginning of that stream, if it has carried out all before; else takes over what it lacks. */
  | {
    readonly kind: "join";
    readonly of: string;
    readonly stream: string;
    readonly begun: number;
    readonly why: string;
  }
  /** Begins the stream at that place. */
  | { readonly kind: "begin"; readonly place: number; readonly why: string }
  /** Waits until that server has begun the stream, at that place or after it. */
  | {
    readonly kind: "await";
    readonly of: string;
    readonly place: number;
    readonly why: string;
  }
  /** Waits for a server that is in the stream. */
  | { readonly kind: "wait"; readonly why: string };

/** How a server's place stands to the stream. */
type Standing = "new" | "here" | "behind" | "lost";

function standingOf(place: Own["place"], { state, digest }: Found): Standing {
  if (!place) return "new";
  if (digest === place.digest) return "here";
  const isSame = digest === undefined && state.made === place.made &&
    state.last >= place.place;
  if (!isSame) return "lost";
  // The entry itself may be gone, as old ones go.
  return state.first <= place.place + 1 ? "here" : "behind";
}

/** Whether this server need not ask others what they have. */
export function isHere(place: Own["place"], found: Found): boolean {
  return standingOf(place, found) === "here";
}

/** Whether what another server has is enough for this one to go on, whatever the rest have. */
export function helps(
  place: Own["place"],
  found: Found,
  other: Other,
): boolean {
  const standing = standingOf(place, found);
  // Who is in the same stream that is lost here has not noticed yet, or has not come as far.
  return other.isSettled &&
    (standing !== "lost" || other.stream !== place?.stream);
}

/** What a server does. @param others All that have answered. */
export function decide(
  own: Own,
  found: Found,
  others: readonly Other[],
): Decision {
  const { place } = own;
  const { state } = found;
  const next = (place?.place ?? 0) + 1;
  const settled = best(others.filter((it) => helps(place, found, it)));
  switch (standingOf(place, found)) {
    case "here":
      return { kind: "go-on", from: next };
    case "behind": {
      const why = `The stream no longer has entries ${next} to ${
        state.first - 1
      }, which this server lacks`;
      return settled
        ? { kind: "catch-up", of: settled.id, why }
        : { kind: "wait", why };
    }
    case "new": {
      const why = own.head === 0
        ? "This server is new in the room"
        : "This server's log was never in the stream, or its chat.cluster is lost";
      if (settled) return { kind: "catch-up", of: settled.id, why };
      const isEmpty = state.last < state.first;
      return isEmpty
        ? anew(own, found, others, "The stream is empty")
        : { kind: "wait", why };
    }
    case "lost": {
      const why = lossOf(place, found);
      if (!settled) return anew(own, found, others, why);
      const { id: of, stream, begun } = settled;
      return { kind: "join", of, stream, begun, why };
    }
  }
}

function lossOf(place: Own["place"], { state, digest }: Found): string {
  const { place: last = 0 } = place ?? {};
  if (state.last < state.first) {
    return "The stream is empty: it was emptied or made anew";
  }
  if (digest === undefined) {
    return state.last < last
      ? `The stream ends with entry ${state.last}, and this server has carried out entry ${last}: an older one was put back`
      : `The stream begins with entry ${state.first}, and isn't the one whose entry ${last} this server has carried out: it was made anew`;
  }
  return `Entry ${last} of the stream isn't the one that this server has carried out: the stream was made anew`;
}

/** The one that has come furthest. */
function best(others: readonly Other[]): Other | undefined {
  return others.toSorted((a, b) => b.place - a.place || compare(a.id, b.id))[0];
}

/** What of a server says whether it begins the stream. */
type Logged = Pick<Other, "id" | "stream" | "place" | "head">;

/** The stream begins anew with the longest log. */
function anew(
  { id, place, head }: Own,
  { state }: Found,
  others: readonly Other[],
  why: string,
): Decision {
  const { stream = "", place: last = 0 } = place ?? {};
  const own: Logged = { id, stream, place: last, head };
  const [first = own] = [own, ...others].toSorted(byLog);
  const at = state.last + 1;
  return first === own
    ? { kind: "begin", place: at, why }
    : { kind: "await", of: first.id, place: at, why };
}

/** The longest log first; of several the one that has carried out most, then the smallest id. */
function byLog(a: Logged, b: Logged): number {
  return b.head - a.head ||
    Number(b.stream !== "") - Number(a.stream !== "") ||
    (a.stream === b.stream ? b.place - a.place : 0) ||
    compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a beginning is to a server. */
export type Meeting =
  /** It has all that came before: it goes on. */
  | "go-on"
  /** It lacks something. */
  | "catch-up"
  /** Its log is longer: it has lines that the room lacks. */
  | "longer"
  /** Its log has other lines. */
  | "other";

/**
 * What a server does when the stream begins anew.
 * @param agrees Whether its log has the same value of the chain where the shorter of the two logs ends; undefined where it
 * can't be told, since its own is the shorter.
 */
export function meet(
  beginning: {
    readonly head: number;
    readonly after: StreamPlace | null;
    readonly isOwn: boolean;
  },
  { place, head }: Pick<Own, "place" | "head">,
  agrees: boolean | undefined,
): Meeting {
  if (agrees === false) return "other";
  if (head > beginning.head) return "longer";
  if (head < beginning.head) return "catch-up";
  const { after, isOwn } = beginning;
  const isSame = after !== null && place?.stream === after.stream &&
    place.place === after.place && place.digest === after.digest;
  return isOwn || isSame ? "go-on" : "catch-up";
}
