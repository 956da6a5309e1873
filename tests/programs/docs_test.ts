/**
 * What the documentation shows of the programs, held against them: their help, their requests, a bot that is run,
 * and links.
 *
 * @module
 */

import type { TypedContext } from "../../src/client/terminal/commands.ts";
import { usageSentence } from "../../src/base/program.ts";
import { UsageError } from "../../src/base/usage_error.ts";
import { firstRun } from "../../src/client/first_run.ts";
import { findDestination } from "../../src/client/given_place.ts";
import { handshakeRefused } from "../../src/client/join_error.ts";
import { Known } from "../../src/client/known.ts";
import { undoneSentence } from "../../src/client/sentences.ts";
import { interpret } from "../../src/client/terminal/commands.ts";
import { HandshakeRefusal } from "../../src/protocol/reasons.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";
import { anotherRoom } from "../../src/server/own_commands.ts";
import { Settings } from "../../src/client/terminal/settings.ts";
import { REQUEST_TYPES } from "../../src/client/pipe/requests.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { succeeds } from "../kit/command.ts";
import { Folder, freePort, namesIn } from "../kit/folder.ts";
import { Process } from "../kit/process.ts";
import { Program, type Task } from "../kit/program.ts";
import { Server } from "../kit/server.ts";

const root = new URL("../../", import.meta.url);

/** The pages of the documentation: all of these folders. */
async function pages(): Promise<string[]> {
  const found: string[] = [];
  for (const folder of ["", "bench/", "docs/", "tools/npm/"]) {
    const names = await namesIn(new URL(folder, root).pathname);
    const own = names.filter((name) => name.endsWith(".md"));
    found.push(...own.map((name) => `${folder}${name}`));
  }
  return found;
}

function read(page: string): Promise<string> {
  return Deno.readTextFile(new URL(page, root));
}

/** The blocks of plain text on a page. */
async function blocks(page: string): Promise<string[]> {
  const found = (await read(page)).matchAll(/^```text\n(.*?)^```$/gms);
  return Array.from(found, ([, text = ""]) => text);
}

async function helpOf(task: Task): Promise<string> {
  await using folder = await Folder.make();
  const { path } = folder;
  await using program = await Program.run(task, {
    args: ["--help"],
    cwd: path,
    home: path,
  });
  assertEquals(await program.finished(), 0, program.transcript);
  return `${program.stdout.join("\n")}\n`;
}

Deno.test("docs/server.md shows the server's help as it is", async () => {
  assertEquals(await blocks("docs/server.md"), [await helpOf("server")]);
});

/** What a command prints where nothing was set. */
async function printed(command: string): Promise<string> {
  const lines: string[] = [];
  const note = (line: string) => lines.push(line);
  const settings = new Settings();
  await interpret(command, { note, settings } as unknown as TypedContext);
  return lines.map((line) => `${line}\n`).join("");
}

Deno.test("docs/client.md shows the commands, operators' too, the settings and the client's help as they are", async () => {
  const expected = [
    await printed("/help"),
    await printed("/help operators"),
    await printed("/set"),
    await helpOf("client"),
  ];
  assertEquals(await blocks("docs/client.md"), expected);
});

Deno.test("docs/client.md names every request, and no other", async () => {
  const text = await read("docs/client.md");
  const requests = [...text.matchAll(/\{"type":"([a-z]+)"[,}]/g)];
  const named = requests.map(([, type]) => type);
  assertEquals(named.sort(), [...REQUEST_TYPES].sort());
});

const ready = await succeeds("bash", "--version") &&
  await succeeds("jq", "--version");

Deno.test({
  name: `the bot of docs/client.md answers${
    ready ? "" : " (ignored: no bash, or no jq)"
  }`,
  ignore: !ready,
  async fn() {
    const page = await read("docs/client.md");
    const script = /```bash\n(#!.*?)```/s.exec(page)?.[1];
    assert(script);
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    await Deno.symlink(Deno.execPath(), folder.file("deno"));
    const file = await folder.write("bot", script);
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    const words = ["bash", file, invite, "--identity", folder.file("identity")];
    await using bot = new Process(words, {
      cwd: root.pathname,
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

Deno.test("docs/minutes.md shows what a newcomer is told as it is", async () => {
  const page = (await read("docs/minutes.md")).replace(/\s+/g, " ");
  const shown = (text: string) =>
    assertStringIncludes(page, text.replace(/\s+/g, " ").trim());
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--host", "0.0.0.0"],
  });
  for (const line of server.stdout) {
    shown(line.replace(`:${server.port}`, ":5000"));
  }
  shown(
    firstRun("/home/abhii/.config/encrypted-chat/identities", "/home/abhii"),
  );
  shown(undoneSentence({ reason: "not-operator", detail: "" }));
  shown(
    `It serves already. To start it anew, stop that one first; for another room: ${
      anotherRoom(5001, false)
    }`,
  );
  const known = await Known.load(undefined, () => {});
  const error = await assertRejects(
    () => findDestination("127.0.0.1", known),
    UsageError,
  );
  shown(usageSentence(error.message));
  const refused = new RefusedError(HandshakeRefusal.key);
  const { message, advice } = handshakeRefused(refused, 0, "Bob");
  shown(`${message}. ${advice}`);
});

Deno.test("README.md is short enough to be read, and shows its pictures first", async () => {
  const text = await read("README.md");
  assert(text.split("\n").length <= 151, "README.md has over 150 lines");
  const sections = text.split(/^## /m);
  assert(sections[0]?.includes("!["), "no picture above the first section");
});

/** The anchors that a page has, as its readers' programs make them of headings. */
function anchorsOf(text: string): string[] {
  return Array.from(
    text.matchAll(/^#+ (.+)$/gm),
    ([, heading = ""]) =>
      heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(
        " ",
        "-",
      ),
  );
}

Deno.test("every link of the documentation to a part of its own leads to something that is there", async () => {
  const dead: string[] = [];
  let count = 0;
  for (const page of await pages()) {
    const links = (await read(page)).matchAll(
      /\]\((?!https?:)([^)#]*)(#[^)]+)?\)/g,
    );
    for (const [, path = "", anchor] of links) {
      count++;
      const url = new URL(
        path || page.replace(/.*\//, ""),
        new URL(page, root),
      );
      const text = await Deno.readTextFile(url).catch(() => undefined);
      const isThere = text !== undefined &&
        (!anchor || anchorsOf(text).includes(anchor.slice(1)));
      if (!isThere) dead.push(`${page}: ${path}${anchor ?? ""}`);
    }
  }
  assert(count > 10, `${count} links`);
  assertEquals(dead, []);
});

const hasCurl = await succeeds("curl", "--fail-with-body", "--version") &&
  await succeeds("sed", "--version");

Deno.test({
  name:
    `the commands of docs/server.md for programs say and tell what they are for${
      hasCurl ? "" : " (ignored: no curl, or no sed)"
    }`,
  ignore: !hasCurl,
  async fn() {
    const page = await read("docs/server.md");
    const [, section = ""] = /^## Scripts and monitoring\n(.*?)^## /ms
      .exec(page) ?? [];
    const scripts = [...section.matchAll(/^```sh\n(.*?)^```$/gms)];
    assertEquals(scripts.length, 5);
    await using folder = await Folder.make();
    const port = String(freePort());
    await using server = await Server.open(folder, { args: ["--http", port] });
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    for (const [, script = ""] of scripts) {
      const command = script.replaceAll("8090", port)
        .replace(/^curl -sSN /, "exec curl -sSN "); // ends with the signal
      const words = ["sh", "-ec", command];
      await using run = new Program(words, { cwd: folder.path, env: {} });
      if (script.includes("/events")) {
        await run.line(/^:$/);
        await ana.type("hello");
        await run.line(/^event: said$/);
        await run.line(/^data: \{.*"name":"ana".*"text":"hello"\}$/);
        run.kill("SIGTERM");
        await run.finished();
      } else assertEquals(await run.finished(), 0, run.transcript);
    }
    const texts = [
      "The backup is done",
      "two lines,\none message",
      "The backup of today is done",
    ];
    for (const text of texts) await ana.shows("said", { name: "http", text });
  },
});
