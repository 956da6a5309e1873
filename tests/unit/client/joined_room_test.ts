/**
 * The client for programs, with a server of the test's own.
 *
 * @module
 */

import { randomBytes } from "../../../crypto_utils.ts";
import {
  join,
  JoinError,
  UsageError,
} from "../../../src/client/joined_room.ts";
import type { News } from "../../../src/client/view.ts";
import { fullId } from "../../../src/crypto/person_id.ts";
import { IdentityFile } from "../../../src/keys/identity.ts";
import { admissionKey, formatInvite } from "../../../src/keys/invite.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { assertEquals, assertMatch, assertRejects } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { madeUpId, madeUpPerson, newStay } from "../../kit/people.ts";
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
    const warned = Promise.withResolvers<string>();
    const joining = join(place.link, {
      name: "ana",
      identity: folder.file("ana.id"),
      note: (text) => {
        notes.push(text);
        if (text.startsWith("WARNING: ")) warned.resolve(text);
      },
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
    await room.reply(2, "yes");
    await room.react(2, "👍");
    await room.write("nobody", "psst");
    const kinds = ["say", "reply", "react", "look"] as const;
    const asked: Event<typeof kinds[number]>[] = [];
    for (const _ of kinds) asked.push(await visit.next(kinds));
    const lines = asked.filter(({ kind }) => kind !== "look");
    assertEquals(
      lines.map((it) => ["text" in it && it.text, "to" in it && it.to]),
      [["three", false], ["yes", 2], ["👍", 2]],
    );
    await visit.broadcast(
      4,
      ...asked.flatMap((it): Event[] => {
        if (it.kind === "say") return [{ ...it, kind: "said", id: 1 }];
        if (it.kind === "reply") return [{ ...it, kind: "replied", id: 1 }];
        return it.kind === "react" ? [{ ...it, kind: "reacted", id: 1 }] : [];
      }),
    );
    const [look] = asked.flatMap((it) => it.kind === "look" ? [it] : []);
    assertEquals(look?.who, "nobody");
    const { id = 0 } = look ?? {};
    await visit.tell({ kind: "nobody", id });
    // Somebody else by a name that was known: people should read that.
    const other = { name: "ben", person: madeUpId("other"), stay: newStay() };
    await visit.broadcast(
      7,
      { kind: "left", id: 2, n: 1, reason: "left" },
      { kind: "joined", id: 3, n: 0, ...other },
    );
    assertMatch(await warned.promise, /"ben" is somebody else than before/);
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
      ...["three", "replied", "reacted", "refused", "left", "joined"],
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
  await visit.dismiss("removed");
  const read: News[] = [];
  const reading = async () => {
    for await (const news of room.events()) read.push(news);
  };
  await assertRejects(reading, JoinError, "You were removed from the room");
  assertEquals(namesOf(read), ["entered", "current"]);
  await assertRejects(() => room.ended, JoinError);
  await room.leave();
});
