/**
 * A client for programs: `join()` goes into a room by a link, and what happens there comes as values. It comes back by
 * itself after a loss, as every client does, asks nobody anything, and keeps nothing but the identity that it is given:
 * whoever comes again as somebody else isn't noticed.
 *
 *     join(link, who) ──▶ Session ──▶ news ──▶ at most 10,000 that wait ──▶ events()
 *                            ▲
 *     say(), reply(), … ─────┘
 *
 * @example
 * ```ts ignore
 * import { join } from "@chat/encrypted-chat/client";
 *
 * await using room = await join(link, { name: "cron", identity: "cron.id" });
 * await room.say("The backup is done");
 * ```
 *
 * @module
 */

import { randomBytes } from "../../crypto_utils.ts";
import { explanation } from "../base/explanation.ts";
import { complain } from "../base/output.ts";
import { sentence } from "../base/sentence.ts";
import { UsageError } from "../base/usage_error.ts";
import { identityOf } from "../crypto/identity.ts";
import { IdentityFile } from "../keys/identity.ts";
import { requireName } from "./ask.ts";
import { direct } from "./direct.ts";
import { readPlace } from "./given_place.ts";
import { JoinError } from "./join_error.ts";
import { Known } from "./known.ts";
import { Session } from "./session.ts";
import type { News, Present } from "./view.ts";
import { WaitingNews } from "./waiting_news.ts";

export { JoinError, UsageError };

/**
 * Says on stderr why the program can't be in a room, or can't stay there, and ends it: exit code 2 for a link or a name
 * that can't be, 1 for all else. @param error What `join()` or `events()` threw.
 */
export function fail(error: unknown): never {
  const isUsage = error instanceof UsageError;
  const words = isUsage
    ? sentence(error.message)
    : explanation(error, "client");
  complain(`${words}\n`);
  Deno.exit(isUsage ? 2 : 1);
}

export type { News, Present };

/** An identity's seed, bytes. */
const SEED_SIZE = 32;

/** As whom a program comes, and what it wants to know. */
export interface JoinOptions {
  /** The name that it goes by. */
  readonly name: string;
  /**
   * The file of its identity, made if it is missing: a name belongs to the identity that first went by it. Default: an
   * identity for this stay alone, after which nobody can have the name for 90 days.
   */
  readonly identity?: string;
  /** How many earlier lines are told first. Default: none. */
  readonly history?: number;
  /** Is told what a person should read: warnings, and what the server greets with. Default: nothing. */
  readonly note?: (text: string) => void;
}

/**
 * Goes into a room.
 * @param link As the server or an invite has it: `chat://…`, or one for browsers. One that founds a sealed room is refused.
 * @returns The room, once the program is in.
 * @throws {UsageError} for a link or a name that can't be. @throws {JoinError} if it can't get in.
 * @throws {FileError} for an identity that can't be read or made.
 */
export async function join(
  link: string,
  options: JoinOptions,
): Promise<JoinedRoom> {
  const name = requireName(options.name);
  const waiting = new WaitingNews(options.note ?? (() => {}));
  const known = await Known.load(undefined, (text) => waiting.note(text));
  const { address, others, handshake, proven, invite } = readPlace(link, known);
  const { identity } = options.identity === undefined
    ? { identity: await identityOf(randomBytes(SEED_SIZE)) }
    : await IdentityFile.open(options.identity);
  const session = new Session({
    address,
    others,
    who: { identity, name },
    dial: direct,
    handshake,
    proven,
    known,
    view: waiting,
    history: options.history ?? 0,
    sealing: { invite, founds: () => Promise.resolve(false) },
    askName: () => Promise.resolve(null),
  });
  const ended = session.run().finally(() => {
    session.conversation.showLost();
    waiting.end();
  });
  await Promise.race([waiting.entered, ended]); // by which its rejection is no fault that nobody handles
  return new JoinedRoom(session, waiting, ended);
}

/** A room that a program is in. */
export class JoinedRoom implements AsyncDisposable {
  /** Resolves when it has left. Rejects with a `JoinError` when it was sent away for good. */
  readonly ended: Promise<void>;
  readonly #session: Session;
  readonly #waiting: WaitingNews;

  /** The room of a session that is in. */
  constructor(session: Session, waiting: WaitingNews, ended: Promise<void>) {
    this.#session = session;
    this.#waiting = waiting;
    this.ended = ended;
  }

  /** Who is in the room now, this program included; nobody while the connection is lost. */
  get members(): readonly Present[] {
    return this.#session.conversation.present;
  }

  /** How many news nobody has read in time, and are gone. */
  get dropped(): number {
    return this.#waiting.dropped;
  }

  /**
   * What happens, in its order, from the coming in on, for one reader: lines of the room by their kinds (`said`,
   * `joined`, …), private messages, lost connections and returns, refusals of what was said here.
   * Ends when the program has left. @throws {JoinError} when it was sent away for good.
   */
  async *events(): AsyncGenerator<News> {
    yield* this.#waiting.read();
    await this.ended;
  }

  /** Says something; resolves when there is room for the next line. */
  async say(text: string): Promise<void> {
    await this.#session.say(text);
  }

  /** Answers the line of that number; resolves as `say` does. */
  async reply(to: number, text: string): Promise<void> {
    await this.#session.reply(to, text);
  }

  /** Reacts to the line of that number with an emoji; resolves as `say` does. */
  async react(to: number, emoji: string): Promise<void> {
    await this.#session.change("reacted", to, emoji);
  }

  /** Writes to somebody alone, by name or short id; resolves as `say` does. */
  async write(to: string, text: string): Promise<void> {
    await this.#session.write(to, text);
  }

  /**
   * Leaves. What was said goes out first, if there is a connection; what may not be in the log comes as `lost`. Takes
   * some seconds at the most.
   */
  async leave(): Promise<void> {
    this.#session.leave();
    await this.ended.catch(() => {}); // who was sent away has left, too
  }

  /** Leaves. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }
}
