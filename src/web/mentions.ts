/**
 * What this person is meant by, as a page finds it in messages.
 *
 * @module
 */

import { finder, NO_WORDS, settingWords } from "../client/text/mentions.ts";
import type { News } from "../client/view.ts";
import { isLine, isMessage } from "./rows.ts";

/** Finds where a person is meant: by its name, or a word of its own. */
export class Mentions {
  readonly #words: () => string;
  #name = "";
  #key = ""; // the words of the pattern
  #pattern: RegExp | undefined;

  /** Finds nothing so far. @param words The person's words, as the terminal's setting has them. */
  constructor(words: () => string = () => NO_WORDS) {
    this.#words = words;
  }

  /** The person goes by a name. */
  named(name: string): void {
    this.#name = name;
  }

  /** Finds it in a text; undefined where nothing is looked for. */
  get pattern(): RegExp | undefined {
    const words = settingWords(this.#words());
    if (this.#name !== "") words.push(this.#name);
    const key = words.join(",");
    if (key !== this.#key) {
      this.#key = key;
      this.#pattern = finder(words);
    }
    return this.#pattern;
  }

  /** Whether somebody else says something in which the person is meant, or to it alone. */
  isIn(news: News): boolean {
    if (news.type === "private") return !news.own;
    if (!isLine(news) || !isMessage(news) || news.own) return false;
    return news.type !== "offered" && this.pattern?.test(news.text) === true;
  }
}
