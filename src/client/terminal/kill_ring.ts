/**
 * The texts that were cut out of the line, so that they can be put in again.
 *
 * @module
 */

/** How many texts are kept. */
const MAX_TEXTS = 60;

/** What was cut out, newest last; one of them is the next to be put in. */
export class KillRing {
  readonly #texts: string[] = [];
  #at = -1; // which is put in next

  /** Keeps a text that was cut out. */
  add(text: string): void {
    this.#texts.push(text);
    if (this.#texts.length > MAX_TEXTS) this.#texts.shift();
    this.#at = this.#texts.length - 1;
  }

  /** Joins a text to the one that was cut out last, before or behind it. */
  join(text: string, where: "before" | "behind"): void {
    const last = this.#texts.pop() ?? "";
    this.add(where === "before" ? text + last : last + text);
  }

  /** The text to be put in; undefined if none was cut out. */
  get text(): string | undefined {
    return this.#texts[this.#at];
  }

  /** Goes to the text before; behind the oldest comes the newest. */
  turn(): void {
    const count = this.#texts.length;
    if (count > 0) this.#at = (this.#at + count - 1) % count;
  }
}
