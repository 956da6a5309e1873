/**
 * A whole stay, of which somebody on the way alters one record, each once in each way that there is: a real
 * server, and the client's own sessions, without their terminals, so that there can be a hundred.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import {
  Alteration,
  type AlterationKind,
  ALTERATIONS,
  type Direction,
} from "../kit/proxy.ts";
import { Stay } from "../kit/stay.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { assertSaid } from "../kit/expect.ts";

/** The records that are altered: those after the handshake, up to the last that each stay surely has. */
const RECORDS: readonly (readonly [Direction, number])[] = [
  ["up", 2], // asks to be let in
  ["up", 3],
  ["up", 4],
  ["up", 5],
  ["down", 1],
  ["down", 2],
  ["down", 3],
  ["down", 4],
  ["down", 5],
  ["down", 6],
];
/** What each stay says. */
const WORDS = ["one", "two", "three"];
/** How often those who wait for their words say something else, so that a gap is seen, ms. */
const PERIOD = 250;

/**
 * Where a request to be let in is lost, or waits for more of it, nothing comes after it: the client gives up
 * after a time that a test needn't wait for.
 */
function isStill(kind: AlterationKind, direction: Direction, index: number) {
  return direction === "up" && index === 2 &&
    ["flip length", "swap", "drop"].includes(kind);
}

Deno.test("clients lose and double nothing, whichever record of their stay somebody alters, and how", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: [
      "--max-handshakes-per-address",
      "1000",
      "--failed-per-address",
      "1000",
    ],
  });
  await using all = new AsyncDisposableStack();
  const stays: Stay[] = [];
  let applied = 0;
  for (const [direction, index] of RECORDS) {
    for (const kind of ALTERATIONS) {
      if (isStill(kind, direction, index)) continue;
      const alteration = new Alteration(
        kind,
        (record) => record.direction === direction && record.index === index,
      );
      alteration.applied.then(() => applied++);
      const name = `${direction}-${index}-${kind.replace(" ", "-")}`;
      stays.push(all.use(await Stay.begin(name, server, alteration)));
    }
  }
  const talk = async (stay: Stay) => {
    const { name, session } = stay;
    const more = setInterval(() => session.say("and more"), PERIOD);
    for (const word of WORDS) {
      await session.say(`${name} ${word}`);
      if (!await stay.hears(`${name} ${word}`)) break;
    }
    clearInterval(more);
    session.leave();
    return await stay.ended;
  };
  const outcomes = await Promise.all(stays.map(talk));
  assertEquals(applied, stays.length);

  const areIn = stays.filter((_, at) => outcomes[at] === undefined);
  const said = areIn.map(({ name }) => name).filter((it) =>
    /^up-[345]/.test(it)
  );
  assertEquals(said.length, 3 * ALTERATIONS.length, `${said} came in`);

  const log = await server.log();
  for (const [at, stay] of stays.entries()) {
    const { name, shown } = stay;
    const spoken = log.filter((it) => it.text !== "and more");
    const out = outcomes[at] !== undefined;
    const words = WORDS.map((word) => `${name} ${word}`);
    assertSaid(spoken, name, out ? [] : words);
    assert(!out || shown.every(({ type }) => type !== "entered"), name);
    stay.assertFollows(log);
  }
});
