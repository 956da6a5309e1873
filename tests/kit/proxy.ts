/**
 * A wire tap for tests: a TCP proxy that keeps every byte of both directions, and can alter what passes, record by
 * record.
 *
 * @module
 */

import { type Bytes, concat } from "../../crypto_utils.ts";
import { MAX_RECORD_SIZE, RecordSplitter } from "../../src/protocol/records.ts";
import { flipped } from "./bytes.ts";
import { Watch } from "./watch.ts";
import { writeAll } from "../../src/base/write_all.ts";

/** "up" is from the client to the server. */
export type Direction = "up" | "down";

/** A record on its way, as it came. */
export interface Passing {
  /** Which connection, from 0 on. */
  readonly connection: number;
  readonly direction: Direction;
  /** Which record of the connection's direction, from 0 on. */
  readonly index: number;
  /** A `RecordType`. */
  readonly type: number;
  /** All of it, header included. */
  readonly bytes: Bytes;
}

/** In place of bytes: the connection ends here, both ways. */
export const CUT = Symbol("cut");

/** What an edit lets out: bytes that are written at once, or the end. */
export type Piece = Bytes | typeof CUT;

/** What is passed on instead of a record. */
export type Edit = (record: Passing) => readonly Piece[];

/** Passes every record on in pieces of one byte. */
export const bytewise: Edit = ({ bytes }) =>
  Array.from(bytes, (byte) => new Uint8Array([byte]));

/** Ways to alter one record. */
export const ALTERATIONS = [
  "flip length",
  "flip type",
  "flip body",
  "flip end",
  "cut",
  "repeat",
  "swap",
  "drop",
] as const;

/** A way to alter one record. */
export type AlterationKind = typeof ALTERATIONS[number];

/** An edit that alters one record, the first that is wanted, and passes on all others. */
export class Alteration {
  readonly #kind: AlterationKind;
  readonly #wanted: (record: Passing) => boolean;
  readonly #applied = Promise.withResolvers<void>();
  #altered: Passing | undefined;
  #held: Passing | undefined;

  /** Alters the first record for which `wanted` returns true. A swapped one waits for the next. */
  constructor(kind: AlterationKind, wanted: (record: Passing) => boolean) {
    this.#kind = kind;
    this.#wanted = wanted;
  }

  /** Whether the record has come and was altered. */
  get isApplied(): boolean {
    return this.#altered !== undefined;
  }

  /** Resolves when the record has come and was altered. */
  get applied(): Promise<void> {
    return this.#applied.promise;
  }

  /** The edit. */
  readonly edit: Edit = (record) => {
    const held = this.#held;
    if (held && isSameWay(held, record)) {
      this.#held = undefined;
      return [record.bytes, held.bytes];
    }
    if (this.#altered || !this.#wanted(record)) return [record.bytes];
    this.#altered = record;
    this.#applied.resolve();
    return this.#alter(record);
  };

  #alter(record: Passing): readonly Piece[] {
    const { bytes } = record;
    const { length } = bytes;
    switch (this.#kind) {
      case "flip length":
        return [flipped(bytes, 1)];
      case "flip type":
        return [flipped(bytes, 2)];
      case "flip body":
        return [flipped(bytes, length >> 1)];
      case "flip end":
        return [flipped(bytes, length - 1)];
      case "cut":
        return [bytes.subarray(0, length >> 1), CUT];
      case "repeat":
        return [bytes, bytes];
      case "swap":
        this.#held = record;
        return [];
      case "drop":
        return [];
    }
  }
}

function isSameWay(a: Passing, b: Passing): boolean {
  return a.connection === b.connection && a.direction === b.direction;
}

interface Connection {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
}

/** The proxy: listens on a free port of this machine and connects to another. */
export class TcpProxy implements AsyncDisposable {
  /** The records that came so far, before they were altered. */
  readonly records: Passing[] = [];
  readonly #target: number;
  readonly #edit: Edit;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Connection[] = [];
  readonly #taken: Bytes[] = [];
  readonly #running: Promise<void>;
  readonly #watch: Watch;

  /** Starts to listen. @param target The server's port. */
  constructor(target: number, edit: Edit = ({ bytes }) => [bytes]) {
    this.#target = target;
    this.#edit = edit;
    this.#watch = new Watch(
      () => this.records.map(describe).join("\n"),
      () => this.cut(),
    );
    this.#running = this.#run();
  }

  /** Where it listens. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections there have been. */
  get connections(): number {
    return this.#connections.length;
  }

  /** Every byte that came, of both directions and all connections, in the pieces' order. */
  get captured(): Bytes {
    return concat(...this.#taken);
  }

  /** Waits until something is found in the records. @param what For the message of a failure. */
  until<T>(what: string, find: () => T | undefined): Promise<T> {
    return this.#watch.until(what, find);
  }

  /** Ends all connections of now, both ways, wherever they are. */
  cut(): void {
    for (const connection of this.#connections) close(connection);
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    using _watch = this.#watch;
    this.#listener.close();
    this.cut();
    await this.#running;
  }

  async #run(): Promise<void> {
    const tasks: Promise<void>[] = [];
    for await (const client of this.#listener) {
      tasks.push(this.#connect(client));
    }
    await Promise.all(tasks);
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    const address = { hostname: "127.0.0.1", port: this.#target };
    const server = await Deno.connect(address).catch(() => undefined);
    if (!server) return client.close(); // nothing listens: the client sees an end instead of a refusal
    client.setNoDelay(true);
    server.setNoDelay(true);
    const connection = { client, server };
    const number = this.#connections.push(connection) - 1;
    // An end, a reset, or a cut: one direction's is the other's as well, and each program says why itself.
    const end = () => close(connection);
    await Promise.all([
      this.#pass(number, "up", client, server).catch(end),
      this.#pass(number, "down", server, client).catch(end),
    ]);
  }

  async #pass(
    connection: number,
    direction: Direction,
    from: Deno.TcpConn,
    to: Deno.TcpConn,
  ): Promise<void> {
    const splitter = new RecordSplitter(MAX_RECORD_SIZE);
    const buffer = new Uint8Array(MAX_RECORD_SIZE);
    let index = 0;
    for (let count; (count = await from.read(buffer)) !== null;) {
      const piece = buffer.slice(0, count);
      this.#taken.push(piece);
      splitter.push(piece);
      for (let record; (record = splitter.shift());) {
        const bytes = concat(record.header, record.body);
        const { type } = record;
        const passing = { connection, direction, index: index++, type, bytes };
        this.records.push(passing);
        this.#watch.changed();
        await writePieces(to, this.#edit(passing));
      }
    }
    throw new Error("The stream has ended");
  }
}

async function writePieces(to: Deno.TcpConn, pieces: readonly Piece[]) {
  for (const piece of pieces) {
    if (piece === CUT) throw new Error("The connection was cut");
    await writeAll(to, piece);
  }
}

function close({ client, server }: Connection): void {
  for (const conn of [client, server]) {
    try {
      conn.close();
    } catch {
      // Closed already, by a cut or by the end of the other direction.
    }
  }
}

function describe(record: Passing): string {
  const { connection, direction, index, type, bytes } = record;
  return `  connection ${connection} ${direction} ${index}: type ${type}, ${bytes.length} bytes`;
}
