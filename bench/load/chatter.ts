/**
 * Somebody who says many things as fast as the server takes them.
 *
 * @module
 */

import type { Event } from "../../src/protocol/events.ts";
import { Intruder } from "../../tests/kit/intruder.ts";
import { joinEvent } from "../../tests/kit/people.ts";

/** What one says at a time. */
const BATCH = 500;
const FILLER = "x".repeat(85);
/** How long somebody who talks is connected at the most, ms. */
const DEADLINE = 300_000;

/** One who talks. */
export class Chatter implements Disposable {
  readonly #client: Intruder;
  #said = 0;

  private constructor(client: Intruder) {
    this.#client = client;
  }

  /** Joins by a link. */
  static async in(link: string, name: string): Promise<Chatter> {
    const client = await Intruder.by(link, undefined, DEADLINE);
    await client.send(joinEvent(client.identity, name));
    await client.hears("welcome");
    return new Chatter(client);
  }

  /** Says so many messages more, of about 100 bytes: `message 1 …` and so on. Resolves when the server has taken all. */
  async talk(count: number): Promise<void> {
    const end = this.#said + count;
    while (this.#said < end) {
      const size = Math.min(BATCH, end - this.#said);
      const events = Array.from({ length: size }, () => {
        const n = ++this.#said;
        return { kind: "say", n, text: `message ${n} ${FILLER}` } as Event;
      });
      await this.#client.send(...events, { kind: "ping" });
      await this.#client.hears("pong");
    }
  }

  /** Leaves. */
  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}
