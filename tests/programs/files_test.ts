/**
 * Files from member to member with the real programs: what arrives, what crosses the network, and what becomes
 * of a file when somebody in between is killed.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import {
  ask,
  contents,
  FileCompany,
  files,
  type FileShown,
  LARGE,
  LARGE_ENOUGH,
  MARK,
  reaches,
  type RoomKind,
} from "../kit/file_company.ts";
import { FAST_TIMERS } from "../kit/program.ts";
import { Folder, modeOf, namesIn } from "../kit/folder.ts";
import { TcpProxy } from "../kit/proxy.ts";
import { Server } from "../kit/server.ts";

/** What holds in both kinds of room. */
function inBoth(
  title: string,
  test: (
    gather: (size: number, args?: readonly string[]) => Promise<FileCompany>,
    kind: RoomKind,
  ) => Promise<void>,
): void {
  for (const kind of ["open", "sealed"] as const) {
    Deno.test(
      kind === "open" ? title : `in a sealed room, ${title}`,
      () => test((...args) => FileCompany.gather(kind, ...args), kind),
    );
  }
}

Deno.test("member's file reaches one who takes it as it is, and stands in the log by name, size and checksum", async () => {
  await using room = await FileCompany.gather("open", 100_000);
  const { server, folder, ben, offer, bytes } = room;
  await ask(ben, { type: "get", offer });
  const { path = "" } = await reaches(ben, "taken");
  assertEquals(path, folder.file("taken/hut.jpg"));
  assertEquals(await Deno.readFile(path), bytes);
  assertEquals(await modeOf(path), 0o600);
  const entry = (await server.log()).at(-1);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  assertEquals(entry?.what, "offered");
  assertEquals(
    entry?.text,
    `hut.jpg (100000 bytes, SHA-256 ${digest.toHex()})`,
  );
  assertEquals(await folder.names(), [
    "chat.key",
    "chat.key.lock",
    "chat.log",
    "chat.log.lock",
    "chat.people",
    "chat.people.lock",
    "chat.waiting",
    "hut.jpg",
    "taken",
  ]);
});

Deno.test("member's file crosses the network sealed", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using proxy = new TcpProxy(server.port);
  const invite = server.invite.replace(`:${server.port}/`, `:${proxy.port}/`);
  await Deno.writeFile(folder.file("hut.jpg"), contents(100_000));
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ask(ana, { type: "send", path: folder.file("hut.jpg") });
  const { seq: offer } = await ben.shows("offered");
  await ask(ben, { type: "get", offer });
  await reaches(ben, "taken");
  const seen = new TextDecoder("latin1").decode(proxy.captured);
  assert(seen.length > 2 * 100_000);
  const start = btoa(MARK).slice(0, 12);
  for (const text of [MARK, start, "hut.jpg"]) assert(!seen.includes(text));
});

inBoth(
  "messages are said and shown while a large file is on its way",
  async (gather) => {
    await using room = await gather(LARGE);
    const { ana, ben, offer } = room;
    await room.held.hold();
    await ask(ben, { type: "get", offer });
    await reaches(ben, "taking", LARGE_ENOUGH);
    for (let at = 0; at < 5; at++) {
      await ana.type(`from ana ${at}`);
      await ben.shows("said", { text: `from ana ${at}` });
      await ben.type(`from ben ${at}`);
      await ana.shows("said", { text: `from ben ${at}` });
    }
    assert(!files(ben).some(({ state }) => state === "taken"));
    await room.held.release();
    await reaches(ben, "taken");
  },
);

inBoth(
  "file goes on where it was after the server was killed",
  async (gather) => {
    await using room = await gather(LARGE);
    const { server, ben, offer, bytes } = room;
    await room.held.hold();
    await ask(ben, { type: "get", offer });
    await reaches(ben, "taking", LARGE_ENOUGH);
    server.kill("SIGKILL");
    await server.finished();
    await reaches(ben, "waiting");
    await room.held.release();
    await room.restart();
    const { path = "" } = await reaches(ben, "taken");
    assertEquals(await Deno.readFile(path), bytes);
    assertEquals(files(ben).filter(({ state }) => state === "begun").length, 1);
  },
);

inBoth(
  "file goes on where it was after the taker was killed and is told to take it again",
  async (gather) => {
    await using room = await gather(LARGE);
    const { folder, invite, ben, offer, bytes } = room;
    await room.held.hold();
    await ask(ben, { type: "get", offer });
    await reaches(ben, "taking", LARGE_ENOUGH);
    ben.kill("SIGKILL");
    await ben.finished();
    await room.held.release();
    const args = ["--downloads", folder.file("taken")];
    await using again = await JsonClient.join({ invite, name: "cem", args });
    await again.shows("offered", { seq: offer });
    await ask(again, { type: "get", offer });
    const { got = 0 } = await reaches(again, "begun");
    assert(got >= LARGE_ENOUGH, `${got}`);
    const { path = "" } = await reaches(again, "taken");
    assertEquals(await Deno.readFile(path), bytes);
  },
);

inBoth(
  "file waits for a sender that has gone, and one that offers it anew goes on with it",
  async (gather) => {
    await using room = await gather(LARGE);
    const { folder, invite, ana, ben, offer, bytes } = room;
    await room.held.hold();
    await ask(ben, { type: "get", offer });
    await reaches(ben, "taking", LARGE_ENOUGH);
    ana.kill("SIGKILL");
    const waiting = await reaches(ben, "waiting");
    assertEquals(waiting.reason, "its sender is not here");
    await ask(ben, { type: "drop", offer });
    await reaches(ben, "failed");
    await using again = await JsonClient.join({ invite, name: "cem" });
    await ask(again, { type: "send", path: folder.file("hut.jpg") });
    const { seq } = await ben.shows("offered", { name: "cem" });
    await ask(ben, { type: "get", offer: seq });
    const begun = await ben.until(
      "a second beginning",
      () => files(ben).find((it) => it.offer === seq),
    );
    assert((begun.got ?? 0) >= LARGE_ENOUGH);
    const { path = "" } = await ben.until(
      "the file",
      () => files(ben).find(({ state }) => state === "taken"),
    );
    assertEquals(await Deno.readFile(path), bytes);
  },
);

inBoth(
  "program whose input ends stays until the file that it takes is there",
  async (gather) => {
    await using room = await gather(LARGE_ENOUGH);
    const { ben, offer, folder, bytes } = room;
    await ask(ben, { type: "get", offer });
    await ben.endInput();
    assertEquals(await ben.finished(), 0);
    assertEquals(await Deno.readFile(folder.file("taken/hut.jpg")), bytes);
  },
);

inBoth(
  "server with --max-file passes on no larger file, and its members are told",
  async (gather) => {
    await using room = await gather(1_048_576, ["--max-file", "1"]);
    const { ana, ben, folder, offer, server } = room;
    const path = folder.file("larger.bin");
    await Deno.writeFile(path, contents(1_048_577));
    await ask(ana, { type: "send", path });
    const { message = "" } = await ana.shows("error");
    assertMatch(message, /larger\.bin" of 1\.0 MB: this server allows at most/);
    await ask(ben, { type: "get", offer });
    await reaches(ben, "taken");
    assertEquals(ben.all("offered").length, 1);
    const said = (await server.log()).filter(({ what }) =>
      what === "offered" || what === "sealed"
    );
    assertEquals(said.length, 1);
  },
);

inBoth(
  "server with --max-transfers lets a second file wait until the first is there",
  async (gather) => {
    await using room = await gather(LARGE, ["--max-transfers", "1"]);
    const { invite, ben, offer, folder, bytes } = room;
    await using cem = await JsonClient.join({
      invite,
      name: "cem",
      args: ["--downloads", folder.file("too")],
      runtime: FAST_TIMERS,
    });
    await cem.shows("offered", { seq: offer });
    await room.held.hold(); // so that the first file isn't there too early
    await ask(ben, { type: "get", offer });
    await room.held.asked(); // the place of a file that waits for a slow machine's next piece may be taken
    await ask(cem, { type: "get", offer });
    const { reason } = await reaches(cem, "waiting");
    await room.held.release();
    assertEquals(reason, "the server is busy with other files");
    await reaches(ben, "taken");
    const { path = "" } = await reaches(cem, "taken");
    assertEquals(await Deno.readFile(path), bytes);
  },
);

inBoth(
  "file whose name would deceive or leave the folder is saved under a harmless one",
  async (gather, kind) => {
    await using room = await gather(100);
    const { ana, ben, folder } = room;
    const names = [
      "-rf",
      ".bashrc",
      "a\u202egpj.exe",
      "e\x1b[2J\x07",
      "con.txt",
    ];
    for (const [at, name] of names.entries()) {
      const path = folder.file(name);
      await Deno.writeTextFile(path, name);
      await ask(ana, { type: "send", path });
      // A control character is in no file's name here: it isn't offered at all.
      if (/\p{Cc}/u.test(name)) await ana.shows("error");
      else {await ben.until(name, () =>
          ben.all("offered")[at - (at > 3 ? 1 : 0) + 1]);}
    }
    const offers = ben.all("offered").slice(1) as FileShown[];
    for (const { seq } of offers) await ask(ben, { type: "get", offer: seq });
    await ben.until(
      "all of them",
      () =>
        files(ben).filter(({ state }) => state === "taken")[offers.length - 1],
    );
    assertEquals(await namesIn(folder.file("taken")), [
      "_bashrc",
      "_con.txt",
      "_rf",
      "a_gpj.exe",
    ]);
    const log = await Deno.readTextFile(folder.file("chat.log"));
    assertEquals(log.includes("a\\u202egpj.exe"), kind === "open");
    for (const line of [...log.split("\n"), ...ben.stdout]) {
      assert(!/[\u202e\p{Cc}]/u.test(line), line);
    }
  },
);
