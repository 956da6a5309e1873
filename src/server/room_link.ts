/**
 * The secret by which the room's own link opens it: in `chat.key`, and at the door. Where servers share the room, it is
 * the same on all of them.
 *
 *     replace, changed ──▶ the outlet ──▶ the room's order ──▶ take, on every server
 *
 * What changes here counts here at once. The last word of the order counts in the end; `chat.key` tells what that was, so
 * that what was changed while the server was down is told to the others when it is back.
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  KEY_SIZE,
  randomBytes,
} from "../../crypto_utils.ts";
import type { KeyFile } from "../keys/key_file.ts";
import type { StandingLink } from "./people/standing_link.ts";
import type { SealedRoom } from "./sealed/sealed_room.ts";
import { warnUnwritten } from "./server_keys.ts";

/** Where the secret counts. */
export interface RoomLinkOptions {
  /** Where it is kept. */
  readonly keyFile: KeyFile;
  /** The link by which everybody may come in; left out where there is none. */
  readonly standing?: StandingLink | undefined;
  /** The room that is founded by it; left out for an open one. */
  readonly sealed?: Pick<SealedRoom, "setFoundingSecret"> | undefined;
  /** Whether other servers share the room. */
  readonly isShared?: boolean;
}

/** The room's own link. */
export class RoomLink implements AsyncDisposable {
  readonly #options: RoomLinkOptions;
  #secret: Bytes;
  #unshared: Bytes | undefined; // what the other servers are to be told
  #outlet: ((secret: Bytes) => void) | undefined;
  #writing = 0;
  #written: Promise<void> = Promise.resolve();

  /** The link that the key file says, which opens the room from now on. */
  constructor(options: RoomLinkOptions) {
    this.#options = options;
    const { keyFile, isShared = false } = options;
    this.#secret = keyFile.keys.roomKey;
    this.#admit(this.#secret);
    const isNews = isShared && keyFile.isAgreed === false;
    this.#unshared = isNews ? this.#secret : undefined;
  }

  /** Its secret, 32 bytes. */
  get secret(): Bytes {
    return this.#secret;
  }

  /** Whether the key file says it, as far as it can be written. */
  get isKept(): boolean {
    return this.#writing === 0;
  }

  /** Gives it another secret. @returns It, 32 bytes. */
  async replace(): Promise<Bytes> {
    const secret = randomBytes(KEY_SIZE);
    this.#change(secret);
    await this.#written;
    return secret;
  }

  /** Another process has written a secret to the key file, 32 bytes; or this one has. */
  changed(secret: Bytes): void {
    if (this.#writing > 0 || equalBytes(secret, this.#secret)) return;
    this.#change(secret);
  }

  /** The room has a secret, 32 bytes, by its order: this server's own, or another's. */
  take(secret: Bytes): void {
    if (this.#unshared && equalBytes(secret, this.#unshared)) {
      this.#unshared = undefined;
    }
    this.#admit(secret);
    this.#write(secret, true);
  }

  /** Has each secret that it gets here told to the other servers, first of all one that they don't know yet. */
  share(outlet: (secret: Bytes) => void): void {
    this.#outlet = outlet;
    if (this.#unshared) this.#change(this.#unshared);
    else if (this.#options.keyFile.isAgreed === undefined) {
      this.#write(this.#secret, true);
    }
  }

  /** Resolves when the key file says what it is to say, or can't. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#written;
  }

  #change(secret: Bytes): void {
    this.#admit(secret);
    this.#write(secret, false);
    if (!this.#options.isShared) return;
    this.#unshared = secret;
    this.#outlet?.(secret);
  }

  /** It opens the room, and no other does. */
  #admit(secret: Bytes): void {
    this.#secret = secret;
    this.#options.standing?.set(secret);
    this.#options.sealed?.setFoundingSecret(secret);
  }

  #write(secret: Bytes, isAgreed: boolean): void {
    this.#writing++;
    const writing = this.#options.keyFile.setRoomKey(secret, isAgreed)
      .catch((error) =>
        warnUnwritten(error, "The old link opens the room after a restart")
      )
      .finally(() => this.#writing--);
    this.#written = Promise.all([this.#written, writing]).then(() => {});
  }
}
