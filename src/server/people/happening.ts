/**
 * What happens to the people of a room, and the line of `chat.people` that says so: a JSON object with a checksum.
 *
 *     {"kind":"name","person":"…","name":"ana","since":1764061567004,"sum":"9f86d081884c"}
 *
 * @module
 */

import { type Bytes, concat, sha256 } from "../../../crypto_utils.ts";

/** Something that happened. Ids of persons are full ones; times are ms since 1970. */
export type Happening =
  | {
    /** A person joined for the first time. */
    readonly kind: "person";
    readonly id: string;
    /** 1,344 bytes in base64url. */
    readonly card: string;
    /** The person may read what came after this event. */
    readonly from: number;
    /** By which invite it came. */
    readonly invite: number;
    readonly at: number;
  }
  | {
    /** A name is a person's. */
    readonly kind: "name";
    readonly person: string;
    readonly name: string;
    readonly since: number;
  }
  | {
    /** A name is nobody's any more. */
    readonly kind: "released";
    readonly name: string;
  }
  | {
    /** A person was there. */
    readonly kind: "there";
    readonly person: string;
    readonly at: number;
  }
  | {
    /** An invite was made. */
    readonly kind: "invite";
    readonly id: number;
    /** What it proves in a handshake, 32 bytes in base64url. */
    readonly key: string;
    readonly uses: number;
    /** When it ends; null: never. */
    readonly until: number | null;
    readonly note: string;
    /** The full id of who made it; empty: the server's owner. */
    readonly by: string;
    /** The words of a spoken code; empty: it is a link. */
    readonly code: string;
    readonly at: number;
  }
  | {
    /** A person came by an invite. */
    readonly kind: "used";
    readonly invite: number;
    readonly person: string;
  }
  | {
    /** An invite opens the room to nobody any more. */
    readonly kind: "revoked";
    readonly invite: number;
  }
  | {
    /** A person may not come in. */
    readonly kind: "banned";
    readonly person: string;
    /** Until when; null: for good. */
    readonly until: number | null;
    readonly by: string;
    readonly at: number;
  }
  | {
    /** It may again. */
    readonly kind: "unbanned";
    readonly person: string;
  }
  | {
    /** A person is an operator, or no longer. */
    readonly kind: "operator";
    readonly person: string;
    readonly is: boolean;
  }
  | {
    /** What the room has set: its topic, and the seconds between two messages of a member. */
    readonly kind: "room";
    readonly topic: string;
    readonly slow: number;
  };

/** A happening of one kind, or of some. */
export type HappeningOf<K extends Happening["kind"]> = Extract<
  Happening,
  { readonly kind: K }
>;

/** Hexadecimal digits of a line's checksum. */
const SUM_LENGTH = 12;
const SUM = new RegExp(`^(.*),"sum":"([0-9a-f]{${SUM_LENGTH}})"\\}$`, "s");
/** What only the end of a line has. */
const ENDED = /"sum":"[0-9a-f]*"\}/;
/** What ends a line. */
export const LF = 0x0a;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

function sumOf(bytes: Uint8Array): string {
  return sha256(bytes).toHex().slice(0, SUM_LENGTH);
}

/** A line with its line break, UTF-8. */
export function formatHappening(happening: Happening): Bytes {
  const text = encoder.encode(JSON.stringify(happening).slice(0, -1));
  return concat(text, encoder.encode(`,"sum":"${sumOf(text)}"}\n`));
}

/** What a line without its line break says; undefined for one that is damaged. */
export function parseHappening(line: string): Happening | undefined {
  const [, text, sum] = SUM.exec(line) ?? [];
  if (text === undefined) return undefined;
  if (sumOf(encoder.encode(text)) !== sum) return undefined;
  return JSON.parse(`${text}}`); // whole, so it is one that `formatHappening` made
}

/** What lines say, each of which has its line break, UTF-8; undefined for one that is damaged. */
export function* parseLines(
  bytes: Uint8Array,
): Generator<Happening | undefined> {
  let start = 0;
  for (let end; (end = bytes.indexOf(LF, start)) >= 0; start = end + 1) {
    yield parseBytes(bytes.subarray(start, end));
  }
}

function parseBytes(line: Uint8Array): Happening | undefined {
  try {
    return parseHappening(decoder.decode(line));
  } catch {
    return undefined; // not UTF-8
  }
}

/** Whether what follows the last line break is neither a line nor what a crash left of one. */
export function isDamagedEnd(rest: string): boolean {
  return !parseHappening(rest) && ENDED.test(rest);
}
