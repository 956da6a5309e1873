/**
 * What this server proposes: one entry at a time is under way, published again until it is known what comes of it.
 *
 *     propose ──▶ sealed, under way ──▶ the stream ──▶ arrived
 *                        └── giveUp: the stream may be lost, or this server is gone ──▶ rejected
 *
 * @module
 */

import { messageOf } from "../../base/error_reason.ts";
import { pause } from "../../base/timing.ts";
import type { Item } from "../batch.ts";
import { diagnostics } from "../diagnostics.ts";
import type { LogEnd } from "./agreement.ts";
import type { EntrySealer, Proposal, SealedEntry } from "./entry.ts";
import { encodeItem } from "./items.ts";
import { type Before, isConditional } from "./judging.ts";
import { StreamError, type Wire } from "./wire.ts";

/** The pause before an entry is published again, ms. */
const RETRY_PAUSE = 250;
/** An own entry that takes longer, ms, tells nothing of the stream's clock. */
const MAX_DELAY = 1_000;

const logger = diagnostics("cluster");

/** What this server has proposed, and doesn't know yet what comes of it. */
export interface UnderWay {
  /** What it holds. */
  readonly items: readonly Item[];
  /** When it was proposed, `performance.now()`. */
  readonly at: number;
}

/** What proposing hangs on. */
export interface ProposerOptions {
  /** Where to. */
  readonly wire: Pick<Wire, "publish">;
  /** What seals it. */
  readonly sealer: EntrySealer;
  /** Is called when `isStuck` has changed. */
  readonly changed: () => void;
  /** Is told of what nobody expects. */
  readonly failed: (error: unknown) => void;
  /** Nothing is published after it. */
  readonly signal: AbortSignal;
}

/** What this server proposes. */
export class Proposer {
  readonly #options: ProposerOptions;
  #underWay: UnderWay | undefined;
  #sealed: SealedEntry | undefined; // what is under way, unless it is still being sealed
  #rejected: readonly Item[] = [];
  #isStuck = false;
  #offset = 0; // of the stream's clock, ms

  /** Nothing is under way. */
  constructor(options: ProposerOptions) {
    this.#options = options;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#underWay === undefined;
  }

  /** Whether something may be proposed. What was rejected comes first, or what its members said after it would overtake it. */
  get isFree(): boolean {
    return this.isIdle && this.#rejected.length === 0;
  }

  /** Whether NATS takes no entries, though it is there, as where most of its servers are down. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** The present time by the stream's clock, ms since 1970. */
  now(): number {
    return Math.round(Date.now() + this.#offset); // as all times that members are told
  }

  /**
   * Proposes things. @param before For which stream, and after which entry they were tried.
   * @param end What this server says of its log by that. Default: nothing.
   */
  propose(
    items: readonly Item[],
    { stream, base }: Pick<Before, "stream" | "base">,
    end: LogEnd = {},
  ): void {
    const underWay = { items, at: performance.now() };
    this.#underWay = underWay;
    this.#sealed = undefined;
    const proposal: Proposal = {
      kind: "proposal",
      stream,
      base: isConditional(items) ? base : null,
      items: items.map(encodeItem),
      ...end,
    };
    this.#publish(underWay, proposal).catch(this.#options.failed);
  }

  /** Publishes what is under way until it is known what comes of it. */
  async #publish(underWay: UnderWay, proposal: Proposal): Promise<void> {
    const { wire, sealer, signal } = this.#options;
    const sealed = await sealer.seal(proposal);
    if (this.#underWay === underWay) this.#sealed = sealed;
    while (this.#underWay === underWay && !signal.aborted) {
      try {
        await wire.publish(sealed.id, sealed.data);
        return this.#setStuck(false);
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        if (this.#underWay === underWay) this.#setStuck(true);
        logger.debug("{why}", { why: messageOf(error) });
        await pause(RETRY_PAUSE);
      }
    }
  }

  /**
   * An entry of this server has come out of the stream. @param k Its number. @param at The stream's time of it, ms since 1970.
   * @returns What was under way, if it is that.
   */
  arrived(k: number, at: number): UnderWay | undefined {
    if (this.#sealed?.k !== k) return undefined;
    const underWay = this.#end();
    if (underWay) this.#setClock(at, underWay);
    return underWay;
  }

  /** What comes of what is under way isn't waited for any more: its things are rejected, to be sealed anew. */
  giveUp(): void {
    const underWay = this.#end();
    if (underWay) this.reject(underWay);
  }

  /** Something comes to nothing. */
  reject({ items }: UnderWay): void {
    // Those come again, if need be.
    const rejected = items.filter(({ kind }) =>
      kind !== "server" && kind !== "gone"
    );
    this.#rejected = [...this.#rejected, ...rejected];
  }

  /** Things that came to nothing; empty when asked again. */
  rejected(): readonly Item[] {
    const rejected = this.#rejected;
    this.#rejected = [];
    return rejected;
  }

  #end(): UnderWay | undefined {
    const underWay = this.#underWay;
    this.#underWay = this.#sealed = undefined;
    if (underWay) this.#setStuck(false);
    return underWay;
  }

  #setStuck(is: boolean): void {
    if (is === this.#isStuck) return;
    this.#isStuck = is;
    this.#options.changed();
  }

  /** The stream's clock, as far as an entry that has just been published tells it. */
  #setClock(at: number, { at: proposedAt }: UnderWay): void {
    const delay = performance.now() - proposedAt;
    if (delay < MAX_DELAY) this.#offset = at - (Date.now() - delay / 2);
  }
}
