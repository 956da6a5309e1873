/**
 * Memberships: who may say which control line, and what comes of lines that are forged, repeated or late.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  concat,
  fromBase64url,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import { signCard } from "../../../src/crypto/identity.ts";
import { shortId } from "../../../src/crypto/person_id.ts";
import {
  type Control,
  keysDigest,
  parseControl,
} from "../../../src/sealed/control_line.ts";
import {
  follow,
  FOUNDING_ID,
  isSealedInvite,
  Membership,
  SEALED_INVITE,
} from "../../../src/sealed/membership.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";
import {
  parsed,
  type Ruling,
  SealedRoom,
  type Somebody,
  somebody,
} from "../../kit/sealed_room.ts";

/** What follows from control lines, signatures and all; lines that may not be said change nothing. */
async function followed(rulings: readonly Ruling[]): Promise<Membership> {
  let membership = Membership.NONE;
  for (const { text, place } of rulings) {
    membership = await follow(membership, parseControl(text), place) ??
      membership;
  }
  return membership;
}

function names({ members }: Membership): string[] {
  return [...members.values()].map(({ name }) => name);
}

/** Whether a line changes nothing for who follows it. */
async function isIgnored(room: SealedRoom, { text, place }: Ruling) {
  const { membership } = room;
  return await follow(membership, parseControl(text), place) === undefined;
}

// ── Founding ───────────────────────────────────────────────────────────────────────────────────────────

Deno.test("a room that was founded has its founder as its only member and keeper", async () => {
  const { membership, founder, room, rulings } = await SealedRoom.found();
  assertEquals(Membership.NONE.epoch, -1);
  assertEquals(Membership.NONE.room, undefined);
  assertEquals(membership.room, room);
  assertEquals(names(membership), ["ana"]);
  assertEquals(membership.keepers, [founder.full]);
  assertEquals(membership.epoch, 0);
  assertEquals(membership.epochs.length, 1);
  assertEquals(membership.epochStart, 1);
  assertEquals(membership.lastKeys, keysDigest(rulings[0]?.text ?? ""));
  assertEquals(membership.member(founder.full)?.invite, null);
  assertEquals(membership.member(founder.full)?.short, founder.short);
});

Deno.test("a room is founded once, and before all else", async () => {
  const room = await SealedRoom.found();
  const [founding] = room.rulings;
  assert(founding);
  const again = { ...founding, place: room.place(room.founder) };
  assertEquals(await room.take(again), "control-wrong");
  const other = await SealedRoom.found();
  const [theirs] = other.rulings;
  assert(theirs);
  assertEquals(
    await room.take({ ...theirs, place: again.place }),
    "control-wrong",
  );
  const ben = await somebody("ben");
  const invite = await room.invite(1);
  await room.say(ben, room.joining(ben, "ben", 1), invite);
  for (const { text, place } of room.rulings.slice(1)) {
    assertEquals(
      await follow(Membership.NONE, parseControl(text), place),
      undefined,
    );
    assertEquals(Membership.NONE.next(parsed(text), place), "control-wrong");
  }
});

Deno.test("a room's id is bound to its founder: nobody else's founding gives the same", async () => {
  const random = randomBytes(32);
  const one = await SealedRoom.found(random);
  const two = await SealedRoom.found(random);
  assertEquals(one.room, two.room);
  const [{ text, place } = assert_()] = one.rulings;
  const mallory = await somebody("mallory");
  const { said } = parsed(text);
  assertEquals(
    await follow(Membership.NONE, parseControl(text), {
      ...place,
      person: mallory.short,
    }),
    undefined,
  );
  const forged = text.replace(one.founder.cardText, mallory.cardText);
  for (const who of [one.founder, mallory]) {
    const at = { ...place, person: who.short };
    assertEquals(
      await follow(Membership.NONE, parseControl(forged), at),
      undefined,
    );
  }
  assert(said.includes(one.founder.cardText));
});

function assert_(): never {
  throw new TypeError("there is none");
}

// ── Whose line it is ───────────────────────────────────────────────────────────────────────────────────

/** A room with two keepers, ana and ben, a member, cleo, an open invite, and somebody who isn't in. */
async function setUp() {
  const room = await SealedRoom.found();
  const ana = room.founder;
  const ben = await room.join("ben", 1);
  const cleo = await room.join("cleo", 2);
  const mallory = await somebody("mallory");
  assertEquals(await room.change(ana, { made: [ben.full] }), undefined);
  const invite = await room.invite(3);
  return { room, ana, ben, cleo, mallory, invite };
}

/** A control line of each verb that may be said now, with who may say it. */
async function sayable(it: Awaited<ReturnType<typeof setUp>>) {
  const { room, ana, cleo, invite } = it;
  const made = await somebody("invite 4");
  const dora = await somebody("dora");
  const newInvite: Control<"invite"> = {
    verb: "invite",
    count: room.membership.nextCount(ana.full),
    invite: SEALED_INVITE + 4,
    card: made.cardText,
    uses: 1,
    until: null,
  };
  return [
    { who: ana, ruling: await room.sign(ana, newInvite) },
    {
      who: dora,
      ruling: await room.sign(dora, room.joining(dora, "dora", 3), invite),
    },
    {
      who: cleo,
      ruling: await room.sign(cleo, { verb: "rename", name: "cleopatra" }),
    },
    { who: ana, ruling: await room.sign(ana, await room.changing()) },
    {
      who: ana,
      ruling: await room.sign(ana, {
        verb: "close",
        invite: SEALED_INVITE + 3,
      }),
    },
  ];
}

Deno.test("a control line counts for who signed it, and for nobody else", async () => {
  const it = await setUp();
  const { room, ana, ben, cleo, mallory } = it;
  for (const { who, ruling } of await sayable(it)) {
    const line = parsed(ruling.text);
    const { verb } = line.control;
    assert(await follow(room.membership, line, ruling.place), verb);
    for (const other of [ana, ben, cleo, mallory]) {
      if (other === who) continue;
      const place = { ...ruling.place, person: other.short };
      assert(await isIgnored(room, { ...ruling, place }), verb);
      const theirs = await room.sign(
        other,
        { ...line.control, count: 9 },
        verb === "join" ? it.invite : undefined,
      );
      assert(await isIgnored(room, { ...theirs, place: ruling.place }), verb);
    }
    for (const name of ["signature", "inviteSignature"] as const) {
      const signature = line[name];
      if (!signature) continue;
      const text = ruling.text.replace(
        toBase64url(signature),
        toBase64url(flipped(signature, 5)),
      );
      assert(text !== ruling.text);
      assert(await isIgnored(room, { ...ruling, text }), `${verb} ${name}`);
    }
  }
});

Deno.test("a control line of another room is nobody's, though it has the same persons", async () => {
  const it = await setUp();
  const other = await setUp();
  for (const { ruling } of await sayable(it)) {
    assert(await isIgnored(other.room, ruling), ruling.text.slice(0, 20));
  }
});

Deno.test("a control line that was said counts no second time, whoever repeats it", async () => {
  const it = await setUp();
  const { room } = it;
  const rulings = [...room.rulings];
  for (const { ruling } of await sayable(it)) {
    const before = room.membership;
    assertEquals(await room.take(ruling), undefined);
    const said = room.membership;
    for (const seq of [ruling.place.seq, said.seq + 1, said.seq + 1_000]) {
      const again = { ...ruling, place: { ...ruling.place, seq } };
      assert(await isIgnored(room, again), ruling.text.slice(0, 20));
    }
    room.membership = before;
  }
  // And none of all those that led here.
  const { membership } = room;
  for (const { text, place } of rulings) {
    const at = { ...place, seq: membership.seq + 1 };
    assert(await isIgnored(room, { text, place: at }));
  }
});

Deno.test("a line that was kept back counts no more once its signer has said another", async () => {
  const { room, cleo } = await setUp();
  const kept = await room.sign(cleo, { verb: "rename", name: "kept" });
  assertEquals(
    await room.say(cleo, { verb: "rename", name: "queen" }),
    undefined,
  );
  const place = room.place(cleo);
  assertEquals(await room.take({ ...kept, place }), "control-wrong");
  assertEquals(names(room.membership), ["ana", "ben", "queen"]);
});

Deno.test("a line counts in the order of numbers alone", async () => {
  const { room, cleo } = await setUp();
  const renaming = await room.sign(cleo, { verb: "rename", name: "queen" });
  for (const seq of [0, 1, room.membership.seq]) {
    const place = { ...renaming.place, seq };
    assertEquals(await room.take({ ...renaming, place }), "control-wrong");
  }
});

Deno.test("counts may leave numbers out, and never go back", async () => {
  const { room, cleo } = await setUp();
  const rename = (name: string, count: number) =>
    room.say(cleo, { verb: "rename", name, count });
  assertEquals(await rename("a", 50), undefined);
  for (const count of [0, 1, 49, 50]) {
    assertEquals(await rename("b", count), "control-wrong");
  }
  assertEquals(room.membership.nextCount(cleo.full), 51);
  assertEquals(await rename("b", 51), undefined);
});

// ── Cards ──────────────────────────────────────────────────────────────────────────────────────────────

/** The card of somebody with another X-Wing key, signed as it should be. */
async function cardWith(who: Somebody, sealKey: Bytes): Promise<Bytes> {
  const { keyPair: { publicKey: noiseKey }, signing } = who;
  return await signCard({ noiseKey, signing, sealKey });
}

async function idOf(card: Bytes): Promise<string> {
  const keys = card.slice(0, -64);
  const bytes = sha256(concat(utf8("encrypted-chat/2\0id\0"), keys));
  return await Promise.resolve(shortId(toBase64url(bytes)));
}

/** Cards that nobody could seal to, or that are somebody else's. */
async function wrongCards(who: Somebody): Promise<Record<string, Bytes>> {
  const { card } = who;
  const sealKey = card.slice(64, -64);
  const lowOrder = sealKey.slice();
  lowOrder.fill(0, 1_184);
  const highBit = lowOrder.slice();
  highBit[1_215] = 0x80;
  const great = sealKey.slice();
  great.fill(0xff, 600, 603); // 4,095 twice, where all is less than 3,329
  const smallOrder = card.slice();
  smallOrder.fill(0, 32, 64);
  smallOrder[32] = 1;
  smallOrder.fill(0, -64);
  smallOrder[1_280] = 1;
  const mallory = await somebody("mallory");
  return {
    "with a seal key of low order": await cardWith(who, lowOrder),
    "with a seal key of low order and a bit that doesn't count": await cardWith(
      who,
      highBit,
    ),
    "with a seal key that is none": await cardWith(who, great),
    "with a verify key of small order": smallOrder,
    "with another's noise key": concat(
      mallory.card.slice(0, 32),
      card.slice(32),
    ),
    "with another's seal key": concat(
      card.slice(0, 64),
      mallory.card.slice(64, -64),
      card.slice(-64),
    ),
    "with another's signature": concat(
      card.slice(0, -64),
      mallory.card.slice(-64),
    ),
    "of which a bit was changed": flipped(card, 700),
  };
}

Deno.test("nobody joins with a card that isn't its own, or that nobody can seal to", async () => {
  const { room, invite } = await setUp();
  const dora = await somebody("dora");
  for (const [what, card] of Object.entries(await wrongCards(dora))) {
    const joining = room.joining(dora, "dora", 3) as Control<"join">;
    const said = { ...joining, card: toBase64url(card) };
    const { text, place } = await room.sign(dora, said, invite);
    for (const person of [dora.short, await idOf(card)]) {
      assert(
        await isIgnored(room, { text, place: { ...place, person } }),
        what,
      );
    }
  }
  const { card } = dora;
  const same = await cardWith(dora, card.slice(64, -64));
  assertEquals(same, card);
  assertEquals(
    await room.say(dora, room.joining(dora, "dora", 3), invite),
    undefined,
  );
});

Deno.test("no invite is made with a card that nobody can seal to", async () => {
  const { room, ana } = await setUp();
  const other = await somebody("invite 9");
  for (const [what, card] of Object.entries(await wrongCards(other))) {
    const reason = await room.say(ana, {
      verb: "invite",
      invite: SEALED_INVITE + 9,
      card: toBase64url(card),
      uses: 1,
      until: null,
    });
    assertEquals(reason, "control-wrong", what);
  }
});

// ── Invites ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("an invite lets in as many as it has uses, each once", async () => {
  const room = await SealedRoom.found();
  const invite = await room.invite(1, { uses: 2 });
  const [ben, cleo, dora] = await Promise.all(
    ["ben", "cleo", "dora"].map(somebody),
  );
  assert(ben && cleo && dora);
  const join = (who: Somebody, name: string) =>
    room.say(who, room.joining(who, name, 1), invite);
  assertEquals(await join(ben, "ben"), undefined);
  assertEquals(await join(ben, "ben2"), "member-already");
  assertEquals(room.membership.invites.get(SEALED_INVITE + 1)?.used, 1);
  assertEquals(await join(cleo, "cleo"), undefined);
  assertEquals(await join(dora, "dora"), "invite-used");
  assertEquals(names(room.membership), ["ana", "ben", "cleo"]);
  assertEquals(room.membership.openInvites(room.now), []);
});

Deno.test("nobody joins by an invite that isn't there, or that another's link opens", async () => {
  const { room, mallory } = await setUp();
  const other = await somebody("invite 4");
  for (
    const [at, invite] of [[3, other], [3, mallory], [4, other], [
      0,
      other,
    ]] as const
  ) {
    const said = room.joining(mallory, "mallory", at);
    assert(
      await isIgnored(room, await room.sign(mallory, said, invite)),
      `${at}`,
    );
  }
});

Deno.test("an invite ends at its time", async () => {
  const room = await SealedRoom.found();
  const invite = await room.invite(1, { until: room.now + 100, uses: 9 });
  const [ben, cleo] = await Promise.all(["ben", "cleo"].map(somebody));
  assert(ben && cleo);
  const number = SEALED_INVITE + 1;
  const join = (who: Somebody, name: string) =>
    room.say(who, room.joining(who, name, 1), invite);
  room.now += 100;
  assert(room.membership.isOpen(number, room.now));
  assertEquals(await join(ben, "ben"), undefined);
  room.now += 1;
  assert(!room.membership.isOpen(number, room.now));
  assertEquals(room.membership.openInvites(room.now), []);
  assertEquals(await join(cleo, "cleo"), "invite-used");
});

Deno.test("an invite that had ended when the key was changed is gone, also for a clock that goes back", async () => {
  const room = await SealedRoom.found();
  const invite = await room.invite(1, { until: room.now + 100 });
  await room.invite(2);
  room.now += 101;
  assertEquals(await room.change(room.founder), undefined);
  assertEquals([...room.membership.invites.keys()], [SEALED_INVITE + 2]);
  room.now -= 50;
  assert(!room.membership.isOpen(SEALED_INVITE + 1, room.now));
  const ben = await somebody("ben");
  const join = await room.sign(ben, room.joining(ben, "ben", 1), invite);
  assert(await isIgnored(room, join));
});

Deno.test("an invite needs a number of its own, of those that sealed rooms have, and a use", async () => {
  const { room, ana } = await setUp();
  const made = await somebody("invite 9");
  const say = (invite: number, uses = 1) =>
    room.say(ana, {
      verb: "invite",
      invite,
      card: made.cardText,
      uses,
      until: null,
    });
  const wrong = [
    0,
    7,
    SEALED_INVITE - 1,
    FOUNDING_ID,
    0xffff_ff01,
    0xffff_fffe,
    2 ** 32,
  ];
  for (const number of wrong) {
    assertEquals(await say(number), "control-wrong", `${number}`);
  }
  assertEquals(await say(SEALED_INVITE + 3), "control-wrong"); // that is open
  assertEquals(await say(SEALED_INVITE + 9, 0), "control-wrong");
  assertEquals(await say(SEALED_INVITE + 9, 10_001), "control-wrong");
  assertEquals(await say(0xffff_ff00, 10_000), undefined);
  const sealed = [FOUNDING_ID - 1, FOUNDING_ID, 0xffff_ff00, 0xffff_ff01];
  assertEquals(sealed.map(isSealedInvite), [false, true, true, false]);
});

Deno.test("no control line is signed by who is no member, nor a joining by an invite that there isn't", async () => {
  const { room, ana } = await setUp();
  const { membership } = room;
  const stranger = await somebody("stranger");
  const invite = await somebody("invite 77");
  const said = [
    await room.sign(stranger, { verb: "rename", name: "x" }),
    await room.sign(stranger, room.joining(stranger, "x", 77), invite),
  ];
  for (const { text, place } of said) {
    const isSigned = await membership.isSigned(parsed(text), place.person);
    assertEquals(isSigned, false);
  }
  const right = await room.sign(ana, { verb: "rename", name: "x" });
  const line = parsed(right.text);
  assertEquals(await membership.isSigned(line, ana.short), true);
  assertEquals(await Membership.NONE.isSigned(line, ana.short), false);
});

Deno.test("256 invites are open at most, and one that ends makes place for another", async () => {
  const room = await SealedRoom.found();
  const { cardText } = await somebody("invite 1");
  const say = (at: number) => {
    const card = cardText;
    const invite = SEALED_INVITE + at;
    return room.say(room.founder, {
      verb: "invite",
      invite,
      card,
      uses: 1,
      until: null,
    });
  };
  for (let at = 1; at <= 256; at++) await say(at);
  assertEquals(await say(300), "invites-full");
  const close = () =>
    room.say(room.founder, { verb: "close", invite: SEALED_INVITE + 7 });
  assertEquals(await close(), undefined);
  assertEquals(await close(), "invite-used");
  assertEquals(await say(300), undefined);
  assertEquals(await say(301), "invites-full");
});

Deno.test("a closed invite lets in nobody, and is closed once; one that isn't there can't be closed", async () => {
  const { room, ben, invite } = await setUp();
  const dora = await somebody("dora");
  const close = (at: number) =>
    room.say(ben, { verb: "close", invite: SEALED_INVITE + at });
  assertEquals(await close(3), undefined); // another keeper's
  assertEquals(await close(3), "invite-used");
  assertEquals(await close(99), "invite-used");
  const join = await room.say(dora, room.joining(dora, "dora", 3), invite);
  assertEquals(join, "invite-used");
});

// ── Keepers ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("only keepers invite, close and change the key", async () => {
  const it = await setUp();
  const { room, cleo, mallory } = it;
  const made = await somebody("invite 4");
  const wishes = async () => [
    {
      verb: "invite",
      invite: SEALED_INVITE + 4,
      card: made.cardText,
      uses: 1,
      until: null,
    } as const,
    { verb: "close", invite: SEALED_INVITE + 3 } as const,
    await room.changing(),
    await room.changing({ removed: [it.ben.full] }),
  ];
  for (const wish of await wishes()) {
    assertEquals(await room.say(cleo, wish), "not-keeper", wish.verb);
    const theirs = await room.sign(mallory, wish);
    assert(await isIgnored(room, theirs));
    assertEquals(
      room.membership.next(parsed(theirs.text), theirs.place),
      "not-member",
    );
  }
});

Deno.test("the key changes from epoch to epoch, each after the one before it", async () => {
  const { room, ana, ben } = await setUp();
  const { membership: before } = room;
  const change = async (change: Partial<Control<"keys">>) =>
    await room.say(ben, await room.changing(change));
  const { epoch, lastKeys } = before;
  for (const e of [0, epoch, epoch + 2]) {
    assertEquals(await change({ e }), "keys-late");
  }
  const old = keysDigest(room.rulings[0]?.text ?? "");
  assertEquals(await change({ prev: old }), "keys-late");
  assertEquals(
    await change({ prev: toBase64url(randomBytes(32)) }),
    "keys-late",
  );
  // Two keepers at once: one of them is late, and tries again.
  const first = await room.sign(ana, await room.changing());
  const second = await room.sign(ben, await room.changing());
  assertEquals(await room.take(first), undefined);
  const late = { ...second, place: room.place(ben) };
  assertEquals(await room.take(late), "keys-late");
  assertEquals(await room.change(ben), undefined);
  const { membership } = room;
  assertEquals(membership.epoch, epoch + 2);
  assertEquals(membership.epochs.length, epoch + 3);
  assertEquals(membership.epochStart, membership.seq);
  assert(membership.lastKeys !== lastKeys);
  assertEquals(membership.epochs.at(-1)?.back?.length, 64);
});

Deno.test("who is removed is no member, and all open invites end with it", async () => {
  const { room, ana, ben, cleo, invite } = await setUp();
  const dora = await somebody("dora");
  assertEquals(await room.change(ben, { removed: [cleo.full] }), undefined);
  assertEquals(names(room.membership), ["ana", "ben"]);
  assertEquals(room.membership.member(cleo.full), undefined);
  assertEquals(room.membership.openInvites(room.now), []);
  const join = await room.sign(dora, room.joining(dora, "dora", 3), invite);
  assert(await isIgnored(room, join));
  const rename = await room.sign(cleo, { verb: "rename", name: "back" });
  assert(await isIgnored(room, rename));
  assertEquals(
    await room.change(ana, { removed: [cleo.full] }),
    "not-member",
  );
});

Deno.test("who was removed comes back by another invite alone, and not by what it said before", async () => {
  const { room, cleo } = await setUp();
  const before = room.rulings.filter(({ place }) =>
    place.person === cleo.short
  );
  // Prepared while it was a member, and kept for later.
  const prepared = await room.sign(
    cleo,
    { ...room.joining(cleo, "cleo", 3), count: 99 },
    await somebody("invite 3"),
  );
  await room.change(room.founder, { removed: [cleo.full] });
  const place = room.place(cleo);
  for (const { text } of [...before, prepared]) {
    assert(await isIgnored(room, { text, place }));
  }
  const invite = await room.invite(5);
  assert(
    await isIgnored(room, { text: prepared.text, place: room.place(cleo) }),
  );
  const early = { ...room.joining(cleo, "cleo", 5), count: 1 };
  assertEquals(await room.say(cleo, early, invite), "control-wrong");
  const back = await room.say(cleo, room.joining(cleo, "cleo", 5), invite);
  assertEquals(back, undefined);
  assertEquals(names(room.membership), ["ana", "ben", "cleo"]);
});

Deno.test("who was a keeper and comes back is none", async () => {
  const { room, ana, ben } = await setUp();
  await room.change(ana, { removed: [ben.full] });
  assertEquals(room.membership.keepers, [ana.full]);
  const invite = await room.invite(5);
  assertEquals(
    await room.say(ben, room.joining(ben, "ben", 5), invite),
    undefined,
  );
  assertEquals(room.membership.keepers, [ana.full]);
  assertEquals(await room.change(ben), "not-keeper");
});

Deno.test("who is barred does not come back until it is freed", async () => {
  const { room, ana, ben, cleo, mallory } = await setUp();
  const barred = [cleo.full, mallory.full];
  assertEquals(await room.change(ana, { barred }), "not-member"); // cleo is one still
  assertEquals(
    await room.change(ana, { barred, removed: [cleo.full] }),
    undefined,
  );
  assertEquals([...room.membership.barred], barred);
  let invite = await room.invite(5, { uses: 9 });
  const join = (who: Somebody, name: string, at: number) =>
    room.say(who, room.joining(who, name, at), invite);
  assertEquals(await join(cleo, "cleo", 5), "person-barred");
  assertEquals(await join(mallory, "mallory", 5), "person-barred");
  assertEquals(await room.change(ben, { freed: [ben.full] }), "not-member");
  assertEquals(await room.change(ben, { freed: [cleo.full] }), undefined);
  assertEquals(await join(cleo, "cleo", 5), undefined);
  assertEquals(await join(mallory, "mallory", 5), "person-barred");
  invite = await room.invite(6);
  assertEquals(await join(mallory, "mallory", 6), "person-barred");
});

Deno.test("no keeper removes one who is senior to it", async () => {
  const { room, ana, ben, cleo } = await setUp();
  await room.change(ben, { made: [cleo.full] });
  assertEquals(
    room.membership.keepers,
    [ana, ben, cleo].map(({ full }) => full),
  );
  const remove = (by: Somebody, ...gone: Somebody[]) =>
    room.change(by, { removed: gone.map(({ full }) => full) });
  assertEquals(await remove(cleo, ana), "keeper-senior");
  assertEquals(await remove(cleo, ben), "keeper-senior");
  assertEquals(await remove(ben, cleo, ana), "keeper-senior");
  assertEquals(await room.change(ana, { barred: [ana.full] }), "control-wrong");
  assertEquals(await remove(ben, cleo), undefined);
  assertEquals(room.membership.keepers, [ana.full, ben.full]);
});

Deno.test("a keeper removes itself while there is another, and the last one doesn't", async () => {
  const { room, ana, ben } = await setUp();
  const remove = (by: Somebody, ...gone: Somebody[]) =>
    room.change(by, { removed: gone.map(({ full }) => full) });
  assertEquals(await remove(ana, ana, ben), "control-wrong");
  assertEquals(await remove(ana, ana), undefined);
  assertEquals(room.membership.keepers, [ben.full]);
  assertEquals(room.membership.member(ana.full), undefined);
  assertEquals(await remove(ben, ben), "control-wrong");
});

Deno.test("who was shown other control lines goes on under no key that the others take", async () => {
  const { room, ana, ben } = await setUp();
  const { seq, digest } = room.membership;
  const had = { seen: seq, digest: toBase64url(digest) };
  await room.invite(7);
  const shown = { ...had, digest: toBase64url(randomBytes(32)) };
  assertEquals(await room.change(ben, shown), "control-wrong");
  assertEquals(
    await room.change(ben, { ...had, seen: seq + 1 }),
    "control-wrong",
  );
  assertEquals(await room.change(ben, { seen: 1 }), "control-wrong");
  // Of what came meanwhile nobody is late.
  assertEquals(await room.change(ben, had), undefined);
  assertEquals(await room.change(ana, had), "control-wrong"); // from before the last key
});

Deno.test("a key leads back to any earlier one, and to none that isn't earlier", async () => {
  const { room, ana, ben } = await setUp();
  const e = room.membership.epoch + 1;
  for (const backTo of [e, e + 1]) {
    assertEquals(await room.change(ben, { backTo }), "control-wrong");
  }
  assertEquals(await room.change(ben, { backTo: 0 }), undefined);
  assertEquals(room.membership.epochs.at(-1)?.backTo, 0);
  assertEquals(await room.change(ana), undefined);
});

Deno.test("no invite has the card of somebody who said a control line", async () => {
  const { room, ana, cleo } = await setUp();
  await room.change(ana, { removed: [cleo.full], barred: [cleo.full] });
  const invite = { verb: "invite", uses: 1, until: null } as const;
  const say = (card: string) =>
    room.say(ana, { ...invite, invite: SEALED_INVITE + 9, card });
  assertEquals(await say(cleo.cardText), "control-wrong");
  assertEquals(await say(ana.cardText), "control-wrong");
  assertEquals(await say((await somebody("invite 9")).cardText), undefined);
});

Deno.test("only members are made keepers, and only once", async () => {
  const { room, ana, ben, cleo, mallory } = await setUp();
  for (const who of [ana, ben, mallory]) {
    assertEquals(await room.change(ana, { made: [who.full] }), "not-member");
  }
  const both = { made: [cleo.full], removed: [cleo.full] };
  assertEquals(await room.change(ana, both), "not-member");
  assertEquals(await room.change(ana, { made: [cleo.full] }), undefined);
  assert(room.membership.isKeeper(cleo.full));
});

Deno.test("an id that only begins like a member's is nobody's", async () => {
  const { room, ana, cleo } = await setUp();
  const twin = toBase64url(
    concat(fromBase64url(cleo.full).slice(0, 10), randomBytes(22)),
  );
  assertEquals(shortId(twin), cleo.short);
  assertEquals(room.membership.member(twin), undefined);
  assertEquals(await room.change(ana, { removed: [twin] }), "not-member");
  assertEquals(await room.change(ana, { made: [twin] }), "not-member");
});

// ── Names ──────────────────────────────────────────────────────────────────────────────────────────────

const LOOKALIKES = ["ben", "BEN", "ʙen", "ƅeɴ"];
const IMPROPER = [
  "a b",
  "",
  "an:na",
  " anna",
  "ﬁ",
  "server",
  "x".repeat(33),
  "\u0301a",
  "aа",
];

Deno.test("nobody takes a name that looks like another member's, or that is none", async () => {
  const { room, cleo, invite } = await setUp();
  const dora = await somebody("dora");
  for (const name of LOOKALIKES) {
    assertEquals(
      await room.say(cleo, { verb: "rename", name }),
      "name-taken",
      name,
    );
    assertEquals(
      await room.say(dora, room.joining(dora, name, 3), invite),
      "name-taken",
    );
  }
  for (const name of IMPROPER.filter((it) => it !== "")) {
    assertEquals(
      await room.say(cleo, { verb: "rename", name }),
      "control-wrong",
      name,
    );
    assertEquals(
      await room.say(dora, room.joining(dora, name, 3), invite),
      "control-wrong",
    );
  }
  assertEquals(
    await room.say(cleo, { verb: "rename", name: "CLEO" }),
    undefined,
  );
  assertEquals(names(room.membership), ["ana", "ben", "CLEO"]);
});

Deno.test("who follows takes a line whatever the name, and calls its member by the short id", async () => {
  const { room, cleo, ben } = await setUp();
  for (const name of [...LOOKALIKES, ...IMPROPER.filter((it) => it !== "")]) {
    const { text, place } = await room.sign(cleo, { verb: "rename", name });
    const after = await follow(room.membership, parsed(text), place);
    assert(after);
    assertEquals(after.member(cleo.full)?.name, cleo.short);
    assertEquals(after.member(ben.full)?.name, "ben");
    room.membership = after;
  }
  assertEquals(
    await room.say(cleo, { verb: "rename", name: "cleo" }),
    undefined,
  );
});

Deno.test("a name that somebody gave up is free", async () => {
  const { room, ben, cleo } = await setUp();
  assertEquals(await room.say(ben, { verb: "rename", name: "bob" }), undefined);
  assertEquals(
    await room.say(cleo, { verb: "rename", name: "ben" }),
    undefined,
  );
  assertEquals(names(room.membership), ["ana", "bob", "ben"]);
});

// ── The digest ─────────────────────────────────────────────────────────────────────────────────────────

Deno.test("the digest is made of every control line, with its number, its time and its signer", async () => {
  const { room } = await setUp();
  const u64 = (value: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value));
    return bytes;
  };
  const ids = new Map(
    (await Promise.all(["ana", "ben", "cleo"].map(somebody)))
      .map(({ short, id }) => [short, id]),
  );
  let digest: Uint8Array = new Uint8Array(32);
  for (const { text, place: { seq, at, person } } of room.rulings) {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, text.length);
    const id = ids.get(person) ?? length;
    digest = sha256(
      concat(
        utf8("encrypted-chat/2\0control\0"),
        digest,
        u64(seq),
        u64(at),
        id,
        length,
        utf8(text),
      ),
    );
  }
  assertEquals(room.membership.digest.toHex(), digest.toHex());
  assertEquals((await followed(room.rulings)).digest, room.membership.digest);
});

Deno.test("who is shown other lines, numbers, times or orders has another digest", async () => {
  const { room, cleo, ben } = await setUp();
  await room.say(cleo, { verb: "rename", name: "queen" });
  await room.say(ben, { verb: "rename", name: "king" });
  const { rulings, membership: { digest } } = room;
  const last = rulings.length - 1;
  const at = (change: object) =>
    rulings.with(last, {
      ...rulings[last] ?? assert_(),
      place: { ...rulings[last]?.place ?? assert_(), ...change },
    });
  const swapped = [last - 1, last].map((place, index) => ({
    text: rulings[last - index]?.text ?? "",
    place: {
      ...rulings[last - index]?.place ?? assert_(),
      seq: rulings[place]?.place.seq ?? 0,
    },
  }));
  const shown: Record<string, readonly Ruling[]> = {
    "one is missing": rulings.toSpliced(last - 1, 1),
    "the last is missing": rulings.slice(0, -1),
    "another number": at({ seq: 999 }),
    "another time": at({ at: room.now + 1 }),
    "another order": [...rulings.slice(0, -2), ...swapped],
  };
  for (const [what, lines] of Object.entries(shown)) {
    const other = await followed(lines);
    assert(other.digest.toHex() !== digest.toHex(), what);
  }
});

Deno.test("lines that may not be said leave no trace", async () => {
  const { room, mallory, cleo } = await setUp();
  const { membership } = room;
  const { text, place } = await room.sign(mallory, {
    verb: "rename",
    name: "x",
  });
  const lines = [
    ...room.rulings,
    { text, place },
    { text: "hello", place: { ...place, seq: place.seq + 1 } },
    { text, place: { ...place, seq: place.seq + 2, person: cleo.short } },
  ];
  const after = await followed(lines);
  assertEquals(after.digest, membership.digest);
  assertEquals(after.seq, membership.seq);
});

Deno.test("a membership never changes", async () => {
  const { room, ana, cleo } = await setUp();
  const { membership } = room;
  const before = JSON.stringify([...membership.members, ...membership.invites]);
  await room.say(cleo, { verb: "rename", name: "queen" });
  await room.change(ana, { removed: [cleo.full], barred: [cleo.full] });
  assertEquals(
    JSON.stringify([...membership.members, ...membership.invites]),
    before,
  );
  assertEquals(membership.barred.size, 0);
  assert(membership.member(cleo.full));
});
