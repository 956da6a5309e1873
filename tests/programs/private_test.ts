/**
 * Private messages between real programs: who gets them, when, and how often.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "../kit/assert.ts";
import {
  Client,
  type ClientOptions,
  JsonClient,
  type Shown,
} from "../kit/client.ts";
import { anotherMachine } from "../kit/people.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { type Edit, TcpProxy } from "../kit/proxy.ts";
import { Server } from "../kit/server.ts";
import { OTHER_CLOCK } from "../kit/program.ts";

/** Writes to somebody alone. */
async function write(
  client: JsonClient,
  to: string,
  text: string,
  id?: number,
): Promise<void> {
  await client.type(JSON.stringify({ type: "private", to, text, id }));
}

/** What a client was shown of private messages: from whom, to whom, and the text. Without those of `settled`. */
function privates(client: JsonClient): string[] {
  return (client.all("private") as unknown as Private[])
    .filter(({ text = "" }) => !text.startsWith("marker "))
    .map(({ name, to, text }) => `${name} to ${to}: ${text}`);
}

type Private = Omit<Shown, "to"> & { readonly to: string };

/** Waits until a client has been shown so many. */
function showsPrivates(client: JsonClient, count: number): Promise<true> {
  return client.until(
    `${count} private messages`,
    () => privates(client).length >= count ? true : undefined,
  );
}

/** Has a client leave. */
async function leave(client: JsonClient): Promise<void> {
  await client.endInput();
  assertEquals(await client.finished(), 0);
}

/**
 * Comes, stays until all that came meanwhile has been shown, and leaves.
 * @param by Somebody who is there and writes to it. @returns What it was shown of private messages.
 */
async function visit(
  options: ClientOptions & { readonly name: string },
  by: JsonClient,
): Promise<string[]> {
  await using client = await JsonClient.join(options);
  await settled(client, options.name, by);
  await leave(client);
  return privates(client);
}

let markers = 0;

/** Waits until all that came is shown: messages are opened in their order, and here is another. */
async function settled(
  client: JsonClient,
  name: string,
  by: JsonClient,
): Promise<void> {
  const text = `marker ${++markers}`;
  await write(by, name, text);
  await client.shows("private", { text });
}

Deno.test("private message goes to its recipient and to nobody else, and not into the log", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using eve = await JsonClient.join({ invite, name: "eve" });
  await ana.shows("joined", { name: "eve" });
  await write(ana, "ben", "at six", 7);
  await ana.shows("private", { own: true, id: 7, state: "delivered" });
  await ben.shows("private", { name: "ana", text: "at six", own: false });
  await ben.type("hello all");
  await eve.shows("said", { text: "hello all" });
  assertEquals(privates(ana), ["ana to ben: at six"]);
  assertEquals(privates(ben), ["ana to ben: at six"]);
  assertEquals(privates(eve), []);
  assertEquals((await server.log()).map(({ what }) => what), [
    "joined",
    "joined",
    "joined",
    "said",
  ]);
});

Deno.test("private message to somebody who is away comes once, on coming back, though the server is killed meanwhile", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  const port = freePort();
  const ben = { name: "ben", home: home.path };
  await using first = await Server.open(folder, { port });
  const { invite } = first;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  assertEquals(await visit({ ...ben, invite }, ana), []);
  await ana.shows("left", { name: "ben" });
  await write(ana, "ben", "while you were away");
  await ana.shows("private", { own: true, state: "waiting" });
  first.kill("SIGKILL");
  await first.finished();
  await using _second = await Server.open(folder, { port });
  assertEquals(await visit({ ...ben, invite }, ana), [
    "ana to ben: while you were away",
  ]);
  assertEquals(await visit({ ...ben, invite }, ana), []);
  await using machine = await anotherMachine(home);
  const other = { ...ben, home: machine.path, invite };
  assertEquals(await visit(other, ana), ["ana to ben: while you were away"]);
  assertEquals(await visit(other, ana), []);
});

Deno.test("private messages come once each, whenever the server is killed and started again", async () => {
  await using folder = await Folder.make();
  const port = freePort();
  const { invite } = await (async () => {
    await using server = await Server.open(folder, { port });
    return server;
  })();
  await using running = await Running.start(folder, port);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.shows("joined", { name: "ben" });
  const texts = Array.from({ length: 60 }, (_, n) => `message ${n}`);
  for (const [n, text] of texts.entries()) {
    await write(ana, "ben", text);
    await write(ben, "ana", `answer ${n}`);
    // In the middle of what is sealed, sent, written, answered and shown: never at the same place.
    if (n % 15 === 7) await running.again();
  }
  await showsPrivates(ana, 120);
  await showsPrivates(ben, 120);
  await settled(ana, "ana", ben);
  await settled(ben, "ben", ana);
  for (const client of [ana, ben]) {
    const all = privates(client);
    const sent = texts.map((text) => `ana to ben: ${text}`);
    assertEquals(all.filter((it) => it.startsWith("ana")), sent);
    const answers = texts.map((_, n) => `ben to ana: answer ${n}`);
    assertEquals(all.filter((it) => it.startsWith("ben")), answers);
  }
});

/** A server that is killed and started again at the same place. */
class Running implements AsyncDisposable {
  #server: Server;

  private constructor(
    readonly folder: Folder,
    readonly port: number,
    server: Server,
  ) {
    this.#server = server;
  }

  static async start(folder: Folder, port: number): Promise<Running> {
    return new Running(folder, port, await Server.open(folder, { port }));
  }

  /** Kills it, and starts it again. */
  async again(): Promise<void> {
    this.#server.kill("SIGKILL");
    await this.#server.finished();
    await this.#server[Symbol.asyncDispose]();
    this.#server = await Server.open(this.folder, { port: this.port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

Deno.test("client that is killed after it showed a private message doesn't show it again, though the server never heard of it", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  let isDeaf = false; // then nothing of what the client says comes through
  const edit: Edit = ({ direction, bytes }) =>
    isDeaf && direction === "up" ? [] : [bytes];
  await using proxy = new TcpProxy(server.port, edit);
  const by = invite.replace(`:${server.port}/`, `:${proxy.port}/`);
  const ben = { name: "ben", home: home.path };
  await using ana = await JsonClient.join({ invite, name: "ana" });
  {
    await using first = await JsonClient.join({ ...ben, invite: by });
    await settled(first, "ben", ana); // so that it needs ask for nothing to open the next
    isDeaf = true;
    await write(ana, "ben", "once");
    await first.shows("private", { text: "once" });
    await hasRemembered(home, 2);
    first.kill("SIGKILL");
    await first.finished();
  }
  await ana.shows("left", { name: "ben" });
  assertEquals(await visit({ ...ben, invite }, ana), []);
});

/** Waits until a client has noted so many messages in its own files. */
async function hasRemembered(home: Folder, count: number): Promise<void> {
  const path = home.file(".config/encrypted-chat/private");
  using watcher = Deno.watchFs(path);
  const isThere = async () =>
    (await Deno.readTextFile(path)).split("}\n").length > count;
  if (await isThere()) return;
  for await (const _change of watcher) if (await isThere()) return;
}

Deno.test("private message that is lost with the connection comes over the next one, once", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  let isCut = false; // what the server says next is lost, and the connection with it
  const lost = Promise.withResolvers<void>();
  await using proxy: TcpProxy = new TcpProxy(
    server.port,
    ({ direction, bytes }) => {
      if (!isCut || direction === "up") return [bytes];
      isCut = false;
      queueMicrotask(() => {
        proxy.cut();
        lost.resolve();
      });
      return [];
    },
  );
  const by = invite.replace(`:${server.port}/`, `:${proxy.port}/`);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite: by, name: "ben" });
  await settled(ben, "ben", ana);
  isCut = true;
  await write(ana, "ben", "into the void");
  await lost.promise;
  await ben.isIn(2);
  await showsPrivates(ben, 1);
  await settled(ben, "ben", ana);
  assertEquals(privates(ben), ["ana to ben: into the void"]);
});

Deno.test("private messages reach all machines of both persons, once each, also one that was off for most of a week", async () => {
  await using folder = await Folder.make();
  const setClock = (days: number) => folder.write("clock", `+${days}d`);
  await setClock(0);
  const runtime = OTHER_CLOCK;
  await using server = await Server.open(folder, { runtime });
  const { invite } = server;
  const common = { invite, cwd: folder.path, runtime };
  await using home = await Folder.make();
  await using ana = await JsonClient.join({ ...common, name: "ana" });
  const bo = { ...common, name: "bo" };
  assertEquals(await visit({ ...bo, home: home.path }, ana), []);
  await using first = await JsonClient.join({ ...bo, home: home.path });
  await using machine2 = await anotherMachine(home);
  await using machine3 = await anotherMachine(home);
  await using machine4 = await anotherMachine(home);
  await using second = await JsonClient.join({ ...bo, home: machine2.path });
  const third = { ...bo, home: machine3.path };
  assertEquals(await visit(third, ana), []);

  await write(ana, "bo", "on day 0");
  await first.shows("private", { text: "on day 0" });
  await second.shows("private", { text: "on day 0" });
  await write(first, "ana", "from one machine");
  await ana.shows("private", { text: "from one machine" });
  await second.shows("private", { text: "from one machine", own: true });
  await setClock(6);
  await write(ana, "bo", "on day 6");
  await first.shows("private", { text: "on day 6" });
  assertEquals(await visit(third, ana), [
    "ana to bo: on day 0",
    "bo to ana: from one machine",
    "ana to bo: on day 6",
  ]);
  assertEquals(await visit(third, ana), []);
  await setClock(8);
  assertEquals(await visit({ ...bo, home: machine4.path }, ana), [
    "ana to bo: on day 6",
  ]);
  for (const client of [first, second]) {
    await settled(client, "bo", ana);
    assertEquals(privates(client), [
      "ana to bo: on day 0",
      "bo to ana: from one machine",
      "ana to bo: on day 6",
    ]);
  }
});

Deno.test("client on a pipe exits with 0 when its private messages are delivered or kept, and with 1 when one is refused", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using home = await Folder.make();
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await visit({ invite, name: "ben", home: home.path }, ana);
  await using cron = await JsonClient.start({ invite, name: "cron" });
  await write(cron, "ben", "backup done");
  await cron.endInput();
  assertEquals(await cron.finished(), 0, cron.transcript);
  await using again = await JsonClient.start({ invite, name: "cron2" });
  await write(again, "nobody", "backup done");
  await again.endInput();
  assertEquals(await again.finished(), 1);
  assertEquals(again.all("refused").map(({ text, reason }) => [text, reason]), [
    ["/msg nobody backup done", "nobody-known"],
  ]);
  await using plain = await Client.plain({
    invite,
    name: "ben",
    home: home.path,
  });
  await plain.line(/Z cron to ben alone: backup done$/);
  await plain.endInput();
  assertEquals(await plain.finished(), 0);
});

Deno.test("client shows no private message of somebody whom it ignores", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using eve = await JsonClient.join({ invite, name: "eve" });
  await ana.shows("joined", { name: "eve" });
  await ana.type(JSON.stringify({ type: "ignore", name: "eve" }));
  await ana.shows("ignored");
  await write(eve, "ana", "read me");
  await eve.shows("private", { state: "delivered" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await settled(ana, "ana", ben);
  assertEquals(privates(ana), []);
});

Deno.test("client without a folder of its own gets what nobody has taken, and says nothing twice", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using home = await Folder.make();
  const identity = home.file("identity");
  const ben = {
    invite,
    name: "ben",
    args: ["--identity", identity],
    prefix: ["env", "-u", "HOME", "-u", "XDG_CONFIG_HOME"],
  };
  await using ana = await JsonClient.join({ invite, name: "ana" });
  assertEquals(await visit(ben, ana), []);
  await write(ana, "ben", "hello");
  await ana.shows("private", { state: "waiting" });
  assertEquals(await visit(ben, ana), ["ana to ben: hello"]);
  assertEquals(await visit(ben, ana), []);
});

Deno.test("client whose memory of private messages is damaged says so, and goes on", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using home = await Folder.make();
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await visit({ invite, name: "ben", home: home.path }, ana);
  await home.write(".config/encrypted-chat/private", "damaged\n");
  await using ben = await JsonClient.join({
    invite,
    name: "ben",
    home: home.path,
  });
  const { text = "" } = await ben.shows("note");
  assertStringIncludes(
    text,
    "line 1 is damaged. Private messages may come twice",
  );
  await settled(ben, "ben", ana);
  await leave(ben);
});
