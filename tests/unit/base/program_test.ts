/**
 * How people are told to start the programs.
 *
 * @module
 */

import {
  clientCommand,
  executableCommand,
  inviteCommand,
  logCommand,
  packageCommand,
  serverCommand,
  usageSentence,
} from "../../../src/base/program.ts";
import { sentence } from "../../../src/base/sentence.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { filesBelow } from "../../kit/folder.ts";

const root = new URL("../../../", import.meta.url);

Deno.test("a copy of the repository is started by deno task", () => {
  assertEquals([serverCommand(), clientCommand()], [
    "deno task server",
    "deno task client",
  ]);
  assertEquals([inviteCommand(), logCommand()], [
    "deno task invite",
    "deno task log",
  ]);
});

Deno.test("the npm package is started by npx, or by its own name where it is installed for all folders", () => {
  assertEquals(packageCommand("exec"), "npx encrypted-chat");
  for (const npm of [undefined, "", "run-script"]) {
    assertEquals(packageCommand(npm), "encrypted-chat");
  }
});

Deno.test("a single executable is started by its path, and the other one beside it where both are in this folder", () => {
  const cases: [string, string, "server" | "client", string, string][] = [
    ["/a/chat-server", "/a", "server", "./chat-server", "./chat-client"],
    ["/a/chat-client", "/a", "client", "./chat-server", "./chat-client"],
    ["/a/mine", "/a", "client", "./chat-server", "./mine"],
    ["/a/chat-server", "/", "server", "/a/chat-server", "chat-client"],
    ["/a b/chat-client", "/a", "client", "chat-server", "'/a b/chat-client'"],
    ["/chat-server", "/", "server", "/chat-server", "chat-client"],
    [
      String.raw`C:\a\chat-server.exe`,
      String.raw`C:\a`,
      "server",
      String.raw`.\chat-server.exe`,
      String.raw`.\chat-client`,
    ],
  ];
  for (const [path, cwd, program, server, client] of cases) {
    const executable = { path, cwd, program };
    assertEquals(executableCommand("server", executable), server);
    assertEquals(executableCommand("client", executable), client);
  }
});

Deno.test("a command at the end of a sentence has no full stop, however the program is started", () => {
  for (
    const command of [
      "deno task invite",
      "npx encrypted-chat invite",
      "encrypted-chat invite",
      "./chat-server invite",
      "/usr/local/bin/chat-server invite",
      String.raw`.\chat-server.exe invite`,
      "mkdir room && deno task server",
    ]
  ) {
    assertEquals(sentence(`Make one: ${command}`), `Make one: ${command}`);
  }
  assertEquals(sentence("Nothing was said"), "Nothing was said.");
});

Deno.test("usageSentence() says where to look, and leaves a command as it is to be copied", () => {
  const cases = [
    ["Unknown flag", "Unknown flag. See --help."],
    ['Did you mean "--port"?', 'Did you mean "--port"? See --help.'],
    [
      "Its number is missing; to see them: deno task invite list",
      "Its number is missing; to see them: deno task invite list\nSee --help.",
    ],
  ] as const;
  for (const [text, said] of cases) assertEquals(usageSentence(text), said);
});

Deno.test("no module but program.ts says how a program is started: it would be wrong for most who read it", async () => {
  const wrong: string[] = [];
  let count = 0;
  for await (const url of filesBelow(new URL("src/", root))) {
    if (!/\.tsx?$/.test(url.pathname)) continue;
    count++;
    if (url.pathname.endsWith("/base/program.ts")) continue;
    const lines = (await Deno.readTextFile(url)).split("\n");
    for (const line of lines) {
      if (/^\s*(\*|\/)/.test(line)) continue; // a comment, or a pattern
      const said = line.replace(/ \/\/ .*$/, "");
      if (
        /(deno task|encrypted-chat) (server|client|invite|log)\b/.test(said)
      ) {
        wrong.push(`${url.pathname}: ${said.trim()}`);
      }
    }
  }
  assert(count > 300, `${count} modules`);
  assertEquals(wrong, []);
});
