/**
 * The view for a person at a terminal: what is typed, asked, pasted and shown.
 *
 * Output rules: everything goes to the one stream that it is given, the terminal (stdout); stderr isn't touched. A
 * line that is sent is cleared, because it comes back from the server as an event; while the connection is lost it
 * stays, for nothing else shows that it was taken.
 *
 * @module
 */

import { complete, type TabSources } from "./tab_completion.ts";
import { type Features, NO_FEATURES } from "./features.ts";
import { Ignored } from "../ignored.ts";
import { InputHistory } from "./input_history.ts";
import {
  cleanPaste,
  InputSplitter,
  type Later,
  later,
  MARK_NO_PASTES,
  MARK_PASTES,
} from "./input_splitter.ts";
import type { Screen } from "./draft_painter.ts";
import { LineEditor } from "./line_editor.ts";
import type { News, Standing, TypedView } from "../view.ts";
import { Notifier } from "./notifier.ts";
import { type Paragraph, plainText } from "./paragraph.ts";
import { Prompt } from "./prompt.ts";
import { screenRows } from "./rows.ts";
import { Settings } from "./settings.ts";
import { Scrollback } from "./scrollback.ts";
import { notStopped } from "../../base/program.ts";
import { escapeText } from "../../base/safe_text.ts";
import { ASK_BACKGROUND, Theme } from "./theme.ts";
import { Transcript } from "./transcript.ts";
import { TypedLines } from "./typed_lines.ts";

/** How many lines the up arrow can bring back if no history is kept. */
const HISTORY_SIZE = 200;

/** The prompt after Ctrl-C where nothing is typed. */
const LEAVES_NEXT = "Press Ctrl-C again to leave ";
/** How long the next Ctrl-C leaves then, ms. */
const LEAVES_WITHIN = 5_000;

/** What a terminal view is made of. */
export interface TerminalOptions extends TabSources {
  /** The terminal, with its present size in cells. */
  readonly output: Screen;
  /** Whether the terminal breaks its rows anew when it gets narrower. Default: it does, as most do. */
  readonly rebreaks?: boolean;
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
  /** Calls back after a while, to end a wait for keys. Default: by the system's clock. */
  readonly later?: Later;
}

/** The view for a person at a terminal. */
export class TerminalView implements TypedView {
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
  readonly #over = Promise.withResolvers<void>();
  readonly #splitter: InputSplitter;
  #stayOn: (() => void) | undefined; // there while the next Ctrl-C leaves: ends that
  #ended = false;

  /** Takes over the terminal, until `close()`. */
  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#settings = options.settings ?? new Settings();
    this.#history = options.history ?? InputHistory.none(HISTORY_SIZE);
    this.#ignored = options.ignored ?? new Ignored();
    const { now, zone, colour, patience, output } = options;
    const history = this.#history;
    const isAsking = () => this.#isAsking;
    this.#editor = new LineEditor({
      output,
      rebreaks: options.rebreaks ?? true,
      history: {
        get lines() {
          return isAsking() ? [] : history.lines; // none of it is an answer
        },
      },
      complete: (typed) =>
        isAsking() ? { words: [], replaced: "" } : complete(typed, options),
      takesLines: () => !this.#isAsking,
      typed: (text) => this.#submitted(text),
      interrupted: () => this.#interrupted(),
      ended: () => this.#end(),
      notStopped: () => this.note(notStopped("client")),
    });
    this.#theme = new Theme(this.#settings, colour);
    this.#transcript = new Transcript({
      now,
      zone,
      theme: this.#theme,
      settings: this.#settings,
      columns: () => this.columns,
      members: () => this.#prompt.members,
    });
    this.#notifier = new Notifier({
      write: (sequence) => output.write(sequence),
      settings: this.#settings,
      features: this.#features,
    });
    this.#prompt = new Prompt({
      now,
      ...(patience === undefined ? {} : { patience }),
      changed: () => this.#showPrompt(),
    });
    this.#splitter = new InputSplitter({
      text: (text) => this.#typing(() => this.#editor.type(text)),
      key: (name) => this.#pressed(name),
      paste: (text) => this.#typing(() => this.#editor.paste(cleanPaste(text))),
      focus: (on) => this.#notifier.focus(on),
      answer: (text) => this.#theme.answer(text),
    }, options.later);
    this.#takeOver();
    // A terminal that is gone can't be told; its input ends as well, or has.
    output.gone.then(() => this.#end());
  }

  /** Resolves when nothing is typed any more. */
  get ended(): Promise<void> {
    return this.#over.promise;
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
    if (this.#ended) return;
    this.#draw(wanted);
    if (news.type === "disconnected") this.#prompt.disconnected(news.seconds);
    if (news.type === "file") this.#prompt.file(news);
  }

  /** Draws the person's attention, where it should. */
  #draw(news: News): void {
    if (news.type === "entered") this.#notifier.enter(news.address, news.name);
    if (news.type === "renamed" && news.own) this.#notifier.rename(news.text);
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

  /**
   * Asks with the question as the prompt. Null once the input has ended.
   * @param preset What an empty answer stands for. Default: it doesn't count.
   */
  ask(question: string, preset?: string): Promise<string | null> {
    const answer = this.#typed.ask(escapeText(question), preset);
    this.#showPrompt();
    return answer;
  }

  /** The lines that are typed and aren't empty, until Ctrl-C, Ctrl-D or the end of the input. */
  lines(): AsyncGenerator<string> {
    return this.#typed.lines();
  }

  /** Takes keys, as the terminal sends them; null at the end of the input. */
  received(bytes: Uint8Array | null): void {
    if (bytes === null) this.#end();
    else this.#editor.together(() => this.#splitter.push(bytes));
  }

  /** Does what Ctrl-C does, when it comes as a signal. */
  interrupt(): void {
    if (!this.#splitter.interrupt()) this.#pressed("ctrl-c");
  }

  /** Clears the screen, but for the line being typed; what was shown can still be scrolled to. */
  clear(): void {
    if (!this.#ended) this.#editor.clear();
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
    if (this.#features.sequences && this.#options.colour) {
      this.#options.output.write(ASK_BACKGROUND);
    }
  }

  get #features(): Features {
    return this.#options.features ?? NO_FEATURES;
  }

  #showPrompt(): void {
    if (!this.#ended) this.#editor.setPrompt(this.#words);
  }

  /** Whether what is typed answers a question. */
  get #isAsking(): boolean {
    return this.#typed.question !== undefined;
  }

  /** What stands before the line being typed. */
  get #words(): string {
    if (this.#stayOn) return LEAVES_NEXT;
    return this.#typed.question ?? this.#prompt.text;
  }

  #pressed(name: string): void {
    this.#typing(() => this.#editor.press(name), name !== "ctrl-c");
  }

  /** Something is typed. @param stays Whether it says that nobody wants to leave. */
  #typing(type: () => void, stays = true): void {
    if (this.#ended) return;
    this.#notifier.seen();
    if (stays) this.#stayOn?.();
    type();
  }

  /** Ctrl-C was pressed, and nothing is typed. */
  #interrupted(): void {
    if (this.#stayOn || this.#isAsking) return this.#end();
    const wait = this.#options.later ?? later;
    const stop = wait(() => this.#stayOn?.(), LEAVES_WITHIN);
    this.#stayOn = () => {
      stop();
      this.#stayOn = undefined;
      this.#showPrompt();
    };
    this.#showPrompt();
  }

  /** Enter was pressed: what was typed is off the screen. */
  #submitted(typed: string): void {
    const text = typed.trim() === "" ? this.#typed.preset : typed;
    if (text !== "") {
      const isAnswer = this.#isAsking;
      if (isAnswer || !this.#prompt.connected) this.#editor.keep(text);
      // A name isn't something to say again.
      if (!isAnswer) this.#history.add(text);
      this.#take(text);
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
    this.#editor.print(screenRows(paragraphs, canvas));
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stayOn?.();
    this.#prompt.close();
    this.#splitter.close();
    this.#editor.close();
    this.#options.output.write(MARK_NO_PASTES);
    this.#notifier.end();
    this.#options.raw?.(false);
    this.#typed.end();
    this.#over.resolve();
  }
}
