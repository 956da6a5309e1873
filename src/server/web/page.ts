/**
 * The web page, as `deno task page` has built it: one file, which is read once, when the server starts, and beside it the
 * same one packed by Brotli, which takes too long to be done then.
 *
 * @module
 */

import { brotliDecompressSync, gzipSync } from "node:zlib";
import { type Bytes, equalBytes, sha256 } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { answerHead } from "../http/http_answer.ts";
import { type Head, lists } from "../http/http_head.ts";

/** Where the page stands, also in a compiled server. */
const PLACE = new URL("../../../dist/chat.html", import.meta.url);
/** What the page's own policy says of connections: a file may go to any server, what comes from here to this one alone. */
const CONNECTIONS = /connect-src [^;]*/;
/** The same file, to be kept. */
const SAVED = 'attachment; filename="chat.html"';

/** What is never allowed to the page. Its reader of codes takes a picture by a file input, which "camera" doesn't touch. */
const FORBIDDEN = [
  "camera",
  "display-capture",
  "geolocation",
  "microphone",
  "payment",
  "usb",
].map((feature) => `${feature}=()`).join(", ");

/** The page in one of the forms in which it is sent. */
interface Form {
  /** As `content-encoding` has it; undefined for the file as it is. */
  readonly coding: string | undefined;
  readonly body: Bytes;
}

/** The page. */
export class Page {
  readonly #packed: readonly Form[]; // the smallest first
  readonly #plain: Form;
  readonly #tag: string;
  readonly #policy: string;

  private constructor(html: Bytes, policy: string, packed: Bytes | undefined) {
    this.#packed = [
      ...(packed ? [{ coding: "br", body: packed }] : []),
      { coding: "gzip", body: new Uint8Array(gzipSync(html, { level: 9 })) },
    ];
    this.#plain = { coding: undefined, body: html };
    this.#tag = sha256(html).toHex();
    this.#policy = policy;
  }

  /** Reads it. @param place Where it stands. @throws {AdvisedError} if it is not there, or something else is. */
  static async load(place: URL | string = PLACE): Promise<Page> {
    const advice = "Build it: deno task page";
    let html: Bytes;
    try {
      html = await Deno.readFile(place);
    } catch (error) {
      throw new AdvisedError(
        "There is no dist/chat.html to serve",
        advice,
        error,
      );
    }
    const [, policy] = new TextDecoder().decode(html).match(
      /<meta http-equiv="?content-security-policy"? content="([^"]*)">/i,
    ) ?? [];
    if (policy === undefined || !CONNECTIONS.test(policy)) {
      throw new AdvisedError("dist/chat.html is not the chat's page", advice);
    }
    return new Page(html, policy, await readPacked(`${place}.br`, html));
  }

  /**
   * Answers a request for the page.
   * @param isToKeep Whether it is to be saved rather than shown.
   * @returns The answer in parts, which nobody may change: the page itself is the same bytes for all.
   */
  answer(head: Head, isToKeep: boolean): readonly Bytes[] {
    const { coding, body } = this.#formFor(head);
    const tag = `"${this.#tag}${coding === undefined ? "" : `-${coding}`}"`;
    const isKnown = lists(head, "if-none-match", tag);
    const fields = answerHead(isKnown ? 304 : 200, {
      ...this.#protection(head),
      etag: tag,
      vary: "accept-encoding",
      "cache-control": "no-cache", // asked for each time, and sent only if there is another
      ...(isKnown ? {} : {
        "content-type": "text/html; charset=utf-8",
        "content-length": String(body.length),
        ...(coding === undefined ? {} : { "content-encoding": coding }),
        ...(isToKeep ? { "content-disposition": SAVED } : {}),
      }),
      connection: "close",
    });
    return isKnown || head.method === "HEAD" ? [fields] : [fields, body];
  }

  /** The smallest that the one who asks can unpack. */
  #formFor(head: Head): Form {
    const form = this.#packed.find(({ coding = "" }) =>
      lists(head, "accept-encoding", coding)
    );
    return form ?? this.#plain;
  }

  /** What keeps others away from the page, and the page from others. */
  #protection({ host }: Head): Record<string, string> {
    // "self" alone is no WebSocket to some browsers.
    const here = `connect-src 'self' ws://${host} wss://${host}`;
    const policy = this.#policy.replace(CONNECTIONS, here);
    return {
      "content-security-policy": `${policy}; frame-ancestors 'none'`,
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": FORBIDDEN,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    };
  }
}

/** The packed page; undefined if there is none, or it is that of another page. */
async function readPacked(
  place: string,
  html: Bytes,
): Promise<Bytes | undefined> {
  try {
    const packed = await Deno.readFile(
      place.startsWith("file:") ? new URL(place) : place,
    );
    const options = { maxOutputLength: html.length };
    const page = new Uint8Array(brotliDecompressSync(packed, options));
    return equalBytes(page, html) ? packed : undefined;
  } catch {
    return undefined; // gzip does as well, with a fifth more
  }
}
