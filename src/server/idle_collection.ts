/**
 * Collects garbage while the server rests. V8 keeps what a burst leaves behind until it needs the place, so that an idle
 * member would cost three times what is held for it.
 *
 *     busy ── nobody asks for anything, is on the way in or takes a file ──▶ at rest
 *     at rest ── memory has grown ──▶ collected ── a second later, still at rest ──▶ collected again: no more until busy
 *
 * Two short collections, since the first one lets go of buffers that only the next one frees. V8 gives the pages back
 * within 8 s. Its "last-resort", which does so at once, takes four times as long in one piece (PROFILE.md). What idle
 * members' signs of life leave behind is left to V8, which collects that step by step.
 *
 * Needs V8's flag `--expose-gc`, which the task and the executables set. Without it garbage stays as long as V8 wants.
 * They set `--max-semi-space-size`, too: young objects then take 12 MiB, less than what is worth a collection.
 *
 * @module
 */

import { diagnostics } from "./diagnostics.ts";

/**
 * The pause between two looks, ms: the server rests where nothing has happened between them. Longer than newcomers are
 * gathered.
 */
const PERIOD = 1_000;
/** What V8 must have taken since the last collection, bytes, and as a part of what it had then: less isn't worth one. */
const LEAST_GROWTH = 16 * 1_048_576;
const LEAST_PART = 1 / 2;
/** Collections in one rest. */
const PIECES = 2;
/** How long none follows, as a multiple of the time that one took: all of them take 5 % at most. */
const RESTS = 20;

const logger = diagnostics("collection");

/** V8's function. */
type Gc = (options: { type: "major" }) => void;

/** When to collect, and what. */
export interface IdleCollectionOptions {
  /** Another number whenever something has happened. */
  readonly activity: () => number;
  /** Whether something is under way that must not wait. */
  readonly expecting: () => boolean;
  /** How much memory V8 has taken, bytes. Default: that of this process. */
  readonly size?: () => number;
  /** Collects. Default: V8's function; undefined where there is none. */
  readonly collect?: (() => void) | undefined;
  /** The time, ms. Default: `performance.now`. */
  readonly now?: () => number;
}

/** Looks once a second, until it is disposed of. */
export class IdleCollection implements Disposable {
  readonly #activity: () => number;
  readonly #expecting: () => boolean;
  readonly #size: () => number;
  readonly #collect: (() => void) | undefined;
  readonly #now: () => number;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #seen = NaN; // of the activity
  #least: number; // since the last collection, bytes
  #due = 0; // collections in this rest
  #notBefore = 0; // a time, ms

  /** Begins to look. */
  constructor(
    {
      activity,
      expecting,
      size = () => Deno.memoryUsage().heapTotal,
      collect = ownCollection(),
      now = () => performance.now(),
    }: IdleCollectionOptions,
  ) {
    this.#activity = activity;
    this.#expecting = expecting;
    this.#size = size;
    this.#collect = collect;
    this.#now = now;
    this.#least = size();
    if (!collect) return;
    logger.debug("Garbage is collected when nobody asks for anything");
    this.#timer = setInterval(() => this.look(), PERIOD);
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Collects, if nothing has happened since the last look and it is worth while. */
  look(): void {
    const activity = this.#activity();
    const isResting = activity === this.#seen && !this.#expecting();
    this.#seen = activity;
    const size = this.#size();
    this.#least = Math.min(this.#least, size); // V8 gives back later
    if (!isResting) this.#due = PIECES;
    const start = this.#now();
    if (!isResting || this.#due === 0 || start < this.#notBefore) return;
    const worth = Math.max(LEAST_GROWTH, LEAST_PART * this.#least);
    if (this.#due === PIECES && size - this.#least < worth) return;
    this.#collect?.();
    this.#due--;
    this.#least = this.#size();
    const time = this.#now() - start;
    this.#notBefore = start + time + RESTS * time;
    logger.debug("Garbage collected in {time} ms", { time: Math.ceil(time) });
  }
}

function ownCollection(): (() => void) | undefined {
  const { gc } = globalThis as { readonly gc?: Gc };
  return gc && (() => gc({ type: "major" }));
}
