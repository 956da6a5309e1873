/**
 * Sealed rooms by scripts: real programs, and clients on pipes.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { Client, JsonClient, type Shown } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { runServer, Server } from "../kit/server.ts";

/** The founding link of a server that runs. */
async function foundingLink(folder: Folder, server: Server): Promise<string> {
  const { stdout } = await runServer(folder, ["--link"]);
  const [link] = /chat:\/\/[^\s']+/.exec(stdout.join("\n")) ?? [];
  assert(link, `no link:\n${stdout.join("\n")}`);
  return link.replace(/\/\/[^/]+/, `//127.0.0.1:${server.port}`);
}

/** Runs a client that is told something and then that there is no more. @returns What it showed. */
async function runJson(
  options: Parameters<typeof JsonClient.start>[0],
  ...lines: readonly string[]
): Promise<{ readonly code: number; readonly shown: readonly Shown[] }> {
  await using client = await JsonClient.start(options);
  for (const line of lines) await client.type(line);
  await client.endInput();
  const code = await client.finished();
  return { code, shown: client.shown };
}

/** The link that a client was shown. */
function linkIn(shown: readonly Shown[]): string {
  const { link } = shown.find(({ type }) => type === "invite") as unknown as {
    readonly link: string;
  };
  return link;
}

Deno.test("a script founds a sealed room, whose link is the first that it is shown, and what it asks for last is done before it leaves", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder, { args: ["--sealed"] });
  const link = await foundingLink(folder, server);
  const ana = { name: "ana", home: home.path, invite: link };
  const founded = await runJson({ ...ana, args: ["--found"] }, "hello");
  assertEquals([founded.code, founded.shown[0]?.type], [0, "invite"]);
  const invited = await runJson(
    { ...ana, invite: `127.0.0.1:${server.port}` },
    JSON.stringify({ id: 1, type: "invite", note: "bob" }),
  );
  assertEquals(invited.shown.filter(({ type }) => type === "error"), []);
  const { code } = await runJson(
    { name: "bob", invite: linkIn(invited.shown) },
    "here I am",
  );
  assertEquals([invited.code, code], [0, 0]);
  const renamed = await runJson(
    { ...ana, invite: `127.0.0.1:${server.port}` },
    JSON.stringify({ type: "rename", name: "anna" }),
  );
  assertEquals(renamed.code, 0);
  const names = (await server.log()).filter(({ what }) => what === "renamed");
  assertEquals(names.map(({ text }) => text), ["anna"]);
});

Deno.test("who comes by a sealed room's link that is spent, or was removed, is told to ask a keeper", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder, { args: ["--sealed"] });
  const link = await foundingLink(folder, server);
  await using ana = await JsonClient.join({
    name: "ana",
    home: home.path,
    invite: link,
    args: ["--found"],
  });
  for (const args of [["--found"], []]) {
    await using late = await Client.plain({ name: "late", invite: link, args });
    assertEquals(await late.finished(), 1);
    const said = "Somebody has founded the room already.";
    assertStringIncludes(late.transcript, said);
    assertStringIncludes(late.transcript, "Ask a keeper of the room");
  }
  await using eve = await Client.plain({
    name: "eve",
    invite: linkIn(ana.shown),
  });
  await ana.shows("joined", { name: "eve" });
  await ana.type(JSON.stringify({ type: "kick", name: "eve" }));
  assertEquals(await eve.finished(), 1);
  assertStringIncludes(
    eve.transcript,
    "The server says that you were removed from the room.",
  );
  assertStringIncludes(eve.transcript, "Ask a keeper of the room");
});

Deno.test("a keeper who comes back from the server's folder opens the room to nobody, and whom it bans is told so", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder, { args: ["--sealed"] });
  const invite = await foundingLink(folder, server);
  const ana = { name: "ana", home: home.path };
  let link = "";
  {
    const args = ["--found"];
    await using client = await JsonClient.join({ ...ana, invite, args });
    link = linkIn(client.shown);
    await using eve = await Client.plain({ name: "eve", invite: link });
    await client.shows("joined", { name: "eve" });
    await client.type(JSON.stringify({ type: "ban", name: "eve", id: 1 }));
    await client.shows("done", { id: 1 });
    assertEquals(await eve.finished(), 1);
    const told = "The server says that you were removed from the room.";
    assertStringIncludes(eve.transcript, told);
  }
  const before = (await server.log()).length;
  await using again = await JsonClient.join({ ...ana, cwd: folder.path });
  await again.type(JSON.stringify({ type: "invites", id: 2 }));
  await again.shows("done", { id: 2 });
  const verbs = (await server.log()).slice(before).map(({ what }) => what);
  assertEquals(verbs.filter((what) => what === "ruled"), []);
  assertEquals(server.stderr.filter((it) => !it.includes(" info ")), []);
});

Deno.test("deno task invite makes no link to a sealed room, and says who does, founded or not", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--sealed", "--control", "members"],
  });
  const words = ["invite", "for bob", "--control", "members"];
  const early = await runServer(folder, words);
  assertEquals([early.code, early.stdout], [1, []]);
  assertStringIncludes(early.stderr.join("\n"), "Nobody has created it yet");
  const { stdout: [link = ""] } = await runServer(folder, [
    "--link",
    "--control",
    "members",
  ]);
  const invite = link.replace(/\/\/[^/]+/, `//127.0.0.1:${server.port}`);
  await runJson({ name: "ana", invite, args: ["--found"] });
  const late = await runServer(folder, words);
  assertEquals([late.code, late.stdout], [1, []]);
  assertStringIncludes(
    late.stderr.join("\n"),
    "Ask one of them for /invite: ana",
  );
  // By its key file alone: who its keepers are stands elsewhere.
  const blind = await runServer(folder, ["invite"]);
  assertEquals([blind.code, blind.stdout], [1, []]);
  assertEquals(blind.stderr.at(-1), "Ask one of them for /invite.");
});
