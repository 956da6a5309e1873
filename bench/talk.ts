/**
 * Members that talk as people do, and how long what they say takes to reach one of them, who opens and verifies
 * all of it. Knows nothing of what else goes on at the server.
 *
 * @module
 */

import { concat, importKeyPair, randomBytes } from "../crypto_utils.ts";
import { type Channel, connectChannel } from "../src/channel.ts";
import type { Event } from "../src/events.ts";
import type { Invite } from "../src/invite.ts";
import { Opener, type OpenerListener, textOf } from "./opener.ts";

/** What one read takes of what nobody opens, bytes. */
const BUFFER_SIZE = 65_536;

/** A connection that is in the room. */
interface Member {
  readonly conn: Deno.TcpConn;
  readonly channel: Channel;
  readonly name: string;
}

/** A room's members, all in this process. */
export class Talk implements OpenerListener, Disposable {
  /** How long each message took to be read by the one who opens them, ms, in the order in which they came. */
  readonly delays: number[] = [];
  readonly #invite: Invite;
  readonly #members: Member[] = [];
  readonly #names = new Map<number, string>();
  readonly #sent = new Map<string, number>(); // when, by name and number
  readonly #entered = new Set<string>();
  #failure: unknown;
  #closed = false;

  /** Nobody is in yet. */
  constructor(invite: Invite) {
    this.#invite = invite;
  }

  /** Lets so many in; the first is the one who opens everything. */
  async enter(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      const member = await this.#enter(`talker-${at}`);
      if (at === 0) this.#open(member);
      else this.#ignore(member);
      this.#members.push(member);
    }
    await this.#until(() => this.#entered.size === count);
  }

  /** Lets each say one message a second, one after another, for so long. @returns The delays of all, ms. */
  async talk(seconds: number): Promise<number[]> {
    this.delays.length = 0;
    const period = 1_000 / this.#members.length;
    const start = performance.now();
    const first = this.#sent.size;
    for (let count = 0; count < seconds * this.#members.length; count++) {
      const due = start + count * period;
      await pause(due - performance.now());
      const member = this.#members[count % this.#members.length];
      if (member) {
        this.#say(
          member,
          1 + Math.floor((first + count) / this.#members.length),
        );
      }
    }
    await this.#until(() =>
      this.delays.length >= seconds * this.#members.length
    );
    return this.delays.slice();
  }

  welcome(): void {
    this.#entered.add("talker-0");
  }

  opened(_ordinal: number, events: readonly Event[]): void {
    for (const event of events) {
      if (event.kind === "joined") {
        this.#names.set(event.id, event.name);
        this.#entered.add(event.name);
      }
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
    const { port, id: inviteId, key } = this.#invite;
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    const channel = await connectChannel(conn, {
      keyPair: await importKeyPair(randomBytes(32)),
      inviteId,
      inviteKey: () => key,
      checkServer: () => {},
    });
    await channel.send({ kind: "join", name, n: 0, after: null });
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

  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (this.#failure !== undefined) throw this.#failure;
      await pause(5);
    }
  }
}

/** Lets time pass. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
