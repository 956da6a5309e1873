/**
 * Reading a sealed room's log without a server: what was changed in it is said by number, and the rest is read.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { formatInvite } from "../../../../src/keys/invite.ts";
import { agreementOf } from "../../../../src/log/agree.ts";
import { ReadFiles } from "../../../../src/log/read_files.ts";
import { IdentityFile } from "../../../../src/keys/identity.ts";
import { openKey } from "../../../../src/server/reading/log_key.ts";
import {
  LogLines,
  type Read,
} from "../../../../src/server/reading/log_lines.ts";
import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { log } from "../../../../src/server/log_command.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { printed } from "../../../kit/printed.ts";
import { Folder } from "../../../kit/folder.ts";
import { ROOM_KEY } from "../../../kit/connection_setup.ts";
import { say, SealedStage } from "../../../kit/sealed_stage.ts";
import { FOUNDING_ID } from "../../../../src/sealed/membership.ts";

/** What is left of a room: its files, and the identities of ana, who founded it, and of ben. */
interface Left {
  readonly folder: Folder;
  /** The lines of the log. */
  readonly lines: string[];
  /** The numbers of what they said in turn, ana first. */
  readonly numbers: readonly number[];
  /** A link that is open. */
  readonly link: string;
}

/** Makes a room in which the key changes while ana and ben talk. */
async function makeRoom(): Promise<Left> {
  const folder = await Folder.make();
  const path = (name: string) => folder.file(name);
  const ids = await Promise.all(
    ["ana", "ben"].map((name) => IdentityFile.open(path(name))),
  );
  await using stage = await SealedStage.create();
  const [own, other] = ids.map(({ identity }) => identity);
  assert(own && other);
  const invite = { id: FOUNDING_ID, secret: ROOM_KEY };
  const ana = await stage.client("ana", { invite }, own);
  const ben = await stage.client("ben", { invite: await ana.invite(5) }, other);
  await ana.untilTold("ben came in");
  const numbers: number[] = [];
  for (let at = 0; at < 12; at++) {
    const who = at % 2 === 0 ? ana : ben;
    numbers.push(await say(who, `word ${at}`));
    const [reader] = [ana, ben].filter((it) => it !== who);
    while (reader?.view.of("said").at(-1)?.text !== `word ${at}`) {
      await reader?.view.until("said", reader.view.of("said").length);
    }
    if (at === 5) await stage.rekey(ana, "eve");
  }
  ben.session.conversation.rename("benny");
  await ana.view.until("renamed", 0);
  const made = await ana.invite(3);
  const link = formatInvite({
    host: "chat.example",
    port: 5000,
    serverKey: new Uint8Array(32),
    ...made,
  });
  const { folder: from } = stage.setup;
  await Deno.copyFile(`${from}/chat.control`, path("chat.control"));
  await Deno.copyFile(`${from}/chat.log`, path("chat.log"));
  const text = await Deno.readTextFile(path("chat.log"));
  return { folder, lines: text.split("\n").slice(0, -1), numbers, link };
}

const ROOM = await makeRoom();
Deno.test.afterAll(() => ROOM.folder[Symbol.asyncDispose]());

/** A copy of that room's files. */
async function leave(): Promise<Left> {
  const folder = await Folder.make();
  for (const name of ["ana", "ben", "chat.control", "chat.log"]) {
    await Deno.copyFile(ROOM.folder.file(name), folder.file(name));
  }
  return { ...ROOM, folder };
}

/** A log to be read. */
async function linesOf(
  { folder }: Left,
  key: string,
  ...names: string[]
): Promise<LogLines> {
  const files = await ReadFiles.open(names.map((name) => folder.file(name)));
  return new LogLines(files, await openKey(key, folder.file("chat.control")));
}

/** What is read of a log. */
async function read(...log: Parameters<typeof linesOf>): Promise<Read[]> {
  return await readAll(await linesOf(...log));
}

async function readAll(lines: LogLines): Promise<Read[]> {
  const all: Read[] = [];
  for await (const some of lines.read()) all.push(...some);
  return all;
}

/** What is said, and what doesn't fit, of what is read; without what is neither. */
function short(all: readonly Read[]): string[] {
  return all.flatMap((it) => {
    if (it.kind === "broken") return ["broken"];
    if (it.kind === "moved") return [`moved ${it.by} at ${it.line}`];
    if (it.kind === "unseen") {
      return [
        it.isAhead ? `ahead ${it.line}` : `unseen ${it.from} to ${it.upTo}`,
      ];
    }
    const { what, wrong, text, seq } = it.line;
    if (wrong !== undefined) return [`${wrong} ${seq}`];
    return what === "said" ? [text] : what === "sealed" ? ["sealed"] : [];
  });
}

/** What is read once the log's lines are others. */
async function readChanged(
  left: Left,
  change: (lines: string[]) => string[],
): Promise<string[]> {
  const text = change([...left.lines]).map((line) => `${line}\n`).join("");
  await Deno.writeTextFile(left.folder.file("chat.log"), text);
  return short(await read(left, left.folder.file("ana"), "chat.log"));
}

/** A line of a log with another byte near its end, where what is sealed stands. */
function altered(line = ""): string {
  const other = line.at(-30) === "A" ? "B" : "A";
  return line.slice(0, -30) + other + line.slice(-29);
}

/** The number of the first control line after one. @param at How many lines are before that. */
function ruledAfter({ lines }: Left, at: number): number {
  const isNext = (line: string, index: number) =>
    index > at && line.includes(" rules ");
  return lines.findIndex(isNext) + 1;
}

const WORDS = Array.from({ length: 12 }, (_, at) => `word ${at}`);

Deno.test("a log is read whole with a member's identity and with an open link, across changes of the key", async () => {
  const left = await leave();
  await using folder = left.folder;
  for (const key of [folder.file("ana"), folder.file("ben"), left.link]) {
    const all = await read(left, key, "chat.log");
    assertEquals(short(all), WORDS);
    const numbers = all.flatMap((it) =>
      it.kind === "line" && it.line.what === "said" ? [it.line.seq] : []
    );
    assertEquals(numbers, left.numbers);
  }
});

Deno.test("a changed, dropped, repeated or exchanged line of a log is said by number, and all others are read", async () => {
  const left = await leave();
  await using _folder = left.folder;
  const seq = left.numbers[8] ?? 0;
  const at = seq - 1;
  const without = (...gone: string[]) =>
    WORDS.filter((it) => !gone.includes(it));

  const changed = await readChanged(
    left,
    (lines) => lines.with(at, altered(lines[at])),
  );
  assertEquals(changed.filter((it) => !it.startsWith("word")), [
    `signature-wrong ${seq}`,
    `unseen ${seq - 1} to ${seq}`, // the one before it was said before it was seen
  ]);
  assertEquals(
    changed.filter((it) => it.startsWith("word")),
    without("word 8"),
  );

  const dropped = await readChanged(left, (lines) => lines.toSpliced(at, 1));
  assertEquals(dropped.filter((it) => !it.startsWith("word")), [
    `ahead ${seq}`,
    `moved 1 at ${ruledAfter(left, at)}`,
  ]);
  assertEquals(
    dropped.filter((it) => it.startsWith("word")),
    without("word 8"),
  );

  // What comes after a control line has the numbers that members know again.
  const early = (left.numbers[3] ?? 0) - 1;
  const before = await readChanged(left, (lines) => lines.toSpliced(early, 1));
  assertEquals(before.filter((it) => !it.startsWith("word")), [
    `ahead ${early + 1}`,
    `moved 1 at ${ruledAfter(left, early)}`,
  ]);
  assertEquals(before.filter((it) => it.startsWith("word")), without("word 3"));

  const repeated = await readChanged(
    left,
    (lines) => lines.with(at + 2, lines[at] ?? ""),
  );
  assertEquals(repeated.filter((it) => !it.startsWith("word")), [
    `number-repeated ${seq + 2}`,
    `unseen ${seq + 1} to ${seq + 2}`,
  ]);
  assertEquals(
    repeated.filter((it) => it.startsWith("word")),
    without("word 10"),
  );

  const exchanged = await readChanged(
    left,
    (lines) =>
      lines.with(at, lines[at + 1] ?? "").with(at + 1, lines[at] ?? ""),
  );
  const warned = exchanged.filter((it) => !it.startsWith("word"));
  assertEquals(warned[0], `ahead ${seq}`);
  assert(warned.length <= 3, warned.join("; "));
  assertEquals(
    exchanged.filter((it) => it.startsWith("word")).sort(),
    [...WORDS].sort(),
  );
});

Deno.test("who saw other lines is named as the control lines have it", async () => {
  const left = await leave();
  await using folder = left.folder;
  const [seq = 0, next = 0] = left.numbers.slice(8);
  await readChanged(
    left,
    (lines) =>
      lines.with(seq - 1, altered(lines[seq - 1]))
        .with(next - 1, (lines[next - 1] ?? "").replace("| ben ", "| eve "))
        .with(next, (lines[next] ?? "").replace("| ana ", "| eve ")),
  );
  const lines = await linesOf(left, folder.file("ana"), "chat.log");
  const unseen = (await readAll(lines)).flatMap((it) =>
    it.kind === "unseen" ? [it.name] : []
  );
  assertEquals(unseen, ["ben", "ana", "ben"]);
  const { recent } = lines;
  assertEquals(recent.find(next)?.line.text, "word 9");
});

Deno.test("a line that somebody writes into a log by hand, in another's name or openly, is not shown as said", async () => {
  const left = await leave();
  await using _folder = left.folder;
  const at = (left.numbers[8] ?? 0) - 1;
  const read = await readChanged(left, (lines) => {
    const [head = ""] = (lines[at] ?? "").split(" | ");
    return lines.toSpliced(at + 1, 0, `${head} | ana: gold for eve`);
  });
  assert(!read.some((it) => it.includes("gold")), read.join("; "));
  assert(read.includes(`signature-wrong ${at + 2}`), read.join("; "));
  const lines = await linesOf(left, left.folder.file("ana"), "chat.log");
  await readAll(lines);
  assertEquals(lines.recent.find(at + 2), undefined); // no line is about it
});

Deno.test("the files of a rotated log are read in order, given in any, and one that was changed is named", async () => {
  const left = await leave();
  await using folder = left.folder;
  const { lines, numbers } = left;
  const cut = (numbers[8] ?? 0) - 1;
  const { value } = await agreementOf(folder.file("chat.log"), cut);
  assert(value);
  const write = (name: string, some: readonly string[]) =>
    Deno.writeTextFile(folder.file(name), some.join("\n") + "\n");
  await write("chat.log.1", lines.slice(0, cut));
  await write("chat.log", [
    `# continues at event ${cut + 1} after ${toBase64url(value)}`,
    ...lines.slice(cut),
  ]);
  const key = folder.file("ana");
  assertEquals(short(await read(left, key, "chat.log")), WORDS);
  await Deno.rename(folder.file("chat.log.1"), folder.file("older"));
  const both = ["chat.log", "older"];
  assertEquals(short(await read(left, key, ...both)), WORDS);
  assertEquals(short(await read(left, key, "chat.log")), WORDS.slice(8));
  // Of what was changed in the first lines of a file its heading tells.
  const text = await Deno.readTextFile(folder.file("chat.log"));
  const second = lines[cut + 1] ?? "";
  await folder.write("chat.log", text.replace(second, altered(second)));
  assertEquals(short(await read(left, key, "chat.log")).slice(0, 4), [
    "word 8",
    `signature-wrong ${cut + 2}`,
    `unseen ${cut + 1} to ${cut + 2}`, // the one before was said before it was seen
    "word 10",
  ]);
  await folder.write("chat.log", text);
  await write("older", lines.slice(0, cut - 1));
  const broken = await read(left, key, ...both);
  const isOther = (it: Read) => it.kind === "broken";
  assertEquals(broken.filter(isOther), [
    { kind: "broken", path: folder.file("chat.log"), first: cut + 1 },
  ]);
  assertEquals(short(broken).length, 12); // all words but one, and that
});

Deno.test("a file that doesn't say after what it begins goes on from the one before it, and begins anew where none is", async () => {
  const left = await leave();
  await using folder = left.folder;
  const { lines, numbers } = left;
  const cut = (numbers[8] ?? 0) - 1;
  const write = (name: string, some: readonly string[]) =>
    Deno.writeTextFile(folder.file(name), some.join("\n") + "\n");
  const heading = `# continues at event ${cut + 1}`;
  const key = folder.file("ana");
  const seen = async (...names: string[]) => {
    const all = await read(left, key, ...names);
    return all.flatMap((it) => it.kind === "line" ? [] : [it]);
  };
  await write("chat.log", [heading, ...lines.slice(cut)]);
  await write("older", lines.slice(0, cut));
  assertEquals(await seen("chat.log", "older"), []);
  assertEquals(await seen("chat.log"), []);
  await write("older", lines.slice(0, cut - 1));
  const at = { line: cut + 1, name: "ana" };
  assertEquals(await seen("chat.log", "older"), [
    { kind: "unseen", ...at, from: cut - 1, upTo: cut, isAhead: false },
  ]);
  await write("chat.log", [heading, ...lines.slice(cut + 1)]);
  const next = { line: cut + 1, name: "ben" };
  assertEquals(await seen("chat.log"), [
    { kind: "unseen", ...next, from: cut + 1, upTo: cut + 1, isAhead: true },
    { kind: "moved", line: ruledAfter(left, cut), by: 1 },
  ]);
});

Deno.test("lines that were put into a log, and a control line that stands there twice, are said", async () => {
  const left = await leave();
  await using _folder = left.folder;
  const at = (left.numbers[8] ?? 0) - 1;
  const forged = (lines: string[]) => {
    const [head = ""] = (lines[at] ?? "").split(" | ");
    return lines.toSpliced(at + 1, 0, `${head} | ana: gold for eve`);
  };
  const put = await readChanged(left, forged);
  assert(put.includes(`moved -1 at ${ruledAfter(left, at)}`), put.join("; "));
  let many = left.lines;
  for (let count = 0; count < 40; count++) many = forged(many);
  const more = await readChanged(left, () => many);
  assert(
    more.includes(`moved -40 at ${ruledAfter(left, at)}`),
    more.join("; "),
  );
  // A copy of a control line is no sign that anything is missing, and neither is one at another time.
  const next = left.lines[ruledAfter(left, at) - 1] ?? "";
  const other = next.replace(/\d(?=\d\dZ )/, (digit) => `${9 - Number(digit)}`);
  const early = await readChanged(left, (lines) => lines.with(at, other));
  assertEquals(early.filter((it) => !it.startsWith("word")), [
    `control-wrong ${at + 1}`,
    `unseen ${at} to ${at + 1}`,
  ]);
  // Also where it comes again soon: it is what was put in, and shows at the next.
  const line = ruledAfter(left, left.numbers[5] ?? 0);
  for (const more of [0, 1, 2]) {
    const soon = await readChanged(
      left,
      (lines) => lines.toSpliced(line + more, 0, lines[line - 1] ?? ""),
    );
    const notes = soon.filter((it) => /^(control|moved)/.test(it));
    assertEquals(notes, [
      `control-wrong ${line + more + 1}`,
      `moved -1 at ${ruledAfter(left, line + more - 1)}`,
    ]);
  }
  // Or before it: that lines are missing is taken back where it stands.
  const place = ruledAfter(left, at);
  const ahead = await readChanged(
    left,
    (lines) => lines.toSpliced(place - 2, 0, lines[place - 1] ?? ""),
  );
  assertEquals(ahead.filter((it) => /^(control|moved)/.test(it)), [
    `moved 1 at ${place}`,
    `moved -2 at ${place}`,
  ]);
  // But not where it comes after it, though lines are missing before.
  const behind = await readChanged(
    left,
    (lines) =>
      lines.toSpliced(place, 0, lines[place - 1] ?? "").toSpliced(place - 2, 1),
  );
  assertEquals(behind.filter((it) => /^(control|moved)/.test(it)), [
    `moved 1 at ${place}`,
    `control-wrong ${place + 1}`,
    `moved -1 at ${ruledAfter(left, place)}`,
  ]);
  const ruled = ruledAfter(left, 0) - 1;
  const twice = await readChanged(
    left,
    (lines) => [...lines, lines[ruled] ?? ""],
  );
  assertEquals(twice.filter((it) => !it.startsWith("word")), [
    `control-wrong ${left.lines.length + 1}`,
  ]);
});

Deno.test("control lines that chat.control lacks are taken from the log", async () => {
  const left = await leave();
  await using folder = left.folder;
  const control = folder.file("chat.control");
  const text = await Deno.readTextFile(control);
  const lines = text.split("\n").filter((it) =>
    !it.includes('"kind":"logged"')
  );
  const last = lines.findLastIndex((it) => it.includes('"kind":"ruled"'));
  await Deno.writeTextFile(control, lines.toSpliced(last, 1).join("\n"));
  assertEquals(short(await read(left, folder.file("ana"), "chat.log")), WORDS);
  const changed = await readChanged(left, (lines) => lines.toSpliced(2, 1));
  assertEquals(changed, [`moved 1 at ${ruledAfter(left, 2)}`, ...WORDS]);
});

Deno.test("LogLines.line() opens the line of a number, if there is one that fits", async () => {
  const left = await leave();
  await using folder = left.folder;
  const seq = left.numbers[8] ?? 0;
  const find = async (isSealed = true) => {
    const files = await ReadFiles.open([folder.file("chat.log")]);
    const control = folder.file("chat.control");
    const key = await openKey(folder.file("ana"), control);
    const lines = new LogLines(files, isSealed ? key : undefined);
    const found = await Promise.all(
      [seq, seq + 99].map((it) => lines.line(it)),
    );
    return found.map((it) => it && [it.seq, it.what, it.text.slice(0, 6)]);
  };
  assertEquals(await find(), [[seq, "said", "word 8"], undefined]);
  const [raw] = await find(false);
  assertEquals(raw?.slice(0, 2), [seq, "sealed"]);
  await readChanged(left, (lines) => {
    const line = lines[seq - 1] ?? "";
    return lines.with(seq - 1, `${line.slice(0, -9)}AAAAAAAA${line.at(-1)}`);
  });
  assertEquals(await find(), [undefined, undefined]);
});

Deno.test("log --key prints a sealed room's lines as its members read them, without what the server's own lines tell again", async () => {
  const left = await leave();
  await using folder = left.folder;
  const path = folder.file("chat.log");
  const run = async (...args: string[]) => {
    const { stdout, stderr, result } = await printed(() =>
      log([...args, path])
    );
    const lines = stdout.split("\n").slice(0, -1);
    const told = lines.map((it) => it.replace(/^\S+Z /, ""));
    return { told, stderr, code: result };
  };
  const ben = folder.file("ben");
  const { told, stderr, code } = await run("--key", ben);
  assertEquals([stderr, code], ["", 0]);
  assertEquals(told.length, left.lines.length - 1); // one of them tells of ben's new name
  assertEquals(told.filter((it) => it.includes("benny")).length, 1);
  const seq = left.numbers[3] ?? 0;
  assert(told.includes(`${seq} ben: word 3`), told.join("; "));
  const found = await run("--key", left.link, "--search", "word 3");
  assertEquals(found, { told: [`${seq} ben: word 3`], stderr: "", code: 0 });
  const { told: [json = ""] } = await run(
    ...["--key", ben, "--search", "word 3", "--json"],
  );
  assertEquals(JSON.parse(json).own, true);

  // A line that somebody copies is no rename, and is said.
  const renamed = left.lines.find((it) => / rules .*rename/.test(it));
  assert(renamed);
  await Deno.writeTextFile(path, `${renamed}\n`, { append: true });
  const copied = await run("--key", ben);
  assertEquals([copied.code, copied.told], [1, told]);
  assert(copied.stderr.startsWith("WARNING: "), copied.stderr);

  const advice = await assertRejects(() => log(["--json", path]), AdvisedError);
  assertEquals([advice.message, advice.advice], [
    `Cannot read ${path}: the room is sealed`,
    "Give the file of a member's identity, or a link of the room: deno task log --key FILE",
  ]);
  const elsewhere = await folder.write("elsewhere", "");
  const missing = ["--control", `${elsewhere}.control`];
  const refused = () => log([...missing, "--search", "x", path]);
  await assertRejects(refused, AdvisedError, "the room is sealed");
});
