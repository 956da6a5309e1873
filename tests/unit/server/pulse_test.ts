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
  tick,
} from "../../kit/connection_setup.ts";
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

Deno.test("Pulse takes no write for stalled that waits for its turn", async () => {
  const ring = new Ring(1_024);
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
  await ring.turns.passed();
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

Deno.test("Connection.tick() drops a client under whose write nothing moved for 10 s", async () => {
  await using setup = await Setup.create();
  const witness = await setup.connect();
  await witness.join("witness");
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 1);
  client.stream.incoming.capacity = 0;
  client.connection.tell({ kind: "ping" });
  while (!client.connection.outlet.writing) await client.send({ kind: "pong" });
  tick(client, 9);
  await witness.send(say(1));
  await witness.until("said");
  assertEquals(witness.of("left"), []);
  tick(client, 1);
  await assertThrownOut(client);
  assertEquals((await witness.until("left")).reason, "slow");
});

Deno.test("Connection.tick() bears with a client that takes a byte every 9 s", async () => {
  await using setup = await Setup.create();
  const client = await setup.connect();
  await client.join("ana");
  await quiet(client);
  tick(client, 1);
  client.stream.incoming.held = true;
  client.stream.incoming.capacity = 0;
  const { outlet } = client.connection;
  client.connection.tell({ kind: "ping" });
  while (!outlet.writing) await client.send({ kind: "pong" });
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
