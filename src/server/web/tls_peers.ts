/**
 * Connections by TLS. Deno ends none whose handshake is under way: closing it gives back nothing, and its descriptor is
 * taken until the peer goes. So each is counted until its handshake has ended, and is closed only then.
 *
 *     accepted ── handshake ──▶ stands ── close ──▶ closed
 *        └── close ──▶ given up: whoever reads is told ── the peer goes, or goes on after all ──▶ closed
 *
 * @module
 */

import { Notify } from "../../base/notify.ts";
import { diagnostics } from "../diagnostics.ts";
import type { Peer } from "../entrance.ts";
import { close } from "../linger.ts";

/** Handshakes under way at a time, with those that were given up; more wait in the kernel's queue. */
const MAX_SHAKING = 1_024;

const logger = diagnostics("web");

/** All whose handshake hasn't ended. */
export class TlsPeers {
  readonly #max: number;
  readonly #ended = new Notify(); // whenever a handshake has
  #count = 0;
  #isClosed = false;

  /** None so far. @param max How many there may be. */
  constructor(max = MAX_SHAKING) {
    this.#max = max;
  }

  /** Resolves when there is a place for another, and when nobody is accepted any more. */
  async place(): Promise<void> {
    while (this.#count >= this.#max && !this.#isClosed) {
      logger.warn(
        "All {count} places for handshakes of TLS are taken: other browsers wait. A proxy in front, as Caddy, keeps silent ones away",
        { count: this.#count },
      );
      await this.#ended.wait();
    }
  }

  /** Nobody is accepted any more. */
  close(): void {
    this.#isClosed = true;
    this.#ended.notify();
  }

  /** One more, which has just been accepted. */
  add(conn: Deno.TlsConn): Peer {
    this.#count++;
    const peer = new TlsPeer(conn);
    peer.shaken.then(() => {
      this.#count--;
      this.#ended.notify();
    });
    return peer;
  }
}

/** One of them. */
class TlsPeer implements Peer {
  /** Resolves when its handshake has ended, however. */
  readonly shaken: Promise<void>;
  readonly #conn: Deno.TlsConn;
  #standing: PromiseWithResolvers<void> | undefined; // until then; rejects if it fails, or is given up
  #isGivenUp = false;

  constructor(conn: Deno.TlsConn) {
    const standing = Promise.withResolvers<void>();
    standing.promise.catch(() => {}); // who reads or writes is told
    this.#conn = conn;
    this.#standing = standing;
    this.shaken = conn.handshake().then(() => standing.resolve())
      .catch(standing.reject).then(() => {
        this.#standing = undefined;
        if (this.#isGivenUp) close(conn);
      });
  }

  get remoteAddr(): Deno.NetAddr {
    return this.#conn.remoteAddr;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#once(() => this.#conn.read(into));
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#once(() => this.#conn.write(bytes));
  }

  closeWrite(): Promise<void> {
    return this.#once(() => this.#conn.closeWrite());
  }

  close(): void {
    if (!this.#standing) return this.#conn.close();
    this.#isGivenUp = true;
    const why = "Closed within the handshake of TLS";
    this.#standing.reject(new Deno.errors.Interrupted(why));
  }

  /** Does something once it stands: at once, but for the first time. */
  #once<T>(task: () => Promise<T>): Promise<T> {
    return this.#standing ? this.#standing.promise.then(task) : task();
  }
}
