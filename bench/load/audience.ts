/**
 * What is measured with, whatever server it is: members who join, one who speaks, and the loop that serves them
 * all.
 *
 * @module
 */

import { EpollNetwork } from "./epoll_network.ts";
import type { Receiver, Socket } from "./socket.ts";
import { openWebSocket } from "./web_socket.ts";

/** When nothing has arrived for so long, nothing more is on its way, ms. */
const QUIET_TIME = 200;

/** Somebody who can be made to speak. */
export interface Voice {
  /** Called with how many of its messages are back, so that it may say others. */
  onBack: (count: number) => void;
  /** Says so many messages at once. */
  say(count: number): Promise<void>;
  /** Makes a message ready; what it returns sends it, and is to be called before anything else is said. */
  prepare(): Promise<() => void>;
}

/** All who are in a room, in this process. */
export abstract class Audience {
  readonly network: EpollNetwork = new EpollNetwork(() => this.#jobs > 0);
  /** Whether opening what arrives waits, so that it isn't measured. */
  holding = false;
  readonly #joinsAtOnce: number;
  readonly #isWeb: boolean;
  #jobs = 0;
  #failure: { readonly error: unknown } | undefined;

  /**
   * An audience without anybody.
   * @param joinsAtOnce How many joins are under way at a time. @param isWeb Whether it comes by WebSockets.
   */
  constructor(joinsAtOnce: number, isWeb = false) {
    this.#joinsAtOnce = joinsAtOnce;
    this.#isWeb = isWeb;
  }

  /** Opens a connection to a port of this machine. */
  connect(port: number, receiver: Receiver): Promise<Socket> {
    return this.#isWeb
      ? openWebSocket(this.network, port, receiver)
      : this.network.connect(port, receiver);
  }

  /** How many receive, joining ones included. */
  abstract get size(): number;

  /** How many records or messages all of them together have received. */
  abstract get received(): number;

  /** Makes what so many need to come in, which isn't measured. */
  async prepare(_count: number): Promise<void> {}

  /** Lets one more in who receives; resolves when the server has said so. */
  protected abstract join(): Promise<void>;

  /** Lets somebody in who speaks, and whose receiving doesn't count; its messages are back when all have them. */
  abstract admitSpeaker(): Promise<Voice>;

  /** So many of those who receive, whose messages are back when they come back to them; none if it can't be. */
  abstract talkers(count: number): readonly Voice[];

  /** Waits until everybody has everything. */
  abstract settle(): Promise<void>;

  /** Waits until what has arrived is checked. */
  abstract check(): Promise<void>;

  /** Looks how far everybody has come; what it returns tells, when that is checked, how many deliveries it is. */
  abstract tally(): () => Promise<number>;

  /** What is done in every turn of `until`. */
  protected abstract turn(): void;

  /** Whether nothing is under way in this process, and nothing has arrived for a while. */
  protected get still(): boolean {
    return this.#jobs === 0 &&
      performance.now() - this.network.lastArrival > QUIET_TIME;
  }

  /**
   * Lets so many more in, some at a time; resolves when all have got all that was said of it. The first of all
   * must come alone, to receive every record that there is.
   */
  async admit(count: number): Promise<void> {
    const end = this.size + count;
    let busy = 0;
    const work = async () => {
      while (this.size < end) await this.join();
    };
    for (let at = 0; at < this.#joinsAtOnce; at++) {
      busy++;
      this.track(work().then(() => void busy--));
    }
    await this.until(() => busy === 0);
    await this.settle();
  }

  /** Serves everybody until a task has ended. */
  protected async during<T>(task: Promise<T>): Promise<T> {
    let ended = false;
    this.track(task.then(() => void (ended = true)));
    await this.until(() => ended);
    return await task;
  }

  /** Serves everybody until something holds. @param alone Whether no task of this process gets a turn meanwhile. */
  until(done: () => boolean, alone = false): Promise<void> {
    const holds = () => {
      if (this.#failure) throw this.#failure.error;
      this.turn();
      return done();
    };
    return this.network.until(holds, alone);
  }

  /** Counts a task until it ends; its failure is the whole load's. */
  track(task: Promise<void>): void {
    this.#jobs++;
    task.then(() => this.#jobs--, (error) => this.fail(error));
  }

  /** The load can't go on. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }
}
