/**
 * TLS for the load's sockets, by the system's OpenSSL: what the peers speak, at a cost that leaves the server the
 * slower side. Doesn't ask whose certificate it is: the server was started a moment ago, with a certificate made
 * for it.
 *
 * @module
 */

import type { Receiver, Socket } from "../load/socket.ts";

/** More than TLS puts into one record, bytes. */
const BUFFER_SIZE = 64 * 1_024;

// OpenSSL's numbers, from its headers.
const SSL_ERROR_WANT_READ = 2;
const SSL_ERROR_ZERO_RETURN = 6;

const TLS_CALLS = {
  TLS_client_method: { parameters: [], result: "pointer" },
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  SSL_set_bio: {
    parameters: ["pointer", "pointer", "pointer"],
    result: "void",
  },
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
} as const;

const BUFFER_CALLS = {
  BIO_s_mem: { parameters: [], result: "pointer" },
  BIO_new: { parameters: ["pointer"], result: "pointer" },
  BIO_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
} as const;

/** OpenSSL, opened once for all connections. */
export class OpenSsl {
  readonly tls = Deno.dlopen("libssl.so.3", TLS_CALLS).symbols;
  readonly buffers = Deno.dlopen("libcrypto.so.3", BUFFER_CALLS).symbols;
  readonly context = this.tls.SSL_CTX_new(this.tls.TLS_client_method());
  /** What one call gives. There are two, since an answer may be sent in the middle of reading. */
  readonly plaintext = new Uint8Array(BUFFER_SIZE);
  readonly ciphertext = new Uint8Array(BUFFER_SIZE);
}

/** One connection's TLS: ciphertext in by `take`, plaintext out to its receiver, and the other way by `send`. */
export class TlsClient implements Receiver {
  readonly #library: OpenSsl;
  readonly #socket: Socket;
  readonly #receiver: Receiver;
  readonly #ssl: Deno.PointerValue;
  // The system's sockets are read by the load itself: OpenSSL sees two buffers in memory.
  readonly #incoming: Deno.PointerValue;
  readonly #outgoing: Deno.PointerValue;
  readonly #secured = Promise.withResolvers<void>();
  #open = false;

  /** Begins the handshake. @param receiver Gets what the other side says. */
  constructor(library: OpenSsl, socket: Socket, receiver: Receiver) {
    const { tls, buffers } = library;
    this.#library = library;
    this.#socket = socket;
    this.#receiver = receiver;
    this.#incoming = buffers.BIO_new(buffers.BIO_s_mem());
    this.#outgoing = buffers.BIO_new(buffers.BIO_s_mem());
    this.#ssl = tls.SSL_new(library.context);
    tls.SSL_set_bio(this.#ssl, this.#incoming, this.#outgoing);
    tls.SSL_set_connect_state(this.#ssl);
    this.#shakeHands();
  }

  /** Resolves when the handshake is over. */
  get secured(): Promise<void> {
    return this.#secured.promise;
  }

  take(bytes: Uint8Array<ArrayBuffer>): void {
    this.#library.buffers.BIO_write(this.#incoming, bytes, bytes.length);
    if (!this.#open) this.#shakeHands();
    if (this.#open) this.#read();
  }

  end(): void {
    this.#receiver.end();
  }

  /** Sends all of it. @throws {Error} if TLS doesn't take it. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    const { SSL_write } = this.#library.tls;
    if (SSL_write(this.#ssl, bytes, bytes.length) !== bytes.length) {
      throw new Error("Cannot send: TLS refuses");
    }
    this.#flush();
  }

  #shakeHands(): void {
    const { SSL_do_handshake, SSL_get_error } = this.#library.tls;
    const result = SSL_do_handshake(this.#ssl);
    this.#flush();
    if (result === 1) {
      this.#open = true;
      this.#secured.resolve();
    } else if (SSL_get_error(this.#ssl, result) !== SSL_ERROR_WANT_READ) {
      this.#secured.reject(new Error("Cannot secure a connection by TLS"));
    }
  }

  #read(): void {
    const { plaintext, tls: { SSL_read, SSL_get_error } } = this.#library;
    let size;
    while ((size = SSL_read(this.#ssl, plaintext, plaintext.length)) > 0) {
      this.#receiver.take(plaintext.subarray(0, size));
    }
    const error = SSL_get_error(this.#ssl, size);
    if (error === SSL_ERROR_ZERO_RETURN) return this.#receiver.end();
    if (error === SSL_ERROR_WANT_READ) return;
    throw new Error(`Cannot read: TLS says ${error}`);
  }

  #flush(): void {
    const { ciphertext, buffers: { BIO_read } } = this.#library;
    let size;
    while ((size = BIO_read(this.#outgoing, ciphertext, BUFFER_SIZE)) > 0) {
      this.#socket.send(ciphertext.subarray(0, size));
    }
  }
}
