/**
 * Private messages, and who would read, block or double them: the server with all that it has, a stranger with a program
 * of its own, and programs that are killed in the middle. Real programs; a server that alters letters is in
 * session_private_test.ts.
 *
 * @module
 */

import { fromBase64url, toBase64url } from "../../crypto_utils.ts";
import { readCard } from "../../src/crypto/identity.ts";
import { fullId } from "../../src/crypto/person_id.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { type ClientOptions, JsonClient, type Shown } from "../kit/client.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { Intruder, through } from "../kit/intruder.ts";
import { memoryOf, unreadableMemory } from "../kit/process_memory.ts";
import { anotherMachine } from "../kit/people.ts";
import { type Edit, TcpProxy } from "../kit/proxy.ts";
import { readable } from "../kit/readable.ts";
import { Server } from "../kit/server.ts";
import { testUnless } from "../kit/system.ts";
import { OTHER_CLOCK } from "../kit/program.ts";

type Person = ClientOptions & { readonly name: string };

/** Writes to somebody alone. */
async function write(client: JsonClient, to: string, text: string) {
  await client.type(JSON.stringify({ type: "private", to, text }));
}

/** What a client was shown of private messages. */
function privates(client: JsonClient): string[] {
  return (client.all("private") as unknown as (Shown & { to: string })[])
    .map(({ name, to, text }) => `${name} to ${to}: ${text}`);
}

/** Has a client leave. */
async function leave(client: JsonClient): Promise<void> {
  await client.type(JSON.stringify({ type: "quit" }));
  assertEquals(await client.finished(), 0);
}

/**
 * Comes, stays until all that came meanwhile has been shown, and leaves.
 * @param by Somebody who is there: its message comes last. @param notes Gets what is said of such messages.
 * @returns What was shown of the others.
 */
async function visit(
  person: Person,
  by: JsonClient,
  notes: string[] = [],
): Promise<string[]> {
  await using client = await JsonClient.join(person);
  const text = `marker ${crypto.randomUUID()}`;
  await write(by, person.name, text);
  await client.shows("private", { text });
  await leave(client);
  notes.push(
    ...client.all("note").map(({ text = "" }) => text)
      .filter((text) => text.includes("rivate messages")),
  );
  return privates(client).filter((it) => !it.includes(": marker "));
}

/** Lets a client's next private message through, and nothing that the server says after that, until it is over. */
class Deafness {
  #state: "no" | "next" | "yes" = "no";

  /** From the next private message on. */
  begin(): void {
    this.#state = "next";
  }

  /** From now on all comes through. */
  end(): void {
    this.#state = "no";
  }

  /** What becomes of a record. No other is as long as a message with its copy. */
  readonly edit: Edit = ({ direction, bytes }) => {
    const isUp = direction === "up";
    if (this.#state === "next" && isUp && bytes.length > 3_000) {
      this.#state = "yes";
    }
    return this.#state === "yes" && !isUp ? [] : [bytes];
  };
}

/** How many private messages a server has written down, with their senders' copies. */
async function lettersIn(folder: Folder): Promise<number> {
  const text = await Deno.readTextFile(folder.file("chat.waiting"));
  return text.split('"kind":"letter"').length - 1;
}

/** Waits until it has written down so many. */
async function hasKept(folder: Folder, count: number): Promise<void> {
  using watcher = Deno.watchFs(folder.file("chat.waiting"));
  if (await lettersIn(folder) >= count) return;
  for await (const _change of watcher) {
    if (await lettersIn(folder) >= count) return;
  }
}

// ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────

testUnless(
  unreadableMemory,
  "words of a private message are nowhere in the server's memory, its files or its traffic, while they are fresh and after it has passed them on",
  async () => {
    await using folder = await Folder.make();
    await using home = await Folder.make();
    await using server = await Server.open(folder);
    await using proxy = new TcpProxy(server.port);
    const invite = through(proxy, server);
    const bo = { invite, name: "bo", home: home.path };
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await visit(bo, ana);
    const waits = "cinnamon rendezvous";
    const passes = "marzipan at midnight";
    const said = "everybody may hear this";
    await write(ana, "bo", waits);
    await ana.shows("private", { text: waits, state: "waiting" });
    await ana.type(said);
    await ana.shows("said", { text: said });
    const all = [waits, passes, said];
    const find = async () => readable(all, await memoryOf(server.pid));
    assertEquals(await find(), [said], "while it waits");
    await using client = await JsonClient.join(bo);
    await client.shows("private", { text: waits });
    await write(ana, "bo", passes);
    await client.shows("private", { text: passes });
    await write(client, "ana", "got them");
    await ana.shows("private", { text: "got them" });
    assertEquals(await find(), [said], "when it was passed on");
    for (const name of await folder.names()) {
      const bytes = await Deno.readFile(folder.file(name));
      assertEquals(
        readable(all, bytes),
        name === "chat.log" ? [said] : [],
        name,
      );
    }
    const remembered = home.file(".config/encrypted-chat/private");
    assertEquals(readable(all, await Deno.readFile(remembered)), []);
    assert(proxy.captured.length > 10_000);
    assertEquals(readable(all, proxy.captured), []);
  },
);

// ── Filling ────────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("stranger who sends as many private messages as the server takes leaves others place in the box, and what they write comes", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  const bo = { invite, name: "bo", home: home.path };
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await visit(bo, ana);
  using mallory = await Intruder.in(server, "mallory");
  await mallory.send({ kind: "look", id: 1, who: "bo" });
  const { card } = await mallory.hears("card");
  const to = fullId(readCard(fromBase64url(card)).id);
  const data = toBase64url(crypto.getRandomValues(new Uint8Array(1_500)));
  const states: string[] = [];
  for (let n = 1; n <= 220; n++) {
    await mallory.send({ kind: "private", n, to, data, own: data });
    states.push((await mallory.hears("privately")).state);
  }
  assertEquals(states.filter((it) => it === "waiting").length, 100);
  assertEquals(new Set(states.slice(100)), new Set(["mailbox-full"]));
  for (let n = 0; n < 10; n++) await write(ana, "bo", `are you there? ${n}`);
  await ana.shows("private", { text: "are you there? 9", state: "waiting" });
  assertEquals(ana.all("refused"), []);
  const expected = Array.from(
    { length: 10 },
    (_, n) => `ana to bo: are you there? ${n}`,
  );
  assertEquals(await visit(bo, ana), expected);
});

// ── Losing and doubling ────────────────────────────────────────────────────────────────────────────────────

Deno.test("machine that was off for longer than private messages wait gets those of the last week, and its person is told that older ones are missing", async () => {
  await using folder = await Folder.make();
  const setClock = (days: number) => folder.write("clock", `+${days}d`);
  await setClock(0);
  const runtime = OTHER_CLOCK;
  await using server = await Server.open(folder, { runtime });
  const common = { invite: server.invite, cwd: folder.path, runtime };
  await using home = await Folder.make();
  await using ana = await JsonClient.join({ ...common, name: "ana" });
  const desk = { ...common, name: "bo", home: home.path };
  await visit(desk, ana);
  await using other = await anotherMachine(home);
  const laptop = { ...common, name: "bo", home: other.path };
  const notes: string[] = [];
  assertEquals(await visit(laptop, ana, notes), []);
  await setClock(1);
  await write(ana, "bo", "on day 1");
  assertEquals(await visit(desk, ana, notes), ["ana to bo: on day 1"]);
  await setClock(3);
  await write(ana, "bo", "on day 3");
  assertEquals(await visit(desk, ana, notes), ["ana to bo: on day 3"]);
  assertEquals(notes, []);
  await setClock(9);
  assertEquals(await visit(laptop, ana, notes), ["ana to bo: on day 3"]);
  assertEquals(notes, [
    "This machine was last here 9 days ago. Private messages wait for 7 days: older ones did not come to it",
  ]);
  assertEquals(await visit(laptop, ana, notes), []);
  assertEquals(notes.length, 1);
});

Deno.test("private message that a server took and was killed before it answered is sent again, and comes once", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  const port = freePort();
  await using first = await Server.open(folder, { port });
  const deafness = new Deafness();
  await using proxy = new TcpProxy(port, deafness.edit);
  const { invite } = first;
  const bo = { invite, name: "bo", home: home.path };
  await using eve = await JsonClient.join({ invite, name: "eve" });
  await visit(bo, eve);
  const by = through(proxy, first);
  await using ana = await JsonClient.join({ invite: by, name: "ana" });
  const before = await lettersIn(folder);
  deafness.begin();
  await write(ana, "bo", "once");
  await hasKept(folder, before + 2);
  first.kill("SIGKILL");
  await first.finished();
  deafness.end();
  assertEquals(privates(ana), []); // it doesn't know
  await using _second = await Server.open(folder, { port });
  await ana.shows("private", { text: "once", state: "waiting" });
  assertEquals(await lettersIn(folder), before + 2);
  await eve.isIn(2);
  assertEquals(await visit(bo, eve), ["ana to bo: once"]);
  assertEquals(privates(ana), ["ana to bo: once"]);
});

Deno.test("private message of a client that is killed before it heard of it comes once, and the next run shows that it was sent, once", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using own = await Folder.make();
  await using server = await Server.open(folder);
  const deafness = new Deafness();
  await using proxy = new TcpProxy(server.port, deafness.edit);
  const { invite } = server;
  const bo = { invite, name: "bo", home: home.path };
  const ana = { invite, name: "ana", home: own.path };
  await using eve = await JsonClient.join({ invite, name: "eve" });
  await visit(bo, eve);
  {
    const by = through(proxy, server);
    await using client = await JsonClient.join({ ...ana, invite: by });
    const before = await lettersIn(folder);
    deafness.begin();
    await write(client, "bo", "did it go?");
    await hasKept(folder, before + 2);
    client.kill("SIGKILL");
    await client.finished();
    assertEquals(privates(client), []);
    await eve.shows("left", { name: "ana" });
  }
  assertEquals(await visit(ana, eve), ["ana to bo: did it go?"]);
  assertEquals(await visit(ana, eve), []);
  assertEquals(await visit(bo, eve), ["ana to bo: did it go?"]);
  assertEquals(await visit(bo, eve), []);
});
