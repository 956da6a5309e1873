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
import { messageOf } from "../../src/base/error_reason.ts";
import { pause } from "../../src/base/timing.ts";
import { nextPause } from "../../src/client/reconnect.ts";
import type { Event } from "../../src/protocol/events.ts";
import { admissionKey, parseInvite } from "../../src/keys/invite.ts";
import { generateSigningKeyPair } from "../../src/crypto/ed25519.ts";
import { signCard } from "../../src/crypto/identity.ts";
import { xwingKey } from "../../src/crypto/xwing.ts";
import { Audience, type Voice } from "./audience.ts";
import { type ChatPlace, JOINS_AT_ONCE } from "./job.ts";
import { type Keys, Member, type Warden } from "./member.ts";
import { Door } from "./sequence.ts";
import { SealedCrowd } from "./sealed_crowd.ts";
import { generateKeyPair } from "../../src/crypto/x25519.ts";
import { kem } from "../../src/crypto/kem.ts";
import type { ConnectOptions } from "../../src/protocol/handshake.ts";

/** Members that open and verify everything as it comes. */
const SAMPLE = 3;
/** In a larger room than this, of those who come back one in so many opens what it was told, once all are there. */
const MAX_VERIFIED = 1_000;
const VERIFIED_SHARE = 40;

/** A room's members, all in this process; where it has several servers, they come by each in turn. */
export class Crowd extends Audience implements Warden {
  /** Those who receive, in the order in which they were asked to join. */
  readonly #members: Member[] = [];
  #doors: readonly Door[];
  readonly #handshake: Omit<ConnectOptions, "keyPair">;
  readonly #sealKey: Bytes;
  readonly #sealed: SealedCrowd | undefined;
  #keys: Keys[] = []; // of those who are to come
  readonly #speakers = new Map<string, Member>(); // by name
  readonly #names = new Map<number, string>(); // by the server's number
  readonly #outside: Member[] = [];
  admitting = false;
  /** Whether one that loses its connection before all come back is counted, and no more. */
  forgives = false;
  #asked = 0; // to join
  #received = 0;
  /** How often what went wrong with those who came back, in words. */
  readonly troubles: Record<string, number> = {};
  #lost: ((member: Member) => Promise<void>) | undefined; // what is done about a lost connection

  private constructor(
    doors: readonly Door[],
    isWeb: boolean,
    handshake: Omit<ConnectOptions, "keyPair">,
    sealKey: Bytes,
    sealed: SealedCrowd | undefined,
  ) {
    super(JOINS_AT_ONCE, isWeb);
    this.#doors = doors;
    this.#handshake = handshake;
    this.#sealKey = sealKey;
    this.#sealed = sealed;
  }

  /** A crowd without members, at the doors of a room; a sealed one it founds. */
  static async at(
    { kind, invite: link, webPort }: ChatPlace,
  ): Promise<Crowd> {
    const invite = parseInvite(link);
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
    const ports = [invite, ...invite.others ?? []].map(({ port }) => port);
    return new Crowd(
      (webPort === undefined ? ports : [webPort]).map((it) => new Door(it)),
      webPort !== undefined,
      handshake,
      sealKey,
      kind === "sealed" ? await SealedCrowd.create() : undefined,
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

  /** The first at each server comes alone, to receive every record that there is. */
  override async admit(count: number): Promise<void> {
    const alone = Math.min(count, this.#doors.length - this.size);
    this.admitting = true;
    for (let at = 0; at < alone; at++) await super.admit(1);
    await super.admit(count - Math.max(0, alone));
    this.admitting = false;
  }

  protected override async join(): Promise<void> {
    const joining = this.#join(true);
    await (this.forgives ? joining.catch(() => {}) : joining); // another comes in its place
  }

  override async admitSpeaker(): Promise<Voice> {
    this.admitting = true;
    const speaker = await this.during(this.#join(false));
    await this.settle();
    this.admitting = false;
    return speaker;
  }

  override talkers(count: number): readonly Voice[] {
    return this.size < count ? [] : this.#members.slice(-count);
  }

  async #join(counts: boolean): Promise<Member> {
    const doors = this.#doors;
    const at = this.#asked++;
    const name = `member-${at}`;
    const door = doors[at % doors.length];
    if (!door) throw new Error("Cannot join: no server is known");
    const member = new Member(this, {
      name,
      door,
      heard: counts ? [door] : doors,
      opens: counts && at < Math.max(SAMPLE, doors.length),
      counts,
      first: door.everybody++ === 0,
      stay: toBase64url(randomBytes(8)),
    });
    (counts ? this.#members : this.#outside).push(member);
    this.#speakers.set(name, member);
    const keys = this.#keys.pop() ?? await this.#makeKeys();
    const sealed = this.#sealed;
    const isFirst = at === 0;
    const { inviteId, inviteKey } = isFirst || !sealed
      ? this.#handshake
      : sealed;
    await member.join(
      { ...this.#handshake, inviteId, inviteKey },
      keys,
      await sealed?.entering(keys, name, isFirst),
    );
    if (sealed) {
      member.sealedText = await sealed.text();
      if (isFirst) await member.tell(await sealed.inviting(keys));
    }
    return member;
  }

  /**
   * Lets all come back who are in, as their clients do, when their only server ends and is started again. The first
   * comes alone, to receive every record that there is.
   * @param listens Resolves when it listens again. @param pauses Whether each waits as a client does; else all come at
   * once, and wait only before they try again.
   */
  async comeBack(listens: Promise<void>, pauses: boolean): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const [{ port } = { port: 0 }] = this.#doors;
    const door = new Door(port);
    this.#doors = [door];
    this.#names.clear();
    const gone = this.#members.splice(0);
    const after = Math.max(...gone.map(({ seq }) => seq));
    const isLarge = gone.length > MAX_VERIFIED;
    const first = Promise.withResolvers<void>();
    let isListening = false;
    const come = async (old: Member, at: number): Promise<void> => {
      for (let attempt = 0;; attempt++) {
        if (pauses || attempt > 0) await pause(nextPause(attempt));
        else await listens;
        if (!isListening) continue;
        const isFirst = door.everybody++ === 0;
        if (!isFirst) await first.promise;
        const isVerified = !isLarge || at % VERIFIED_SHARE === 0;
        const member = new Member(this, {
          ...old.options,
          door,
          heard: [door],
          opens: isFirst || (isVerified && "later"),
          first: isFirst,
          before: { n: old.n, after },
        });
        this.#speakers.set(member.options.name, member);
        try {
          await member.join(this.#handshake, old.keys);
          this.#members.push(member);
          return first.resolve();
        } catch (error) {
          if (isFirst) throw error;
          this.#count(await member.farewell(messageOf(error)));
          member.close();
        }
      }
    };
    this.#lost = async (member) => {
      if (member.options.door !== door) return ended.resolve();
      const at = this.#members.indexOf(member);
      if (at < 0) return; // it isn't in yet, and hears of it itself
      this.#members.splice(at, 1);
      this.#count(await member.farewell());
      await come(member, at);
    };
    this.track(listens.then(() => void (isListening = true)));
    const coming = ended.promise.then(() => Promise.all(gone.map(come)));
    this.admitting = true;
    await this.during(coming);
    await this.until(() => this.size === gone.length);
    await this.settle();
    this.admitting = false;
  }

  #count(trouble: string): void {
    this.troubles[trouble] = (this.troubles[trouble] ?? 0) + 1;
  }

  /** Waits until everybody has everything, and all of it that is to be opened has been. */
  override async settle(): Promise<void> {
    await this.until(() =>
      this.still && this.#isOpened && this.#names.size >= this.size &&
      this.#members.every((it) => it.upToDate && it.welcomed)
    );
  }

  /** Whether somebody has opened every record of each server. */
  get #isOpened(): boolean {
    return this.#doors.every(({ sequence }) =>
      sequence.opened === sequence.length
    );
  }

  override async check(): Promise<void> {
    this.holding = false;
    for (const member of this.#members) member.open();
    await this.until(() =>
      this.#outside.every((it) => it.upToDate) && this.#isOpened
    );
  }

  override tally(): () => Promise<number> {
    const places = this.#members.map(({ position, options }) => {
      const { door: { sequence }, name } = options;
      if (position !== undefined) return { sequence, position };
      throw new Error(`Cannot go on: "${name}" has received nothing`);
    });
    return async () => {
      await this.until(() =>
        places.every(({ sequence, position }) => sequence.opened >= position)
      );
      return places.reduce(
        (sum, { sequence, position }) =>
          sum + sequence.messagesBefore(position),
        0,
      );
    };
  }

  protected override turn(): void {
    for (const speaker of this.#outside) speaker.goOn();
  }

  counted(): void {
    this.#received++;
  }

  lost(member: Member): void {
    if (this.#lost) return this.track(this.#lost(member));
    const why = `"${member.options.name}" lost its connection`;
    if (!this.forgives) return this.fail(new Error(`Cannot go on: ${why}`));
    this.#members.splice(this.#members.indexOf(member), 1);
    this.#count("lost before the restart");
  }

  named(id: number, name: string): void {
    this.#names.set(id, name);
  }

  opened(door: Door, index: number, events: readonly Event[]): void {
    const said = new Map<number, number>();
    let messages = 0;
    const left: string[] = [];
    for (const event of events) {
      if (event.kind === "left") left.push(event.reason);
      if (event.kind === "joined") this.named(event.id, event.name);
      if (event.kind !== "said" && event.kind !== "sealed") continue;
      messages++;
      said.set(event.id, (said.get(event.id) ?? 0) + 1);
    }
    if (!door.sequence.open(index, messages)) return;
    for (const reason of left) this.#count(`the others were told: ${reason}`);
    for (const [id, count] of said) {
      const speaker = this.#speakers.get(this.#names.get(id) ?? "");
      speaker?.answered(door, index + 1, count);
    }
  }
}
