/**
 * The client for programs, with a server of the test's own.
 *
 * @module
 */

import { randomBytes } from "../../../crypto_utils.ts";
import {
  fail,
  join,
  JoinError,
  UsageError,
} from "../../../src/client/joined_room.ts";
import type { News } from "../../../src/client/view.ts";
import { fullId } from "../../../src/crypto/person_id.ts";
import { IdentityFile } from "../../../src/keys/identity.ts";
import { admissionKey, formatInvite } from "../../../src/keys/invite.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { FOUNDING_ID } from "../../../src/sealed/membership.ts";
import { assertEquals, assertMatch, assertRejects } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { withMethod } from "../../kit/log_kit.ts";
import { madeUpId, madeUpPerson, newStay } from "../../kit/people.ts";
import { SealedServer } from "../../kit/sealed_server.ts";
import { ACCEPT, past, SERVER, Visit } from "../../kit/session_setup.ts";

/** A server of the test's own, and the link to it. */
class Place implements Disposable {
  readonly #secret = randomBytes(32);
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly link: string;

  constructor() {
    const { hostname: host, port } = this.#listener.addr;
    const server = { host, port, serverKey: SERVER.publicKey };
    this.link = formatInvite({ ...server, id: 0, secret: this.#secret });
  }

  /** Whoever comes next, and the name that they ask for. */
  async arrival(): Promise<[Visit<Deno.Conn>, name: string]> {
    const inviteKey = () => admissionKey(this.#secret);
    const conn = await this.#listener.accept();
    const visit = await Visit.accept(conn, { ...ACCEPT, inviteKey });
    return [visit, (await visit.next("join")).name];
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** The kinds of news, and the texts of lines. */
const namesOf = (news: readonly News[]) =>
  news.map((it) => it.type === "said" ? it.text : it.type);

Deno.test("join() tells a program what happens from its coming in on, after as many earlier lines as it wants", async () => {
  const ben = madeUpPerson("ben");
  for (const [history, earlier] of [[undefined, []], [1, ["two"]]] as const) {
    using place = new Place();
    await using folder = await Folder.make();
    const notes: string[] = [];
    const joining = join(place.link, {
      name: "ana",
      identity: folder.file("ana.id"),
      note: (text) => void notes.push(text),
      ...(history === undefined ? {} : { history }),
    });
    const [visit, name] = await place.arrival();
    const { identity } = await IdentityFile.open(folder.file("ana.id"));
    visit.person = fullId(identity.id);
    await visit.tell({ kind: "motd", text: "Welcome" });
    await visit.admit(3, past(1, 1, "one", ben), past(2, 2, "two", ben));
    const room = await joining;
    assertEquals([name, notes], ["ana", ["Welcome"]]);
    assertEquals(room.members.map(({ name }) => name).sort(), ["ana", "ben"]);
    await room.say("three");
    await room.write("nobody", "psst");
    await room.reply(2, "yes");
    await room.react(2, "👍");
    await room.say("four");
    const asked: Event<"say" | "reply" | "react">[] = [];
    let look: Event<"look"> | undefined; // which has come before the last line
    for (const kind of ["say", "reply", "react", "say"] as const) {
      let event = await visit.next(["look", "say", "reply", "react"]);
      if (event.kind === "look") {
        look = event;
        event = await visit.next(kind);
      }
      assertEquals(event.kind, kind);
      asked.push(event as typeof asked[number]);
    }
    assertEquals(
      asked.map((it) => [it.text, "to" in it && it.to]),
      [["three", false], ["yes", 2], ["👍", 2], ["four", false]],
    );
    await visit.broadcast(
      4,
      ...asked.map((it): Event => {
        if (it.kind === "say") return { ...it, kind: "said", id: 1 };
        if (it.kind === "reply") return { ...it, kind: "replied", id: 1 };
        return { ...it, kind: "reacted", id: 1 };
      }),
    );
    assertEquals(look?.who, "nobody");
    await visit.tell({ kind: "nobody", id: look?.id ?? 0 });
    // Somebody else by a name that was known: people should read that.
    const other = { name: "ben", person: madeUpId("other"), stay: newStay() };
    await visit.broadcast(
      8,
      { kind: "left", id: 2, n: 1, reason: "left" },
      { kind: "joined", id: 3, n: 0, ...other },
    );
    await visit.tell({ kind: "ping" });
    await visit.next("pong");
    assertMatch(notes.at(-1) ?? "", /"ben" is somebody else than before/);
    const leaving = room.leave();
    const bye = await Promise.race([visit.next("bye"), leaving]);
    assertEquals(bye, { kind: "bye", reason: "left" });
    await visit.dismiss("left");
    await leaving;
    await room.ended;
    assertEquals(room.dropped, 0);
    const news = await Array.fromAsync(room.events());
    assertEquals(namesOf(news), [
      "entered",
      ...earlier,
      "current",
      ...["three", "replied", "reacted", "four", "refused", "left", "joined"],
    ]);
  }
});

Deno.test("join() refuses what is no name or no link, and a room that can't be had", async () => {
  using place = new Place();
  await assertRejects(() => join(place.link, { name: "a b" }), UsageError);
  await assertRejects(() => join("nowhere", { name: "ana" }), UsageError);
  const joining = join(place.link, { name: "ana" });
  const [visit] = await place.arrival();
  const why = { n: null, reason: "name-taken", detail: "" };
  await visit.tell({ kind: "refused", ...why });
  await assertRejects(() => joining, JoinError, "That name is taken");
  visit.end();
});

Deno.test("a joined room is left where its scope ends, and being sent away is no fault that nobody handles", async () => {
  using place = new Place();
  for (const reason of ["left", "removed"] as const) {
    const joining = join(place.link, { name: "ana" });
    const [visit] = await place.arrival();
    await visit.admit(1);
    const staying = (async () => {
      await using room = await joining;
      if (reason === "left") return;
      while (room.members.length > 0) await new Promise((go) => setTimeout(go));
    })();
    if (reason === "left") {
      const bye = await Promise.race([visit.next("bye"), staying]);
      assertEquals(bye, { kind: "bye", reason: "left" });
    }
    await visit.dismiss(reason);
    await staying;
  }
});

Deno.test("a joined room's events end with the reason why it was sent away, and leaving it then is no error", async () => {
  using place = new Place();
  const joining = join(place.link, { name: "ana" });
  const [visit] = await place.arrival();
  await visit.admit(1);
  await using room = await joining;
  await room.say("too late");
  await visit.next("say");
  await visit.dismiss("removed");
  const read: News[] = [];
  const reading = async () => {
    for await (const news of room.events()) read.push(news);
  };
  await assertRejects(reading, JoinError, "You were removed from the room");
  assertEquals(namesOf(read), ["entered", "current", "lost"]);
  await assertRejects(() => room.ended, JoinError);
  await room.leave();
});

Deno.test("join() founds no sealed room", async () => {
  const server = new SealedServer();
  const { publicKey: serverKey } = SERVER;
  const link = formatInvite({
    ...{ host: "localhost", port: 1, serverKey },
    ...{ id: FOUNDING_ID, secret: server.foundingSecret },
  });
  const connect = async () =>
    Object.assign(await server.dial(), { setNoDelay() {} });
  await withMethod(Deno, "connect", () => connect as never, async () => {
    const joining = join(link, { name: "ana" });
    await assertRejects(() => joining, JoinError, "The room is not founded");
  });
  await server.closed();
});

Deno.test("fail() says on stderr why a program can't be in a room, and ends it: code 2 for a link or a name that can't be", async () => {
  const cases: [error: unknown, words: string, code: number][] = [
    [new UsageError("There is no room"), "There is no room.", 2],
    [new JoinError("The room is full", "Wait"), "The room is full.\nWait.", 1],
    [new RangeError("It is too long"), "It is too long.", 1],
  ];
  for (const [error, words, code] of cases) {
    const said: unknown[] = [];
    const exit = (code?: number): never => {
      said.push(code);
      throw error; // in place of the end
    };
    const write = (bytes: Uint8Array) => {
      said.push(new TextDecoder().decode(bytes));
      return bytes.length;
    };
    await withMethod(
      Deno,
      "exit",
      () => exit,
      () =>
        withMethod(
          Deno.stderr,
          "writeSync",
          () => write,
          () => assertRejects(() => Promise.resolve().then(() => fail(error))),
        ),
    );
    assertEquals(said, [`${words}\n`, code]);
  }
});
