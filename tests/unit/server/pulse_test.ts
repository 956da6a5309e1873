/**
 * A server's end of one connection, with a client of the test's own at the other end of a stream in memory and a
 * real room behind it: what a client may say when, signs of life, and goodbyes.
 *
 * @module
 */

import { Outlet } from "../../../src/server/outlet.ts";
import { Pulse } from "../../../src/server/pulse.ts";
import { Ring } from "../../../src/server/ring.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import {
  assertThrownOut,
  say,
  Setup,
  stall,
  tick,
} from "../../kit/connection_setup.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { ManualTurns } from "../../kit/manual_turns.ts";
import { quiet } from "../../kit/room_client.ts";

Deno.test("Connection.tick() pings a client that was told nothing for 11 to 20 s, whatever was said to all", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client); // it was told a pong
  tick(client, 10);
  await quiet(client);
  assertEquals(client.of("ping").length, 0);
  tick(client, 10);
  await client.send(say(1));
  await client.until("said");
  assertEquals(client.of("ping").length, 0);
  tick(client, 10);
  await client.until("ping");
  await quiet(client);
  tick(client, 10);
  await quiet(client);
  assertEquals(client.of("ping").length, 1);
});

Deno.test("Pulse doesn't ask all at once who were told something at once", () => {
  const ring = new Ring(1_024);
  const writer = { write: () => Promise.resolve(0) };
  const outlet = new Outlet(ring, writer, { limit: 1, tooSlow: () => {} });
  const seconds = Array.from({ length: 100 }, () => {
    const pulse = new Pulse();
    const isQuiet = () => [...pulse.tick(false, outlet)].includes("quiet");
    return 1 + Array.from({ length: 30 }, isQuiet).indexOf(true);
  });
  assert(Math.min(...seconds) >= 11 && Math.max(...seconds) <= 20);
  assert(new Set(seconds).size > 5, seconds.join(" "));
});

Deno.test("Pulse takes no write for stalled that waits for its turn", () => {
  const manual = new ManualTurns();
  const ring = new Ring(1_024, manual.turns);
  const writer = { write: () => new Promise<number>(() => {}) };
  const outlet = new Outlet(ring, writer, { limit: 9, tooSlow: () => {} });
  const isStalled = () => {
    const pulse = new Pulse();
    const seconds = Array.from({ length: 11 });
    return seconds.some(() =>
      [...pulse.tick(false, outlet)].includes("stalled")
    );
  };
  for (let at = 0; at < 96; at++) ring.turns.take(() => {});
  outlet.share(new Uint8Array(9), 1);
  assertEquals(isStalled(), false);
  manual.next();
  assertEquals(isStalled(), true);
});

Deno.test("Connection.tick() bears with a client that says something every 34 s", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  for (let round = 0; round < 3; round++) {
    await quiet(client);
    tick(client, 34);
  }
  await quiet(client);
  assertEquals(client.of("bye"), []);
});

Deno.test("Connection.tick() lets a client go that said nothing for 35 s", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 35);
  assertEquals((await client.until("bye")).reason, "silent");
  await Promise.all([client.ended, client.served]);
  assertEquals((await witness.until("left")).reason, "silent");
  tick(client, 200); // nothing is left to look after
});

Deno.test("Connection.tick() lets a client go that hasn't joined after 30 s, and no member", async () => {
  await using setup = await Setup.create();
  const [guest, member] = [await setup.connect(), await setup.connect()];
  await member.join("ana");
  tick(guest, 30);
  await quiet(guest);
  tick(member, 31);
  await quiet(member);
  assertEquals([guest.of("bye"), member.of("bye")], [[], []]);
  tick(guest, 1);
  assertEquals((await guest.until("bye")).reason, "late");
  assertEquals(await guest.served, "late");
});

Deno.test("Connection.tick() has a guest judged after 30 s, and judge() ends none before, nor one that came in meanwhile", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  const { connection } = client;
  const inDoubt = (seconds: number) =>
    Array.from({ length: seconds }, () => connection.tick());
  assertEquals(inDoubt(30).includes(true), false);
  connection.judge();
  assertEquals([connection.ended, inDoubt(1)], [undefined, [true]]);
  await client.join("ana");
  connection.judge();
  assertEquals([connection.ended, inDoubt(1)], [undefined, [false]]);
});

Deno.test("Connection.tick() drops a client under whose write nothing moved for 10 s", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 1);
  await stall(client);
  tick(client, 9);
  await witness.send(say(1));
  await witness.until("said");
  assertEquals(witness.of("left"), []);
  tick(client, 1);
  await assertThrownOut(client);
  assertEquals((await witness.until("left")).reason, "slow");
});

Deno.test("Connection.judge() leaves one its goodbye that ended meanwhile, whom tick() has nobody judge from then on", async () => {
  using _clock = new ManualClock(); // on which no goodbye's time runs out
  await using setup = await Setup.create();
  const client = await setup.connect();
  const { connection, stream } = client;
  connection.tick();
  await stall(client);
  const inDoubt = () => Array.from({ length: 10 }, () => connection.tick());
  assertEquals(inDoubt().at(-1), true);
  connection.dismiss("stopped");
  connection.judge();
  assertEquals(inDoubt().includes(true), false);
  stream.incoming.capacity = Number.POSITIVE_INFINITY;
  assertEquals((await client.until("bye")).reason, "stopped");
  assertEquals(await client.served, "stopped");
});

Deno.test("Connection.tick() bears with a client that takes a byte every 9 s", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 1);
  client.stream.incoming.held = true;
  await stall(client);
  const { outlet } = client.connection;
  for (let taken = 1; taken <= 8; taken++) {
    tick(client, 9);
    const { moved } = outlet;
    client.stream.incoming.capacity = taken;
    for (let step = 0; step < 1_000 && outlet.moved === moved; step++) {
      await Promise.resolve();
    }
  }
  client.stream.incoming.capacity = Number.POSITIVE_INFINITY;
  client.stream.incoming.held = false;
  await client.until("ping");
});
