/**
 * Members of a sealed room: by the library, and with nothing of a client, so that they can also say what no client does.
 * Their server is the test's own (connection_setup.ts), or the program (sealed_program.ts).
 *
 * @module
 */

import { type Bytes, randomBytes, toBase64url } from "../../crypto_utils.ts";
import { admissionKey } from "../../src/keys/invite.ts";
import type { Event } from "../../src/protocol/events.ts";
import { MEMBER_ID, MEMBER_KEY } from "../../src/protocol/hello.ts";
import type { NewEntry } from "../../src/protocol/line.ts";
import { readCard } from "../../src/crypto/identity.ts";
import {
  commitment,
  freshContentKey,
  sealBack,
  sealBlob,
  sealWrap,
} from "../../src/sealed/content_key.ts";
import {
  type Control,
  type Keys,
  roomId,
  signControl,
} from "../../src/sealed/control_line.ts";
import {
  FOUNDING_ID,
  type Membership,
  SEALED_INVITE,
} from "../../src/sealed/membership.ts";
import { lineCipher, sealLine } from "../../src/sealed/sealed_line.ts";
import { fromBase64url } from "../../crypto_utils.ts";
import { assert } from "./assert.ts";
import { type Client, ROOM_KEY, Setup, UNLIMITED } from "./connection_setup.ts";
import { joinEvent, newStay } from "./people.ts";
import { quiet, type RoomClient } from "./room_client.ts";
import {
  type Said,
  type Somebody,
  somebody,
  somebodyOf,
} from "./sealed_room.ts";

/** Somebody who is in, by one connection. */
export interface Insider<C extends RoomClient = Client> {
  readonly who: Somebody;
  readonly client: C;
  readonly stay: string;
}

/** A control line of somebody's, as it stands in the log. */
export function ruledBy(
  { who, stay }: Pick<Insider, "who" | "stay">,
  text: string,
  at = Date.now(),
): NewEntry {
  return { what: "ruled", at, person: who.short, stay, n: 0, name: "x", text };
}

/** An invite, with its secret. */
export interface OpenInvite {
  readonly number: number;
  readonly secret: Bytes;
  /** Its temporary identity. */
  readonly self: Somebody;
}

/** By which invite one comes. */
export interface Way {
  readonly inviteId: number;
  readonly inviteKey: Bytes;
}

/** A sealed room on some server, and what only its members know. */
export abstract class SealedMembers<C extends RoomClient> {
  /** The content keys, 32 bytes each, by epoch. */
  readonly keys: Bytes[] = [];
  /** The number that the next wish has. */
  #id = 1;
  #invites = 0;

  /** Shakes hands. */
  protected abstract connect(
    who: Somebody,
    way: Way,
  ): Promise<C>;

  /** What everybody was told. */
  abstract get membership(): Membership;

  /** The founding link's secret. */
  protected abstract get foundingSecret(): Bytes;

  /** The room's id, 32 bytes. */
  get id(): Bytes {
    const { room } = this.membership;
    assert(room);
    return room;
  }

  // ── Ways in ────────────────────────────────────────────────────────────────────────────────────────────

  /** Shakes hands by the founding link. */
  atDoor(who: Somebody): Promise<C> {
    const inviteKey = admissionKey(this.foundingSecret);
    return this.connect(who, { inviteId: FOUNDING_ID, inviteKey });
  }

  /** Shakes hands by an invite. */
  by({ number, secret }: OpenInvite, who: Somebody): Promise<C> {
    const inviteKey = admissionKey(secret);
    return this.connect(who, { inviteId: number, inviteKey });
  }

  /** Shakes hands by its key alone. */
  byKey(who: Somebody): Promise<C> {
    return this.connect(who, { inviteId: MEMBER_ID, inviteKey: MEMBER_KEY });
  }

  /** What founds the room: the founder's wrap, and the line. */
  async founding(
    who: Somebody,
    name = "ana",
  ): Promise<[Event<"wrap">, Event<"enter">, Bytes]> {
    const random = toBase64url(randomBytes(32));
    const room = roomId(random, who.id);
    const key = freshContentKey();
    const place = { room, e: 0 };
    const commit = commitment(place, key);
    const text = await signControl(
      { verb: "found", count: 1, random, card: who.cardText, name, commit },
      room,
      who.signing,
    );
    const data = await sealWrap(
      { ...place, by: who.id, to: who.id },
      key,
      readCard(who.card).sealKey,
    );
    const wrap: Event<"wrap"> = {
      kind: "wrap",
      to: who.full,
      e: 0,
      next: false,
      data,
    };
    return [wrap, { kind: "enter", text }, key];
  }

  /** Founds the room. */
  async found(name = "ana"): Promise<Insider<C>> {
    const who = await somebody(name);
    const client = await this.atDoor(who);
    await followed(client);
    const [wrap, enter, key] = await this.founding(who, name);
    this.keys.push(key);
    await client.send(wrap, enter);
    return await this.join(who, client, name);
  }

  /** Asks to be let in, and is. */
  async join(
    who: Somebody,
    client: C,
    name: string,
    wish: Partial<Event<"join">> = {},
  ): Promise<Insider<C>> {
    const stay = wish.stay ?? newStay();
    await client.send(joinEvent(who, name, { ...wish, stay }));
    await client.until("welcome");
    return { who, client, stay };
  }

  /** What makes somebody a member by an invite. */
  async entering(
    who: Somebody,
    { number: invite, self }: OpenInvite,
    name: string,
  ): Promise<Event<"enter">> {
    const count = this.membership.nextCount(who.full);
    const text = await signControl(
      { verb: "join", count, invite, card: who.cardText, name },
      this.id,
      who.signing,
      self.signing,
    );
    return { kind: "enter", text };
  }

  /** Somebody becomes a member. */
  async enter(
    invite: OpenInvite,
    name: string,
    who?: Somebody,
  ): Promise<Insider<C>> {
    const self = who ?? await somebody(name);
    const client = await this.by(invite, self);
    await followed(client);
    await client.send(
      await this.wrap(self, self),
      await this.entering(self, invite, name),
    );
    return await this.join(self, client, name);
  }

  /** Somebody becomes a member by an invite of its own. */
  async bring(keeper: Insider<C>, name: string): Promise<Insider<C>> {
    return await this.enter(await this.invite(keeper), name);
  }

  /** A member comes back. */
  async back(
    who: Somebody,
    name: string,
    wish: Partial<Event<"join">> = {},
  ): Promise<Insider<C>> {
    const client = await this.byKey(who);
    await followed(client, this.membership.seq);
    return await this.join(who, client, name, wish);
  }

  // ── Control lines ──────────────────────────────────────────────────────────────────────────────────────

  /** A control line by somebody, as a wish. */
  async wish({ who }: Insider<C>, said: Said): Promise<Event<"rule">> {
    const count = said.count ?? this.membership.nextCount(who.full);
    const control = { ...said, count } as Control;
    const text = await signControl(control, this.id, who.signing);
    return { kind: "rule", id: this.#id++, text };
  }

  /** Says a control line. @returns Why it isn't said. */
  async rule(insider: Insider<C>, said: Said): Promise<string | undefined> {
    const wish = await this.wish(insider, said);
    await insider.client.send(wish);
    return await answer(insider.client, wish.id);
  }

  /** A content key for somebody. */
  async wrap(
    by: Somebody,
    to: Pick<Somebody, "id" | "full" | "card">,
    e = this.membership.epoch,
    key = this.keys[e],
  ): Promise<Event<"wrap">> {
    assert(key, `no key of epoch ${e}`);
    const wrapping = { room: this.id, e, by: by.id, to: to.id };
    const data = await sealWrap(wrapping, key, readCard(to.card).sealKey);
    const next = e > this.membership.epoch;
    return { kind: "wrap", to: to.full, e, next, data };
  }

  /** What makes an invite, in order: what comes with it, and the wish. */
  async inviting(
    keeper: Insider<C>,
    { uses = 1, until = null as number | null } = {},
  ): Promise<[OpenInvite, Event[], Event<"rule">]> {
    const secret = randomBytes(32);
    const self = await somebodyOf(secret);
    const number = SEALED_INVITE + ++this.#invites;
    const { seq, digest } = this.membership;
    const blob = await sealBlob({ room: this.id, seq, digest }, secret);
    const key = toBase64url(admissionKey(secret));
    const card = self.cardText;
    return [
      { number, secret, self },
      [
        { kind: "admit", invite: number, key, blob },
        await this.wrap(keeper.who, self),
      ],
      await this.wish(keeper, {
        verb: "invite",
        invite: number,
        card,
        uses,
        until,
      }),
    ];
  }

  /** Makes an invite. */
  async invite(
    keeper: Insider<C>,
    wish: { uses?: number; until?: number | null } = {},
  ): Promise<OpenInvite> {
    const [invite, staged, rule] = await this.inviting(keeper, wish);
    await keeper.client.send(...staged, rule);
    const refused = await answer(keeper.client, rule.id);
    assert(refused === undefined, `no invite: ${refused}`);
    return invite;
  }

  /** What changes the key, in order: the wraps for all that go on being members and open invites, and the wish. */
  async rekeying(
    keeper: Insider<C>,
    change: Partial<Control<"keys">> = {},
    isGiven: (id: string) => boolean = () => true,
  ): Promise<[Bytes, Event<"wrap">[], Event<"rule">]> {
    const { membership } = this;
    const e = membership.epoch + 1;
    const key = freshContentKey();
    const before = this.keys[e - 1];
    assert(before);
    const place = { room: this.id, e };
    const { removed = [] } = change;
    const others = removed.length > 0 ? [] : membership.openInvites(Date.now());
    const recipients = [...membership.members.values(), ...others]
      .filter(({ id }) => !removed.includes(id) && isGiven(id));
    const wraps = await Promise.all(recipients.map(({ id, card }) => {
      const to = { id: fromBase64url(id), full: id, card: fromBase64url(card) };
      return this.wrap(keeper.who, to, e, key);
    }));
    const rule = await this.wish(keeper, {
      verb: "keys",
      e,
      prev: membership.lastKeys,
      seen: membership.seq,
      digest: toBase64url(membership.digest),
      commit: commitment(place, key),
      back: await sealBack(place, before, key),
      backTo: e - 1,
      made: [],
      removed: [],
      barred: [],
      freed: [],
      ...change,
    });
    return [key, wraps, rule];
  }

  /** Changes the key. @returns Why it isn't changed. */
  async rekey(
    keeper: Insider<C>,
    change: Partial<Keys> = {},
    isGiven?: (id: string) => boolean,
  ): Promise<string | undefined> {
    const [key, wraps, rule] = await this.rekeying(keeper, change, isGiven);
    await keeper.client.send(...wraps, rule);
    const refused = await answer(keeper.client, rule.id);
    if (refused === undefined) this.keys.push(key);
    return refused;
  }

  /** A sealed line. */
  async seal(
    { who, stay }: Insider<C>,
    n: number,
    text: string,
    e = this.membership.epoch,
  ): Promise<Event<"seal">> {
    const key = this.keys[e];
    assert(key);
    const sender = { room: this.id, sender: who.id, stay: fromBase64url(stay) };
    const sealed = await sealLine(
      { what: "said", to: null, text },
      { ...sender, e, n },
      { seq: 0, value: new Uint8Array(32) },
      await lineCipher(key, sender),
      who.signing,
    );
    return { kind: "seal", n, text: sealed };
  }
}

/** One whose server is the test's own. */
export class SealedServer extends SealedMembers<Client>
  implements AsyncDisposable {
  private constructor(readonly setup: Setup) {
    super();
  }

  /** A room that isn't founded. */
  static async create(history = 0): Promise<SealedServer> {
    return new SealedServer(await Setup.create(history, 1_024, true));
  }

  /** A room that ana has founded, and ana. */
  static async founded(history = 0): Promise<[SealedServer, Insider]> {
    const server = await SealedServer.create(history);
    return [server, await server.found()];
  }

  /** What the server knows. */
  get room() {
    const { sealed } = this.setup;
    assert(sealed);
    return sealed;
  }

  override get membership(): Membership {
    return this.room.membership;
  }

  protected override get foundingSecret(): Bytes {
    return ROOM_KEY;
  }

  protected override connect(who: Somebody, way: Way): Promise<Client> {
    return this.setup.connect(who, UNLIMITED, way);
  }

  /** Kind and words of each line of the log. */
  async log(): Promise<[string, string][]> {
    const lines = await this.setup.logged();
    return lines.map(([, what, text]) => [what, text.split(" ", 1)[0] ?? ""]);
  }

  /** Resolves when somebody has asked the room to be let in. */
  asked(): Promise<void> {
    const { room } = this.setup;
    const { join } = room;
    return new Promise((resolve) => {
      room.join = (request) => {
        room.join = join;
        resolve();
        return room.join(request);
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.setup[Symbol.asyncDispose]();
  }
}

/** Asks for the control lines, and has them. @returns The last number that there is; or why it is told nothing. */
export async function followed(
  client: RoomClient,
  after = 0,
): Promise<number | string> {
  const count = client.of("followed").length + client.of("refused").length;
  await client.send({ kind: "follow", after });
  await quiet(client);
  const told = client.events.filter(({ kind }) =>
    kind === "followed" || kind === "refused"
  ) as Event<"followed" | "refused">[];
  const last = told[count];
  assert(last, "no answer to follow");
  return last.kind === "followed" ? last.seq : last.reason;
}

/** What a wish is answered: why it isn't done, or undefined. */
export async function answer(
  client: RoomClient,
  id: number,
): Promise<string | undefined> {
  await client.until("answered", (it) => it.id === id);
  const at = client.events.findIndex((it) =>
    it.kind === "answered" && it.id === id
  );
  const before = client.events[at - 1];
  return before?.kind === "refused" ? before.reason : undefined;
}

/** Holds the log's next write, and all after it, until that is called. */
export function holdLog({ setup: { log } }: SealedServer): () => void {
  const { append } = log;
  const { promise, resolve } = Promise.withResolvers<void>();
  log.append = async (entries) => {
    await promise;
    return await append.call(log, entries);
  };
  return resolve;
}
