/**
 * All the members of one load on the chat's server: lets them in, lets some of them talk, and knows when everybody
 * has everything.
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  KEY_SIZE,
  randomBytes,
  toBase64url,
} from "../../crypto_utils.ts";
import type { Event } from "../../src/protocol/events.ts";
import { admissionKey, type Invite } from "../../src/keys/invite.ts";
import { generateSigningKeyPair } from "../../src/crypto/ed25519.ts";
import { signCard } from "../../src/crypto/identity.ts";
import { xwingKey } from "../../src/crypto/xwing.ts";
import { Audience, type Voice } from "./audience.ts";
import { Member, type Warden } from "./member.ts";
import type { SealedCrowd, SealedKeys } from "./sealed_crowd.ts";
import { Sequence } from "./sequence.ts";
import { generateKeyPair, type KeyPair } from "../../src/crypto/x25519.ts";
import { kem } from "../../src/crypto/kem.ts";
import type { ConnectOptions } from "../../src/protocol/handshake.ts";

/** Members that open and verify everything. */
const SAMPLE = 3;

/** What makes a member a person of its own. */
interface Keys extends SealedKeys {
  readonly keyPair: KeyPair;
}

/** A room's members, all in this process. */
export class Crowd extends Audience implements Warden {
  readonly sequence = new Sequence();
  /** Those who receive, in the order in which they were asked to join. */
  readonly #members: Member[] = [];
  readonly #port: number;
  readonly #handshake: Omit<ConnectOptions, "keyPair">;
  readonly #sealKey: Bytes;
  readonly #sealed: SealedCrowd | undefined;
  #keys: Keys[] = []; // of those who are to come
  readonly #speakers = new Map<string, Member>(); // by name
  readonly #names = new Map<number, string>(); // by the server's number
  readonly #outside: Member[] = [];
  #received = 0;

  private constructor(
    { port }: Invite,
    webPort: number | undefined,
    handshake: Omit<ConnectOptions, "keyPair">,
    sealKey: Bytes,
    joinsAtOnce: number,
    sealed: SealedCrowd | undefined,
  ) {
    super(joinsAtOnce, webPort !== undefined);
    this.#port = webPort ?? port;
    this.#handshake = handshake;
    this.#sealKey = sealKey;
    this.#sealed = sealed;
  }

  /**
   * A crowd without members, at the door of the room that an invite leads to.
   * @param sealed What it needs for a sealed room, which it founds. @param webPort Where it comes by WebSockets, if it
   * does.
   */
  static async create(
    invite: Invite,
    joinsAtOnce: number,
    sealed?: SealedCrowd,
    webPort?: number,
  ): Promise<Crowd> {
    // One ML-KEM key for all: making keys isn't what is measured, and costs the load as much as the whole handshake
    // costs the server.
    const kemKey = await kem.generate();
    const { publicKey: sealKey } = await xwingKey(randomBytes(KEY_SIZE));
    const handshake: Omit<ConnectOptions, "keyPair"> = {
      inviteId: invite.id,
      inviteKey: admissionKey(invite.secret),
      checkServer: (key) => {
        if (equalBytes(key, invite.serverKey)) return;
        throw new Error("Cannot trust the server: its key is another one");
      },
      kem: { ...kem, generate: () => Promise.resolve(kemKey) },
    };
    return new Crowd(
      invite,
      webPort,
      handshake,
      sealKey,
      joinsAtOnce,
      sealed,
    );
  }

  override async prepare(count: number): Promise<void> {
    while (this.#keys.length < count) this.#keys.push(await this.#makeKeys());
  }

  async #makeKeys(): Promise<Keys> {
    const [keyPair, signing] = await Promise.all([
      generateKeyPair(),
      generateSigningKeyPair(),
    ]);
    const noiseKey = keyPair.publicKey;
    const card = await signCard({ noiseKey, signing, sealKey: this.#sealKey });
    return { keyPair, signing, card: toBase64url(card) };
  }

  override get size(): number {
    return this.#members.length;
  }

  /** How many broadcast records all members together have received. */
  override get received(): number {
    return this.#received;
  }

  get everybody(): number {
    return this.#members.length + this.#outside.length;
  }

  protected override async join(): Promise<void> {
    await this.#join(true);
  }

  override async admitSpeaker(): Promise<Voice> {
    const speaker = await this.during(this.#join(false));
    await this.settle();
    return speaker;
  }

  override talkers(count: number): readonly Voice[] {
    return this.size < count ? [] : this.#members.slice(-count);
  }

  async #join(counts: boolean): Promise<Member> {
    const at = this.everybody;
    const member = new Member(this, {
      name: `member-${at}`,
      opens: counts && at < SAMPLE,
      counts,
      first: at === 0,
    });
    (counts ? this.#members : this.#outside).push(member);
    this.#speakers.set(member.options.name, member);
    const keys = this.#keys.pop() ?? await this.#makeKeys();
    const { keyPair, card } = keys;
    const sealed = this.#sealed;
    const isFirst = at === 0;
    const { name } = member.options;
    const { inviteId, inviteKey } = isFirst || !sealed
      ? this.#handshake
      : sealed;
    await member.join(
      this.#port,
      { ...this.#handshake, keyPair, inviteId, inviteKey },
      card,
      await sealed?.entering(keys, name, isFirst),
    );
    if (sealed) {
      member.sealedText = await sealed.text();
      if (isFirst) await member.tell(await sealed.inviting(keys));
    }
    return member;
  }

  /** Waits until everybody has everything, and all of it that is to be opened has been. */
  override async settle(): Promise<void> {
    const { sequence } = this;
    const complete = () =>
      this.still && sequence.opened === sequence.length &&
      this.#names.size >= this.size &&
      this.#members.every((it) => it.upToDate && it.welcomed);
    await this.until(complete);
  }

  override async check(): Promise<void> {
    this.holding = false;
    for (const member of this.#members) member.open();
    const { sequence } = this;
    await this.until(() =>
      this.#outside.every((it) => it.upToDate) &&
      sequence.opened === sequence.length
    );
  }

  override tally(): () => Promise<number> {
    const positions = this.#members.map((member) => {
      if (member.position !== undefined) return member.position;
      const { name } = member.options;
      throw new Error(`Cannot go on: "${name}" has received nothing`);
    });
    const last = Math.max(...positions);
    return async () => {
      await this.until(() => this.sequence.opened >= last);
      return positions.reduce(
        (sum, position) => sum + this.sequence.messagesBefore(position),
        0,
      );
    };
  }

  protected override turn(): void {
    for (const speaker of this.#outside) speaker.goOn();
  }

  protected override hangUp(): void {
    for (const member of [...this.#members, ...this.#outside]) member.close();
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
      if (event.kind !== "said" && event.kind !== "sealed") continue;
      messages++;
      said.set(event.id, (said.get(event.id) ?? 0) + 1);
    }
    if (!this.sequence.open(index, messages)) return;
    for (const [id, count] of said) {
      const speaker = this.#speakers.get(this.#names.get(id) ?? "");
      speaker?.answered(index + 1, count);
    }
  }
}
