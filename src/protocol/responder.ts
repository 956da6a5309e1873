/**
 * The server's cryptography in a handshake, apart from all that reads, writes and decides: bytes in, bytes out, so
 * that another thread can do it.
 *
 *     answer(first message) ──▶ reply ──▶ finish(third message, key) ──▶ a key for each direction, and the client's own
 *                                 └─────▶ forgotten, where the client goes no further
 *
 * @module
 */

import {
  createHandshake,
  type Handshake,
  type Secured,
} from "../crypto/noise.ts";
import {
  hybridPsk,
  type Kem,
  kem as defaultKem,
  KEM_KEY_SIZE,
} from "../crypto/kem.ts";
import { generateKeyPair, type KeyPair } from "../crypto/x25519.ts";
import {
  type Bytes,
  concat,
  HandshakeError,
  KEY_SIZE,
  PROTOCOL_BYTES,
} from "../../crypto_utils.ts";
import {
  CODE_ID,
  CODE_NUMBER_SIZE,
  GUESS_SIZE,
  INVITE_ID_SIZE,
} from "./hello.ts";
import { WireError } from "./records.ts";

/** The words of the spoken code of that number, UTF-8; random bytes if there is none, so that nobody can tell. */
export type PasswordOf = (number: number) => Bytes | Promise<Bytes>;

/** A handshake of which the first message is answered. Forgets all that it knows when it is disposed of, and when it is finished. */
export interface Halfway extends Disposable {
  /** Which invite the client says that it holds, or one of the numbers that stand for something else. */
  readonly inviteId: number;
  /**
   * Reads the third message. Works once.
   * @param key The invite's, 32 bytes, or `MEMBER_KEY`; undefined: the spoken code's.
   * @throws {HandshakeError} for a message that doesn't authenticate.
   */
  finish(third: Bytes, key: Bytes | undefined): Promise<Secured>;
}

/** The second message, and what is known once it is written. */
export interface Answer {
  /** The second message. */
  readonly reply: Bytes;
  /** What the third is read with. Apart from the reply, which need not be kept until then. */
  readonly halfway: Halfway;
}

/** Who does it. */
export interface Responder {
  /**
   * Reads the first message and writes the second.
   * @param first Without the version. @param isGone Whether nobody waits for it any more, where it waits for its turn.
   * @throws {HandshakeError} for a key that can't be used. @throws {WireError} for a payload of another size, and one
   * whose client is gone.
   */
  answer(
    first: Bytes,
    passwordOf: PasswordOf,
    isGone?: () => boolean,
  ): Promise<Answer>;
}

/** What to do it with. */
export interface ResponderTools {
  /** Makes an X25519 key pair. Default: that of `crypto.subtle`. */
  readonly generate?: () => KeyPair | Promise<KeyPair>;
  /** For tests: which ML-KEM to use. */
  readonly kem?: Kem | undefined;
}

/** Does it in this thread. */
export class LocalResponder implements Responder {
  readonly #keyPair: KeyPair;
  readonly #generate: () => KeyPair | Promise<KeyPair>;
  readonly #kem: Kem;

  /** Answers for a server with this static key. */
  constructor(
    keyPair: KeyPair,
    { generate = generateKeyPair, kem = defaultKem }: ResponderTools = {},
  ) {
    this.#keyPair = keyPair;
    this.#generate = generate;
    this.#kem = kem;
  }

  async answer(first: Bytes, passwordOf: PasswordOf): Promise<Answer> {
    const handshake = createHandshake({
      role: "responder",
      prologue: PROTOCOL_BYTES,
      staticKey: this.#keyPair,
      ephemeralKey: await this.#generate(),
    });
    const hello = await handshake.readMessage(first);
    const size = INVITE_ID_SIZE + KEM_KEY_SIZE;
    const view = new DataView(hello.buffer, hello.byteOffset, hello.length);
    const inviteId = hello.length < size ? 0 : view.getUint32(0);
    const isGuess = inviteId === CODE_ID;
    if (hello.length !== size + (isGuess ? GUESS_SIZE : 0)) {
      throw new WireError("Cannot shake hands: the payload has another size");
    }
    const { ciphertext, secret } = await this.#kem
      .encapsulate(hello.subarray(INVITE_ID_SIZE, size)).catch((cause) => {
        throw new HandshakeError("Cannot use the client's ML-KEM key", {
          cause,
        });
      });
    if (!isGuess) {
      const reply = await handshake.writeMessage(ciphertext);
      return { reply, halfway: new LocalHalfway(handshake, inviteId, secret) };
    }
    const number = view.getUint32(size);
    const sid = first.slice(0, KEY_SIZE);
    const password = await passwordOf(number);
    const { CodeRun } = await import("./code_run.ts");
    const run = new CodeRun("responder", { number, password }, sid);
    const psk = run.psk(hello.subarray(size + CODE_NUMBER_SIZE), secret);
    const reply = await handshake.writeMessage(concat(ciphertext, run.share));
    const halfway = new LocalHalfway(handshake, inviteId, secret, psk);
    return { reply, halfway };
  }
}

/** What one fails with that is finished once more, or after it was forgotten. */
export function forgotten(): TypeError {
  return new TypeError("Cannot shake hands: it was forgotten");
}

class LocalHalfway implements Halfway {
  readonly inviteId: number;
  #handshake: Handshake | undefined;
  readonly #secret: Bytes; // ML-KEM's, 32 bytes
  readonly #codePsk: Bytes | undefined; // by the spoken code, 32 bytes

  constructor(
    handshake: Handshake,
    inviteId: number,
    secret: Bytes,
    codePsk?: Bytes,
  ) {
    this.#handshake = handshake;
    this.inviteId = inviteId;
    this.#secret = secret;
    this.#codePsk = codePsk;
  }

  async finish(third: Bytes, key: Bytes | undefined): Promise<Secured> {
    const handshake = this.#handshake;
    if (!handshake) throw forgotten();
    try {
      handshake.setPsk(this.#psk(key));
    } finally {
      this[Symbol.dispose]();
    }
    await handshake.readMessage(third);
    return handshake.split();
  }

  #psk(key: Bytes | undefined): Bytes {
    if (key) return hybridPsk(key, this.#secret);
    if (this.#codePsk) return this.#codePsk;
    throw new TypeError("Cannot shake hands: there is no spoken code");
  }

  [Symbol.dispose](): void {
    this.#handshake = undefined;
    this.#secret.fill(0);
    this.#codePsk?.fill(0);
  }
}
