/**
 * Members that talk as people do, and how long what they say takes to reach one of them, who opens and verifies
 * all of it.
 *
 * The others read without opening, so that 100 members leave the processor to the server and its strangers. They
 * answer no ping: each speaks every second, which is sign of life enough.
 *
 * @module
 */

import { concat, randomBytes } from "../../crypto_utils.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import type { Event } from "../../src/protocol/events.ts";
import { admissionKey, type Invite } from "../../src/keys/invite.ts";
import { Opener, type OpenerListener, textOf } from "../load/opener.ts";
import { identityOf } from "../../src/crypto/identity.ts";
import { pause } from "../../src/base/timing.ts";
import { joinEvent } from "../../tests/kit/people.ts";
import { connectChannel } from "../../src/protocol/handshake.ts";

/** What one read takes of what nobody opens, bytes. */
const BUFFER_SIZE = 65_536;
/** How long the members may take to come in, and the last messages to arrive, ms: less than they may be silent. */
const PATIENCE = 20_000;

/** A connection that is in the room. */
interface Member {
  readonly conn: Deno.TcpConn;
  readonly channel: Channel;
  readonly name: string;
}

/** A room's members, all in this process. */
export class Talk implements OpenerListener, Disposable {
  readonly keysChange = true; // members join and talk, all by and by
  /** How long each message took to be read by the one who opens them, ms, in the order in which they came. */
  readonly delays: number[] = [];
  readonly #invite: Invite;
  readonly #members: Member[] = [];
  readonly #names = new Map<number, string>(); // by the number that the server gave
  readonly #sent = new Map<string, number>(); // when, by name and number
  #failure: unknown;
  #closed = false;

  /** Nobody is in yet. */
  constructor(invite: Invite) {
    this.#invite = invite;
  }

  /**
   * Lets so many in; the first is the one who opens everything.
   * @throws {Error} if they don't come in, or a connection ends.
   */
  async enter(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      const member = await this.#enter(`talker-${at}`);
      this.#members.push(member);
      if (at > 0) {
        this.#ignore(member);
        continue;
      }
      this.#open(member);
      // Whoever comes after its welcome is announced to it: so it knows the names of all.
      await this.#until("a welcome", () => this.#names.size, 1);
    }
    const announced = "members that are announced";
    await this.#until(announced, () => this.#names.size, count);
  }

  /**
   * Lets each say one message a second, one after another, for so long.
   * @param patience How long to wait for the last to arrive, ms.
   * @returns The delays of all, ms. @throws {Error} if one doesn't arrive, or a connection ends.
   */
  async talk(seconds: number, patience = PATIENCE): Promise<number[]> {
    this.delays.length = 0;
    const period = 1_000 / this.#members.length;
    const start = performance.now();
    const first = this.#sent.size;
    const total = seconds * this.#members.length;
    for (let count = 0; count < total; count++) {
      const due = start + count * period;
      await pause(due - performance.now());
      const member = this.#members[count % this.#members.length];
      const n = 1 + Math.floor((first + count) / this.#members.length);
      if (member) this.#say(member, n);
    }
    await this.#until(
      "messages that arrive",
      () => this.delays.length,
      total,
      patience,
    );
    return this.delays.slice();
  }

  welcome(id: number): void {
    this.#names.set(id, "talker-0");
  }

  opened(_ordinal: number, events: readonly Event[]): void {
    for (const event of events) {
      if (event.kind === "joined") this.#names.set(event.id, event.name);
      if (event.kind !== "said") continue;
      const at = this.#sent.get(`${this.#names.get(event.id)} ${event.n}`);
      if (at !== undefined) this.delays.push(performance.now() - at);
    }
  }

  /** Ends all connections. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const { conn } of this.#members) conn.close();
  }

  async #enter(name: string): Promise<Member> {
    const { port, id: inviteId, secret } = this.#invite;
    const identity = await identityOf(randomBytes(32));
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const channel = await connectChannel(conn, {
      keyPair: identity.keyPair,
      inviteId,
      inviteKey: admissionKey(secret),
      checkServer: () => {},
    });
    await channel.send(joinEvent(identity, name));
    return { conn, channel, name };
  }

  #say({ channel, name }: Member, n: number): void {
    this.#sent.set(`${name} ${n}`, performance.now());
    channel.send({ kind: "say", n, text: textOf(n) })
      .catch((error) => this.#fail(error));
  }

  async #open({ channel }: Member): Promise<void> {
    const opener = new Opener(channel, this);
    try {
      for (let records; (records = await channel.read());) {
        for (const { header, body } of records) {
          opener.push(concat(header, body));
        }
        await opener.work();
      }
      this.#fail(new Error("Cannot go on: the server ended a connection"));
    } catch (error) {
      this.#fail(error);
    }
  }

  async #ignore({ conn }: Member): Promise<void> {
    const buffer = new Uint8Array(BUFFER_SIZE);
    try {
      while (await conn.read(buffer) !== null) { /* to the end */ }
      this.#fail(new Error("Cannot go on: the server ended a connection"));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.#failure ??= error;
  }

  async #until(
    what: string,
    count: () => number,
    most: number,
    patience = PATIENCE,
  ): Promise<void> {
    const start = performance.now();
    while (count() < most) {
      if (this.#failure !== undefined) throw this.#failure;
      if (performance.now() - start > patience) {
        const came = `${count()} came in ${patience / 1_000} s`;
        throw new Error(`Cannot go on: of ${most} ${what}, ${came}`);
      }
      await pause(5);
    }
  }
}
