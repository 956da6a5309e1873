/**
 * Memberships against a model: a plain list of the lines that counted, from which everything is told anew each time, by the
 * rules as people would say them.
 *
 * @module
 */

import fc from "fast-check";
import { toBase64url } from "../../../crypto_utils.ts";
import {
  type Control,
  keysDigest,
  parseControl,
} from "../../../src/sealed/control_line.ts";
import { Membership, SEALED_INVITE } from "../../../src/sealed/membership.ts";
import { assertEquals } from "../../kit/assert.ts";
import { type Somebody, somebody } from "../../kit/sealed_room.ts";

const INVITES = await Promise.all(
  [1, 2, 3, 4, 5].map((at) => somebody(`invite ${at}`)),
);
const PERSONS = await Promise.all(
  ["ana", "ben", "cleo", "dora", "emil"].map(somebody),
);
const NAMES = ["ana", "ANA", "ben", "cleo", "dora", "two words"];
const DIGEST = toBase64url(new Uint8Array(32));
const BACK = toBase64url(new Uint8Array(48));

/** A line that counted. */
interface Counted {
  readonly control: Control;
  readonly text: string;
  readonly who: Somebody;
  readonly seq: number;
  readonly at: number;
  /** That of all lines up to it. */
  readonly digest: string;
}

// ── The model ──────────────────────────────────────────────────────────────────────────────────────────

/** Members are those who founded or joined and were not removed since, in the order of their coming. */
function membersOf(lines: readonly Counted[]): Somebody[] {
  return lines.flatMap(({ control, who }, at) => {
    const isComing = control.verb === "found" || control.verb === "join";
    const isGone = lines.slice(at + 1).some(({ control: later }) =>
      later.verb === "keys" && later.removed.includes(who.full)
    );
    return isComing && !isGone ? [who] : [];
  });
}

/** Keepers are the founder and who was made one, unless they were removed since. */
function keepersOf(lines: readonly Counted[]): string[] {
  return lines.flatMap(({ control, who }, at) => {
    const made = control.verb === "found"
      ? [who.full]
      : control.verb === "keys"
      ? control.made
      : [];
    return made.filter((id) =>
      !lines.slice(at + 1).some(({ control: later }) =>
        later.verb === "keys" && later.removed.includes(id)
      )
    );
  });
}

/** Where the invite of a number was made last. */
function madeAt(lines: readonly Counted[], number: number): number {
  return lines.findLastIndex(({ control }) =>
    control.verb === "invite" && control.invite === number
  );
}

/** Whether there is an invite of a number: one that lets in nobody any more is gone with the next key. */
function isThere(lines: readonly Counted[], number: number): boolean {
  const place = madeAt(lines, number);
  return place >= 0 &&
    !lines.slice(place + 1).some(({ control, at }, index) => {
      if (control.verb !== "keys") return false;
      const before = lines.slice(0, place + 1 + index);
      return control.removed.length > 0 || !isOpen(before, number, at);
    });
}

/** An invite is open until it is closed, used up, over, or somebody is removed, or the key changes when it was over. */
function isOpen(lines: readonly Counted[], number: number, now: number) {
  const place = madeAt(lines, number);
  const made = lines[place]?.control;
  if (made?.verb !== "invite") return false;
  const later = lines.slice(place + 1);
  const uses =
    later.filter(({ control }) =>
      control.verb === "join" && control.invite === number
    ).length;
  const isClosed = later.some(({ control, at }) =>
    control.verb === "close" && control.invite === number ||
    control.verb === "keys" && (control.removed.length > 0 ||
        made.until !== null && at > made.until)
  );
  const isOver = made.until !== null && now > made.until;
  return !isClosed && !isOver && uses < made.uses;
}

function wasClosed(lines: readonly Counted[], number: number): boolean {
  return lines.slice(madeAt(lines, number) + 1).some(({ control }) =>
    control.verb === "close" && control.invite === number
  );
}

function isBarred(lines: readonly Counted[], id: string): boolean {
  const changes = lines.flatMap(({ control }) =>
    control.verb === "keys" && control.freed.includes(id)
      ? [false]
      : control.verb === "keys" && control.barred.includes(id)
      ? [true]
      : []
  );
  return changes.at(-1) ?? false;
}

const epochsOf = (lines: readonly Counted[]) =>
  lines.filter(({ control: { verb } }) => verb === "found" || verb === "keys");

/** Why a line doesn't count; undefined if it does. */
function refusal(
  lines: readonly Counted[],
  { control, who, seq, at }: Counted,
): string | undefined {
  const last = lines.at(-1);
  if (seq <= (last?.seq ?? 0)) return "control-wrong";
  const reason = refusalOf(lines, control, who, at);
  if (reason) return reason;
  const counts = lines.filter((it) => it.who === who)
    .map((it) => it.control.count);
  return control.count > Math.max(0, ...counts) ? undefined : "control-wrong";
}

function refusalOf(
  lines: readonly Counted[],
  control: Control,
  who: Somebody,
  at: number,
): string | undefined {
  const isFounded = lines.length > 0;
  if (control.verb === "found") return isFounded ? "control-wrong" : undefined;
  if (!isFounded) return "control-wrong";
  const members = membersOf(lines);
  const keepers = keepersOf(lines);
  if (control.verb === "join") {
    if (isBarred(lines, who.full)) return "person-barred";
    if (members.includes(who)) return "member-already";
    return isOpen(lines, control.invite, at) ? undefined : "invite-used";
  }
  if (!members.includes(who)) return "not-member";
  if (control.verb === "rename") return undefined;
  if (!keepers.includes(who.full)) return "not-keeper";
  if (control.verb === "invite") {
    const isTaken = isThere(lines, control.invite);
    return isTaken || control.uses < 1 ? "control-wrong" : undefined;
  }
  if (control.verb === "close") {
    const isKnown = isThere(lines, control.invite);
    return isKnown && !wasClosed(lines, control.invite)
      ? undefined
      : "invite-used";
  }
  return keysRefusal(lines, control, who);
}

function keysRefusal(
  lines: readonly Counted[],
  line: Control<"keys">,
  { full }: Somebody,
): string | undefined {
  const { e, prev, seen, digest, backTo } = line;
  const { made, removed, barred, freed } = line;
  const epochs = epochsOf(lines);
  const before = epochs.at(-1);
  if (e !== epochs.length || prev !== keysDigest(before?.text ?? "")) {
    return "keys-late";
  }
  const keepers = keepersOf(lines);
  const members = membersOf(lines).map((it) => it.full);
  const since = lines.filter(({ seq }) => seq >= (before?.seq ?? 0));
  const isSame = since.some((it) => it.seq === seen && it.digest === digest);
  if (!isSame || backTo >= e) return "control-wrong";
  if (barred.includes(full)) return "control-wrong";
  if (!removed.every((id) => members.includes(id))) return "not-member";
  const seniors = keepers.slice(0, keepers.indexOf(full));
  if (removed.some((id) => seniors.includes(id))) return "keeper-senior";
  const staying = members.filter((id) => !removed.includes(id));
  const isRight =
    made.every((id) => staying.includes(id) && !keepers.includes(id)) &&
    !barred.some((id) => staying.includes(id)) &&
    freed.every((id) => isBarred(lines, id));
  if (!isRight) return "not-member";
  const left = keepers.filter((id) => !removed.includes(id));
  return left.length + made.length > 0 ? undefined : "control-wrong";
}

// ── What is tried ──────────────────────────────────────────────────────────────────────────────────────

/** A line that somebody tries to say, in words that don't depend on what was said before. */
interface Trial {
  readonly who: number;
  readonly verb: Control["verb"];
  readonly name: number;
  readonly invite: number;
  readonly uses: number;
  readonly until: number | null;
  readonly late: number;
  /** How many lines before the last is the last that its signer had; 9: one that there isn't. */
  readonly unseen: number;
  /** How many epochs back it leads. */
  readonly back: number;
  readonly lists: readonly (readonly number[])[];
  readonly count: number;
  readonly seq: number;
  readonly pause: number;
}

const few = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.uniqueArray(fc.nat(4), { maxLength: 2 }) },
);
const mostly = (usual: number, ...others: number[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
const trials: fc.Arbitrary<Trial> = fc.record({
  who: fc.oneof(fc.constant(0), fc.nat(4)),
  verb: fc.constantFrom<Control["verb"][]>(
    "invite",
    "invite",
    "join",
    "join",
    "join",
    "rename",
    "keys",
    "keys",
    "keys",
    "close",
    "found",
  ),
  name: fc.nat(NAMES.length - 1),
  invite: fc.integer({ min: 1, max: 5 }),
  uses: fc.nat(3),
  until: fc.option(fc.nat(60)),
  late: mostly(0, -1, 1),
  unseen: mostly(0, 1, 2, 9),
  back: mostly(1, 0, 2),
  lists: fc.tuple(few, few, few, few),
  count: mostly(1, 0, -1, 5),
  seq: mostly(1, 0, -1, 9),
  pause: fc.oneof(fc.constant(1), fc.integer({ min: -20, max: 20 })),
});

const USUAL: Trial = {
  who: 0,
  verb: "found",
  name: 0,
  invite: 1,
  uses: 3,
  until: null,
  late: 0,
  unseen: 0,
  back: 1,
  lists: [],
  count: 1,
  seq: 1,
  pause: 1,
};
/** A room with two keepers and a third member. */
const BEGUN: readonly Trial[] = [
  USUAL,
  { ...USUAL, verb: "invite" },
  { ...USUAL, verb: "join", who: 1, name: 2 },
  { ...USUAL, verb: "join", who: 2, name: 3 },
  { ...USUAL, verb: "keys", lists: [[1]] },
];

/** What a trial says now. */
function controlOf(
  trial: Trial,
  lines: readonly Counted[],
  count: number,
): Control {
  const { cardText: card } = personOf(trial.who);
  const invite = SEALED_INVITE + trial.invite;
  const name = NAMES[trial.name] ?? "";
  const ids = (at: number) =>
    (trial.lists[at] ?? []).flatMap((it) => PERSONS[it]?.full ?? []);
  const epochs = epochsOf(lines);
  switch (trial.verb) {
    case "found":
      return {
        verb: "found",
        count,
        random: DIGEST,
        card,
        name,
        commit: DIGEST,
      };
    case "invite": {
      const { uses } = trial;
      const until = trial.until === null ? null : 1_000 + trial.until;
      const card = INVITES[trial.invite - 1]?.cardText ?? "";
      return { verb: "invite", count, invite, card, uses, until };
    }
    case "join":
      return { verb: "join", count, invite, card, name };
    case "rename":
      return { verb: "rename", count, name };
    case "close":
      return { verb: "close", count, invite };
    case "keys": {
      const e = Math.max(0, epochs.length + trial.late);
      const last = lines.at(-1 - trial.unseen);
      return {
        verb: "keys",
        count,
        e,
        prev: keysDigest(
          epochs.at(-1 - (trial.lists[0]?.includes(4) ? 1 : 0))?.text ?? "",
        ),
        seen: last?.seq ?? 0,
        digest: last?.digest ?? DIGEST,
        commit: DIGEST,
        back: BACK,
        backTo: Math.max(0, e - trial.back),
        made: ids(0),
        removed: ids(1),
        barred: ids(2),
        freed: ids(3),
      };
    }
  }
}

function personOf(who: number): Somebody {
  const person = PERSONS[who];
  if (person) return person;
  throw new RangeError(`There is nobody ${who}`);
}

/** A line with fields in their order, and signatures that nobody looks at. */
function textOf({ verb, ...control }: Control): string {
  const order = ["count", "random", "invite", "card", "name", "commit"];
  const fields = verb === "found"
    ? Object.fromEntries(
      order.filter((it) => it !== "invite").map((name) => [
        name,
        (control as Record<string, unknown>)[name],
      ]),
    )
    : control;
  const signature = "A".repeat(86);
  const said = `${verb} ${JSON.stringify(fields)} ${signature}`;
  return verb === "join" ? `${said} ${signature}` : said;
}

/** What both tell of the room, in one form. */
function told(membership: Membership, now: number) {
  return {
    members: [...membership.members.values()].map(({ id }) => id),
    keepers: [...membership.keepers],
    open: membership.openInvites(now).map(({ number }) => number).sort(),
    barred: [...membership.barred].sort(),
    epoch: membership.epoch,
    start: membership.epochStart,
    seq: membership.seq,
  };
}

function modelled(lines: readonly Counted[], now: number) {
  const numbers = lines.flatMap(({ control }) =>
    control.verb === "invite" ? [control.invite] : []
  );
  return {
    members: membersOf(lines).map(({ full }) => full),
    keepers: keepersOf(lines),
    open: [...new Set(numbers)].filter((number) =>
      isThere(lines, number) && isOpen(lines, number, now)
    ).sort(),
    barred: PERSONS.map(({ full }) => full)
      .filter((id) => isBarred(lines, id)).sort(),
    epoch: epochsOf(lines).length - 1,
    start: epochsOf(lines).at(-1)?.seq ?? 0,
    seq: lines.at(-1)?.seq ?? 0,
  };
}

/** Every name that is shown is one that this member asked for, or its short id; and no two are alike. */
function assertNamesHold(membership: Membership): void {
  const members = [...membership.members.values()];
  const folded = new Set(members.map((it) => it.folded));
  assertEquals(folded.size, members.length);
  for (const { name, short } of members) {
    if (name !== short) assertEquals(NAMES.slice(0, 5).includes(name), true);
  }
}

Deno.test("a membership is what the list of its lines says, whatever is tried in whatever order", () => {
  let counted = 0;
  const outcomes = new Set<string>();
  const property = fc.property(
    fc.constantFrom([USUAL], BEGUN),
    fc.array(trials, { minLength: 20, maxLength: 60 }),
    (begun, all) => {
      let membership = Membership.NONE;
      let lines: Counted[] = [];
      let now = 1_000;
      for (const trial of [...begun, ...all]) {
        now += trial.pause;
        const who = personOf(trial.who);
        const count = Math.max(
          0,
          membership.nextCount(who.full) - 1 + trial.count,
        );
        const control = controlOf(trial, lines, count);
        const text = textOf(control);
        const line = parseControl(text);
        if (!line) throw new Error(`Not a line: ${text}`);
        const seq = Math.max(0, (lines.at(-1)?.seq ?? 0) + trial.seq);
        const next = { control, text, who, seq, at: now, digest: "" };
        const expected = refusal(lines, next);
        const result = membership.after(line, {
          seq,
          at: now,
          person: who.short,
        });
        assertEquals(typeof result === "string" ? result : undefined, expected);
        if (typeof result !== "string") {
          membership = result;
          const digest = toBase64url(result.digest);
          lines = [...lines, { ...next, digest }];
          counted++;
        }
        outcomes.add(`${trial.verb} ${expected ?? "counted"}`);
        assertEquals(told(membership, now), modelled(lines, now));
        assertNamesHold(membership);
      }
    },
  );
  fc.assert(property, { numRuns: 200, seed: 14 });
  // It is no test of lines that are all refused for one reason.
  const expected = [
    "found control-wrong",
    "found counted",
    ...["counted", "control-wrong", "not-keeper", "not-member"].map((it) =>
      `invite ${it}`
    ),
    ...[
      "counted",
      "invite-used",
      "member-already",
      "person-barred",
      "control-wrong",
    ].map((it) => `join ${it}`),
    ...["counted", "not-member", "control-wrong"].map((it) => `rename ${it}`),
    ...[
      "counted",
      "keys-late",
      "keeper-senior",
      "not-member",
      "not-keeper",
      "control-wrong",
    ].map((it) => `keys ${it}`),
    ...["counted", "invite-used", "not-keeper", "not-member"].map((it) =>
      `close ${it}`
    ),
  ];
  assertEquals(expected.filter((it) => !outcomes.has(it)), []);
  assertEquals(counted > 1_000, true, `${counted} lines counted`);
});
