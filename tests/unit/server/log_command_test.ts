/**
 * `deno task log`: what it prints of an open room's log, and what it takes no order for.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../../src/base/advised_error.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { formatEntry } from "../../../src/log/line_format.ts";
import { agreement } from "../../../src/protocol/chain.ts";
import type { NewEntry } from "../../../src/protocol/line.ts";
import { log } from "../../../src/server/log_command.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { headingAfter, numbered, said, valueFor } from "../../kit/log_kit.ts";
import { printed } from "../../kit/printed.ts";
import { replaced } from "../../kit/replaced.ts";

const BEN = { person: "abcdefgh12345678", name: "ben" };

/** A conversation in which ben's words are changed by somebody else. */
const LINES: readonly NewEntry[] = [
  said(1, "the hut"),
  { ...said(2, "at nine"), ...BEN, what: "replied", to: 1 },
  { ...said(3, "the hut is open"), what: "edited", to: 1 },
  { ...said(4, "never"), what: "edited", to: 2 },
  said(5, "another hut"),
  { ...said(6, "👍"), ...BEN, what: "reacted", to: 5 },
  { ...said(7, "bye"), ...BEN },
  { ...said(8, ""), ...BEN, what: "deleted", to: 7 },
];

function textOf(entries: readonly NewEntry[]): string {
  return entries.map((it) => `${formatEntry(it)}\n`).join("");
}

/** A test with a log of these lines. */
function test(
  name: string,
  fn: (folder: Folder, path: string) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using folder = await Folder.make();
    await fn(folder, await folder.write("chat.log", textOf(LINES)));
  });
}

/** What a command prints, on both, without the day of each line, and its exit code. */
async function runs(...args: readonly string[]) {
  const { stdout, stderr, result } = await printed(() => log(args));
  const lines = (text: string) =>
    text.replaceAll(/^2026-11-23T00:00:00.\d\d\dZ /gm, "").split("\n")
      .slice(0, -1);
  return { stdout: lines(stdout), stderr: lines(stderr), code: result };
}

const WRONG =
  "WARNING: line 4, as from Abhii, is not shown: it changes what somebody else said";
const ALL = [
  "1 Abhii: the hut",
  "2 ben to 1: at nine",
  "3 Abhii edits 1: the hut is open",
  "5 Abhii: another hut",
  '6 ben reacts to 5: 👍 ("another hut")',
  "7 ben: bye",
  "8 ben deletes 7",
];

test("log shows its help where nothing is asked for", async (_folder, path) => {
  for (const args of [[], [path], ["--help"], ["--help", "--json", path]]) {
    const { stdout: [usage], stderr, code } = await runs(...args);
    assertEquals([usage, stderr, code], [
      "Usage: deno task log [FLAGS] [FILE…]",
      [],
      0,
    ]);
  }
});

test(
  "log prints an open room's lines, and on standard error which of them doesn't fit; a key is not needed",
  async (_folder, path) => {
    const note = "The room is open: its log is readable, and no key is needed.";
    assertEquals(await runs("--key", "whatever", path), {
      stdout: ALL,
      stderr: [note, WRONG],
      code: 1,
    });
    await Deno.writeTextFile(path, textOf(LINES.slice(0, 3)));
    assertEquals(await runs("--key", "whatever", path), {
      stdout: ALL.slice(0, 3),
      stderr: [note],
      code: 0,
    });
  },
);

test(
  "log tells lines and warnings in their order, wherever each of them goes",
  async (_folder, path) => {
    const { stdout, stderr } = Deno;
    let both = "";
    const write = (bytes: Uint8Array) => {
      both += new TextDecoder().decode(bytes);
      return bytes.length;
    };
    {
      using _stdout = replaced(stdout, "writeSync", write);
      using _stderr = replaced(stderr, "writeSync", write);
      await log(["--key", "whatever", path]);
    }
    assert(both.indexOf("edits 1") < both.indexOf(WRONG));
    assert(both.indexOf(WRONG) < both.indexOf("5 Abhii"));
  },
);

test(
  "log --json prints an object for each line, and for what doesn't fit in its place",
  async (_folder, path) => {
    const { stdout, stderr, code } = await runs("--json", path);
    assertEquals([stderr, code], [[], 1]);
    const objects = stdout.map((it) => JSON.parse(it));
    assertEquals(objects.map(({ type, seq }) => [type, seq]), [
      ["said", 1],
      ["replied", 2],
      ["edited", 3],
      ["warning", 4],
      ["said", 5],
      ["reacted", 6],
      ["said", 7],
      ["deleted", 8],
    ]);
    assertEquals(objects[1], {
      ...{ v: 1, type: "replied", seq: 2, at: "2026-11-23T00:00:00.002Z" },
      ...{ name: "ben", key: BEN.person, own: false, past: true },
      ...{ text: "at nine", to: 1, quoted: { name: "Abhii", text: "the hut" } },
    });
    assertEquals(objects[3].message, WRONG);
    assertEquals("told" in objects[0] || "edited" in objects[0], false);
  },
);

test(
  "log quotes no line that doesn't fit, and shows what only looks like a control line",
  async (_folder, path) => {
    const reply: NewEntry = { ...said(9, "what?"), what: "replied", to: 4 };
    const other: NewEntry = { ...reply, to: 2 };
    const lines = [...LINES, other, reply, said(10, "rename {}")];
    await Deno.writeTextFile(path, textOf(lines));
    const { stdout } = await runs("--json", path);
    const [first, second, last] = stdout.slice(-3).map((it) => JSON.parse(it));
    assertEquals(first.quoted, { name: "ben", text: "at nine" }); // as it was
    assertEquals([second.seq, second.quoted], [10, null]);
    assertEquals([last.seq, last.text], [11, "rename {}"]);
  },
);

test(
  "log takes a log for a sealed room's by its first lines, of which an empty one has none",
  async (folder) => {
    const empty = await folder.write("empty", "");
    assertEquals(await runs("--json", empty), {
      ...{ stdout: [], stderr: [], code: 0 },
    });
    for (const what of ["ruled", "sealed"] as const) {
      const path = await folder.write(
        what,
        textOf([{ ...said(1, "x"), what }]),
      );
      const refused = () => log(["--json", path]);
      await assertRejects(refused, AdvisedError, "the room is sealed");
    }
  },
);

test(
  "log --search finds lines by what they say in the end, and shows them so",
  async (_folder, path) => {
    const search = async (words: string) =>
      (await runs("--search", words, path)).stdout;
    const hut = "1 Abhii: the hut is open (edited)";
    const other = "5 Abhii: another hut [👍 ben]";
    assertEquals(await search("hut"), [hut, other]);
    assertEquals(await search("OPEN"), [hut]);
    assertEquals(await search("never"), []);
    assertEquals(await search("bye"), []);
    // The warning is counted, though the line isn't shown.
    assertEquals(await runs("--search", "nine", path), {
      stdout: ["2 ben to 1: at nine"],
      stderr: [],
      code: 1,
    });
    await Deno.writeTextFile(path, textOf(LINES.toSpliced(3, 1)));
    assertEquals((await runs("--search", "nine", path)).code, 0);
  },
);

test(
  "log reads the files that it is given in their order, and says which was begun after others",
  async (folder, path) => {
    const entries = numbered(LINES);
    const [old, fresh] = [LINES.slice(0, 3), LINES.slice(4)];
    await Deno.writeTextFile(path, headingAfter(entries, 4) + textOf(fresh));
    const older = await folder.write("older", textOf(LINES.slice(0, 4)));
    const all = await runs("--search", " ", path, older);
    const shown = await runs("--json", path, older);
    assertEquals([all.code, shown.stdout.length], [1, 8]);
    const key = ["--key", "none"];
    assertEquals((await runs(...key, older, path)).stdout, ALL);
    await Deno.writeTextFile(older, textOf([...old, said(4, "else")]));
    const warning =
      `WARNING: ${path} was begun after other lines than those that are before it now: one of the older files was changed`;
    const changed = await runs(...key, path, older);
    assertEquals([changed.stderr.at(-1), changed.code], [warning, 1]);
    const { stdout } = await runs("--json", path, older);
    assertEquals(JSON.parse(stdout[4] ?? ""), {
      ...{ v: 1, type: "history-differs", from: 5, exact: false },
      message: warning,
    });
  },
);

test(
  "log --agree shows the digits for the history up to a line, and names a file that was begun after other lines",
  async (folder, path) => {
    const entries = numbered(LINES);
    const digits = (upTo: number) => [
      `History up to line ${upTo}: ${agreement(valueFor(entries, upTo))}`,
    ];
    for (const upTo of [1, 3, 8]) {
      assertEquals(await runs("--agree", String(upTo), path), {
        stdout: digits(upTo),
        stderr: [],
        code: 0,
      });
    }
    await Deno.writeTextFile(
      path,
      headingAfter(entries, 4) + textOf(LINES.slice(4)),
    );
    await folder.write("chat.log.1", textOf(LINES.slice(0, 4)));
    assertEquals((await runs("--agree", "6", path)).stdout, digits(6));
    const zeros = toBase64url(new Uint8Array(32));
    const heading = `# continues at event 5 after ${zeros}\n`;
    await Deno.writeTextFile(path, heading + textOf(LINES.slice(4)));
    const { stdout, stderr, code } = await runs("--agree", "6", path);
    assertEquals([stdout, code], [digits(6), 0]);
    assertEquals(stderr, [
      `WARNING: ${path} was begun after other lines than those that are before it now: one of the older files was changed.`,
    ]);
  },
);

test(
  "log says which lines there are where it hasn't the one that is asked for, and refuses what doesn't go together",
  async (folder, path) => {
    const refused = async (...args: string[]) => {
      const error = await assertRejects(() => log(args), Error);
      return [error.constructor, error.message];
    };
    const none = `There is no line 9 in ${path}: it has those from 1 to 8`;
    assertEquals(await refused("--agree", "9", path), [AdvisedError, none]);
    const one = await folder.write("one", textOf(LINES.slice(0, 1)));
    assertEquals(await refused("--agree", "9", one), [
      AdvisedError,
      `There is no line 9 in ${one}: it has those from 1 to 1`,
    ]);
    const many = Array.from({ length: 1_001 }, () => one);
    assertEquals(await refused("--json", ...many), [
      UsageError,
      `Unexpected argument ${JSON.stringify(one)}`,
    ]);
    const empty = await folder.write("empty", "");
    assertEquals(
      await refused("--agree", "1", empty),
      [AdvisedError, `There is no line 1 in ${empty}: it is empty`],
    );
    assertEquals(
      await refused("--agree", "1", path, path),
      [UsageError, "Give one FILE: the older parts are found beside it"],
    );
    for (const flag of [["--key", "x"], ["--search", "x"], ["--json"]]) {
      assertEquals(
        await refused("--agree", "1", ...flag, path),
        [UsageError, "Give --agree alone, without --key, --search or --json"],
      );
    }
  },
);
