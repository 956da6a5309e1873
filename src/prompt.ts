/**
 * The words of the prompt: who one is, and where the connection stands. Knows nothing of what is typed after it.
 *
 * @module
 */

import type { Standing } from "./news.ts";
import { escapeText } from "./text.ts";

/** How long a line may be under way, ms, before the prompt says that it is. */
const PATIENCE = 1_000;
const SECOND = 1_000;

/** What a prompt is made of. */
export interface PromptOptions {
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** How long a line may be under way, ms, before the prompt says that it is; 1,000 where it is left out. */
  readonly patience?: number;
  /** Called when the words are others than before. */
  readonly changed: () => void;
}

/** The prompt of a client, which changes with time while it is away. */
export class Prompt {
  readonly #options: PromptOptions;
  #standing: Standing | undefined;
  #wasInside = false;
  #nextTry = 0; // ms since 1970
  #late = false;
  #lateTimer: ReturnType<typeof setTimeout> | undefined;
  #countdown: ReturnType<typeof setInterval> | undefined;

  /** An empty prompt, until it is told of a standing. */
  constructor(options: PromptOptions) {
    this.#options = options;
  }

  /** Where the client stands now. */
  stand(standing: Standing): void {
    this.#standing = standing;
    if (standing.present) {
      this.#wasInside = true;
      this.#stopCountdown();
    }
    if (!standing.present || standing.waiting === 0) {
      clearTimeout(this.#lateTimer);
      this.#lateTimer = undefined;
      this.#late = false;
    } else {
      // Most lines are back at once; a prompt that changed and changed back would only disturb.
      this.#lateTimer ??= setTimeout(() => {
        this.#late = true;
        this.#options.changed();
      }, this.#options.patience ?? PATIENCE);
    }
    this.#options.changed();
  }

  /** The next attempt to come back is in so many seconds, which are counted down. */
  away(seconds: number): void {
    this.#nextTry = this.#options.now() + seconds * SECOND;
    this.#countdown ??= setInterval(() => {
      if (this.#secondsLeft === 0) this.#stopCountdown();
      this.#options.changed();
    }, SECOND);
    this.#options.changed();
  }

  /** Stops counting. */
  close(): void {
    clearTimeout(this.#lateTimer);
    this.#stopCountdown();
  }

  /** The prompt with the space after it; empty before anything is known. */
  get text(): string {
    if (!this.#standing) return "";
    const { name, present, here, waiting } = this.#standing;
    const remarks: string[] = [];
    // Who is alone needs no number.
    if (present && here > 1) remarks.push(`${here} here`);
    if (!present) remarks.push(this.#wasInside ? "away" : "joining…");
    if (this.#secondsLeft > 0) {
      remarks.push(`next try in ${this.#secondsLeft} s`);
    }
    if (waiting > 0 && (!present || this.#late)) {
      remarks.push(`${waiting} waiting`);
    }
    const remark = remarks.length > 0 ? ` (${remarks.join(", ")})` : "";
    return `${escapeText(name)}${remark}> `;
  }

  get #secondsLeft(): number {
    if (this.#countdown === undefined) return 0;
    const left = this.#nextTry - this.#options.now();
    return Math.max(0, Math.ceil(left / SECOND));
  }

  #stopCountdown(): void {
    clearInterval(this.#countdown);
    this.#countdown = undefined;
  }
}
