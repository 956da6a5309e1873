/**
 * The client's own session without its terminal, with a real server behind a proxy: so that there can be a hundred.
 *
 * @module
 */

import { JoinError } from "../../src/client/join_error.ts";
import { Session } from "../../src/client/session.ts";
import type { News, RoomNews, View } from "../../src/client/view.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import { admissionKey, parseInvite } from "../../src/keys/invite.ts";
import type { LogEntry } from "../../src/protocol/line.ts";
import { assertEquals } from "./assert.ts";
import { type Edit, TcpProxy } from "./proxy.ts";
import type { Server } from "./server.ts";
import "./crypto_idle.ts";
import { newIdentity } from "./people.ts";
import { Watch } from "./watch.ts";

/** How somebody stays. */
export interface StayOptions {
  /** What happens to the records of its first connection. */
  readonly edit?: Edit;
}

/** Whether a line of the log is the joining that a client was told of as its own. */
export function isJoining(
  entry: LogEntry | undefined,
  { person, at }: { readonly person: string; readonly at: number },
): boolean {
  return entry?.what === "joined" && entry.person === person && entry.at === at;
}

/** One session by way of a proxy, and all that it shows. */
export class Stay implements View, AsyncDisposable {
  readonly shown: News[] = [];
  readonly session: Session;
  /** Resolves when it has left, and with why where it never came in. */
  readonly ended: Promise<JoinError | undefined>;
  readonly #watch: Watch;
  readonly #proxy: TcpProxy;
  #isOut = false;

  private constructor(
    readonly name: string,
    server: Server,
    identity: Identity,
    { edit }: StayOptions,
  ) {
    const first: Edit = (record) =>
      record.connection === 0 && edit ? edit(record) : [record.bytes];
    this.#proxy = new TcpProxy(server.port, first);
    const { port } = this.#proxy;
    const { id: inviteId, secret } = parseInvite(server.invite);
    this.session = new Session({
      address: `127.0.0.1:${port}`,
      who: { identity, name },
      dial: () => Deno.connect({ hostname: "127.0.0.1", port }),
      handshake: {
        inviteId,
        inviteKey: admissionKey(secret),
        checkServer: () => {},
      },
      view: this,
      askName: () => Promise.resolve(null),
    });
    const report = () => `${name}: ${JSON.stringify(this.shown.slice(-20))}`;
    this.#watch = new Watch(report, () => this.session.leave());
    this.ended = this.#run();
  }

  static async begin(name: string, server: Server, options: StayOptions = {}) {
    return new Stay(name, server, await newIdentity(), options);
  }

  async #run(): Promise<JoinError | undefined> {
    try {
      await this.session.run();
      return undefined;
    } catch (error) {
      if (!(error instanceof JoinError)) throw error;
      this.#isOut = true;
      this.#watch.changed();
      return error;
    }
  }

  /** What it has shown of the room. */
  get heard(): RoomNews[] {
    return this.shown.filter((news): news is RoomNews => "past" in news);
  }

  /** Waits until its own words are shown. @returns False where it never came in. */
  hears(text: string): Promise<boolean> {
    const isOwn = (news: RoomNews) => news.own && news.text === text;
    return this.until(text, () => this.heard.some(isOwn));
  }

  /** Waits until something holds. @returns False where it never came in. */
  until(what: string, holds: () => boolean): Promise<boolean> {
    return this.#watch.until(
      what,
      () => this.#isOut ? false : holds() || undefined,
    );
  }

  /** Fails unless all that it has shown is as the log has it, without a gap and nothing twice. */
  assertFollows(log: readonly LogEntry[]): void {
    for (const { seq, text, name } of this.heard) {
      const entry = log[seq - 1];
      assertEquals([seq, name, text], [entry?.seq, entry?.name, entry?.text]);
    }
    const isLine = (news: News): news is News & { seq: number } =>
      "seq" in news &&
      (news.type !== "entered" || isJoining(log[news.seq - 1], news));
    const seqs = this.shown.filter(isLine).map(({ seq }) => seq);
    const [first = 0] = seqs.sort((a, b) => a - b);
    assertEquals(seqs, seqs.map((_, nth) => first + nth), this.name);
  }

  show(news: News): void {
    this.shown.push(news);
    this.#watch.changed();
  }

  stand(): void {}

  note(): void {}

  ask(): Promise<null> {
    return Promise.resolve(null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _watch = this.#watch;
    this.session.leave();
    await this.ended;
    await this.#proxy[Symbol.asyncDispose]();
  }
}
