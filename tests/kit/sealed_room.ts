/**
 * A sealed room for tests: persons who sign control lines, and what these come to.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  randomBytes,
  sha256,
  toBase64url,
} from "../../crypto_utils.ts";
import {
  type Identity,
  identityOf,
  readCard,
} from "../../src/crypto/identity.ts";
import { fullId, shortId } from "../../src/crypto/person_id.ts";
import type { Event } from "../../src/protocol/events.ts";
import type { LogEntry } from "../../src/protocol/line.ts";
import {
  commitment,
  freshContentKey,
  sealBack,
  sealWrap,
} from "../../src/sealed/content_key.ts";
import {
  type Control,
  type ControlLine,
  parseControl,
  roomId,
  signControl,
} from "../../src/sealed/control_line.ts";
import {
  type ControlEntry,
  ControlRecord,
} from "../../src/sealed/control_record.ts";
import {
  type ControlPlace,
  type ControlRefusal,
  Membership,
  SEALED_INVITE,
} from "../../src/sealed/membership.ts";
import type { Shared } from "../../src/server/broadcaster.ts";
import type { Staged } from "../../src/server/sealed/sealed_room.ts";
import { utf8 } from "./bytes.ts";

/** A person, or an invite's temporary identity. */
export interface Somebody extends Identity {
  /** The full id. */
  readonly full: string;
  /** The short id. */
  readonly short: string;
  /** The card, base64url. */
  readonly cardText: string;
}

/** The person of a name: always the same one. */
export async function somebody(name: string): Promise<Somebody> {
  return await somebodyOf(sha256(utf8(name)));
}

/** The person of a seed, 32 bytes. */
export async function somebodyOf(seed: Bytes): Promise<Somebody> {
  const identity = await identityOf(seed);
  const full = fullId(identity.id);
  const cardText = toBase64url(identity.card);
  return { ...identity, full, short: shortId(full), cardText };
}

/** A control line that was signed, with its place. */
export interface Ruling {
  /** Its text. */
  readonly text: string;
  /** Where it is said. */
  readonly place: ControlPlace;
}

/** What comes to a server with a control line that needs nothing else. */
export const NOTHING: Staged = { wraps: new Map(), admission: undefined };

/** What a control line says, but for its count, which is the next one if it isn't given. */
export type Said = Control extends infer C
  ? C extends Control ? Omit<C, "count"> & { readonly count?: number }
  : never
  : never;

/** A line's parts. @throws {TypeError} for a text that is no control line. */
export function parsed(text: string): ControlLine {
  const line = parseControl(text);
  if (line) return line;
  throw new TypeError(`Not a control line: ${text.slice(0, 60)}`);
}

/** A sealed room, which its founder has just founded as "ana". */
export class SealedRoom {
  /** What its control lines come to. */
  membership: Membership = Membership.NONE;
  /** All of them. */
  readonly rulings: Ruling[] = [];
  /** Its content keys. */
  readonly keys: Bytes[] = [freshContentKey()];
  /** The time, ms since 1970. */
  now = 1_000_000;
  /** Its id, 32 bytes. */
  readonly room: Bytes;
  /** Its first keeper. */
  readonly founder: Somebody;

  private constructor(room: Bytes, founder: Somebody) {
    this.room = room;
    this.founder = founder;
  }

  /** A room. @param random 32 bytes. */
  static async found(random = randomBytes(32)): Promise<SealedRoom> {
    const founder = await somebody("ana");
    const id = roomId(toBase64url(random), founder.id);
    const room = new SealedRoom(id, founder);
    await room.say(founder, {
      verb: "found",
      random: toBase64url(random),
      card: founder.cardText,
      name: "ana",
      commit: commitment({ room: id, e: 0 }, room.keys[0] ?? id),
    });
    return room;
  }

  /** Its control lines. */
  get entries(): ControlEntry[] {
    return this.rulings.map(({ text, place }) => ({ ...place, text }));
  }

  /** The same, as a server tells them. */
  get lines(): LogEntry[] {
    const more = {
      what: "ruled",
      stay: "",
      n: 0,
      name: "x",
      to: null,
    } as const;
    return this.entries.map((entry) => ({ ...entry, ...more }));
  }

  /** What who follows them all knows. @throws {TypeError} for one that may not be said. */
  async followed(): Promise<ControlRecord> {
    const record = new ControlRecord();
    for (const entry of this.entries) {
      if (await record.follow(entry)) continue;
      throw new TypeError(`It doesn't follow: ${entry.text.slice(0, 60)}`);
    }
    return record;
  }

  /** A content key for somebody, by the founder. @param which Of which epoch; and which key, if not that one's. */
  async wrapFor(
    to: Somebody,
    { e = this.membership.epoch, key = this.keys[e] }: {
      readonly e?: number;
      readonly key?: Bytes;
    } = {},
  ): Promise<Event<"wrapped">> {
    if (!key) throw new TypeError(`There is no key ${e}`);
    const { room, founder } = this;
    const wrapping = { room, e, by: founder.id, to: to.id };
    const data = await sealWrap(wrapping, key, readCard(to.card).sealKey);
    return { kind: "wrapped", by: founder.full, to: to.full, e, data };
  }

  /** A place for the next line. */
  place(who: Somebody): ControlPlace {
    const seq = this.membership.seq + 1;
    return { seq, at: this.now, person: who.short };
  }

  /** A control line by somebody, signed. @param invite For a `join`: the invite. */
  async sign(who: Somebody, said: Said, invite?: Somebody): Promise<Ruling> {
    const count = said.count ?? this.membership.nextCount(who.full);
    const control = { ...said, count } as Control;
    const text = await signControl(
      control,
      this.room,
      who.signing,
      invite?.signing,
    );
    return { text, place: this.place(who) };
  }

  /** Says a control line that is signed. @returns Why it may not be said. */
  async take({ text, place }: Ruling): Promise<ControlRefusal | undefined> {
    const line = parsed(text);
    if (!await this.membership.isSigned(line, place.person)) {
      return "control-wrong";
    }
    const next = this.membership.next(line, place);
    if (typeof next === "string") return next;
    this.membership = next;
    this.rulings.push({ text, place });
    return undefined;
  }

  /** Says a control line. @returns Why it may not be said. */
  async say(
    who: Somebody,
    said: Said,
    invite?: Somebody,
  ): Promise<ControlRefusal | undefined> {
    return await this.take(await this.sign(who, said, invite));
  }

  /** Makes an invite, as the founder or another keeper. @param at Which one: 1, 2, … @returns Its identity. */
  async invite(
    at: number,
    { uses = 1, until = null, by = this.founder }: {
      readonly uses?: number;
      readonly until?: number | null;
      readonly by?: Somebody;
    } = {},
  ): Promise<Somebody> {
    const invite = await somebody(`invite ${at}`);
    const reason = await this.say(by, {
      verb: "invite",
      invite: SEALED_INVITE + at,
      card: invite.cardText,
      uses,
      until,
    });
    if (reason) throw new TypeError(`No invite: ${reason}`);
    return invite;
  }

  /** What says that somebody joins. */
  joining(who: Somebody, name: string, at: number): Said {
    const invite = SEALED_INVITE + at;
    return { verb: "join", invite, card: who.cardText, name };
  }

  /** Somebody joins by an invite that is made for it. */
  async join(name: string, at: number): Promise<Somebody> {
    const who = await somebody(name);
    const invite = await this.invite(at);
    const reason = await this.say(who, this.joining(who, name, at), invite);
    if (reason) throw new TypeError(`Cannot join as ${name}: ${reason}`);
    return who;
  }

  /** What changes the key. */
  async changing(
    change: Partial<Control<"keys">> = {},
    key: Bytes = freshContentKey(),
  ): Promise<Said> {
    const { membership, room } = this;
    const e = membership.epoch + 1;
    const place = { room, e };
    return {
      verb: "keys",
      e,
      prev: membership.lastKeys,
      seen: membership.seq,
      digest: toBase64url(membership.digest),
      commit: commitment(place, key),
      back: await sealBack(place, this.keys[e - 1] ?? key, key),
      backTo: e - 1,
      made: [],
      removed: [],
      barred: [],
      freed: [],
      ...change,
    };
  }

  /** Changes the key. @returns Why it may not be changed. */
  async change(
    who: Somebody,
    change: Partial<Control<"keys">> = {},
  ): Promise<ControlRefusal | undefined> {
    const key = freshContentKey();
    const reason = await this.say(who, await this.changing(change, key));
    if (reason === undefined) this.keys.push(key);
    return reason;
  }
}

/** What a server shares with several, but not sealed. */
export function unsealed(plaintexts: readonly Bytes[]): Promise<Shared> {
  const secret = { number: 0, counter: 0, key: "", verifyKey: "" };
  const key = { kind: "sharing", ...secret } as const;
  const bytes = concat(...plaintexts);
  return Promise.resolve({ key, bytes, count: plaintexts.length });
}
