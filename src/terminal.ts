/**
 * The view for a person at a terminal. Knows how news looks and how a line is edited; knows no sockets, no
 * keys and no commands but their names.
 *
 * Output rules: everything goes to the one stream that it is given, the terminal (stdout); stderr isn't
 * touched. The last rows are the prompt and the line being typed, and nothing else is ever redrawn: to
 * show something, those rows are cleared, the news is written where they began, and they are written again
 * below it. A line that is sent is cleared too, because it comes back from the server as an event; while
 * the connection is away it stays, for nothing else shows that it was taken.
 *
 * @module
 */

import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import {
  colourOf,
  padCells,
  type Paint,
  painter,
  quote,
  Style,
  width,
  wraps,
} from "./colours.ts";
import { completions } from "./commands.ts";
import { GOODBYES, REFUSALS, wording } from "./events.ts";
import type { News, Standing, View } from "./news.ts";
import { escapeText } from "./text.ts";

/** The least width of the column for names, cells. */
const MIN_NAME_WIDTH = 10;
/** The greatest; a longer name moves its own text to the right. */
const MAX_NAME_WIDTH = 20;
/** The columns of a terminal that doesn't say. */
const DEFAULT_COLUMNS = 80;
/** How many lines the up arrow can bring back. */
const HISTORY_SIZE = 200;
/** How many typed lines may wait to be taken; a paste of more than that is a mistake. */
const MAX_TYPED = 1_000;
/** How long a line may be under way, ms, before the prompt says that it is. */
const PATIENCE = 1_000;

/** What a terminal view is made of. */
export interface TerminalOptions {
  /** Keys, as the terminal sends them; put into raw mode where it can be. */
  readonly input: Readable;
  /** The terminal, with its present width in cells. */
  readonly output: Writable & { readonly columns?: number };
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** The time zone for times (IANA name); the machine's own where it is left out. */
  readonly zone?: string;
  /** Whether to use colours; they say nothing that the text doesn't. */
  readonly colour: boolean;
  /** How long a line may be under way, ms, before the prompt says that it is; 1,000 where it is left out. */
  readonly patience?: number;
}

/** The view for a person at a terminal. */
export class TerminalView implements View {
  readonly #output: TerminalOptions["output"];
  readonly #readline: Interface & { readonly prevRows?: number };
  readonly #transcript: Transcript;
  readonly #patience: number;
  #standing: Standing | undefined;
  #late = false;
  #lateTimer: ReturnType<typeof setTimeout> | undefined;
  #question: Question | undefined;
  #unwritten: string[] = [];
  #typed: string[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  /** Takes over the terminal, until `close()`. */
  constructor(options: TerminalOptions) {
    this.#output = options.output;
    this.#patience = options.patience ?? PATIENCE;
    this.#transcript = new Transcript(options, () => this.#columns);
    this.#readline = createInterface({
      input: options.input,
      output: options.output,
      terminal: true,
      prompt: "",
      historySize: HISTORY_SIZE,
      removeHistoryDuplicates: true,
      completer: (line: string) => [completions(line), line],
    });
    this.#readline.on("line", (line) => this.#submitted(line));
    this.#readline.on("history", (history) => {
      // A name isn't something to say again.
      if (this.#question) history.shift();
    });
    // Ctrl-D, and Ctrl-C where nobody listens for it, close.
    this.#readline.on("close", () => this.#end());
    // A terminal that is gone can't be told; its input ends as well, or has.
    options.output.on("error", () => this.#end());
  }

  /** Writes a piece of news above the line being typed. */
  show(news: News): void {
    this.#write(this.#transcript.render(news));
  }

  /** Shows name, absence and waiting lines in the prompt. */
  stand(standing: Standing): void {
    this.#standing = standing;
    if (!standing.present || standing.waiting === 0) {
      clearTimeout(this.#lateTimer);
      this.#lateTimer = undefined;
      this.#late = false;
    } else if (!this.#ended) {
      // Most lines are back at once; a prompt that changed and changed back would only disturb.
      this.#lateTimer ??= setTimeout(() => {
        this.#late = true;
        this.#redraw();
      }, this.#patience);
    }
    if (this.#readline.getPrompt() !== this.#prompt) this.#redraw();
  }

  /** Writes the lines of the text above the line being typed. */
  note(text: string): void {
    this.#write(text.split("\n").map(escapeText));
  }

  /** Asks with the question as the prompt; empty answers don't count. Null once the input has ended. */
  ask(question: string): Promise<string | null> {
    const early = this.#typed.shift();
    if (early !== undefined) return Promise.resolve(early);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((answer) => {
      this.#question = { text: escapeText(question), answer };
      this.#redraw();
    });
  }

  /** The lines that are typed and aren't empty, until Ctrl-C, Ctrl-D or the end of the input. */
  async *lines(): AsyncGenerator<string> {
    for (;;) {
      const line = this.#typed.shift();
      if (line !== undefined) {
        yield line;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((wake) => this.#wake = wake);
      }
    }
  }

  /** Clears the prompt and gives the terminal back. What is shown after that is written as it comes. */
  close(): void {
    this.#end();
  }

  get #columns(): number {
    return this.#output.columns || DEFAULT_COLUMNS;
  }

  get #prompt(): string {
    if (this.#question) return this.#question.text;
    if (!this.#standing) return "";
    const { name, present, waiting } = this.#standing;
    const remarks: string[] = [];
    if (!present) remarks.push("away");
    if (waiting > 0 && (!present || this.#late)) {
      remarks.push(`${waiting} waiting`);
    }
    const remark = remarks.length > 0 ? ` (${remarks.join(", ")})` : "";
    return `${escapeText(name)}${remark}> `;
  }

  /** Enter was pressed: the cursor stands at the start of the row below what was typed. */
  #submitted(line: string): void {
    const typed = this.#readline.getPrompt() + line;
    const empty = line.trim() === "";
    const stays = !empty &&
      (this.#question !== undefined || !this.#standing?.present);
    if (!stays) this.#output.write(clearUp(wraps(typed, this.#columns) + 1));
    if (!empty) this.#take(line);
    this.#redraw();
  }

  #take(line: string): void {
    const question = this.#question;
    if (question) {
      this.#question = undefined;
      question.answer(line);
    } else if (this.#typed.length < MAX_TYPED) {
      this.#typed.push(line);
      this.#wake?.();
    } else {
      const reason = "Too many lines are waiting";
      this.show({ type: "refused", text: line, reason });
    }
  }

  /** Lines that come together are written together: a room that is busy redraws the prompt once for all. */
  #write(lines: readonly string[]): void {
    if (this.#unwritten.length === 0) queueMicrotask(() => this.#flush());
    this.#unwritten.push(...lines);
  }

  #flush(): void {
    if (this.#unwritten.length > 0) this.#redraw();
  }

  /** Clears the prompt, writes what is to be written, and puts the prompt and what is typed below it. */
  #redraw(): void {
    const text = this.#unwritten.map((line) => `${line}\r\n`).join("");
    this.#unwritten = [];
    if (this.#ended) {
      this.#output.write(text);
      return;
    }
    const { rows } = this.#readline.getCursorPos();
    // Readline goes up as many rows as it believes the cursor to be below the prompt's first: those are made
    // here. It is wrong where a wide character went to the next row whole, so it is asked for its belief.
    const believed = this.#readline.prevRows ?? rows;
    this.#output.write(clearUp(rows) + text + "\r\n".repeat(believed));
    this.#readline.setPrompt(this.#prompt);
    this.#readline.prompt(true);
  }

  #end(): void {
    if (this.#ended) return;
    const { rows } = this.#readline.getCursorPos();
    this.#output.write(clearUp(rows));
    this.#ended = true;
    this.#readline.close();
    clearTimeout(this.#lateTimer);
    this.#flush();
    this.#question?.answer(null);
    this.#question = undefined;
    this.#wake?.();
  }
}

interface Question {
  readonly text: string;
  readonly answer: (answer: string | null) => void;
}

/** Moves the cursor to the start of the row that is so many above, and clears from there on. */
function clearUp(rows: number): string {
  return `${rows > 0 ? `\x1b[${rows}A` : ""}\r\x1b[J`;
}

/** News as the lines that a person reads. Remembers what a reader does: the day, and the column of the names. */
class Transcript {
  readonly #paint: Paint;
  readonly #now: () => number;
  readonly #columns: () => number;
  readonly #clock: Intl.DateTimeFormat;
  readonly #calendar: Intl.DateTimeFormat;
  readonly #firstDay: string;
  #day: string;
  #nameWidth = MIN_NAME_WIDTH;
  #awayFor = "";

  constructor({ colour, now, zone }: TerminalOptions, columns: () => number) {
    this.#paint = painter(colour);
    this.#now = now;
    this.#columns = columns;
    this.#clock = new Intl.DateTimeFormat("en-GB", {
      hour: "2-digit",
      minute: "2-digit",
      timeZone: zone,
    });
    this.#calendar = new Intl.DateTimeFormat("en-GB", {
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
      timeZone: zone,
    });
    this.#firstDay = this.#dayOf(now());
    this.#day = this.#firstDay;
  }

  render(news: News): string[] {
    switch (news.type) {
      case "entered":
        this.#awayFor = "";
        return news.again ? [this.#back(news)] : this.#welcome(news);
      case "joined":
      case "left":
      case "said":
        return [...this.#dayRule(news.at), this.#event(news)];
      case "refused":
        return [this.#refused(news.text, wording(REFUSALS, news.reason))];
      case "away":
        return this.#away(wording(GOODBYES, news.reason), news.seconds);
    }
  }

  #welcome({ address, name, others, earlier }: NewsOf<"entered">): string[] {
    const company = others === 0
      ? "nobody else is here"
      : others === 1
      ? "1 other is here"
      : `${others} others are here`;
    const place = `${escapeText(address)} as ${escapeText(name)}`;
    const lines = [`Joined ${place}; ${company}. /help shows the commands.`];
    if (earlier > 0) lines.push(this.#rule(messages(earlier, "earlier ")));
    return lines;
  }

  #back({ at, earlier, waiting }: NewsOf<"entered">): string {
    const missed = earlier > 0 ? messages(earlier) : "nothing";
    const sent = waiting > 0 ? `; sent ${waiting}` : "";
    const mark = this.#paint(Style.green, "✓");
    return `${this.#time(at)}  ${mark} Back. Missed ${missed}${sent}.`;
  }

  #event(
    { type, at, name, key, text, own }: NewsOf<"joined" | "left" | "said">,
  ): string {
    const shownName = escapeText(name);
    this.#nameWidth = Math.max(
      this.#nameWidth,
      Math.min(width(shownName), MAX_NAME_WIDTH),
    );
    const time = this.#time(at);
    if (type === "said") {
      const padded = padCells(shownName, this.#nameWidth);
      const style = own ? Style.bold : colourOf(key);
      return `${time}  ${this.#paint(style, padded)} ${escapeText(text)}`;
    }
    const why = type === "left" && text !== "left"
      ? ` (${escapeText(wording(GOODBYES, text))})`
      : "";
    const indent = " ".repeat(this.#nameWidth + 1);
    const move = this.#paint(Style.dim, `${shownName} ${type}${why}`);
    return `${time}  ${indent}${move}`;
  }

  #refused(text: string, reason: string): string {
    return `${this.#warning} Not sent: ${quote(text)}: ${escapeText(reason)}`;
  }

  #away(reason: string, seconds: number): string[] {
    // Attempts go on for as long as the server is away; only what is new is worth a line.
    if (reason === this.#awayFor) return [];
    this.#awayFor = reason;
    const sentence = escapeText(
      reason.charAt(0).toUpperCase() + reason.slice(1),
    );
    const next = `Trying again in ${Math.ceil(seconds)} s`;
    return [
      `${
        this.#time(this.#now())
      }  ${this.#warning} ${sentence}. ${next}; what you type is kept.`,
    ];
  }

  get #warning(): string {
    return this.#paint(Style.yellow, "⚠");
  }

  /** A rule with the day, where that is another than before. */
  #dayRule(at: number): string[] {
    const day = this.#dayOf(at);
    if (day === this.#day) return [];
    this.#day = day;
    // After midnight, "today" further up would be wrong: the word is for the day on which this began.
    return [this.#rule(day === this.#firstDay ? "today" : day)];
  }

  /** The day as "Monday 23 November 2026", whatever commas the runtime's tables put in. */
  #dayOf(at: number): string {
    return this.#calendar.formatToParts(at)
      .filter(({ type }) => type !== "literal")
      .map(({ value }) => value).join(" ");
  }

  #rule(label: string): string {
    // One cell less than there are: a full row would wrap in some terminals.
    const start = `── ${label} `;
    const rest = Math.max(0, this.#columns() - 1 - width(start));
    return this.#paint(Style.dim, start + "─".repeat(rest));
  }

  /** Hours and minutes. */
  #time(at: number): string {
    return this.#paint(Style.dim, this.#clock.format(at));
  }
}

type NewsOf<T extends News["type"]> = Extract<News, { type: T }>;

function messages(count: number, which = ""): string {
  return `${count} ${which}message${count === 1 ? "" : "s"}`;
}
