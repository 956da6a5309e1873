/**
 * Somebody on the way who has no key, and hides records of one type, or of several: a real server, and the client's
 * own sessions. Timers are fast, here and at the server.
 *
 * @module
 */

import "../kit/fast_timers.ts";
import { RecordType } from "../../src/protocol/records.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { Folder } from "../kit/folder.ts";
import { FAST_TIMERS } from "../kit/program.ts";
import type { Direction, Edit } from "../kit/proxy.ts";
import { Server } from "../kit/server.ts";
import { Stay } from "../kit/stay.ts";

/** How often somebody speaks whom the others may not hear, by fast timers; ms. */
const PERIOD = 500;

const { direct, broadcast, shared } = RecordType;

/** What is hidden. */
interface Hiding {
  readonly direction: Direction;
  readonly types: readonly RecordType[];
  /** Whether the client is let in first. */
  readonly late: boolean;
  /** Whether the client gets in at all. */
  readonly enters: boolean;
}

const down = (
  types: readonly RecordType[],
  late: boolean,
  enters = late,
): Hiding => ({ direction: "down", types, late, enters });

/** Every type of record that there is, alone and with others, from the start and once the client is in. */
const HIDINGS: readonly Hiding[] = [
  down([broadcast], false, true),
  ...[
    [shared],
    [direct],
    [broadcast, shared],
    [broadcast, direct],
    [shared, direct],
    [broadcast, shared, direct],
  ].map((types) => down(types, false)),
  // Shared records come only while a client is let in.
  ...[[broadcast], [direct], [broadcast, direct]].map((types) =>
    down(types, true)
  ),
  { direction: "up", types: [direct], late: false, enters: false },
  { direction: "up", types: [direct], late: true, enters: true },
];

const isIn = ({ shown }: Stay) => shown.some(({ type }) => type === "entered");

Deno.test("clients show nobody a room that isn't so, and come back, whatever somebody hides", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { runtime: FAST_TIMERS });
  await using all = new AsyncDisposableStack();
  const talker = all.use(await Stay.begin("talker", server));
  await talker.until("in", () => isIn(talker));
  let lines = 0;
  const talking = setInterval(() => {
    talker.session.say(`line ${++lines}`);
  }, PERIOD);

  const stays = await Promise.all(HIDINGS.map(async (hiding, index) => {
    const { direction, types, late } = hiding;
    let hidden = 0;
    const edit: Edit = (record) => {
      const hides = record.direction === direction &&
        types.some((type) => type === record.type) && (!late || isIn(stay));
      if (hides) hidden++;
      return hides ? [] : [record.bytes];
    };
    const name = `hidden-${index}`;
    const stay: Stay = all.use(
      await Stay.begin(name, server, { edit }),
    );
    const entries = () => stay.shown.filter(({ type }) => type === "entered");
    await stay.until("back", () => entries().length === 2);
    assert(hidden > 0, name);
    assertEquals(entries().length, hiding.enters ? 2 : 0, name);
    return stay;
  }));

  clearInterval(talking);
  const last = `line ${lines}`;
  const inside = [
    talker,
    ...stays.filter((_, index) => HIDINGS[index]?.enters),
  ];
  const names = inside.map(({ name }) => name).sort();
  for (const stay of inside) {
    const { name, session } = stay;
    await stay.until(last, () => stay.heard.some(({ text }) => text === last));
    const present = () =>
      session.conversation.present.map(({ name }) => name).sort();
    // Those who never knew that they were in may be leaving just now.
    await stay.until("the others", () => `${present()}` === `${names}`);
    assertEquals(present(), names, name);
  }
  const log = await server.log();
  for (const stay of inside) stay.assertFollows(log);
  for (const [index, stay] of stays.entries()) {
    if (HIDINGS[index]?.enters) continue;
    assert(await stay.ended, stay.name);
    assertEquals(stay.session.conversation.present, [], stay.name);
  }
});
