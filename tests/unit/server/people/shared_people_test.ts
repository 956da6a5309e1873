/**
 * The people of a room that several servers share: each acts at once, and all end alike, in the room's order.
 *
 * @module
 */

import fc from "fast-check";
import { toBase64url } from "../../../../crypto_utils.ts";
import { LineFile } from "../../../../src/base/line_file.ts";
import { fullId } from "../../../../src/crypto/person_id.ts";
import type { Happening } from "../../../../src/server/people/happening.ts";
import { People } from "../../../../src/server/people/people.ts";
import type { Candidate } from "../../../../src/server/people/person.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { inFolder } from "../../../kit/folder.ts";
import { madeUpId, newIdentity } from "../../../kit/people.ts";
import { nameOf } from "../../../kit/room_setup.ts";

const START = Date.UTC(2026, 10, 23);
const DAY = 86_400_000;
const NAMES = ["ana", "ben", "cy", "dan"];
const INVITES = [11, 12, 13];
const isShared = true;
const KEY = madeUpId("key");
const WISH = { uses: 1, until: null, note: "n".repeat(100), by: "" };

const identities = await Promise.all(NAMES.map(() => newIdentity()));
const candidates = identities.map((it, nth): Candidate => ({
  id: fullId(it.id),
  key: toBase64url(it.keyPair.publicKey),
  card: toBase64url(it.card),
  invite: INVITES[nth] ?? 0,
}));

/** What comes out of the room's order: what one server was the first to know, or what a batch brings. */
type Entry = readonly Happening[] | ((server: Server) => void);

/** The room's order, and the time that it gives. */
class Stream {
  readonly entries: Entry[] = [];
  now = START;
}

/** A server, which is now and then behind, and starts anew. */
class Server implements Disposable {
  people: People;
  #place = 0;
  readonly #path: string;
  readonly #stream: Stream;

  constructor(path: string, stream: Stream) {
    this.#path = path;
    this.#stream = stream;
    this.people = this.#open();
    this.share();
  }

  /** Starts again, without having told others what they don't know yet. */
  restart(): void {
    this.people.journal.keep();
    this.people[Symbol.dispose]();
    this.people = this.#open();
  }

  /** Tells the others what happens here. */
  share(): void {
    this.people.journal.share((it) => void this.#stream.entries.push(it));
  }

  #open(): People {
    const now = () => this.#stream.now;
    return People.open(this.#path, { now, isShared });
  }

  /** Whether what something is about is known here: nobody bans somebody of whom it hasn't heard. */
  knows(happening: Happening): boolean {
    const { access, persons } = this.people;
    if ("person" in happening) return !!persons.find(happening.person);
    if (!("invite" in happening)) return true;
    return access.inviteKey(happening.invite) !== undefined;
  }

  /** Another process adds something to the file. */
  add(happening: Happening): void {
    {
      using file = LineFile.open<Happening>(this.#path);
      file.add([happening]);
    }
    this.people.journal.look();
  }

  /** Carries out some of what it hasn't yet. @param most How many. */
  follow(most = Infinity): void {
    const { entries } = this.#stream;
    const end = Math.min(entries.length, this.#place + most);
    for (const entry of entries.slice(this.#place, end)) {
      if (typeof entry === "function") entry(this);
      else this.people.follow(entry);
    }
    this.#place = end;
    this.people.journal.keep();
  }

  /** All that counts here, in an order of its own. */
  get state(): string[] {
    return this.people.state().map((it) => JSON.stringify(it)).sort();
  }

  [Symbol.dispose](): void {
    this.people[Symbol.dispose]();
  }
}

/** Something that is done at a server of a room. */
type Step = (server: Server, stream: Stream) => void;

const person = fc.nat(NAMES.length - 1).map((nth) => candidates[nth]?.id ?? "");
const invite = fc.constantFrom(...INVITES);

/** Something that happens by itself, at the room's time. */
const apart: fc.Arbitrary<(at: number) => Happening> = fc.oneof(
  person.chain((id) =>
    fc.option(fc.nat(20)).map((days) => (at: number): Happening => ({
      kind: "banned",
      person: id,
      until: days === null ? null : START + days * DAY,
      by: "",
      at,
    }))
  ),
  person.map((id) => (): Happening => ({ kind: "unbanned", person: id })),
  fc.tuple(person, fc.boolean()).map(([id, is]) => (): Happening => ({
    kind: "operator",
    person: id,
    is,
  })),
  fc.record({ topic: fc.string(), slow: fc.nat(9) }, { requiredKeys: [] })
    .map((set) => (): Happening => ({ kind: "room", ...set })),
  invite.map((id) => (): Happening => ({ kind: "revoked", invite: id })),
  fc.tuple(invite, fc.nat(5)).map(([id, nth]) => (): Happening => ({
    kind: "guessed",
    invite: id,
    guess: `guess${nth}`,
  })),
  invite.map((id) => (): Happening => ({
    kind: "invite",
    id,
    key: KEY,
    uses: 2,
    until: null,
    note: `${id}`,
    by: "",
    code: "7-crossover-clockwork",
    at: START + id,
  })),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  apart.map((make): Step => (server, { now }) => {
    const happening = make(now);
    if (!server.knows(happening)) return;
    server.people.journal.record(happening);
    server.people.journal.keep();
  }),
  apart.map((make): Step => (server, { now }) => {
    const happening = make(now);
    if (server.knows(happening)) server.add(happening);
  }),
  fc.nat(3).map((most): Step => (server) => server.follow(most)),
  fc.constant<Step>((server) => {
    server.restart();
    server.share();
  }),
  fc.nat(2 * DAY).map((time): Step => (_, stream) => void (stream.now += time)),
  // What members do: all servers carry it out.
  fc.tuple(fc.nat(NAMES.length - 1), fc.nat(NAMES.length - 1)).map(
    ([who, named]): Step => ({ people: { access } }, { entries, now: at }) => {
      const candidate = candidates[who];
      assert(candidate);
      if (access.inviteKey(candidate.invite) === undefined) return;
      entries.push(({ people }) => {
        const { person } = people.enrol(candidate, who, at);
        people.saw(person, at);
        people.claim(person, nameOf(NAMES[named] ?? ""), at);
      });
    },
  ),
);

/** Servers that share a room. */
function serversIn(folder: string, count: number, stream: Stream): Server[] {
  return Array.from(
    { length: count },
    (_, nth) => new Server(`${folder}/chat.people${nth}`, stream),
  );
}

Deno.test("servers that share a room end alike, whatever happens where and when, with their files", () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 3 }),
      fc.array(fc.tuple(fc.nat(2), step), { maxLength: 60 }),
      (count, steps) =>
        inFolder((folder) => {
          const stream = new Stream();
          const servers = serversIn(folder, count, stream);
          for (const [nth, step] of steps) {
            const server = servers[nth % count];
            assert(server);
            step(server, stream);
          }
          for (const server of servers) server.follow();
          const [first, ...others] = servers.map(({ state }) => state);
          for (const other of others) assertEquals(other, first);
          const { length } = stream.entries;
          for (const server of servers) {
            server.restart();
            assertEquals(server.state, first);
            server.share();
            server[Symbol.dispose]();
          }
          assertEquals(stream.entries.length, length); // nothing was still to be told, nor is it again
          return Promise.resolve();
        }),
    ),
    { numRuns: 150 },
  ));

Deno.test("what happens at one server counts there at once, and at the others from its place in the order on", () =>
  inFolder((folder) => {
    const stream = new Stream();
    const [here, there] = serversIn(folder, 2, stream);
    assert(here && there);
    using _here = here;
    using _there = there;
    const wish = { uses: 1, until: START + DAY, note: "", by: "" };
    const { id } = here.people.access.invite(wish);
    assertEquals(here.people.access.openInvites.length, 1);
    assertEquals(there.people.access.openInvites.length, 0);
    there.follow();
    assertEquals(there.people.access.openInvites[0]?.id, id);
    stream.now += DAY; // the room's time, whatever the servers' clocks say
    assertEquals(there.people.access.openInvites.length, 0);
    return Promise.resolve();
  }));

Deno.test("what the order hadn't when a server broke off is told when it is back, and what it had isn't", () =>
  inFolder((folder) => {
    const stream = new Stream();
    const [here] = serversIn(folder, 1, stream);
    assert(here);
    using _here = here;
    here.people.set({ topic: "tea" });
    here.follow();
    const untold = new Stream();
    here.people.journal.share((it) => void untold.entries.push(it));
    here.people.set({ slow: 5 });
    here.restart();
    assertEquals(here.people.settings, { topic: "tea", slow: 5 });
    here.share();
    assertEquals(stream.entries, [
      [{ kind: "room", topic: "tea" }],
      [{ kind: "room", slow: 5 }],
    ]);
    return Promise.resolve();
  }));

Deno.test("two that change the topic and slow mode in the same instant both have their way", () =>
  inFolder((folder) => {
    const stream = new Stream();
    const servers = serversIn(folder, 2, stream);
    servers[0]?.people.set({ topic: "tea" });
    servers[1]?.people.set({ slow: 5 });
    for (const server of servers) {
      using _server = server;
      server.follow();
      assertEquals(server.people.settings, { topic: "tea", slow: 5 });
    }
    return Promise.resolve();
  }));

Deno.test("wrong guesses at a spoken code count on all servers together, and for good", () =>
  inFolder((folder) => {
    const stream = new Stream();
    const servers = serversIn(folder, 3, stream);
    const [first] = servers;
    const code = "7-crossover-clockwork";
    const made = { uses: 1, until: null, note: "", by: "", at: START };
    first?.add({
      kind: "invite",
      id: 7,
      key: KEY,
      code,
      ...made,
    });
    for (const server of servers) server.follow();
    for (const { people } of servers) {
      const open = people.access.openCode(7);
      assert(open);
      assert(open.guess());
      open.guessed(false);
    }
    for (const server of servers) {
      using _server = server;
      server.follow();
      assertEquals(server.people.access.openCode(7), undefined);
      server.restart();
      assertEquals(server.people.access.openCode(7), undefined);
    }
    return Promise.resolve();
  }));

Deno.test("a server that takes over the state of another has that, and tells what the others don't know", () =>
  inFolder((folder) => {
    const stream = new Stream();
    const [full, empty] = serversIn(folder, 2, stream);
    assert(full && empty);
    using _full = full;
    using _empty = empty;
    const [ana] = candidates;
    assert(ana);
    const { person } = full.people.enrol(ana, 3, START);
    full.people.claim(person, nameOf("ana"), START);
    full.people.setOperator(person, true);
    full.people.set({ topic: "tea", slow: 0 });
    full.follow();
    empty.people.set({ slow: 5 }); // which nobody else has heard of
    const state = full.people.state();
    empty.people.takeOver(state);
    assertEquals(empty.people.settings, { topic: "tea", slow: 5 });
    for (let opened = 0; opened < 2; opened++) {
      const known = empty.people.persons.find(ana.id);
      assert(known);
      assertEquals([known.from, known.isOperator], [3, true]);
      assertEquals(empty.people.names.nameOf(known), "ana");
      empty.restart();
      const told: (readonly Happening[])[] = [];
      empty.people.journal.share((it) => void told.push(it));
      assertEquals(told, [[{ kind: "room", slow: 5 }]]);
    }
    return Promise.resolve();
  }));

Deno.test("much that others don't know yet is told to them in pieces, in order", async () => {
  await inFolder((folder) => {
    using people = People.open(`${folder}/chat.people`, { isShared });
    const made = Array.from(
      { length: 2_000 },
      () => people.access.invite(WISH).id,
    );
    const told: (readonly Happening[])[] = [];
    people.journal.share((it) => void told.push(it));
    assert(told.length > 1);
    assert(told.every((it) => JSON.stringify(it).length < 500_000));
    const ids = told.flat().map((it) => it.kind === "invite" ? it.id : 0);
    assertEquals(ids, made);
    return Promise.resolve();
  });
});
