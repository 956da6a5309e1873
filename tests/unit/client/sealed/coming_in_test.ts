/**
 * What a client checks before it goes into a sealed room, and what it brings along: with a server of the test's own that
 * tells what it likes.
 *
 * @module
 */

import { type Bytes, sha256, toBase64url } from "../../../../crypto_utils.ts";
import { JoinError } from "../../../../src/client/join_error.ts";
import {
  comeIn,
  type Comer,
  type Entrance,
  type InviteSecret,
  type Told,
} from "../../../../src/client/sealed/coming_in.ts";
import { SealedRoom } from "../../../../src/client/sealed/sealed_room.ts";
import { xwingKey } from "../../../../src/crypto/xwing.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import {
  commitment,
  openWrap,
  sealBlob,
} from "../../../../src/sealed/content_key.ts";
import {
  FOUNDING_ID,
  Membership,
  SEALED_INVITE,
} from "../../../../src/sealed/membership.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import "../../../kit/crypto_idle.ts";
import { madeUpStay } from "../../../kit/people.ts";
import {
  parsed,
  SealedRoom as Room,
  type Somebody,
  somebody,
} from "../../../kit/sealed_room.ts";

/** The link of the room's invite number 1. */
const LINK: InviteSecret = {
  id: SEALED_INVITE + 1,
  secret: sha256(utf8("invite 1")),
};
const FOUNDING: InviteSecret = { id: FOUNDING_ID, secret: LINK.secret };
const OTHER = new Uint8Array(32).fill(9);

/** All that a server tells of a room behind a line. @param more What it tells otherwise. */
function toldOf(
  room: Room,
  after = 0,
  more: Partial<Told> = {},
): Told {
  const { membership } = room;
  return {
    seq: membership.seq,
    digest: "",
    blob: "",
    lines: room.lines.filter(({ seq }) => seq > after),
    wraps: [],
    ...more,
  };
}

/** What an invite tells of a room as it is now. */
function blobOf(
  { room, membership }: Room,
  more = {},
  secret = LINK.secret,
): Promise<string> {
  const { seq, digest } = membership;
  return sealBlob({ room, seq, digest, ...more }, secret);
}

/** Somebody's client, which knows that room by its id, or none. */
async function clientOf(who: Somebody, known?: Bytes): Promise<SealedRoom> {
  return await SealedRoom.open({
    identity: who,
    self: {
      id: who.full,
      person: who.short,
      card: who.cardText,
      stay: madeUpStay("x"),
    },
    stores: undefined,
    known: known && toBase64url(known),
    note: () => {},
  });
}

/** Comes in. @param told What the server tells, each time that it is asked. */
function come(
  room: SealedRoom,
  told: (Told | undefined)[],
  more: Partial<Comer> = {},
): Promise<Entrance | undefined> {
  return comeIn({
    room,
    invite: undefined,
    name: "bob",
    confirm: () => Promise.resolve(false),
    founds: () => Promise.resolve(true),
    follow: () => Promise.resolve(told.shift()),
    ...more,
  });
}

/** Asserts that a client can't come in, and why. */
async function assertOut(
  coming: Promise<unknown>,
  words: string,
  advice = "The server may have been tampered with",
): Promise<void> {
  const error = await assertRejects(() => coming, JoinError, words);
  assert(error.advice.startsWith(advice), error.advice);
}

// ── Members ────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("a member comes in by its key, with what the server told, the keys that are the room's, and none that isn't", async () => {
  const room = await Room.found();
  const bob = await room.join("bob", 1);
  const client = await clientOf(bob, room.room);
  const wrong = await room.wrapFor(bob, { key: OTHER });
  const others = await room.wrapFor(room.founder);
  const right = await room.wrapFor(bob);
  const asked: number[] = [];
  const entrance = await come(client, [], {
    name: "robert", // which it takes once it is in
    follow: (after) => {
      asked.push(after);
      return Promise.resolve(
        toldOf(room, 0, { wraps: [wrong, others, right] }),
      );
    },
  });
  assertEquals(entrance, { name: "bob", requests: [], wrong: [wrong] });
  assertEquals([asked, client.keys.highest], [[0], 0]);
  await room.invite(2);
  const { seq, digest } = client.membership;
  const told = toldOf(room, seq, { digest: toBase64url(digest) });
  const again = await come(client, [], {
    follow: (after) => {
      asked.push(after);
      return Promise.resolve(told);
    },
  });
  assertEquals(again, { name: "bob", requests: [], wrong: [] });
  assertEquals(asked, [0, seq]);
});

Deno.test("a client whose connection ends before it was told all comes in nowhere", async () => {
  const client = await clientOf(await somebody("bob"));
  assertEquals(await come(client, []), undefined);
});

Deno.test("who is no member, and has no invite, stays out, as does whom the server shows another room than the one that it knows", async () => {
  const room = await Room.found();
  const bob = await somebody("bob");
  await assertOut(
    come(await clientOf(bob), [toldOf(room)]),
    "You are no member of this room",
    "Ask a keeper of the room for an invite",
  );
  const { founder } = room;
  await assertOut(
    come(await clientOf(founder, OTHER), [toldOf(room)]),
    "another sealed room than the one that you know there",
  );
});

Deno.test("the control lines of a room are taken all and in order, or the client stays out", async () => {
  const room = await Room.found();
  const bob = await room.join("bob", 1);
  const { lines } = room;
  const forged = lines.with(1, { ...lines[0], seq: 2 } as LogEntry);
  const cases: [told: Partial<Told>, words: string][] = [
    [{ lines: forged }, "Control line 2 of the room is not one that may"],
    [
      { lines: lines.map((it) => ({ ...it, what: "said" as const })) },
      "Control line 1 of the room is not one that may",
    ],
    [{ lines: lines.slice(0, 2) }, "keeps control lines of the room back"],
    [{ seq: 2 }, "keeps control lines of the room back"],
  ];
  for (const [told, words] of cases) {
    const client = await clientOf(bob, room.room);
    await assertOut(come(client, [toldOf(room, 0, told)]), words);
  }
});

// ── Doubts ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("where the control lines aren't those that a client saw, a person decides, and with a yes they are taken anew", async () => {
  const room = await Room.found();
  const bob = await room.join("bob", 1);
  const before = toldOf(room);
  const digest = toBase64url(room.membership.digest);
  const cases: [doubt: string, told: Partial<Told>, isKept?: true][] = [
    [
      "The server no longer knows who came in or was removed from line 3 on",
      { seq: 2 },
    ],
    ["The server says otherwise than before", { digest: "" }],
    [
      "The server kept control line 4 of the room from you: you saw lines up to 4 without it",
      { digest },
      true,
    ],
  ];
  await room.invite(2);
  for (const [doubt, told, isKept] of cases) {
    for (const answer of [true, false]) {
      const client = await clientOf(bob, room.room);
      await come(client, [{ ...before }]);
      if (isKept) client.saw(4);
      const questions: string[] = [];
      const asked: number[] = [];
      const answers = [toldOf(room, before.seq, told), toldOf(room)];
      const coming = come(client, [], {
        confirm: (question) => {
          questions.push(question);
          return Promise.resolve(answer);
        },
        follow: (after) => {
          asked.push(after);
          return Promise.resolve(answers.shift());
        },
      });
      if (answer) {
        assertEquals((await coming)?.name, "bob");
        assertEquals(client.membership.seq, room.membership.seq);
      } else await assertOut(coming, doubt);
      assertEquals(asked, answer ? [before.seq, 0] : [before.seq]);
      assertEquals(
        [questions.length, questions[0]?.startsWith(doubt)],
        [1, true],
      );
    }
  }
});

Deno.test("a client that goes on with other control lines stays out where the connection ends, or those aren't the room's", async () => {
  const room = await Room.found();
  const bob = await room.join("bob", 1);
  const confirm = () => Promise.resolve(true);
  const client = await clientOf(bob, room.room);
  await come(client, [toldOf(room)]);
  const older = { seq: 1 };
  assertEquals(
    await come(client, [toldOf(room, 9, older)], { confirm }),
    undefined,
  );
  await assertOut(
    come(client, [toldOf(room, 9, older), toldOf(room, 0, { seq: 9 })], {
      confirm,
    }),
    "keeps control lines of the room back",
  );
});

// ── By an invite ───────────────────────────────────────────────────────────────────────────────────────

Deno.test("who comes by an invite says so in a line that both have signed, with the room's key for itself where that is the key of now", async () => {
  const room = await Room.found();
  const invite = await room.invite(1, { uses: 2 });
  const bob = await somebody("bob");
  const blob = await blobOf(room);
  const wraps = [
    await room.wrapFor(invite, { key: OTHER }), // which isn't it
    await room.wrapFor(invite),
  ];
  const client = await clientOf(bob);
  const told = toldOf(room, 0, { blob, wraps });
  const entrance = await come(client, [told], { invite: LINK });
  const [wrap, enter, ...rest] = entrance?.requests ?? [];
  assert(wrap?.kind === "wrap" && enter?.kind === "enter");
  assertEquals([rest, entrance?.name, entrance?.wrong], [[], "bob", []]);
  assertEquals([wrap.to, wrap.e, wrap.next], [bob.full, 0, false]);
  const wrapping = { room: room.room, e: 0, by: bob.id, to: bob.id };
  const [key] = room.keys;
  assert(key);
  const commit = commitment(wrapping, key);
  const mine = await xwingKey(bob.sealSeed);
  assertEquals(await openWrap(wrapping, wrap.data, mine, commit), key);
  const place = room.place(bob);
  assertEquals(await room.take({ text: enter.text, place }), undefined);
  assertEquals(room.membership.member(bob.full)?.name, "bob");

  // A later key, which the link doesn't give: keepers do.
  await room.change(room.founder);
  const cy = await somebody("cy");
  const late = toldOf(room, 0, { blob, wraps: wraps.slice(1) });
  const old = await come(await clientOf(cy), [late], { invite: LINK });
  assertEquals(old?.requests.map(({ kind }) => kind), ["enter"]);

  await assertOut(
    come(await clientOf(cy), [toldOf(room, 0, { blob })], { invite: LINK }),
    "The room's key did not come with your link",
    "Ask a keeper of the room for another link",
  );
});

Deno.test("who comes by an invite stays out of a room that isn't the one of its maker", async () => {
  const room = await Room.found();
  await room.invite(1);
  const bob = await somebody("bob");
  const blobs = [
    "",
    await blobOf(room, {}, OTHER), // of another link
    await blobOf(room, { room: OTHER }),
    await blobOf(room, { digest: OTHER }),
    await blobOf(room, { seq: 9 }), // of which the server tells nothing
  ];
  for (const blob of blobs) {
    await assertOut(
      come(await clientOf(bob), [toldOf(room, 0, { blob })], { invite: LINK }),
      "The room that the server shows is not the one that your link is for",
    );
  }
});

Deno.test("who comes by an invite and is a member has nothing to say of it", async () => {
  const room = await Room.found();
  const bob = await room.join("bob", 1);
  const told = toldOf(room, 0, { blob: await blobOf(room) });
  const entrance = await come(await clientOf(bob), [told], { invite: LINK });
  assertEquals(entrance, { name: "bob", requests: [], wrong: [] });
});

// ── Founding ───────────────────────────────────────────────────────────────────────────────────────────

const NOTHING: Told = { seq: 0, digest: "", blob: "", lines: [], wraps: [] };

Deno.test("a founder's client says a line that makes a room, with its key for itself", async () => {
  const bob = await somebody("bob");
  const client = await clientOf(bob);
  const entrance = await come(client, [NOTHING], { invite: FOUNDING });
  const [wrap, enter, ...rest] = entrance?.requests ?? [];
  assert(wrap?.kind === "wrap" && enter?.kind === "enter");
  assertEquals([rest, entrance?.name, entrance?.wrong], [[], "bob", []]);
  assertEquals([wrap.to, wrap.e, wrap.next], [bob.full, 0, false]);
  const line = parsed(enter.text);
  const place = { seq: 1, at: 1, person: bob.short };
  const membership = Membership.NONE.next(line, place);
  assert(typeof membership === "object" && membership.room);
  assertEquals(membership.keepers, [bob.full]);
  assertEquals(membership.member(bob.full)?.name, "bob");
  const { room } = membership;
  const wrapping = { room, e: 0, by: bob.id, to: bob.id };
  const { commit = "" } = membership.epochs[0] ?? {};
  const mine = await xwingKey(bob.sealSeed);
  const key = await openWrap(wrapping, wrap.data, mine, commit);
  // The line counts, and so does the key that was made for it.
  const entry = { ...place, text: enter.text };
  const taken = await client.follow({
    ...entry,
    ...{ what: "ruled", stay: "", n: 0, name: "bob", to: null },
  });
  assert(typeof taken === "object");
  assertEquals(await client.keys.get(0, client.membership), key);
});

Deno.test("a room is founded by nobody who doesn't want it, knew one there, or comes by another link", async () => {
  const bob = await somebody("bob");
  const founds = () => Promise.resolve(false);
  await assertOut(
    come(await clientOf(bob), [NOTHING], { invite: FOUNDING, founds }),
    "The room is not founded",
    "Who opens that link next can found it",
  );
  for (const invite of [undefined, LINK]) {
    await assertOut(
      come(await clientOf(bob), [NOTHING], { invite }),
      "The server no longer has the room",
    );
  }
  await assertOut(
    come(await clientOf(bob, OTHER), [NOTHING], { invite: FOUNDING }),
    "The server no longer has the room",
  );
});

Deno.test("who comes to found a room that is founded is told by whom, unless that was the same person", async () => {
  const room = await Room.found();
  const told = toldOf(room);
  await assertOut(
    come(await clientOf(await somebody("bob")), [told], { invite: FOUNDING }),
    'The room was founded by "ana" already',
    "Ask ana, or another keeper, for an invite",
  );
  const again = await clientOf(room.founder);
  const entrance = await come(again, [told], { invite: FOUNDING });
  assertEquals(entrance?.name, "ana");
});
