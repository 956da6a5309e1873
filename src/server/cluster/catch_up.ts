/**
 * How a server gets from another one what it lacks: the lines of the log, if its own are a part of them, and then the
 * state of the room at one place of the stream. Nothing of it is changed before that is known, and how far the server is
 * is written down last: where it is stopped in between, it begins again.
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  fromBase64url,
} from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import { parseEntry } from "../../log/line_format.ts";
import type { LogEntry } from "../../protocol/line.ts";
import type { Position } from "./position.ts";
import type { SeatRecord } from "./roster_record.ts";
import type { Message, Siblings } from "./siblings.ts";
import type {
  Between,
  LinesPiece,
  RoomParts,
  StateHead,
  StatePiece,
  StateRecord,
} from "./state.ts";

/** How long an answer is waited for, ms, and how often the same is asked. */
const ANSWER_TIME = 6_000;
const ATTEMPTS = 3;
/** How often the chain's value is asked for of a log that is still counted: each takes some seconds. */
const VALUE_ATTEMPTS = 60;
/** Lines that are appended at once. */
const APPENDED = 1_024;

const ADVICE =
  "Nothing was changed. To take part, move the log and the files beside it away, all but the key file, and start again: the server gets them from another one";

/** The other server doesn't answer any more. */
export class SilentError extends Error {
  /** "SilentError". */
  override readonly name = "SilentError";
}

/** Another server, to be asked. */
class Source {
  readonly #siblings: Siblings;
  readonly #id: string;

  constructor(siblings: Siblings, id: string) {
    this.#siblings = siblings;
    this.#id = id;
  }

  async #ask(topic: string, message: Message): Promise<Message> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const answer = await this.#siblings.ask(topic, message, {
        time: ANSWER_TIME,
        to: this.#id,
      });
      if (answer) return answer.message;
    }
    throw new SilentError(`Cannot catch up: another server doesn't answer`);
  }

  async state(): Promise<StateHead & StatePiece> {
    const message = await this.#ask("state", {});
    return message as unknown as StateHead & StatePiece; // sealed: it comes from a server of the room
  }

  async rest(id: string, from: number): Promise<StatePiece> {
    return await this.#ask("state", { id, from }) as unknown as StatePiece;
  }

  async lines(after: number, upTo: number): Promise<LinesPiece> {
    return await this.#ask("lines", { after, upTo }) as unknown as LinesPiece;
  }

  /** The chain's value for a line, 32 bytes; undefined where it isn't there any more. */
  async valueAt(seq: number): Promise<Bytes | undefined> {
    for (let attempt = 0; attempt < VALUE_ATTEMPTS; attempt++) {
      const { first, value } = await this.lines(seq, seq);
      if (first > seq) return undefined;
      if (value !== "") return fromBase64url(value);
    }
    throw new SilentError("Cannot catch up: another server counts its log");
  }
}

/** The chain's value for a line of a log, which may have to be counted first, 32 bytes. @throws {AdvisedError} if it isn't there. */
export async function valueAt(log: ChatLog, seq: number): Promise<Bytes> {
  for (let attempt = 0; attempt < VALUE_ATTEMPTS; attempt++) {
    const value = await log.chainAt(seq);
    if (value) return value;
  }
  throw new AdvisedError(
    `Cannot tell whether the log is the room's: it can't be read up to event ${seq}`,
    "Look whether older files of the log are missing, and put them back",
  );
}

/**
 * Takes over from another server the lines that the log lacks up to a number, as far as that one has them.
 * @throws {AdvisedError} if the log isn't a part of the other one. @throws {SilentError} | {LogError}
 */
export async function takeLines(
  siblings: Siblings,
  log: ChatLog,
  between: Between,
  of: string,
  upTo: number,
): Promise<void> {
  const source = new Source(siblings, of);
  await requirePart(source, log, upTo);
  await copyLines(source, log, between, upTo);
}

/**
 * Looks whether a log has the same lines as another server's, up to a number.
 * @throws {AdvisedError} which names the first that isn't. @throws {SilentError}
 */
export async function requireSameLines(
  siblings: Siblings,
  log: ChatLog,
  of: string,
  upTo: number,
): Promise<void> {
  await requirePart(new Source(siblings, of), log, upTo);
}

/**
 * Takes over all that another server has of the room.
 * @returns Where this server is now. @throws as `takeLines`, and {FileError} where a file can't be written.
 */
export async function catchUp(
  siblings: Siblings,
  parts: RoomParts,
  between: Between,
  of: string,
): Promise<Position> {
  const { log } = parts;
  const source = new Source(siblings, of);
  const state = await source.state();
  const { position } = state;
  requireKind(parts, position.sealed);
  await requirePart(source, log, position.head);
  const { stream = position.stream } = parts.position.place ?? {};
  // In the same stream, the other server may just be slower: what is there is compared with what comes.
  if (stream !== position.stream && log.head > position.head) {
    throw longerLog(position.head, log.head);
  }
  await copyLines(source, log, between, position.head);
  await requireSame(source, log, position.head);
  const records = await recordsOf(source, state);
  const taken = placeOf(position, records, parts.position.place?.own ?? "");
  await between(() =>
    takeOver(parts, records, fromBase64url(state.link), taken)
  );
  return taken;
}

async function recordsOf(
  source: Source,
  { id, records, next }: StateHead & StatePiece,
): Promise<StateRecord[]> {
  const all = [...records];
  while (next !== null) {
    const piece = await source.rest(id, next);
    for (const it of piece.records) all.push(it);
    next = piece.next;
  }
  return all;
}

function placeOf(
  position: Position,
  records: readonly StateRecord[],
  own: string,
): Position {
  const seats: SeatRecord[] = [];
  for (const { of, it } of records) if (of === "seat") seats.push(it);
  return { ...position, own, roster: { ...position.roster, seats } };
}

async function takeOver(
  { people, mailbox, sealed, link, position }: RoomParts,
  records: readonly StateRecord[],
  secret: Bytes,
  taken: Position,
): Promise<void> {
  await sealed?.takeOver(
    records.flatMap((it) => it.of === "sealed" ? [it.it] : []),
  );
  await people.takeOver(
    records.flatMap((it) => it.of === "people" ? [it.it] : []),
  );
  await mailbox.takeOver(
    records.flatMap((it) => it.of === "mailbox" ? [it.it] : []),
  );
  if (!equalBytes(link.secret, secret)) link.take(secret);
  position.replace(taken);
}

/** Looks whether a log is a part of another one, or goes on from it. @param head Of the other one. */
async function requirePart(
  source: Source,
  log: ChatLog,
  head: number,
): Promise<void> {
  const common = Math.min(log.head, head);
  const [start] = log.start;
  if (log.head === 0) return; // nothing to compare
  const theirs = await source.valueAt(common);
  if (!theirs) {
    throw new AdvisedError(
      `Cannot take part in the room: the log here ends with event ${log.head}, and no other server has what comes next any more`,
      ADVICE,
    );
  }
  if (equalBytes(theirs, await valueAt(log, common))) return;
  const { first } = await source.lines(start, start);
  throw otherLog(
    await firstOther(source, log, Math.max(start, first), common),
  );
}

async function requireSame(
  source: Source,
  log: ChatLog,
  seq: number,
): Promise<void> {
  const theirs = await source.valueAt(seq);
  if (theirs && equalBytes(theirs, await valueAt(log, seq))) return;
  const [start] = log.start;
  throw otherLog(await firstOther(source, log, start, seq));
}

/** The number of the first line that is another one. @param start It is after that. @param end It is there, or before. */
async function firstOther(
  source: Source,
  log: ChatLog,
  start: number,
  end: number,
): Promise<number> {
  let [low, high] = [start, end];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const theirs = await source.valueAt(middle);
    const isSame = theirs && equalBytes(theirs, await valueAt(log, middle));
    if (isSame) low = middle;
    else high = middle;
  }
  return high;
}

/** Looks whether this server was started for the kind of room that it is. @throws {AdvisedError} if not. */
export function requireKind(
  { sealed }: Pick<RoomParts, "sealed">,
  isSealed: boolean,
): void {
  if (isSealed === (sealed !== undefined)) return;
  throw new AdvisedError(
    `Cannot take part in the room: it is ${
      isSealed ? "a sealed" : "an open"
    } one, and this server was started for ${
      isSealed ? "an open" : "a sealed"
    } one`,
    isSealed
      ? "Start it with --sealed"
      : "Start it without --sealed, or with another --key-file, for another room",
  );
}

/** What is said of a log that isn't the room's. @param seq The first of its events that isn't. */
export function otherLog(seq: number): AdvisedError {
  return new AdvisedError(
    `Cannot take part in the room: event ${seq} of the log here isn't the one that the room has`,
    ADVICE,
  );
}

/**
 * What is said of a log that goes on where the room does not.
 * @param head The number of the last event that the room has. @param last Of the log.
 */
export function longerLog(head: number, last: number): AdvisedError {
  const lines = last === head + 1
    ? `event ${last}`
    : `events ${head + 1} to ${last}`;
  return new AdvisedError(
    `Cannot take part in the room: the log here has ${lines}, and the room goes on without, after event ${head}`,
    ADVICE,
  );
}

/** Appends what a log lacks of another one, up to a number. */
async function copyLines(
  source: Source,
  log: ChatLog,
  between: Between,
  upTo: number,
): Promise<void> {
  if (log.head === 0 && upTo > 0) await beginWhereTheyDo(source, log);
  while (log.head < upTo) {
    const { head } = log;
    const piece = await source.lines(head, upTo);
    if (piece.first > head || piece.last <= head) {
      throw new SilentError(
        `Cannot catch up: another server lacks event ${head + 1}`,
      );
    }
    const entries = entriesOf(piece, head);
    for (let at = 0; at < entries.length; at += APPENDED) {
      const some = entries.slice(at, at + APPENDED);
      await between(() => log.appendFrom(head + 1 + at, some));
    }
  }
}

/** An empty log begins where the other one does, of which older files may be deleted. */
async function beginWhereTheyDo(source: Source, log: ChatLog): Promise<void> {
  const { first } = await source.lines(log.start[0], log.start[0]);
  if (first <= log.head) return;
  const value = await source.valueAt(first);
  if (value) await log.startAfter(first, value);
}

/** The lines after a number, each at its place; null for one that isn't ours. */
function entriesOf(
  { lines, last }: LinesPiece,
  head: number,
): (LogEntry | null)[] {
  const entries = new Array<LogEntry | null>(last - head).fill(null);
  for (const [seq, line] of lines) {
    entries[seq - head - 1] = parseEntry(line, seq);
  }
  return entries;
}
