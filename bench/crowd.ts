/**
 * All the members of one load: lets them in, lets some of them talk, and knows when everybody has everything.
 * Knows nothing of clocks but to wait.
 *
 * @module
 */

import {
  equalBytes,
  importKeyPair,
  kem,
  KEY_SIZE,
  randomBytes,
} from "../crypto_utils.ts";
import type { ConnectOptions } from "../src/channel.ts";
import type { Event } from "../src/events.ts";
import type { Invite } from "../src/invite.ts";
import { DenoNetwork } from "./deno_network.ts";
import { EpollNetwork } from "./epoll_network.ts";
import { Member, type Warden } from "./member.ts";
import type { Network } from "./network.ts";
import { Sequence } from "./sequence.ts";

/** Joins under way at a time; the server takes 64 unfinished handshakes from one address. */
const JOINS_AT_ONCE = 32;
/** Members that open and verify everything. */
const SAMPLE = 3;
/** When nothing has arrived for so long, nothing more is on its way, ms. */
const QUIET_TIME = 200;
/** The longest that anything may take, ms. */
const PATIENCE = 120_000;

/** A room's members, all in this process. */
export class Crowd implements Warden {
  readonly network: Network;
  readonly sequence = new Sequence();
  /** Those who receive, in the order in which they were asked to join. */
  readonly members: Member[] = [];
  holding = false;
  readonly #port: number;
  readonly #handshake: ConnectOptions;
  readonly #speakers = new Map<string, Member>(); // by name
  readonly #names = new Map<number, string>(); // by the server's number
  readonly #outside: Member[] = [];
  #received = 0;
  #jobs = 0;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;

  private constructor({ port }: Invite, handshake: ConnectOptions) {
    this.#port = port;
    this.#handshake = handshake;
    const busy = () => this.#jobs > 0;
    this.network = Deno.build.os === "linux"
      ? new EpollNetwork(busy)
      : new DenoNetwork();
  }

  /** A crowd without members, at the door of the room that an invite leads to. */
  static async create(invite: Invite): Promise<Crowd> {
    // One key of each kind for all: making keys isn't what is measured, and costs the load as much as the
    // whole handshake costs the server.
    const keyPair = await importKeyPair(randomBytes(KEY_SIZE));
    const kemKey = await kem.generate();
    return new Crowd(invite, {
      keyPair,
      inviteId: invite.id,
      inviteKey: () => invite.key,
      checkServer: (key) => {
        if (equalBytes(key, invite.serverKey)) return;
        throw new Error("Cannot trust the server: its key is another one");
      },
      kem: { ...kem, generate: () => Promise.resolve(kemKey) },
    });
  }

  /** How many broadcast records all members together have received. */
  get received(): number {
    return this.#received;
  }

  /**
   * Lets so many more members in, some at a time; resolves when all have got all that was said of it. The
   * first of all must come alone, to receive every record that there is.
   */
  async admit(count: number): Promise<void> {
    const end = this.members.length + count;
    let busy = 0;
    const work = async () => {
      while (this.members.length < end) await this.#join(true);
    };
    for (let at = 0; at < JOINS_AT_ONCE; at++) {
      busy++;
      this.track(work().then(() => void busy--));
    }
    await this.until(() => busy === 0);
    await this.settle();
  }

  /** Lets a member in whose receiving doesn't count. */
  async admitSpeaker(): Promise<Member> {
    const joining = this.#join(false);
    let speaker: Member | undefined;
    this.track(joining.then((member) => void (speaker = member)));
    await this.until(() => speaker !== undefined);
    await this.settle();
    return await joining;
  }

  async #join(counts: boolean): Promise<Member> {
    const at = this.members.length + this.#outside.length;
    const member = new Member(this, {
      name: `member-${at}`,
      opens: counts && at < SAMPLE,
      counts,
      first: at === 0,
    });
    (counts ? this.members : this.#outside).push(member);
    this.#speakers.set(member.options.name, member);
    await member.join(this.#port, this.#handshake);
    return member;
  }

  /** Waits until everybody has everything, and all of it that is to be opened has been. */
  async settle(): Promise<void> {
    const { sequence } = this;
    const complete = () =>
      this.#jobs === 0 && sequence.opened === sequence.length &&
      performance.now() - this.network.lastArrival > QUIET_TIME &&
      this.#names.size >= this.members.length &&
      this.members.every((it) => it.upToDate && it.welcomed);
    await this.until(complete);
  }

  /** Serves everybody until something holds. */
  until(done: () => boolean, alone = false): Promise<void> {
    const holds = () => {
      if (this.#failure) throw this.#failure.error;
      for (const sender of this.#outside) sender.goOn();
      return done();
    };
    return this.network.until(holds, { limit: PATIENCE, alone });
  }

  /** Messages delivered to all members so far; all that has arrived must have been opened. */
  deliveries(positions: readonly number[]): number {
    return positions.reduce(
      (sum, position) => sum + this.sequence.messagesBefore(position),
      0,
    );
  }

  /** Where each member stands in the sequence. @throws {Error} where one has received nothing yet. */
  positions(): number[] {
    return this.members.map(({ position, options: { name } }) => {
      if (position !== undefined) return position;
      throw new Error(`Cannot go on: "${name}" has received nothing`);
    });
  }

  /** Opens what arrived while opening waited. */
  release(): void {
    this.holding = false;
    for (const member of this.members) member.open();
  }

  /** Ends all connections; what the server does about it no longer matters. */
  close(): void {
    this.#closed = true;
    for (const member of [...this.members, ...this.#outside]) member.close();
  }

  get everybody(): number {
    return this.members.length + this.#outside.length;
  }

  counted(): void {
    this.#received++;
  }

  named(id: number, name: string): void {
    this.#names.set(id, name);
  }

  opened(index: number, events: readonly Event[]): void {
    const said = new Map<number, number>();
    let messages = 0;
    for (const event of events) {
      if (event.kind === "joined") this.named(event.id, event.name);
      if (event.kind !== "said") continue;
      messages++;
      said.set(event.id, (said.get(event.id) ?? 0) + 1);
    }
    if (!this.sequence.open(index, messages)) return;
    for (const [id, count] of said) {
      const speaker = this.#speakers.get(this.#names.get(id) ?? "");
      speaker?.answered(index + 1, count);
    }
  }

  track(task: Promise<void>): void {
    this.#jobs++;
    task.then(() => this.#jobs--, (error) => this.fail(error));
  }

  fail(error: unknown): void {
    if (!this.#closed) this.#failure ??= { error };
  }
}
