/**
 * Tests of the JSON lines: each object as the schema says, what is asked for, and harmless however it is shown.
 *
 * @module
 */

import schema from "../../../../src/client/pipe/schema/json-lines.schema.json" with {
  type: "json",
};
import { Ignored } from "../../../../src/client/ignored.ts";
import { byNameOrId } from "../../../../src/client/person.ts";
import { JsonView } from "../../../../src/client/pipe/json_view.ts";
import type { News, RoomNews } from "../../../../src/client/view.ts";
import {
  interpretRequest,
  REQUEST_TYPES,
  type RequestContext,
} from "../../../../src/client/pipe/requests.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { ATTACKS, DANGEROUS } from "../../../kit/hostile_texts.ts";
import { fits } from "../../../kit/json_schema.ts";

const at = Date.UTC(2026, 10, 23, 17, 5, 54, 120);
const TIME = `"at":"2026-11-23T17:05:54.120Z"`;
const KEY = "k3df9q2mx7ta41cz";

/** A view, and the lines that it wrote. */
function open() {
  let text = "";
  const output = {
    writeSync(bytes: Uint8Array) {
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  };
  const input = new ReadableStream<Uint8Array<ArrayBuffer>>();
  const view = new JsonView({ input, output, errors: output });
  return { view, lines: () => text.split("\n").slice(0, -1) };
}

function roomNews(
  type: RoomNews["type"],
  text: string,
  more: Partial<RoomNews> = {},
): RoomNews {
  const who = { name: "cron", person: KEY, own: true, past: false };
  return { type, seq: 88, at, text, to: null, ...who, ...more };
}

const entered: News = {
  type: "entered",
  address: "192.0.2.7:5000",
  name: "cron",
  others: 2,
  seq: 88,
  at,
  person: KEY,
  earlier: 12,
  again: false,
  waiting: 0,
};

const SHA256 = "0123456789abcdef".repeat(4);
const QUOTED = { name: "ana", person: "key", text: "done?" };
const BEN = "8wn0yqp4rv6hs2jb";
const LIKED = { name: "ben", person: BEN, text: "👍" };
const CHANGED = { edited: true, deleted: false, reactions: [LIKED] };
const DELETED = { edited: false, deleted: true, reactions: [] };
const ANA = { name: "ana", person: KEY };
const PRESENT = {
  ...ANA,
  id: "",
  connections: 2,
  since: at,
  active: at,
  away: "",
};
const SELF = { ...PRESENT, id: "own", name: "cron", person: KEY.toUpperCase() };
/** ana, as somebody who is ignored. */
const IGNORED = { ...ANA, id: "", formerly: "ana" };

const PRIVATE = {
  type: "private",
  at,
  name: "ana",
  person: KEY,
  to: { name: "ben", person: BEN },
  text: "at six\n",
  own: false,
} as const;

/** Everything that the view writes, and how it looks. */
const LINES: readonly (readonly [(view: JsonView) => void, string])[] = [
  [
    (view) => view.show(entered),
    `"joined",SEQ,"server":"192.0.2.7:5000","others":2,"earlier":12,"again":false,"waiting":0`,
  ],
  [(view) => view.show(roomNews("joined", "")), `"joined",SEQ`],
  [
    (view) => view.show(roomNews("said", "backup\ndone")),
    String.raw`"said",SEQ,"text":"backup\ndone"`,
  ],
  [
    (view) => view.show(roomNews("acted", "waves")),
    `"acted",SEQ,"text":"waves"`,
  ],
  [
    (view) => view.show(roomNews("replied", "yes", { to: 7, quoted: QUOTED })),
    `"replied",SEQ,"text":"yes","to":7,"quoted":{"name":"ana","text":"done?"}`,
  ],
  [
    (view) => view.show(roomNews("edited", "no", { to: 7, quoted: QUOTED })),
    `"edited",SEQ,"text":"no","to":7,"quoted":{"name":"ana","text":"done?"}`,
  ],
  [
    (view) => view.show(roomNews("deleted", "", { to: 7 })),
    `"deleted",SEQ,"to":7,"quoted":null`,
  ],
  [
    (view) => view.show(roomNews("reacted", "👍", { to: 7 })),
    `"reacted",SEQ,"text":"👍","to":7,"quoted":null`,
  ],
  [(view) => view.show(roomNews("sealed", "3.TG9y")), `"sealed",SEQ`],
  [
    (view) => view.show(roomNews("ruled", 'keys {"count":2} TG9y')),
    `"ruled",SEQ,"verb":"keys"`,
  ],
  [
    (view) => view.show(roomNews("said", "hi", { changed: CHANGED })),
    `"said",SEQ,"text":"hi","edited":true,"reactions":[{"name":"ben","key":"${BEN}","text":"👍"}]`,
  ],
  [
    (view) => view.show(roomNews("said", "", { changed: DELETED })),
    `"said",SEQ,"text":"","deleted":true`,
  ],
  [
    (view) => view.show(roomNews("replied", "yes", { to: 7 })),
    `"replied",SEQ,"text":"yes","to":7,"quoted":null`,
  ],
  [
    (view) =>
      view.show(roomNews("offered", `hut.jpg (7 bytes, SHA-256 ${SHA256})`)),
    `"offered",SEQ,"file":"hut.jpg","size":7,"sha256":"${SHA256}"`,
  ],
  [
    (view) => view.show(PRIVATE),
    String
      .raw`"private","at":"2026-11-23T17:05:54.120Z","name":"ana","key":"${KEY}","own":false,"to":"ben","toKey":"${BEN}","text":"at six\n"`,
  ],
  [
    (view) => view.show({ ...PRIVATE, own: true, state: "waiting", id: 7 }),
    String
      .raw`"private","id":7,"at":"2026-11-23T17:05:54.120Z","name":"ana","key":"${KEY}","own":true,"to":"ben","toKey":"${BEN}","text":"at six\n","state":"waiting"`,
  ],
  [
    (view) =>
      view.show({
        type: "private-unread",
        name: "ana",
        person: KEY,
        own: false,
        reason: "old",
      }),
    `"private-unread","name":"ana","key":"${KEY}","own":false,"reason":"old","message":"A private message from ana is not shown: it is more than 8 days old"`,
  ],
  [
    (view) => view.show(roomNews("renamed", "cron2")),
    `"renamed",SEQ,"newName":"cron2"`,
  ],
  [(view) => view.show(roomNews("left", "lost")), `"left",SEQ,"reason":"lost"`],
  [
    (view) =>
      view.show({
        type: "found",
        words: "done",
        lines: [roomNews("said", "done")],
        more: true,
      }),
    `"found","words":"done","more":true,"lines":[{"type":"said",SEQ,"text":"done"}]`,
  ],
  [
    (view) => {
      const who = { name: "ana", person: KEY };
      const lines = [
        { type: "warning", line: 4, ...who, reason: "text-wrong" } as const,
      ];
      view.show({ type: "found", words: "x", lines, more: true, backTo: 4 });
    },
    `"found","words":"x","more":true,"backTo":4,"lines":[{"type":"warning","seq":4,"name":"ana","key":"${KEY}","reason":"text-wrong","message":"WARNING: line 4, as from ana, is not shown: what is sealed in it cannot be read"}]`,
  ],
  [
    (view) =>
      view.show({
        type: "away-message",
        name: "ana",
        person: KEY,
        text: "lunch",
        own: false,
      }),
    `"away-message","name":"ana","key":"${KEY}","own":false,"text":"lunch"`,
  ],
  [
    (view) =>
      view.show({
        type: "file",
        offer: 12,
        name: "hut.jpg",
        size: 7,
        got: 3,
        state: "waiting",
        path: "",
        reason: "no answer",
      }),
    `"file","offer":12,"file":"hut.jpg","size":7,"got":3,"state":"waiting","path":"","reason":"no answer"`,
  ],
  [
    (view) =>
      view.show({
        type: "refused",
        text: "",
        reason: "text-empty",
        detail: "",
      }),
    `"refused","text":"","reason":"text-empty","detail":"","message":"A message needs some text"`,
  ],
  [(view) => view.show({ type: "current" }), `"current"`],
  [
    (view) => view.show({ type: "lost", text: "\n" }),
    String.raw`"lost","text":"\n"`,
  ],
  [
    (view) =>
      view.show({
        type: "warning",
        line: 41,
        name: "ana",
        person: KEY,
        reason: "signature-wrong",
      }),
    `"warning","seq":41,"name":"ana","key":"${KEY}","reason":"signature-wrong","message":"WARNING: line 41, as from ana, is not shown: that person did not sign it"`,
  ],
  [
    (view) => view.show({ type: "disconnected", reason: "lost", seconds: 2 }),
    `"away","reason":"lost","seconds":2`,
  ],
  [
    (view) => {
      const next = "chat.example:5000";
      view.show({ type: "disconnected", reason: "lost", seconds: 0, next });
    },
    `"away","reason":"lost","seconds":0,"next":"chat.example:5000"`,
  ],
  [(view) => view.held(true), `"waiting","is":true`],
  [
    (view) => view.members([PRESENT], undefined),
    `"members","room":"open","members":[{"name":"ana","key":"${KEY}","since":TIME,"active":TIME,"away":"","connections":2}]`,
  ],
  [
    (view) => view.ignoring([PRESENT]),
    `"ignored","members":[{"name":"ana","key":"${KEY}"}]`,
  ],
  [
    (view) => view.digits("ana", { digits: ["1 2", "3 4"], isVerified: true }),
    `"digits","name":"ana","digits":["1 2","3 4"],"verified":true`,
  ],
  [
    (view) =>
      view.show({
        type: "invited",
        link: "chat://a:1/#x",
        uses: 1,
        until: null,
        note: "Rahul",
      }),
    `"invite","link":"chat://a:1/#x","uses":1,"until":null,"note":"Rahul"`,
  ],
  [(view) => view.note("one\ntwo"), String.raw`"note","text":"one\ntwo"`],
  [
    (view) => view.error("No", { line: "{" }),
    `"error","message":"No","line":"{"`,
  ],
  [(view) => view.error("No"), `"error","message":"No"`],
  [
    (view) =>
      view.show({
        type: "taken",
        offer: 12,
        file: "hut.jpg",
        ...ANA,
        own: false,
      }),
    `"taken","offer":12,"file":"hut.jpg","name":"ana","key":"${KEY}","own":false`,
  ],
  [(view) => view.show({ type: "done", id: 7 }), `"done","id":7`],
  [
    (view) => view.show({ type: "history-differs", from: 81, exact: true }),
    `"history-differs","from":81,"exact":true`,
  ],
  [
    (view) =>
      view.show({ type: "agreement", upTo: 42, digits: "01234", id: 7 }),
    `"agreement","id":7,"seq":42,"digits":"01234"`,
  ],
  // Answers to requests that are called something.
  [
    (view) => view.show({ ...roomNews("said", "done"), id: "a" }),
    `"said","id":"a",SEQ,"text":"done"`,
  ],
  [
    (view) =>
      view.show({ type: "found", words: "", lines: [], more: false, id: 7 }),
    `"found","id":7,"words":"","more":false,"lines":[]`,
  ],
  [
    (view) =>
      view.show({
        type: "file",
        offer: 12,
        name: "hut.jpg",
        size: 7,
        got: 3,
        state: "failed",
        path: "",
        reason: "it is no longer offered",
        again: false,
        id: 7,
      }),
    `"file","id":7,"offer":12,"file":"hut.jpg","size":7,"got":3,"state":"failed","path":"","reason":"it is no longer offered","again":false`,
  ],
  [
    (view) => view.members([], [PRESENT], 7),
    `"members","id":7,"room":"sealed","keepers":[{"name":"ana","key":"${PRESENT.person}"}],"members":[]`,
  ],
  [(view) => view.ignoring([], 7), `"ignored","id":7,"members":[]`],
  [(view) => view.note("one", 7), `"note","id":7,"text":"one"`],
  [(view) => view.fail("No", "x"), `"error","id":"x","message":"No"`],
];

Deno.test("JsonView writes one object a line for each kind of news", () => {
  const { view, lines } = open();
  for (const [write] of LINES) write(view);
  const seq =
    `"seq":88,${TIME},"name":"cron","key":"${KEY}","own":true,"past":false`;
  assertEquals(
    lines(),
    LINES.map(([, shown]) =>
      `{"v":1,"type":${
        shown.replace("SEQ", seq).replaceAll("TIME", TIME.slice(5))
      }}`
    ),
  );
});

Deno.test("JsonView writes what the schema says, and no field that it doesn't describe", () => {
  const { view, lines } = open();
  for (const [write] of LINES) write(view);
  const described: Readonly<Record<string, object>> = schema.$defs;
  for (const line of lines()) {
    const object = JSON.parse(line);
    assert(fits(object, schema), line);
    const kind = described[object.type] ?? {};
    assert("properties" in kind);
    const fields = ["v", ...Object.keys(kind.properties ?? {})];
    assertEquals(
      Object.keys(object).filter((key) => !fields.includes(key)),
      [],
    );
    // Every field but those of the client's own joining is needed.
    for (const field of ["v", "type", "seq", "text", "message", "members"]) {
      if (!(field in object)) continue;
      const { [field]: _, ...rest } = object;
      assert(!fits(rest, schema), `${field} of ${line}`);
    }
  }
});

Deno.test("the schema describes each kind of event that is written, and each request", () => {
  const { view, lines } = open();
  for (const [write] of LINES) write(view);
  const written = new Set(lines().map((line) => JSON.parse(line).type));
  const described = schema.oneOf.map(({ $ref }) => $ref.split("/").at(-1));
  assertEquals(
    described,
    [...written].toSorted((a, b) =>
      described.indexOf(a) - described.indexOf(b)
    ),
  );
  const requests = schema.$defs.request.oneOf
    .map(({ properties }) => properties.type.const);
  assertEquals(requests.toSorted(), REQUEST_TYPES.toSorted());
});

Deno.test("JsonView writes harmless lines that parse to the original", () => {
  const texts = [
    ...ATTACKS,
    String.raw`\u{e0001} \\u{e0001} \n "quoted" \ud800`,
    "1\ufe0f\u20e3 👩\u200d🚀 ❤\ufe0f",
    "e" + "\u0301".repeat(40),
  ];
  for (const text of texts) {
    const { view, lines } = open();
    const quoted = { name: text, text };
    view.show(roomNews("said", text, { name: text }));
    view.show(roomNews("acted", text, { name: text }));
    view.show(roomNews("replied", text, {
      name: text,
      to: 1,
      quoted: { ...quoted, person: "key" },
    }));
    view.note(text);
    const more = false;
    view.show({
      type: "found",
      words: text,
      lines: [roomNews("said", text)],
      more,
    });
    view.members([{ ...PRESENT, name: text, away: text }], undefined);
    view.error(text, { line: text, id: text });
    assertEquals(lines().length, 7);
    for (const line of lines()) {
      // Emoji keep the selectors and joiners that make them one picture.
      assert(!DANGEROUS.test(line.replace(/\p{RGI_Emoji}/gv, "")), line);
    }
    const [said = "", , replied = "", note = ""] = lines();
    const { name, text: parsed } = JSON.parse(said);
    assertEquals([name, parsed, JSON.parse(note).text], [text, text, text]);
    assertEquals(JSON.parse(replied).quoted, quoted);
  }
});

/** A context that remembers what was done. */
function remember() {
  const done: unknown[][] = [];
  const does = (what: string) => (...args: unknown[]) => {
    const given = args.findLastIndex((arg) => arg !== undefined) + 1;
    done.push([what, ...args.slice(0, given)]);
    return Promise.resolve();
  };
  const context: RequestContext = {
    inRoom: () => Promise.resolve(),
    say: does("say"),
    act: does("act"),
    away: does("away"),
    history: does("history"),
    older: does("older"),
    topic: () => "",
    agree: does("agree"),
    accept: does("accept"),
    quit: does("quit"),
    rename: does("rename"),
    reply: does("reply"),
    edit: does("edit"),
    write: does("write"),
    delete: does("delete"),
    react: does("react"),
    lastOwn: () => 41,
    search: does("search"),
    send: does("send"),
    get: does("get"),
    drop: does("drop"),
    release: does("release"),
    operate: does("operate"),
    verification: (name) =>
      name === "ben"
        ? { digits: ["1 2", "3 4"], code: "ids", isVerified: true }
        : undefined,
    verify: () => true,
    find: (name) => byNameOrId([PRESENT, SELF], name),
    isSelf: ({ id }) => id === SELF.id,
    numbers: () => [],
    digits: does("digits"),
    keepers: () => [PRESENT],
    members: does("members"),
    ignoring: does("ignoring"),
    ignored: new Ignored(),
    error: (message, { line, id }) => does("error")(message, line, id),
    who: () => [PRESENT, SELF],
  };
  return { context, done };
}

Deno.test("interpretRequest() does what a person can do", async () => {
  const cases: [unknown, unknown[]][] = [
    [{ type: "act", text: "waves" }, ["act", "waves"]],
    [{ type: "reply", to: 7, text: "yes" }, ["reply", 7, "yes"]],
    [{ type: "edit", to: 7, text: "no" }, ["edit", 7, "no"]],
    [{ type: "private", to: "ben", text: "hi" }, ["write", "ben", "hi"]],
    [{ type: "private", to: "7", text: "hi" }, ["write", "7", "hi"]],
    [{ type: "delete", to: 7 }, ["delete", 7]],
    [{ type: "react", to: 7, text: "👍" }, ["react", 7, "👍"]],
    [{ type: "react", to: 7 }, ["react", 7, ""]],
    [{ type: "rename", name: "cron2" }, ["rename", "cron2"]],
    [{ type: "away", text: "lunch" }, ["away", "lunch"]],
    [{ type: "away" }, ["away", ""]],
    [{ type: "history", count: 3 }, ["history", 3]],
    [{ type: "history" }, ["history", 20]],
    [{ type: "search", words: "a b" }, ["search", "a b"]],
    [{ type: "agree" }, ["agree"]],
    [{ type: "agree", seq: 42 }, ["agree", 42]],
    [{ type: "accept" }, ["accept"]],
    [{ type: "send", path: "a b.txt" }, ["send", "a b.txt"]],
    [{ type: "get", offer: 12 }, ["get", 12]],
    [{ type: "drop", offer: 12 }, ["drop", 12]],
    [{ type: "who" }, ["members", [PRESENT, SELF], [PRESENT]]],
    [{ type: "ignore" }, ["ignoring", []]],
    [{ type: "ignore", name: "Ana" }, ["ignoring", [IGNORED]]],
    [{ type: "quit" }, ["quit"]],
    [{ type: "quit", text: "bye" }, ["quit", "bye"]],
  ];
  for (const [request, expected] of cases) {
    const { context, done } = remember();
    assertEquals(
      await interpretRequest(JSON.stringify(request), context),
      null,
    );
    assertEquals(done, [expected]);
    const { request: described } = schema.$defs;
    assert(fits(request, described, schema));
  }
});

Deno.test("interpretRequest() ignores who is here, and again no longer", async () => {
  const { context, done } = remember();
  const unignore = JSON.stringify({ type: "unignore", name: "ANA" });
  await interpretRequest(unignore, context);
  await interpretRequest(
    JSON.stringify({ type: "ignore", name: "ana" }),
    context,
  );
  await interpretRequest(
    JSON.stringify({ type: "ignore", name: "ana" }),
    context,
  );
  await interpretRequest(unignore, context);
  const nobody = JSON.stringify({ type: "ignore", name: "ben" });
  await interpretRequest(nobody, context);
  assertEquals(done, [
    ["error", 'Nobody is called "ANA"', unignore],
    ["ignoring", [IGNORED]],
    ["ignoring", [IGNORED]],
    ["ignoring", []],
    ["error", 'Nobody is called "ben"', nobody],
  ]);
});

Deno.test("interpretRequest() finds who is ignored by id and by any name, and doesn't ignore the program itself", async () => {
  const { context, done } = remember();
  const ask = (type: string, name: string) =>
    interpretRequest(JSON.stringify({ type, name }), context);
  const self = JSON.stringify({ type: "ignore", name: "cron" });
  await ask("ignore", "cron");
  await ask("ignore", "ana");
  const renamed: RequestContext = {
    ...context,
    who: () => [{ ...PRESENT, name: "anna" }],
  };
  await interpretRequest('{"type":"ignore"}', renamed);
  await interpretRequest('{"type":"unignore","name":"anna"}', renamed);
  await ask("ignore", KEY);
  await ask("unignore", KEY);
  assertEquals(done, [
    ["error", 'Cannot ignore "cron": that is you', self],
    ["ignoring", [IGNORED]],
    ["ignoring", [{ ...IGNORED, name: "anna" }]],
    ["ignoring", []],
    ["ignoring", [IGNORED]],
    ["ignoring", []],
  ]);
});

Deno.test("JsonView shows nothing that an ignored member does, until it is ignored no longer", () => {
  const { view, lines } = open();
  const others = (type: RoomNews["type"]) =>
    roomNews(type, "x", { own: false, name: "anyone" });
  view.ignored.add(PRESENT);
  view.show(others("said"));
  view.show(others("joined"));
  view.show({
    type: "found",
    words: "x",
    lines: [others("said")],
    more: false,
  });
  view.show(roomNews("said", "own"));
  view.ignored.remove(ANA);
  view.show(others("said"));
  const shown = lines().map((line) => JSON.parse(line));
  assertEquals(
    shown.map(({ type, text, lines }) => text ?? lines ?? type),
    [[], "own", "x"],
  );
});

Deno.test("interpretRequest() hands on what a request is called", async () => {
  const cases: [object, unknown[]][] = [
    [{ type: "say", text: "x" }, ["say", "x", 7]],
    [{ type: "act", text: "x" }, ["act", "x", 7]],
    [{ type: "reply", to: 1, text: "x" }, ["reply", 1, "x", 7]],
    [{ type: "agree" }, ["agree", undefined, 7]],
    [{ type: "agree", seq: 42 }, ["agree", 42, 7]],
    [{ type: "accept" }, ["accept", 7]],
    [{ type: "rename", name: "x" }, ["rename", "x", 7]],
    [{ type: "away" }, ["away", "", 7]],
    [{ type: "history" }, ["history", 20, 7]],
    [{ type: "search", words: "x" }, ["search", "x", 7]],
    [{ type: "send", path: "x" }, ["send", "x", 7]],
    [{ type: "get", offer: 1 }, ["get", 1, 7]],
    [{ type: "drop", offer: 1 }, ["drop", 1, 7]],
    [{ type: "who" }, ["members", [PRESENT, SELF], [PRESENT], 7]],
    [{ type: "release" }, ["release", 7]],
    [{ type: "verify", name: "ben" }, ["digits", "ben", {
      digits: ["1 2", "3 4"],
      code: "ids",
      isVerified: true,
    }, 7]],
    [{ type: "invite" }, ["operate", "invite", "7", "", 1, 7]],
    [{ type: "invites" }, ["operate", "invites", "", "", 0, 7]],
    [{ type: "revoke", invite: 1 }, ["operate", "revoke", "1", "", 0, 7]],
    [{ type: "kick", name: "x" }, ["operate", "kick", "x", "", 0, 7]],
    [{ type: "ban", name: "x" }, ["operate", "ban", "x", "", 0, 7]],
    [{ type: "bans" }, ["operate", "bans", "", "", 0, 7]],
    [{ type: "topic", text: "x" }, ["operate", "topic", "", "x", 0, 7]],
    [{ type: "slow", seconds: 1 }, ["operate", "slow", "", "", 1, 7]],
    [{ type: "ignore" }, ["ignoring", [], 7]],
  ];
  for (const [request, expected] of cases) {
    const { context, done } = remember();
    const line = JSON.stringify({ ...request, id: 7 });
    await interpretRequest(line, context);
    assertEquals(done, [expected]);
  }
  for (const request of [{ type: "unignore", name: "x" }, { type: "get" }]) {
    const { context, done } = remember();
    const line = JSON.stringify({ ...request, id: "a" });
    await interpretRequest(line, context);
    assertEquals(done[0]?.slice(2), [line, "a"]);
  }
});

Deno.test("interpretRequest() waits with everything but what is said, and leaving, until the client is in the room", async () => {
  const kept = ["say", "act", "reply", "edit", "delete", "react"]
    .concat(["private", "quit"]);
  const fields = {
    ...{ text: "x", name: "ana", words: "x", path: "x" },
    ...{ offer: 1, invite: 1, seconds: 1 },
  };
  for (const type of REQUEST_TYPES) {
    const { context, done } = remember();
    const inside = Promise.withResolvers<void>();
    const waiting = { ...context, inRoom: () => inside.promise };
    const to = type === "private" ? "ben" : 1;
    const line = JSON.stringify({ type, to, ...fields });
    const carriedOut = interpretRequest(line, waiting);
    await Promise.resolve();
    assertEquals(done.length, kept.includes(type) ? 1 : 0, type);
    inside.resolve();
    await carriedOut;
    assertEquals(done.length, 1, type);
  }
});

Deno.test("interpretRequest() returns what is to be said", async () => {
  const { context, done } = remember();
  const request = JSON.stringify({ type: "say", text: "/one\ntwo" });
  assertEquals(await interpretRequest(request, context), null);
  assertEquals(done.splice(0), [["say", "/one\ntwo"]]);
  for (const line of ["plain text", "/who", "[1]", '"quoted"', "12"]) {
    assertEquals(await interpretRequest(line, context), line);
  }
  assertEquals(done, []);
});

Deno.test("interpretRequest() answers what it can't understand with an error", async () => {
  const cases: [string, string][] = [
    ["{", "Cannot read a request: it is no JSON"],
    [' {"type":"say"', "Cannot read a request: it is no JSON"],
    ["{}", "Cannot do a request: it has no type"],
    ['{"type":7}', "Cannot do a request: it has no type"],
    [
      '{"type":"replay"}',
      'Cannot do a request: there is no type "replay"; did you mean "reply"?',
    ],
    [
      '{"type":"constructor"}',
      'Cannot do a request: there is no type "constructor"',
    ],
    ['{"type":"say"}', 'Cannot do a request: "text" is a string'],
    [
      '{"type":"who","id":[]}',
      'Cannot do a request: "id" is a string or a whole number',
    ],
    ['{"type":"away","text":1}', 'Cannot do a request: "text" is a string'],
    [
      '{"type":"reply","to":"7","text":"x"}',
      'Cannot do a request: "to" is a whole number above 0',
    ],
    [
      '{"type":"history","count":0.5}',
      'Cannot do a request: "count" is a whole number above 0',
    ],
    [
      '{"type":"rename","name":"a b"}',
      "A name has 1 to 32 letters, digits, hyphens, underscores or dots",
    ],
  ];
  for (const [line, message] of cases) {
    const { context, done } = remember();
    assertEquals(await interpretRequest(line, context), null);
    assertEquals(done, [["error", message, line]]);
  }
});
