/**
 * The people of a room: who may come in, whose name is whose, and that the file says the same.
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../../../crypto_utils.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { CARD_SIZE, readCard } from "../../../../src/crypto/identity.ts";
import { fullId, shortId } from "../../../../src/crypto/person_id.ts";
import { admissionKey, ROOM_INVITE_ID } from "../../../../src/keys/invite.ts";
import { MEMBER_ID } from "../../../../src/protocol/hello.ts";
import { HandshakeRefusal } from "../../../../src/protocol/reasons.ts";
import { NAME_KEPT } from "../../../../src/server/people/owned_names.ts";
import { People } from "../../../../src/server/people/people.ts";
import type {
  Candidate,
  Person,
} from "../../../../src/server/people/person.ts";
import type { Happening } from "../../../../src/server/people/happening.ts";
import { LineFile } from "../../../../src/base/line_file.ts";
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import { Folder } from "../../../kit/folder.ts";
import { closings, withMethod } from "../../../kit/log_kit.ts";
import { madeUpId, openPeople } from "../../../kit/people.ts";
import { nameOf } from "../../../kit/room_setup.ts";
import { refusedRenames, withFullDisk } from "../../../kit/full_disk.ts";
import { replaced } from "../../../kit/replaced.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 23);
const STANDING = new Uint8Array(32).fill(7);

/** A calendar that a test turns: `Date.now` follows it until it is disposed of. */
class Calendar implements Disposable {
  now = START;
  readonly #replaced = replaced(Date, "now", () => this.now);

  [Symbol.dispose](): void {
    this.#replaced[Symbol.dispose]();
  }
}

/** People with a file of their own, on a calendar that stands still. */
class Setup implements AsyncDisposable {
  readonly calendar = new Calendar();
  people: People;

  private constructor(readonly folder: Folder) {
    this.people = openPeople(this.path, STANDING);
  }

  static async create(): Promise<Setup> {
    return new Setup(await Folder.make());
  }

  get path(): string {
    return this.folder.file("chat.people");
  }

  /** The file's size, bytes. */
  get size(): number {
    return Deno.statSync(this.path).size;
  }

  /** The server ends and starts again. */
  reopen(): void {
    this.people[Symbol.dispose]();
    this.people = openPeople(this.path, STANDING);
    assertEquals(this.people.journal.notice, undefined);
  }

  /** What another process adds to the file. */
  add(...happenings: Happening[]): void {
    using file = LineFile.open<Happening>(this.path);
    file.add(happenings);
  }

  /** The same, which the server then reads. */
  tell(...happenings: Happening[]): void {
    this.add(...happenings);
    this.people.journal.look();
  }

  /** Lets somebody in for good. */
  enrol(candidate: Candidate, name?: string, from = 0): Person {
    const { people, calendar: { now } } = this;
    assertEquals(people.access.refusal(candidate), undefined);
    const { person } = people.enrol(candidate, from, now);
    if (name !== undefined) people.claim(person, nameOf(name), now);
    people.journal.keep();
    return person;
  }

  /** Whose a name is, while nobody is here. */
  owner(name: string): string | undefined {
    const { folded } = nameOf(name);
    return this.people.names.owner(folded, () => false)?.person.id;
  }

  /** Why somebody can't shake hands by an invite. */
  turnedAway({ key, invite }: Candidate, by = invite): number | undefined {
    return this.people.access.turnedAway(by, fromBase64url(key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.people[Symbol.dispose]();
    this.calendar[Symbol.dispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

function test(name: string, fn: (setup: Setup) => Promise<void> | void) {
  Deno.test(name, async () => {
    await using setup = await Setup.create();
    await fn(setup);
  });
}

/** Somebody new at the door. Nobody here looks at its signature. */
function stranger(invite = ROOM_INVITE_ID): Candidate {
  return candidateOf(randomBytes(CARD_SIZE), invite);
}

function candidateOf(card: Bytes, invite = ROOM_INVITE_ID): Candidate {
  const { id, noiseKey } = readCard(card);
  return {
    id: fullId(id),
    key: toBase64url(noiseKey),
    card: toBase64url(card),
    invite,
  };
}

/** An invite of the server's owner. */
function invite(
  id: number,
  { uses = 1, until = null, code = "" }: {
    readonly uses?: number;
    readonly until?: number | null;
    readonly code?: string;
  } = {},
): Happening {
  const key = madeUpId(`invite ${id}`);
  const note = `for "${id}"`;
  return {
    kind: "invite",
    ...{ id, key, uses, until, note, by: "", code, at: START },
  };
}

// ── Persons ────────────────────────────────────────────────────────────────────────────────────────────

test("enrol() makes a person of a candidate, once", ({ people }) => {
  const ana = stranger();
  assertEquals(people.persons.find(ana.id), undefined);
  const { person } = people.enrol(ana, 12, START);
  assertEquals(person, {
    id: ana.id,
    short: shortId(ana.id),
    key: ana.key,
    card: ana.card,
    from: 12,
    invite: ROOM_INVITE_ID,
    names: [],
    there: START,
    bannedUntil: 0,
    isOperator: false,
    spoke: -Infinity,
  });
  assertEquals(people.persons.find(ana.id), person);
  assertEquals(people.persons.byShort(shortId(ana.id)), person);
  const again = people.enrol({ ...ana, invite: MEMBER_ID }, 99, START + DAY);
  assert(again.person === person); // it reads from where it first came in
  assertEquals([person.from, person.there], [12, START]);
  again.undo();
  assertEquals(people.persons.find(ana.id), person);
});

test("enrol() can be taken back until keep()", (setup) => {
  const { people } = setup;
  setup.tell(invite(7));
  const [ana, ben] = [stranger(), stranger(7)];
  const undone = [ana, ben].map((it) => people.enrol(it, 0, START));
  const { person } = undone[0] ?? {};
  assert(person);
  undone.push({ person, undo: people.claim(person, nameOf("ana"), START) });
  for (const { undo } of undone.toReversed()) undo();
  const { size } = setup;
  people.journal.keep();
  assertEquals(setup.size, size);
  for (const { id } of [ana, ben]) {
    assertEquals(people.persons.find(id), undefined);
    assertEquals(people.persons.byShort(shortId(id)), undefined);
  }
  assertEquals(setup.owner("ana"), undefined);
  assertEquals(setup.turnedAway(ana, MEMBER_ID), HandshakeRefusal.key);
  assertEquals(setup.turnedAway(ben), undefined); // its invite is as good as new
  setup.enrol(ana);
  setup.enrol(stranger(7));
});

test("enrol() is in the file from keep() on, and not before", (setup) => {
  const ana = stranger();
  setup.people.enrol(ana, 3, START);
  setup.reopen();
  assertEquals(setup.people.persons.find(ana.id), undefined);
  const person = setup.enrol(ana, "ana", 3);
  setup.reopen();
  assertEquals(setup.people.persons.find(ana.id), person);
});

test("refusal() refuses a second person whose id has the same first ten bytes", (setup) => {
  const first = randomBytes(32);
  const twin = first.slice();
  twin[10] = (twin[10] ?? 0) ^ 1;
  const near = first.slice();
  near[9] = (near[9] ?? 0) ^ 1;
  const as = (id: Bytes): Candidate => ({ ...stranger(), id: fullId(id) });
  setup.people.enrol(as(first), 0, START);
  assertEquals(setup.people.access.refusal(as(twin)), "person-twin");
  assertEquals(setup.people.access.refusal(as(near)), undefined);
});

test("refusal() refuses a member's X25519 key on another card, and a newcomer who says that it is a member", (setup) => {
  const { people } = setup;
  const ana = stranger();
  setup.enrol(ana);
  const eve = { ...stranger(), key: ana.key };
  assertEquals(people.access.refusal(eve), "card-wrong");
  assertEquals(
    people.access.refusal({ ...eve, invite: MEMBER_ID }),
    "card-wrong",
  );
  assertEquals(people.access.refusal(stranger(MEMBER_ID)), "card-wrong");
  assertEquals(people.access.refusal({ ...ana, invite: MEMBER_ID }), undefined);
  setup.reopen();
  assertEquals(setup.people.access.refusal(eve), "card-wrong");
});

test("saw() is written down once a day", (setup) => {
  const { people, path } = setup;
  const person = setup.enrol(stranger());
  const { size } = setup;
  const ats = [0, 1, DAY - 1, DAY, DAY + 1, 2 * DAY - 1, 2 * DAY, -DAY];
  const there = ats.map((ms) => {
    people.saw(person, START + ms);
    people.journal.keep();
    return person.there - START;
  });
  assertEquals(there, [0, 0, 0, DAY, DAY, DAY, 2 * DAY, 2 * DAY]);
  const added = Deno.readTextFileSync(path).slice(size);
  assertEquals(added.split("\n").length - 1, 2);
  setup.reopen();
  assertEquals(setup.people.persons.find(person.id), person);
});

// ── Names ──────────────────────────────────────────────────────────────────────────────────────────────

test("claim() makes a name its first user's, with all that looks like it", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger(), "Bill");
  for (const name of ["Bill", "BILL", "bi11", "Ｂｉｌｌ"]) {
    assertEquals(setup.owner(name), ana.id, name);
  }
  assertEquals(setup.owner("bob"), undefined);
  const owned = people.names.owner(nameOf("bill").folded, () => false);
  assertEquals([owned?.shown, owned?.since], ["Bill", START]);
  const line = { kind: "name", person: madeUpId("nobody"), since: 1 } as const;
  setup.add({ ...line, name: "bob" });
  assertEquals(people.journal.catchUp(), []);
  assertEquals(setup.owner("bob"), undefined);
});

test("claim() shows a name as its owner wrote it last, which is its owner's since the first time", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger(), "ana");
  const undo = people.claim(ana, nameOf("ANA"), START + DAY);
  const { folded } = nameOf("ana");
  const owned = () => {
    const { shown, since } = setup.people.names.owner(folded, () => false) ??
      {};
    return [shown, since];
  };
  assertEquals(owned(), ["ANA", START]);
  undo();
  assertEquals(owned(), ["ana", START]);
  people.claim(ana, nameOf("Ana"), START + DAY);
  people.journal.keep();
  assertEquals(people.names.claim(ana, nameOf("Ana"), START).happenings, []);
  assertEquals(ana.names, [folded]);
  setup.reopen();
  assertEquals(owned(), ["Ana", START]);
});

test("a name is kept for 90 days after its person was last there, and while it is here", (setup) => {
  const { people, calendar } = setup;
  assertEquals(NAME_KEPT, 90 * DAY);
  const ana = setup.enrol(stranger(), "ana");
  people.saw(ana, START + 10 * DAY);
  people.journal.keep();
  const { folded } = nameOf("ana");
  for (let opened = 0; opened < 2; opened++) {
    const { people } = setup;
    const owner = (isHere: boolean) =>
      people.names.owner(folded, () => isHere)?.person.id;
    const known = (now: number) => {
      calendar.now = now;
      return [owner(false), owner(true)];
    };
    const free = START + 100 * DAY;
    assertEquals(known(free - 1), [ana.id, ana.id]);
    assertEquals(known(free), [undefined, ana.id]);
    assertEquals(known(free + 1_000 * DAY), [undefined, ana.id]);
    setup.reopen();
  }
});

test("owner() asks whether the owner is here, and nobody else", (setup) => {
  const ana = setup.enrol(stranger(), "ana");
  setup.enrol(stranger(), "ben");
  setup.calendar.now += 91 * DAY;
  const { folded } = nameOf("ana");
  const owned = setup.people.names.owner(folded, ({ id }) => id === ana.id);
  assertEquals(owned?.person, ana);
});

test("a name that is free again becomes another's, and is the first one's no more", (setup) => {
  const { people, calendar } = setup;
  const ana = setup.enrol(stranger(), "ana");
  people.claim(ana, nameOf("bea"), START);
  people.journal.keep();
  calendar.now += 90 * DAY;
  const zoe = setup.enrol(stranger());
  const claim = () => people.claim(zoe, nameOf("Ana"), calendar.now);
  const names = () => [ana.names, zoe.names].map((it) => it.toSorted());
  const fold = (...names: string[]) => names.map((it) => nameOf(it).folded);
  claim()();
  assertEquals(names(), [fold("ana", "bea"), []]);
  assertEquals(setup.owner("ana"), undefined); // as before
  claim();
  people.journal.keep();
  people.saw(ana, calendar.now);
  people.journal.keep();
  for (let opened = 0; opened < 2; opened++) {
    assertEquals(setup.owner("ana"), zoe.id);
    assertEquals(setup.owner("bea"), ana.id);
    assertEquals(setup.people.persons.find(ana.id)?.names, fold("bea"));
    assertEquals(setup.people.persons.find(zoe.id)?.names, fold("ana"));
    setup.reopen();
  }
});

const TEN = "ada bob cy dan eva fay gus hal ivy joe".split(" ");

test("a person has at most 8 names, and gives up the oldest for a ninth", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger());
  for (const [n, name] of TEN.entries()) {
    people.claim(ana, nameOf(name), START + n);
    people.journal.keep();
  }
  for (let opened = 0; opened < 2; opened++) {
    const kept = TEN.filter((name) => setup.owner(name) === ana.id);
    assertEquals(kept, TEN.slice(2));
    const names = setup.people.persons.find(ana.id)?.names;
    assertEquals(names, TEN.slice(2).map((name) => nameOf(name).folded));
    setup.reopen();
  }
  const ben = setup.enrol(stranger(), TEN[0]);
  assertEquals(setup.owner(TEN[0] ?? ""), ben.id);
});

test("a person has at most 8 names also where the ninth was somebody else's", (setup) => {
  const { people, calendar } = setup;
  const [ninth = "", ...eight] = TEN.slice(0, 9);
  setup.enrol(stranger(), ninth);
  calendar.now += 91 * DAY;
  const ana = setup.enrol(stranger());
  for (const name of eight) people.claim(ana, nameOf(name), calendar.now);
  people.claim(ana, nameOf(ninth), calendar.now);
  people.journal.keep();
  assertEquals(ana.names.length, 8);
  assertEquals(setup.owner(eight[0] ?? ""), undefined);
  setup.reopen();
  assertEquals(setup.people.persons.find(ana.id), ana);
});

test("claim() of a ninth name that is taken back gives back the oldest", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger());
  const eight = TEN.slice(0, 8);
  for (const name of eight) people.claim(ana, nameOf(name), START);
  people.journal.keep();
  const names = [...ana.names];
  const { size } = setup;
  people.claim(ana, nameOf("zoe"), START)();
  people.claim(ana, nameOf("DAN"), START)();
  people.journal.keep();
  assertEquals(setup.size, size);
  assertEquals(ana.names, names); // in the same order
  for (const name of eight) assertEquals(setup.owner(name), ana.id, name);
  assertEquals(setup.owner("zoe"), undefined);
});

test("release() gives up all names but one", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger());
  const ben = setup.enrol(stranger(), "ben");
  for (const name of ["Ada", "Bob", "Cy"]) {
    people.claim(ana, nameOf(name), START);
  }
  people.journal.keep();
  assertEquals(people.release(ana, nameOf("bob").folded).names, [
    "Ada",
    "Cy",
  ]);
  assertEquals(people.release(ana, nameOf("bob").folded).names, []);
  people.journal.keep();
  for (let opened = 0; opened < 2; opened++) {
    const owners = ["ada", "bob", "cy", "ben"].map((it) => setup.owner(it));
    assertEquals(owners, [undefined, ana.id, undefined, ben.id]);
    setup.reopen();
  }
});

// ── Invites ────────────────────────────────────────────────────────────────────────────────────────────

test("the standing link lets in any number, until there is none", (setup) => {
  const { people } = setup;
  assertEquals(people.access.inviteKey(ROOM_INVITE_ID), admissionKey(STANDING));
  const members = Array.from({ length: 20 }, () => stranger());
  for (const it of members) setup.enrol(it);
  assertEquals(setup.turnedAway(stranger()), undefined);
  const other = randomBytes(32);
  people.access.link.set(other);
  assertEquals(people.access.inviteKey(ROOM_INVITE_ID), admissionKey(other));
  setup.enrol(stranger());
  people.access.link.set(undefined);
  assertEquals(people.access.inviteKey(ROOM_INVITE_ID), undefined);
  assertEquals(people.access.refusal(stranger()), "invite-used");
  for (const it of members) assertEquals(people.access.refusal(it), undefined);
});

test("an invite lets in as many as it has uses, and those again", (setup) => {
  setup.tell(invite(7, { uses: 2 }));
  const [ana, ben, eve] = [stranger(7), stranger(7), stranger(7)];
  const all = [ana, ben, eve];
  const key = fromBase64url(madeUpId("invite 7"));
  assertEquals(setup.people.access.inviteKey(7), key);
  assertEquals(setup.people.access.inviteKey(8), undefined);
  // All three have shaken hands before the first of them joins.
  assertEquals(all.map((it) => setup.turnedAway(it)), all.map(() => undefined));
  setup.enrol(ana);
  setup.enrol(ana);
  setup.enrol(ben);
  for (let opened = 0; opened < 2; opened++) {
    const { people } = setup;
    assertEquals(people.access.refusal(eve), "invite-used");
    assertEquals(setup.turnedAway(eve), HandshakeRefusal.key);
    // Who came by it may still use its link, or come as a member.
    assertEquals(people.access.inviteKey(7), key);
    for (const it of [ana, ben]) {
      assertEquals(setup.turnedAway(it), undefined);
      assertEquals(setup.turnedAway(it, MEMBER_ID), undefined);
      assertEquals(people.access.refusal(it), undefined);
      assertEquals(
        people.access.refusal({ ...it, invite: MEMBER_ID }),
        undefined,
      );
    }
    setup.reopen();
  }
});

test("an invite ends by time", (setup) => {
  const { people, calendar } = setup;
  setup.tell(invite(7, { uses: 9, until: START + DAY }));
  const [ana, eve] = [stranger(7), stranger(7)];
  setup.enrol(ana);
  calendar.now = START + DAY - 1;
  assertEquals([setup.turnedAway(eve), people.access.refusal(eve)], [
    undefined,
    undefined,
  ]);
  calendar.now = START + DAY; // between handshake and joining, too
  assertEquals(people.access.refusal(eve), "invite-used");
  assertEquals(setup.turnedAway(eve), HandshakeRefusal.key);
  assertEquals(setup.turnedAway(ana), undefined);
  assertEquals(people.access.refusal(ana), undefined);
});

test("an invite that is revoked lets in nobody more", (setup) => {
  setup.tell(invite(7, { uses: 9 }), invite(8, { uses: 9 }));
  const [ana, eve, ben] = [stranger(7), stranger(7), stranger(8)];
  setup.enrol(ana);
  setup.tell({ kind: "revoked", invite: 7 });
  for (let opened = 0; opened < 2; opened++) {
    assertEquals(setup.people.access.refusal(eve), "invite-used");
    assertEquals(setup.turnedAway(eve), HandshakeRefusal.key);
    assertEquals(setup.turnedAway(ana), undefined);
    assertEquals(setup.people.access.refusal(ana), undefined);
    assertEquals(setup.turnedAway(ben), undefined);
    assertEquals(setup.people.access.refusal(ben), undefined);
    setup.reopen();
  }
});

test("turnedAway() turns away whom nobody invited", (setup) => {
  for (const id of [1, 7, MEMBER_ID, 0xffff_ffff]) {
    assertEquals(setup.turnedAway(stranger(id)), HandshakeRefusal.key);
  }
  assertEquals(setup.people.access.refusal(stranger(7)), "invite-used");
});

test("a crash between a person's line and its use of an invite doesn't give that use to another", (setup) => {
  const ana = stranger(7);
  const { id, card } = ana;
  const line = { kind: "person", id, card, from: 0, invite: 7, at: START };
  setup.add(invite(7), line as Happening);
  setup.reopen();
  assertEquals(setup.people.access.refusal(stranger(7)), "invite-used");
  assertEquals(setup.turnedAway(stranger(7)), HandshakeRefusal.key);
  assertEquals(setup.people.access.refusal(ana), undefined);
  // Who is there already uses no other invite by such a line.
  setup.tell(invite(8), { ...line, invite: 8 } as Happening);
  assertEquals(setup.turnedAway(stranger(8)), undefined);
});

// ── Bans ───────────────────────────────────────────────────────────────────────────────────────────────

test("who is banned is refused by any way, and others aren't", (setup) => {
  setup.tell(invite(7, { uses: 9 }));
  const [ana, ben] = [stranger(7), stranger(7)];
  setup.enrol(ana, "ana");
  setup.enrol(ben, "ben");
  const words = { by: ben.id, at: START };
  setup.tell({ kind: "banned", person: ana.id, until: null, ...words });
  for (let opened = 0; opened < 2; opened++) {
    const { people } = setup;
    const banned = people.persons.find(ana.id);
    assert(banned && people.persons.isBanned(banned));
    for (const by of [7, MEMBER_ID, ROOM_INVITE_ID]) {
      assertEquals(setup.turnedAway(ana, by), undefined); // it is told until when, which a handshake can't
      assertEquals(people.access.refusal({ ...ana, invite: by }), "removed");
      assertEquals(setup.turnedAway(ben, by), undefined);
      assertEquals(people.access.refusal({ ...ben, invite: by }), undefined);
    }
    setup.calendar.now += 1_000 * DAY; // for good
    setup.reopen();
  }
  setup.tell({ kind: "unbanned", person: ana.id });
  setup.reopen();
  assertEquals(setup.turnedAway(ana), undefined);
  assertEquals(setup.people.access.refusal(ana), undefined);
});

test("the names of one who is banned are free", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger(), "ana");
  people.ban(ana, START + DAY, "");
  assertEquals(setup.owner("ana"), undefined);
  assertEquals(people.names.lastOwner("ana"), ana); // for who lets it in again
  people.unban(ana);
  assertEquals(setup.owner("ana"), ana.id);
  people.ban(ana, null, "");
  const ben = setup.enrol(stranger(), "ana");
  people.unban(ana);
  people.journal.keep();
  for (let opened = 0; opened < 2; opened++) {
    assertEquals(setup.owner("ana"), ben.id);
    setup.reopen();
  }
});

test("nothing is written down while something may yet be taken back", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger(), "ana");
  const { size } = setup;
  people.journal.begin();
  const { undo } = people.enrol(stranger(), 0, START);
  people.setOperator(ana, true);
  people.journal.tryToKeep();
  people.journal.keep();
  people.journal.look();
  assertEquals(setup.size, size);
  undo();
  people.journal.settle();
  assert(setup.size > size);
  using file = LineFile.open<Happening>(setup.path);
  const kinds = file.added().map(({ kind }) => kind);
  assertEquals(kinds, ["person", "name", "operator"]);
});

test("release() can be taken back until it is settled, with the names in their order", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger());
  for (const name of ["Ada", "Bob", "Cy"]) {
    people.claim(ana, nameOf(name), START);
  }
  people.journal.keep();
  const { size } = setup;
  const names = [...ana.names];
  people.release(ana, nameOf("bob").folded).undo();
  people.journal.keep();
  assertEquals([setup.size, ana.names], [size, names]);
  for (const name of ["ada", "bob", "cy"]) {
    assertEquals(setup.owner(name), ana.id);
  }
});

test("limitFrom() lets who may read nothing of another log read from its end on, for good", (setup) => {
  const [ana, ben] = [stranger(), stranger()];
  setup.enrol(ana, "ana", 51);
  setup.enrol(ben, "ben", 3);
  const from = () =>
    [ana, ben].map(({ id }) => setup.people.persons.find(id)?.from);
  const { ino } = Deno.statSync(setup.path);
  setup.people.limitFrom(51);
  assertEquals([from(), Deno.statSync(setup.path).ino], [[51, 3], ino]);
  const { person: eve } = setup.people.enrol(stranger(), 51, START); // not written down yet
  setup.people.limitFrom(5);
  for (let opened = 0; opened < 2; opened++) {
    assertEquals(from(), [5, 3]);
    assertEquals(setup.people.persons.find(eve.id)?.from, 5);
    assertEquals(setup.owner("ana"), ana.id);
    setup.reopen();
  }
});

test("a ban ends by time", (setup) => {
  const ana = stranger();
  setup.enrol(ana);
  const until = START + DAY;
  const words = { by: "", at: START };
  setup.tell({ kind: "banned", person: ana.id, until, ...words });
  for (let opened = 0; opened < 2; opened++) {
    setup.calendar.now = until - 1;
    assertEquals(setup.people.access.refusal(ana), "removed");
    setup.calendar.now = until;
    assertEquals(setup.turnedAway(ana), undefined);
    assertEquals(setup.people.access.refusal(ana), undefined);
    setup.reopen();
  }
});

// ── The file ───────────────────────────────────────────────────────────────────────────────────────────

test("keep() that fails is tried again, with what came meanwhile", async (setup) => {
  const { people, path } = setup;
  const [ana, ben] = [stranger(), stranger()];
  people.enrol(ana, 0, START);
  await withFullDisk(() => {
    for (let n = 0; n < 2; n++) {
      const words = `Cannot write "${path}": the disk is full`;
      assertThrows(() => people.journal.keep(), FileError, words);
    }
  });
  people.enrol(ben, 0, START);
  people.journal.keep();
  setup.reopen();
  for (const { id } of [ana, ben]) assert(setup.people.persons.find(id));
});

test("look() writes down what couldn't be, and takes over what another process has added meanwhile", (setup) => {
  const { people } = setup;
  const ana = setup.enrol(stranger(), "ana");
  setup.tell({ kind: "room", topic: "tea", slow: 5 });
  people.set({ topic: "cake", slow: 0 }); // not in the file yet
  setup.add(invite(7), { kind: "room", topic: "soup", slow: 9 });
  people.journal.look();
  assertEquals(people.access.openInvites.map(({ id }) => id), [7]);
  for (let opened = 0; opened < 2; opened++) {
    assertEquals(setup.people.settings, { topic: "cake", slow: 0 });
    assertEquals(setup.owner("ana"), ana.id);
    setup.reopen();
  }
});

test("open() says what it dropped, and refuses a damaged file", (setup) => {
  const ana = stranger();
  setup.enrol(ana, "ana");
  setup.people[Symbol.dispose]();
  const { path } = setup;
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, text.slice(0, -9));
  {
    using people = openPeople(path, STANDING);
    const notice = `Dropped the last line of "${path}": it broke off`;
    assertEquals(people.journal.notice, notice);
    assertEquals(people.persons.find(ana.id)?.names, []);
  }
  Deno.writeTextFileSync(path, text.replace('"ana"', '"eve"'));
  const words = `Cannot use "${path}": line 2 is damaged`;
  assertThrows(() => openPeople(path, STANDING), FileError, words);
  Deno.writeTextFileSync(path, text);
  setup.people = openPeople(path, STANDING);
  assertEquals(setup.owner("ana"), ana.id);
});

test("look() takes over what another process has added, and keeps what this one has", (setup) => {
  const { people } = setup;
  const ana = stranger();
  setup.enrol(ana, "ana");
  people.journal.look();
  const eve = stranger(7);
  assertEquals(people.access.refusal(eve), "invite-used");
  setup.add(invite(7, { uses: 2 }));
  const ben = stranger();
  const own = setup.enrol(ben, "ben"); // after the other's line
  assertEquals(people.access.refusal(eve), undefined); // what was printed counts at once
  people.journal.look();
  assert(people.persons.find(ben.id) === own); // though its line was read once more
  assertEquals(people.access.refusal(eve), undefined);
  setup.enrol(eve);
  setup.tell({ kind: "revoked", invite: 7 });
  assertEquals(people.access.refusal(stranger(7)), "invite-used");
  setup.tell({ kind: "operator", person: ben.id, is: true });
  assertEquals(people.persons.find(ben.id)?.isOperator, true);
  for (const { id } of [ana, ben, eve]) {
    const person = people.persons.find(id);
    assert(person);
    people.journal.look();
    assert(people.persons.find(id) === person);
  }
  assertEquals([setup.owner("ana"), setup.owner("ben")], [ana.id, ben.id]);
});

test("an invite that another process makes or closes counts at once, also while a batch is under way", (setup) => {
  const { people } = setup;
  people.journal.begin();
  people.enrol(stranger(), 0, START); // waits to be written down
  const made = invite(7, { uses: 2 });
  setup.add(made);
  assert(people.access.inviteKey(7));
  const ana = stranger(7);
  const ben = stranger(8);
  assertEquals(setup.turnedAway(ana), undefined);
  assertEquals(people.access.refusal(ana), undefined);
  setup.add({ kind: "revoked", invite: 7 });
  assertEquals(people.access.refusal(ana), "invite-used");
  setup.add(invite(8));
  assertEquals(setup.turnedAway(ben), undefined);
  setup.add({ kind: "revoked", invite: 8 });
  assertEquals(setup.turnedAway(ben), HandshakeRefusal.key);
  people.journal.settle();
});

test("the standing link is looked at before anybody comes by it", (setup) => {
  const { people } = setup;
  const before = people.access.link.key;
  const fresh = new Uint8Array(32).fill(9);
  people.access.link.watch(() => people.access.link.set(fresh));
  const ana = { ...stranger(), standing: before };
  assertEquals(people.access.refusal(ana), "invite-used"); // it shook hands by the old one
  people.access.link.set(STANDING);
  const key = people.access.inviteKey(ROOM_INVITE_ID);
  assertEquals(key, people.access.link.key);
  assert(key && before && !equalBytes(key, before));
});

test("a file that can be added to but not rewritten is gone on with, and that is tried once", async (setup) => {
  const ana = stranger();
  setup.enrol(ana, "ana", 50);
  const tries = refusedRenames(() => {
    for (const head of [9, 5]) {
      setup.people.limitFrom(head);
      assertEquals(setup.people.persons.find(ana.id)?.from, head);
    }
  });
  assertEquals(tries, 1);
  const ben = setup.enrol(stranger(), "ben");
  setup.reopen();
  assert(setup.people.persons.find(ben.id));
  assertEquals(await setup.folder.names(), ["chat.people"]);
});

/** All that people say of some persons, names and invites. */
function describe(
  setup: Setup,
  candidates: readonly Candidate[],
  names: readonly string[],
) {
  const { people } = setup;
  const owned = names.map((it) =>
    people.names.owner(nameOf(it).folded, () => true)
  );
  return {
    persons: candidates.map(({ id }) => known(people.persons.find(id))),
    short: candidates.map(({ id }) => people.persons.byShort(shortId(id))?.id),
    refusals: candidates.map((it) => people.access.refusal(it)),
    doors: candidates.map((it) => setup.turnedAway(it, MEMBER_ID)),
    owners: owned.map(known),
    invites: [7, 8, 9, 10, 11].map((id) => [
      people.access.inviteKey(id),
      people.access.refusal(stranger(id)),
    ]),
  };
}

function known<T>(it: T | undefined): T {
  assert(it !== undefined);
  return it;
}

/** The lines of one kind in a file. */
function only(kind: Happening["kind"], file: LineFile<Happening>): Happening[] {
  return file.all().filter((it) => it.kind === kind);
}

/** Has another process do something just before a file is written anew. */
function atRewrite(act: () => void, body: () => void): Promise<void> {
  const acting = (original: LineFile<Happening>["isStale"]) =>
    function (this: LineFile<Happening>, count: number) {
      const isStale = original.call(this, count);
      if (isStale) act();
      return isStale;
    };
  const promised = () => Promise.resolve(body());
  return withMethod(LineFile.prototype, "isStale", acting, promised);
}

/** A room in which everything has happened that can. */
function busy(setup: Setup) {
  const { people } = setup;
  setup.tell(
    invite(7, { uses: 3 }),
    invite(8),
    invite(9, { until: START + 9_000 * DAY, code: "crossover-clockwork" }),
    invite(10, { uses: 9 }),
    invite(11, { until: START - 1 }),
  );
  const [ana, ben, cy, dan, eva] = [7, 7, 8, ROOM_INVITE_ID, 10].map((id) =>
    stranger(id)
  );
  assert(ana && ben && cy && dan && eva);
  const candidates = [ana, ben, cy, dan, eva];
  for (const [n, it] of candidates.entries()) setup.enrol(it, TEN[n], 3 * n);
  const person = people.persons.find(dan.id);
  assert(person);
  for (const name of TEN.slice(5)) people.claim(person, nameOf(name), START);
  people.claim(person, nameOf("DAN"), START + 1);
  people.journal.keep();
  const words = { by: ana.id, at: START };
  setup.tell(
    { kind: "operator", person: ana.id, is: true },
    { kind: "operator", person: dan.id, is: true },
    { kind: "operator", person: ben.id, is: true },
    { kind: "operator", person: ben.id, is: false },
    { kind: "banned", person: ben.id, until: null, ...words },
    { kind: "banned", person: cy.id, until: START + 5_000 * DAY, ...words },
    { kind: "banned", person: eva.id, until: null, ...words },
    { kind: "unbanned", person: eva.id },
    { kind: "revoked", invite: 10 },
    { kind: "room", topic: "tea", slow: 5 },
  );
  return candidates;
}

test("everything is the same after the file was closed and opened", (setup) => {
  const candidates = busy(setup);
  const before = describe(setup, candidates, TEN);
  assertEquals(before.refusals, [
    undefined,
    "removed",
    "removed",
    undefined,
    undefined,
  ]);
  const refusals = before.invites.map(([_, refusal]) => refusal);
  const used = "invite-used";
  assertEquals(refusals, [undefined, used, undefined, used, used]);
  for (let opened = 0; opened < 2; opened++) {
    setup.reopen();
    assertEquals(describe(setup, candidates, TEN), before);
  }
});

test("keep() writes the file anew when it has grown, and loses nothing, cards included", async (setup) => {
  const { people, path, calendar } = setup;
  const candidates = busy(setup);
  const [{ id } = { id: "" }] = candidates;
  const ana = people.persons.find(id);
  assert(ana);
  using old = LineFile.open<Happening>(path);
  const [cards, invites] = [only("person", old), only("invite", old)];
  assertEquals([cards.length, invites.length], [5, 5]);
  const state = () => structuredClone(describe(setup, candidates, TEN));
  const keepTomorrow = () => {
    people.saw(ana, calendar.now += DAY);
    people.journal.keep();
  };
  while (setup.size < 65_400) keepTomorrow();
  assert(old.isInPlace);
  setup.tell({ kind: "operator", person: id, is: false });
  const before = state();
  await atRewrite(() => setup.add({ kind: "revoked", invite: 7 }), () => {
    while (old.isInPlace && setup.size < 70_000) keepTomorrow();
  });
  assert(setup.size < 16_384);
  const after = state();
  for (const { person } of [...before.owners, ...after.owners]) {
    person.there = 0;
  }
  for (const it of [...before.persons, ...after.persons]) it.there = 0;
  const [opened, ...others] = before.invites;
  assertEquals(opened?.[1], undefined);
  before.invites = [[opened?.[0], "invite-used"], ...others];
  assertEquals(after, before);
  {
    using anew = LineFile.open<Happening>(path);
    const kept = [only("person", anew), only("invite", anew)];
    assertEquals(kept, [cards, invites]);
    const [room] = only("room", anew);
    assertEquals(room, { kind: "room", topic: "tea", slow: 5 });
  }
  const last = state();
  for (let opened = 0; opened < 2; opened++) {
    setup.reopen();
    assertEquals(state(), last);
  }
  // It goes on as ever.
  const zoe = stranger();
  setup.enrol(zoe, "zoe");
  setup.tell({ kind: "operator", person: zoe.id, is: true });
  setup.reopen();
  assertEquals(setup.people.persons.find(zoe.id)?.isOperator, true);
  assertEquals(setup.owner("zoe"), zoe.id);
});

test("keep() doesn't write a file anew that is large because much counts", (setup) => {
  const { people, path } = setup;
  const candidates = Array.from({ length: 60 }, () => stranger());
  for (const [n, it] of candidates.entries()) setup.enrol(it, `name${n}`);
  assert(setup.size > 65_536);
  const { ino } = Deno.statSync(path);
  const words = { by: "", at: START };
  for (const { id } of candidates) {
    setup.tell(
      { kind: "operator", person: id, is: true },
      { kind: "banned", person: id, until: null, ...words },
    );
  }
  setup.enrol(stranger());
  assertEquals(Deno.statSync(path).ino, ino);
  assertEquals(people.persons.find(candidates[0]?.id ?? "")?.isOperator, true);
});

test("keep() doesn't write a file anew that is large by invites that count", (setup) => {
  const { people: { access, journal }, path } = setup;
  const wish = { uses: 1, until: null, note: "n".repeat(100), by: "" };
  for (let n = 1; n <= 300; n++) access.invite(wish);
  journal.keep();
  const { ino } = Deno.statSync(path);
  setup.enrol(stranger());
  assert(setup.size > 65_536);
  assertEquals(Deno.statSync(path).ino, ino);
});

test("takeOver() leaves nothing of what was there, but for what the state says", (setup) => {
  const { people } = setup;
  const [ana, ben] = [setup.enrol(stranger(), "ana"), stranger()];
  people.access.invite({ uses: 1, until: null, note: "", by: "" });
  people.set({ topic: "tea", slow: 5 });
  const { id, card } = ben;
  const came = { kind: "person", id, card, from: 3, invite: 0, at: START };
  people.takeOver([came as Happening]);
  for (let opened = 0; opened < 2; opened++) {
    const { persons, names, access, settings } = setup.people;
    assertEquals(persons.size, 1);
    assertEquals(persons.find(ben.id)?.from, 3);
    assertEquals(persons.byShort(ana.short), undefined);
    assertEquals([setup.owner("ana"), names.size], [undefined, 0]);
    assertEquals(access.openInvites, []);
    assertEquals(settings, { topic: "", slow: 0 });
    setup.reopen();
  }
});

test("open() tells of a file that it makes, and closes one that it can't use", async (setup) => {
  const made: string[] = [];
  const path = setup.folder.file("new.people");
  const onMade = (path: string) => made.push(path);
  for (const _ of [1, 2]) People.open(path, { onMade })[Symbol.dispose]();
  assertEquals(made, [path]);
  await Deno.writeTextFile(path, '{"kind":"rev');
  {
    using people = People.open(path, { mend: false });
    assertEquals(people.journal.notice, undefined);
  }
  await Deno.writeTextFile(path, "damaged\n");
  const open = () => void assertThrows(() => People.open(path), FileError);
  assertEquals(closings(open), 1);
});

test("a spoken code bears three wrong guesses, of many at once no more, and a file that is written anew has those that were", (setup) => {
  setup.tell(invite(9, { code: "7-crossover-clockwork" }));
  const code = () => setup.people.access.openCode(7);
  for (let opened = 0; opened < 2; opened++) {
    const first = code();
    assertEquals(first?.guess(), true);
    first?.guessed(false);
    setup.people.journal.rewrite();
    setup.reopen();
  }
  const [one, other] = [code(), code()];
  assertEquals([one?.guess(), other?.guess()], [true, false]);
  one?.guessed(false);
  assertEquals(code(), undefined);
  setup.reopen();
  assertEquals(code(), undefined);
});
