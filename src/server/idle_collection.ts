/**
 * Collects garbage while the server rests. V8 keeps what a burst leaves behind until it needs the place, so that an idle
 * member would cost three times what is held for it.
 *
 *     busy ── nothing said, nobody on the way in ──▶ at rest ── memory has grown since the last time ──▶ collected
 *
 * Needs V8's flag `--expose-gc`, which the task and the executables set. Without it garbage stays as long as V8 wants.
 *
 * @module
 */

/**
 * The pause between two looks, ms: the server rests where nothing has happened between them. Longer than newcomers are
 * gathered.
 */
const PERIOD = 1_000;
/** How much V8 must have taken since the last collection, bytes: less isn't worth one. */
const LEAST_GROWTH = 16 * 1_048_576;
/** How long none follows, as a multiple of the time that one took: all of them take 5 % at most. */
const RESTS = 20;

/** V8's function. This flavor alone gives memory back to the system at once. */
type Gc = (options: { type: "major"; flavor: "last-resort" }) => void;

/** When to collect, and what. */
export interface IdleCollectionOptions {
  /** Another number whenever something has happened. */
  readonly activity: () => number;
  /** Whether somebody is on the way in. */
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
  #kept: number; // after the last collection, bytes
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
    this.#kept = size();
    if (collect) this.#timer = setInterval(() => this.look(), PERIOD);
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
    const start = this.#now();
    if (!isResting || start < this.#notBefore) return;
    if (this.#size() < this.#kept + LEAST_GROWTH) return;
    this.#collect?.();
    this.#kept = this.#size();
    const end = this.#now();
    this.#notBefore = end + RESTS * (end - start);
  }
}

function ownCollection(): (() => void) | undefined {
  const { gc } = globalThis as { readonly gc?: Gc };
  return gc && (() => gc({ type: "major", flavor: "last-resort" }));
}
