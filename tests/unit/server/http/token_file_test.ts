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
    `# mine\n\nbackup ${TOKEN}\r\n  disk.check\t${OTHER}==  \nBackup x${TOKEN}`;
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
    await write(`disk\n`);
    assertEquals([names(), changes], [["disk"], 1]);
    await write(`backup ${TOKEN}\n`, 0o644);
    assertEquals([names(), changes], [["disk"], 1]);
    await Deno.remove(path);
    assertEquals([names(), changes], [["disk"], 1]);
    await write("");
    assertEquals([names(), changes], [[], 2]);
  }));
