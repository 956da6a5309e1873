/**
 * What a server takes over from another one: lines of a log that is long, begins late, or has lines that aren't ours; and
 * the state of the room. A log that isn't a part of the other one is left as it is.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import type { NewEntry } from "../../../../src/protocol/line.ts";
import {
  catchUp,
  SilentError,
} from "../../../../src/server/cluster/catch_up.ts";
import type { Position } from "../../../../src/server/cluster/position.ts";
import { identityOf, readCard } from "../../../../src/crypto/identity.ts";
import { fullId } from "../../../../src/crypto/person_id.ts";
import { ROOM_INVITE_ID } from "../../../../src/keys/invite.ts";
import { randomBytes, toBase64url } from "../../../../crypto_utils.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../kit/assert.ts";
import { pastOf, said, saidUpTo } from "../../../kit/log_kit.ts";
import {
  seat,
  type SharedServer,
  type SharedServers,
  sharedTest,
} from "../../../kit/shared_servers.ts";

/** A server whose log has lines, and which is in the stream. */
async function startWith(
  room: SharedServers,
  entries: readonly NewEntry[],
): Promise<SharedServer> {
  const a = await room.start("a");
  await a.has.log.append(entries);
  await a.find();
  return a;
}

/** Has one take over what the other has. */
function takeOver(server: SharedServer, of = "a"): Promise<Position> {
  const { siblings } = server.has;
  return catchUp(siblings, server.parts, async (task) => await task(), of);
}

async function bytesOf(room: SharedServers, server: string): Promise<string> {
  return await Deno.readTextFile(room.file(server, "chat.log"));
}

sharedTest(
  "a log of many messages' length comes over byte for byte, whatever part of it was there",
  async (room) => {
    const long = 'ÄÖ\\"🙂 '.repeat(80);
    const entries = Array.from(
      { length: 5_000 },
      (_, at) => said(at + 1, `${at} ${long}`),
    );
    const a = await startWith(room, entries);
    for (const part of [0, 1, 255, 4_999, 5_000]) {
      const name = `b${part}`;
      const b = await room.start(name);
      if (part > 0) await b.has.log.append(entries.slice(0, part));
      await takeOver(b);
      assertEquals(await bytesOf(room, name), await bytesOf(room, "a"));
      assertEquals(await b.value(), await a.value());
      assertEquals(b.has.log.recent(4_990).length, 10);
      await room.stop(b);
    }
    const pieces = room.company.sent.filter(({ topic }) => topic === "lines");
    assert(pieces.length > 4 * 10);
  },
);

sharedTest(
  "lines that aren't ours keep their numbers, and the chain its values",
  async (room) => {
    await Deno.mkdir(room.file("a", "."), { recursive: true });
    {
      const a = await room.start("a");
      await a.has.log.append(saidUpTo(3));
      await room.stop(a);
    }
    const path = room.file("a", "chat.log");
    await Deno.writeTextFile(path, "by hand\n\nand more\n", { append: true });
    const a = await startWith(room, saidUpTo(2));
    const b = await room.start("b");
    await takeOver(b);
    assertEquals(b.has.log.head, 8);
    assertEquals(await pastOf(b.has.log), await pastOf(a.has.log));
    assertEquals(await b.value(), await a.value());
  },
);

sharedTest(
  "where the other log has lost its oldest files, a new one begins where that does",
  async (room) => {
    const a = await room.start("a", { maxSize: 10_000 });
    for (let n = 1; n <= 300; n++) await a.has.log.append([said(n)]);
    await a.find();
    await room.stop(a);
    const oldest = (await Array.fromAsync(Deno.readDir(room.file("a", "."))))
      .map(({ name }) => name)
      .filter((name) => /^chat\.log\.\d$/.test(name)).sort().at(-1);
    await Deno.remove(room.file("a", oldest ?? "none"));
    const again = await room.start("a", { id: "a" });
    await again.find();
    const [start] = again.has.log.start;
    assert(start > 0);

    const b = await room.start("b");
    await takeOver(b);
    assertEquals(b.has.log.start[0], start);
    assertEquals(await pastOf(b.has.log), await pastOf(again.has.log));
    assertEquals(await b.value(), await again.value());
    await b.has.log.append([said(301)]);
    const value = await b.value();
    await room.stop(b);
    const later = await room.start("b");
    assertEquals(await later.value(), value);

    const c = await room.start("c");
    await c.has.log.append(saidUpTo(2));
    const error = await assertRejects(() => takeOver(c), AdvisedError);
    assertMatch(
      error.message,
      /ends with event 2, and no other server has what comes next/,
    );
  },
);

sharedTest(
  "the first line that differs is named, and nothing is changed",
  async (room) => {
    await startWith(room, saidUpTo(2_000));
    for (const first of [1, 2, 700, 1_999, 2_000]) {
      const name = `b${first}`;
      const b = await room.start(name);
      b.has.people.set({ topic: "mine", slow: 0 });
      await b.has.log.append([
        ...saidUpTo(first - 1),
        said(first, "other"),
        ...saidUpTo(2_000).slice(first),
      ]);
      const before = await bytesOf(room, name);
      const error = await assertRejects(() => takeOver(b), AdvisedError);
      assertMatch(error.message, new RegExp(`event ${first} of the log here`));
      assertMatch(error.advice, /^Nothing was changed\./);
      assertEquals(await bytesOf(room, name), before);
      assertEquals(b.has.people.settings.topic, "mine");
      assertEquals(b.has.position.position, undefined);
      await room.stop(b);
    }
  },
);

sharedTest(
  "people, what waits, who is in and the link come over, also in many messages, in place of all that was there",
  async (room) => {
    const a = await room.start("a");
    const ids: string[] = [];
    for (let n = 0; n < 200; n++) {
      const identity = await identityOf(randomBytes(32));
      const id = fullId(identity.id);
      ids.push(id);
      const key = toBase64url(readCard(identity.card).noiseKey);
      const card = toBase64url(identity.card);
      a.has.people.enrol({ id, key, card, invite: ROOM_INVITE_ID }, 0, n);
    }
    a.has.people.set({ topic: "stamps", slow: 3 });
    a.has.people.journal.keep();
    const [from = "", to = ""] = ids;
    const data = "d".repeat(3_000);
    const posting = { from, to, stay: "Yk3xQ0p1a2c", data, own: data };
    for (let n = 1; n <= 150; n++) a.has.mailbox.post({ ...posting, n }, by, n);
    await a.find();
    for (let id = 1; id <= 50; id++) room.seat(seat(id));
    await a.follow();

    const b = await room.start("b");
    b.has.people.set({ topic: "mine", slow: 9 });
    b.has.mailbox.post({ ...posting, n: 999 }, by, 1);
    const position = await takeOver(b);
    assertEquals(position, { ...a.position, own: "" });
    assertEquals(b.position, position);
    assertEquals(b.secret, a.secret);
    assertEquals(b.has.mailbox.state(), a.has.mailbox.state());
    assertEquals(b.has.people.state(), a.has.people.state());
    await room.stop(b);
    const again = await room.start("b");
    assertEquals(again.has.people.settings, { topic: "stamps", slow: 3 });
    assertEquals(again.has.people.persons.size, 200);
    assertEquals(again.has.mailbox.state(), a.has.mailbox.state());
    assertEquals(again.position.roster.seats.length, 50);
  },
);

sharedTest(
  "a server that doesn't answer leaves the other as it is",
  async (room) => {
    const a = await startWith(room, saidUpTo(3));
    const b = await room.start("b");
    a.has.siblings.isSilent = true;
    await assertRejects(() => takeOver(b), SilentError);
    assertEquals(b.has.log.head, 0);
  },
);

sharedTest("a server that isn't in the stream gives no state", async (room) => {
  const a = await room.start("a");
  await a.has.log.append(saidUpTo(3));
  const b = await room.start("b");
  await assertRejects(() => takeOver(b), SilentError);
});

/** A connection that posts. */
const by = { tell() {} };
