/**
 * A sealed room as the server has it, in this process, and real clients' sessions in it.
 *
 * @module
 */

import { Known } from "../../src/client/known.ts";
import type { InviteSecret } from "../../src/client/sealed/coming_in.ts";
import type { Sealing } from "../../src/client/session.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import { acceptChannel } from "../../src/protocol/handshake.ts";
import { LocalResponder } from "../../src/protocol/responder.ts";
import type { Stream } from "../../src/protocol/record_reader.ts";
import { FOUNDING_ID } from "../../src/sealed/membership.ts";
import { Connection } from "../../src/server/connection.ts";
import { Purses, type Rates } from "../../src/server/rate_limits.ts";
import { ROOM_KEY, SERVER, Setup, UNLIMITED } from "./connection_setup.ts";
import { idleTimers } from "./idle_timers.ts";
import { streamPair } from "./memory_stream.ts";
import { newIdentity } from "./people.ts";
import { SealedClient } from "./sealed_setup.ts";
import type { NewsOf } from "./session_setup.ts";

/** What was found. */
export type Found = NewsOf<"found">;

/** Somebody's client there. */
export type StageClient = SealedClient<SealedStage>;

/** The room, and who is in it. */
export class SealedStage implements AsyncDisposable {
  readonly clients: StageClient[] = [];
  readonly #serving: Promise<unknown>[] = [];
  readonly #purses = new Purses();
  readonly #timers = idleTimers();
  /** What clients may ask for. */
  rates: Rates = UNLIMITED;

  private constructor(readonly setup: Setup) {}

  /** A room that isn't founded. @param history Lines from before that a newcomer may read. */
  static async create(history = 1_000_000): Promise<SealedStage> {
    return new SealedStage(await Setup.create(history, 1_024, true));
  }

  /** Opens a connection. */
  dial(): Promise<Stream> {
    const [near, far] = streamPair();
    this.#serving.push(this.#serve(far).catch(() => far.close()));
    return Promise.resolve(near);
  }

  async #serve(stream: ReturnType<typeof streamPair>[1]): Promise<void> {
    const { setup } = this;
    const { access } = setup.people;
    const channel = await acceptChannel(stream, {
      responder: new LocalResponder(SERVER),
      inviteKey: (id) => access.inviteKey(id),
      turnedAway: (id, key) => access.turnedAway(id, key),
    });
    await new Connection(stream, channel, {
      room: setup.room,
      people: setup.people,
      purses: this.#purses,
      history: setup.history,
      ring: setup.broadcaster.ring,
      relay: setup.relay,
      mailbox: setup.mailbox,
      sealed: setup.sealed,
      rates: this.rates,
    }).run();
  }

  /** Somebody comes, and is in. */
  async client(
    name: string,
    sealing: Sealing,
    identity?: Identity,
    known?: Known,
  ): Promise<StageClient> {
    const client = new SealedClient(
      this,
      identity ?? await newIdentity(),
      known ?? await Known.load(undefined, () => {}),
      name,
      sealing,
    );
    this.clients.push(client);
    return await client.in();
  }

  /** Somebody founds the room. */
  found(name = "ana"): Promise<StageClient> {
    const invite: InviteSecret = { id: FOUNDING_ID, secret: ROOM_KEY };
    return this.client(name, { invite });
  }

  /** Somebody comes by an invite of a keeper's. */
  async bring(keeper: StageClient, name: string): Promise<StageClient> {
    const invite = await keeper.invite(5);
    const client = await this.client(name, { invite });
    await keeper.untilTold(`${name} came in`);
    return client;
  }

  /** A removal of somebody who is nobody any more: the key changes. */
  async rekey(keeper: StageClient, name: string): Promise<void> {
    await this.bring(keeper, name);
    await keeper.operate("kick", name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timers[Symbol.dispose](); // leaving may take its time
    for (const client of this.clients) {
      client.session.leave();
      await client.running.catch(() => {});
      await client.session.kept();
    }
    await Promise.all(this.#serving);
    await this.setup[Symbol.asyncDispose]();
  }
}

/** Says something, and waits until it is in the log. @returns Its number. */
export async function say(client: StageClient, text: string): Promise<number> {
  const { view } = client;
  const before = view.of("said").length;
  await client.say(text);
  for (let at = before;; at++) {
    const news = await view.until("said", at);
    if (news.own && news.text === text) return news.seq;
  }
}

/** What a client finds. */
export async function find(
  client: StageClient,
  words: string,
  count = 100,
): Promise<Found> {
  const { view, session } = client;
  const before = view.of("found").length;
  session.conversation.search(words, count);
  return await view.until("found", before);
}

/** What was found, in short: numbers of lines, and what they say. */
export function told({ lines }: Found): [number | null, string][] {
  return lines.map((line) =>
    line.type === "warning"
      ? [line.line, `warning: ${line.reason}`]
      : [line.seq, `${line.name}: ${line.told ?? line.text}`]
  );
}
