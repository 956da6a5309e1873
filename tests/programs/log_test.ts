/**
 * What befalls the files of a server that runs, or is about to: a full disk, a log that is deleted, made
 * read-only, cut short, no text or very large, keys that are gone. With the real programs.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { limit, testUnless, unlimitable } from "../kit/system.ts";
import { formatEntry } from "../../src/log/line_format.ts";
import { Folder } from "../kit/folder.ts";
import { parseLog, runServer, Server } from "../kit/server.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { Intruder } from "../kit/intruder.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { output, run } from "../kit/command.ts";

const LOG_FAILED = "log-failed";
const ID = { person: "k3df9q2mx7ta41cz", stay: "Yk3xQ0p1a2c" };

const texts = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${name} ${at}`);

const entry = (n: number, text: string) =>
  formatEntry({ at: n, ...ID, n, what: "said", name: "old", text });

// ── A full disk ────────────────────────────────────────────────────────────────────────────────────────

/** A disk with a log on it, which can be filled and freed. */
interface Disk {
  /** The log's path, from the server's folder. */
  readonly log: string;
  /** A command that starts the server. */
  readonly prefix?: readonly string[];
  readonly fill: (server: Server) => Promise<void>;
  readonly free: (server: Server) => Promise<void>;
}

/** Waits until so many lines have been taken or refused. */
async function settled(client: JsonClient, count: number): Promise<void> {
  await client.until(
    `${count} lines taken or refused`,
    () =>
      client.texts.length + client.all("refused").length >= count || undefined,
  );
}

/** Fills a disk under a server in which two talk, and frees it again. */
async function fillingUp(folder: Folder, disk: Disk): Promise<void> {
  const { log: path, prefix } = disk;
  const args = ["--log", path];
  const server = await Server.open(folder, { args, prefix });
  const { invite } = server;
  await using _server = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.type("before");
  await ben.shows("said", { text: "before" });
  await disk.fill(server);
  const typed = texts("ana", 3_000);
  await ana.type(...typed);
  await settled(ana, typed.length + 1);
  // All at once didn't fit; there may still be place for a line, shorter than that of a newcomer.
  for (let count = typed.length + 2;; count++) {
    const before = ana.all("refused").length;
    await ana.type(".");
    await settled(ana, count);
    if (ana.all("refused").length > before) break;
  }
  const reasons = new Set(ana.all("refused").map(({ reason }) => reason));
  assertEquals([...reasons], [LOG_FAILED]);
  await using eve = await Client.plain({ invite, name: "eve" });
  assertEquals(await eve.finished(), 1);
  assertStringIncludes(eve.stderr[0] ?? "", "cannot write its log");
  const taken = ana.texts;

  await disk.free(server);
  await ben.type("after");
  await ana.shows("said", { text: "after" });
  await using dan = await JsonClient.join({ invite, name: "dan" });
  await dan.type("the end");
  for (const client of [ana, ben]) {
    await client.shows("said", { text: "the end" });
    assertEquals(client.texts, [...taken, "after", "the end"]);
    assertEquals(client.all("away"), []);
  }
  const log = await server.log(path);
  assertSaid(log, "ana", taken);
  for (const client of [ana, ben, dan]) assertFollows(client, log);
}

testUnless(
  unlimitable,
  "server whose log may grow no further refuses what it can't log, tells nobody of it, and recovers",
  async () => {
    await using folder = await Folder.make();
    await fillingUp(folder, {
      log: "chat.log",
      // Without the trap the system would end the process.
      prefix: ["bash", "-c", 'trap "" XFSZ; exec "$@"', "bash"],
      async fill({ pid }) {
        const { size } = await Deno.stat(folder.file("chat.log"));
        await limit(pid, "fsize", size + 1_000);
      },
      free: ({ pid }) => limit(pid, "fsize", "unlimited"),
    });
  },
);

const DISK = ["-t", "tmpfs", "-o", "size=128k", "tmpfs"];

const mountable = await (async () => {
  await using folder = await Folder.make();
  const mounted = await output("mount", ...DISK, folder.path) !== undefined;
  if (mounted) await run("umount", folder.path);
  return mounted;
})();

testUnless(
  mountable ? undefined : "needs the right to mount",
  "server on a disk that is full refuses what it can't log, tells nobody of it, and recovers",
  async () => {
    await using folder = await Folder.make();
    await Deno.mkdir(folder.file("disk"));
    await run("mount", ...DISK, folder.file("disk"));
    const ballast = folder.file("disk/ballast");
    try {
      await fillingUp(folder, {
        log: "disk/chat.log",
        async fill() {
          await Deno.writeFile(ballast, new Uint8Array(100_000));
        },
        free: () => Deno.remove(ballast),
      });
    } finally {
      await run("umount", folder.file("disk"));
    }
  },
);

testUnless(
  Deno.build.os === "linux" ? undefined : "there is no /dev/full here",
  "server refuses a log that leads to a device",
  async () => {
    await using folder = await Folder.make();
    await Deno.symlink("/dev/full", folder.file("chat.log"));
    const { code, stderr } = await runServer(folder, [
      ...["--host", "127.0.0.1", "--port", "0"],
    ]);
    assertEquals(code, 1);
    assertEquals(stderr, [
      'Cannot open "chat.log": Deno was not given the permission.',
    ]);
  },
);

// ── A log that others change ───────────────────────────────────────────────────────────────────────────

Deno.test("server goes on in a new log when somebody deletes the old one, and counts on", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("before");
  await ana.shows("said", { text: "before", seq: 2 });
  await Deno.remove(folder.file("chat.log"));
  server.kill("SIGHUP");
  await server.line(/Began a new "chat\.log" at event 3: .*deleted/);
  await ana.type("after");
  await ana.shows("said", { text: "after", seq: 3 });
  await using ben = await JsonClient.join({ invite, name: "ben" });

  assertEquals(ben.entrances[0]?.seq, 4);
  assertEquals(ana.all("away"), []);
  const log = await Deno.readTextFile(folder.file("chat.log"));
  assertMatch(log, /^# continues at event 3 after [\w-]{43}\n/);
  assertStringIncludes(log, " | ana: after\n");
});

Deno.test("server goes on with a log that was made read-only under it", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await Deno.chmod(folder.file("chat.log"), 0o400);
  await ana.type("one");
  await ana.shows("said", { text: "one" });
  server.kill("SIGHUP"); // nothing to open again: the path names the open file
  await ana.type("two");
  await ana.shows("said", { text: "two" });

  assertSaid(await server.log(), "ana", ["one", "two"]);
  assertEquals(ana.all("away"), []);
});

Deno.test("server starts on a log whose last line was cut anywhere, and goes on after the line before", async () => {
  await using folder = await Folder.make();
  const whole = `${entry(1, "one")}\n`;
  const last = entry(2, "last words");
  for (const length of [1, 12, 24, 30, last.indexOf("|"), last.length]) {
    await folder.write("chat.log", whole + last.slice(0, length));
    await using server = await Server.open(folder);
    await server.line(
      new RegExp(
        `Dropped the last line of "chat.log": it broke off after ${length} bytes`,
      ),
    );
    assertEquals(await Deno.readTextFile(folder.file("chat.log")), whole);
    using _eve = await Intruder.in(server, `eve${length}`);
    const log = await server.log();
    assertEquals(log.map(({ name, what }) => [name, what]), [
      ["old", "said"],
      [`eve${length}`, "joined"],
    ]);
  }
});

Deno.test("server starts on a log with bytes that are no text, and shows what is", async () => {
  await using folder = await Folder.make();
  const encoder = new TextEncoder();
  const garbage = Uint8Array.from({ length: 256 }, (_, at) => at); // one line break among them
  await Deno.writeFile(
    folder.file("chat.log"),
    new Uint8Array([
      ...encoder.encode(`${entry(1, "one")}\n`),
      ...[...garbage, 10],
      ...encoder.encode(`${entry(2, "two")}\n`),
    ]),
    { mode: 0o600 },
  );
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("three");
  await ana.shows("said", { text: "three", seq: 6 });

  const said = ana.all("said").map(({ text, seq }) => [text, seq]);
  assertEquals(said, [["one", 1], ["two", 4], ["three", 6]]);
});

/** A gigabyte, in pieces of so many lines. */
const LARGE = 1_073_741_824;
const PIECE = 10_000;

const cramped = await (async () => {
  await using folder = await Folder.make();
  const free = await output("df", "--output=avail", "-B1", folder.path);
  const bytes = Number(free?.split("\n")[1]);
  return bytes > 2 * LARGE ? undefined : "needs 2 GB of disk";
})();

testUnless(
  cramped,
  "server starts on a log of a gigabyte, and reaches back in it",
  async () => {
    await using folder = await Folder.make();
    const lines = Array.from(
      { length: PIECE },
      (_, at) => `${entry(at, `straw ${"x".repeat(80)}`)}\n`,
    );
    const piece = new TextEncoder().encode(lines.join(""));
    const needle = `${entry(1, "needle")}\n`;
    let count = 0;
    {
      const options = { write: true, createNew: true, mode: 0o600 };
      using file = await Deno.open(folder.file("chat.log"), options);
      for (let size = 0; size < LARGE; size += piece.length) {
        for (let at = 0; at < piece.length;) {
          at += await file.write(piece.subarray(at));
        }
        count += PIECE;
      }
      await file.write(new TextEncoder().encode(needle));
    }
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    assertEquals(ana.entrances[0]?.seq, count + 2);
    await ana.shows("said", { text: "needle", seq: count + 1 });
    await ana.type("after");
    await ana.shows("said", { text: "after", seq: count + 3 });
    await ana.type(JSON.stringify({ type: "search", words: "needle" }));
    const found = await ana.shows("found");
    const { lines: seen } = found as unknown as { lines: { seq: number }[] };
    assertEquals(seen.map(({ seq }) => seq), [count + 1]);
  },
);

// ── Keys ───────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("server goes on, and says so once, while its key file is gone or damaged under it", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const good = await Deno.readTextFile(folder.file("chat.key"));
  await Deno.remove(folder.file("chat.key"));
  await server.line(/Cannot read "chat\.key": it is gone\. The server goes on/);
  await using ben = await JsonClient.join({ invite, name: "ben" });
  const put = async (text: string) => {
    const draft = await folder.write("draft", text);
    await Deno.rename(draft, folder.file("chat.key")); // in one go: the server looks at any time
  };
  await put(good.slice(0, 40));
  await server.line(
    /Cannot use "chat\.key": .*not JSON.*\. The server goes on/,
  );
  await ana.type("still here");
  await ben.shows("said", { text: "still here" });
  await put(good);
  await using eve = await JsonClient.join({ invite, name: "eve" });

  assertEquals(eve.entrances[0]?.others, 2);
  assertEquals(server.stderr.length, 2, server.transcript);
  assert(!server.stderr.join().includes(JSON.parse(good).roomKey.slice(0, 8)));
  assertEquals(
    parseLog(await Deno.readTextFile(folder.file("chat.log"))).length,
    4,
  );
});
