/**
 * What news looks like to a person: rows of time, number, name and words. Knows nothing of where the rows go,
 * of keys pressed or of the line being typed.
 *
 * @module
 */

import { colourOf, painter, Style } from "./style.ts";
import type { News, RoomNews } from "../view.ts";
import { formatSize, parseOffer } from "../../protocol/offer.ts";
import type { Settings } from "./settings.ts";
import { escapeText, quote } from "../../base/safe_text.ts";
import { WallClock } from "./wall_clock.ts";
import {
  GOODBYES,
  REFUSALS,
  refusedDeed,
  wording,
} from "../../protocol/reasons.ts";
import { isSpoken, sentence } from "../../protocol/line.ts";
import { cut, padCells, width } from "./cells.ts";

/** The least width of the column for names, cells. */
const MIN_NAME_WIDTH = 10;
/** The least width of the column for numbers, cells. */
const MIN_NUMBER_WIDTH = 3;
/** How many lines of one message are shown; the rest is counted. */
const MAX_LINES = 50;
/** How much of a message is shown above its answer, cells. */
const MAX_QUOTED = 60;
/** The least, however narrow the terminal is, cells. */
const MIN_QUOTED = 16;

const escapes = { name: escapeText, words: escapeText };

/** What a transcript is made of. */
export interface TranscriptOptions {
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** The time zone for times (IANA name); the machine's own where it is left out. */
  readonly zone?: string | undefined;
  /** Whether to use colours; they say nothing that the text doesn't. */
  readonly colour: boolean;
  /** What a person has set. */
  readonly settings: Settings;
  /** The width of the terminal, cells. */
  readonly columns: () => number;
}

/** News as the rows that a person reads. Remembers what a reader does: the day, the columns, the own name. */
export class Transcript {
  readonly #options: TranscriptOptions;
  readonly #clock: WallClock;
  readonly #firstDay: string;
  #day: string;
  #nameWidth = MIN_NAME_WIDTH;
  #numberWidth = MIN_NUMBER_WIDTH;
  #lostFor = ""; // why the connection is gone
  #isEarlier = false; // whether what comes stands below the rule of the earlier messages
  #ownName: RegExp | undefined;

  /** A transcript that begins now. */
  constructor(options: TranscriptOptions) {
    this.#options = options;
    this.#clock = new WallClock(options.zone);
    this.#firstDay = this.#clock.day(options.now());
    this.#day = this.#firstDay;
  }

  /** The rows for a piece of news, without line ends; none where a person doesn't want to see it. */
  render(news: News): string[] {
    switch (news.type) {
      case "entered":
        this.#lostFor = "";
        this.#ownName = asWord(news.name);
        return news.again ? this.#back(news) : this.#welcome(news);
      case "found":
        return this.#found(news);
      case "away-message":
        return this.#away(news);
      case "refused":
        return [this.#refused(news)];
      case "current":
        return this.#now();
      case "lost":
        return [`${this.#warning} Perhaps not sent: ${escapeText(news.text)}`];
      case "file":
        return this.#file(news);
      case "disconnected":
        return this.#disconnected(wording(GOODBYES, news.reason), news.seconds);
      default:
        return this.#roomNews(news);
    }
  }

  /** Whether the news is something said that has the own name in it, as a word. */
  mentions(news: News): boolean {
    return isLine(news) && isSpoken({ what: news.type }) &&
      news.type !== "offered" && !news.own &&
      this.#ownName?.test(news.text) === true;
  }

  /** A text in this transcript's colours, or none. */
  paint(style: number, text: string): string {
    const { colour, settings } = this.#options;
    return painter(colour && settings.get("theme") !== "plain")(style, text);
  }

  #welcome({ address, name, others, earlier }: NewsOf<"entered">): string[] {
    const company = others === 0
      ? "nobody else is here"
      : others === 1
      ? "1 other is here"
      : `${others} others are here`;
    const place = `${escapeText(address)} as ${escapeText(name)}`;
    const lines = [`Joined ${place}; ${company}. /help shows the commands.`];
    this.#isEarlier = earlier > 0;
    if (earlier > 0) lines.push(this.#rule(messages(earlier, "earlier ")));
    return lines;
  }

  #back({ at, earlier, waiting }: NewsOf<"entered">): string[] {
    const missed = earlier > 0 ? messages(earlier) : "nothing";
    const sent = waiting > 0 ? `; sent ${waiting}` : "";
    const mark = this.paint(Style.green, "✓");
    const back = `${this.#time(at)}${mark} Back. Missed ${missed}${sent}.`;
    return earlier > 0 ? [back, this.#rule("new")] : [back];
  }

  /** The rule below the earlier messages; the day does as well, where that is another than theirs. */
  #now(): string[] {
    if (!this.#isEarlier) return [];
    this.#isEarlier = false;
    const rows = this.#dayRule(this.#options.now());
    return rows.length > 0 ? rows : [this.#rule("now")];
  }

  #roomNews(news: RoomNews): string[] {
    if (news.type === "renamed" && news.own) this.#ownName = asWord(news.text);
    const isMove = news.type === "joined" || news.type === "left";
    if (isMove && this.#options.settings.get("joins") === "off") return [];
    return [...this.#dayRule(news.at), ...this.#line(news)];
  }

  #line(news: RoomNews): string[] {
    const { type: what } = news;
    if (!isSpoken({ what })) {
      return [this.#aside(news.at, sentence({ ...news, what }, escapes))];
    }
    const name = escapeText(news.name);
    const start = this.#time(news.at) + this.#number(news.seq);
    const style = this.mentions(news)
      ? Style.reverse
      : news.own
      ? Style.bold
      : colourOf(news.fingerprint);
    if (news.type === "acted" || news.type === "offered") {
      const actor = `* ${this.paint(style, name)} `;
      const text = news.type === "acted" ? news.text : offering(news);
      return this.#spoken(start + actor, text, width(name) + 3);
    }
    this.#widen(name);
    const padded = this.paint(style, name) + pad(name, this.#nameWidth);
    const column = this.#nameWidth + 1;
    const said = this.#spoken(`${start}${padded} `, news.text, column);
    return news.type === "replied" ? [this.#quoted(news), ...said] : said;
  }

  #away({ name, text }: NewsOf<"away-message">): string[] {
    const what = text === "" ? "is back" : `is away: ${escapeText(text)}`;
    return [
      this.#aside(this.#options.now(), `${escapeText(name)} ${what}`),
    ];
  }

  /** Something that nobody said, in the column of what is said. */
  #aside(at: number, text: string): string {
    const indent = " ".repeat(this.#numberCells + this.#nameWidth + 1);
    return this.#time(at) + indent + this.paint(Style.dim, text);
  }

  /** A text after its start, its further lines indented by as many cells below it. */
  #spoken(start: string, text: string, cells: number): string[] {
    const lines = text.split("\n").map(escapeText);
    const rest = lines.length - MAX_LINES;
    if (rest > 0) {
      const more = `… ${rest} more line${rest === 1 ? "" : "s"}`;
      lines.splice(MAX_LINES, rest, this.paint(Style.dim, more));
    }
    const indent = " ".repeat(this.#timeCells + this.#numberCells + cells);
    return lines.map((line, index) => (index === 0 ? start : indent) + line);
  }

  /** What an answer answers, for the row above it. */
  #quoted({ to, quoted }: RoomNews): string {
    const indent = this.#timeCells + this.#numberCells + this.#nameWidth + 1;
    const room = this.#options.columns() - indent - 3;
    const cells = Math.max(MIN_QUOTED, Math.min(MAX_QUOTED, room));
    const what = quoted ? `${quoted.name}: ${quoted.text}` : `message ${to}`;
    const shown = this.paint(Style.dim, `↪ ${cut(escapeText(what), cells)}`);
    return " ".repeat(indent) + shown;
  }

  /** What was asked for from the history, between two rules; the days in it are its own. */
  #found({ words, lines, more }: NewsOf<"found">): string[] {
    const about = words === "" ? "" : ` with ${quote(words)}`;
    if (lines.length === 0) return [`Nothing was found${about}`];
    const count = `${lines.length} line${lines.length === 1 ? "" : "s"}`;
    const day = this.#day;
    this.#day = "";
    const rows = lines.flatMap((line) => [
      ...this.#dayRule(line.at),
      ...this.#line(line),
    ]);
    this.#day = day;
    const end = more ? "there are older ones" : "that is all";
    return [this.#rule(`${count}${about}`), ...rows, this.#rule(end)];
  }

  #refused({ text, reason }: NewsOf<"refused">): string {
    const why = escapeText(wording(REFUSALS, reason));
    return `${this.#warning} ${refusedDeed(reason)} ${quote(text)}: ${why}`;
  }

  /** How a file that is being taken begins, waits and ends; how far it is stands in the prompt. */
  #file(news: NewsOf<"file">): string[] {
    const { offer, got, size, state, path, reason } = news;
    const time = this.#time(this.#options.now());
    const name = escapeText(news.name);
    switch (state) {
      case "begun": {
        const start = got > 0 ? ` from ${formatSize(got)} on` : "";
        return [`${time}Taking ${name} (${formatSize(size)})${start}`];
      }
      case "taking":
        return [];
      case "waiting": {
        const why = escapeText(reason);
        return [`${time}${this.#warning} ${name} has to wait: ${why}`];
      }
      case "taken": {
        const mark = this.paint(Style.green, "✓");
        return [
          `${time}${mark} Saved ${escapeText(path)}; its checksum is right`,
        ];
      }
      case "failed": {
        const why = `${name} was not taken: ${escapeText(reason)}`;
        return [`${time}${this.#warning} ${why}. /get ${offer} tries again`];
      }
    }
  }

  #disconnected(reason: string, seconds: number): string[] {
    // Attempts go on until one succeeds; only what is new is worth a line.
    if (reason === this.#lostFor) return [];
    this.#lostFor = reason;
    const sentence = escapeText(
      reason.charAt(0).toUpperCase() + reason.slice(1),
    );
    const next = `Trying again in ${Math.ceil(seconds)} s`;
    const time = this.#time(this.#options.now());
    return [
      `${time}${this.#warning} ${sentence}. ${next}; what you type is kept.`,
    ];
  }

  get #warning(): string {
    return this.paint(Style.yellow, "⚠");
  }

  /** A rule with the day, where that is another than before. */
  #dayRule(at: number): string[] {
    const day = this.#clock.day(at);
    if (day === this.#day) return [];
    this.#day = day;
    // After midnight, "today" further up would be wrong: the word is for the day on which this began.
    return [this.#rule(day === this.#firstDay ? "today" : day)];
  }

  #rule(label: string): string {
    // One cell less than there are: a full row would wrap in some terminals.
    const start = `── ${label} `;
    const rest = Math.max(0, this.#options.columns() - 1 - width(start));
    return this.paint(Style.dim, start + "─".repeat(rest));
  }

  /** The column of the times, with the space after it. */
  #time(at: number): string {
    const times = this.#options.settings.get("times");
    if (times === "off") return "";
    const shown = this.#clock.time(at, times === "seconds");
    return `${this.paint(Style.dim, shown)}  `;
  }

  get #timeCells(): number {
    const times = this.#options.settings.get("times");
    return times === "off" ? 0 : times === "seconds" ? 10 : 7;
  }

  /** The column of the numbers, with the space after it: what `/re` takes. */
  #number(seq: number): string {
    if (this.#numberCells === 0) return "";
    const shown = String(seq);
    this.#numberWidth = Math.max(this.#numberWidth, shown.length);
    return this.paint(Style.dim, shown.padStart(this.#numberWidth)) + "  ";
  }

  get #numberCells(): number {
    const isOn = this.#options.settings.get("numbers") === "on";
    return isOn ? this.#numberWidth + 2 : 0;
  }

  #widen(name: string): void {
    const widest = Number(this.#options.settings.get("names"));
    const least = Math.min(MIN_NAME_WIDTH, widest);
    const wide = Math.min(width(name), widest);
    this.#nameWidth = Math.max(least, Math.min(this.#nameWidth, widest), wide);
  }
}

type NewsOf<T extends News["type"]> = Extract<News, { type: T }>;

function isLine(news: News): news is RoomNews {
  return "seq" in news && news.type !== "entered";
}

/** What stands behind the name of somebody who offers a file. */
function offering({ text, seq, own }: RoomNews): string {
  const offer = parseOffer(text);
  if (!offer) return `offers ${text}`;
  const what = `offers ${offer.name} (${formatSize(offer.size)})`;
  return own ? what : `${what}; /get ${seq} takes it`;
}

/** The spaces that fill up a column after a text. */
function pad(text: string, cells: number): string {
  return padCells(text, cells).slice(text.length);
}

/** What finds a name where it stands as a word of its own, in either case. */
function asWord(name: string): RegExp {
  const literal = name.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  const letter = String.raw`[\p{L}\p{M}\p{N}_]`;
  return new RegExp(`(?<!${letter})${literal}(?!${letter})`, "iu");
}

function messages(count: number, which = ""): string {
  return `${count} ${which}message${count === 1 ? "" : "s"}`;
}
