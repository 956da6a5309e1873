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
  requireSameLines,
  SilentError,
  takeLines,
  valueAt,
} from "../../../../src/server/cluster/catch_up.ts";
import type { Message } from "../../../../src/server/cluster/siblings.ts";
import type { Kept } from "../../../../src/server/sealed/control_file.ts";
import type { Position } from "../../../../src/server/cluster/position.ts";
import type { Between } from "../../../../src/server/cluster/state.ts";
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

/** At once. */
const between: Between = async (task) => await task();

/** Has one take over what the other has. */
function takeOver(server: SharedServer, of = "a"): Promise<Position> {
  const { siblings } = server.has;
  return catchUp(siblings, server.parts, between, of);
}

/** How often one has asked for lines so far. */
function lookups({ company }: SharedServers, by: string): number {
  return company.sent.filter(({ from, topic }) =>
    from === by && topic === "lines"
  ).length;
}

async function bytesOf(room: SharedServers, server: string): Promise<string> {
  return await Deno.readTextFile(room.file(server, "chat.log"));
}

sharedTest(
  "a log of many messages' length comes over byte for byte, whatever part of it was there",
  async (room) => {
    const long = 'ÄÖ\\"🙂 '.repeat(80);
    const entries = Array.from({ length: 1_700 }, (_, at) => {
      return said(at + 1, at < 400 ? `${at} ${long}` : ""); // so that a message has many
    });
    const a = await startWith(room, entries);
    for (const part of [0, 255, 1_699, 1_700]) {
      const name = `b${part}`;
      const b = await room.start(name);
      if (part > 0) await b.has.log.append(entries.slice(0, part));
      await takeOver(b);
      assertEquals(await bytesOf(room, name), await bytesOf(room, "a"));
      assertEquals(await b.value(), await a.value());
      assertEquals(b.has.log.recent(1_690).length, 10);
      await room.stop(b);
    }
    const pieces = room.company.sent.filter(({ topic }) => topic === "lines");
    assert(pieces.length > 4 * 3);
  },
);

sharedTest(
  "lines that aren't ours keep their numbers, and the chain its values",
  async (room) => {
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
    const other = start + 2;
    const d = await room.start("d");
    await d.has.log.append([...saidUpTo(other - 1), said(other, "other")]);
    const differs = await assertRejects(() => takeOver(d), AdvisedError);
    assertMatch(differs.message, new RegExp(`event ${other} of the log here`));
  },
);

sharedTest(
  "the first line that differs is named, and nothing is changed",
  async (room) => {
    await startWith(room, saidUpTo(2_000));
    const cases = [[1, 2_000], [2, 2_000], [700, 1_000], [700, 2_000], [
      1_999,
      2_000,
    ], [2_000, 2_000]] as const;
    for (const [first, count] of cases) {
      const name = `b${first}-${count}`;
      const b = await room.start(name);
      b.has.people.set({ topic: "mine", slow: 0 });
      await b.has.log.append([
        ...saidUpTo(first - 1),
        said(first, "other"),
        ...saidUpTo(count).slice(first),
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
    const { mailbox } = b.has;
    const take = mailbox.takeOver.bind(mailbox);
    let kept: readonly unknown[] = [];
    mailbox.takeOver = (all) => take(kept = all);
    const position = await takeOver(b);
    assertEquals(kept, a.has.mailbox.state());
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

/** Another server, "liar", which answers as "a" does, but for what is altered. */
function lie(
  room: SharedServers,
  alter: (
    topic: string,
    answer: Message,
    asked: Message,
  ) => Message | undefined,
): void {
  const liar = room.company.join("liar");
  for (const topic of ["state", "lines"]) {
    liar.hear(topic, async (asked) => {
      const answer = await liar.ask(topic, asked, { to: "a" });
      return answer && alter(topic, answer.message, asked);
    });
  }
}

sharedTest(
  "another server is asked three times, and may answer at last",
  async (room) => {
    await startWith(room, saidUpTo(3));
    const b = await room.start("b");
    let silent = 2;
    lie(room, (topic, answer) => {
      if (topic === "state") assertEquals(b.has.log.head, 0);
      return silent-- > 0 ? undefined : answer;
    });
    await takeOver(b, "liar");
    assertEquals(b.has.log.head, 3);
    silent = 3;
    const c = await room.start("c");
    await assertRejects(() => takeOver(c, "liar"), SilentError);
    const asked = room.company.sent.filter(({ from }) => from === "c");
    assertEquals(asked.length, 3);
  },
);

sharedTest(
  "lines that aren't those of the other server's chain are noticed, and nothing else is taken over",
  async (room) => {
    await startWith(room, saidUpTo(5));
    lie(room, (topic, answer) => {
      if (topic !== "lines") return answer;
      const { lines } = answer as { lines: [number, string][] };
      const forged = lines.map(([seq, line]) => [
        seq,
        seq === 4 ? line.replace("text 4", "text X") : line,
      ]);
      return { ...answer, lines: forged };
    });
    const b = await room.start("b");
    b.has.people.set({ topic: "mine", slow: 0 });
    const error = await assertRejects(() => takeOver(b, "liar"), AdvisedError);
    assertMatch(error.message, /event 4 of the log here isn't the one/);
    assertEquals(b.has.people.settings.topic, "mine");
    assertEquals(b.has.position.position, undefined);
  },
);

sharedTest(
  "a server that lacks the next line, or whose log is counted without an end, is given up",
  async (room) => {
    await startWith(room, saidUpTo(5));
    const answers: ((answer: Message) => Message)[] = [
      (answer) => ({ ...answer, first: 9 }),
      (answer) => ({ ...answer, last: 0, lines: [] }),
    ];
    for (const [at, alter] of answers.entries()) {
      const b = await room.start(`b${at}`);
      lie(
        room,
        (topic, answer, { after, upTo }) =>
          topic === "lines" && after !== upTo ? alter(answer) : answer,
      );
      await assertRejects(
        () => takeOver(b, "liar"),
        SilentError,
        "lacks event 1",
      );
    }
    let looks = 0;
    lie(room, (topic, answer) => {
      if (topic !== "lines") return answer;
      looks++;
      return { ...answer, value: "" };
    });
    const c = await room.start("c");
    await c.has.log.append(saidUpTo(2));
    await assertRejects(
      () => takeOver(c, "liar"),
      SilentError,
      "counts its log",
    );
    assertEquals(looks, 60);
    c.has.log.chainAt = () => (looks++, Promise.resolve(undefined));
    const error = await assertRejects(
      () => valueAt(c.has.log, 2),
      AdvisedError,
      "it can't be read up to event 2",
    );
    assertMatch(error.advice, /^Look whether older files/);
    assertEquals(looks, 120);
  },
);

sharedTest(
  "a log that is longer than the room's stops its server in another stream, and not in the same one, where the other may be slower",
  async (room) => {
    const a = await startWith(room, saidUpTo(3));
    const b = await room.start("b");
    await b.has.log.append(saidUpTo(5));
    const { position } = a;
    b.has.position.replace({ ...position, head: 5 });
    await takeOver(b);
    assertEquals([b.has.log.head, b.position.head], [5, 3]);
    for (
      const [count, lines] of [[5, "events 4 to 5"], [4, "event 4"]] as const
    ) {
      const c = await room.start(`c${count}`);
      await c.has.log.append(saidUpTo(count));
      c.has.position.replace({ ...position, stream: "other" });
      const error = await assertRejects(() => takeOver(c), AdvisedError);
      assertEquals(
        error.message,
        `Cannot take part in the room: the log here has ${lines}, and the room goes on without, after event 3`,
      );
      assertEquals(c.position.stream, "other");
    }
    for (const count of [2, 3]) {
      const c = await room.start(`c${count}`);
      await c.has.log.append(saidUpTo(count));
      c.has.position.replace({ ...position, stream: "other" });
      await takeOver(c);
      assertEquals(c.position, { ...position, own: "" });
    }
  },
);

sharedTest(
  "lines alone are taken over up to a number, and compared up to one, and nothing else is asked for",
  async (room) => {
    const a = await startWith(room, saidUpTo(5));
    const b = await room.start("b");
    const { log, siblings } = b.has;
    await takeLines(siblings, log, between, "a", 3);
    assertEquals(await b.texts(), ["text 1", "text 2", "text 3"]);
    assertEquals(lookups(room, "b"), 2); // where they begin, and they
    await takeLines(siblings, log, between, "a", 5);
    assertEquals(await b.value(), await a.value());
    assertEquals(lookups(room, "b"), 4); // whether the first are the same, and the rest
    await requireSameLines(siblings, log, "a", 5);
    assertEquals(lookups(room, "b"), 5);
    const c = await room.start("c");
    await c.has.log.append([...saidUpTo(3), said(4, "other")]);
    const compare = (upTo: number) =>
      requireSameLines(c.has.siblings, c.has.log, "a", upTo);
    await compare(3);
    await assertRejects(() => compare(5), AdvisedError, "event 4 of the log");
    const d = await room.start("d");
    await takeLines(d.has.siblings, d.has.log, between, "a", 0);
    assertEquals([d.has.log.head, lookups(room, "d")], [0, 0]);
    assertEquals(
      room.company.sent.some(({ topic }) => topic === "state"),
      false,
    );
  },
);

sharedTest(
  "a server whose oldest lines go while they are asked for is given up, and the log stays empty",
  async (room) => {
    await startWith(room, saidUpTo(5));
    let first = 0;
    lie(
      room,
      (topic, answer) =>
        topic === "lines" ? { ...answer, first: first += 2 } : answer,
    );
    const b = await room.start("b");
    await assertRejects(
      () => takeOver(b, "liar"),
      SilentError,
      "lacks event 1",
    );
    assertEquals([b.has.log.head, b.has.log.start[0]], [0, 0]);
  },
);

sharedTest(
  "the link is taken over where it is another one, and a server keeps the id under which it came",
  async (room) => {
    await startWith(room, []);
    const b = await room.start("b");
    const { link } = b.parts;
    const take = link.take.bind(link);
    let taken = 0;
    link.take = (secret) => (taken++, take(secret));
    await takeOver(b);
    b.has.position.replace({ ...b.position, own: "earlier" });
    await takeOver(b);
    assertEquals([taken, b.position.own], [1, "earlier"]);
  },
);

sharedTest(
  "a sealed room's state is taken over by a server for one, and each kind of room by its own kind of server",
  async (room) => {
    const kept: Kept[] = [{ kind: "logged", seq: 1 } as Kept];
    const a = await startWith(room, saidUpTo(1));
    a.has.position.replace({ ...a.position, sealed: true });
    Object.assign(a.parts, { sealed: { state: () => kept, takeOver() {} } });
    const b = await room.start("b");
    const refused = async () => {
      const error = await assertRejects(() => takeOver(b), AdvisedError);
      return [
        /it is (a \w+|an \w+) one/.exec(error.message)?.[1],
        error.advice,
      ];
    };
    assertEquals(await refused(), ["a sealed", "Start it with --sealed"]);
    const taken: unknown[] = [];
    const sealed = {
      state: () => [],
      takeOver: (all: readonly Kept[]) => void taken.push(all),
    };
    Object.assign(b.parts, { sealed });
    await takeOver(b);
    assertEquals([taken, b.position.sealed], [[kept], true]);
    a.has.position.replace({ ...a.position, sealed: false });
    assertEquals(await refused(), [
      "an open",
      "Start it without --sealed, or with another --key-file, for another room",
    ]);
  },
);

/** A connection that posts. */
const by = { tell() {} };
