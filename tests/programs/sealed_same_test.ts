/**
 * What members of a sealed room see, held against what members of an open one do: the same is done in both, with the
 * real programs, and each client shows the same.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient, type Shown } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { SealedPrograms } from "../kit/sealed_programs.ts";
import { Server } from "../kit/server.ts";

/** What differs from run to run, or is a sealed room's alone. */
const ASIDE: ReadonlySet<string> = new Set([
  "at",
  "key",
  "toKey",
  "since",
  "active",
  "server",
  "path",
  "room",
  "keepers",
  "backTo",
]);

/** A room of one kind. */
async function openRoom(
  kind: "open" | "sealed",
  folder: Folder,
  stack: AsyncDisposableStack,
) {
  if (kind === "sealed") {
    const { link, keeper } = stack.use(
      await SealedPrograms.found(folder, "ana"),
    );
    return { invite: link, ana: keeper };
  }
  const { invite } = stack.use(await Server.open(folder));
  const ana = stack.use(await JsonClient.join({ invite, name: "ana" }));
  return { invite, ana };
}

/** Clients that do one thing after the other. */
class Walk {
  #id = 0;

  constructor(readonly clients: readonly JsonClient[]) {}

  /** One of them asks for something, and gets an answer. @returns It. */
  async asks(client: JsonClient, request: object): Promise<Shown> {
    const id = ++this.#id;
    await client.type(JSON.stringify({ ...request, id }));
    return await client.until(
      JSON.stringify(request),
      () => client.shown.find((it) => it.id === id),
    );
  }

  /** One of them does something that all are shown. @returns Its number. */
  async does(client: JsonClient, request: object): Promise<number> {
    const { type } = await this.asks(client, request);
    const count = client.all(type).length;
    for (const it of this.clients) {
      await it.until(`${type} ${count}`, () => it.all(type)[count - 1]);
    }
    return client.all(type).at(-1)?.seq ?? 0;
  }
}

/** What clients have shown, without what differs, and with lines numbered by themselves. */
function plain(client: JsonClient): string[] {
  const numbers = new Map<number, number>(); // of lines, by those of the log
  const told = client.shown.filter(({ type }) =>
    !["ruled", "invite", "note"].includes(type)
  );
  for (const { seq, type } of told) {
    if (seq !== undefined && type !== "agreement") {
      numbers.set(seq, numbers.get(seq) ?? numbers.size + 1);
    }
  }
  const isNumber = (key: string) => ["seq", "to", "offer"].includes(key);
  return told.map((it) =>
    JSON.stringify(it, (key, value) => {
      if (ASIDE.has(key)) return undefined;
      if (isNumber(key) && typeof value === "number") {
        return numbers.get(value) ?? "?";
      }
      return value;
    })
  );
}

/** Does in a room all that members can do. @returns What each client has shown. */
async function walk(kind: "open" | "sealed"): Promise<string[][]> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const home = stack.use(await Folder.make()).path;
  const { invite, ana } = await openRoom(kind, folder, stack);
  const join = async (name: string, own: Partial<{ home: string }> = {}) => {
    const args = ["--downloads", folder.file(`of ${name}`)];
    return stack.use(await JsonClient.join({ invite, name, args, ...own }));
  };
  const ben = await join("ben", { home });
  const beside = await join("ben", { home });
  await ana.shows("joined", { name: "ben" });
  const cem = await join("cem");
  for (const it of [ana, ben, beside]) {
    await it.shows("joined", { name: "cem" });
  }
  const room = new Walk([ana, ben, beside, cem]);

  const hello = await room.does(ana, { type: "say", text: "hello" });
  const reply = { type: "reply", to: hello, text: "hello @ana" };
  const answer = await room.does(beside, reply);
  await room.does(ben, { type: "edit", to: answer, text: "hello, ana" });
  await room.does(ben, { type: "react", to: hello, text: "👍" });
  await room.does(beside, { type: "react", to: hello, text: "" });
  await room.does(ana, { type: "react", to: answer, text: "🎉" });
  await room.does(ben, { type: "act", text: "waves" });
  const wrong = await room.does(cem, { type: "say", text: "delete me" });
  await room.does(cem, { type: "delete", to: wrong });
  await room.asks(ana, { type: "edit", to: answer, text: "not mine" });
  await room.asks(ana, { type: "reply", to: 9_999, text: "to nothing" });
  await room.asks(ben, { type: "edit", to: wrong, text: "is deleted" });
  await room.does(ben, { type: "away", text: "away" });
  await room.asks(ana, { type: "who" });
  await room.does(beside, { type: "away" });
  await room.does(cem, { type: "rename", name: "cemo" });
  await room.asks(cem, { type: "private", to: "ben", text: "psst" });
  for (const it of [ben, beside]) await it.shows("private");
  const path = await folder.write("hut.txt", "a hut");
  const offer = await room.does(ben, { type: "send", path });
  await room.asks(beside, { type: "get", offer });
  await ben.shows("taken");
  await room.asks(ben, { type: "get", offer });
  await room.asks(cem, { type: "search", words: "HELLO ana" });
  await room.asks(ana, { type: "history", count: 3 });
  await cem.type(JSON.stringify({ type: "quit" }));
  await cem.finished();
  await ana.shows("left", { name: "cemo" });
  await ben.endInput();
  await ben.finished();
  await beside.endInput();
  await beside.finished();
  await ana.shows("left", { name: "ben" });
  await room.asks(ana, { type: "who" });
  const back = await join("ben", { home }); // and is told of the past
  await back.shows("current");
  await back.endInput();
  await back.finished();
  await ana.until("the second leaving", () => ana.all("left")[2]);
  await ana.endInput();
  assertEquals(await ana.finished(), 1); // for what was refused
  return [...room.clients, back].map(plain);
}

Deno.test("members of a sealed room see of each other what members of an open one do", async () => {
  const [open, sealed] = [await walk("open"), await walk("sealed")];
  for (const [at, lines] of open.entries()) {
    assert(lines.length > 10, `${lines.length} lines`);
    assertEquals(sealed[at], lines);
  }
});
