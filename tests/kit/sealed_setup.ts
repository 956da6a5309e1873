/**
 * Clients of a sealed room, and the server of a test's own that they dial.
 *
 * @module
 */

import { toBase64url } from "../../crypto_utils.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import { DiskFiles } from "../../src/client/files/disk_files.ts";
import { Transfers } from "../../src/client/files/transfers.ts";
import { Known } from "../../src/client/known.ts";
import type { InviteSecret } from "../../src/client/sealed/coming_in.ts";
import { type Sealing, Session } from "../../src/client/session.ts";
import { admissionKey, parseInvite } from "../../src/keys/invite.ts";
import { MEMBER_ID, MEMBER_KEY } from "../../src/protocol/hello.ts";
import { FOUNDING_ID } from "../../src/sealed/membership.ts";
import type { Uncounted } from "../../src/client/sealed/rules.ts";
import { type Control, signControl } from "../../src/sealed/control_line.ts";
import { assert } from "./assert.ts";
import { idleTimers } from "./idle_timers.ts";
import { newIdentity } from "./people.ts";
import { SealedServer } from "./sealed_server.ts";
import { TestView } from "./session_setup.ts";

/** A client, running. */
export class SealedClient<
  S extends Pick<SealedServer, "dial"> = SealedServer,
> {
  readonly view: TestView = new TestView();
  /** Its files; undefined where it has no folder for them. */
  readonly transfers: Transfers | undefined;
  readonly session: Session;
  readonly running: Promise<void>;

  constructor(
    readonly server: S,
    readonly identity: Identity,
    readonly known: Known,
    name: string,
    sealing: Sealing,
    folder?: string,
  ) {
    const { invite } = sealing;
    const { view } = this;
    const transfers = folder === undefined
      ? undefined
      : new Transfers({ view, files: new DiskFiles({ folder }), pause: 0 });
    this.transfers = transfers;
    this.session = new Session({
      address: "chat.example:5000",
      who: { identity, name },
      dial: () => server.dial(),
      handshake: {
        inviteId: invite?.id ?? MEMBER_ID,
        inviteKey: invite ? admissionKey(invite.secret) : MEMBER_KEY,
        checkServer: () => {},
      },
      sealing,
      known,
      view,
      ...(transfers ? { files: transfers } : {}),
      askName: () => Promise.resolve(null),
    });
    this.running = this.session.run();
    this.running.catch(() => {}); // the test asks
  }

  async in(): Promise<this> {
    await Promise.race([this.view.until("entered"), this.running]);
    return this;
  }

  /** Comes back from loss number `at` of its connection, without a pause. */
  async comesBack(at = 0): Promise<void> {
    await this.view.until("disconnected", at);
    this.session.hurry();
  }

  say(text: string): Promise<void> {
    return this.session.say(text);
  }

  /** Asks for something, and returns the notes that came with it. */
  async operate(
    what: Parameters<Session["conversation"]["operate"]>[0],
    who = "",
    text = "",
    count = 0,
  ): Promise<string[]> {
    const { view } = this;
    const before = view.notes.length;
    const done = view.of("done").length;
    this.session.conversation.operate(what, who, text, count, "it");
    await view.until("done", done);
    return view.notes.slice(before);
  }

  /** Waits for a control line whose sentence begins so. */
  async untilTold(start: string): Promise<void> {
    for (let at = 0;; at++) {
      const { told = "" } = await this.view.until("ruled", at);
      if (told.startsWith(start)) return;
    }
  }

  /** The link of a new invite. */
  async invite(uses = 1): Promise<InviteSecret> {
    const made = this.view.of("invited").length;
    this.session.conversation.operate("invite", "7", "", uses);
    const { link } = await this.view.until("invited", made);
    return parseInvite(link);
  }

  async leave(): Promise<void> {
    this.session.leave();
    await this.running;
    await this.session.kept();
  }
}

/** A room, and who is in it. */
export class SealedSetup implements AsyncDisposable {
  readonly server: SealedServer = new SealedServer();
  readonly clients: SealedClient[] = [];
  readonly #timers: Disposable | undefined;
  /** Where clients have their files, each in a folder of its name. Default: they take none. */
  folder: string | undefined;

  /** Nobody is there. @param waits Whether clients wait for what comes only with time. */
  constructor({ waits = false } = {}) {
    if (!waits) this.#timers = idleTimers();
  }

  /** Somebody comes. */
  async client(
    name: string,
    sealing: Sealing,
    identity?: Identity,
    known?: Known,
  ): Promise<SealedClient> {
    const client = new SealedClient(
      this.server,
      identity ?? await newIdentity(),
      known ?? await Known.load(undefined, () => {}),
      name,
      sealing,
      this.folder && `${this.folder}/${name}`,
    );
    this.clients.push(client);
    return client;
  }

  get foundingLink(): InviteSecret {
    return { id: FOUNDING_ID, secret: this.server.foundingSecret };
  }

  /** Somebody founds the room. */
  async found(
    name = "ana",
    sealing: Partial<Sealing> = {},
  ): Promise<SealedClient> {
    const client = await this.client(name, {
      invite: this.foundingLink,
      ...sealing,
    });
    return await client.in();
  }

  /** Somebody comes by an invite of a keeper's. */
  async bring(
    keeper: SealedClient,
    name: string,
    sealing: Partial<Sealing> = {},
  ): Promise<SealedClient> {
    const invite = await keeper.invite(5);
    const client = await (await this.client(name, { invite, ...sealing })).in();
    await keeper.untilTold(`${name} came in`);
    return client;
  }

  /** One makes another a keeper, and both leave: the server knows no more of it, as after a backup was restored. */
  async loseKeeper(one: SealedClient, other: SealedClient): Promise<void> {
    const { length } = this.server.log;
    const [by, name] = [one, other].map((it) => it.session.conversation.name);
    await one.operate("keeper", name);
    await other.untilTold(`${by} made ${name} a keeper`);
    await other.leave();
    await one.leave();
    this.server.rollBack(length);
  }

  /** A control line of somebody's, as another machine of that one would say it now. */
  async sign(
    { identity, session }: SealedClient,
    control: Uncounted,
  ): Promise<string> {
    const { membership } = this.server;
    const count = membership.nextCount(session.id);
    assert(membership.room);
    return await signControl(
      { ...control, count } as Control,
      membership.room,
      identity.signing,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timers?.[Symbol.dispose](); // leaving may take its time
    for (const client of this.clients) {
      client.session.leave();
      await client.running.catch(() => {});
      await client.session.kept();
      await client.transfers?.close();
    }
    await this.server.closed();
  }
}

/** The room's id, base64url. */
export function roomOf({ membership }: SealedServer): string {
  return toBase64url(membership.room ?? new Uint8Array(0));
}
