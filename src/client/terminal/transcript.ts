/**
 * What news looks like to a person: which paragraphs there are, and what they say.
 *
 * @module
 */

import { Activity } from "../activity.ts";
import { codeLines } from "./code_lines.ts";
import { Columns, type ColumnsOptions } from "./columns.ts";
import { finder, settingWords } from "../text/mentions.ts";
import { answered, lineWords } from "./line_words.ts";
import { remark, textLines } from "./message_text.ts";
import { wordFinder } from "../text/message_lines.ts";
import type { Paragraph, Piece } from "./paragraph.ts";
import { Style } from "./style.ts";
import type { Theme } from "./theme.ts";
import {
  agreementSentence,
  awaySentence,
  backSentence,
  counted,
  differenceSentence,
  disconnectedSentence,
  fileSentence,
  inviteSentences,
  keptSentence,
  lostSentence,
  type NewsOf,
  refusalSentence,
  takenSentence,
  unreadSentence,
  WARNING_ADVICE,
  welcomeSentence,
} from "../sentences.ts";
import { lineSentence } from "../../protocol/told_line.ts";
import { warningSentence } from "../../sealed/warnings.ts";
import type { News, RoomNews } from "../view.ts";
import { escapeText, quote } from "../../base/safe_text.ts";
import { WallClock } from "./wall_clock.ts";
import { isSent, isSpoken } from "../../protocol/line.ts";

/** What a transcript is made of. */
export interface TranscriptOptions extends ColumnsOptions {
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** The time zone for times (IANA name). Default: the machine's. */
  readonly zone?: string | undefined;
  /** The colours. */
  readonly theme: Theme;
  /** How many are in the room. */
  readonly members?: () => number;
}

/** Stands before lines while the history isn't what this person saw. No name has it. */
const DOUBT = "⚠";

/** What was said before the client was in, until all of it has come: only then is it known how much it is. */
interface Arrival {
  readonly news: NewsOf<"entered">;
  readonly lines: RoomNews[];
}

/** News as the paragraphs that a person reads. Remembers what a reader does: the day, the own name. */
export class Transcript {
  readonly #options: TranscriptOptions;
  readonly #clock: WallClock;
  readonly #columns: Columns;
  readonly #activity: Activity;
  readonly #begun: number;
  #firstDay: string | undefined;
  #day: string | undefined;
  #lostFor = ""; // why the connection is gone
  #arrival: Arrival | undefined;
  #ownName = "";
  #knowsHow = false; // how a private message is answered
  #isAdvised = false; // what to do about a warning

  /** A transcript that begins now. */
  constructor(options: TranscriptOptions) {
    this.#options = options;
    this.#clock = new WallClock(options.zone);
    this.#columns = new Columns(options, this.#clock);
    this.#activity = new Activity(options.settings, options.members);
    this.#begun = options.now();
  }

  /** What a piece of news looks like; nothing if the person doesn't want to see it, or not yet. */
  render(news: News): Paragraph[] {
    if (isLine(news) && news.past) return this.#pastLine(news);
    return [...this.#arrive(), ...this.#present(news)];
  }

  /** Lines about this program. */
  note(text: string): Paragraph[] {
    return text.split("\n").map((line) => this.#columns.told(escapeText(line)));
  }

  /**
   * Whether the news is something said that has the own name or one of the person's words in it, as a word, or is for
   * the person alone.
   */
  mentions(news: News): boolean {
    if (news.type === "private") return !news.own;
    const isMeant = isLine(news) && isSpoken(news.type) &&
      news.type !== "offered" && !news.own;
    if (!isMeant) return false;
    const words = settingWords(this.#options.settings.get("words"));
    if (this.#ownName !== "") words.push(this.#ownName);
    return finder(words)?.test(news.text) === true;
  }

  #present(news: News): Paragraph[] {
    switch (news.type) {
      case "entered":
        return this.#entered(news);
      case "current":
        return [];
      case "found":
        return this.#found(news);
      case "away-message":
        return [this.#columns.aside(this.#options.now(), awaySentence(news))];
      case "taken":
        return [this.#columns.aside(this.#options.now(), takenSentence(news))];
      case "done":
        return [];
      case "history-differs":
        return [this.#report(differenceSentence(news), this.#warning)];
      case "agreement":
        return [this.#columns.told(agreementSentence(news))];
      case "invited":
        return this.#invited(news);
      case "private":
        return this.#private(news);
      case "private-unread":
        return [this.#columns.told(unreadSentence(news), this.#warning)];
      case "refused":
        return [this.#columns.told(refusalSentence(news), this.#warning)];
      case "lost":
        return [this.#columns.told(lostSentence(news), this.#warning)];
      case "warning":
        return this.#warned(news);
      case "file":
        return this.#file(news);
      case "disconnected":
        return this.#disconnected(news);
      default:
        return this.#liveLine(news);
    }
  }

  // ── Coming in and coming back ────────────────────────────────────────────────────────────────────────

  #entered(news: NewsOf<"entered">): Paragraph[] {
    this.#lostFor = "";
    this.#ownName = news.name;
    this.#arrival = { news, lines: [] };
    if (!news.again) return [this.#columns.told(welcomeSentence(news))];
    return news.earlier > 0 ? [] : this.#arrive();
  }

  /** Of what was before, only what was said, or changed about it: who came and went is of no use any more. */
  #pastLine(news: RoomNews): Paragraph[] {
    if (!isSent(news.type)) return [];
    this.#activity.note(news);
    if (!this.#arrival) return this.#dated(news);
    this.#arrival.lines.push(news);
    return [];
  }

  /** All that was before has come: what is below the last rule happens now. */
  #arrive(): Paragraph[] {
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (!arrival) return [];
    const { news, lines } = arrival;
    if (news.again) {
      const missed = this.#back(news, lines.filter(({ own }) => !own));
      return [...missed, ...lines.flatMap((line) => this.#dated(line))];
    }
    // What is changed in a line that isn't shown is of no use to one who comes.
    const said = lines.filter(({ type }) => isSpoken(type));
    if (said.length === 0) return [];
    const rule = this.#columns.rule(counted(said.length, "earlier message"));
    const rows = said.flatMap((line) => this.#dated(line));
    const day = this.#dayRule(this.#options.now());
    return [
      rule,
      ...rows,
      ...(day.length > 0 ? day : [this.#columns.rule("now")]),
    ];
  }

  #back(news: NewsOf<"entered">, missed: readonly RoomNews[]): Paragraph[] {
    const said = missed.filter(({ type }) => isSpoken(type)).length;
    const sentence = backSentence(news, said, missed.length - said);
    const back = this.#columns.told(sentence, this.#good, news.at);
    return missed.length > 0 ? [back, this.#columns.rule("new")] : [back];
  }

  #disconnected(news: NewsOf<"disconnected">): Paragraph[] {
    // Attempts go on until one succeeds; only what is new is worth a line.
    if (news.reason === this.#lostFor) return [];
    this.#lostFor = news.reason;
    return [this.#report(disconnectedSentence(news), this.#warning)];
  }

  // ── What happens in the room ─────────────────────────────────────────────────────────────────────────

  #liveLine(news: RoomNews): Paragraph[] {
    if (news.type === "renamed" && news.own) this.#ownName = news.text;
    this.#activity.note(news);
    return this.#activity.shows(news) ? this.#dated(news) : [];
  }

  #dated(news: RoomNews): Paragraph[] {
    return [...this.#dayRule(news.at), ...this.#line(news)];
  }

  /** @param found Finds in it what was searched for. */
  #line(news: RoomNews, found?: RegExp): Paragraph[] {
    const { at, type: what, quoted } = news;
    if (what === "edited" && quoted?.text === "") return []; // it was deleted, and stays so
    const mark = news.doubted || news.unchecked ? `${DOUBT} ` : "";
    if (!isSpoken(what) && what !== "edited") {
      return [this.#columns.aside(at, `${mark}${lineSentence(news)}`)];
    }
    const name = `${mark}${escapeText(news.name)}`;
    // An edited message stands here once more, under the number by which it can be answered.
    const seq = what === "edited" ? news.to ?? news.seq : news.seq;
    const start = { at, seq, name, style: this.#style(news) };
    const { code } = this.#options.theme;
    const lines = lineWords(news, { code, found });
    if (what === "acted" || what === "offered") {
      return this.#columns.acted(start, lines);
    }
    const said = this.#columns.said(start, lines);
    if (news.to === null) return said;
    return [this.#columns.quoted(answered(news)), ...said];
  }

  #style(news: RoomNews): string {
    if (this.mentions(news)) return Style.reverse;
    return news.own ? Style.bold : this.#options.theme.nameOf(news.person);
  }

  /** What was asked for from the history, between two rules; the days in it are its own. */
  #found({ words, lines, more, backTo }: NewsOf<"found">): Paragraph[] {
    const about = words === "" ? "" : ` with ${quote(words)}`;
    const reach = more && backTo !== undefined
      ? `searched back to line ${backTo}`
      : "";
    if (lines.length === 0) {
      const looked = reach === "" ? "" : `: ${reach}`;
      return [this.#columns.told(`Nothing was found${about}${looked}`)];
    }
    const activity = new Activity(this.#options.settings);
    const shown = lines.filter((line) => {
      if (line.type === "warning") return true;
      activity.note(line);
      return activity.shows(line);
    });
    const hidden = lines.length - shown.length;
    const found = wordFinder(words);
    const day = this.#day;
    this.#day = "";
    const rows = shown.flatMap((line) =>
      line.type === "warning"
        ? [this.#columns.told(warningSentence(line), this.#warning)]
        : [...this.#dayRule(line.at), ...this.#line(line, found)]
    );
    this.#day = day;
    const older = reach === "" ? "there are older ones" : reach;
    const end = more ? older : "that is all";
    const all = counted(lines.length, "line");
    const head = hidden > 0
      ? `${shown.length} of ${all}${about}: /set joins on shows who came and went`
      : `${all}${about}`;
    return [
      this.#columns.rule(head),
      ...rows,
      this.#columns.rule(end),
    ];
  }

  // ── What is for this person alone ────────────────────────────────────────────────────────────────────

  /** In words and not only in a colour, so that nobody answers where everybody reads it. */
  #private(news: NewsOf<"private">): Paragraph[] {
    const { at, name, to, text, own } = news;
    const [from, whom] = own ? ["you", to.name] : [name, "you"];
    const head = `(private) ${escapeText(from)} to ${escapeText(whom)}:`;
    const style = own ? Style.bold : Style.reverse;
    const { code } = this.#options.theme;
    const kept = keptSentence(news);
    const lines = [
      ...textLines(text, { code, found: undefined }),
      ...(kept === "" ? [] : [remark(`(${kept})`)]),
    ];
    const hint = own || this.#knowsHow ? [] : [this.#columns.told(
      `That is for you alone. /msg ${
        escapeText(name)
      } answers; what you type without it, everybody reads`,
    )];
    this.#knowsHow ||= hint.length > 0;
    return [
      ...this.#dayRule(at),
      ...this.#columns.alone({ at, head, style }, lines),
      ...hint,
    ];
  }

  #invited(news: NewsOf<"invited">): Paragraph[] {
    // The link last: the code is so high that it would push it off the screen.
    const code = codeLines(news.link, this.#options.columns());
    return [...code, ...inviteSentences(news)]
      .map((line) => this.#columns.told(line));
  }

  /** How a file that is being taken begins, waits and ends; how far it is stands in the prompt. */
  #file(news: NewsOf<"file">): Paragraph[] {
    const text = fileSentence(news);
    if (text === "") return [];
    const { state } = news;
    if (state === "begun") return [this.#report(text)];
    return [this.#report(text, state === "taken" ? this.#good : this.#warning)];
  }

  /** A warning; the first one with what to do about it. */
  #warned(news: NewsOf<"warning">): Paragraph[] {
    const warning = this.#report(warningSentence(news), this.#warning);
    if (this.#isAdvised) return [warning];
    this.#isAdvised = true;
    return [warning, this.#columns.told(WARNING_ADVICE)];
  }

  /** What this program tells, with the time. */
  #report(text: string, sign?: Piece): Paragraph {
    return this.#columns.told(text, sign, this.#options.now());
  }

  get #warning(): Piece {
    return { text: DOUBT, style: this.#options.theme.warning };
  }

  get #good(): Piece {
    return { text: "✓", style: this.#options.theme.good };
  }

  /** A rule with the day, if it is another than before. */
  #dayRule(at: number): Paragraph[] {
    const day = this.#clock.day(at);
    this.#firstDay ??= this.#clock.day(this.#begun);
    if (day === (this.#day ?? this.#firstDay)) return [];
    this.#day = day;
    // After midnight, "today" further up would be wrong: the word is for the day on which this began.
    return [this.#columns.rule(day === this.#firstDay ? "today" : day)];
  }
}

function isLine(news: News): news is RoomNews {
  return "seq" in news && news.type !== "entered";
}
