/**
 * Whether the logs of a room's servers have the same lines. A server that comes says which value of the chain its log has
 * at its end; those that are there compare it with that of their own logs.
 *
 *     the one that comes                  those that are in
 *     "server", head, chain         ──▶   look at their value for `head`, once it is counted
 *     lets members in, or stops     ◀──   verdict { head, agrees }
 *
 * Where its log is so long that counting it takes more than some seconds, it says `log-end { head, chain }` later.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { Notify } from "../../base/notify.ts";
import { within } from "../../base/timing.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import { isCount } from "../../protocol/events.ts";
import { requireSameLines, SilentError } from "./catch_up.ts";
import type { Proposal } from "./entry.ts";
import type { Message, Siblings } from "./siblings.ts";

/** How long members wait for the first verdict, ms: servers that were killed give none. */
const PATIENCE = 1_000;
/** How long a server that comes has to take note of a verdict, ms; and how often it is told. */
const NOTING_TIME = 2_000;
const ATTEMPTS = 5;
/** How often it is waited for a long log to be counted; each takes some seconds. */
const COUNTINGS = 120;

/** What an entry says of its server's log; nothing where that isn't counted yet. */
export type LogEnd = Pick<Proposal, "head" | "chain">;

/** What comparing logs hangs on. */
export interface AgreementOptions {
  /** This server's log. */
  readonly log: ChatLog;
  /** The other servers. */
  readonly siblings: Siblings;
  /** Is told, in one sentence, of a server whose log differs. */
  readonly note: (sentence: string) => void;
}

/** Compares this server's log with those of others. */
export class Agreement implements Disposable {
  /** Is called with an `AdvisedError` where this server's log isn't the room's. */
  differs: (error: unknown) => void = () => {};
  readonly #options: AgreementOptions;
  readonly #heard = new Notify(); // a verdict
  #isHeard = false; // since `end` was asked for
  #end: LogEnd | undefined;
  #isCounting = false;
  #isOver = false;

  /** Hears from now on what others say. */
  constructor(options: AgreementOptions) {
    this.#options = options;
    const { siblings } = options;
    siblings.hear("verdict", (message, from) => this.#hear(message, from));
    siblings.hear("log-end", ({ head, chain }, from) => {
      if (!isCount(head) || typeof chain !== "string") return undefined;
      void this.judge({ id: from, address: "" }, { head, chain }); // which never rejects
      return undefined;
    });
  }

  /**
   * What this server says of its log when it comes; undefined while that is counted.
   * @param counted Is called when it is.
   */
  end(counted: () => void): LogEnd | undefined {
    if (!this.#end && !this.#isCounting) {
      this.#isCounting = true;
      void this.#count().then((end) => { // which never rejects
        this.#end = end;
        this.#isCounting = this.#isHeard = false;
        counted();
      });
    }
    return this.#end;
  }

  /**
   * This server is in, and has said `end`. Resolves when another one has looked at that, or there is none that does.
   * @param hasOthers Whether there are other servers.
   */
  async settled(hasOthers: boolean): Promise<void> {
    const isSaid = this.#end?.chain !== undefined;
    this.#end = undefined;
    if (!isSaid) void this.#sayLater(); // which never rejects
    else if (hasOthers && !this.#isHeard) {
      await within(PATIENCE, this.#heard.wait());
    }
  }

  /** Another server is in: looks at what it says of its log, and tells it what comes of that. Never rejects. */
  async judge(
    { id, address }: { readonly id: string; readonly address: string },
    { head, chain }: LogEnd,
  ): Promise<void> {
    if (head === undefined || chain === undefined) return; // it says so later
    const { log, siblings, note } = this.#options;
    await this.#checked();
    const own = await log.chainAt(head);
    // What can't be told isn't held against it: lines of older files that are deleted here.
    const agrees = !own || toBase64url(own) === chain;
    if (!agrees) {
      note(
        `The log of the server${
          address && ` at ${address}`
        } has other lines than the one here, in event ${head} or before: that server is to stop`,
      );
    }
    const options = { time: NOTING_TIME, to: id };
    for (let attempt = 0; attempt < ATTEMPTS && !this.#isOver; attempt++) {
      const noted = await siblings.ask("verdict", { head, agrees }, options);
      if (noted) return;
    }
  }

  /** Compares no more. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#heard.notify(); // nobody waits any more
  }

  /** Another server has looked at this one's log. Where the two differ, finds where. */
  async #hear(
    { head, agrees }: Message,
    from: string,
  ): Promise<Message | undefined> {
    const { siblings, log } = this.#options;
    try {
      if (agrees !== true && isCount(head)) {
        await requireSameLines(siblings, log, from, head);
      }
    } catch (error) {
      if (error instanceof SilentError) return undefined; // it says so again
      this.differs(error);
      return {};
    }
    this.#isHeard = true;
    this.#heard.notify();
    return {};
  }

  /** @returns What can be said now: nothing of a log that is counted for longer. */
  async #count(): Promise<LogEnd> {
    const { log } = this.#options;
    return await log.chainChecked() ? await this.#last() : {};
  }

  async #last(): Promise<LogEnd> {
    const { log } = this.#options;
    const { head } = log;
    const value = await log.chainAt(head);
    return value ? { head, chain: toBase64url(value) } : {};
  }

  async #sayLater(): Promise<void> {
    await this.#checked();
    const end = await this.#last();
    if (end.chain !== undefined && !this.#isOver) {
      this.#options.siblings.tell("log-end", { ...end });
    }
  }

  /** Waits until the log is counted. */
  async #checked(): Promise<void> {
    const { log } = this.#options;
    for (let i = 0; i < COUNTINGS && !this.#isOver; i++) {
      if (await log.chainChecked()) return;
    }
  }
}
