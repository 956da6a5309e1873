/**
 * What a server does when it comes to the stream, as a table: what it has, what the stream has, and what others have.
 *
 * @module
 */

import {
  decide,
  type Decision,
  type Found,
  isHere,
  meet,
  type Other,
  type Own,
} from "../../../../src/server/cluster/beginning.ts";
import { assertEquals, assertMatch } from "../../../kit/assert.ts";

/** Has carried out up to entry 10 of stream "s", which was made as "1", with 20 lines in the log. */
const here: Own = {
  id: "m",
  place: {
    stream: "s",
    made: "1",
    sealed: false,
    earlier: [],
    begun: 1,
    place: 10,
    digest: "ten",
    head: 20,
    base: 9,
    time: 0,
    own: "m",
  },
  head: 20,
};
const fresh: Own = { id: "m", place: undefined, head: 0 };
const logged: Own = { ...fresh, head: 20 };

const other = (id: string, has: Partial<Other> = {}): Other => ({
  id,
  isSettled: false,
  stream: "s",
  begun: 1,
  place: 10,
  head: 20,
  ...has,
});
const stream = (
  first: number,
  last: number,
  { digest, made = "1" }: {
    readonly digest?: string;
    readonly made?: string;
  } = {},
): Found => ({ state: { made, first, last }, digest });

const empty = stream(1, 0, { made: "2" });
const settled = { isSettled: true, stream: "t", begun: 3 };

/** What is told: what is had, found and heard of, and what follows; the reason apart. */
type Case = readonly [
  name: string,
  own: Own,
  found: Found,
  others: readonly Other[],
  decision: Readonly<Record<string, unknown>>,
  why?: RegExp,
];

const CASES: readonly Case[] = [
  // ── It has its place ──
  ["its entry is there", here, stream(1, 12, { digest: "ten" }), [], {
    kind: "go-on",
    from: 11,
  }],
  [
    "its entry is there in a stream that was restored whole",
    here,
    stream(1, 12, { digest: "ten", made: "2" }),
    [other("a", settled)],
    { kind: "go-on", from: 11 },
  ],
  ["its entry is the last that is gone", here, stream(11, 12), [], {
    kind: "go-on",
    from: 11,
  }],
  ["all is gone that it has carried out", here, stream(11, 10), [], {
    kind: "go-on",
    from: 11,
  }],
  // ── The stream reaches back no longer ──
  [
    "the next entries are gone, and another server is in the stream",
    here,
    stream(14, 20),
    [
      other("b", { isSettled: true, place: 18 }),
      other("c", {
        isSettled: true,
        place: 20,
      }),
    ],
    { kind: "catch-up", of: "c" },
    /no longer has entries 11 to 13/,
  ],
  [
    "the next entries are gone, and no other server is in the stream",
    here,
    stream(14, 20),
    [other("b")],
    { kind: "wait" },
    /no longer has entries 11 to 13/,
  ],
  // ── It is new ──
  ["it is new, the stream too, and nobody else is here", fresh, empty, [], {
    kind: "begin",
    place: 1,
  }],
  [
    "it is new, and the stream is empty and was used before",
    fresh,
    stream(8, 7),
    [],
    { kind: "begin", place: 8 },
  ],
  [
    "two are new: the smaller id begins",
    fresh,
    empty,
    [other("a", { stream: "", place: 0, head: 0 })],
    { kind: "await", of: "a", place: 1 },
  ],
  [
    "two are new: the longer log begins",
    logged,
    empty,
    [other("a", { stream: "", place: 0, head: 19 })],
    { kind: "begin", place: 1 },
  ],
  [
    "it is new, and another server is in the stream",
    fresh,
    stream(1, 5),
    [other("a"), other("b", settled)],
    { kind: "catch-up", of: "b" },
    /new in the room/,
  ],
  [
    "its place is lost, and another server is in the stream",
    logged,
    stream(1, 5),
    [other("b", settled)],
    { kind: "catch-up", of: "b" },
    /chat.cluster is lost/,
  ],
  [
    "it is new, and nobody knows what is in the stream",
    fresh,
    stream(1, 5),
    [],
    { kind: "wait" },
  ],
  // ── The stream is lost ──
  ["the stream is empty, and nobody else is here", here, empty, [], {
    kind: "begin",
    place: 1,
  }, /emptied or made anew/],
  [
    "the stream is older",
    here,
    stream(1, 7),
    [],
    { kind: "begin", place: 8 },
    /ends with entry 7, .* carried out entry 10: an older one was put back/,
  ],
  [
    "another entry stands at its place",
    here,
    stream(1, 12, { digest: "other" }),
    [],
    { kind: "begin", place: 13 },
    /Entry 10 of the stream isn't the one/,
  ],
  [
    "another stream begins after its place",
    here,
    stream(15, 16, { made: "2" }),
    [],
    { kind: "begin", place: 17 },
    /begins with entry 15/,
  ],
  [
    "the stream is lost, and another log is longer",
    here,
    empty,
    [other("z", { head: 21, place: 9 })],
    { kind: "await", of: "z", place: 1 },
  ],
  [
    "the stream is lost, and another has carried out more",
    here,
    empty,
    [other("z", { place: 11 })],
    { kind: "await", of: "z", place: 1 },
  ],
  [
    "the stream is lost, and another with as many lines was never in it",
    here,
    empty,
    [other("a", { stream: "", place: 0 })],
    { kind: "begin", place: 1 },
  ],
  [
    "the stream is lost, and all have the same: the smallest id begins",
    here,
    empty,
    [other("z"), other("n")],
    { kind: "begin", place: 1 },
  ],
  [
    "the stream is lost, and another is in it that has not noticed yet",
    here,
    empty,
    [other("a", { isSettled: true })],
    { kind: "await", of: "a", place: 1 },
  ],
  [
    "the stream is lost, and another that was not as far is still in it",
    here,
    stream(1, 7),
    [other("a", { isSettled: true, place: 7, head: 15 })],
    { kind: "begin", place: 8 },
  ],
  [
    "the stream is lost, and another of another stream is at a later place of that",
    here,
    empty,
    [other("z", { stream: "t", place: 99 })],
    { kind: "begin", place: 1 },
  ],
  [
    "one entry is in the stream, and it is new",
    fresh,
    stream(1, 1),
    [],
    { kind: "wait" },
    /new in the room/,
  ],
  [
    "one entry is in the stream, and another server has been in it",
    here,
    stream(15, 15, { made: "2" }),
    [],
    { kind: "begin", place: 16 },
    /begins with entry 15/,
  ],
  [
    "the stream was made anew, and lacks the entry at its place",
    here,
    stream(5, 10, { made: "2" }),
    [],
    { kind: "begin", place: 11 },
    /begins with entry 5/,
  ],
  [
    "of several in the stream the one that is furthest is asked, then the smallest id",
    fresh,
    stream(1, 5),
    ["c", "b", "d"].map((id) => other(id, settled)),
    { kind: "catch-up", of: "b" },
  ],
  [
    "the room has gone on in another stream",
    here,
    empty,
    [other("z"), other("b", settled)],
    { kind: "join", of: "b", stream: "t", begun: 3 },
  ],
];

for (const [name, own, found, others, expected, words = /./] of CASES) {
  Deno.test(`decide(): ${name}`, () => {
    const decision: Decision & { readonly why?: string } = decide(
      own,
      found,
      others,
    );
    const { why, ...rest } = decision;
    assertEquals(rest, expected as typeof rest);
    assertMatch(why ?? "goes on", words);
  });
}

Deno.test("decide() has exactly one of all servers begin a lost stream, whoever asks first", () => {
  const all = ["b", "a", "c"].map((id, at) =>
    other(id, { head: 20 - at % 2, place: 10 })
  );
  const decisions = all.map(({ id, head, place }) =>
    decide(
      { id, head, place: here.place && { ...here.place, place } },
      empty,
      all.filter((it) => it.id !== id),
    )
  );
  assertEquals(decisions.map(({ kind }) => kind), ["begin", "await", "await"]);
  assertEquals(
    decisions.map((it) => it.kind === "await" ? it.of : ""),
    ["", "b", "b"],
  );
});

const after = { stream: "s", place: 10, digest: "ten" };
const begun = { head: 20, after, isOwn: false };

for (
  const [name, beginning, own, agrees, expected] of [
    ["it has carried out the same", begun, here, true, "go-on"],
    [
      "it has made it itself, out of its log alone",
      { ...begun, after: null, isOwn: true },
      logged,
      true,
      "go-on",
    ],
    [
      "it has as many lines, and was never in the stream",
      { ...begun, after: null },
      logged,
      true,
      "catch-up",
    ],
    [
      "it has as many lines, and is at another place",
      { ...begun, after: { ...after, place: 11, digest: "eleven" } },
      here,
      true,
      "catch-up",
    ],
    [
      "it is at the same place of another stream",
      { ...begun, after: { ...after, stream: "t" } },
      here,
      true,
      "catch-up",
    ],
    [
      "it has carried out another entry at that place",
      { ...begun, after: { ...after, digest: "other" } },
      here,
      true,
      "catch-up",
    ],
    [
      "it has the same entry at another place",
      { ...begun, after: { ...after, place: 11 } },
      here,
      true,
      "catch-up",
    ],
    ["it was never in that stream", begun, logged, true, "catch-up"],
    ["its log is shorter", { ...begun, head: 21 }, here, undefined, "catch-up"],
    ["its log is longer", { ...begun, head: 19 }, here, true, "longer"],
    ["its log is another one", begun, here, false, "other"],
  ] as const
) {
  Deno.test(`meet(): ${name}`, () => {
    assertEquals(meet(beginning, own, agrees), expected);
  });
}

Deno.test("a server is here where its entry is, or was the last that is gone", () => {
  const { place } = here;
  const is = (found: Found) => isHere(place, found);
  assertEquals(is(stream(1, 12, { digest: "ten" })), true);
  assertEquals(is(stream(1, 12, { digest: "other" })), false);
  assertEquals([is(stream(11, 12)), is(stream(12, 12))], [true, false]);
  assertEquals([is(stream(11, 10)), is(stream(8, 9))], [true, false]);
  assertEquals(is(stream(11, 12, { made: "2" })), false);
  assertEquals(isHere(undefined, stream(1, 0)), false);
});
