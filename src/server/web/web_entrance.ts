/**
 * The port for browsers: an HTTP request comes first, for the page or for a WebSocket, over which the same handshake
 * follows as elsewhere.
 *
 * @module
 */

import { writeAll } from "../../base/write_all.ts";
import type { Bytes } from "../../../crypto_utils.ts";
import {
  type Entrance,
  type Errand,
  type Peer,
  sendAtOnce,
} from "../entrance.ts";
import { type HalfClosable, linger } from "../linger.ts";
import { Messages } from "./frames.ts";
import { shortAnswer, writePatiently } from "../http/http_answer.ts";
import { type Head, HeadError, readHead } from "../http/http_head.ts";
import type { Page } from "./page.ts";
import { upgrade } from "./upgrade.ts";
import { WebStream } from "./web_stream.ts";

/** How long a whole answer may take, ms: the page by gzip, at 2.3 kB a second. */
const ANSWER_TIME = 60_000;
/** What is said where there is no place. */
const BUSY = shortAnswer(
  503,
  { "retry-after": "10" },
  "The server has no room for another connection right now. Try again in a moment.",
);

/** The port for browsers. */
export class WebEntrance implements Entrance {
  readonly #page: Page;
  readonly #isSecure: boolean;
  readonly #messages = new Messages();

  /** Opens nothing yet. @param page What is shown. @param isSecure Whether it speaks TLS. */
  constructor(page: Page, isSecure: boolean) {
    this.#page = page;
    this.#isSecure = isSecure;
  }

  async turnAway(peer: Peer): Promise<void> {
    if (this.#isSecure) return; // nothing can be said before the handshake of TLS
    await writeAll(peer, BUSY);
  }

  async open(peer: Peer): Promise<HalfClosable | Errand> {
    sendAtOnce(peer);
    const head = await readHead(peer).catch((error) => refused(peer, error));
    if (head.path !== "/chat") return errand(peer, ...this.#answer(head));
    const { isOpen, answer } = await upgrade(head);
    if (!isOpen) return errand(peer, answer);
    await writeAll(peer, answer);
    return new WebStream(peer, this.#messages);
  }

  #answer(head: Head): readonly Bytes[] {
    if (head.path === "/") return this.#page.answer(head, false);
    if (head.path === "/chat.html") return this.#page.answer(head, true);
    return [shortAnswer(404, {}, undefined, head.method)];
  }
}

/** Says what is wrong with a request, as far as it was one. @throws the error. */
async function refused(peer: Peer, error: unknown): Promise<never> {
  if (error instanceof HeadError) {
    const fields = error.status === 405 ? { allow: "GET, HEAD" } : {};
    await errand(peer, shortAnswer(error.status, fields)).run();
  }
  throw error;
}

/** To write an answer, in parts, and see that it is heard. */
function errand(peer: Peer, ...answer: readonly Bytes[]): Errand {
  return {
    time: ANSWER_TIME,
    run: async () => {
      for (const part of answer) await writePatiently(peer, part);
      await linger(peer);
    },
  };
}
