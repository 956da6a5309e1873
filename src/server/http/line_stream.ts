/**
 * The room's lines as a stream of events for a program (server-sent events, as the HTML standard has them): each with its
 * number, its kind and the JSON object that `client --json` prints for it. The log is what is read, no faster than the
 * program reads: for one that is behind nothing is kept but the number that it is at, the few lines that it is being told,
 * and what these may quote.
 *
 *     id: 42
 *     event: said
 *     data: {"v":1,"type":"said","seq":42,…}
 *
 * @module
 */

import type { LogEntry } from "../../protocol/line.ts";
import {
  jsonObject,
  lineFields,
  type ToldLine,
} from "../../protocol/told_line.ts";
import type { HttpGuest } from "./http_guest.ts";
import type { HttpRoom } from "./http_room.ts";
import { Quotes } from "./quotes.ts";
import type { Speaker } from "./speaker.ts";

/** A comment is sent when nothing else was for so long, ms: it shows that both are still there. */
const HEARTBEAT = 20_000;
const COMMENT = ":\n\n";

/** Where a stream begins, and for how long it goes on. */
export interface StreamOptions {
  /** The number after which it begins; null: with what happens from now on. */
  readonly after: number | null;
  /** Whether it ends; asked once a second, and with each line. */
  readonly isOver: () => boolean;
  /** The time, ms. Default: `performance.now`. */
  readonly now?: () => number;
}

/**
 * The lines that a person may read, from a number on, as text; ends with its place in the room.
 * @throws {LogError} if the log can't be read.
 */
export async function* lineStream(
  room: HttpRoom,
  speaker: Speaker,
  guest: HttpGuest,
  { after, isOver, now = () => performance.now() }: StreamOptions,
): AsyncGenerator<string> {
  const { history, people: { persons } } = room.options;
  const from = Math.min(
    persons.byShort(speaker.person)?.from ?? 0,
    history.head,
  );
  const start = history.head; // what was before is past, and read as members read the past
  let at = after === null ? start : await history.start(after, from);
  const teller = new Teller(speaker.person, start);
  for await (const entries of room.lines(Math.max(from, history.oldest), at)) {
    for (const entry of entries) teller.quotes.add(entry);
  }
  let toldAt = now();
  yield COMMENT; // or some wait for the first byte
  if (at < start) await speaker.payFor(0, guest, isOver); // what others of its name have read
  while (!guest.ended && !isOver()) {
    const changed = guest.changed(); // before the look: what comes while lines are told isn't missed
    const { head } = history;
    for await (const entries of room.lines(at, head)) {
      yield entries.map((entry) => teller.tell(entry)).join("");
      toldAt = now();
      const past = entries.filter(({ seq }) => seq <= start).length;
      if (past > 0) await speaker.payFor(past, guest, isOver);
      if (guest.ended || isOver()) return;
    }
    at = head; // lines that aren't ours have numbers, too
    await changed;
    if (now() - toldAt < HEARTBEAT) continue;
    toldAt = now();
    yield COMMENT;
  }
}

/** Tells lines one after the other; what is about another quotes it as it was just before. */
class Teller {
  /** What lines may be about that come. */
  readonly quotes = new Quotes();
  readonly #person: string;
  readonly #start: number;

  /** @param person The reader's short id. @param start The last line that is past to it. */
  constructor(person: string, start: number) {
    this.#person = person;
    this.#start = start;
  }

  /** A line as an event. */
  tell(line: LogEntry): string {
    const { seq, at, what: type, to, name, person, text } = line;
    const about = to === null ? undefined : this.quotes.find(to);
    const own = person === this.#person;
    const past = seq <= this.#start;
    const told: ToldLine = {
      ...{ type, seq, at, to, name, person, text, own, past },
      ...(about ? { quoted: about } : {}),
    };
    this.quotes.add(line);
    const data = jsonObject(type, lineFields(told));
    return `id: ${seq}\nevent: ${type}\ndata: ${data}\n\n`;
  }
}
