/**
 * A member over the network that comes, goes, talks, stops reading and breaks off in the middle of a record.
 *
 * @module
 */

import { randomBytes } from "../../../crypto_utils.ts";
import { admissionKey, type Invite } from "../../../src/keys/invite.ts";
import type { News, View } from "../../../src/client/view.ts";
import { JoinError } from "../../../src/client/join_error.ts";
import { Session } from "../../../src/client/session.ts";
import { Follower, type Ledger } from "./ledger.ts";
import { identityOf } from "../../../src/crypto/identity.ts";
import type { Stream } from "../../../src/protocol/record_reader.ts";
import { writeAll } from "../../../src/base/write_all.ts";

/** A connection that can be made to fail. */
class FaultyStream implements Stream {
  readonly #conn: Deno.TcpConn;
  #stall: Promise<void> | undefined;
  #cutting = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  /** Reads nothing for so long. */
  stall(pause: Promise<void>): void {
    this.#stall = pause;
  }

  /** Breaks off in the middle of what is written next. */
  cutNext(): void {
    this.#cutting = true;
  }

  async read(into: Uint8Array): Promise<number | null> {
    await this.#stall;
    return await this.#conn.read(into);
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (!this.#cutting) return await this.#conn.write(bytes);
    await writeAll(this.#conn, bytes.subarray(0, bytes.length / 2));
    this.close();
    throw new Deno.errors.BrokenPipe("Broken off");
  }

  close(): void {
    this.#conn.close();
  }
}

/** How members behave. */
export interface Behaviour {
  /** The mean time between two things that a member does, ms. */
  readonly pace: number;
  /** The longest time without reading, ms. */
  readonly stall: number;
  /** Ends it all. */
  readonly signal: AbortSignal;
}

/** What members have done, all together. */
export interface Deeds {
  said: number;
  joined: number;
  left: number;
  stalled: number;
  cut: number;
  absent: number;
  refused: number;
  turnedAway: number;
}

/** Nothing yet. */
export function noDeeds(): Deeds {
  return {
    said: 0,
    joined: 0,
    left: 0,
    stalled: 0,
    cut: 0,
    absent: 0,
    refused: 0,
    turnedAway: 0,
  };
}

/** Waits, but no longer than until the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const stop = () => resolve();
  signal.addEventListener("abort", stop);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
}

/** Somebody, through all of its stays. */
export class Member {
  readonly #name: string;
  readonly #invite: Invite;
  readonly #ledger: Ledger;
  readonly #deeds: Deeds;
  readonly #behaviour: Behaviour;
  readonly #identity = identityOf(randomBytes(32));
  #stream: FaultyStream | undefined;
  #count = 0;
  #inside = false;

  /** Not in the room yet. */
  constructor(
    name: string,
    invite: Invite,
    ledger: Ledger,
    deeds: Deeds,
    behaviour: Behaviour,
  ) {
    this.#name = name;
    this.#invite = invite;
    this.#ledger = ledger;
    this.#deeds = deeds;
    this.#behaviour = behaviour;
  }

  /** Whether it is in the room. */
  get inside(): boolean {
    return this.#inside;
  }

  /** Comes and goes until the signal, then leaves for good. */
  async live(): Promise<void> {
    const { signal, pace } = this.#behaviour;
    while (!signal.aborted) {
      await this.#stay();
      await pause(pace * Math.random(), signal);
    }
  }

  /** One stay. */
  async #stay(): Promise<void> {
    const follower = new Follower(this.#name, this.#ledger);
    const inside = Promise.withResolvers<void>();
    const session = await this.#session((news) => {
      if (news.type === "entered") {
        follower.entered(news.seq);
        this.#inside = true;
        inside.resolve();
      } else if (news.type === "refused") this.#deeds.refused++;
      else if ("seq" in news) follower.show(news);
      else if (news.type === "disconnected") this.#lost(news.reason);
    });
    const running = session.run().catch((error) => {
      // Its own lost connection may still hold the name.
      if (!(error instanceof JoinError)) throw error;
      session.leave();
    });
    await Promise.race([inside.promise, running]);
    if (!this.#inside) this.#deeds.turnedAway++;
    else {
      this.#deeds.joined++;
      const texts = await this.#act(session, running);
      await Promise.race([session.conversation.settled(), running]);
      if (
        session.conversation.waiting === 0 && !session.conversation.failedAny
      ) {
        texts.forEach((text) => this.#ledger.settle(text));
      }
    }
    session.leave();
    await running;
    if (this.#inside) this.#deeds.left++;
    this.#inside = false;
  }

  #lost(reason: string): void {
    this.#inside = false;
    // A connection may end at any time; what came over it must have been right.
    if (!reason.startsWith("Cannot ")) return;
    this.#ledger.fault(`${this.#name} lost its connection: ${reason}`);
  }

  async #session(show: (news: News) => void): Promise<Session> {
    const { host, port, id, secret } = this.#invite;
    const identity = await this.#identity;
    const view: View = {
      show,
      stand() {},
      note() {},
      ask: () => Promise.resolve(null),
    };
    return new Session({
      address: `${host}:${port}`,
      who: { identity, name: this.#name },
      dial: async () => {
        const conn = await Deno.connect({ hostname: host, port });
        this.#stream = new FaultyStream(conn);
        return this.#stream;
      },
      handshake: {
        inviteId: id,
        checkServer() {},
        inviteKey: admissionKey(secret),
      },
      view,
      askName: () => Promise.resolve(null),
    });
  }

  /** Does this and that, until it has had enough. @returns What it said. */
  async #act(session: Session, running: Promise<void>): Promise<string[]> {
    const { signal, pace, stall } = this.#behaviour;
    const texts: string[] = [];
    let over = false;
    running.then(() => over = true);
    while (!signal.aborted && !over) {
      await pause(2 * pace * Math.random(), signal);
      const chance = Math.random();
      if (chance < 0.03) {
        if (chance < 0.015) session.conversation.away("home"); // and gone before anybody is told
        break;
      }
      if (chance < 0.06) {
        this.#deeds.stalled++;
        this.#stream?.stall(pause(stall * Math.random(), signal));
      } else if (chance < 0.09) {
        this.#deeds.cut++;
        this.#stream?.cutNext();
      } else if (chance < 0.12) {
        this.#deeds.absent++;
        session.conversation.away(Math.random() < 0.5 ? "tea" : "");
      }
      if (signal.aborted) break;
      const lines = chance > 0.95 ? 5 : 1;
      for (let i = 0; i < lines && !over; i++) {
        const text = `${this.#name} says ${++this.#count} \u{1f375}\n\\`;
        texts.push(text);
        this.#deeds.said++;
        await session.say(text);
      }
    }
    return texts;
  }
}
