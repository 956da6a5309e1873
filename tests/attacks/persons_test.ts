/**
 * Who is who, against those who would be somebody else, come in where they may not, or make somebody say a thing
 * twice. Real programs, with clients of the test's own for those who mean harm.
 *
 * @module
 */

import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import type { LogEntry } from "../../src/protocol/line.ts";
import { assertEquals } from "../kit/assert.ts";
import { JsonClient, type Shown } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { Folder } from "../kit/folder.ts";
import { LateProxy } from "../kit/late_proxy.ts";
import { Server, type ServerOptions } from "../kit/server.ts";

/** A server in a folder of its own. */
async function serverAt(
  options?: ServerOptions,
): Promise<AsyncDisposable & { server: Server; folder: Folder }> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const server = stack.use(await Server.open(folder, options));
  const all = stack.move();
  return {
    server,
    folder,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A link, by another port. */
function atPort(link: string, port: number): string {
  return formatInvite({ ...parseInvite(link), port });
}

async function ask(client: JsonClient, request: unknown): Promise<void> {
  await client.type(JSON.stringify(request));
}

/** Who is in the room, and by how many connections, as a client knows it now. */
async function present(client: JsonClient): Promise<[string, number][]> {
  const { length } = client.all("members");
  await ask(client, { type: "who" });
  const shown: Shown = await client.until(
    "members",
    () => client.all("members")[length],
  );
  const members = shown.members ?? [];
  return members.map(({ name, connections }) => [name, connections]);
}

/** The log's lines that aren't somebody's words. */
function moves(log: readonly LogEntry[]): string[] {
  return log.filter(({ what }) => what !== "said")
    .map(({ what, name, text }) => `${name} ${what} ${text}`.trim());
}

// ── Twice ──────────────────────────────────────────────────────────────────────────────────────────────

const RENAME = { type: "rename", name: "anouk" };

for (const when of ["before the client is back", "once it is back", "never"]) {
  Deno.test(`line is said once under whatever name, and nobody is there twice, where the lost connection's bytes arrive ${when}`, async () => {
    await using at = await serverAt();
    const { server } = at;
    await using proxy = new LateProxy(server.port);
    const invite = atPort(server.invite, proxy.port);
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await ana.shows("joined", { name: "ben" });
    proxy.hold("up");
    await ana.type("on its way");
    await proxy.keeps();
    proxy.lose();
    await ana.shows("away");
    await ask(ana, RENAME);
    if (when === "before the client is back") {
      await proxy.deliver();
      await ben.shows("said", { name: "ana", text: "on its way" });
    }
    await ana.isIn(2);
    if (when === "once it is back") await proxy.deliver();
    await ana.shows("said", { text: "on its way", own: true });
    await ana.shows("renamed", { newName: "anouk", own: true });
    await ana.type("the end");
    await ben.shows("said", { name: "anouk", text: "the end" });

    assertEquals(ben.texts, ["on its way", "the end"]);
    assertEquals(ana.texts, ["on its way", "the end"]);
    for (const client of [ana, ben]) {
      assertEquals((await present(client)).sort(), [["anouk", 1], ["ben", 1]]);
    }
    const log = await server.log();
    assertEquals(moves(log), [
      "ana joined",
      "ben joined",
      "ana renamed anouk",
    ]);
    assertFollows(ben, log);
    assertFollows(ana, log);
  });
}

for (const isNoticed of [false, true]) {
  const who = isNoticed ? "the server notices" : "only the client notices";
  Deno.test(`another name is taken once where its answer is lost, and ${who}`, async () => {
    await using at = await serverAt();
    const { server } = at;
    await using proxy = new LateProxy(server.port);
    const invite = atPort(server.invite, proxy.port);
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await ana.type("before");
    await ana.shows("said", { text: "before" });
    proxy.hold("down");
    await ask(ana, RENAME);
    await ben.shows("renamed", { name: "ana", newName: "anouk" });
    if (isNoticed) {
      proxy.cut();
      await ben.shows("left", { name: "anouk", reason: "lost" });
    } else proxy.lose();
    await ana.isIn(2);
    await ana.type("the end");
    await ben.shows("said", { name: "anouk", text: "the end" });

    assertEquals((await present(ben)).sort(), [["anouk", 1], ["ben", 1]]);
    const log = await server.log();
    assertEquals(moves(log), [
      "ben joined",
      "ana joined",
      "ana renamed anouk",
      ...isNoticed ? ["anouk left lost", "anouk joined"] : [],
    ]);
    assertSaid(log, "ana", ["before"]);
    assertFollows(ana, log);
  });
}
