/**
 * A name under which programs speak: one person of the room, whichever token and however many requests they come with.
 * It comes in when the first of them does, and stays: who speaks once an hour would otherwise fill the log with comings
 * and goings, and members see as long as the server runs who may read along.
 *
 *     outside ── the first request ──▶ in the room ── removed, cut off, all its tokens taken back, the server stops ──▶ outside
 *
 * Its keys follow from the server's own and the name, so that it is the same person after a restart, with another token,
 * and on all servers of the room.
 *
 * @module
 */

import {
  type Bytes,
  deriveKey,
  labelledDigest,
} from "../../../crypto_utils.ts";
import { within } from "../../base/timing.ts";
import { type Identity, identityOf } from "../../crypto/identity.ts";
import { fullId, shortId } from "../../crypto/person_id.ts";
import type { Name } from "../../protocol/names.ts";
import { type Goodbye, textRefusal } from "../../protocol/reasons.ts";
import { HttpGuest, MARKS, type Outcome, type ToSay } from "./http_guest.ts";
import { Purse } from "../rate_limits.ts";
import type { HttpRoom } from "./http_room.ts";
import { endedError, refusedError, RequestError } from "./request_error.ts";

/** How long a request waits for its lines to be in the log, or to be let in, ms. */
const ROOM_TIME = 30_000;
/** Requests of one name at a time that say something. */
const MAX_SAYING = 64;

const encoder = new TextEncoder();
const now = () => performance.now();

/** What is to be said by one request. */
export interface Said {
  /** Each is a message of its own. */
  readonly texts: readonly string[];
  /** By which a request is known that comes again; undefined: it is another one each time. */
  readonly key: string | undefined;
  /** How long the request was, bytes. */
  readonly size: number;
}

/** The identity of a name. @param secret The server's private key, 32 bytes. */
export async function identityFor(
  secret: Bytes,
  { shown }: Name,
): Promise<Identity> {
  const name = encoder.encode(shown.toLowerCase()); // writing it otherwise makes it no other
  return await identityOf(deriveKey(secret, "http person", name));
}

/** A name under which programs speak. */
export class Speaker {
  /** The short id of its person. */
  readonly person: string;
  readonly #name: Name;
  readonly #identity: Identity;
  readonly #room: HttpRoom;
  readonly #saying = new Map<string, Promise<number[]>>(); // by what was said under which key
  #guest: HttpGuest | undefined;
  #end: Goodbye | undefined;
  #turn: Promise<unknown> = Promise.resolve(); // resolves when the room has taken all that was asked for
  readonly #reading: Purse; // of its own: who reads the past doesn't keep the name from speaking
  #readUntil = -Infinity; // what has been read is paid for then, by `now`
  #owesUntil = -Infinity; // the same for what was said
  #count = 0;

  /** A name that is outside. */
  constructor(name: Name, identity: Identity, room: HttpRoom) {
    this.#name = name;
    this.#identity = identity;
    this.#room = room;
    this.#reading = new Purse(room.options.rates, now);
    const id = fullId(identity.id);
    this.person = shortId(id);
    room.options.people.access.letIn(id); // its owner has given it a token
  }

  /** To be called once a second. */
  tick(): void {
    this.#guest?.tick();
  }

  /** Ends its stay in the room: it doesn't come in again. */
  end(reason: Goodbye): void {
    this.#end ??= reason;
    this.#guest?.dismiss(reason);
  }

  /** Resolves when nothing is being said any more. */
  async quiet(): Promise<void> {
    await Promise.allSettled(this.#saying.values());
  }

  /** Its place in the room, which it asks for where it has none. @throws {RequestError} if it can't come in. */
  async enter(): Promise<HttpGuest> {
    return await inTime(this.#inTurn(() => this.#enter()));
  }

  /**
   * Says something. What comes again under the same key while it stands in the last 1,024 lines of the log isn't said again.
   * @returns The number of each message, once it is in the log. @throws {RequestError} if one is not said.
   */
  async say(said: Said): Promise<number[]> {
    const { texts, key } = said;
    for (const text of texts) this.#requireText(text);
    const id = JSON.stringify(key === undefined ? ++this.#count : [key, texts]);
    const same = this.#saying.get(id);
    if (same) return await inTime(same);
    if (this.#saying.size >= MAX_SAYING) {
      throw new RequestError(429, "Too many requests at a time", 1);
    }
    const saying = this.#say(said).finally(() => this.#saying.delete(id));
    this.#saying.set(id, saying);
    return await inTime(saying);
  }

  /** Pays for lines that were read. @param isOver Whether their reader is gone, and doesn't wait for it. */
  async payFor(
    lines: number,
    guest: HttpGuest,
    isOver: () => boolean,
  ): Promise<void> {
    const until = now() + this.#reading.take(lines, 0);
    this.#readUntil = Math.max(this.#readUntil, until);
    while (now() < this.#readUntil && !guest.ended && !isOver()) {
      await guest.changed();
    }
  }

  /** @throws {RequestError} */
  #requireText(text: string): void {
    const reason = textRefusal(text);
    if (reason) throw refusedError({ reason, detail: "" }, 0);
    if (!text.isWellFormed()) {
      throw new RequestError(400, "The text has half of a surrogate pair");
    }
  }

  async #say({ texts, key, size }: Said): Promise<number[]> {
    const lines = texts.map((text, index): ToSay => ({
      text,
      mark: key === undefined ? undefined : markOf(key, index, text),
    }));
    const outcomes = await this.#inTurn(async () => {
      const wait = Math.ceil((this.#owesUntil - now()) / 1_000);
      if (wait > 0) {
        const why = "More was said than one member may say at once";
        throw new RequestError(429, `${why}: wait ${wait} s`, wait);
      }
      const known = lines.map((line) => this.#find(line));
      const guest = await this.#enter();
      const fresh = lines.filter((_, index) => known[index] === undefined);
      const said = await guest.say(fresh, size);
      this.#owesUntil = Math.max(this.#owesUntil, now() + guest.pay(size));
      return known.map((seq) => seq === undefined ? said.shift() : { seq });
    });
    return this.#numbers(await Promise.all(outcomes));
  }

  /** @throws {RequestError} if one of them was not said. */
  #numbers(outcomes: readonly (Outcome | undefined)[]): number[] {
    const { settings: { slow } } = this.#room.options.people;
    const said = outcomes.flatMap((it) => it && "seq" in it ? it.seq : []);
    for (const outcome of outcomes) {
      if (!outcome || "seq" in outcome) continue;
      const error = "refused" in outcome
        ? refusedError(outcome.refused, slow)
        : endedError(outcome.ended, true);
      error.said = said;
      throw error;
    }
    return said;
  }

  /** The number that a line has which was said before; undefined if it wasn't, or long ago. */
  #find({ text, mark }: ToSay): number | undefined {
    if (mark === undefined) return undefined;
    const { history } = this.#room.options;
    // Line by line: others' that are just being written come into memory a little after they have their numbers.
    for (let seq = history.head; seq > history.oldest; seq--) {
      const it = history.recall(seq);
      const isSame = it?.person === this.person && it.what === "said" &&
        it.n % MARKS === mark && it.text === text;
      if (isSame) return seq;
    }
    return undefined;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => {}); // the caller is told
    return result;
  }

  async #enter(): Promise<HttpGuest> {
    const before = this.#guest;
    if (before && !before.ended && !before.isSpent) return before;
    if (this.#end) throw endedError(this.#end, false);
    const guest = new HttpGuest(this.#identity, this.#room);
    const refused = await guest.enter(this.#name.shown);
    if (refused) {
      guest.dismiss("left");
      throw refusedError(refused, 0);
    }
    if (this.#end) guest.dismiss(this.#end);
    if (guest.ended) throw endedError(guest.ended, false);
    this.#guest = guest;
    before?.dismiss("left"); // one person all the while: nobody is told
    return guest;
  }
}

/** What the room does for a program. @throws {RequestError} if that takes too long, as while NATS can't be reached. */
async function inTime<T>(doing: Promise<T>): Promise<T> {
  if (await within(ROOM_TIME, doing)) return await doing;
  const why = "The room waits for its servers; it may be done all the same";
  throw new RequestError(503, why, 1);
}

/** What stands for a line that is said under a key, in the number of the line. */
export function markOf(key: string, index: number, text: string): number {
  const digest = labelledDigest(
    "http line",
    encoder.encode(JSON.stringify([key, index, text])),
  );
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}
