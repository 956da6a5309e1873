/**
 * All the members of one load on another server.
 *
 * @module
 */

import { Audience, type Voice } from "../load/audience.ts";
import { PeerMember, type PeerWarden } from "./member.ts";
import { OpenSsl } from "./tls.ts";
import type { PeerKind } from "../load/job.ts";

/** Joins under way at a time: many, since InspIRCd lets those in who wait about once a second. */
const JOINS_AT_ONCE = 512;
/** Members that compare every byte. */
const SAMPLE = 3;
/** More messages than are ever out. */
const SLOTS = 1_024;

/** A room's members, all in this process. */
export class PeerCrowd extends Audience implements PeerWarden {
  readonly openSsl = new OpenSsl();
  readonly #kind: PeerKind;
  readonly #port: number;
  readonly #members: PeerMember[] = [];
  readonly #arrivals = new Uint32Array(SLOTS); // of each message, by its number modulo SLOTS
  #speaker: PeerMember | undefined; // the one who numbers what is said
  #received = 0;
  #complete = 0; // the last message that all have

  /** A crowd without members, at a server's door. */
  constructor(kind: PeerKind, port: number) {
    super(JOINS_AT_ONCE);
    this.#kind = kind;
    this.#port = port;
  }

  override get size(): number {
    return this.#members.length;
  }

  /** How many messages all members together have received. */
  override get received(): number {
    return this.#received;
  }

  protected override async join(): Promise<void> {
    const member = this.#newcomer(true);
    this.#members.push(member);
    await member.join(this.#port);
  }

  override async admitSpeaker(): Promise<Voice> {
    const member = this.#newcomer(false);
    await this.during(member.join(this.#port));
    await this.settle();
    return this.#speaker = member;
  }

  #newcomer(listens: boolean): PeerMember {
    return new PeerMember(this, {
      kind: this.#kind,
      name: listens ? `member${this.size}` : "speaker",
      listens,
      compares: this.size < SAMPLE,
    });
  }

  /** None: neither server sends a member its own messages in the way that ours does. */
  override talkers(): readonly Voice[] {
    return [];
  }

  override async settle(): Promise<void> {
    await this.until(() => this.still && this.#complete === this.#said);
  }

  /** Everything is checked as it arrives. */
  override async check(): Promise<void> {
    await this.until(() => true);
  }

  override tally(): () => Promise<number> {
    const received = this.#received;
    return () => Promise.resolve(received);
  }

  protected override turn(): void {
    const before = this.#complete;
    while (this.#complete < this.#said) {
      const slot = (this.#complete + 1) % SLOTS;
      if (this.#arrivals[slot] !== this.size) break;
      this.#arrivals[slot] = 0;
      this.#complete++;
    }
    const count = this.#complete - before;
    if (count > 0) this.#speaker?.onBack(count);
  }

  get #said(): number {
    return this.#speaker?.said ?? 0;
  }

  counted(n: number): void {
    this.#received++;
    const slot = n % SLOTS;
    this.#arrivals[slot] = (this.#arrivals[slot] ?? 0) + 1;
  }
}
