/**
 * How a member of a sealed room says control lines over a connection: one after the other, each with the next count.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { Notify } from "../../base/notify.ts";
import type { Event } from "../../protocol/events.ts";
import { type Control, signControl } from "../../sealed/control_line.ts";
import type { SealedRequest } from "../link.ts";
import type { SealedRoom } from "./sealed_room.ts";

/** Numbers for control lines, above those of other requests. */
const FIRST_NUMBER = 2 ** 40;
/** How often a line is signed again that another machine of the same person came before. */
const MAX_TRIES = 8;

/** A control line before it has its count. */
export type Uncounted = Control extends infer C
  ? C extends Control ? Omit<C, "count"> : never
  : never;

/** Why a line was not said: a key of `REFUSALS`, or "lost" with the connection. */
export type RuleRefusal = string;

/** What leads to the server. */
export interface RuleLink {
  /** Sends requests, in order. */
  send(...requests: readonly SealedRequest[]): Promise<void>;
  /** Resolves when all that was told so far is carried out here. @returns Whether it is; not where the connection ends. */
  sync(): Promise<boolean>;
}

/** Says control lines. */
export class Rules {
  readonly #room: SealedRoom;
  readonly #link: RuleLink;
  readonly #open = new Map<
    number,
    (refused: RuleRefusal | undefined) => void
  >();
  readonly #progress = new Notify(); // another control line was followed, or none is any more
  #next = FIRST_NUMBER;
  #refusal: string | undefined; // of the one that is answered next
  #turn: Promise<unknown> = Promise.resolve();
  #isLost = false;
  #isClosed = false;

  /** Nothing is said so far. */
  constructor(room: SealedRoom, link: RuleLink) {
    this.#room = room;
    this.#link = link;
  }

  /**
   * The content key of now, 32 bytes; undefined where it has not come. It comes right before the line with which it
   * begins to count, and is opened a moment later.
   */
  async keyOfNow(): Promise<Bytes | undefined> {
    const { keys } = this.#room;
    const latest = () =>
      keys.get(this.#room.membership.epoch, this.#room.membership);
    const key = await latest();
    if (key || !await this.#link.sync()) return key;
    return await latest();
  }

  /** Whether one waits for its answer. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** The one that waits is refused. */
  refused(reason: string): void {
    this.#refusal = reason;
  }

  /** Takes the answer to a control line. @returns Whether it is one. */
  answered(number: number, answers: readonly Event[]): boolean {
    const resolve = this.#open.get(number);
    if (!resolve) return false;
    const refused = answers.find((it) => it.kind === "refused");
    this.#open.delete(number);
    const reason = this.#refusal ?? refused?.reason;
    this.#refusal = undefined;
    resolve(reason);
    return true;
  }

  /** A control line was followed. */
  followed(): void {
    this.#progress.notify();
  }

  /** Waits for what control lines bring about. @returns Whether it is so; not where the connection ends before. */
  async until(isSo: () => boolean): Promise<boolean> {
    while (!isSo() && !this.#isClosed) await this.#progress.wait();
    return isSo();
  }

  /** The connection has ended: no answer comes any more. */
  lost(): void {
    this.#isLost = true;
    for (const resolve of this.#open.values()) resolve("lost");
    this.#open.clear();
  }

  /** All that it told is carried out: no other control line is followed. */
  close(): void {
    this.#isClosed = true;
    this.#progress.notify();
  }

  /**
   * Says a control line, after all that were begun before.
   * @param stage Sends what the server is to have before the line. It drops that with any other line of this client's, or
   * if it refuses the line: so nothing comes between, and each try sends it again.
   * @param isAlone Whether nobody else can come between, and nothing may wait for what follows.
   * @returns Why it was refused; undefined once it is said.
   */
  say(
    control: Uncounted,
    stage?: () => Promise<void>,
    isAlone = false,
  ): Promise<RuleRefusal | undefined> {
    const saying = this.#turn.then(() => this.#say(control, stage, isAlone));
    this.#turn = saying.catch(() => {});
    return saying;
  }

  async #say(
    control: Uncounted,
    stage: (() => Promise<void>) | undefined,
    isAlone: boolean,
  ): Promise<RuleRefusal | undefined> {
    const { self } = this.#room;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await stage?.();
      const count = this.#room.membership.nextCount(self.id);
      const refused = await this.#ask({ ...control, count } as Control);
      if (isAlone) return refused;
      const isCounted = () => this.#room.membership.nextCount(self.id) > count;
      if (refused === undefined) {
        await this.until(isCounted);
        return undefined;
      }
      if (refused !== "control-wrong") return refused;
      // Perhaps another machine of this person's used the count in the same instant.
      if (!await this.#link.sync() || !isCounted()) return refused;
    }
    return "control-wrong";
  }

  async #ask(control: Control): Promise<RuleRefusal | undefined> {
    const { membership, identity } = this.#room;
    if (!membership.room || this.#isLost) return "lost";
    const text = await signControl(control, membership.room, identity.signing);
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<
      RuleRefusal | undefined
    >();
    this.#open.set(id, resolve);
    try {
      await this.#link.send({ kind: "rule", id, text });
    } catch {
      resolve("lost"); // its reader says why
    }
    if (this.#isLost) resolve("lost");
    return await promise;
  }
}
