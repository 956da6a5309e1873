/**
 * What news looks like to a person: which rows there are, and what they say.
 *
 * @module
 */

import { Columns, type ColumnsOptions } from "./columns.ts";
import { qrLines } from "../../base/qr.ts";
import { colourOf, Style } from "./style.ts";
import {
  awaySentence,
  inviteSentence,
  lineSentence,
  type NewsOf,
  refusalSentence,
} from "../sentences.ts";
import type { News, RoomNews } from "../view.ts";
import { formatSize, parseOffer } from "../../protocol/offer.ts";
import { escapeText, quote } from "../../base/safe_text.ts";
import { WallClock } from "./wall_clock.ts";
import { GOODBYES, wording } from "../../protocol/reasons.ts";
import { isSpoken } from "../../protocol/line.ts";

/** What a transcript is made of. */
export interface TranscriptOptions extends ColumnsOptions {
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** The time zone for times (IANA name). Default: the machine's. */
  readonly zone?: string | undefined;
}

/** News as the rows that a person reads. Remembers what a reader does: the day, the own name. */
export class Transcript {
  readonly #options: TranscriptOptions;
  readonly #clock: WallClock;
  readonly #columns: Columns;
  readonly #firstDay: string;
  #day: string;
  #lostFor = ""; // why the connection is gone
  #isEarlier = false; // whether what comes stands below the rule of the earlier messages
  #ownName: RegExp | undefined;

  /** A transcript that begins now. */
  constructor(options: TranscriptOptions) {
    this.#options = options;
    this.#clock = new WallClock(options.zone);
    this.#columns = new Columns(options, this.#clock);
    this.#firstDay = this.#clock.day(options.now());
    this.#day = this.#firstDay;
  }

  /** The rows for a piece of news, without line ends; none if the person doesn't want to see it. */
  render(news: News): string[] {
    switch (news.type) {
      case "entered":
        this.#lostFor = "";
        this.#ownName = asWord(news.name);
        return news.again ? this.#back(news) : this.#welcome(news);
      case "found":
        return this.#found(news);
      case "away-message":
        return [this.#columns.aside(this.#options.now(), awaySentence(news))];
      case "invited":
        return [inviteSentence(news), ...qrLines(news.link)];
      case "refused":
        return [`${this.#warning} ${refusalSentence(news)}`];
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

  #welcome({ address, name, others, earlier }: NewsOf<"entered">): string[] {
    const company = others === 0
      ? "nobody else is here"
      : others === 1
      ? "1 other is here"
      : `${others} others are here`;
    const place = `${escapeText(address)} as ${escapeText(name)}`;
    const lines = [`Joined ${place}; ${company}. /help shows the commands.`];
    this.#isEarlier = earlier > 0;
    if (earlier > 0) {
      lines.push(this.#columns.rule(messages(earlier, "earlier ")));
    }
    return lines;
  }

  #back({ at, earlier, waiting }: NewsOf<"entered">): string[] {
    const missed = earlier > 0 ? messages(earlier) : "nothing";
    const sent = waiting > 0 ? `; sent ${waiting}` : "";
    const mark = this.#columns.paint(Style.green, "✓");
    const time = this.#columns.time(at);
    const back = `${time}${mark} Back. Missed ${missed}${sent}.`;
    return earlier > 0 ? [back, this.#columns.rule("new")] : [back];
  }

  /** The rule below the earlier messages; or with the day, if it is another than theirs. */
  #now(): string[] {
    if (!this.#isEarlier) return [];
    this.#isEarlier = false;
    const rows = this.#dayRule(this.#options.now());
    return rows.length > 0 ? rows : [this.#columns.rule("now")];
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
      return [this.#columns.aside(news.at, lineSentence(news))];
    }
    const { at, seq, own, text } = news;
    const style = this.mentions(news)
      ? Style.reverse
      : own
      ? Style.bold
      : colourOf(news.person);
    const start = { at, seq, name: escapeText(news.name), style };
    if (what === "acted") return this.#columns.acted(start, text);
    if (what === "offered") return this.#columns.acted(start, offering(news));
    const said = this.#columns.said(start, text);
    if (what !== "replied") return said;
    return [this.#columns.quoted(answered(news)), ...said];
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
    return [
      this.#columns.rule(`${count}${about}`),
      ...rows,
      this.#columns.rule(end),
    ];
  }

  /** How a file that is being taken begins, waits and ends; how far it is stands in the prompt. */
  #file(news: NewsOf<"file">): string[] {
    const { offer, got, size, state, path, reason } = news;
    const time = this.#columns.time(this.#options.now());
    const name = escapeText(news.name);
    switch (state) {
      case "begun": {
        const start = got > 0 ? ` from ${formatSize(got)} on` : "";
        return [`${time}Downloading ${name} (${formatSize(size)})${start}`];
      }
      case "taking":
        return [];
      case "waiting": {
        const why = escapeText(reason);
        return [`${time}${this.#warning} ${name} is waiting: ${why}`];
      }
      case "taken": {
        const mark = this.#columns.paint(Style.green, "✓");
        return [
          `${time}${mark} Saved ${escapeText(path)}; checksum verified`,
        ];
      }
      case "failed": {
        const why = `${name} was not downloaded: ${escapeText(reason)}`;
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
    const time = this.#columns.time(this.#options.now());
    return [
      `${time}${this.#warning} ${sentence}. ${next}; what you type is kept.`,
    ];
  }

  get #warning(): string {
    return this.#columns.paint(Style.yellow, "⚠");
  }

  /** A rule with the day, if it is another than before. */
  #dayRule(at: number): string[] {
    const day = this.#clock.day(at);
    if (day === this.#day) return [];
    this.#day = day;
    // After midnight, "today" further up would be wrong: the word is for the day on which this began.
    return [this.#columns.rule(day === this.#firstDay ? "today" : day)];
  }
}

function isLine(news: News): news is RoomNews {
  return "seq" in news && news.type !== "entered";
}

/** What stands behind the name of somebody who offers a file. */
function offering({ text, seq, own }: RoomNews): string {
  const offer = parseOffer(text);
  if (!offer) return `offers ${text}`;
  const what = `offers ${offer.name} (${formatSize(offer.size)})`;
  return own ? what : `${what}; /get ${seq} downloads it`;
}

/** What an answer answers, in short. */
function answered({ to, quoted }: RoomNews): string {
  return quoted ? `${quoted.name}: ${quoted.text}` : `message ${to}`;
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
