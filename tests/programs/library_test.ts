/**
 * What other programs import: the client for programs, against the real server; the bot that docs/bot.ts shows; and that
 * all of it can be published.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import {
  join,
  JoinError,
  type News,
  UsageError,
} from "../../src/client/joined_room.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { runToEnd } from "../kit/command.ts";
import "../kit/crypto_idle.ts";
import { Folder } from "../kit/folder.ts";
import { OperatedRoom } from "../kit/invites.ts";
import { Program } from "../kit/program.ts";
import { sealed, SealedPrograms } from "../kit/sealed_programs.ts";
import { Server } from "../kit/server.ts";

const root = new URL("../../", import.meta.url);

/** Reads on until something of a type comes that fits. @returns All up to it. */
async function readUntil<T extends News["type"]>(
  events: AsyncIterator<News>,
  type: T,
  fits: (news: Extract<News, { type: T }>) => boolean = () => true,
): Promise<News[]> {
  const read: News[] = [];
  for (;;) {
    const { value, done } = await events.next();
    assert(!done, `"${type}" never came`);
    read.push(value);
    const isIt = (news: News): news is Extract<News, { type: T }> =>
      news.type === type;
    if (isIt(value) && fits(value)) return read;
  }
}

/** The lines of the room among news, as name and text. */
function texts(news: readonly News[]): string[] {
  return news.flatMap((it) =>
    it.type === "said" ? [`${it.name}: ${it.text}`] : []
  );
}

Deno.test("join() goes into a room, tells what happens there in order, says, answers and writes, and leaves", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const link = server.invite;
  await using ana = await JsonClient.join({ invite: link, name: "ana" });
  await ana.type("before");
  await ana.shows("said", { text: "before" });

  const identity = folder.file("bot.id");
  const room = await join(link, { name: "bot", identity, history: 10 });
  const events = room.events();
  assertEquals(room.members.map(({ name }) => name).sort(), ["ana", "bot"]);
  const past = await readUntil(events, "current");
  assertEquals(texts(past), ["ana: before"]);
  assertEquals(past[0]?.type, "entered");

  await room.say("hello");
  const { seq = 0 } = await ana.shows("said", { name: "bot", text: "hello" });
  await room.reply(seq, "an answer");
  await ana.shows("replied", { to: seq, text: "an answer" });
  await room.react(seq, "👍");
  await ana.shows("reacted", { to: seq, text: "👍" });
  await room.write("ana", "for you alone");
  await ana.shows("private", { name: "bot", text: "for you alone" });
  await room.say("\n".repeat(5_000));
  await readUntil(events, "refused");
  await ana.type("first", "second");
  const heard = await readUntil(
    events,
    "said",
    ({ text }) => text === "second",
  );
  assertEquals(texts(heard).slice(-2), ["ana: first", "ana: second"]);
  assertEquals(room.dropped, 0);

  await room.say("bye");
  await room.leave();
  await room.ended;
  await ana.shows("said", { text: "bye" });
  await ana.shows("left", { name: "bot", reason: "left" });
  for await (const news of { [Symbol.asyncIterator]: () => events }) {
    assert(news.type !== "lost");
  }
  assertEquals((await folder.names()).includes("bot.id"), true);

  // The same person again; its name is nobody else's.
  await using again = await join(link, { name: "bot", identity });
  assertEquals(texts(await readUntil(again.events(), "current")), []);
  const taken = join(link, { name: "bot" });
  await assertRejects(() => taken, JoinError, "bot");
});

Deno.test("join() comes back after a loss", async () => {
  await using folder = await Folder.make();
  await using first = await Server.open(folder);
  await using room = await join(first.invite, { name: "bot" });
  const events = room.events();
  await readUntil(events, "current");
  first.kill("SIGTERM");
  await readUntil(events, "disconnected");
  assertEquals(room.members, []);
  await first.finished();
  await using _second = await Server.open(folder, { port: first.port });
  await readUntil(events, "entered", ({ again }) => again);
  assertEquals(room.members.map(({ name }) => name), ["bot"]);
});

Deno.test("join() ends with the reason when an operator removes the program", async () => {
  await using company = await OperatedRoom.open();
  const { server, op } = company;
  await using room = await join(server.invite, { name: "bot" });
  await op.shows("joined", { name: "bot" });
  await op.type('{"type":"kick","name":"bot"}');
  const reading = (async () => {
    for await (const _news of room.events());
  })();
  await assertRejects(() => reading, JoinError, "You were removed");
  await assertRejects(() => room.ended, JoinError);
});

Deno.test("join() goes into a sealed room by a keeper's link, and founds none", async () => {
  await using unfounded = await Folder.make();
  {
    await using server = await Server.open(unfounded, sealed());
    await assertRejects(() => join(server.invite, { name: "bot" }), JoinError);
    assertEquals(await server.log(), []);
  }
  await using folder = await Folder.make();
  await using company = await SealedPrograms.found(folder, "ana");
  await using room = await join(company.link, { name: "bot" });
  await company.keeper.shows("joined", { name: "bot" });
  await room.say("sealed");
  await company.keeper.shows("said", { name: "bot", text: "sealed" });
  await company.keeper.type("opened");
  const heard = await readUntil(room.events(), "said", ({ own }) => !own);
  assertEquals(texts(heard), ["bot: sealed", "ana: opened"]);
});

Deno.test("join() refuses what can't be a link or a name, and says why it can't get in", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite: link } = server;
  const wrong: [string, string][] = [["chat://", "bot"], ["", "bot"], [
    link,
    "",
  ]];
  for (const [place, name] of wrong) {
    await assertRejects(() => join(place, { name }), UsageError);
  }
  const [, ...rest] = link.split("#");
  const closed = `chat://127.0.0.1:1/#${rest.join("#")}`;
  const why = "Cannot join 127.0.0.1:1: ";
  await assertRejects(() => join(closed, { name: "bot" }), JoinError, why);
});

Deno.test("docs/bot.ts is ten lines that tell the time to those who ask, with no permissions but those that it names", async () => {
  const text = await Deno.readTextFile(new URL("docs/bot.ts", root));
  const lines = text.trim().split("\n").filter((it) => !it.startsWith("//"));
  assert(lines.length <= 10, `${lines.length} lines`);
  const [, flags = ""] =
    /deno run (.*) \.\.\/chat\/docs\/bot\.ts 'chat:/.exec(text) ?? [];
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using own = await Folder.make();
  const bot = new URL("docs/bot.ts", root).pathname;
  const words = ["run", "-q", "--no-prompt", ...flags.split(" "), bot, invite];
  await using program = new Program([Deno.execPath(), ...words], {
    cwd: own.path,
  });
  await ana.shows("joined", { name: "timebot" });
  await ana.type("!time");
  const answer = await ana.shows("replied", { name: "timebot" });
  assertMatch(answer.text ?? "", /^It is \d\d:\d\d UTC$/);
  assertEquals(await own.names(), ["bot.id"]);
  program.kill("SIGKILL");

  // A copy of it elsewhere, without a link, with one that can't be read, and with one that leads to nobody.
  const copy = await own.write("bot.ts", text);
  const config = ["--config", new URL("deno.json", root).pathname];
  const again = ["run", "-q", "--no-prompt", ...flags.split(" "), ...config];
  for (
    const [place, expected, sentence] of [
      [[], 2, /^Cannot read where to go: a link begins with chat:\/\/.*\.$/],
      [[`${invite}x`], 2, /^Cannot read the invite: .* is too long\.$/],
      [
        [invite.replace(/:\d+/, ":1")],
        1,
        /^Cannot join 127\.0\.0\.1:1: .*\.\nCheck that the server runs/,
      ],
    ] as const
  ) {
    const { code, stderr } = await runToEnd(
      [Deno.execPath(), ...again, copy, ...place],
      { cwd: own.path },
    );
    assertEquals(code, expected, stderr);
    assertMatch(stderr.trim(), sentence);
  }
});

Deno.test("what the package exports can be published: each has its types", async () => {
  const exports = Object.keys(config.exports);
  assertEquals(exports, [".", "./protocol", "./client"]);
  const words = ["publish", "--dry-run", "--allow-dirty", "--quiet"];
  const { code, stderr } = await runToEnd([Deno.execPath(), ...words], {
    cwd: root,
  });
  assertEquals(code, 0, stderr);
});
