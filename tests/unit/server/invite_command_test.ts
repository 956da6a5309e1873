/**
 * `deno task invite`: what it makes, lists and closes in the files that it is given, and what it prints.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../../src/base/advised_error.ts";
import { LineFile } from "../../../src/base/line_file.ts";
import { OutputError } from "../../../src/base/output.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import {
  admissionKey,
  parseInvite,
  ROOM_INVITE_ID,
} from "../../../src/keys/invite.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { parseCode } from "../../../src/keys/spoken_code.ts";
import { FOUNDING_ID } from "../../../src/sealed/membership.ts";
import { invite } from "../../../src/server/invite_command.ts";
import type {
  Happening,
  HappeningOf,
} from "../../../src/server/people/happening.ts";
import { newInvite } from "../../../src/server/people/invites.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { withMethod } from "../../kit/log_kit.ts";
import { printed } from "../../kit/printed.ts";
import { SealedServer } from "../../kit/sealed_members.ts";
import { drawing, replaced } from "../../kit/replaced.ts";

const NOW = Date.UTC(2026, 10, 23);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const OUTSIDE = "192.0.2.7";

/** The files of a room, at a time that stands still. */
class Room implements AsyncDisposable {
  readonly #now = replaced(Date, "now", () => NOW);

  private constructor(
    readonly folder: Folder,
    readonly keyFile: KeyFile,
  ) {}

  /** A room whose server has listened. */
  static async open(host = "127.0.0.1", web?: string): Promise<Room> {
    const folder = await Folder.make();
    const { keyFile } = await KeyFile.loadOrCreate(folder.file("own.key"));
    const room = new Room(folder, keyFile);
    await room.listen(host, web);
    return room;
  }

  /** Notes where the server listens. */
  async listen(
    host: string,
    web?: string,
    inviteId = ROOM_INVITE_ID,
  ): Promise<void> {
    const listening = { host, port: 5000 };
    await this.keyFile.setListening({ listening, inviteId, web });
  }

  /** The flags of its files. */
  get flags(): string[] {
    const { folder } = this;
    return [
      ...["--key-file", folder.file("own.key")],
      ...["--people", this.people],
    ];
  }

  get people(): string {
    return this.folder.file("own.people");
  }

  /** What the command prints. */
  async says(...args: readonly string[]): Promise<string> {
    return (await printed(() => invite([...args, ...this.flags]))).stdout;
  }

  /** What it prints at a terminal, from the code of squares on. */
  async shows(...args: readonly string[]): Promise<string[]> {
    const run = () => invite([...args, ...this.flags]);
    const { stdout, stderr } = await printed(run, true);
    assertEquals(stderr, "");
    return stdout.split("\n");
  }

  /** What is wrong with a command, with the folder as OWN. */
  async refuses(...args: readonly string[]): Promise<string> {
    const run = () => printed(() => invite([...args, ...this.flags]));
    const error = await assertRejects(run, Error);
    const isKnown = error instanceof UsageError ||
      error instanceof AdvisedError;
    assert(isKnown, String(error));
    const advice = error instanceof AdvisedError ? `. ${error.advice}` : "";
    return `${error.message}${advice}`.replaceAll(this.folder.path, "OWN");
  }

  /** All that its file says. */
  get happenings(): Happening[] {
    using file = LineFile.open<Happening>(this.people);
    return file.added();
  }

  /** The invite that was made last. */
  get made(): HappeningOf<"invite"> {
    const last = this.happenings.findLast(({ kind }) => kind === "invite");
    assert(last?.kind === "invite");
    return last;
  }

  /** Adds open invites, made by others. */
  add(...codes: readonly string[]): void {
    using file = LineFile.open<Happening>(this.people);
    const wish = { uses: 1, until: null, note: "", by: "" };
    const secret = new Uint8Array(32);
    file.add(
      codes.map((code) => newInvite(wish, secret, () => false, NOW, code)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#now[Symbol.dispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

Deno.test("invite makes a link for one person and seven days, or for as many and as long as it is told", async () => {
  await using room = await Room.open();
  const wishes: readonly [string[], number, number | null][] = [
    [[], 1, NOW + 7 * DAY],
    [["--uses", "3", "--for", "12h"], 3, NOW + 12 * HOUR],
    [["--uses=10000", "--for", "30m"], 10_000, NOW + 30 * MINUTE],
    [["--for=9999d"], 1, NOW + 9_999 * DAY],
    [["--for", "0"], 1, null],
  ];
  for (const [args, uses, until] of wishes) {
    const link = await room.says(...args);
    assert(link.endsWith("\n"));
    const { host, port, id, serverKey, secret } = parseInvite(link);
    assertEquals([host, port], ["127.0.0.1", 5000]);
    assertEquals(serverKey, room.keyFile.keys.keyPair.publicKey);
    const key = toBase64url(admissionKey(secret));
    const about = { note: "", by: "", code: "", at: NOW };
    const made = { kind: "invite" as const, id, key, uses, until, ...about };
    assertEquals(room.made, made);
  }
  assertEquals(room.happenings.length, wishes.length);
});

Deno.test("invite takes a note of one word or several, with for or without, as /invite does", async () => {
  await using room = await Room.open();
  const table: readonly [string[], string][] = [
    [["Dora"], "Dora"],
    [["for", "Dora"], "Dora"],
    [["for  Dora"], "Dora"],
    [["For", "Dora", "from", "work", "--for", "12h"], "Dora from work"],
    [["for"], "for"],
    [["for", "list"], "list"],
    [["before", "for", "2"], "before for 2"],
    [["Dora", "x2"], "Dora x2"],
    [["Dora", "2", "weeks"], "Dora 2 weeks"],
    [["Dora", "2nd"], "Dora 2nd"],
    [["7"], "7"],
    [["x".repeat(100)], "x".repeat(100)],
  ];
  for (const [args, note] of table) {
    await room.says(...args);
    assertEquals(room.made.note, note);
  }
  const flags = room.flags;
  await printed(() => invite([...flags, "--", "--for", "all"]));
  assertEquals(room.made.note, "--for all");
});

Deno.test("invite refuses what it can't do, and makes nothing", async () => {
  await using room = await Room.open();
  const see =
    "to see them: deno task invite --key-file OWN/own.key --people OWN/own.people list";
  const table: readonly [string[], string][] = [
    [["--for", "7x"], 'Cannot use --for "7x": it is like 30m, 12h or 7d'],
    [["--for", "0d"], 'Cannot use --for "0d": it is like 30m, 12h or 7d'],
    [["--for=-1d"], 'Cannot use --for "-1d": it is like 30m, 12h or 7d'],
    [["--for", "d"], 'Cannot use --for "d": it is like 30m, 12h or 7d'],
    [["--for", "1d "], 'Cannot use --for "1d ": it is like 30m, 12h or 7d'],
    [["--for", " 1d"], 'Cannot use --for " 1d": it is like 30m, 12h or 7d'],
    [
      ["--for", "10000d"],
      'Cannot use --for "10000d": it is like 30m, 12h or 7d',
    ],
    [["revoke"], `The number of the invite is missing; ${see}`],
    [["revoke", "12"], `There is no open invite "12"; ${see}`],
    [["revoke", "twelve"], `There is no open invite "twelve"; ${see}`],
    [["revoke", "12", "13"], 'Unexpected argument "13"'],
    [["list", "all"], 'Unexpected argument "all"'],
    [
      ["revok", "12"],
      'Unknown command "revok"; a note that ends with a number stands in quotes: "revok 12"',
    ],
    [["x".repeat(101)], "A note has at most 100 characters"],
    [["--code", "x".repeat(101)], "A note has at most 100 characters"],
  ];
  for (const [args, why] of table) {
    assertEquals(await room.refuses(...args), why);
  }
  assertStringIncludes(await room.refuses("--uses", "10001"), "--uses");
  assertStringIncludes(await room.refuses("--uses", "0"), "--uses");
  using file = LineFile.open<Happening>(room.people);
  assertEquals(file.added(), []);
});

Deno.test("invite makes nothing before a server has listened, nor for a sealed room, and says who makes invites there", async () => {
  await using room = await Room.open();
  const { folder } = room;
  const key = ["--key-file", folder.file("new.key")];
  const run = async (...args: string[]) => {
    const error = await assertRejects(() => invite(args), AdvisedError);
    return [error.message, error.advice].map((it) =>
      it.replaceAll(folder.path, "OWN")
    );
  };
  const early = [
    "There is no OWN/new.key of a server that has listened yet",
    "Start the server once: deno task server --key-file OWN/new.key",
  ];
  assertEquals(await run(...key), early);
  await KeyFile.loadOrCreate(folder.file("new.key")); // which has never listened
  assertEquals(await run(...key), early);
  assertEquals(await run(...key, "--code"), early);

  const sealed =
    "The room here is sealed: its keepers make invites, by their own clients";
  await room.listen("127.0.0.1", undefined, FOUNDING_ID);
  assertEquals(await run(...room.flags), [
    sealed,
    "Ask one of them for /invite",
  ]);
  await folder.write("own.control", "");
  for (const command of [[], ["list"], ["--code"]]) {
    assertEquals(await run(...room.flags, ...command), [
      sealed,
      "Nobody has created it yet: deno task server --link --key-file OWN/own.key --control OWN/own.control prints the link for that",
    ]);
  }
  assertEquals(await run("--control", folder.file("own.control")), [
    sealed,
    "Nobody has created it yet: deno task server --link --control OWN/own.control prints the link for that",
  ]);
  await folder.write("old.key.1.control", "");
  assertEquals(await run("--key-file", folder.file("old.key.1")), [
    sealed,
    "Nobody has created it yet: deno task server --link --key-file OWN/old.key.1 --control OWN/old.key.1.control prints the link for that",
  ]);
  const [server] = await SealedServer.founded();
  await using _server = server;
  assertEquals(
    await run("--control", `${server.setup.folder}/chat.control`),
    [sealed, "Ask one of them for /invite: ana"],
  );
});

Deno.test("invite --help says what there is, and list makes nothing where there is nothing", async () => {
  await using room = await Room.open();
  const [usage] = (await room.says("--help")).split("\n");
  assertEquals(
    usage,
    "Usage: deno task invite [NOTE | list | revoke N] [FLAGS]",
  );
  assertEquals(await room.says("list"), "No invite is open.\n");
  assertEquals(await room.folder.names(), ["own.key"]);
});

Deno.test("invite list shows what is open, changes nothing, and revoke closes one", async () => {
  await using room = await Room.open();
  await room.says("the whole team", "--uses=3", "--for=12h");
  const first = room.made.id;
  await room.says("--for", "0");
  const second = room.made.id;
  const lines = [
    `Invite ${first} (the whole team): 3 of 3 left, until 2026-11-23 12:00 UTC`,
    `Invite ${second}: 1 of 1 left, without an end`,
  ];
  const listed = (await room.says("list")).split("\n").slice(0, -1);
  assertEquals(listed.sort(), lines.sort());
  // Another process is writing a line.
  await Deno.writeTextFile(room.people, '{"kind":"rev', { append: true });
  const text = await Deno.readTextFile(room.people);
  await room.says("list");
  assertEquals(await Deno.readTextFile(room.people), text);

  const closed = `Invite ${first} opens the room to nobody any more.\n`;
  assertEquals(await room.says("revoke", String(first)), closed);
  assertEquals(room.happenings.at(-1), { kind: "revoked", invite: first });
  assertEquals(
    await room.says("list"),
    `Invite ${second}: 1 of 1 left, without an end\n`,
  );
  for (const it of [`${first}`, `${second}e0`, `+${second}`]) {
    assertEquals(
      (await room.refuses("revoke", it)).split(";")[0],
      `There is no open invite "${it}"`,
    );
  }
  await room.says("revoke", String(second));
  assertEquals(await room.says("list"), "No invite is open.\n");
});

Deno.test("invite --code makes a spoken code for one person and ten minutes, of a number that no other has", async () => {
  await using room = await Room.open();
  const say = async (...random: number[]) => {
    let said = "";
    const next = () => () => {
      const it = random.shift();
      assert(it !== undefined, "no number was taken");
      return it;
    };
    await withMethod(Math, "random", next, async () => {
      said = await room.says("--code", "Dora", "--uses", "9");
    });
    return said;
  };
  const said = await say(0);
  assertEquals(said, `127.0.0.1:5000 ${room.made.code}\n`);
  const { uses, until, note, by } = room.made;
  assertEquals([uses, until, note, by], [1, NOW + 10 * MINUTE, "Dora", ""]);
  const number = () => parseCode(room.made.code).number;
  assertEquals(number(), 1);
  await say(0, 0.999);
  assertEquals(number(), 99); // 1 is taken
  room.add(...Array.from({ length: 47 }, (_, at) => `${at + 2}-acid-acid`));
  await say(0.999, 0.98);
  assertEquals(number(), 98); // for 49 are open
  await say(0.999);
  assertEquals(number(), 999); // for 50 are
});

Deno.test("invite --code takes the last number that is free, and where none is, makes nothing and says what to do", async () => {
  await using room = await Room.open();
  const numbers = Array.from({ length: 998 }, (_, at) => at + 1);
  room.add("", ...numbers.map((number) => `${number}-acid-acid`));
  const draws = [0.9999];
  using _random = replaced(Math, "random", () => {
    const it = draws.shift();
    assert(it !== undefined, "no number was taken");
    return it;
  });
  await room.says("--code");
  assertEquals(parseCode(room.made.code).number, 999);
  const { length } = room.happenings;
  assertEquals(
    await room.refuses("--code"),
    "There are 999 open codes, and no number is left for another. Wait ten minutes, or close one that nobody needs: deno task invite --key-file OWN/own.key --people OWN/own.people revoke N",
  );
  assertEquals(room.happenings.length, length);
  await room.says(); // the file isn't locked
});

Deno.test("an invite has an id that no other has, as a link and as a spoken code", async () => {
  await using room = await Room.open();
  const ids: number[] = [];
  using _numbers = drawing(6, 6, 8, 8, 6, 10);
  for (const args of [[], [], ["--code"]]) {
    await room.says(...args);
    ids.push(room.made.id);
  }
  assertEquals(ids, [3, 4, 5]);
});

Deno.test("invite shows a link at a terminal with its code of squares, and what it is", async () => {
  await using room = await Room.open(OUTSIDE, "https://a.example");
  const shown = await room.shows("--uses", "2", "--for", "12h");
  const { id } = room.made;
  const end = shown.slice(shown.indexOf("") + 1);
  assert(shown.length > end.length + 20); // the code
  const [, command = ""] = end.filter((it) => it !== "");
  assertMatch(command, /^deno task client 'chat:\/\/192\.0\.2\.7:5000\/#\S+'$/);
  const [, secret = ""] = /#(\S+)'/.exec(command) ?? [];
  assertEquals(end, [
    `Invite ${id}: lets in 2 persons, for 12h.`,
    "",
    command,
    `In a browser: https://a.example/#${secret}`,
    "",
  ]);

  await room.listen("127.0.0.1");
  const alone = await room.shows("--for", "0");
  assertEquals(alone.slice(-7).with(3, ""), [
    "",
    `Invite ${room.made.id}: lets in one person, without an end.`,
    "",
    "",
    "",
    "It works on this machine alone: the server listens on 127.0.0.1 alone. Where others find it all the same, start the server with --address HOST:PORT.",
    "",
  ]);
});

Deno.test("invite shows no code of squares for a link that none can hold", async () => {
  await using room = await Room.open(OUTSIDE);
  const long = `${"a".repeat(60)}.`.repeat(4);
  const servers = Array.from(
    { length: 15 },
    (_, at) => ({ host: `${long}n${at}`, port: 5000 }),
  );
  await room.keyFile.setServers(servers);
  const [first, second] = await room.shows();
  assertEquals(first, "");
  assertMatch(second ?? "", /^Invite \d+: lets in one person, for 7d\.$/);
});

Deno.test("invite --code shows at a terminal what to read aloud", async () => {
  await using room = await Room.open(OUTSIDE);
  assertEquals(await room.shows("--code"), [
    "Read this to one person, who types it within ten minutes:",
    "",
    `    deno task client ${OUTSIDE}:5000 ${room.made.code}`,
    "",
    "Three wrong tries end it.",
    "",
  ]);
});

Deno.test("an invite that can't be printed opens the room to nobody", async () => {
  await using room = await Room.open();
  const { stdout } = Deno;
  for (const args of [[], ["--code"]]) {
    await withMethod(
      stdout,
      "writeSync",
      () => () => {
        throw new Deno.errors.BrokenPipe("x");
      },
      () => assertRejects(() => invite([...args, ...room.flags]), OutputError),
    );
    const [made, last] = room.happenings.slice(-2);
    assert(made?.kind === "invite");
    assertEquals(last, { kind: "revoked", invite: made.id });
  }
});

Deno.test("an invite is added to the file that a server has written anew while the command waited", async () => {
  await using room = await Room.open();
  room.add("");
  let waits = 0;
  const waiting = (lock: LineFile<Happening>["lock"]) =>
    function (this: LineFile<Happening>) {
      if (waits++ === 0) {
        using server = LineFile.open<Happening>(room.people);
        server.rewrite(server.added());
      }
      lock.call(this);
    };
  let ends = 0;
  const ending = (unlock: LineFile<Happening>["unlock"]) =>
    function (this: LineFile<Happening>) {
      ends++;
      unlock.call(this);
    };
  const { prototype } = LineFile;
  await withMethod(prototype, "lock", waiting, async () => {
    await withMethod(prototype, "unlock", ending, () => room.says("Dora"));
  });
  assertEquals([waits, ends], [2, 2]);
  assertEquals([room.happenings.length, room.made.note], [2, "Dora"]);
});
