/**
 * A sealed room of the server program, and members of the test's own who talk to it.
 *
 * @module
 */

import { type Bytes, HandshakeError } from "../../crypto_utils.ts";
import { parseInvite } from "../../src/keys/invite.ts";
import type { Event } from "../../src/protocol/events.ts";
import { connectChannel } from "../../src/protocol/handshake.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";
import type { Membership } from "../../src/sealed/membership.ts";
import { membershipIn } from "../../src/server/sealed/open_sealed.ts";
import { assert } from "./assert.ts";
import { utf8 } from "./bytes.ts";
import { Folder, namesIn } from "./folder.ts";
import { Wire } from "./intruder.ts";
import { TcpProxy } from "./proxy.ts";
import { RoomClient } from "./room_client.ts";
import { type Insider, SealedMembers, type Way } from "./sealed_members.ts";
import { sealed } from "./sealed_programs.ts";
import type { Somebody } from "./sealed_room.ts";
import { Server, type ServerOptions } from "./server.ts";

/** A client of the test's own, with all that it said. */
export class ProgramClient extends RoomClient {
  /** What it said, in order. */
  readonly sent: Event[] = [];

  override send(...events: Event[]): Promise<void> {
    this.sent.push(...events);
    return super.send(...events);
  }
}

/** Somebody who is in, by one connection. */
export type Visitor = Insider<ProgramClient>;

/** The room. */
export class SealedProgram extends SealedMembers<ProgramClient>
  implements AsyncDisposable {
  /** All connections that there were. */
  readonly clients: ProgramClient[] = [];
  /** All bytes that went over the network. */
  readonly traffic: Bytes[] = [];
  readonly #wires: Wire[] = [];
  #proxy: TcpProxy | undefined; // while it runs

  private constructor(
    /** Where its files are. */
    readonly folder: Folder,
    /** The program that runs. */
    public server: Server,
    readonly options: ServerOptions,
  ) {
    super();
    this.#proxy = new TcpProxy(server.port);
  }

  /** Starts a server in a folder of its own. @param files What is in it, by name. */
  static async open(
    options: ServerOptions = {},
    files: Readonly<Record<string, string>> = {},
  ): Promise<SealedProgram> {
    const folder = await Folder.make();
    for (const [name, text] of Object.entries(files)) {
      await folder.write(name, text);
    }
    const server = await Server.open(folder, sealed(options));
    return new SealedProgram(folder, server, options);
  }

  /** One that ana has founded, and ana. */
  static async founded(
    options?: ServerOptions,
    files?: Readonly<Record<string, string>>,
  ): Promise<[SealedProgram, Visitor]> {
    const program = await SealedProgram.open(options, files);
    return [program, await program.found()];
  }

  /** What its file says. */
  override get membership(): Membership {
    return membershipIn(this.folder.file("chat.control"));
  }

  protected override get foundingSecret(): Bytes {
    return parseInvite(this.server.invite).secret;
  }

  protected override async connect(
    who: Somebody,
    way: Way,
  ): Promise<ProgramClient> {
    assert(this.#proxy, "the server was killed");
    const wire = await Wire.to(this.#proxy);
    this.#wires.push(wire);
    const channel = await connectChannel(wire.conn, {
      ...way,
      keyPair: who.keyPair,
      checkServer: () => {},
    });
    const client = new ProgramClient(who, channel);
    this.clients.push(client);
    return client;
  }

  /** Kills it. */
  async kill(): Promise<void> {
    this.server.kill("SIGKILL");
    await this.server.finished();
    await this.#disconnect();
  }

  /** Starts it again, once it was killed. */
  async start(options: ServerOptions = this.options): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.server = await Server.open(this.folder, sealed(options));
    this.#proxy = new TcpProxy(this.server.port);
  }

  /** Kills it, and starts it again. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** All that is in its folder, by name. */
  async files(): Promise<Map<string, Bytes>> {
    const names = await namesIn(this.folder.path);
    const isFile = names.filter((name) => !name.startsWith("."));
    const all = new Map<string, Bytes>();
    for (const name of isFile) {
      const path = this.folder.file(name);
      if ((await Deno.stat(path)).isFile) {
        all.set(name, await Deno.readFile(path));
      }
    }
    return all;
  }

  /** What was said and told over all connections, as the server reads it. */
  get events(): Bytes {
    const all = this.clients.map(({ sent, events }) => [sent, events]);
    return utf8(JSON.stringify(all));
  }

  async #disconnect(): Promise<void> {
    for (const wire of this.#wires.splice(0)) wire[Symbol.dispose]();
    await Promise.all(this.clients.map(({ ended }) => ended));
    if (!this.#proxy) return;
    this.traffic.push(this.#proxy.captured);
    await this.#proxy[Symbol.asyncDispose]();
    this.#proxy = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disconnect();
    await this.server[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

/** Waits until the server has refused a handshake. */
export async function assertTurnedAway(
  shaking: Promise<ProgramClient>,
): Promise<void> {
  const client = await shaking.catch((error) => {
    assert(error instanceof HandshakeError);
    return undefined;
  });
  if (!client) return;
  await client.send({ kind: "ping" }).catch(() => {}); // it may have ended
  await client.ended;
  assert(client.failure instanceof RefusedError, String(client.failure));
}
