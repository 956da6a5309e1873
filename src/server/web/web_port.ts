/**
 * The port for browsers: where it is, with which certificate, and what its links begin with.
 *
 * @module
 */

import { UsageError } from "../../base/usage_error.ts";
import { type Address, formatAddress } from "../../keys/invite.ts";
import type { Entrance, Peer } from "../entrance.ts";
import { portAddress, type Values } from "../flags.ts";
import { close } from "../linger.ts";
import { webError } from "../start_error.ts";
import { Certificate } from "./certificate.ts";
import { Page } from "./page.ts";
import { TlsPeers } from "./tls_peers.ts";
import { WebEntrance } from "./web_entrance.ts";

/** The port, and all that stands behind it. */
export class WebPort implements Disposable {
  /** How those are received who come. */
  readonly entrance: Entrance;
  readonly #url: string | undefined;
  #address: Address;
  #certificate: Certificate | undefined;
  readonly #tls = new TlsPeers();
  #listener: Deno.TcpListener | Deno.TlsListener | undefined;
  #isAccepting = false;
  #isDown = false; // it could not listen again
  #renewed: PromiseWithResolvers<void> | undefined; // while the listener gives way to another

  private constructor(
    address: Address,
    page: Page,
    certificate: Certificate | undefined,
    url: string | undefined,
  ) {
    this.entrance = new WebEntrance(page, certificate !== undefined);
    this.#address = address;
    this.#certificate = certificate;
    this.#url = url;
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
    const address = portAddress("web", web, host);
    const origin = url === undefined ? undefined : readOrigin(url);
    const page = await Page.load();
    const certificate = cert !== undefined && key !== undefined
      ? await Certificate.load(cert, key)
      : undefined;
    return new WebPort(address, page, certificate, origin);
  }

  /** Where it listens, as HOST:PORT, once it does. */
  get listening(): string {
    return formatAddress(this.#address.host, this.#address.port);
  }

  /** What links begin with: `https://chat.example.org`, or `http://0.0.0.0:8080` for all addresses; once it listens. */
  get origin(): string {
    if (this.#url !== undefined) return this.#url;
    const { host, port } = this.#address;
    if (!this.#certificate) return `http://${this.listening}`;
    const place = formatAddress(this.#certificate.name ?? host, port);
    return `https://${place.replace(/:443$/, "")}`;
  }

  /** Listens. @throws {AdvisedError} if nobody can listen there. */
  listen(): void {
    const { host: hostname, port } = this.#address;
    try {
      const listener = this.#certificate
        ? Deno.listenTls({ hostname, port, ...this.#certificate.tls })
        : Deno.listen({ hostname, port });
      this.#listener = listener;
      this.#isDown = false;
      const { addr } = listener;
      this.#address = { host: addr.hostname, port: addr.port };
    } catch (error) {
      throw webError(this.#address, error);
    }
  }

  /** The next who comes. @throws if none can be accepted, or the port is closed. */
  async accept(): Promise<Peer> {
    for (;;) {
      await this.#tls.place();
      if (!this.#listener) throw new Deno.errors.BadResource("It is closed");
      if (this.#isDown) this.listen();
      try {
        this.#isAccepting = true;
        const conn = await this.#listener.accept()
          .finally(() => this.#isAccepting = false);
        return "handshake" in conn ? this.#tls.add(conn) : conn;
      } catch (error) {
        const renewed = this.#renewed;
        this.#renewed = undefined;
        if (!renewed) throw error;
        // Only now, with nobody waiting at it any more, the port is free again.
        try {
          this.#isDown = true;
          if (this.#listener) this.listen();
          renewed.resolve();
        } catch (error) {
          renewed.reject(error);
        }
      }
    }
  }

  /**
   * Reads the certificate again, and listens with it; who is here stays.
   * @throws {AdvisedError} | {FileError} for one that can't be used: the old one stays.
   */
  async renew(): Promise<void> {
    const fresh = await this.#certificate?.again();
    if (!fresh || !this.#listener || this.#renewed) return;
    this.#certificate = fresh;
    // Nobody waits there where all places are taken, perhaps for as long as strangers like.
    if (!this.#isAccepting) {
      close(this.#listener);
      this.#isDown = true;
      return this.listen();
    }
    this.#renewed = Promise.withResolvers();
    const { promise } = this.#renewed;
    close(this.#listener);
    await promise;
  }

  /** Accepts nobody any more. */
  close(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener) close(listener); // it may be closed, and no other could take its place
    this.#tls.close();
  }

  /** The same. */
  [Symbol.dispose](): void {
    this.close();
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
