/**
 * What the README shows as programs, run as it stands there, and what it lists of the programs.
 *
 * @module
 */

import { FLAGS as CLIENT_FLAGS } from "../../src/client/flags.ts";
import { COMMANDS, usage } from "../../src/client/terminal/commands.ts";
import { REQUEST_TYPES } from "../../src/client/pipe/requests.ts";
import { FLAGS as SERVER_FLAGS } from "../../src/server/flags.ts";
import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { JsonClient } from "../kit/client.ts";
import { succeeds } from "../kit/command.ts";
import { Process } from "../kit/process.ts";

function readme(): Promise<string> {
  return Deno.readTextFile(new URL("../../README.md", import.meta.url));
}

/** Whether the programs that the README's bot needs are here. */
async function has(...programs: readonly string[]): Promise<boolean> {
  for (const program of programs) {
    if (!await succeeds(program, "--version")) return false;
  }
  return true;
}

const ready = await has("bash", "jq");

Deno.test({
  name: `the README's bot answers${
    ready ? "" : " (ignored: no bash, or no jq)"
  }`,
  ignore: !ready,
  async fn() {
    const script = /```bash\n(#!.*?)```/s.exec(await readme())?.[1];
    assert(script);
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    await Deno.symlink(Deno.execPath(), folder.file("deno"));
    const file = await folder.write("bot", script);
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    const words = ["bash", file, invite, "--identity", folder.file("identity")];
    await using bot = new Process(words, {
      cwd: new URL("../..", import.meta.url).pathname,
      env: { PATH: `${folder.path}:${Deno.env.get("PATH")}` },
    });
    await ana.shows("joined", { name: "timebot" });
    await ana.type("!time");
    const answer = await ana.until(
      "the bot's answer",
      () => ana.all("said").find(({ name }) => name === "timebot"),
    );
    assertMatch(answer.text ?? "", /^It is \d\d:\d\d UTC$/);
    bot.kill("SIGKILL"); // its client's input ends with it, and so does the client
    await bot.ended;
    await ana.shows("left", { name: "timebot" });
  },
});

Deno.test("the README's tables name every flag, and no other", async () => {
  const sections = (await readme()).split(/^##+ /m);
  const programs = [
    ["The server's flags", SERVER_FLAGS],
    ["The client's flags", CLIENT_FLAGS],
  ];
  for (const [title, flags] of programs as [string, { name: string }[]][]) {
    const section = sections.find((it) => it.startsWith(`${title}\n`)) ?? "";
    const [table = ""] = section.split("\n\n").filter((it) =>
      it.startsWith("| flag ")
    );
    const named = table.split("\n").flatMap((row) =>
      (row.split("|")[1] ?? "").match(/--[a-z-]{2,}/g) ?? []
    );
    const known = flags.map(({ name }) => `--${name}`);
    assertEquals(
      named.filter((it) => !/^-+$/.test(it)).sort(),
      known.sort(),
      title,
    );
  }
});

Deno.test("the README names every command and every request, and no other", async () => {
  const text = (await readme()).replaceAll(String.raw`\|`, "|");
  const commands = [...text.matchAll(/^\| `(\/[a-z].*?)` +\| /gm)];
  assertEquals(commands.map(([, typed]) => typed), COMMANDS.map(usage));

  const requests = [...text.matchAll(/\{"type":"([a-z]+)"[,}]/g)];
  const named = requests.map(([, type]) => type);
  assertEquals(named.sort(), [...REQUEST_TYPES].sort());
});
