/**
 * By what one may come in, and who may, in an open room and in a sealed one.
 *
 * @module
 */

import {
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../../../crypto_utils.ts";
import { LineFile } from "../../../../src/base/line_file.ts";
import { CARD_SIZE, readCard } from "../../../../src/crypto/identity.ts";
import { fullId, shortId, spokenId } from "../../../../src/crypto/person_id.ts";
import { admissionKey, ROOM_INVITE_ID } from "../../../../src/keys/invite.ts";
import { MEMBER_ID } from "../../../../src/protocol/hello.ts";
import { HandshakeRefusal } from "../../../../src/protocol/reasons.ts";
import { FOUNDING_ID } from "../../../../src/sealed/membership.ts";
import type { Happening } from "../../../../src/server/people/happening.ts";
import {
  findAnybody,
  findPerson,
  People,
  shownPerson,
} from "../../../../src/server/people/people.ts";
import type {
  Candidate,
  Person,
} from "../../../../src/server/people/person.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { Folder } from "../../../kit/folder.ts";
import { nameOf } from "../../../kit/room_setup.ts";
import { drawing } from "../../../kit/replaced.ts";

const START = Date.UTC(2026, 10, 23);
const STANDING = new Uint8Array(32).fill(7);
const WISH = { uses: 1, until: null, note: "", by: "" };

/** People with a file of their own, at a time that stands still, with a standing link. */
class Setup implements AsyncDisposable {
  private constructor(
    readonly folder: Folder,
    readonly people: People,
  ) {
    people.access.link.set(STANDING);
  }

  static async create(): Promise<Setup> {
    const folder = await Folder.make();
    const path = folder.file("chat.people");
    return new Setup(folder, People.open(path, { now: () => START }));
  }

  /** What another process adds to the file. */
  add(...happenings: Happening[]): void {
    using file = LineFile.open<Happening>(this.folder.file("chat.people"));
    file.add(happenings);
  }

  /** Somebody is in, perhaps with a name. */
  enrol(candidate: Candidate, name?: string): Person {
    const { person } = this.people.enrol(candidate, 0, START);
    if (name !== undefined) this.people.claim(person, nameOf(name), START);
    return person;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.people[Symbol.dispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

function test(name: string, fn: (setup: Setup) => void | Promise<void>) {
  Deno.test(name, async () => {
    await using setup = await Setup.create();
    await fn(setup);
  });
}

function stranger(invite = ROOM_INVITE_ID): Candidate {
  const card = randomBytes(CARD_SIZE);
  const { id, noiseKey } = readCard(card);
  const key = toBase64url(noiseKey);
  return { id: fullId(id), key, card: toBase64url(card), invite };
}

/** A card with somebody's short id. */
function twinOf({ id }: Candidate, invite?: number): Candidate {
  const bytes = fromBase64url(id);
  bytes[31] = (bytes[31] ?? 0) ^ 1;
  return { ...stranger(invite), id: toBase64url(bytes) };
}

test("in a sealed room its own invites alone open, and none of the files' do", (setup) => {
  const { people } = setup;
  const { access } = people;
  const { id: stale } = access.invite(WISH);
  const made = { ...WISH, id: 5, key: stranger().id, at: START };
  setup.add({ kind: "invite", ...made, code: "7-crossover-clockwork" });
  assert(access.openCode(7));
  const key = new Uint8Array(32).fill(5);
  let looks = 0;
  access.link.watch(() => looks++);
  access.sealed = {
    inviteKey: (number) => number === 9 ? key : undefined,
    isOpen: (number) => number === 9,
  };
  assertEquals([9, stale, ROOM_INVITE_ID].map((it) => access.inviteKey(it)), [
    ...[key, undefined, undefined],
  ]);
  assertEquals(looks, 0);
  assertEquals([access.inviteKey(FOUNDING_ID), looks], [undefined, 1]);
  assertEquals(access.openCode(7), undefined);
  const away = (invite: number, it: Candidate) =>
    access.turnedAway(invite, fromBase64url(it.key));
  const eve = stranger(9);
  const { key: refused } = HandshakeRefusal;
  assertEquals([9, 8, ROOM_INVITE_ID].map((invite) => away(invite, eve)), [
    ...[undefined, refused, refused],
  ]);
  assertEquals(access.refusal(eve), undefined);
  assertEquals(access.refusal(stranger(MEMBER_ID)), "card-wrong");
  const ana = stranger(9);
  people.enrol(ana, 0, START);
  assertEquals(away(8, ana), undefined); // it is known, and told more once it is in
  assertEquals(access.refusal({ ...ana, invite: 8 }), undefined);
  assertEquals(access.refusal(twinOf(ana, 9)), "person-twin");
  assertEquals(access.refusal({ ...stranger(9), key: ana.key }), "card-wrong");
});

test("a program of the owner's comes by its own key, and no other does", ({ people }) => {
  const { access } = people;
  const [cron, eve] = [stranger(MEMBER_ID), stranger(MEMBER_ID)];
  access.letIn(cron.id);
  assertEquals(access.refusal(cron), undefined);
  assertEquals(access.refusal({ ...cron, invite: 7 }), "invite-used");
  assertEquals(access.refusal(eve), "card-wrong");
  const twin = twinOf(cron, MEMBER_ID);
  access.letIn(twin.id);
  people.enrol(cron, 0, START);
  assertEquals(access.refusal(twin), "person-twin");
});

test("who shook hands by the standing link comes in by that alone which there still is", ({ people }) => {
  const { access } = people;
  const eve = stranger();
  const standing = access.link.key;
  assertEquals(standing, admissionKey(STANDING));
  let looks = 0;
  access.link.watch(() => looks++);
  assertEquals(access.refusal({ ...eve, standing }), undefined);
  assertEquals(access.refusal(eve), undefined);
  assertEquals(looks, 2);
  assertEquals(access.inviteKey(ROOM_INVITE_ID), standing);
  assertEquals(looks, 3);
  access.link.set(new Uint8Array(32).fill(8));
  assertEquals(access.refusal({ ...eve, standing }), "invite-used");
  access.link.set(undefined);
  assertEquals(access.refusal({ ...eve, standing }), "invite-used");
  assertEquals(access.refusal(eve), "invite-used");
  access.link.watch(() => access.link.set(STANDING)); // there was none then
  assertEquals(access.refusal(eve), "invite-used");
});

test("an invite has a number that no other has", ({ people: { access } }) => {
  using _numbers = drawing(6, 6, 8);
  const ids = [1, 2].map(() => access.invite(WISH).id);
  assertEquals(ids, [3, 4]);
});

test("an invite that is made here opens with its secret until it is closed, and is written down at the next look", async (setup) => {
  const { people, folder } = setup;
  const { access } = people;
  const { id, secret } = access.invite({ ...WISH, note: "ana", by: "ben" });
  assertEquals(access.inviteKey(id), admissionKey(secret));
  const [open, ...others] = access.openInvites;
  assertEquals([open?.id, open?.note, open?.by, open?.at], [
    id,
    "ana",
    "ben",
    START,
  ]);
  assertEquals(others, []);
  const text = () => Deno.readTextFile(folder.file("chat.people"));
  assert((await text()).includes('"kind":"invite"'));
  assertEquals([access.revoke(id + 1), access.revoke(id)], [false, true]);
  assertEquals([access.revoke(id), access.openInvites.length], [false, 0]);
  assertEquals((await text()).match(/"kind":"revoked"/g)?.length, 1);
  const made = { ...WISH, id: 5, key: stranger().id, code: "", at: START };
  setup.add({ kind: "invite", ...made }); // a moment ago
  assertEquals(access.revoke(5), true);
});

test("a wrong guess at a spoken code is written down at once, and what another process has guessed counts", async (setup) => {
  const { people: { access }, folder } = setup;
  const code = "7-crossover-clockwork";
  const made = { ...WISH, id: 5, key: stranger().id, code, at: START };
  setup.add({ kind: "invite", ...made });
  const open = access.openCode(7);
  assert(open);
  assert(open.guess());
  open.guessed(false);
  const text = await Deno.readTextFile(folder.file("chat.people"));
  assertEquals(text.match(/"kind":"guessed","invite":5/g)?.length, 1);
  for (const guess of ["a", "b"]) {
    assert(access.openCode(7));
    setup.add({ kind: "guessed", invite: 5, guess });
  }
  assertEquals(access.openCode(7), undefined);
});

test("a ban closes the invite by which a person came, or tells that the standing link is open to it", ({ people }) => {
  const { access, persons } = people;
  const { id } = access.invite({ ...WISH, uses: 9 });
  const [ana, ben] = [stranger(id), stranger()].map((it) =>
    people.enrol(it, 0, START).person
  );
  assert(ana && ben);
  assertEquals(people.ban(ana, null, "op"), false);
  assertEquals(access.openInvites, []);
  assertEquals(people.ban(ben, START + 1, "op"), true);
  assertEquals(persons.banned, [ana, ben]);
  access.link.set(undefined);
  assertEquals(people.ban(ben, null, "op"), false);
  people.unban(ben);
  assertEquals(persons.banned, [ana]);
  people.free(ana);
  people.bar(ben, START);
  assertEquals(persons.banned, [ben]);
  people.setOperator(ana, true);
  assertEquals([ana, ben].map((it) => persons.isLastOperator(it)), [
    true,
    false,
  ]);
});

test("a person is found by its short id, or by a name that it has or had last, and is shown by both", (setup) => {
  const { people } = setup;
  const [first, second] = [stranger(), stranger()];
  const [ana, ben] = [setup.enrol(first, "Ana"), setup.enrol(second)];
  const short = shortId(first.id);
  assertEquals(findPerson(people, spokenId(short)), ana);
  assertEquals(findPerson(people, "ana"), undefined);
  assertEquals(findPerson(people, shortId(stranger().id)), undefined);
  for (const who of [short, spokenId(short), "ana", "ANA"]) {
    assertEquals(findAnybody(people, who), ana, who);
  }
  for (const who of ["", "two words", "eve"]) {
    assertEquals(findAnybody(people, who), undefined, who);
  }
  assertEquals(shownPerson(people, ana), `Ana (${spokenId(short)})`);
  assertEquals(shownPerson(people, ben), spokenId(shortId(second.id)));
});
