/**
 * Versions that meet: a newer server and an older client, the reverse, and files that a newer server wrote. A newer
 * program is a copy of this one with another version number, or one that says what this one doesn't know.
 *
 * @module
 */

import { formatLine } from "../../src/base/checked_line.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { formatInvite } from "../../src/keys/invite.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/hello.ts";
import { RecordType } from "../../src/protocol/records.ts";
import { assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { Client, type ClientOptions, JsonClient } from "../kit/client.ts";
import { FaultyCopy } from "../kit/faulty_copy.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { TestBrowser, webLinkOf } from "../kit/page_app.ts";
import { FAST_TIMERS } from "../kit/program.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import { sealed } from "../kit/sealed_programs.ts";
import { runServer, Server, type ServerOptions } from "../kit/server.ts";
import { typeClient } from "../kit/stage.ts";

const page = await Deno.readTextFile(
  new URL("../../docs/server.md", import.meta.url),
);
/** What the documentation says of upgrades, each line break a space. */
const upgrades = /\n### Upgrades\n(.*)$/s.exec(page)?.[1] ?? "";
const told = upgrades.replace(/\s+/g, " ");

/** Fails unless the documentation has a sentence, as it is said. */
function assertTold(sentence: string): void {
  assertStringIncludes(told, `\`${sentence}\``);
}

const NEXT = PROTOCOL_VERSION + 1;
const NEWER =
  `The server speaks version ${NEXT} and this client ${PROTOCOL_VERSION}: update the client`;
const OLDER =
  `The server speaks version ${PROTOCOL_VERSION} and this client ${NEXT}: update the server`;
const ADVICE = "Use the client that belongs to the server.";

/** A client that is refused: its exit code, and what it says to a person and, as JSON, to a program. */
async function refused(options: ClientOptions) {
  await using plain = await Client.plain({ ...options, name: "ben" });
  const code = await plain.finished();
  await using json = await JsonClient.start({ ...options, name: "ben" });
  assertEquals(await json.finished(), code, json.transcript);
  const [error] = json.all("error");
  const { stdout, stderr } = plain;
  return { code, stdout, stderr, error: error?.message };
}

Deno.test("a server and a client of two versions say which one is to be updated, and the client stops with exit code 1", async () => {
  await using newer = await FaultyCopy.make({
    file: "src/protocol/hello.ts",
    right: `export const PROTOCOL_VERSION = ${PROTOCOL_VERSION};`,
    wrong: `export const PROTOCOL_VERSION = ${NEXT};`,
  });
  const { root } = newer;
  await using folder = await Folder.make();
  const port = freePort();
  const options: ServerOptions = { port };
  const outcome = (sentence: string) => ({
    code: 1,
    stdout: [],
    stderr: [`${sentence}.`, ADVICE],
    error: sentence,
  });
  const first = await Server.open(folder, options);
  const { invite } = first;
  await using ana = await JsonClient.join({
    invite,
    name: "ana",
    runtime: FAST_TIMERS,
  });
  {
    await using _first = first;
    assertEquals(await refused({ invite, root }), outcome(OLDER));
    assertTold(OLDER);
    first.kill("SIGTERM");
    await first.finished();
  }
  {
    await using second = await Server.open(folder, { ...options, root });
    assertEquals(await refused({ invite }), outcome(NEWER));
    assertTold(NEWER);
    {
      await using browser = new TestBrowser();
      const shown = await browser.open(webLinkOf(invite));
      await shown.at("name");
      await shown.app.join("cy");
      const { message, advice } = await shown.at("over");
      assertEquals([message, `${advice}.`], [NEWER, ADVICE]);
    }
    // Anybody on the way can say so: who is in goes on trying, and says why.
    await ana.shows("away", { reason: NEWER });
    await using ben = await JsonClient.join({ invite, name: "ben", root });
    await ben.type("from the next version to the next");
    await ben.shows("said", { own: true });
    second.kill("SIGTERM");
    await second.finished();
  }
  await using _back = await Server.open(folder, options);
  await ana.isIn(2);
  await ana.shows("said", { text: "from the next version to the next" });
  assertEquals(ana.all("warning"), []);
  assertEquals(ana.all("history-differs"), []);
});

terminalTest(
  "at a terminal, too, a client of another version says which is to be updated, and gives the terminal back",
  async () => {
    using newer = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { hostname: host, port } = newer.addr;
    const [serverKey, secret] = [new Uint8Array(32), new Uint8Array(32)];
    const invite = formatInvite({ host, port, id: 0, serverKey, secret });
    await using terminal = await Terminal.open(80);
    await typeClient(terminal, `'${invite}' --name ana; echo "code $?"`);
    using conn = await newer.accept();
    await writeAll(conn, Uint8Array.of(0, 5, RecordType.refusal, 1, NEXT));
    await terminal.ends(`${NEWER}.`, ADVICE, "code 1", "$");
  },
);

Deno.test("a server and a client that say events of unknown kinds talk with those that don't know them", async () => {
  const text =
    "return JSON.stringify([event.kind, ...names.map((name) => values[name])]);";
  await using newer = await FaultyCopy.make({
    file: "src/protocol/events.ts",
    right: text,
    wrong: `const known = ${text.slice("return ".length)}
  return \`["novelty",[{"a":1}],"b"],\${known}\`;`,
  });
  const { root } = newer;
  for (const [server, client] of [[root, undefined], [undefined, root]]) {
    await using folder = await Folder.make();
    await using room = await Server.open(folder, { root: server });
    const { invite } = room;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await JsonClient.join({
      invite,
      name: "ben",
      root: client,
    });
    await ben.type("one", "two");
    await ana.shows("said", { text: "two", name: "ben" });
    await ana.type("three");
    for (const it of [ana, ben]) {
      await it.shows("said", { text: "three", name: "ana" });
    }
    await ben.type(JSON.stringify({ type: "agree", id: "same" }));
    await ana.type(JSON.stringify({ type: "agree", id: "same" }));
    const [own, others] = await Promise.all(
      [ana, ben].map((it) => it.shows("agreement", { id: "same" })),
    );
    assertEquals(own?.digits, others?.digits);
    for (const it of [ana, ben]) {
      assertEquals(it.all("away"), []);
      assertEquals(it.all("warning"), []);
    }
  }
});

/** Makes the files of a room, without anybody in it, in a folder. */
async function makeRoom(folder: Folder, options: ServerOptions) {
  await using server = await Server.open(folder, options);
  server.kill("SIGTERM");
  assertEquals(await server.finished(), 0);
}

Deno.test("an older server leaves files alone that a newer one wrote, and says so", async () => {
  const unknown = { kind: "novelty", person: "somebody" };
  for (const file of ["chat.people", "chat.waiting", "chat.control"]) {
    await using folder = await Folder.make();
    const isSealed = file === "chat.control";
    await makeRoom(folder, isSealed ? sealed() : {});
    await Deno.writeTextFile(folder.file(file), formatLine(unknown), {
      append: true,
    });
    const text = await Deno.readTextFile(folder.file(file));
    const line = text.split("\n").length - 1;
    const sentence = (line: string | number) =>
      `Cannot use "${file}": its line ${line} says "novelty", which only a newer version knows: start that one`;
    const flags = ["--port", "0", ...isSealed ? ["--sealed"] : []];
    for (const args of [flags, [...flags, "--check"]]) {
      const { code, stderr } = await runServer(folder, args);
      assertEquals([code, stderr], [1, [`${sentence(line)}.`]]);
    }
    assertEquals(await Deno.readTextFile(folder.file(file)), text);
    assertTold(
      sentence("N").replace(file, "FILE").replace('"novelty"', '"KIND"'),
    );
  }
});

Deno.test("an older server leaves a newer one's key alone, and says so", async () => {
  await using folder = await Folder.make();
  await makeRoom(folder, {});
  const path = folder.file("chat.key");
  const key = await Deno.readTextFile(path);
  const newer = key.replace('"version": 1', '"version": 2');
  await Deno.writeTextFile(path, newer);
  const sentence =
    'Cannot use "chat.key": it has version 2, and this program reads version 1';
  const { code, stderr } = await runServer(folder, ["--port", "0"]);
  assertEquals([code, stderr], [1, [`${sentence}.`]]);
  assertEquals(await Deno.readTextFile(path), newer);
  assertTold(sentence);
});

Deno.test("a client leaves a newer one's identity alone, and says so", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const own = { invite, name: "ana", home: home.path };
  {
    await using ana = await JsonClient.join(own);
    await ana.endInput();
    assertEquals(await ana.finished(), 0);
  }
  const identities = `${home.path}/.config/encrypted-chat/identities`;
  const [{ name } = { name: "" }] = await Array.fromAsync(
    Deno.readDir(identities),
  );
  const path = `${identities}/${name}`;
  const text = await Deno.readTextFile(path);
  const newer = text.replace('"version": 1', '"version": 2');
  await Deno.writeTextFile(path, newer);
  await using ana = await Client.plain({
    invite,
    name: "ana",
    home: home.path,
    args: ["--identity", path],
  });
  assertEquals(await ana.finished(), 1, ana.transcript);
  assertEquals(ana.stderr, [
    `Cannot use "${path}": it has version 2, and this program reads version 1.`,
  ]);
  assertEquals(await Deno.readTextFile(path), newer);
});

Deno.test("an older server passes over a newer one's lines of the log, and who saw them is warned", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  const first = await Server.open(folder, { port });
  await using ana = await JsonClient.join({
    invite: first.invite,
    name: "ana",
    runtime: FAST_TIMERS,
  });
  await ana.type("two", "three");
  await ana.shows("said", { text: "three" });
  {
    await using _first = first;
    first.kill("SIGTERM");
    await first.finished();
  }
  const log = await Deno.readTextFile(folder.file("chat.log"));
  const lines = log.split("\n").slice(0, -1);
  assertEquals(lines.length, 4); // the last: that ana left
  // As of a kind that is newer: its number stays, and its words are nobody's.
  lines[1] = lines[1]?.replace("ana: two", "ana votes for two") ?? "";
  await Deno.writeTextFile(folder.file("chat.log"), `${lines.join("\n")}\n`);
  await using second = await Server.open(folder, { port });
  await ana.isIn(2);
  assertEquals(
    (await ana.shows("history-differs")).from,
    2,
  );
  await using ben = await JsonClient.join({
    invite: second.invite,
    name: "ben",
  });
  await ben.shows("said", { text: "three", seq: 3 });
  assertEquals(ben.texts, ["three"]);
  assertEquals(ben.all("history-differs"), []);
});
