/**
 * The view for a person at a terminal that takes no escape sequences, as in Emacs' shell: `TERM` is "dumb" or unset.
 *
 * Output rules: everything goes to stdout, a row at a time; nothing is coloured, redrawn or rung. There is no prompt
 * but a question's, and the terminal itself edits the line.
 *
 * @module
 */

import type { Ignored } from "../ignored.ts";
import { type PipeOptions, PipeView } from "../pipe/pipe_view.ts";
import type { News } from "../view.ts";
import { type Paragraph, plainText } from "./paragraph.ts";
import { screenRows } from "./rows.ts";
import { Scrollback } from "./scrollback.ts";
import { Theme } from "./theme.ts";
import { Transcript, type TranscriptOptions } from "./transcript.ts";

/** What the view is made of. */
export interface DumbOptions
  extends Omit<PipeOptions, "errors">, Omit<TranscriptOptions, "theme"> {
  /** Whom the person doesn't want to read. */
  readonly ignored: Ignored;
}

/** The view for a person at a terminal without escape sequences. */
export class DumbView extends PipeView {
  /** Everything that was shown, for `/save`. */
  readonly scrollback: Scrollback = new Scrollback();
  readonly #transcript: Transcript;
  readonly #ignored: Ignored;
  readonly #columns: () => number;

  /** Reads nothing until it is asked. */
  constructor(options: DumbOptions) {
    const { output, settings, ignored, columns } = options;
    super({ ...options, errors: output, questions: output });
    const theme = new Theme(settings, false);
    this.#transcript = new Transcript({ ...options, theme });
    this.#ignored = ignored;
    this.#columns = columns;
  }

  /** The width of the terminal, cells. */
  get columns(): number {
    return this.#columns();
  }

  /** Writes a piece of news, unless it comes from somebody who is ignored. */
  override show(news: News): void {
    const wanted = this.#ignored.filter(news);
    if (wanted !== null) this.#write(this.#transcript.render(wanted));
  }

  /** Writes the lines of the text. */
  override note(text: string): void {
    this.#write(this.#transcript.note(text));
  }

  #write(paragraphs: readonly Paragraph[]): void {
    const { columns } = this;
    const canvas = { columns, styles: false, links: false };
    this.scrollback.add(paragraphs.map((it) => plainText(it, columns)));
    for (const row of screenRows(paragraphs, canvas)) this.print(row);
  }
}
