/**
 * What a member can do beside saying something, asked for as JSON requests over a pipe, with the real programs:
 * what others are shown of it and what the log keeps.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { Folder } from "../kit/folder.ts";
import { Program } from "../kit/program.ts";
import { Server } from "../kit/server.ts";
import { JsonClient, type Shown } from "../kit/client.ts";
import { assertSaid } from "../kit/expect.ts";
import { runToEnd } from "../kit/command.ts";

/** What answers to requests have beside what other lines have. */
type Answer =
  & Omit<Shown, "to" | "quoted" | "newName">
  & {
    readonly to?: number | null;
    readonly quoted?: { readonly name: string; readonly text: string } | null;
    readonly newName?: string;
    readonly message?: string;
    readonly line?: string;
    readonly words?: string;
    readonly more?: boolean;
    readonly lines?: readonly Answer[];
    readonly members?: readonly {
      readonly name: string;
      readonly away: string;
    }[];
  };

async function ask(client: JsonClient, request: unknown): Promise<void> {
  await client.type(JSON.stringify(request));
}

/** Waits until a client has shown something of a type of which the rest is true. */
function sees(
  client: JsonClient,
  type: string,
  isIt: (answer: Answer) => boolean = () => true,
): Promise<Answer> {
  return client.until(`${type} ${isIt}`, () => client.all(type).find(isIt));
}

/** The log's lines, without time, key and number. */
async function logged(server: Server): Promise<string[]> {
  const text = await Deno.readTextFile(server.folder.file("chat.log"));
  const lines = text.trimEnd().split("\n");
  return lines.map((line) => line.replace(/^.*? \| /, ""));
}

/** A server and two members. */
async function company(): Promise<
  AsyncDisposable & { server: Server; ana: JsonClient; ben: JsonClient }
> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const server = stack.use(await Server.open(folder));
  const { invite } = server;
  const ana = stack.use(await JsonClient.join({ invite, name: "ana" }));
  const ben = stack.use(await JsonClient.join({ invite, name: "ben" }));
  await ana.shows("joined", { name: "ben" });
  const all = stack.move();
  const dispose = () => all.disposeAsync();
  return { server, ana, ben, [Symbol.asyncDispose]: dispose };
}

Deno.test("member acts, and everybody sees it in the third person", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ask(ana, { type: "act", text: "waves" });

  await ben.shows("acted", { name: "ana", text: "waves", own: false });
  await ana.shows("acted", { name: "ana", text: "waves", own: true });
  assertEquals((await logged(server)).at(-1), "* ana waves");
});

Deno.test("member replies to a line, which is shown beside the answer", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ask(ben, { type: "say", text: "who is there?" });
  const { seq = 0 } = await ana.shows("said", { text: "who is there?" });
  await ask(ana, { type: "reply", to: seq, text: "me" });

  const reply = await sees(ben, "replied", ({ text }) => text === "me");
  assertEquals(reply.name, "ana");
  assertEquals(reply.to, seq);
  assertEquals(reply.quoted?.name, "ben");
  assertEquals(reply.quoted?.text, "who is there?");
  assertEquals((await logged(server)).at(-1), `ana to ${seq}: me`);
});

Deno.test("member's reply to a number that isn't there is refused, and ends with exit code 1", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ask(ana, { type: "reply", to: 4_000, text: "lost" });
  const refused = await sees(ana, "refused");
  assertEquals(refused.text, "lost");
  assertEquals(refused.reason, "reply-unknown");
  assertEquals(refused.message, "There is no message with that number");
  await ana.type("after");
  await ben.shows("said", { text: "after" });
  await ana.endInput();

  assertEquals(await ana.finished(), 1);
  assertEquals(ben.all("replied"), []);
  assert(!(await logged(server)).some((line) => line.includes("lost")));
});

Deno.test("member takes another name, under which everybody knows it from then on", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ask(ana, { type: "rename", name: "anouk" });
  const renamed = await sees(ben, "renamed");
  assertEquals([renamed.name, renamed.newName], ["ana", "anouk"]);
  assertEquals(renamed.own, false);
  await sees(ana, "renamed", ({ own }) => own === true);
  await ana.type("it is me");
  await ben.shows("said", { name: "anouk", text: "it is me" });
  await ana.shows("said", { name: "anouk", text: "it is me", own: true });
  await ask(ben, { type: "who" });

  const { members = [] } = await sees(ben, "members");
  assertEquals(members.map(({ name }) => name).sort(), ["anouk", "ben"]);
  assertEquals((await logged(server)).slice(-2), [
    "ana is now anouk",
    "anouk: it is me",
  ]);
});

Deno.test("what a member asks for last is answered before its client leaves", async () => {
  await using room = await company();
  const { ana, ben } = room;
  await ask(ana, { type: "rename", name: "anouk", id: "n" });
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  await ask(ben, { type: "rename", name: "Anouk the second", id: "w" });
  await ask(ben, { type: "invite", id: "i" }); // for operators alone
  await ben.endInput();
  assertEquals(await ben.finished(), 1);

  const ids = [ana, ben].map(({ shown }) =>
    shown.map((it) => (it as Answer & { readonly id?: string }).id)
      .filter((id) => id !== undefined)
  );
  assertEquals(ids, [["n"], ["w", "i", "i"]]); // refused, and done with
});

Deno.test("member can't take a name that another has, and keeps its own", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ask(ana, { type: "rename", name: "Ben" });
  await ana.shows("refused", {
    text: "Ben",
    reason: "name-taken",
    message: "That name is taken, or looks like one that is",
  });
  await ask(ana, { type: "rename", name: "two words" });
  const error = await sees(ana, "error");
  assertMatch(error.message ?? "", /^A name has 1 to 32 letters/);
  await ana.type("still ana");
  await ben.shows("said", { name: "ana", text: "still ana" });

  assertEquals(ben.all("renamed"), []);
  assertSaid(await server.log(), "ana", ["still ana"]);
});

Deno.test("member's absence is shown to those who are there and to who comes, and isn't logged", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ask(ana, { type: "away", text: "lunch" });
  await ben.shows("away-message", { name: "ana", text: "lunch", own: false });
  await using eve = await JsonClient.join({
    invite: server.invite,
    name: "eve",
  });
  for (const client of [ben, eve]) {
    await ask(client, { type: "who" });
    const { members = [] } = await sees(client, "members");
    assertEquals(members.find(({ name }) => name === "ana")?.away, "lunch");
    assertEquals(members.find(({ name }) => name === "ben")?.away, "");
  }
  await ask(ana, { type: "away" });
  await ben.shows("away-message", { name: "ana", text: "" });

  assert(!(await logged(server)).some((line) => line.includes("lunch")));
});

Deno.test("member asks for the last lines, and is told that there are older ones", async () => {
  await using room = await company();
  const { ana, ben } = room;
  await ana.type("one", "two", "three");
  await ben.shows("said", { text: "three" });
  await ask(ben, { type: "history", count: 2 });
  const some = await sees(ben, "found");
  assertEquals(some.lines?.map(({ text }) => text), ["two", "three"]);
  assertEquals([some.words, some.more], ["", true]);
  await ask(ben, { type: "history" });

  const all = await sees(ben, "found", ({ more }) => more === false);
  assertEquals(all.lines?.map(({ type, seq }) => [type, seq]), [
    ["joined", 1],
    ["joined", 2],
    ["said", 3],
    ["said", 4],
    ["said", 5],
  ]);
});

Deno.test("member finds lines by their words, in any order and case", async () => {
  await using room = await company();
  const { ana, ben } = room;
  await ana.type("The red boat", "a blue boat", "a red house");
  await ben.shows("said", { text: "a red house" });
  await ask(ben, { type: "search", words: "BOAT red" });
  const found = await sees(ben, "found", ({ words }) => words === "BOAT red");
  assertEquals(found.lines?.map(({ name, text, past }) => [name, text, past]), [
    ["ana", "The red boat", true],
  ]);
  await ask(ben, { type: "search", words: "green" });

  const none = await sees(ben, "found", ({ words }) => words === "green");
  assertEquals([none.lines, none.more], [[], false]);
});

Deno.test("member leaves with its own words, which are shown and logged", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ana.type("last line", JSON.stringify({ type: "quit", text: "supper" }));

  assertEquals(await ana.finished(), 0);
  await ben.shows("left", { name: "ana", reason: "supper" });
  assertEquals((await logged(server)).slice(-2), [
    "ana: last line",
    "ana left the chat (supper)",
  ]);
});

Deno.test("member is told of a request that can't be done, and the next ones are", async () => {
  await using room = await company();
  const { ana, ben } = room;
  const table: [string, string][] = [
    ['{"type":"say",', "Cannot read a request: it is no JSON"],
    ["{}", "Cannot do a request: it has no type"],
    [
      '{"type":"serch","text":"x"}',
      'Cannot do a request: there is no type "serch"; did you mean "search"?',
    ],
    [
      '{"type":"reply","to":"1","text":"x"}',
      'Cannot do a request: "to" is a whole number above 0',
    ],
    ['{"type":"act"}', 'Cannot do a request: "text" is a string'],
  ];
  await ana.type(...table.map(([line]) => line), "a plain line");
  await ben.shows("said", { name: "ana", text: "a plain line" });

  const errors: Answer[] = ana.all("error");
  const told = errors.map(({ line = "", message = "" }) => [line, message]);
  assertEquals(told, table);
  assertEquals(ben.texts, ["a plain line"]);
});

Deno.test("client prints completions that bash takes", async () => {
  await using folder = await Folder.make();
  await using client = await Program.run("client", {
    args: ["--completions", "bash"],
    cwd: folder.path,
    home: folder.path,
  });
  assertEquals(await client.finished(), 0);
  assertEquals(client.stderr, []);
  const script = client.stdout.join("\n");
  assert(script.includes("--identity"), script);

  const path = await folder.write("completions.bash", `${script}\n`);
  try {
    const { code, stderr } = await runToEnd(["bash", "-n", path]);
    assertEquals(code, 0, stderr);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // a machine without bash
  }
});

Deno.test("member edits and takes back its own messages, others react, and history, search and a newcomer are shown what is so by then", async () => {
  await using room = await company();
  const { server, ana, ben } = room;
  await ana.type("meet at five", "bring shoes", "call me");
  const { seq: first = 0 } = await ben.shows("said", { text: "meet at five" });
  const { seq: last = 0 } = await ben.shows("said", { text: "call me" });
  await ana.shows("said", { seq: last });
  await ask(ana, { type: "edit", to: first, text: "meet at six" });
  await ask(ana, { type: "delete", to: last });
  await ben.shows("deleted", { to: last });
  await ask(ben, { type: "react", to: first, text: "🎉" });
  await ask(ben, { type: "react", to: first, text: "👍" });
  await ask(ben, { type: "edit", to: first, text: "stay away" });

  const edited = await sees(ben, "edited");
  assertEquals([edited.to, edited.text], [first, "meet at six"]);
  assertEquals(edited.quoted, { name: "ana", text: "meet at five" });
  const { to, quoted } = await sees(ana, "deleted");
  assertEquals([to, quoted?.text], [last, "call me"]);
  const reacted = await sees(ana, "reacted", ({ text }) => text === "👍");
  assertEquals(reacted.quoted, { name: "ana", text: "meet at six" });
  const refused = await sees(ben, "refused");
  assertEquals(refused.reason, "change-not-yours");

  await ask(ben, { type: "search", words: "meet" });
  const { lines = [] } = await sees(ben, "found");
  const { edited: isEdited, reactions } = lines[0] as unknown as Changed;
  assertEquals(lines.map(({ text }) => text), ["meet at six"]);
  assertEquals([isEdited, reactions.map(({ text }) => text)], [true, ["👍"]]);
  await ask(ben, { type: "search", words: "five" });
  const old = await sees(ben, "found", ({ words }) => words === "five");
  assertEquals(old.lines, []);
  await ask(ben, { type: "history" });
  const history = await sees(ben, "found", ({ words }) => words === "");
  assertEquals(
    history.lines?.map(({ type, text }) => `${type} ${text}`).slice(2),
    ["said meet at six", "said bring shoes", "said "],
  );
  assertEquals((await logged(server)).slice(2), [
    "ana: meet at five",
    "ana: bring shoes",
    "ana: call me",
    `ana edits ${first}: meet at six`,
    `ana deletes ${last}`,
    `ben reacts to ${first}: 🎉`,
    `ben reacts to ${first}: 👍`,
  ]);
});

/** What was changed about a line. */
interface Changed {
  readonly edited: boolean;
  readonly reactions: readonly { readonly text: string }[];
}
