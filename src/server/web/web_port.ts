/**
 * The port for browsers: where it is, with which certificate, and what its links begin with.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { AdvisedError } from "../../base/advised_error.ts";
import { UsageError } from "../../base/usage_error.ts";
import { messageOf } from "../../base/error_reason.ts";
import { readText } from "../../base/private_file.ts";
import {
  type Address,
  formatAddress,
  parseAddress,
} from "../../keys/invite.ts";
import type { Entrance, Peer } from "../entrance.ts";
import type { Values } from "../flags.ts";
import { webError } from "../start_error.ts";
import { Page } from "./page.ts";
import { WebEntrance } from "./web_entrance.ts";

/** A certificate file's most, bytes: that of a chain of several. */
const MAX_PEM_SIZE = 1_048_576;

/** A certificate and its key, PEM. */
interface Tls {
  readonly cert: string;
  readonly key: string;
}

/** The port, and all that stands behind it. */
export class WebPort {
  /** How those are received who come. */
  readonly entrance: Entrance;
  readonly #address: Address;
  readonly #tls: Tls | undefined;
  #origin: string | undefined;
  #listening: string | undefined;

  private constructor(
    address: Address,
    page: Page,
    tls: Tls | undefined,
    origin: string | undefined,
  ) {
    this.entrance = new WebEntrance(page, tls !== undefined);
    this.#address = address;
    this.#tls = tls;
    this.#origin = origin;
  }

  /**
   * Looks at all that flags ask for, before anything listens.
   * @param web Their `--web`.
   * @throws {UsageError} for flags that don't fit. @throws {AdvisedError} | {FileError} for a page or a certificate
   * that can't be used.
   */
  static async prepare(values: Values, web: string): Promise<WebPort> {
    const { host, "web-cert": cert, "web-key": key, "web-url": url } = values;
    if ((cert === undefined) !== (key === undefined)) {
      throw new UsageError("A certificate needs both --web-cert and --web-key");
    }
    const address = webAddress(web, host);
    const origin = url === undefined ? undefined : readOrigin(url);
    const page = await Page.load();
    const tls = cert !== undefined && key !== undefined
      ? await loadTls(cert, key)
      : undefined;
    return new WebPort(address, page, tls, origin);
  }

  /** What links begin with: `https://chat.example.org`, or `http://0.0.0.0:8080` for all addresses; once it listens. */
  get origin(): string | undefined {
    return this.#origin;
  }

  /** Where it listens, as HOST:PORT; undefined until then. */
  get listening(): string | undefined {
    return this.#listening;
  }

  /** Listens. @throws {AdvisedError} if nobody can listen there. */
  listen(): Deno.Listener<Peer> {
    const { host: hostname, port } = this.#address;
    const tls = this.#tls;
    let listener: Deno.TcpListener | Deno.TlsListener;
    try {
      listener = tls
        ? Deno.listenTls({ hostname, port, ...tls })
        : Deno.listen({ hostname, port });
    } catch (error) {
      throw webError(this.#address, error);
    }
    const { addr } = listener;
    this.#listening = formatAddress(addr.hostname, addr.port);
    this.#origin ??= originOf(
      addr.hostname,
      addr.port,
      tls,
    );
    return listener;
  }
}

/** Where `--web` says, on the addresses of `--host` if it is a port alone. @throws {UsageError} */
function webAddress(text: string, host: string): Address {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) {
    return { host, port: Number(text) };
  }
  try {
    return parseAddress(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(
      `Cannot use --web ${
        JSON.stringify(text)
      }: it is PORT or HOST:PORT, like 8080 or 127.0.0.1:8080`,
    );
  }
}

/** @throws {UsageError} */
function readOrigin(text: string): string {
  const url = URL.parse(text);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) &&
    [url.origin, `${url.origin}/`].includes(text.toLowerCase());
  if (isOrigin) return url.origin;
  throw new UsageError(
    `Cannot use --web-url ${
      JSON.stringify(text)
    }: it is what comes before the path, like https://chat.example.org`,
  );
}

/** @throws {FileError} | {RangeError} | {AdvisedError} for files that can't be used. */
async function loadTls(certFile: string, keyFile: string): Promise<Tls> {
  const cert = await readText(certFile, MAX_PEM_SIZE);
  const key = await readText(keyFile, MAX_PEM_SIZE);
  try {
    // Nothing says whether the two belong together but a listener, so one is tried.
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
  } catch (error) {
    throw certificateError(certFile, keyFile, error);
  }
  return { cert, key };
}

function certificateError(
  cert: string,
  key: string,
  error: unknown,
): AdvisedError {
  const why = messageOf(error);
  if (/no keys/i.test(why)) {
    return new AdvisedError(
      `There is no private key in ${key}`,
      "--web-key is a PEM file that has -----BEGIN PRIVATE KEY----- in it, without a passphrase",
      error,
    );
  }
  if (/no certificates/i.test(why)) {
    return new AdvisedError(
      `There is no certificate in ${cert}`,
      "--web-cert is a PEM file that has -----BEGIN CERTIFICATE----- in it, with the certificates that lead to it behind it",
      error,
    );
  }
  if (/mismatch/i.test(why)) {
    return new AdvisedError(
      `The certificate in ${cert} and the key in ${key} do not belong together`,
      "Give the two files that were made at the same time",
      error,
    );
  }
  return new AdvisedError(
    `Cannot use the certificate in ${cert} with the key in ${key}: ${why}`,
    "Make them anew, or have another program make them",
    error,
  );
}

/** What links begin with: the name in the certificate, if there is one. */
function originOf(host: string, port: number, tls: Tls | undefined): string {
  const own = formatAddress(host, port);
  if (!tls) return `http://${own}`;
  const names = new X509Certificate(tls.cert).subjectAltName ?? "";
  const [, name] = /DNS:([a-z\d][\w.-]*)/i.exec(names) ?? []; // none with a "*"
  const place = name === undefined ? own : `${name}:${port}`;
  return `https://${place.replace(/:443$/, "")}`;
}
