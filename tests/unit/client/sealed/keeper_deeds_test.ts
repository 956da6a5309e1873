/**
 * What a keeper's client does when it is asked to, or something is due, line by line: in a room of the test's own, in which
 * each control line that may be said is.
 *
 * @module
 */

import { Keeper } from "../../../../src/client/sealed/keeper.ts";
import type { Rules, Uncounted } from "../../../../src/client/sealed/rules.ts";
import { SealedRoom } from "../../../../src/client/sealed/sealed_room.ts";
import type { SealedRequest } from "../../../../src/client/link.ts";
import { spokenId } from "../../../../src/crypto/person_id.ts";
import type { Event } from "../../../../src/protocol/events.ts";
import { SEALED_INVITE } from "../../../../src/sealed/membership.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import "../../../kit/crypto_idle.ts";
import { madeUpId, madeUpStay } from "../../../kit/people.ts";
import { replaced } from "../../../kit/replaced.ts";
import {
  SealedRoom as Room,
  type Somebody,
  somebody,
} from "../../../kit/sealed_room.ts";

const DAY = 86_400_000;

/** Somebody's client in a room, which says what it may. */
class Scene {
  readonly keeper: Keeper;
  readonly said: Uncounted[] = [];
  readonly sent: SealedRequest[] = [];
  /** Why the next lines are refused. */
  readonly refusals: string[] = [];
  /** What everything waits for. */
  held: Promise<void> = Promise.resolve();
  #followed = 0;

  private constructor(
    readonly room: Room,
    readonly who: Somebody,
    readonly client: SealedRoom,
  ) {
    this.keeper = new Keeper({
      room: client,
      rules: this.#rules,
      send: async (...requests) => {
        await this.held;
        this.sent.push(...requests);
      },
      address: "chat.example:5000",
    });
  }

  static async of(room: Room, who: Somebody, hasKey = true): Promise<Scene> {
    const { full: id, short: person, cardText: card } = who;
    const client = await SealedRoom.open({
      ...{ identity: who, stores: undefined, known: undefined },
      self: { id, person, card, stay: madeUpStay("x") },
      note: () => {},
    });
    const scene = new Scene(room, who, client);
    await scene.follow();
    const e = room.keys.length - 1;
    const key = room.keys[e];
    assert(key);
    if (hasKey) client.keys.adopt({ e, key }, client.membership);
    return scene;
  }

  /** Takes what is new in the room. */
  async follow(): Promise<void> {
    for (const line of this.room.lines.slice(this.#followed)) {
      this.#followed++;
      const taken = await this.client.follow(line);
      assert(typeof taken === "object", `${taken}`);
    }
  }

  readonly #rules = {
    keyOfNow: () => Promise.resolve(undefined),
    until: (isSo: () => boolean) => Promise.resolve(isSo()),
    say: async (control: Uncounted, stage?: () => Promise<void>) => {
      this.said.push(control);
      await stage?.();
      const refused = this.refusals.shift() ??
        await this.room.say(this.who, control);
      if (refused === undefined) await this.follow();
      return refused;
    },
  } as unknown as Rules;

  /** What is answered: texts of notices, reasons of refusals. */
  async answers(
    what: Event<"operate">["what"],
    more: Partial<Event<"operate">> = {},
  ): Promise<string[] | undefined> {
    const answers = await this.keeper.operate({
      ...{ kind: "operate", id: 1, what, who: "", text: "", count: 0 },
      ...more,
    });
    return answers?.map((it) =>
      it.kind === "notice"
        ? it.text
        : it.kind === "refused"
        ? it.reason
        : it.kind
    );
  }
}

/** A room of ana, who keeps it, bob, cy and dan, by ana's client. */
async function scene() {
  const room = await Room.found();
  room.now = Date.now();
  const bob = await room.join("bob", 1);
  const cy = await room.join("cy", 2);
  const dan = await room.join("dan", 3);
  const ana = await Scene.of(room, room.founder);
  return { room, ana, bob, cy, dan };
}

const ENDED = "All open invites have ended: /invite makes new ones";

Deno.test("Keeper does nothing of that for who is no keeper, but lists; and knows no topic", async () => {
  const { room, bob } = await scene();
  const it = await Scene.of(room, bob);
  for (
    const what of [
      ...["invite", "revoke", "kick", "ban", "unban", "op", "keeper"],
      "deop",
    ] as const
  ) assertEquals(await it.answers(what), ["not-keeper"], what);
  assertEquals(await it.answers("topic"), ["topic-sealed"]);
  assertEquals(await it.answers("invites"), ["No invite is open"]);
  assertEquals(await it.answers("bans"), ["Nobody is banned"]);
  assertEquals(it.said, []);
});

Deno.test("Keeper makes invites within the limits, lists them with their notes, ends and makers, and closes them", async () => {
  const { ana } = await scene();
  const invite = { who: "0", text: "", count: 1 };
  for (
    const wrong of [
      ...[{ who: "-1" }, { who: "0.5" }, { who: "3651" }, { who: "x" }],
      ...[{ count: 0 }, { count: 10_001 }, { text: "x".repeat(101) }],
    ]
  ) {
    const answers = await ana.answers("invite", { ...invite, ...wrong });
    assertEquals(answers, ["operation-wrong"]);
  }
  assertEquals(ana.said, []);
  const most = { who: "3650", count: 10_000, text: "x".repeat(100) };
  assertEquals(await ana.answers("invite", most), ["invited"]);
  const made = await ana.keeper.operate({
    ...{ kind: "operate", id: 1, what: "invite" },
    ...{ who: "0", text: "a\u202eb", count: 1 },
  });
  const [{ kind = "", address = "" } = {}] = (made ?? []) as {
    kind?: string;
    address?: string;
  }[];
  assertEquals([kind, address], ["invited", "chat.example:5000"]);
  const lists = await ana.answers("invites");
  const [first, second] = [...ana.client.membership.invites.values()]
    .filter(({ isClosed, used, uses }) => !isClosed && used < uses);
  assert(first && second && first.until !== null);
  const end = new Date(first.until).toISOString().slice(0, 16);
  assertEquals(lists, [
    `${first.number} (${
      "x".repeat(100)
    }): lets in 10000 persons, until ${end}Z, by ana`,
    `${second.number} (a\\u202eb): lets in 1 person, by ana`,
  ]);
  const { number } = second;
  assertEquals(await ana.answers("revoke", { who: `${number}` }), [
    `Invite ${number} is closed`,
  ]);
  const invited = await ana.room.invite(30, { uses: 3 });
  const eve = await somebody("eve");
  await ana.room.say(eve, ana.room.joining(eve, "eve", 30), invited);
  await ana.follow();
  const left = await ana.answers("invites") ?? [];
  assert(left.includes(`${SEALED_INVITE + 30}: lets in 2 persons, by ana`));
  for (
    const [reason, expected] of [["lost", undefined], ["x", ["x"]]] as const
  ) {
    ana.refusals.push(reason);
    assertEquals(
      await ana.answers("revoke", { who: "7" }),
      expected && [...expected],
    );
    ana.refusals.push(reason);
    assertEquals(
      await ana.answers("invite", invite),
      expected && [...expected],
    );
  }
  const other = await Scene.of(ana.room, ana.who, false);
  assertEquals(await other.answers("invite", invite), [
    "Not done: the room's key has not come to you yet",
  ]);
});

Deno.test("Keeper removes, bans and frees persons by name or id, members or former ones, but itself", async () => {
  const { room, ana, bob, cy } = await scene();
  const epochs = () => room.membership.epochStart + 1;
  for (const what of ["kick", "ban", "unban"] as const) {
    assertEquals(await ana.answers(what, { who: "nobody" }), ["nobody-known"]);
  }
  for (const what of ["kick", "ban"] as const) {
    assertEquals(await ana.answers(what, { who: "ana" }), ["operation-self"]);
  }
  const [days = ""] = await ana.answers("ban", { who: "bob", count: 1 }) ?? [];
  assert(days.startsWith("A ban from a sealed room has no end"));
  assertEquals(ana.said, []);
  assertEquals(await ana.answers("unban", { who: "bob" }), ["nobody-known"]);
  assertEquals(await ana.answers("kick", { who: "bob" }), [
    `bob reads nothing from line ${epochs()} on. ${ENDED}`,
  ]);
  assertEquals(room.membership.member(bob.full), undefined);
  assertEquals([...room.membership.barred], []);
  assertEquals(await ana.answers("kick", { who: "bob" }), ["nobody-known"]);
  assertEquals(await ana.answers("ban", { who: bob.short }), [
    "bob can't be invited again",
  ]);
  assertEquals(await ana.answers("ban", { who: "cy" }), [
    `cy reads nothing from line ${epochs()} on. ${ENDED}`,
  ]);
  assertEquals([...room.membership.barred].toSorted(), [
    ...[bob.full, cy.full].toSorted(),
  ]);
  const banned = await ana.answers("bans");
  assertEquals(banned?.toSorted(), [
    `bob (${spokenId(bob.short)})`,
    `cy (${spokenId(cy.short)})`,
  ]);
  assertEquals(await ana.answers("unban", { who: "bob" }), [
    "bob may be invited again: /invite makes a link",
  ]);
  assertEquals([...room.membership.barred], [cy.full]);
  ana.refusals.push("lost");
  assertEquals(await ana.answers("unban", { who: "cy" }), undefined);
});

Deno.test("Keeper makes others keepers, and itself none where there is another", async () => {
  const { room, ana, bob, cy } = await scene();
  assertEquals(await ana.answers("keeper", { who: "nobody" }), [
    "nobody-known",
  ]);
  const [only = ""] = await ana.answers("deop", { who: "ana" }) ?? [];
  assert(only.startsWith("You are the only keeper: make somebody else one"));
  for (const [what, who] of [["keeper", bob], ["op", cy]] as const) {
    const { name } = room.membership.member(who.full) ?? { name: "" };
    assertEquals(await ana.answers(what, { who: name }), [
      `${name} is a keeper now, and may do all that you may`,
    ]);
    assertEquals(await ana.answers(what, { who: name }), [
      `${name} is a keeper already`,
    ]);
  }
  const [other = ""] = await ana.answers("deop", { who: "bob" }) ?? [];
  assert(other.startsWith("A keeper stays one until it is removed"));
  ana.refusals.push("x");
  assertEquals(await ana.answers("deop", { who: "ana" }), ["x"]);
  assertEquals(await ana.answers("deop", { who: "ana" }), [
    "You are no keeper any more, and no member",
  ]);
  assertEquals(room.membership.keepers, [bob.full, cy.full]);
});

Deno.test("Keeper gives the key of now to members who lack it, four times at the most, and all at once that it was told of", async () => {
  const { room, ana, bob, cy } = await scene();
  const { keeper, sent } = ana;
  const to = () =>
    sent.splice(0).map((it) =>
      it.kind === "wrap" ? [it.to, it.e, it.next] : []
    );
  const none = await Scene.of(room, bob);
  assertEquals(none.keeper.lacks(cy.full), false); // no keeper
  assertEquals(keeper.lacks(madeUpId("eve")), false);
  assertEquals([keeper.lacks(bob.full), keeper.lacks(cy.full)], [true, true]);
  const held = Promise.withResolvers<void>();
  ana.held = held.promise;
  const giving = keeper.give();
  await keeper.give(); // which is done already
  assertEquals(keeper.lacks(bob.full), false); // and will be seen to
  held.resolve();
  await giving;
  assertEquals(to(), [
    ...[[bob.full, 0, false], [cy.full, 0, false], [bob.full, 0, false]],
  ]);
  for (const isGiven of [true, true, false]) {
    assertEquals(keeper.lacks(bob.full), isGiven);
    await keeper.give();
    assertEquals(to().length, isGiven ? 1 : 0);
  }
  await room.change(room.founder);
  await ana.follow();
  const [, key] = room.keys;
  assert(key);
  assertEquals(keeper.lacks(bob.full), true); // in another epoch
  await keeper.give();
  assertEquals(to(), []); // whose key this client hasn't
  ana.client.keys.made(room.membership.epochs[1]?.commit ?? "", key);
  await ana.client.keys.begun(1, room.membership);
  assertEquals(keeper.lacks(bob.full), true);
  await keeper.give();
  assertEquals(to(), [[bob.full, 1, false]]);
});

Deno.test("Keeper ends invites whose time is over by its own clock, and changes the key for that once a day", async () => {
  const { room, ana } = await scene();
  const start = room.now;
  let now = start;
  using _ = replaced(Date, "now", () => now);
  await ana.keeper.look(false); // because of the invites that were used up
  const keyLines = () => ana.said.splice(0).map(({ verb }) => verb);
  assertEquals(keyLines(), ["keys"]);
  await room.invite(7, { uses: 2, until: start + 100 });
  await room.invite(8, { uses: 2, until: null });
  await room.invite(9, { uses: 1, until: start + 100 });
  const eve = await somebody("eve");
  const invite = await somebody("invite 9");
  await room.say(eve, room.joining(eve, "eve", 9), invite); // it is used up
  await ana.follow();
  now = start + 100;
  await ana.keeper.look(false);
  assertEquals(keyLines(), []);
  now = start + 101;
  await Promise.all([ana.keeper.look(false), ana.keeper.look(false)]);
  assertEquals(ana.said, [{ verb: "close", invite: SEALED_INVITE + 7 }]);
  assertEquals(keyLines(), ["close"]); // the key was changed a moment ago
  now = start + DAY - 1;
  await ana.keeper.look(false);
  assertEquals(keyLines(), []);
  now = start + DAY;
  await Promise.all([ana.keeper.look(false), ana.keeper.look(false)]);
  assertEquals(keyLines(), ["keys"]);
  assertEquals(ana.client.file.rekeyedAt, now);
  now += 2 * DAY;
  await ana.keeper.look(true);
  assertEquals(keyLines(), []); // nothing is due
  now = start; // its clock was wrong
  await room.invite(10, { uses: 1, until: start + 100 });
  await ana.follow();
  now = start + 101;
  await ana.keeper.look(false);
  assertEquals(keyLines(), ["close", "keys"]);
});

Deno.test("Keeper changes a key that never came, once it is late; who is none looks after nothing", async () => {
  const { room, bob } = await scene();
  const key = room.keys[0];
  assert(key);
  await room.change(room.founder); // because of the invites, which are gone
  const ana = await Scene.of(room, room.founder, false);
  ana.client.keys.adopt({ e: 0, key }, ana.client.membership);
  await ana.keeper.look(false);
  assertEquals(ana.said, []);
  await ana.keeper.look(true);
  assertEquals(ana.said.map(({ verb }) => verb), ["keys"]);
  const none = await Scene.of(room, bob, false);
  await none.keeper.look(true);
  assertEquals(none.said, []);
});

Deno.test("Keeper tells the only one what to do before its identity is lost, and nobody else", async () => {
  const { room, ana, bob } = await scene();
  const advice = ana.keeper.lastKeeperAdvice() ?? "";
  assert(advice.startsWith("You are the only keeper of this room."), advice);
  assert(advice.endsWith("--export --name ana copies your identity"), advice);
  const other = ana.keeper.lastKeeperAdvice("A button copies it") ?? "";
  assert(other.endsWith("too; A button copies it"), other);
  const member = await Scene.of(room, bob);
  assertEquals(member.keeper.lastKeeperAdvice(), undefined);
  await ana.answers("keeper", { who: "bob" });
  assertEquals(ana.keeper.lastKeeperAdvice(), undefined);
});
