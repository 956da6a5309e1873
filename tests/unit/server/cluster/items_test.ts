/**
 * What connections ask for, as it travels between servers: every kind arrives as it was, and what no server writes is
 * recognised.
 *
 * @module
 */

import fc from "fast-check";
import { toBase64url } from "../../../../crypto_utils.ts";
import { generateSigningKeyPair } from "../../../../src/crypto/ed25519.ts";
import { shortId } from "../../../../src/crypto/person_id.ts";
import type { Line } from "../../../../src/protocol/line.ts";
import { type Name, parseName } from "../../../../src/protocol/names.ts";
import {
  type ControlLine,
  parseControl,
  signControl,
} from "../../../../src/sealed/control_line.ts";
import type { Item, Of, Seat } from "../../../../src/server/batch.ts";
import { EntryError } from "../../../../src/server/cluster/entry.ts";
import {
  decodeItem,
  encodeItem,
  type ItemContext,
  OTHERS_GUEST,
} from "../../../../src/server/cluster/items.ts";
import { sizeOf } from "../../../../src/server/cluster/item_size.ts";
import { freshServerId } from "../../../../src/server/cluster/keys.ts";
import type { Person } from "../../../../src/server/people/person.ts";
import type { Wrap } from "../../../../src/server/sealed/control_file.ts";
import type { Staged } from "../../../../src/server/sealed/sealed_room.ts";
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import { HAPPENINGS } from "../../../kit/happenings.ts";
import { madeUpId, madeUpStay } from "../../../kit/people.ts";

// What fails is shown as it was drawn: to look for something smaller that fails as well takes minutes.
fc.configureGlobal({ endOnFailure: true });

// ── Who is there ───────────────────────────────────────────────────────────────────────────────────────

function nameOf(text: string): Name {
  const name = parseName(text);
  assert(typeof name !== "string", text);
  return name;
}

function personOf(word: string): Person {
  const id = madeUpId(word);
  return {
    id,
    short: shortId(id),
    key: id,
    from: 0,
    card: "",
    invite: 0,
    names: [],
    there: 0,
    spoke: 0,
    bannedUntil: 0,
    isOperator: false,
  };
}

const ANA = personOf("ana");
const SERVER = freshServerId();
const SEAT: Seat = {
  id: 3,
  member: {
    person: ANA,
    name: nameOf("ana"),
    seats: [],
    since: 0,
    active: 0,
    away: "",
  },
  guest: OTHERS_GUEST,
  stay: madeUpStay("ana"),
  server: SERVER,
  n: 0,
};
const CONTEXT: ItemContext = {
  seat: (id) => id === SEAT.id ? SEAT : undefined,
  person: (id) => id === ANA.id ? ANA : undefined,
  server: SERVER,
};

// ── Every kind of item ─────────────────────────────────────────────────────────────────────────────────

const signing = await generateSigningKeyPair();

async function ruleLine(): Promise<ControlLine> {
  const control = { verb: "rename", count: 1, name: "åna" } as const;
  const text = await signControl(control, new Uint8Array(32), signing);
  const line = parseControl(text);
  assert(line);
  return line;
}

const RULE = await ruleLine();

const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size })
    .map((it) => new Uint8Array(it));
const base64 = (size: number) => bytes(size).map(toBase64url);
const count = fc.maxSafeNat();
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4_096 }),
  fc.constantFrom("", "hello", '"\\\n\u0000\u2028', "🙂", "\ud800", "]]"),
);
const name = fc.constantFrom("ana", "Åna", "田中さん", "анна").map(nameOf);
const wrap: fc.Arbitrary<Wrap> = fc.record({
  by: base64(32),
  to: base64(32),
  e: count,
  data: base64(1_168),
});
const staged: fc.Arbitrary<Staged> = fc.record({
  wraps: fc.array(wrap, { maxLength: 3 })
    .map((wraps) => new Map(wraps.map((it) => [it.to, it]))),
  admission: fc.option(
    fc.record({ invite: count, key: base64(32), blob: base64(88) }),
    { nil: undefined },
  ),
});
const line: fc.Arbitrary<Line> = fc.record({
  n: count,
  what: fc.constantFrom("said", "acted", "replied", "edited", "sealed"),
  to: fc.option(count, { nil: null }),
  text,
}).map((it) => it.what === "said" ? { ...it, to: null } : it);
const taken = () => {};
const seat = fc.constant(SEAT);
const serverId = bytes(16).map(toBase64url);

const ITEMS: { readonly [K in Item["kind"]]: fc.Arbitrary<Of<K>> } = {
  join: fc.record({
    kind: fc.constant("join" as const),
    id: count,
    server: fc.constant(SERVER),
    answer: fc.constant(taken),
    request: fc.record({
      guest: fc.constant(OTHERS_GUEST),
      candidate: fc.record({
        id: base64(32),
        key: base64(32),
        card: base64(1_344),
        invite: count,
      }),
      stay: base64(8),
      name,
      n: count,
      after: fc.constant(0),
      from: count,
      entering: fc.option(
        fc.record({
          line: fc.constantFrom(RULE, undefined),
          invite: fc.option(base64(32), { nil: undefined }),
          staged,
        }),
        { nil: undefined },
      ),
    }),
  }),
  say: fc.record({
    kind: fc.constant("say"),
    seat,
    lines: fc.array(line),
    taken: fc.constant(taken),
  }),
  rename: fc.record({ kind: fc.constant("rename"), seat, name }),
  release: fc.record({ kind: fc.constant("release"), seat, id: count }),
  away: fc.record({ kind: fc.constant("away"), seat, text }),
  remove: fc.record({
    kind: fc.constant("remove"),
    person: fc.constant(ANA),
    words: text,
  }),
  settings: fc.record({ kind: fc.constant("settings") }),
  rule: fc.record({
    kind: fc.constant("rule"),
    seat,
    id: count,
    line: fc.constant(RULE),
    staged,
  }),
  need: fc.record({ kind: fc.constant("need"), seat, e: count }),
  give: fc.record({ kind: fc.constant("give"), seat, wrap }),
  leave: fc.record({ kind: fc.constant("leave"), seat, reason: text }),
  people: fc.record({
    kind: fc.constant("people"),
    happenings: fc.subarray([...HAPPENINGS]),
  }),
  link: fc.record({ kind: fc.constant("link"), secret: bytes(32) }),
  post: fc.record({
    kind: fc.constant("post"),
    seat,
    posting: fc.record({
      from: base64(32),
      stay: base64(8),
      n: count,
      to: base64(32),
      data: base64(1_392),
      own: base64(1_392),
    }),
    posted: fc.constant(taken),
  }),
  got: fc.record({ kind: fc.constant("got"), person: base64(32), id: count }),
  server: fc.record({
    kind: fc.constant("server"),
    id: serverId,
    address: text,
  }),
  gone: fc.record({
    kind: fc.constant("gone"),
    server: serverId,
    reason: text,
  }),
};
const KINDS = Object.keys(ITEMS) as Item["kind"][];
const anyItem = fc.oneof(
  ...KINDS.map((kind) => ITEMS[kind] as fc.Arbitrary<Item>),
);

/** An item without what it would call. */
function bare(item: Item | undefined): unknown {
  if (item === undefined) return item;
  const fields = Object.entries(item);
  return Object.fromEntries(
    fields.filter(([_, value]) => typeof value !== "function"),
  );
}

/** As JSON on the way. */
function sent(item: Item): unknown[] {
  return JSON.parse(JSON.stringify(encodeItem(item)));
}

for (const kind of KINDS) {
  Deno.test(`An item "${kind}" arrives as it was sent, and takes no more than was told`, () => {
    const arbitrary = ITEMS[kind] as fc.Arbitrary<Item>;
    fc.assert(
      fc.property(arbitrary, (item) => {
        assertEquals(bare(decodeItem(sent(item), CONTEXT)), bare(item));
        const size = new TextEncoder().encode(JSON.stringify(encodeItem(item)));
        assert(sizeOf(item) >= size.length);
      }),
      { numRuns: 50 },
    );
  });
}

Deno.test("What is told of an item's size isn't much more than it takes", () => {
  const lines = Array.from({ length: 100 }, (_, n) => {
    return { n, text: 'a usual message, such as "people" write' };
  });
  const item = { kind: "say", seat: SEAT, lines, taken } as const;
  const plain = {
    ...item,
    lines: lines.map((it) => ({ ...it, text: "hello" })),
  };
  const size = JSON.stringify(encodeItem(item)).length;
  const plainSize = JSON.stringify(encodeItem(plain)).length;
  assert(sizeOf(item) < 3 * size);
  assert(sizeOf(plain) < 8 * plainSize);
});

Deno.test("Of all that is long in an item, its size has as much as JSON takes of it", () => {
  const key = madeUpId("key");
  const wrapOf = (data: string, to: string): Wrap => ({
    by: key,
    to,
    e: 1,
    data,
  });
  const stagedOf = (...datas: string[]): Staged => ({
    wraps: new Map(datas.map((it, at) => [`${at}`, wrapOf(it, `${at}`)])),
    admission: { invite: 1, key, blob: "" },
  });
  const rule = { kind: "rule", seat: SEAT, id: 1 } as const;
  const [join] = fc.sample(ITEMS.join, 1);
  const [post] = fc.sample(ITEMS.post, 1);
  assert(join && post);
  const entering = (given: Partial<typeof join.request.entering>) => {
    const nothing = { line: undefined, invite: undefined };
    const all = { ...nothing, staged: stagedOf(), ...given };
    return { ...join, request: { ...join.request, entering: all } };
  };
  const lineOf = (text: string) => ({ ...RULE, text });
  const posting = (data: string, own: string) => ({
    ...post,
    posting: { ...post.posting, data, own },
  });
  const saying = (...texts: string[]) => ({
    kind: "say" as const,
    seat: SEAT,
    lines: texts.map((text, n) => ({ n, text })),
    taken,
  });
  const noted = (note: string) => {
    const all = HAPPENINGS.filter(({ kind }) => kind === "invite");
    const happenings = all.map((it) => ({ ...it, note })) as typeof HAPPENINGS;
    return { kind: "people" as const, happenings };
  };
  const blobOf = (blob: string): Staged => ({
    wraps: new Map(),
    admission: { invite: 1, key, blob },
  });
  const plain: readonly ((text: string) => Item)[] = [
    (data) => ({ kind: "give", seat: SEAT, wrap: wrapOf(data, key) }),
    (data) => posting(data, ""),
    (own) => posting("", own),
    (blob) => ({ ...rule, line: RULE, staged: blobOf(blob) }),
    (data) => ({ ...rule, line: RULE, staged: stagedOf(data, "") }),
    (data) => entering({ staged: stagedOf("", data) }),
  ];
  const texts: readonly ((text: string) => Item)[] = [
    (text) => ({ kind: "away", seat: SEAT, text }),
    (words) => ({ kind: "remove", person: ANA, words }),
    (reason) => ({ kind: "leave", seat: SEAT, reason }),
    (reason) => ({ kind: "gone", server: SERVER, reason }),
    (address) => ({ kind: "server", id: SERVER, address }),
    (text) => ({ ...rule, line: lineOf(text), staged: stagedOf() }),
    (text) => entering({ line: lineOf(text) }),
    (text) => saying("", text),
    (text) => saying(text, ""),
    noted,
  ];
  const long = (text: string) => text.repeat(1_000);
  const grows = (of: (text: string) => Item, text: string) =>
    sizeOf(of(text)) - sizeOf(of(""));
  for (const of of [...plain, ...texts]) {
    assertEquals(grows(of, long("A")), 1_000, JSON.stringify(of("")));
    assertEquals(grows(of, long(" #[]~")), 5_000);
  }
  for (const of of texts) {
    const quotes = of === noted ? 0 : 2; // which an empty text has, too
    for (
      const [text, size] of [['"', 2], ["\\", 2], ["ä", 2], ["名", 3], [
        "\u0007",
        6,
      ], ["\x7f", 1]] as const
    ) {
      assertEquals(grows(of, long(text)), 1_000 * size + quotes, text);
      assertEquals(grows(of, long("A") + text), 1_000 + size + quotes, text);
      assertEquals(grows(of, text + long("A")), 1_000 + size + quotes, text);
    }
  }
  // Each line, and each wrap, has some of its own.
  assertEquals(sizeOf(saying("", "")) - sizeOf(saying("")), 64);
  const wraps = (...datas: string[]) =>
    sizeOf({ ...rule, line: RULE, staged: stagedOf(...datas) });
  assertEquals(wraps("", "") - wraps(""), wraps("") - wraps());
  assertEquals(wraps("") - wraps(), sizeOf({ kind: "settings" }));
});

Deno.test("A line that says no more than a number and a text is a message", () => {
  const lines = [{ n: 7, text: "hello" }];
  const item = { kind: "say", seat: SEAT, lines, taken } as const;
  assertEquals(sent(item), ["say", 3, [[7, "hello"]]]);
  const decoded = decodeItem(sent(item), CONTEXT);
  assert(decoded?.kind === "say");
  const said = { n: 7, what: "said", to: null, text: "hello" } as const;
  assertEquals(decoded.lines, [said]);
});

Deno.test("Nobody here waits for what becomes of another server's items", () => {
  const seatless = { ...CONTEXT, seat: () => SEAT };
  for (const kind of ["join", "say", "post"] as const) {
    const [item] = fc.sample(ITEMS[kind] as fc.Arbitrary<Item>, 1);
    assert(item);
    const decoded = decodeItem(sent(item), seatless);
    if (decoded?.kind === "join") {
      decoded.answer(SEAT);
      decoded.request.guest.tell({ kind: "ping" });
      decoded.request.guest.dismiss("left");
      decoded.request.guest.outlet.attach();
      assertEquals(decoded.request.guest.isHere, false);
    } else if (decoded?.kind === "say") decoded.taken();
    else if (decoded?.kind === "post") decoded.posted("waiting");
    assertEquals(decoded?.kind, kind);
  }
});

Deno.test("Items about a connection or a person that isn't there are dropped, whatever else they say", () => {
  const nobody = { ...CONTEXT, seat: () => undefined, person: () => undefined };
  for (const kind of KINDS) {
    const [item] = fc.sample(ITEMS[kind] as fc.Arbitrary<Item>, 1);
    assert(item);
    const isDropped = "seat" in item || kind === "remove";
    const decoded = decodeItem(sent(item), nobody);
    assertEquals(decoded === undefined, isDropped, kind);
  }
});

Deno.test("A join without a number is not decided, and isn't sent", () => {
  const [item] = fc.sample(ITEMS.join, 1);
  assert(item);
  const { id: _, ...undecided } = item;
  assertThrows(() => encodeItem(undecided), TypeError, "no number");
  assertEquals(sizeOf(undecided), sizeOf(item)); // as large as it can become
});

Deno.test("docs/protocol.md lists every kind of item", async () => {
  const page = await Deno.readTextFile(
    new URL("../../../../docs/protocol.md", import.meta.url),
  );
  const [_, table = ""] = page.split(/^\| item .*\n/m);
  const [rows = ""] = table.split("\n\n");
  const listed = [...rows.matchAll(/^\| `([a-z]+)`/gm)].map(([_, kind]) =>
    kind
  );
  assertEquals(listed.toSorted(), KINDS.toSorted());
});

// ── What no server writes ──────────────────────────────────────────────────────────────────────────────

function assertMalformed(json: unknown): void {
  const what = JSON.stringify(json)?.slice(0, 200);
  const error = assertThrows(
    () => decodeItem(json, CONTEXT),
    EntryError,
    "Skipped an entry of the stream: ",
    what,
  );
  assertEquals(error.fault, "malformed");
}

Deno.test("What isn't a list that begins with a known kind is no item", () => {
  const kinds = ["", "toString", "__proto__", "SAY", 1, null, ["say"]];
  for (const it of kinds) assertMalformed([it, 3, []]);
  for (const it of [undefined, null, 7, "say", {}, { kind: "say" }, []]) {
    assertMalformed(it);
  }
});

Deno.test("An item with a field too few or too many is none", () => {
  fc.assert(fc.property(anyItem, (item) => {
    const json = sent(item);
    assertMalformed([...json, null]);
    if (json.length > 1) assertMalformed(json.slice(0, -1));
  }));
});

Deno.test("An item with a field of another type is none", () => {
  const wrong = fc.constantFrom<unknown>(true, {}, -1, 0.5, 2 ** 53, [[]]);
  fc.assert(fc.property(anyItem, wrong, fc.nat(), (item, value, nth) => {
    const json = sent(item);
    if (json.length === 1) return;
    const at = 1 + nth % (json.length - 1);
    assertMalformed(json.with(at, value));
  }));
});

Deno.test("Wrong fields inside of items are found, too", () => {
  const key = madeUpId("key");
  const stay = madeUpStay("ana");
  const wrong: unknown[] = [
    ["say", 3, [[1]]],
    ["say", 3, [[1, "a", "said"]]],
    ["say", 3, [[1, "a", "ruled", null]]],
    ["say", 3, [[1, "a", "toString", null]]],
    ["say", 3, [[1, "a", "replied", "7"]]],
    ["say", 3, [[1, "a".repeat(6_145)]]],
    ["say", 3, [{ n: 1, text: "a" }]],
    ["rename", 3, "not a name"],
    ["rename", 3, "server"],
    ["rule", 3, 1, "rename {} x", [], null],
    ["rule", 3, 1, RULE.text, [[key, key, 1]], null],
    ["rule", 3, 1, RULE.text, [], [1, key]],
    ["give", 3, [key, key, 1, "!"]],
    ["give", 3, [key, "short", 1, "A"]],
    ["link", "short"],
    ["got", "short", 1],
    ["gone", "short", "quit"],
    ["server", "short", "a:1"],
    ["post", 3, key, "stay", 1, key, "A", "A"],
    ["post", 3, key, stay, 1, key, "A", "=="],
    ["people", [null]],
    ["people", [[]]],
    ["people", [7]],
    ["people", ["text"]],
    ["people", [{ kind: ["room"] }]],
    ["people", [{ kind: "other" }]],
    ["people", [{ kind: "used", invite: 7 }]],
    ["people", [{ kind: "used", invite: "7", person: key }]],
    ["people", [{ kind: "used", invite: 7, person: key, more: 1 }]],
    ["people", [{ kind: "revoked", invite: 7 }, { kind: "__proto__" }]],
  ];
  for (const json of wrong) assertMalformed(json);
});

Deno.test("What happened to people has each of its fields, as it has to be, and no other", () => {
  const mayLack = { room: ["topic", "slow"] } as Record<string, string[]>;
  for (const happening of HAPPENINGS) {
    const { kind, ...fields } = happening;
    for (const [name, value] of Object.entries(fields)) {
      const isText = typeof value === "string";
      const others: unknown[] = [{}, isText ? 1 : "1", true, null];
      const wrong = others.filter((it) =>
        typeof it !== typeof value && !(it === null && name === "until")
      );
      assert(wrong.length >= 2);
      for (const it of wrong) {
        assertMalformed(["people", [{ kind, ...fields, [name]: it }]]);
      }
      const { [name]: _, ...rest } = fields as Record<string, unknown>;
      const lacking = ["people", [{ kind, ...rest }]];
      if (!mayLack[kind]?.includes(name)) assertMalformed(lacking);
      else assertEquals(decodeItem(lacking, CONTEXT)?.kind, "people");
    }
    assertMalformed(["people", [happening, { kind, ...fields, toString: 1 }]]);
  }
});

Deno.test("Whatever JSON comes, it is an item, or it is refused in a way that is told", () => {
  const json = fc.oneof(
    fc.jsonValue(),
    fc.tuple(fc.constantFrom(...KINDS), fc.jsonValue(), fc.jsonValue()),
  );
  fc.assert(fc.property(json, (value) => {
    try {
      decodeItem(value, CONTEXT);
    } catch (error) {
      assert(error instanceof EntryError, String(error));
    }
  }));
});
