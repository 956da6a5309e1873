/**
 * The view for a person at a terminal: what is typed, asked, pasted and shown.
 *
 * Output rules: everything goes to the one stream that it is given, the terminal (stdout); stderr isn't touched. A
 * line that is sent is cleared, because it comes back from the server as an event; while the connection is lost it
 * stays, for nothing else shows that it was taken.
 *
 * @module
 */

import type { Readable } from "node:stream";
import type { CompletionSources } from "./completion.ts";
import { complete } from "./tab_completion.ts";
import { type Features, NO_FEATURES } from "./features.ts";
import { Ignored } from "../ignored.ts";
import { InputHistory } from "./input_history.ts";
import {
  cleanPaste,
  MARK_NO_PASTES,
  MARK_PASTES,
  PasteSplitter,
} from "./paste.ts";
import { offerPaste, type PasteOffer } from "./paste_offer.ts";
import { LineEditor, type Screen } from "./line_editor.ts";
import type { News, Standing, View } from "../view.ts";
import { Notifier } from "./notifier.ts";
import { type Paragraph, plainText, rowsOf } from "./paragraph.ts";
import { Prompt } from "./prompt.ts";
import { Settings } from "./settings.ts";
import { Scrollback } from "./scrollback.ts";
import { escapeText } from "../../base/safe_text.ts";
import { Theme } from "./theme.ts";
import { Transcript } from "./transcript.ts";
import { TypedLines } from "./typed_lines.ts";

/** How many lines the up arrow can bring back if no history is kept. */
const HISTORY_SIZE = 200;

/** The answer to Ctrl-Z when it comes as a key. */
const NO_STOP =
  "Ctrl-Z cannot stop a client that deno task runs, only a compiled one";

const ESCAPE = "\x1b";
const CTRL_C = "\x03";
const CTRL_D = "\x04";

/** What a terminal view is made of. */
export interface TerminalOptions extends CompletionSources {
  /** Keys, as the terminal sends them. */
  readonly input: Readable;
  /** The terminal, with its present width in cells. */
  readonly output: Screen;
  /** Turns the terminal's own editing off and on; left out if there is no such thing. */
  readonly raw?: (on: boolean) => void;
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** The time zone for times (IANA name). Default: the machine's. */
  readonly zone?: string;
  /** Whether to use colours; they say nothing that the text doesn't. */
  readonly colour: boolean;
  /** What the terminal can do. Default: nothing that not every terminal can. */
  readonly features?: Features;
  /** How long a line may be under way, ms, before the prompt says that it is. Default: 1,000. */
  readonly patience?: number;
  /** What the person has set. Default: the defaults of all settings. */
  readonly settings?: Settings;
  /** What was typed in earlier runs. Default: nothing, and nothing is kept. */
  readonly history?: InputHistory;
}

/** The view for a person at a terminal. */
export class TerminalView implements View {
  readonly #options: TerminalOptions;
  readonly #settings: Settings;
  readonly #history: InputHistory;
  readonly #ignored: Ignored;
  readonly #editor: LineEditor;
  readonly #theme: Theme;
  readonly #transcript: Transcript;
  readonly #notifier: Notifier;
  readonly #prompt: Prompt;
  readonly #scrollback = new Scrollback();
  readonly #typed = new TypedLines();
  #offer: PasteOffer | undefined;
  #ended = false;

  /** Takes over the terminal, until `close()`. */
  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#settings = options.settings ?? new Settings();
    this.#history = options.history ?? InputHistory.none(HISTORY_SIZE);
    this.#ignored = options.ignored ?? new Ignored();
    const { now, zone, colour, patience, input, output } = options;
    this.#editor = new LineEditor({
      output,
      history: this.#history.lines,
      historySize: this.#history.size,
      complete: (typed) => complete(typed, options),
      typed: (line) => this.#submitted(line),
      ended: () => this.#end(),
      notStopped: () => this.note(NO_STOP),
    });
    this.#editor.onHistory((history) => {
      // A name isn't something to say again.
      if (this.#typed.question !== undefined) history.shift();
    });
    this.#theme = new Theme(this.#settings, colour);
    this.#transcript = new Transcript({
      now,
      zone,
      theme: this.#theme,
      settings: this.#settings,
      columns: () => this.columns,
    });
    this.#notifier = new Notifier({
      write: (sequence) => void output.write(sequence),
      settings: this.#settings,
      features: this.#features,
    });
    this.#prompt = new Prompt({
      now,
      ...(patience === undefined ? {} : { patience }),
      changed: () => this.#showPrompt(),
    });
    const splitter = new PasteSplitter({
      keys: (keys) => this.#pressed(keys),
      paste: (text) => this.#pasted(text),
    });
    this.#takeOver();
    input.on("data", (bytes) => splitter.push(bytes));
    input.on("end", () => this.#end());
    // A terminal that is gone can't be told; its input ends as well, or has.
    output.on("error", () => this.#end());
  }

  /** Everything that was shown, for `/save`. */
  get scrollback(): Scrollback {
    return this.#scrollback;
  }

  /** The width of the terminal, cells. */
  get columns(): number {
    return this.#editor.columns;
  }

  /** Writes a piece of news above the line being typed, unless it comes from somebody who is ignored. */
  show(news: News): void {
    const wanted = this.#ignored.filter(news);
    if (wanted === null) return;
    this.#write(this.#transcript.render(wanted));
    if (!this.#ended) this.#draw(wanted);
    if (news.type === "disconnected") this.#prompt.disconnected(news.seconds);
    if (news.type === "file" && !this.#ended) this.#prompt.file(news);
  }

  /** Draws the person's attention, where it should. */
  #draw(news: News): void {
    if (news.type === "entered") this.#notifier.enter(news.address, news.name);
    this.#notifier.tell(news, this.#transcript.mentions(news));
  }

  /** Shows name, connection and waiting lines in the prompt. */
  stand(standing: Standing): void {
    if (!this.#ended) this.#prompt.stand(standing);
  }

  /** Writes the lines of the text above the line being typed. */
  note(text: string): void {
    this.#write(this.#transcript.note(text));
  }

  /** Asks with the question as the prompt; empty answers don't count. Null once the input has ended. */
  ask(question: string): Promise<string | null> {
    const answer = this.#typed.ask(escapeText(question));
    this.#showPrompt();
    return answer;
  }

  /** The lines that are typed and aren't empty, until Ctrl-C, Ctrl-D or the end of the input. */
  lines(): AsyncGenerator<string> {
    return this.#typed.lines();
  }

  /** Does what Ctrl-C does, when it comes as a signal. */
  interrupt(): void {
    this.#pressed(CTRL_C);
  }

  /** Draws the line again, at the width that the terminal has now. */
  resized(): void {
    if (!this.#ended) this.#editor.redraw();
  }

  /** Takes over the terminal again, after it was another program's. */
  resumed(): void {
    if (this.#ended) return;
    this.#takeOver();
    this.#editor.drawHere();
  }

  /** Clears the prompt and gives the terminal back. What is shown after that is written as it comes. */
  close(): void {
    this.#end();
  }

  #takeOver(): void {
    this.#options.raw?.(true);
    this.#options.output.write(MARK_PASTES);
    this.#notifier.begin();
  }

  get #features(): Features {
    return this.#options.features ?? NO_FEATURES;
  }

  #showPrompt(): void {
    if (!this.#ended) this.#editor.setPrompt(this.#words);
  }

  /** What stands before the line being typed. */
  get #words(): string {
    return this.#offer?.prompt ?? this.#typed.question ?? this.#prompt.text;
  }

  #pressed(keys: string): void {
    if (this.#ended) return;
    this.#notifier.seen();
    if (!this.#offer) this.#editor.press(keys);
    else if (keys === "\r" || keys === "\n") this.#accept(this.#offer);
    else if ([ESCAPE, CTRL_C, CTRL_D].includes(keys)) this.#drop(this.#offer);
    // Any other key would be for a line that isn't on the screen.
  }

  /** Many lines at once are one message, if at all. */
  #pasted(pasted: string): void {
    const text = cleanPaste(pasted);
    if (this.#ended || this.#offer || text === "") return;
    if (this.#typed.question !== undefined || !text.includes("\n")) {
      this.#editor.insert(text.replaceAll("\n", " "));
      return;
    }
    this.#offer = offerPaste(text, this.#editor);
    this.#editor.exchange(this.#words, "", 0);
  }

  #accept({ text, summary }: PasteOffer): void {
    this.#offer = undefined;
    this.#editor.exchange(this.#words, "", 0);
    if (!this.#prompt.connected) {
      this.#editor.print([this.#prompt.text + summary]);
    }
    this.#take(text);
  }

  #drop({ line, cursor }: PasteOffer): void {
    this.#offer = undefined;
    this.#editor.exchange(this.#words, line, cursor);
  }

  /** Enter was pressed: the cursor stands at the start of the row below what was typed. */
  #submitted(line: string): void {
    const empty = line.trim() === "";
    const stays = !empty &&
      (this.#typed.question !== undefined || !this.#prompt.connected);
    if (!stays) this.#editor.erase(line);
    if (!empty) {
      if (this.#typed.question === undefined) this.#history.add(line);
      this.#take(line);
    }
    this.#showPrompt();
  }

  #take(line: string): void {
    if (this.#typed.push(line)) return;
    const reason = "Too many lines are waiting";
    this.show({ type: "refused", text: line, reason, detail: "" });
  }

  #write(paragraphs: readonly Paragraph[]): void {
    const { columns } = this;
    const styles = this.#theme.isOn;
    const links = styles && this.#features.links;
    const canvas = { columns, styles, links };
    this.#scrollback.add(paragraphs.map((it) => plainText(it, columns)));
    this.#editor.print(paragraphs.flatMap((it) => rowsOf(it, canvas)));
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#prompt.close();
    this.#editor.close();
    this.#options.input.pause();
    this.#options.output.write(MARK_NO_PASTES);
    this.#notifier.end();
    this.#options.raw?.(false);
    this.#typed.end();
  }
}
