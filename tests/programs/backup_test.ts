/**
 * The backup, the restoring and the move that docs/server.md has, by the very commands that stand there, run by a shell:
 * while members talk, join and are banned, and with all of that between any two files that are copied.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { type Ended, runToEnd } from "../kit/command.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { OperatedRoom } from "../kit/invites.ts";
import { FAST_TIMERS, Program, shellCommand } from "../kit/program.ts";
import { SealedPrograms } from "../kit/sealed_programs.ts";
import { runLog, runServer, Server } from "../kit/server.ts";
import { Talker } from "../kit/talker.ts";

/** Backups that are made while members talk. */
const BACKUPS = 3;
/** Lines that somebody sees before each. */
const SEEN = 100;

const REMOVED = "You were removed from this room.";
const NOT_LET_IN = 'The room does not know you as "after-people".';
/** What a server says of those. */
const REFUSED =
  / warning gate: .*: not let in: The link or code does not open this room$/;

// ── The commands ───────────────────────────────────────────────────────────────────────────────────────

/** The commands of each block of the section, in their order. */
const [
  BACKUP = [],
  SEALED = [],
  RESTORE = [],
  MOVE = [],
  AFTER = [],
  COME = [],
] = await (async () => {
  const page = new URL("../../docs/server.md", import.meta.url);
  const text = await Deno.readTextFile(page);
  const [, section = ""] = /^### Backup, restore.*?\n(.*?)^###? /ms
    .exec(text) ?? [];
  return Array.from(
    section.matchAll(/^```sh\n(.*?)^```$/gms),
    ([, block = ""]) => block.trimEnd().split("\n"),
  );
})();

Deno.test("the documentation has at most three commands each for a backup, a restoring and a move", () => {
  assertEquals(
    [BACKUP, SEALED, RESTORE, MOVE, AFTER, COME].map(({ length }) => length),
    [2, 2, 2, 2, 1, 1],
  );
});

/** Another machine for a shell: where `deno task` starts these programs, and `scp` finds the old one's files. */
class Machine implements AsyncDisposable {
  private constructor(readonly folder: Folder, readonly tools: Folder) {}

  /** One with an empty folder. */
  static async make(): Promise<Machine> {
    const machine = new Machine(await Folder.make(), await Folder.make());
    const { tools } = machine;
    const task = (name: "server" | "client") =>
      `"task ${name}") shift 2; INIT_CWD=$PWD exec ${
        shellCommand(name)
      } "$@" $FLAGS ;;`;
    const scripts = {
      deno: `case "$1 $2" in\n${task("server")}\n${task("client")}\nesac`,
      // As the real one, but that the other machine is a folder of this one.
      scp:
        `for from; do case "$from" in *:*) files=$from ;; esac; to=$from; done
cp -p "$OLD"/\${files#*:*/} "$to"`,
    };
    for (const [name, text] of Object.entries(scripts)) {
      await tools.write(name, `#!/bin/sh\n${text}\n`, 0o700);
    }
    return machine;
  }

  #env(more: Record<string, string> = {}): Record<string, string> {
    const path = `${this.tools.path}:${Deno.env.get("PATH")}`;
    return { PATH: path, ...more };
  }

  /** Runs a command to its end, in a folder of its. */
  async run(command: string, folder = this.folder, more = {}): Promise<Ended> {
    const env = this.#env(more);
    return await runToEnd(["sh", "-c", command], { cwd: folder.path, env });
  }

  /** Runs commands, of which the last starts a server, with further flags. @param old The old machine's folder. */
  async start(
    commands: readonly string[],
    flags: string,
    old = this.folder,
  ): Promise<Program> {
    const before = commands.slice(0, -1);
    for (const command of before) {
      const more = { OLD: old.path };
      const { code, stderr } = await this.run(command, this.folder, more);
      assertEquals([command, code, stderr], [command, 0, ""]);
    }
    const env = this.#env({
      FLAGS: `--host 127.0.0.1 ${flags}`,
      HOME: this.folder.path,
      NO_COLOR: "1",
    });
    const words = ["sh", "-c", `exec ${commands.at(-1)}`];
    const server = new Program(words, { cwd: this.folder.path, env });
    await server.line(/^Ctrl-C stops the server\.$/);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
    await this.tools[Symbol.asyncDispose]();
  }
}

/** Stops a server as a person does. */
async function stop(server: Program): Promise<void> {
  server.kill("SIGINT");
  assertEquals(await server.finished(), 0, server.transcript);
}

/** What the commands of a block copy, in their order, as a shell finds it in a folder. */
async function copied(
  [, copy = ""]: readonly string[],
  machine: Machine,
  folder: Folder,
): Promise<string[]> {
  const files = copy.replace(/^cp -p /, "echo ").replace(/ backup$/, "");
  const { stdout } = await machine.run(files, folder);
  return stdout.trimEnd().split(" ");
}

/** Whole lines of a log. */
async function linesOf(folder: Folder, name = "chat.log"): Promise<string[]> {
  const text = await Deno.readTextFile(folder.file(name));
  return text.split("\n").slice(0, -1);
}

const ask = (client: JsonClient, request: object) =>
  client.type(JSON.stringify(request));

/** Somebody comes by an address alone, says something, and goes. */
async function visit(port: number, name: string, home: string) {
  await using client = await JsonClient.join({
    name,
    home,
    args: [`127.0.0.1:${port}`],
  });
  const text = `${name} is back`;
  await client.type(text);
  await client.shows("said", { text, own: true });
  await client.endInput();
  assertEquals(await client.finished(), 0);
  return client;
}

/** Runs a client to its end. @returns Its exit code, and what it says on stderr. */
async function ended(
  port: number,
  name: string,
  home: string,
): Promise<[code: number, sentence: string]> {
  const args = [`127.0.0.1:${port}`];
  await using client = await JsonClient.start({ name, home, args });
  return [await client.finished(), client.stderr[0] ?? ""];
}

/** Homes of persons, by their names. */
class Homes implements AsyncDisposable {
  readonly #all = new Map<string, Folder>();

  /** Lets somebody in by a link, who says something, and goes. */
  async visit(name: string, invite: string): Promise<void> {
    const home = await Folder.make();
    this.#all.set(name, home);
    await using client = await JsonClient.join({
      name,
      invite,
      home: home.path,
    });
    await client.type(`${name} was here`);
    await client.shows("said", { own: true });
    await client.endInput();
    assertEquals(await client.finished(), 0);
  }

  /** Somebody's. */
  of(name: string): string {
    return this.#all.get(name)?.path ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const home of this.#all.values()) await home[Symbol.asyncDispose]();
  }
}

// ── Open rooms ─────────────────────────────────────────────────────────────────────────────────────────

Deno.test("backups that are made while members talk and join are whole, and one that is restored goes on with their history", async () => {
  await using folder = await Folder.make();
  await using machine = await Machine.make();
  await using homes = new Homes();
  const port = freePort();
  const server = await Server.open(folder, { port });
  const { invite } = server;
  const clients: JsonClient[] = [];
  await using all = new AsyncDisposableStack();
  for (const name of ["ana", "ben"]) {
    const runtime = FAST_TIMERS;
    clients.push(all.use(await JsonClient.join({ invite, name, runtime })));
  }
  {
    await using _server = server;
    const talkers = clients.map((client, at) =>
      new Talker(["ana", "ben"][at] ?? "", client)
    );
    const talking = talkers.map((talker) => talker.talk());
    for (let round = 1; round <= BACKUPS; round++) {
      const [first] = clients;
      await first?.showsTexts(SEEN * round);
      const joining = homes.visit(`guest${round}`, invite);
      for (const command of BACKUP) {
        const numbered = command.replace(/backup$/, `backup${round}`);
        const { code, stderr } = await machine.run(numbered, folder);
        assertEquals([numbered, code, stderr], [numbered, 0, ""]);
      }
      await joining;
    }
    for (const talker of talkers) talker.stopped = true;
    await Promise.all(talking);
    for (const client of clients) {
      const typed = talkers.reduce((sum, it) => sum + it.typed.length, 0);
      await client.showsTexts(typed + BACKUPS);
    }
    await stop(server);
  }
  const whole = await linesOf(folder);
  for (let round = 1; round <= BACKUPS; round++) {
    const lines = await linesOf(folder, `backup${round}/chat.log`);
    assert(lines.length >= SEEN * round && lines.length < whole.length);
    assertEquals(lines, whole.slice(0, lines.length));
  }
  const backup = folder.file(`backup${BACKUPS}`);
  await machine.run(`cp -rp '${backup}' backup`);
  await using again = await machine.start(RESTORE, `--port ${port}`);
  const kept = await linesOf(folder, `backup${BACKUPS}/chat.log`);
  const args = ["--agree", String(kept.length)];
  const { stdout: [digits] } = await runLog(folder, ...args);
  assertEquals((await runLog(machine.folder, ...args)).stdout, [digits]);
  for (const client of clients) {
    await client.isIn(2);
    const { from = 0 } = await client.shows("history-differs");
    assert(from > kept.length, `from line ${from} on, of ${kept.length}`);
  }
  for (let round = 1; round < BACKUPS; round++) {
    const name = `guest${round}`;
    await visit(port, name, homes.of(name));
  }
  assertEquals(
    again.stderr.filter((line) => !/Dropped the last line/.test(line)),
    [],
  );
});

/** The link of a server, which a ban replaces. */
async function linkOf(folder: Folder): Promise<string> {
  const { stdout } = await runServer(folder, ["--link"]);
  return stdout[0] ?? "";
}

/** Copies files one after the other, with something that happens behind each. */
async function copyBetween(
  files: readonly string[],
  from: Folder,
  to: Folder,
  happens: (file: string) => Promise<void>,
): Promise<void> {
  for (const file of files) {
    await Deno.copyFile(from.file(file), to.file(file));
    await happens(file);
  }
}

Deno.test("whatever happens between two files that a backup copies, nobody is forgotten whom its log has, and no ban", async () => {
  await using room = await OperatedRoom.open();
  await using machine = await Machine.make();
  await using homes = new Homes();
  const { folder, server, op } = room;
  const { invite, port } = server;
  await homes.visit("before", invite);
  await homes.visit("eve", invite);
  await homes.visit("mallory", invite);
  const banned = new Map([["chat.log", "eve"], ["chat.people", "mallory"]]);
  await op.type("the last line of the backup");
  await op.shows("said", { text: "the last line of the backup" });
  const files = await copied(BACKUP, machine, folder);
  await copyBetween(files, folder, machine.folder, async (file) => {
    const name = banned.get(file);
    if (name === undefined) return;
    const newcomer = `after-${file.slice("chat.".length)}`;
    await homes.visit(newcomer, await linkOf(folder));
    await ask(op, { type: "ban", name, id: name });
    await op.shows("done", { id: name });
  });
  await stop(server);
  const log = await linesOf(machine.folder);
  assertMatch(log.at(-1) ?? "", /the last line of the backup$/);
  await using again = await machine.start(
    ["deno task server"],
    `--port ${port}`,
  );
  await visit(port, "before", homes.of("before"));
  // Whom chat.people has, and the log hasn't.
  await visit(port, "after-log", homes.of("after-log"));
  assertEquals(await ended(port, "eve", homes.of("eve")), [1, REMOVED]);
  // What came after chat.people was copied is as if it had not been.
  await visit(port, "mallory", homes.of("mallory"));
  const late = homes.of("after-people");
  assertEquals(await ended(port, "after-people", late), [1, NOT_LET_IN]);
  const lines = await linesOf(machine.folder);
  assertEquals(lines.slice(0, log.length), log);
  assertEquals(again.stderr.filter((it) => !REFUSED.test(it)), []);
});

// ── Sealed rooms ───────────────────────────────────────────────────────────────────────────────────────

Deno.test("whatever happens between a sealed room's log and its chat.control, a backup has everybody's key, and who was removed stays out", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using machine = await Machine.make();
  await using homes = new Homes();
  const port = freePort();
  const own = { home: home.path };
  await using room = await SealedPrograms.found(folder, "ana", { port }, own);
  const { server, keeper, link } = room;
  await homes.visit("ben", link);
  await homes.visit("eve", link);
  await keeper.type("the last line of the backup");
  await keeper.shows("said", { text: "the last line of the backup" });
  const files = await copied(SEALED, machine, folder);
  assertEquals(
    files.filter((it) => !it.startsWith("chat.log.")).slice(0, 2),
    ["chat.log", "chat.control"],
  );
  await copyBetween(files, folder, machine.folder, async (file) => {
    if (file === "chat.log") {
      await homes.visit("carl", link);
      await ask(keeper, { type: "ban", name: "eve", id: "eve" }); // the key changes
      await keeper.shows("done", { id: "eve" });
    }
    await keeper.type(`behind ${file}`);
    await keeper.shows("said", { text: `behind ${file}` });
  });
  await keeper.endInput();
  assertEquals(await keeper.finished(), 0);
  await stop(server);
  const log = await linesOf(machine.folder);
  await using again = await machine.start(
    ["deno task server"],
    `--sealed --port ${port}`,
  );
  const noticed =
    /The log ends with event (\d+), and members were told of event (\d+) by chat\.control/;
  const [, end = "", seen = ""] = await again.line(noticed);
  assertEquals(Number(end), log.length);
  const ana = await visit(port, "ana", home.path);
  const { from = 0 } = await ana.shows("history-differs");
  assert(from > Number(end), `from line ${from} on, after ${end}`);
  for (const name of ["ben", "carl"]) {
    const it = await visit(port, name, homes.of(name));
    assertEquals(it.all("warning"), [], name);
    assertEquals(it.all("sealed"), [], name); // each line is opened
    assert(it.texts.includes("ana is back"), name);
  }
  const [code, why] = await ended(port, "eve", homes.of("eve"));
  assertEquals(
    [code, why],
    [1, "The server says that you were removed from the room."],
  );
  const [{ seq = 0 } = {}] = ana.entrances;
  assertEquals(seq, Number(seen) + 1);
});

// ── Another machine ────────────────────────────────────────────────────────────────────────────────────

for (const flag of ["", " --sealed"]) {
  const kind = flag === "" ? "an open" : "a sealed";
  Deno.test(`${kind} room moves to another machine, members come back by themselves, and at another address by it alone`, async () => {
    await using folder = await Folder.make();
    await using homes = new Homes();
    await using all = new AsyncDisposableStack();
    const port = freePort();
    const options = { runtime: FAST_TIMERS };
    let [server, ana, link]: [Server?, JsonClient?, string?] = [];
    if (flag === "") {
      server = all.use(await Server.open(folder, { port }));
      link = server.invite;
      ana = all.use(
        await JsonClient.join({ ...options, invite: link, name: "ana" }),
      );
    } else {
      const room = all.use(
        await SealedPrograms.found(folder, "ana", { port }, options),
      );
      [server, ana, link] = [room.server, room.keeper, room.link];
    }
    await homes.visit("ben", link);
    await ana.shows("left", { name: "ben" });
    await stop(server);
    const log = await linesOf(folder);

    await using second = await Machine.make();
    const moved = await second.start(MOVE, `--port ${port}${flag}`, folder);
    for (const command of AFTER) {
      assertEquals((await second.run(command, folder)).code, 0);
    }
    assert(!(await folder.names()).includes("chat.key"));
    {
      await using _moved = moved;
      await ana.isIn(2);
      await ana.type("the same room");
      await ana.shows("said", { text: "the same room", own: true });
      const { stdout } = await second.run("deno task server --link");
      if (flag === "") {
        assertMatch(stdout, /^chat:\/\/new\.example\.org:5000\//);
      }
      await stop(moved);
    }
    const lines = await linesOf(second.folder);
    assertEquals(lines.slice(0, log.length), log);
    const stopping = / info server: Stopping at SIGINT$/;
    assertEquals(moved.stderr.filter((it) => !stopping.test(it)), []);

    await using third = await Machine.make();
    const there = freePort();
    await using last = await third.start(
      MOVE,
      `--port ${there}${flag}`,
      second.folder,
    );
    const place = `127.0.0.1:${there}`;
    const [come = ""] = COME;
    assertMatch(come, /new\.example\.org:5000$/);
    const command = come.replace("new.example.org:5000", place);
    const ended = await third.run(`echo 'found you' | ${command}`, undefined, {
      HOME: homes.of("ben"),
      FLAGS: "--name ben",
    });
    const told = `The room was at 127.0.0.1:${port} before\n`;
    assertEquals([ended.code, ended.stderr], [0, told]);
    assertEquals((await linesOf(third.folder)).slice(0, lines.length), lines);
    const ben = await visit(there, "ben", homes.of("ben"));
    assertEquals(ben.texts, [
      "ben was here",
      "the same room",
      "found you",
      "ben is back",
    ]);
    assertEquals(last.stderr, []);
    for (const type of ["warning", "history-differs", "error"]) {
      assertEquals([...ana.all(type), ...ben.all(type)], []);
    }
  });
}

Deno.test("a client that knows rooms goes by an unknown address to none but those, and says nothing to others", async () => {
  await using folder = await Folder.make();
  await using other = await Folder.make();
  await using homes = new Homes();
  await using server = await Server.open(folder);
  await using stranger = await Server.open(other);
  await homes.visit("ben", server.invite);
  const [code, why] = await ended(stranger.port, "ben", homes.of("ben"));
  assertEquals([code, why], [
    1,
    `127.0.0.1:${stranger.port} is not the server that you know.`,
  ]);
  assertEquals(await stranger.log(), []);
});
