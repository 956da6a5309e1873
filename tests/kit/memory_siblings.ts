/**
 * Servers of a room that tell each other things without anything between them.
 *
 * @module
 */

import type { Message, Siblings } from "../../src/server/cluster/siblings.ts";

type Heard = Parameters<Siblings["hear"]>[1];

/** No test has servers say as much to each other as this: who does asks without an end. */
const MAX_SENT = 2_000;

/** A question or a message that went from one server to others. */
export interface Sent {
  readonly topic: string;
  readonly from: string;
  /** Default: all others. */
  readonly to: string | undefined;
}

/** All servers of a room. */
export class MemoryCompany {
  readonly #servers = new Map<string, MemorySiblings>();
  /** What was asked and told, in order. */
  readonly sent: Sent[] = [];
  /** What of that gets lost. Tests replace it. */
  loses: (sent: Sent) => boolean = () => false;

  /** Another server of that id. */
  join(own: string): MemorySiblings {
    const server = new MemorySiblings(own, this);
    this.#servers.set(own, server);
    return server;
  }

  /** Those whom a message reaches; who is silent hears nothing. */
  reached(sent: Sent): MemorySiblings[] {
    if (this.sent.push(sent) > MAX_SENT) throw new Error("It never ends");
    if (this.loses(sent)) return [];
    return [...this.#servers.values()].filter(({ own, isSilent }) =>
      own !== sent.from && !isSilent && (sent.to ?? own) === own
    );
  }
}

/** One of them, as it sees the others. What nobody answers is so at once, however long it may take. */
export class MemorySiblings implements Siblings {
  readonly #heard = new Map<string, Heard>();
  /** Whether it hears and answers nothing. */
  isSilent = false;

  constructor(readonly own: string, readonly company: MemoryCompany) {}

  tell(topic: string, message: Message, to?: string): void {
    const sent = { topic, from: this.own, to };
    for (const it of this.company.reached(sent)) {
      it.#answer(topic, message, this.own);
    }
  }

  async ask(
    topic: string,
    message: Message,
    { to }: { readonly to?: string },
  ): Promise<{ readonly from: string; readonly message: Message } | undefined> {
    const sent = { topic, from: this.own, to };
    const answers = this.company.reached(sent).map(async (it) => {
      const answer = await it.#answer(topic, message, this.own);
      if (!answer) throw new Error("another may know it");
      return { from: it.own, message: passed(answer) };
    });
    return await Promise.any(answers).catch(() => undefined);
  }

  hear(topic: string, heard: Heard): void {
    this.#heard.set(topic, heard);
  }

  #answer(topic: string, message: Message, from: string): ReturnType<Heard> {
    return this.#heard.get(topic)?.(passed(message), from);
  }
}

/** As it comes out of JSON. */
function passed(message: Message): Message {
  return JSON.parse(JSON.stringify(message));
}
