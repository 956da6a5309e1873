/**
 * The rows of a room, as its news make them.
 *
 * What was before the client came in, or came back, is told line by line after `entered`. It becomes rows all at once,
 * when something else is told: only then it is known how much it is.
 *
 * @module
 */

import type { Activity } from "../client/activity.ts";
import {
  backSentence,
  type NewsOf,
  welcomeSentence,
} from "../client/sentences.ts";
import type { RoomNews } from "../client/view.ts";
import { isSent } from "../protocol/line.ts";
import { lineSentence } from "../protocol/told_line.ts";
import { warningSentence } from "../sealed/warnings.ts";
import type { Mentions } from "./mentions.ts";
import type { PendingLines } from "./pending_lines.ts";
import type { Reading } from "./reading.ts";
import { changeMessage } from "./row_changes.ts";
import { RowStore } from "./row_store.ts";
import {
  isMessage,
  type KeptRow,
  letterOf,
  type Message,
  messageOf,
  type Note,
  type Tone,
} from "./rows.ts";

/** Rows that are kept while the reader is at the end, and while it isn't: what is read doesn't go away. */
const MAX_ROWS = 20_000;
const MAX_ROWS_READING = 100_000;

/** What rows are made with. */
export interface RoomRowsOptions {
  /** Who took part lately. */
  readonly activity: Activity;
  /** Where this person is meant. */
  readonly mentions: Mentions;
  /** What was said here and isn't in the log yet. */
  readonly pending: PendingLines;
  /** What this person has read. */
  readonly reading: Reading;
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** The number of the line up to which this person has read in earlier visits. */
  readonly readUpTo: number;
}

/** What was before the client was in, until all of it has come. */
interface Arrival {
  readonly news: NewsOf<"entered">;
  readonly lines: RoomNews[];
  /** What stood there already. */
  readonly notes: readonly KeptRow[];
}

/** The rows. */
export class RoomRows {
  readonly #options: RoomRowsOptions;
  readonly #store = new RowStore();
  #arrival: Arrival | undefined;
  #first = 0; // the number of the first line that was told, shown or not; 0: none was
  #last = 0; // that of the last
  #isWhole = false; // whether there are no lines before the first
  #nextKey = 1;

  /** None yet. */
  constructor(options: RoomRowsOptions) {
    this.#options = options;
  }

  /** All of them, in order. */
  get all(): readonly KeptRow[] {
    return this.#store.rows;
  }

  /** The message of a number, as it is by now, if it is known here. */
  message(seq: number): Message | undefined {
    return this.#store.message(seq);
  }

  /** The number of the first line that is known: older ones are those before it. 0: none is known. */
  get first(): number {
    return this.#first;
  }

  /** The number of the last line that was told; 0: none was. */
  get last(): number {
    return this.#last;
  }

  /** Whether the server may have older lines than the first. */
  get hasOlder(): boolean {
    return this.#first > 1 && !this.#isWhole;
  }

  /** Takes the oldest away where there are too many. */
  trim(): void {
    const { isLooking } = this.#options.reading;
    const most = isLooking ? MAX_ROWS : MAX_ROWS_READING;
    if (this.#store.rows.length <= most) return;
    this.#store.keepLast(MAX_ROWS);
    this.#first = this.#store.first ?? this.#last + 1;
    this.#isWhole = false;
  }

  // ── What is told ─────────────────────────────────────────────────────────────────────────────────────

  /** A line of the room. @param isShown Whether its person isn't ignored. */
  line(news: RoomNews, isShown: boolean): void {
    this.#reach(news.seq);
    if (news.past && this.#arrival) {
      this.#arrival.lines.push(news);
      return;
    }
    this.arrive();
    this.#line(news, isShown);
  }

  #line(news: RoomNews, isShown: boolean): void {
    const { activity, pending, reading } = this.#options;
    const { type, own, seq, to } = news;
    if (news.mine) pending.settle(news);
    activity.note(news);
    if (isMessage(news)) {
      this.#store.add(this.#message(news));
      if (isShown && !own) reading.came(`m${seq}`);
      return;
    }
    if (to !== null && this.#store.message(to)) {
      return this.#store.change(to, (it) => changeMessage(it, news));
    }
    // Of what was before, who came and went is of no use any more.
    if (news.past && !isSent(type) || !activity.shows(news)) return;
    this.aside(news, lineSentence(news), news);
  }

  #message(news: Parameters<typeof messageOf>[0]): Message {
    return messageOf(news, this.#options.mentions.isIn(news));
  }

  /** A line of this number was told. */
  #reach(seq: number): void {
    this.#first = this.#first === 0 ? seq : Math.min(this.#first, seq);
    this.#last = Math.max(this.#last, seq);
  }

  /** A private message. */
  letter(news: NewsOf<"private">): void {
    const { pending, reading } = this.#options;
    const key = this.#key("p");
    this.#store.add(letterOf(news, key, this.#last));
    if (news.own) pending.settle(news);
    else reading.came(key);
  }

  /** Older lines, which were asked for. */
  older(news: NewsOf<"found">): void {
    const rows: KeptRow[] = [];
    for (const line of news.lines) {
      if (line.type === "warning") {
        const { at = this.#options.now() } = this.#store.rows[0] ?? {};
        const order = line.line ?? this.#first;
        rows.push(this.#noteRow(warningSentence(line), "warning", order, at));
        continue;
      }
      this.#reach(line.seq);
      // What changes an older one is told together with that.
      if (isMessage(line)) rows.push(this.#message(line));
    }
    if (news.backTo !== undefined) this.#reach(news.backTo);
    this.#isWhole = !news.more;
    this.#store.addOlder(rows);
  }

  /** Something that this program tells, here and now. */
  note(text: string, tone: Tone = "plain"): void {
    const { now } = this.#options;
    this.#store.add(this.#noteRow(text, tone, this.#last, now()));
  }

  #noteRow(text: string, tone: Tone, order: number, at: number): Note {
    return { kind: "note", key: this.#key("n"), order, at, tone, text };
  }

  /** Something that somebody does without saying it. @param place Where and when. Default: here and now. */
  aside(
    { person, own }: { readonly person: string; readonly own: boolean },
    text: string,
    place?: { readonly seq: number; readonly at: number },
  ): void {
    const order = place?.seq ?? this.#last;
    const at = place?.at ?? this.#options.now();
    const key = this.#key("a");
    this.#store.add({ kind: "aside", key, order, at, text, person, own });
  }

  #key(kind: string): string {
    return `${kind}${this.#nextKey++}`;
  }

  // ── Coming in and coming back ────────────────────────────────────────────────────────────────────────

  /** The client is in; what was before is told next. */
  entered(news: NewsOf<"entered">): void {
    const notes = news.again ? [] : [...this.#store.rows];
    if (!news.again) this.#store.keepLast(0);
    this.#arrival = { news, lines: [], notes };
  }

  /** All that was before has been told, if it is that for which this waits. */
  arrive(): void {
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (!arrival) return;
    const { news, lines, notes } = arrival;
    if (news.again) return this.#back(news, lines);
    const { activity, reading, readUpTo } = this.#options;
    let isFirst = true; // of what is unread
    for (const line of lines) {
      activity.note(line);
      // What is changed in a line that isn't shown is of no use to one who comes.
      if (!isMessage(line)) continue;
      this.#store.add(this.#message(line));
      if (line.seq <= readUpTo || line.own) continue;
      reading.missed(`m${line.seq}`, isFirst);
      isFirst = false;
    }
    this.#reach(news.seq);
    for (const note of notes) this.#store.add({ ...note, order: this.#last });
    if (readUpTo !== Infinity) return; // who was here before needs no welcome
    const address = URL.parse(news.address)?.host || news.address;
    this.note(welcomeSentence({ ...news, address }));
  }

  #back(news: NewsOf<"entered">, lines: readonly RoomNews[]): void {
    const { reading } = this.#options;
    const missed = lines.filter(({ own, type }) => !own && isSent(type));
    const said = missed.filter(isMessage);
    const sentence = backSentence(
      news,
      said.length,
      missed.length - said.length,
    );
    const before = lines[0] ? lines[0].seq - 1 : this.#last;
    this.#store.add(this.#noteRow(sentence, "good", before, news.at));
    for (const line of lines) this.#line(line, true);
    this.#reach(news.seq);
    const [first] = said;
    if (first && reading.isLooking) reading.missed(`m${first.seq}`, true);
  }
}
