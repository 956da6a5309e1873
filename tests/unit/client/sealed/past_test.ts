/**
 * History and searches of a sealed room, whose server can't search: sessions in a real room.
 *
 * @module
 */

import type { LogEntry } from "../../../../src/protocol/line.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { cryptoIdle } from "../../../kit/crypto_idle.ts";
import {
  find,
  say,
  SealedStage,
  type StageClient,
  told,
} from "../../../kit/sealed_stage.ts";

/** What becomes of lines that the server reads in its log for a client. */
function alterPages(
  { setup: { history } }: SealedStage,
  alter: (lines: LogEntry[]) => LogEntry[],
): void {
  const past = history.past.bind(history);
  history.recent = () => undefined; // nothing of it is in memory
  history.past = async function* (after, upTo) {
    for await (const lines of past(after, upTo)) yield alter(lines);
  };
}

/** Says so many lines. @returns The number of the first. */
async function talk(client: StageClient, count: number): Promise<number> {
  const first = await say(client, "line 1");
  for (let at = 2; at < count; at++) await client.say(`line ${at}`);
  await say(client, `line ${count}`);
  return first;
}

/** The refusal that comes next. */
async function refusalOf(
  { view }: StageClient,
  act: () => Promise<void>,
): Promise<string> {
  const before = view.of("refused").length;
  await act();
  return (await view.until("refused", before)).reason;
}

Deno.test("a sealed room's history and searches show what was said under all its keys, to a newcomer as well", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const ben = await stage.bring(ana, "ben");
  const numbers: number[] = [];
  for (const key of [0, 1, 2, 3]) {
    numbers.push(await say(ben, `the hut's key is ${key}`));
    await say(ana, "nothing of it");
    if (key < 3) await stage.rekey(ana, `x${key}`);
  }
  const cleo = await stage.bring(ana, "cleo");
  for (const client of [ana, ben, cleo]) {
    const found = await find(client, "HUT key");
    assertEquals(
      told(found),
      numbers.map((seq, key) => [seq, `ben: the hut's key is ${key}`]),
    );
    assertEquals([found.more, found.backTo], [false, 1]);
    assertEquals(client.view.of("warning"), []);
    assertEquals(client.view.of("history-differs"), []);
  }
  const first = await find(cleo, "founded");
  assertEquals(told(first), [[1, "ana: ana founded the room"]]);
});

Deno.test("a sealed room's history tells lines as they are by now, and who came and went, as an open room's does", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const ben = await stage.bring(ana, "ben");
  const one = await say(ana, "one");
  const two = await say(ben, "two");
  const three = await say(ben, "three");
  await ana.view.until("said", 2); // or its client has no such lines yet
  await ana.session.change("edited", one, "uno");
  await ana.session.change("reacted", two, "👍");
  await ben.session.change("deleted", three, "");
  await ana.session.reply(two, "indeed");
  await ben.view.until("replied");
  ben.session.conversation.rename("benno");
  await ana.view.until("renamed");
  await say(ben, "last");
  await ana.view.until("said", 3);

  const { lines, more, backTo } = await find(ana, "", 6);
  const short = lines.map((line) =>
    line.type === "warning" ? null : [line.type, line.name, line.text]
  );
  assertEquals(short, [
    ["said", "ana", "uno"],
    ["said", "ben", "two"],
    ["said", "ben", ""],
    ["replied", "ana", "indeed"],
    ["renamed", "ben", "benno"],
    ["said", "benno", "last"],
  ]);
  assertEquals([more, backTo], [true, one]);
  const changed = lines.map((line) =>
    line.type === "warning" ? undefined : line.changed
  );
  const none = { edited: false, deleted: false, reactions: [] };
  const { person } =
    ana.session.conversation.present.find(({ name }) => name === "ana") ?? {};
  assert(person);
  assertEquals(changed.slice(0, 3), [
    { ...none, edited: true },
    { ...none, reactions: [{ name: "ana", person, text: "👍" }] },
    { ...none, deleted: true },
  ]);

  const searched = async (words: string) => told(await find(ben, words));
  assertEquals(await searched("uno"), [[one, "ana: uno"]]);
  assertEquals(await searched("one"), []);
  assertEquals(await searched("three"), []);
});

Deno.test("a search of a sealed room goes back as far as it must, and says how far it looked", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const needle = await say(ana, "needle");
  const first = await talk(ana, 700);
  assertEquals(told(await find(ana, "needle")), [[needle, "ana: needle"]]);
  const some = await find(ana, "line 69", 5);
  assertEquals(
    told(some).map(([seq]) => seq),
    [694, 695, 696, 697, 698].map((at) => first + at),
  );
  assertEquals([some.more, some.backTo], [true, first + 694]);
  const history = await find(ana, "", 600);
  assertEquals(history.lines.length, 600);
  assertEquals(ana.view.of("history-differs"), []);
});

Deno.test("a newcomer finds nothing from before what it may read", async () => {
  await using stage = await SealedStage.create(2);
  const ana = await stage.found();
  await say(ana, "old hut");
  await talk(ana, 5);
  const ben = await stage.bring(ana, "ben");
  const seq = await say(ana, "new hut");
  for (let at = 0;; at++) { // until ben has heard it, too
    if ((await ben.view.until("said", at)).seq === seq) break;
  }
  assertEquals(told(await find(ben, "hut")), [[seq, "ana: new hut"]]);
});

Deno.test("a line that a server alters in the past is warned of by its number, wherever it stands, and never shown as said", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const ben = await stage.bring(ana, "ben");
  await talk(ben, 300);
  const seq = await say(ben, "pay ten");
  await talk(ben, 300);
  const other = await say(ben, "pay one");
  const { setup } = stage;
  const [raw] = await Array.fromAsync(setup.log.past(other - 1, other));
  const text = raw?.[0]?.text ?? "";
  alterPages(
    stage,
    (lines) => lines.map((line) => line.seq === seq ? { ...line, text } : line),
  );
  const { lines, more } = await find(ana, "", 350);
  const warnings = lines.flatMap((line) =>
    line.type === "warning" ? [[line.line, line.name, line.reason]] : []
  );
  assertEquals(warnings, [[seq, "ben", "signature-wrong"]]);
  assertEquals(more, true);
  // The lines after it come to another value than this client counted.
  const { from } = await ana.view.until("history-differs");
  assertEquals(from, seq);
  assertEquals(ana.view.standing?.differs, true);
  assertEquals(told(await find(ana, "pay")).map(([line]) => line), [other]);
});

Deno.test("a line that a server leaves out of the past, or repeats there, shows in what the lines come to", async () => {
  for (
    const alter of [
      (lines: LogEntry[], seq: number) => lines.filter((it) => it.seq !== seq),
      (lines: LogEntry[], seq: number) => {
        const last = lines.find((it) => it.seq === seq - 1);
        return lines.map((it) =>
          it.seq === seq && last ? { ...last, seq } : it
        );
      },
    ]
  ) {
    await using stage = await SealedStage.create();
    const ana = await stage.found();
    await talk(ana, 20);
    const seq = await say(ana, "left out");
    await talk(ana, 20);
    alterPages(stage, (lines) => alter(lines, seq));
    const found = await find(ana, "left out");
    assertEquals(told(found), []);
    const { from } = await ana.view.until("history-differs");
    assertEquals(from, seq);
  }
});

Deno.test("another search ends the one that is under way, with what it has found; one with a name is done to its end", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  await say(ana, "needle");
  await talk(ana, 600);
  await say(ana, "needle");
  const { conversation } = ana.session;
  conversation.search("needle", 100, "named");
  conversation.search("needle", 100);
  conversation.search("needle", 100);
  const ends = await Promise.all(
    [0, 1, 2].map((at) => ana.view.until("found", at)),
  );
  assertEquals(
    ends.map(({ id, lines, more }) => [id, lines.length, more]),
    [["named", 2, false], [undefined, 1, true], [undefined, 2, false]],
  );
});

Deno.test("what somebody says goes out while a search is under way", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  await say(ana, "needle");
  await talk(ana, 600); // which are three pages
  const { history } = stage.setup;
  const chain = history.chain.bind(history);
  const asked = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<void>();
  let pages = 0;
  history.chain = async (seq) => {
    asked.resolve();
    await (++pages === 1 ? goesOn : heard).promise;
    return await chain(seq);
  };
  ana.session.conversation.search("needle", 100);
  await asked.promise;
  const saying = say(ana, "meanwhile").then(() => heard.resolve());
  await cryptoIdle(); // it is on its way to the server, which is at the first page
  goesOn.resolve();
  assertEquals((await ana.view.until("found")).lines.length, 1);
  assertEquals([pages, ana.view.of("said").at(-1)?.text], [3, "meanwhile"]);
  await saying;
});

Deno.test("a line can't be answered, or changed, that was never said, or not by who wants to change it, however old it is", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const old = await say(ana, "old");
  await talk(ana, 2_100); // more than a client remembers
  const ben = await stage.bring(ana, "ben");
  const { session } = ben;
  assertEquals(
    await refusalOf(ben, () => session.change("edited", old, "new")),
    "change-not-yours",
  );
  assertEquals(
    await refusalOf(ben, () => session.reply(1, "to the founding")),
    "reply-unknown",
  );
  assertEquals(
    await refusalOf(ben, () => session.reply(1_000_000, "to nothing")),
    "reply-unknown",
  );
  await session.reply(old, "indeed");
  const { to } = await ana.view.until("replied");
  assertEquals(to, old);
});

Deno.test("the server isn't told which old line is answered or changed, but which 256 lines it is among, once", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const old = await say(ana, "old");
  await talk(ana, 2_600); // more than a client remembers
  const ben = await stage.bring(ana, "ben");
  const { history } = stage.setup;
  const piece = history.piece.bind(history);
  const asked: [number, number][] = [];
  history.piece = (after, upTo) => {
    asked.push([after, upTo]);
    return piece(after, upTo);
  };
  const { session } = ben;
  await session.reply(old, "indeed");
  await session.change("reacted", old + 7, "👍");
  await session.reply(257, "to the first of the next");
  await session.reply(512, "to its last");
  assertEquals((await ana.view.until("replied", 2)).to, 512);
  assertEquals(asked, [[0, 256], [256, 512]]);
});

Deno.test("a newcomer can answer a line from before what it may read, and stays connected", async () => {
  await using stage = await SealedStage.create(3);
  const ana = await stage.found();
  const old = await talk(ana, 600);
  const ben = await stage.bring(ana, "ben");
  for (const to of [old, old + 300, old + 560]) {
    const before = ana.view.of("replied").length;
    await ben.session.reply(to, "indeed");
    assertEquals((await ana.view.until("replied", before)).to, to);
  }
  assertEquals(ben.view.of("disconnected"), []);
});

Deno.test("a client whose server can't read its log says so, and searches again when asked", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  await say(ana, "needle");
  const { history } = stage.setup;
  const { past } = history;
  const { LogError } = await import("../../../../src/log/file.ts");
  history.recent = () => undefined; // nothing of it is in memory
  history.past = () => {
    throw new LogError("read", "chat.log", new Error("it is gone"));
  };
  const noted = ana.view.notes.length;
  ana.session.conversation.search("needle", 100);
  assertEquals(
    await ana.view.untilNote(noted),
    "The server cannot read its log now",
  );
  history.past = past;
  assertEquals((await find(ana, "needle")).lines.length, 1);
});
