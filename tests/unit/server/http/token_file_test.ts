/**
 * The file of tokens: how it is made, what it may say, and that it is followed.
 *
 * @module
 */

import { FileError } from "../../../../src/base/private_file.ts";
import {
  digestOfToken,
  parseTokens,
  TokenFile,
} from "../../../../src/server/http/token_file.ts";
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";
import { inFolder } from "../../../kit/folder.ts";
import { withMethod } from "../../../kit/log_kit.ts";
import { ManualClock } from "../../../kit/memory_stream.ts";
import { overhear } from "../../../kit/overhear.ts";

const TOKEN = "0123456789abcdefghijklmnopqrstuvwxyz_-AB";
const OTHER = "another-token-0123456789abcdefghijklmno";

Deno.test("TokenFile.open() makes a file for its owner alone, with one token, which is random", () =>
  inFolder(async (folder) => {
    const made: string[] = [];
    const texts = new Set<string>();
    for (const path of [`${folder}/a.tokens`, `${folder}/b.tokens`]) {
      assertEquals(TokenFile.check(path), false);
      const onMade = (it: string) => void made.push(it);
      using file = await TokenFile.open(path, onMade, () => {});
      assertEquals(file.tokens.map(({ name }) => name.shown), ["http"]);
      const text = await Deno.readTextFile(path);
      const [, token = ""] = /^#.*\nhttp ([\w-]{43})\n$/.exec(text) ?? [];
      assertEquals(file.find(digestOfToken(token))?.name.shown, "http");
      assertEquals(file.find(digestOfToken(`${token}x`)), undefined);
      texts.add(token);
      assertEquals((await Deno.stat(path)).mode ?? 0, 0o100600);
      assertEquals(TokenFile.check(path), true);
      using again = await TokenFile.open(path, onMade, () => {});
      assertEquals(again.tokens.length, 1);
    }
    assertEquals(texts.size, 2);
    assertEquals(made.length, 2);
  }));

Deno.test("parseTokens() takes names with tokens, several of a name, comments and empty lines", () => {
  const text =
    `# mine\n\nbackup ${TOKEN}\r\n  disk.check\t \t${OTHER}==  \nBackup x${TOKEN}\nbackup ${TOKEN}`;
  const tokens = parseTokens("chat.tokens", text);
  const names = tokens.map(({ name }) => name.shown);
  assertEquals(names, ["backup", "disk.check", "Backup"]);
  assertEquals(parseTokens("chat.tokens", ""), []);
});

Deno.test("parseTokens() names the line that is wrong, and repeats nothing of it", () => {
  const form = "isn't a name and a token of at least 32 letters and digits";
  const cases = [
    [TOKEN, form],
    [`backup ${TOKEN.slice(0, 31)}`, form],
    [`backup ${TOKEN} more`, form],
    [`backup "${TOKEN}"`, form],
    [`sérver! ${TOKEN}`, "has no name that can be used: A name has"],
    [`server ${TOKEN}`, "has no name that can be used: That name is kept"],
    [`backup ${OTHER}`, "has the token of another name"],
    [`BACKUр ${TOKEN}`, "has no name that can be used: That name mixes"],
    [`first- ${OTHER}\nfirst_ ${OTHER}`, "has the token of another name"],
    [`rn ${TOKEN}\nm ${TOKEN}x`, "has a name that looks like another one"],
  ];
  for (const [line = "", why = ""] of cases) {
    const error = assertThrows(
      () => parseTokens("chat.tokens", `first ${OTHER}\n${line}\n`),
      FileError,
    );
    const { message } = error;
    assert(/^Cannot use "chat.tokens": line [23] /.test(message), message);
    assert(message.includes(why), message);
    for (const token of [TOKEN, OTHER]) {
      assert(!message.includes(token.slice(0, 31)), message);
    }
  }
});

Deno.test("TokenFile.look() takes over what the file says now, and goes on where it can't be used", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.tokens`;
    const write = async (text: string, mode = 0o600) => {
      await Deno.writeTextFile(`${path}.new`, text, { mode });
      await Deno.rename(`${path}.new`, path);
    };
    await write(`backup ${TOKEN}\n`);
    let changes = 0;
    using file = await TokenFile.open(path, () => {}, () => void changes++);
    const names = () => {
      file.look();
      return file.tokens.map(({ name }) => name.shown);
    };
    assertEquals([names(), changes], [["backup"], 0]);
    await write(`# the same\nbackup ${TOKEN}\n`);
    assertEquals([names(), changes], [["backup"], 0]);
    await write(`disk ${OTHER}\n`);
    assertEquals([names(), changes], [["disk"], 1]);
    // Another token of the same name, and another one beside one that stays.
    await write(`disk x${OTHER}\n`);
    assertEquals([names(), changes], [["disk"], 2]);
    await write(`disk x${OTHER}\nbackup ${TOKEN}\n`);
    assertEquals([names(), changes], [["disk", "backup"], 3]);
    await write(`disk x${OTHER}\nbackup x${TOKEN}\n`);
    assertEquals([names(), changes], [["disk", "backup"], 4]);
    await write(`disk ${OTHER}\n`);
    assertEquals([names(), changes], [["disk"], 5]);
    await write(`disk\n`);
    assertEquals([names(), changes], [["disk"], 5]);
    await write(`backup ${TOKEN}\n`, 0o644);
    assertEquals([names(), changes], [["disk"], 5]);
    await Deno.remove(path);
    assertEquals([names(), changes], [["disk"], 5]);
    await write("");
    assertEquals([names(), changes], [[], 6]);
  }));

Deno.test("TokenFile says that there are other tokens, and looks once a second until it is disposed of", () =>
  inFolder(async (folder) => {
    using clock = new ManualClock();
    const path = `${folder}/chat.tokens`;
    await Deno.writeTextFile(path, `backup ${TOKEN}\n`, { mode: 0o600 });
    {
      let changes = 0;
      using _file = await TokenFile.open(path, () => {}, () => void changes++);
      clock.advance(1_000);
      await Deno.writeTextFile(path, `disk.check ${TOKEN}\n`);
      const heard = await overhear("info", () => clock.advance(1_000));
      assertEquals(heard, [`info http: ${path} has other tokens now`]);
      assertEquals(changes, 1);
    }
    assertEquals(clock.pending, 0);
  }));

Deno.test("TokenFile.open() takes the file that another start has made at the same time", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.tokens`;
    const link = Deno.link;
    const late: typeof link = async (...paths) => {
      await Deno.writeTextFile(path, `backup ${TOKEN}\n`, { mode: 0o600 });
      await link(...paths);
    };
    const made: string[] = [];
    await withMethod(Deno, "link", () => late, async () => {
      const onMade = (it: string) => void made.push(it);
      using file = await TokenFile.open(path, onMade, () => {});
      assertEquals(file.tokens.map(({ name }) => name.shown), ["backup"]);
    });
    assertEquals(made, []);
  }));

Deno.test("TokenFile.check() fails for a file that can't be used", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.tokens`;
    await Deno.writeTextFile(path, "backup\n", { mode: 0o600 });
    assertThrows(() => TokenFile.check(path), FileError, "line 1");
    await Deno.writeTextFile(path, `backup ${TOKEN}\n`);
    await Deno.chmod(path, 0o644);
    assertThrows(() => TokenFile.check(path), FileError, path);
  }));
