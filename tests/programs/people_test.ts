/**
 * What persons do about each other: invite, take and give up names, operate the room, carry an identity elsewhere.
 * Real programs, on pipes.
 *
 * @module
 */

import { parseInvite } from "../../src/keys/invite.ts";
import { spokenId } from "../../src/crypto/person_id.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import {
  Client,
  type ClientOptions,
  JsonClient,
  type Shown,
} from "../kit/client.ts";
import { assertSaid } from "../kit/expect.ts";
import { Folder } from "../kit/folder.ts";
import { invite, OperatedRoom } from "../kit/invites.ts";
import { runServer, Server } from "../kit/server.ts";

async function ask(client: JsonClient, request: unknown): Promise<void> {
  await client.type(JSON.stringify(request));
}

/** What a client was told of its requests: notes, and errors. */
function told(client: JsonClient): string[] {
  return client.shown.filter(({ type }) => type === "note" || type === "error")
    .map(({ text, message }) => text ?? message ?? "");
}

/** Waits for the notes or errors that come of a request, as many as there are patterns, in any order. */
async function notes(
  client: JsonClient,
  request: unknown,
  ...patterns: RegExp[]
): Promise<string[]> {
  const { length } = told(client);
  await ask(client, request);
  const fresh = () => told(client).slice(length);
  return await client.until(
    `notes ${patterns} of ${JSON.stringify(request)}`,
    () =>
      patterns.every((it) => fresh().some((text) => it.test(text)))
        ? fresh()
        : undefined,
  );
}

/** An invite that a client was told of. */
type Invited = Shown & {
  readonly link: string;
  readonly uses: number;
  readonly until: string | null;
  readonly note: string;
};

/** Runs a client to its end. @param input What it reads. */
async function ended(options: ClientOptions, input = "") {
  await using client = await Client.plain(options);
  await client.write(input);
  await client.endInput();
  const code = await client.finished();
  const [stdout, stderr] = [client.stdout, client.stderr]
    .map((lines) => lines.join("\n"));
  return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
}

/** Comes, and leaves. @returns Who it was. */
async function visit(options: ClientOptions): Promise<string | undefined> {
  await using client = await JsonClient.join(options);
  await client.endInput();
  assertEquals(await client.finished(), 0);
  return client.entrances[0]?.key;
}

/** Stops a server, as Ctrl-C does. */
async function stop(server: Server): Promise<void> {
  server.kill("SIGTERM");
  assertEquals(await server.finished(), 0);
}

// ── deno task invite ───────────────────────────────────────────────────────────────────────────────────

Deno.test("invite makes a link for as many and as long as it is told, lists it and closes it, with and without a server", async () => {
  await using folder = await Folder.make();
  const server = await Server.open(folder);
  await using _server = server;
  assertEquals(await invite(folder, "list"), "No invite is open.");
  const link = await invite(folder, "the whole team", "--uses=3", "--for=12h");
  const { id, port, serverKey } = parseInvite(link);
  assertEquals(port, server.port);
  assertEquals(serverKey, parseInvite(server.invite).serverKey);
  const forever = await invite(folder, "--for", "0");
  await using ana = await JsonClient.join({ invite: link, name: "ana" });
  const { port: old } = server;
  await stop(server);
  await ana.shows("away");

  const [first = "", second] = (await invite(folder, "list")).split("\n");
  const until = String.raw`until \d{4}-\d\d-\d\d \d\d:\d\d UTC`;
  const shown = String.raw`^Invite ${id} \(the whole team\): 2 of 3 left, `;
  assertMatch(first, new RegExp(`${shown}${until}$`));
  const endless = parseInvite(forever).id;
  assertEquals(second, `Invite ${endless}: 1 of 1 left, without an end`);
  assertEquals(
    await invite(folder, "revoke", String(id)),
    `Invite ${id} opens the room to nobody any more.`,
  );
  assertEquals(await invite(folder, "list"), second);

  await using again = await Server.open(folder, { port: old });
  await ana.isIn(2);
  const { code, stderr } = await ended({ invite: link, name: "ben" });
  assertEquals(code, 1);
  assertMatch(stderr, /^The link or code does not open this room/);
  await using kim = await JsonClient.join({ invite: forever, name: "kim" });
  await kim.type("by the endless one");
  await ana.shows("said", { name: "kim", text: "by the endless one" });
  assertEquals(await invite(folder, "list"), "No invite is open.");
  assertSaid(await again.log(), "kim", ["by the endless one"]);
});

Deno.test("invite exits with 2 for wrong usage, and with 1 where there is no server's key", async () => {
  await using folder = await Folder.make();
  const early = await runServer(folder, ["invite"]);
  assertEquals(early.code, 1);
  assertStringIncludes(early.stderr.join(), "There is no chat.key");
  assertEquals(await folder.names(), []);
  await using _server = await Server.open(folder);
  const table: [string[], string][] = [
    [["--uses", "0"], "--uses"],
    [["revoke", "12"], 'There is no open invite "12"'],
  ];
  for (const [args, sentence] of table) {
    const { code, stdout, stderr } = await runServer(folder, [
      "invite",
      ...args,
    ]);
    assertEquals(code, 2, args.join(" "));
    assertEquals(stdout, []);
    assertStringIncludes(stderr.join("\n"), sentence);
  }
  assertEquals(await invite(folder, "list"), "No invite is open.");
});

Deno.test("invite makes links to the room of the key file that it is given, whatever kind of room is beside it", async () => {
  await using folder = await Folder.make();
  await using _sealed = await Server.open(folder, { args: ["--sealed"] });
  const refused = await runServer(folder, ["invite"]);
  assertStringIncludes(refused.stderr.join("\n"), "The room here is sealed");
  await Deno.mkdir(folder.file("room"));
  const files = ["--key-file", "room/chat.key", "--people", "room/chat.people"];
  await using open = await Server.open(folder, {
    args: ["--log", "room/chat.log", ...files],
  });
  const link = await invite(folder, "Dora", ...files);
  assertEquals(parseInvite(link).port, open.port);
  await using dora = await JsonClient.join({ invite: link, name: "dora" });
  assertEquals(dora.entrances.length, 1);
});

Deno.test("invite revoke counts when it has said so, for an invite that the server knows too", async () => {
  await using folder = await Folder.make();
  await using _server = await Server.open(folder);
  for (const name of ["ana", "ben", "eve"]) {
    const link = await invite(folder, "--uses", "2");
    await using _in = await JsonClient.join({ invite: link, name });
    await invite(folder, "revoke", String(parseInvite(link).id));
    const { code, stderr } = await ended({ invite: link, name: "kim" });
    assertEquals(code, 1);
    assertMatch(stderr, /^The link or code does not open this room/);
  }
});

Deno.test("server --invite-only lets in those who have an invite, and nobody by the link of before", async () => {
  await using folder = await Folder.make();
  const open = await Server.open(folder);
  const { port, invite: standing } = open;
  const member = await JsonClient.join({ invite: standing, name: "member" });
  await using _member = member;
  await stop(open);
  await open[Symbol.asyncDispose]();
  await using server = await Server.open(folder, {
    port,
    args: ["--invite-only"],
  });
  assertStringIncludes(
    server.stdout.join("\n"),
    "To let somebody in:        deno task invite",
  );
  await member.isIn(2);
  for (const options of [{ invite: standing }, { cwd: folder.path }]) {
    const { code, stderr } = await ended({ ...options, name: "eve" });
    assertEquals(code, 1);
    assertMatch(stderr, /^The link or code does not open this room/);
    assertMatch(stderr, /In the server's folder, make one: deno task invite$/m);
  }
  await runServer(folder, ["--rotate-key"]);
  await server.line(/The room has a new key/);
  const rotated = server.invite;
  assertEquals((await ended({ invite: rotated, name: "eve" })).code, 1);
  const link = await invite(folder);
  await using ana = await JsonClient.join({ invite: link, name: "ana" });
  await ana.type("invited");
  await member.shows("said", { name: "ana", text: "invited" });
});

// ── Operators ──────────────────────────────────────────────────────────────────────────────────────────

/** Each request of operators'. */
const OPERATIONS = [
  { type: "invite" },
  { type: "invites" },
  { type: "revoke", invite: 1 },
  { type: "kick", name: "op" },
  { type: "ban", name: "op" },
  { type: "unban", name: "op" },
  { type: "bans" },
  { type: "op", name: "ben" },
  { type: "deop", name: "op" },
  { type: "topic", text: "mine" },
  { type: "slow", seconds: 9 },
];

Deno.test("operator's requests are refused to everybody else, one by one, and change nothing", async () => {
  await using room = await OperatedRoom.open();
  const { server, op } = room;
  const { invite: link } = server;
  await using ben = await JsonClient.join({ invite: link, name: "ben" });
  for (const request of OPERATIONS) {
    const told = await notes(
      ben,
      request,
      /^Only operators may do that: the server's owner names them by --operator ID, and invites by deno task invite$/,
    );
    assertEquals(told.length, 1);
  }
  await ben.type("one", "two");
  for (const client of [op, ben]) await client.shows("said", { text: "two" });
  assertEquals(op.all("note"), []);
  assertEquals(ben.all("invite"), []);
  assertEquals(op.entrances.length, 1);
  assertEquals((await runServer(room.folder, ["--link"])).stdout, [link]);
  assertEquals(await invite(room.folder, "list"), "No invite is open.");
});

Deno.test("operator makes invites, lists them and closes them, and they work", async () => {
  await using room = await OperatedRoom.open();
  const { op } = room;
  await notes(op, { type: "invites" }, /^No invite is open$/);
  await ask(op, { type: "invite", note: "for ana", uses: 2, days: 1 });
  const made = await op.shows("invite") as Invited;
  assertEquals([made.uses, made.note], [2, "for ana"]);
  const days = (Date.parse(made.until ?? "") - Date.now()) / 86_400_000;
  assert(days > 0.99 && days <= 1);
  await using ana = await JsonClient.join({ invite: made.link, name: "ana" });
  const { id } = parseInvite(made.link);
  const shown = new RegExp(
    String.raw`^Invite ${id} \(for ana\): 1 of 2 left, until`,
  );
  await notes(op, { type: "invites" }, shown);
  assertMatch(await invite(room.folder, "list"), shown);

  await notes(op, { type: "revoke", invite: id }, /opens the room to nobody/);
  assertEquals((await ended({ invite: made.link, name: "ben" })).code, 1);
  await notes(op, { type: "revoke", invite: id }, /^That cannot be done: /);
  await notes(op, { type: "invite", uses: 10_001 }, /^That cannot be done: /);
  await notes(op, { type: "invite", days: 4_000 }, /^That cannot be done: /);
  await notes(
    op,
    { type: "invite", note: "x".repeat(101) },
    /^That cannot be done: /,
  );
  await ana.type("still in");
  await op.shows("said", { name: "ana", text: "still in" });
});

Deno.test("operator removes, bans and lets in again, by name and by id, whether or not somebody is there", async () => {
  await using room = await OperatedRoom.open();
  const { server, folder, op } = room;
  await using home = await Folder.make();
  const link = await invite(folder);
  const eve = { invite: link, name: "eve", home: home.path };
  const removed = async (client: JsonClient) => {
    assertEquals(await client.finished(), 1);
    assertMatch(client.stderr[0] ?? "", /^You were removed from the room/);
  };
  let id = "";
  {
    await using client = await JsonClient.join(eve);
    id = client.entrances[0]?.key ?? "";
    await notes(op, { type: "kick", name: "Eve" }, /^eve \(.*\) was removed/);
    await op.shows("left", { name: "eve", reason: "removed by op" });
    await removed(client);
  }
  await notes(op, { type: "bans" }, /^Nobody is banned$/);
  {
    await using client = await JsonClient.join(eve); // it may come back
    const until = String.raw`until \d{4}-\d\d-\d\d \d\d:\d\d UTC$`;
    await notes(
      op,
      { type: "ban", name: spokenId(id), days: 2 },
      new RegExp(String.raw`^eve \(.*\) is banned ${until}`),
    );
    await removed(client);
    const shown = new RegExp(String.raw`^eve \(${spokenId(id)}\) ${until}`);
    const [ban = ""] = await notes(op, { type: "bans" }, shown);
    const time = /until (.*) UTC/.exec(ban)?.[1]?.replace(" ", "T");
    const days = (Date.parse(`${time}Z`) - Date.now()) / 86_400_000;
    assert(days > 1.99 && days <= 2, ban);
  }
  const out = await ended(eve);
  assertEquals(out.code, 1);
  assertMatch(
    out.stderr,
    /^You were removed from this room: until \d{4}-\d\d-\d\d \d\d:\d\d UTC\./,
  );
  await notes(op, { type: "ban", name: "eve" }, /^eve .* is banned for good$/);
  await notes(op, { type: "bans" }, /^eve \(.*\) for good$/);
  await notes(op, { type: "unban", name: "eve" }, /^eve .* may come in again$/);
  await notes(op, { type: "bans" }, /^Nobody is banned$/);
  await using client = await JsonClient.join(eve);
  await client.type("here again");
  await op.shows("said", { name: "eve", text: "here again" });

  for (const type of ["kick", "ban", "unban", "op", "deop"]) {
    await notes(op, { type, name: "nobody" }, /^Nobody of that name or id/);
  }
  for (const type of ["kick", "ban"]) {
    await notes(op, { type, name: "op" }, /^You cannot remove or ban yourself/);
  }
  assertEquals(op.all("away"), []);
  const tooLong = { type: "ban", name: "eve", days: 9_999 };
  await notes(op, tooLong, /^That cannot be done: /);
  assertEquals(client.entrances.length, 1);
  assertEquals((await runServer(folder, ["--link"])).stdout, [server.invite]);
});

Deno.test("operator's notes name somebody as it is called now, also once it has gone back to an older name", async () => {
  await using room = await OperatedRoom.open();
  const { server, op } = room;
  const { invite: link } = server;
  await using ana = await JsonClient.join({ invite: link, name: "ana" });
  for (const name of ["anouk", "ana"]) {
    await ask(ana, { type: "rename", name });
    await ana.shows("renamed", { newName: name });
  }
  await notes(op, { type: "op", name: "ana" }, /^ana \(.*\) is an operator/);
});

Deno.test("operator makes another one, who may do the same until it is none any more, also after a restart", async () => {
  await using room = await OperatedRoom.open();
  const { server, folder, op } = room;
  const ben = await JsonClient.join({ invite: server.invite, name: "ben" });
  await using _ben = ben;
  const may = () => notes(ben, { type: "bans" }, /^Nobody is banned$/);
  const mayNot = () => notes(ben, { type: "bans" }, /^Only operators/);
  await mayNot();
  await notes(op, { type: "op", name: "ben" }, /^ben .* is an operator now$/);
  await may();
  const { port } = server;
  await stop(server);
  await using again = await Server.open(folder, { port });
  await ben.isIn(2);
  await op.isIn(2);
  await may();
  await notes(op, { type: "deop", name: "ben" }, /no operator any more$/);
  await mayNot();
  await notes(op, { type: "deop", name: "op" }, /^That is the last operator: /);
  await notes(op, { type: "op", name: "ben" }, /^ben .* is an operator now$/);
  await notes(op, { type: "deop", name: "op" }, /no operator any more$/);
  await may();
  await stop(again);
});

Deno.test("server --operator refuses an id that has never been in the room", async () => {
  await using folder = await Folder.make();
  for (const id of ["k3df-9q2m-x7ta-41cz", "somebody"]) {
    const args = ["--host", "127.0.0.1", "--port", "0", "--operator", id];
    const { code, stderr } = await runServer(folder, args);
    assertEquals(code, 1);
    assertStringIncludes(stderr.join("\n"), `Nobody of the id "${id}"`);
  }
});

Deno.test("topic is shown to who is there and to who comes later, also after a restart, and goes", async () => {
  await using room = await OperatedRoom.open();
  const { server, folder, op } = room;
  const { invite: link, port } = server;
  await using ana = await JsonClient.join({ invite: link, name: "ana" });
  const topic = "Topic: tea at four \\u001b[2J";
  await ask(op, { type: "topic", text: "tea at four \x1b[2J" });
  for (const client of [op, ana]) await client.shows("note", { text: topic });
  await using ben = await JsonClient.join({ invite: link, name: "ben" });
  await ben.shows("note", { text: topic });
  await notes(
    op,
    { type: "topic", text: "x".repeat(257) },
    /^That cannot be done: /,
  );
  await stop(server);
  await using _again = await Server.open(folder, { port });
  await using kim = await JsonClient.join({ invite: link, name: "kim" });
  await kim.shows("note", { text: topic });
  await op.isIn(2);
  await ask(op, { type: "topic", text: "" });
  await kim.shows("note", { text: "No topic any more" });
});

Deno.test("slow mode refuses a member's second line, whatever it does in between, and no operator's", async () => {
  await using room = await OperatedRoom.open();
  const { server, op } = room;
  await using home = await Folder.make();
  const ana = { invite: server.invite, name: "ana", home: home.path };
  await using desk = await JsonClient.join(ana);
  await using laptop = await JsonClient.join(ana);
  await ask(op, { type: "slow", seconds: 3_600 });
  for (const client of [op, desk]) {
    await client.shows("note", {
      text: "Slow mode: one message every 3600 s",
    });
  }
  const refuses = async (client: JsonClient, text: string) => {
    await client.type(text);
    await client.shows("refused", { text, reason: "too-soon" });
  };
  await desk.type("the first");
  await op.shows("said", { name: "ana", text: "the first" });
  await refuses(desk, "too soon");
  await refuses(laptop, "too soon on the laptop");
  for (const client of [desk, laptop]) {
    await client.endInput();
    assertEquals(await client.finished(), 1); // something was refused
  }
  await op.shows("left", { name: "ana" });
  await using back = await JsonClient.join(ana);
  await back.shows("note", { text: "Slow mode: one message every 3600 s" });
  await refuses(back, "too soon, come anew");

  await op.type("one", "two", "three");
  await back.shows("said", { name: "op", text: "three" });
  await notes(op, { type: "slow", seconds: 3_601 }, /^That cannot be done: /);
  await notes(op, { type: "slow", seconds: 0 }, /^Slow mode is off$/);
  await back.type("free", "again");
  await op.shows("said", { name: "ana", text: "again" });
  assertSaid(await server.log(), "ana", ["the first", "free", "again"]);
});

Deno.test("server --motd shows its text to everybody who comes, line by line", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("motd", "Welcome.\nBe kind. \x1b[2J\n\n");
  await using server = await Server.open(folder, { args: ["--motd", path] });
  const { invite: link } = server;
  for (const name of ["ana", "ben"]) {
    await using client = await JsonClient.join({ invite: link, name });
    await client.shows("note", { text: "Be kind. \\u001b[2J" });
    const texts = client.all("note").map(({ text }) => text);
    assertEquals(texts, ["Welcome.", "Be kind. \\u001b[2J"]);
  }
  await using empty = await Folder.make();
  const missing = await runServer(empty, ["--port=0", "--motd", "no-such"]);
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr.join(), "no-such");
});

// ── Names ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("release gives up the names of before, which others may take then, and not the one of now", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite: link } = server;
  await using ana = await JsonClient.join({ invite: link, name: "ana" });
  await using ben = await JsonClient.join({ invite: link, name: "ben" });
  await notes(ana, { type: "release" }, /^You have no other name$/);
  await ask(ana, { type: "rename", name: "anouk" });
  await ben.shows("renamed", { name: "ana", newName: "anouk" });
  await ask(ben, { type: "rename", name: "Ana" });
  await ben.shows("refused", { text: "Ana", reason: "name-taken" });
  await notes(ana, { type: "release" }, /^Given up: ana$/);
  await ask(ben, { type: "rename", name: "anouk" });
  await ben.shows("refused", { text: "anouk", reason: "name-taken" });
  await ask(ben, { type: "rename", name: "Ana" });
  await ana.shows("renamed", { name: "ben", newName: "Ana" });
});

for (const name of ["ana", "Ana"]) {
  Deno.test(`known name warns when it comes with another id, as "${name}"`, async () => {
    await using folder = await Folder.make();
    await using home = await Folder.make();
    const first = await Server.open(folder);
    await using _first = first;
    const { invite: link, port } = first;
    const ben = { invite: link, name: "ben", home: home.path };
    let old = "";
    {
      await using ana = await JsonClient.join({ invite: link, name: "ana" });
      old = ana.entrances[0]?.key ?? "";
      await using client = await JsonClient.join(ben);
      assertEquals(client.all("note"), []);
      await client.endInput();
      assertEquals(await client.finished(), 0);
      await using again = await JsonClient.join(ben);
      assertEquals(again.all("note"), []);
    }
    await stop(first);
    await Deno.remove(folder.file("chat.people"));
    await using _second = await Server.open(folder, { port });
    await using eve = await JsonClient.join({ invite: link, name });
    const fresh = eve.entrances[0]?.key ?? "";
    await using client = await JsonClient.join(ben);
    const { text = "" } = await client.shows("note");
    assertStringIncludes(text, `WARNING: "${name}" is somebody else`);
    assertStringIncludes(text, `${spokenId(fresh)}, not ${spokenId(old)}`);
    await ask(client, { type: "verify", name });
    await client.shows("digits");
  });
}

// ── Where one was before ───────────────────────────────────────────────────────────────────────────────

Deno.test("client comes back by HOST:PORT alone as the member that it is, and as nobody else", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite: link, port } = server;
  const own = { name: "ana", home: home.path };
  const first = await visit({ ...own, invite: link });
  const args = [`127.0.0.1:${port}`];
  await runServer(folder, ["--rotate-key"]);
  await server.line(/The room has a new key/);
  assertEquals(await visit({ ...own, args }), first);
  // Another identity of the same machine, and another machine.
  const stranger = await ended({ args, home: home.path, name: "stranger" });
  assertEquals(stranger.code, 1);
  assertMatch(
    stranger.stderr,
    /^The room does not know you as "stranger"\.\nA new name needs the room's link, or an invite: ask for one\. .* deno task invite$/,
  );
  const never = await ended({ args, name: "ana" });
  assertEquals(never.code, 2);
  assertMatch(never.stderr, /^You were never in a room at/);
});

Deno.test("client goes by HOST:PORT to the server that it last knew there, where one was set up anew", async () => {
  await using home = await Folder.make();
  const own = { name: "ana", home: home.path };
  let port = 0;
  for (const _ of ["old", "new"]) {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { port });
    port = server.port;
    const { invite } = server;
    const args = [`127.0.0.1:${port}`];
    assertEquals(
      await visit({ ...own, invite }),
      await visit({ ...own, args }),
    );
    await stop(server);
  }
});

// ── Another machine ────────────────────────────────────────────────────────────────────────────────────

const PASSPHRASE = "correct horse battery";

Deno.test("identity goes to another machine by --export and --import, and is the same person there", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite: link } = server;
  await using here = await Folder.make();
  await using there = await Folder.make();
  await using desk = await JsonClient.join({
    invite: link,
    name: "ana",
    home: here.path,
  });
  const id = desk.entrances[0]?.key ?? "";
  const exported = await ended(
    { args: ["--export", "--name", "Ana"], home: here.path },
    `${PASSPHRASE}\n`,
  );
  assertEquals(exported.code, 0, exported.stderr);
  const text = exported.stdout;
  assertMatch(text, /^encrypted-chat-identity:[\w-]+$/);

  const bring = (input: string, home: Folder = there) =>
    ended({ args: ["--import", "--name", "ana"], home: home.path }, input);
  const wrong = await bring(`${text}\nanother passphrase\n`);
  assertEquals(wrong.code, 1);
  assertMatch(wrong.stderr, /passphrase is wrong, or the text was altered/);
  const letter = text.at(-5) === "A" ? "B" : "A";
  const altered = `${text.slice(0, -5)}${letter}${text.slice(-4)}`;
  const bent = await bring(`${altered}\n${PASSPHRASE}\n`);
  assertEquals(bent.code, 1);
  assertMatch(bent.stderr, /passphrase is wrong, or the text was altered/);
  for (const no of [text.slice(0, -5), "hello", "", `${text}AAAA`]) {
    const { code, stderr } = await bring(`${no}\n${PASSPHRASE}\n`);
    assertEquals(code, 2, no);
    assertMatch(stderr, /^Cannot read the identity/);
    assert(!stderr.includes(text.slice(-20)), "the text is repeated");
  }
  assertEquals(await there.names(), [], "something was kept of what failed");

  const brought = await bring(`${text}\n${PASSPHRASE}\n`);
  assertEquals(brought.code, 0, brought.stderr);
  assertStringIncludes(brought.stdout, spokenId(id));
  await using laptop = await JsonClient.join({
    invite: link,
    name: "ana",
    home: there.path,
  });
  assertEquals(laptop.entrances[0]?.key, id);
  await ask(laptop, { type: "who" });
  const { members = [] } = await laptop.shows("members");
  const shown = members.map(({ name, connections }) => [name, connections]);
  assertEquals(shown, [["ana", 2]]);
  await laptop.type("from the laptop");
  await desk.shows("said", { key: id, text: "from the laptop", own: true });
});

Deno.test("client --export exits with a reason for a short passphrase, and where there is no such identity", async () => {
  await using home = await Folder.make();
  const table: [string[], string, number, RegExp][] = [
    [["--export"], "", 2, /^Say which identity to export/],
    [["--export", "--name", "ana"], "", 2, /^No identity here goes by "ana"/],
    [["--export", "--identity", "no-such"], "", 2, /identity in "no-such"/],
  ];
  for (const [args, input, code, sentence] of table) {
    const failed = await ended({ args, home: home.path }, input);
    assertEquals(failed.code, code, args.join(" "));
    assertMatch(failed.stderr, sentence);
  }
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const own = { invite: server.invite, name: "ana", home: home.path };
  await visit(own);
  const args = ["--export", "--name", "ana"];
  const short = await ended({ args, home: home.path }, "1234567\n");
  assertEquals([short.code, short.stdout], [1, ""]);
  assertMatch(short.stderr, /fewer than 8 characters/);
});

Deno.test("frozen client of one's own doesn't keep the next one out: it comes in at once under the same name, and speaks", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using home = await Folder.make();
  const own = { invite, name: "ana", home: home.path };
  await using frozen = await JsonClient.join(own);
  await using ben = await JsonClient.join({ invite, name: "ben" });
  frozen.kill("SIGSTOP");
  await using fresh = await JsonClient.join(own);
  assertEquals(fresh.entrances[0]?.name, "ana");
  await fresh.type("here again");
  await ben.shows("said", { name: "ana", text: "here again" });
  frozen.kill("SIGKILL");
  await frozen.finished();
  await fresh.type("and still");
  await ben.shows("said", { name: "ana", text: "and still" });
  assertEquals(ben.all("left"), []);
});
