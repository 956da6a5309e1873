/**
 * The words of the prompt: who one is, where the connection stands, and how far the files are.
 *
 * @module
 */

import type { FileNews, Standing } from "../view.ts";
import { escapeText } from "../../base/safe_text.ts";
import { cut } from "./cells.ts";

/** How long a line may be under way, ms, before the prompt says that it is. */
const PATIENCE = 1_000;
const SECOND = 1_000;
/** The cells of a progress bar, and of the name before it. */
const BAR = 10;
const MAX_FILE_NAME = 16;

/** What a prompt is made of. */
export interface PromptOptions {
  /** The time, ms since 1970. */
  readonly now: () => number;
  /** How long a line may be under way, ms, before the prompt says that it is. Default: 1,000. */
  readonly patience?: number;
  /** Called when the words are others than before. */
  readonly changed: () => void;
}

/** The prompt of a client, which changes with time while it isn't connected. */
export class Prompt {
  readonly #options: PromptOptions;
  readonly #files = new Map<number, FileNews>(); // that are being taken, by the offer's number
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

  /** Whether the client is connected, and in the room. */
  get connected(): boolean {
    return this.#standing?.connected ?? false;
  }

  /** How many are in the room; 0 while the client isn't. */
  get members(): number {
    return this.#standing?.members ?? 0;
  }

  /** Where the client stands now. */
  stand(standing: Standing): void {
    this.#standing = standing;
    if (standing.connected) {
      this.#wasInside = true;
      this.#stopCountdown();
    }
    if (!standing.connected || standing.waiting === 0) {
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

  /** Counts down to the next attempt. @param seconds Until it. */
  disconnected(seconds: number): void {
    this.#nextTry = this.#options.now() + seconds * SECOND;
    this.#countdown ??= setInterval(() => {
      if (this.#secondsLeft === 0) this.#stopCountdown();
      this.#options.changed();
    }, SECOND);
    this.#options.changed();
  }

  /** A file is further than before, or has come or failed. */
  file(news: FileNews): void {
    if (news.state === "taken" || news.state === "failed") {
      this.#files.delete(news.offer);
    } else this.#files.set(news.offer, news);
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
    const { name, connected, members, waiting } = this.#standing;
    const { sealed, differs } = this.#standing;
    const remarks: string[] = sealed ? ["sealed"] : [];
    if (differs) remarks.push("history differs");
    // Who is alone needs no number.
    if (connected && members > 1) remarks.push(`${members} here`);
    if (!connected) {
      remarks.push(this.#wasInside ? "not connected" : "joining…");
    }
    if (this.#secondsLeft > 0) {
      remarks.push(`next try in ${this.#secondsLeft} s`);
    }
    if (waiting > 0 && (!connected || this.#late)) {
      remarks.push(`${waiting} waiting`);
    }
    if (this.#files.size > 0) remarks.push(progress([...this.#files.values()]));
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

/** How far files are, all together: `hut.jpg ▓▓▓▓░░░░░░ 42 %`. */
function progress(files: readonly FileNews[]): string {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const got = files.reduce((sum, file) => sum + file.got, 0);
  const part = size === 0 ? 1 : got / size;
  const full = Math.floor(part * BAR);
  const bar = "▓".repeat(full) + "░".repeat(BAR - full);
  const [first] = files;
  const what = files.length === 1 && first
    ? cut(escapeText(first.name), MAX_FILE_NAME)
    : `${files.length} files`;
  return `${what} ${bar} ${Math.floor(part * 100)} %`;
}
