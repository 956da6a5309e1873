/**
 * Invites and spoken codes by themselves: which are open, who may guess, and what is said of them.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { admissionKey, ROOM_INVITE_ID } from "../../../../src/keys/invite.ts";
import { parseCode, passwordOf } from "../../../../src/keys/spoken_code.ts";
import type { OpenCode } from "../../../../src/protocol/handshake.ts";
import { MEMBER_ID } from "../../../../src/protocol/hello.ts";
import type {
  Happening,
  HappeningOf,
} from "../../../../src/server/people/happening.ts";
import {
  describeInvite,
  Invites,
  newInvite,
} from "../../../../src/server/people/invites.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { madeUpId } from "../../../kit/people.ts";
import { drawing } from "../../../kit/replaced.ts";

const START = Date.UTC(2026, 10, 23);
const CODE = "7-crossover-clockwork";

/** An invite as the file has it. */
function made(
  id: number,
  rest: Partial<HappeningOf<"invite">> = {},
): HappeningOf<"invite"> {
  const about = { uses: 2, until: null, note: "", by: "", code: "" };
  const key = madeUpId(`invite ${id}`);
  return { kind: "invite", id, key, ...about, at: START, ...rest };
}

/** Invites to which that has happened. */
function invitesOf(
  ...happenings: readonly Parameters<Invites["apply"]>[0][]
): Invites {
  const invites = new Invites(() => START);
  for (const it of happenings) invites.apply(it);
  return invites;
}

function used(invite: number, person: string): HappeningOf<"used"> {
  return { kind: "used", invite, person };
}

function guessed(invite: number, guess: string): HappeningOf<"guessed"> {
  return { kind: "guessed", invite, guess };
}

Deno.test("Invites has open what isn't used up, past its time, revoked, or guessed at thrice, the oldest first", () => {
  const invites = invitesOf(
    made(4, { at: START + 1 }),
    made(3, { at: START + 1 }),
    made(5),
    made(6, { until: START }),
    made(7, { until: START + 1 }),
    made(8),
    used(8, "ana"),
    used(8, "ana"), // of one that is told twice one counts
    made(9),
    used(9, "ana"),
    used(9, "ben"),
    made(10),
    { kind: "revoked", invite: 10 },
    made(11, { code: CODE }),
    ...["a", "b", "b"].map((it) => guessed(11, it)),
    made(12, { code: CODE }),
    ...["a", "b", "c"].map((it) => guessed(12, it)),
    made(5, { uses: 0 }), // which is there already
    used(99, "ana"), // which isn't
  );
  const open = [5, 7, 8, 11, 3, 4];
  assertEquals(invites.open.map(({ id }) => id), open);
  const ids = Array.from({ length: 14 }, (_, id) => id);
  assertEquals(
    ids.filter((id) => invites.isOpen(id)),
    open.toSorted((a, b) => a - b),
  );
  assertEquals(invites.find(10)?.isRevoked, true);
  assertEquals(invites.find(99), undefined);
  assertEquals(invites.lines, 10 + 3 + 5);
  const told: Happening[] = [...invites.summary()];
  const again = invitesOf(...told as Parameters<Invites["apply"]>[0][]);
  assertEquals([...again.summary()], told);
  assertEquals(again.open, invites.open);
  assertEquals(told[0], made(4, { at: START + 1 }));
  assertEquals(told.length, 10 + 3 + 5 + 1);
  invites.clear();
  assertEquals([invites.open, invites.lines], [[], 0]);
});

Deno.test("Invites.use() counts who comes by an invite, until it is taken back, and nobody who comes otherwise", () => {
  const invites = invitesOf(made(7, { uses: 1 }));
  for (const id of [ROOM_INVITE_ID, MEMBER_ID]) {
    assertEquals(invites.use(id, "ana").happenings, []);
  }
  const { happenings, undo } = invites.use(7, "ana");
  assertEquals(happenings, [used(7, "ana")]);
  assertEquals(invites.isOpen(7), false);
  undo();
  assertEquals(invites.isOpen(7), true);
  const unknown = invites.use(8, "ana");
  assertEquals(unknown.happenings, [used(8, "ana")]);
  unknown.undo();
});

Deno.test("a spoken code is found by its number while it is open, and bears three wrong guesses, those under way among them", () => {
  const invites = invitesOf(
    made(1),
    made(2, { code: "8-crossover-clockwork" }),
    made(3, { code: CODE }),
    made(4, { code: "9-crossover-clockwork", until: START }),
  );
  const wrong: HappeningOf<"guessed">[] = [];
  const find = (number: number): OpenCode | undefined =>
    invites.code(number, (it) => {
      wrong.push(it);
      invites.apply(it);
    });
  assertEquals([find(9), find(6)], [undefined, undefined]);
  const code = find(7);
  assert(code);
  assertEquals(code.inviteId, 3);
  assertEquals(code.password, passwordOf(parseCode(CODE)));
  const guesses = [1, 2, 3, 4].map(() => code.guess());
  assertEquals(guesses, [true, true, true, false]);
  code.guessed(true);
  assertEquals(wrong, []);
  assertEquals([code.guess(), code.guess()], [true, false]);
  for (const _ of [1, 2]) code.guessed(false);
  assertEquals(wrong.map(({ kind, invite }) => [kind, invite]), [
    ["guessed", 3],
    ["guessed", 3],
  ]);
  const [first, second] = wrong.map(({ guess }) => guess);
  assert(first !== second && /^[\w-]{8}$/.test(first ?? ""));
  assertEquals(code.guess(), false); // one is under way
  code.guessed(true);
  assertEquals([code.guess(), code.guess()], [true, false]);
  invites.apply({ kind: "revoked", invite: 3 });
  code.guessed(true);
  assertEquals([code.guess(), find(7)], [false, undefined]);
});

Deno.test("a new invite has a number of 31 bits that no other has, nor the standing link", () => {
  const secret = new Uint8Array(32).fill(3);
  const wish = { uses: 3, until: START, note: "for ana", by: "ben" };
  const isTaken = (id: number) => id === 0x7fff_ffff;
  {
    using _numbers = drawing(0, 1, 0xffff_ffff, 0xffff_fffd);
    const key = toBase64url(admissionKey(secret));
    const at = START + 5;
    assertEquals(newInvite(wish, secret, isTaken, at, CODE), {
      ...{ kind: "invite", id: 0x7fff_fffe, key, ...wish, code: CODE, at },
    });
  }
  assertEquals(newInvite(wish, secret, () => false, START).code, "");
});

Deno.test("an invite is described in a line", () => {
  const invites = invitesOf(
    made(7, { uses: 3 }),
    used(7, "ana"),
    made(8, { note: "ben", code: CODE, until: START + 60_000 }),
  );
  assertEquals(invites.open.map(describeInvite), [
    "Invite 7: 2 of 3 left, without an end",
    `Spoken code ${CODE}, invite 8 (ben): 2 of 2 left, until 2026-11-23 00:01 UTC`,
  ]);
});
