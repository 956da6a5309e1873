/**
 * Somebody who speaks the protocol by a program of their own: a TCP connection to a server that says any bytes,
 * and a client that says what no proper one would.
 *
 * @module
 */

import "./crypto_idle.ts";
import { type Bytes, concat } from "../../crypto_utils.ts";
import type { Channel } from "../../src/protocol/channel.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
} from "../../src/protocol/events.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import {
  admissionKey,
  formatInvite,
  parseInvite,
} from "../../src/keys/invite.ts";
import { RecordType } from "../../src/protocol/records.ts";
import { assert } from "./assert.ts";
import type { TcpProxy } from "./proxy.ts";
import {
  connectChannel,
  type ConnectOptions,
} from "../../src/protocol/handshake.ts";
import { CODE_ID, MEMBER_ID, MEMBER_KEY } from "../../src/protocol/hello.ts";
import { parseCode, passwordOf } from "../../src/keys/spoken_code.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";
import { isDisconnect } from "../../src/base/error_reason.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { joinEvent, newIdentity } from "./people.ts";
import { DEADLINE } from "./watch.ts";
import type { Server } from "./server.ts";

/** For a server that is to meet many bad handshakes from here, without a pause. */
export const NO_PAUSES = ["--failed-per-address", "1000000"];

const encoder = new TextEncoder();

/** A TCP connection that ends at a deadline, as a program of a test does, whatever the server does. */
export class Wire implements Disposable {
  readonly conn: Deno.TcpConn;
  readonly #timer: ReturnType<typeof setTimeout>;

  private constructor(conn: Deno.TcpConn, deadline: number) {
    this.conn = conn;
    this.#timer = setTimeout(() => this.#close(), deadline);
  }

  /** Connects to a port of this machine. @param deadline When it ends, ms. */
  static async to(
    { port }: { readonly port: number },
    deadline: number = DEADLINE,
  ): Promise<Wire> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return new Wire(conn, deadline);
  }

  /** Sends bytes and then the end; returns all that comes back. */
  async exchange(bytes: Uint8Array): Promise<Bytes> {
    await writeAll(this.conn, bytes);
    await this.conn.closeWrite();
    return await this.rest();
  }

  /** All that comes until the end, or a reset. */
  async rest(): Promise<Bytes> {
    const pieces: Bytes[] = [];
    const buffer = new Uint8Array(65_536);
    try {
      for (let count; (count = await this.conn.read(buffer)) !== null;) {
        pieces.push(buffer.slice(0, count));
      }
    } catch (error) {
      // What is not read when a connection is closed makes its end a reset.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return concat(...pieces);
  }

  #close(): void {
    try {
      this.conn.close();
    } catch {
      // Closed already, by the test or by its channel.
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#close();
  }
}

/** A client of our own, which says what no proper one would. */
export class Intruder implements Disposable {
  /** Every key of an epoch that the server has told it, as far as it has read. */
  readonly epochs: Event<"epoch">[] = [];
  /** All that the server has told it alone, as far as it has read. */
  readonly told: Event[] = [];
  /** How many records that were sealed for several it has read in \`end\`. */
  others = 0;
  readonly #wire: Wire;
  readonly #channel: Channel;
  readonly #heard: Event[] = [];

  private constructor(
    wire: Wire,
    channel: Channel,
    /** Who it is. */
    readonly identity: Identity,
  ) {
    this.#wire = wire;
    this.#channel = channel;
  }

  /** Its connection. */
  get conn(): Deno.TcpConn {
    return this.#wire.conn;
  }

  /** The server's key, 32 bytes. */
  get serverKey(): Bytes {
    return this.#channel.remoteKey;
  }

  /** Shakes hands; is not in the room yet. @param key In place of the invite's. @param own Who it is, where not somebody new. */
  static async at(
    server: Server,
    key?: Bytes,
    own?: Identity,
  ): Promise<Intruder> {
    const { id: inviteId, secret } = parseInvite(server.invite);
    const inviteKey = key ?? admissionKey(secret);
    return await Intruder.shaking(server, { inviteId, inviteKey }, own);
  }

  /** Shakes hands by a link. @param own Who it is, where not somebody new. @param deadline When it ends, ms. */
  static async by(
    link: string,
    own?: Identity,
    deadline?: number,
  ): Promise<Intruder> {
    const { id: inviteId, secret, port } = parseInvite(link);
    const how = { inviteId, inviteKey: admissionKey(secret) };
    return await Intruder.shaking({ port }, how, own, deadline);
  }

  /** Shakes hands as a member, by its own key alone. */
  static async back(server: Server, own: Identity): Promise<Intruder> {
    const member = { inviteId: MEMBER_ID, inviteKey: MEMBER_KEY };
    return await Intruder.shaking(server, member, own);
  }

  /** Shakes hands with a spoken code. */
  static async guessing(
    server: { readonly port: number },
    text: string,
  ): Promise<Intruder> {
    const code = parseCode(text);
    return await Intruder.shaking(server, {
      inviteId: CODE_ID,
      inviteKey: MEMBER_KEY,
      code: { number: code.number, password: passwordOf(code) },
    });
  }

  /** Shakes hands in any way. @param deadline When the connection ends, ms. */
  static async shaking(
    { port }: { readonly port: number },
    how: Pick<ConnectOptions, "inviteId" | "inviteKey" | "code">,
    own?: Identity,
    deadline?: number,
  ): Promise<Intruder> {
    const wire = await Wire.to({ port }, deadline);
    const identity = own ?? await newIdentity();
    try {
      const channel = await connectChannel(wire.conn, {
        ...how,
        keyPair: identity.keyPair,
        checkServer: () => {},
      });
      return new Intruder(wire, channel, identity);
    } catch (error) {
      wire[Symbol.dispose]();
      throw error;
    }
  }

  /** Shakes hands and joins. */
  static async in(server: Server, name: string): Promise<Intruder> {
    const intruder = await Intruder.at(server);
    await intruder.send(joinEvent(intruder.identity, name));
    await intruder.hears("welcome");
    return intruder;
  }

  /** Sends events, in as few records as they fit. */
  send(...events: Event[]): Promise<void> {
    return this.#channel.send(...events);
  }

  /** A direct record with these events, which is the next to be sent. */
  async seal(...events: Event[]): Promise<Bytes> {
    const [plaintext, ...others] = packEvents(events.map(encodeEvent));
    assert(plaintext && others.length === 0);
    return await this.#channel.seal(plaintext);
  }

  /** Sends anything as the plaintext of a direct record. */
  async sendPlaintext(text: string | Bytes): Promise<void> {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    await this.sendRaw(await this.#channel.seal(bytes as Bytes));
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Bytes): Promise<void> {
    return writeAll(this.#wire.conn, bytes);
  }

  /** The next event of a kind, or of one of several, that the server tells this client alone. */
  async hears<K extends Event["kind"]>(...kinds: K[]): Promise<Event<K>> {
    for (;;) {
      for (let next; (next = this.#heard.shift());) {
        if (kinds.some((kind) => kind === next.kind)) return next as Event<K>;
      }
      const records = await this.#channel.read();
      if (!records) throw new Error(`The end came before "${kinds}"`);
      for (const record of records) {
        if (record.type !== RecordType.direct) continue;
        const events = await this.#channel.open(record);
        this.#heard.push(...events);
        this.told.push(...events);
        this.epochs.push(...events.filter((it) => it.kind === "epoch"));
      }
    }
  }

  /** How its asking to be let in is answered: "welcome", or why it isn't let in. */
  async answer(): Promise<string> {
    const event = await this.hears("welcome", "refused");
    return event.kind === "welcome" ? event.kind : event.reason;
  }

  /** Whether the server has taken the handshake; it isn't in by that. */
  async isWelcome(): Promise<boolean> {
    try {
      await this.send({ kind: "ping" });
      await this.hears("pong");
      return true;
    } catch (error) {
      // A refusal comes as the first record; what was written behind it may make the end a reset.
      if (error instanceof RefusedError || isDisconnect(error)) return false;
      throw error;
    }
  }

  /**
   * Reads until the connection ends, and returns all that the server told this client alone.
   * @throws {RefusedError} if the handshake turns out to be refused.
   */
  async end(): Promise<readonly Event[]> {
    try {
      for (let records; (records = await this.#channel.read());) {
        for (const record of records) {
          if (record.type === RecordType.direct) {
            this.told.push(...await this.#channel.open(record));
          } else this.others++;
        }
      }
    } catch (error) {
      if (!isDisconnect(error)) throw error;
    }
    return this.told;
  }

  /** Waits for the end of the connection, and returns what came before it. */
  rest(): Promise<Bytes> {
    return this.#wire.rest();
  }

  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
  }
}

/** The server's link, by another port. */
export function through({ port }: TcpProxy, server: Server): string {
  return formatInvite({ ...parseInvite(server.invite), port });
}
