/**
 * The load's sockets: Linux's own calls, so that receiving costs the load less than sending costs
 * the server.
 *
 * One `TcpConn.read` costs about what one `TcpConn.write` does. A load that reads that way would measure itself.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Receiver, Socket } from "./socket.ts";

/** Sockets that one look finds, and bytes that one read takes. */
const MAX_EVENTS = 1_024;
const BUFFER_SIZE = 512 * 1_024;
/** How long one wait lasts, ms. */
const PAUSE = 20;
/** The longest that anything may take, ms. */
const PATIENCE = 240_000;

// Linux's numbers, from its headers.
const AF_INET = 2;
const SOCK_STREAM_CLOEXEC_NONBLOCK = 0x8_0801;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLLERR_HUP = 0x18;
/** `struct epoll_event` is packed on x86-64 alone. */
const PACKED = Deno.build.arch === "x86_64";
const EVENT_SIZE = PACKED ? 12 : 16;
const DATA_OFFSET = PACKED ? 4 : 8;

const CALLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  // Their results are 64 bits wide; no call here moves more than 31 bits can say.
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  waitAside: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

function required(result: number, action: string): number {
  if (result < 0) throw new Error(`Cannot ${action}: the system refuses`);
  return result;
}

/** Many sockets, one `epoll`. */
export class EpollNetwork {
  /** When bytes last arrived, on the clock of `performance.now()`. */
  lastArrival = 0;
  readonly #calls = Deno.dlopen("libc.so.6", CALLS).symbols;
  readonly #epoll = required(this.#calls.epoll_create1(0), "make an epoll");
  readonly #events = new Uint8Array(MAX_EVENTS * EVENT_SIZE);
  readonly #view = new DataView(this.#events.buffer);
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  readonly #receivers: (Receiver | undefined)[] = []; // by descriptor
  readonly #connecting = new Map<number, PromiseWithResolvers<void>>(); // by descriptor
  readonly #busy: () => boolean;

  /** @param busy Whether this process has tasks under way that need their turns. */
  constructor(busy: () => boolean) {
    this.#busy = busy;
  }

  /** Opens a connection to a port of this machine. */
  async connect(port: number, receiver: Receiver): Promise<Socket> {
    const fd = required(
      this.#calls.socket(AF_INET, SOCK_STREAM_CLOEXEC_NONBLOCK, 0),
      "open a socket",
    );
    const on = new Uint8Array([1, 0, 0, 0]);
    this.#calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, on, on.length);
    const address = new Uint8Array(16);
    address.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1]);
    const isConnected = this.#calls.connect(fd, address, address.length) === 0;
    this.#receivers[fd] = receiver;
    this.#watch(EPOLL_CTL_ADD, fd, isConnected ? EPOLLIN : EPOLLOUT);
    if (!isConnected) {
      // The server's queue is full, and the system tries again in a second; or nobody listens.
      const connecting = Promise.withResolvers<void>();
      this.#connecting.set(fd, connecting);
      await connecting.promise;
    }
    const isOpen = () => this.#receivers[fd] === receiver; // else another connection may have its number
    return {
      send: (bytes) => void (isOpen() && this.#send(fd, bytes)), // nobody learns at once that the peer has gone
      close: () => void (isOpen() && this.#close(fd)),
    };
  }

  #watch(operation: number, fd: number, events: number): void {
    const event = new Uint8Array(EVENT_SIZE);
    const view = new DataView(event.buffer);
    view.setUint32(0, events, true);
    view.setInt32(DATA_OFFSET, fd, true);
    required(
      this.#calls.epoll_ctl(this.#epoll, operation, fd, event),
      "watch a socket",
    );
  }

  /**
   * Serves the sockets until something holds.
   * @param alone Whether nothing but the sockets matters meanwhile: no task of this process gets a turn.
   * @throws {Error} if it takes too long.
   */
  async until(done: () => boolean, alone: boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!done()) {
      if (performance.now() > end) {
        throw new Error(`Cannot go on: nothing came of it in ${PATIENCE} ms`);
      }
      const aside = !alone && this.#busy();
      const count = this.#wait(0);
      if (count > 0) this.#serve(count);
      else if (aside) this.#serve(await this.#aside());
      // Alone it doesn't sleep: that would make the server up to twice as slow (PROFILE.md).
      else if (!alone) this.#serve(this.#wait());
      // Sealing and opening go on in other threads, and come back only in a turn of the event loop.
      if (aside) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  #wait(pause = PAUSE): number {
    return this.#calls.epoll_wait(
      this.#epoll,
      this.#events,
      MAX_EVENTS,
      pause,
    );
  }

  /** Waits in another thread, while the tasks of this one go on. */
  #aside(): Promise<number> {
    return this.#calls.waitAside(this.#epoll, this.#events, MAX_EVENTS, PAUSE);
  }

  #serve(count: number): void {
    for (let at = 0; at < count; at++) {
      const flags = this.#view.getUint32(at * EVENT_SIZE, true);
      const fd = this.#view.getInt32(at * EVENT_SIZE + DATA_OFFSET, true);
      const receiver = this.#receivers[fd];
      if (!receiver) continue; // closed since this look began
      if (this.#connecting.has(fd)) {
        this.#finish(fd, (flags & EPOLLERR_HUP) === 0);
        continue;
      }
      const size = this.#calls.recv(
        fd,
        this.#buffer,
        BigInt(BUFFER_SIZE),
        MSG_DONTWAIT,
      );
      if (size > 0) receiver.take(this.#buffer.subarray(0, size));
      else if (size === 0 || (flags & EPOLLERR_HUP) !== 0) {
        this.#close(fd);
        receiver.end();
      }
    }
    if (count > 0) this.lastArrival = performance.now();
  }

  #finish(fd: number, isConnected: boolean): void {
    const connecting = this.#connecting.get(fd);
    this.#connecting.delete(fd);
    if (isConnected) {
      this.#watch(EPOLL_CTL_MOD, fd, EPOLLIN);
      connecting?.resolve();
    } else {
      this.#close(fd);
      connecting?.reject(new Error("Cannot connect: nobody listens"));
    }
  }

  #send(fd: number, bytes: Uint8Array<ArrayBuffer>): void {
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    // What is out at a time is far less than what a socket's buffer takes.
    const size = BigInt(bytes.length);
    if (this.#calls.send(fd, bytes, size, flags) !== bytes.length) {
      throw new Error("Cannot send: the server doesn't read");
    }
  }

  #close(fd: number): void {
    this.#receivers[fd] = undefined;
    this.#calls.close(fd);
  }
}
