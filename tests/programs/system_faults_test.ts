/**
 * The programs on a system that fails them: no descriptors, little memory, a clock that jumps, processes that
 * stand still.
 *
 * @module
 */

import { admissionKey, parseInvite } from "../../src/keys/invite.ts";
import type { View } from "../../src/client/view.ts";
import { Session } from "../../src/client/session.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import {
  dataSize,
  fakeTimeLibrary,
  limit,
  openDescriptors,
  testUnless,
  unlimitable,
} from "../kit/system.ts";
import "../kit/crypto_idle.ts";
import { newIdentity } from "../kit/people.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { type ClientOptions, JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { OTHER_CLOCK } from "../kit/program.ts";

const texts = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${name} ${at}`);

/** A long text, bytes: less than the most that a message has. */
const LONG = 4_000;
const padding = "x".repeat(LONG);

// ── Descriptors ────────────────────────────────────────────────────────────────────────────────────────

testUnless(
  unlimitable,
  "server without descriptors lets newcomers wait, while present members go on",
  async () => {
    await using folder = await Folder.make();
    const args = ["--handshake-time", "600"]; // nobody's descriptor comes free by itself
    await using server = await Server.open(folder, { args });
    const { invite, pid, port } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await JsonClient.join({ invite, name: "ben" });
    const spare = 3;
    await limit(pid, "nofile", await openDescriptors(pid) + spare);
    const idle = await Promise.all(
      Array.from(
        { length: spare + 2 },
        () => Deno.connect({ hostname: "127.0.0.1", port }),
      ),
    );
    await server.line(
      /warning gate: Cannot accept a connection: too many files are open\. Members stay, newcomers wait\. /,
    );
    await using eve = await JsonClient.start({ invite, name: "eve" });
    await ana.type(...texts("ana", 100));
    await ben.type(...texts("ben", 100));
    for (const client of [ana, ben]) await client.showsTexts(200);
    await ana.type(JSON.stringify({ type: "search", words: "99" }));
    await ana.shows("error", { message: "The server cannot read its log now" });
    await ben.type("still here");
    await ana.shows("said", { text: "still here" });
    assertEquals(eve.shown, []);

    for (const conn of idle) conn.close();
    await server.line(/info gate: Accepting connections again/);
    await eve.isIn();
    await ana.shows("joined", { name: "eve" });
    assertEquals([ana.all("away"), ben.all("away")], [[], []]);
    const warnings = server.stderr.filter((it) => it.includes(" warning gate"));
    assertEquals(warnings.length, 1, warnings.join("\n"));
    assertFollows(ana, await server.log());
  },
);

// ── Memory ─────────────────────────────────────────────────────────────────────────────────────────────

/** Someone in this process who is in the room of a real server. */
async function enter(invite: string, name: string) {
  const { host, port, id, secret } = parseInvite(invite);
  const identity = await newIdentity();
  const inside = Promise.withResolvers<void>();
  let seen = 0;
  const view: View = {
    show({ type }) {
      if (type === "entered") inside.resolve();
      if (type === "said") seen++;
    },
    stand() {},
    note() {},
    ask: () => Promise.resolve(null),
  };
  const session = new Session({
    address: `${host}:${port}`,
    who: { identity, name },
    dial: () => Deno.connect({ hostname: host, port }),
    handshake: {
      inviteId: id,
      checkServer() {},
      inviteKey: admissionKey(secret),
    },
    view,
    askName: () => Promise.resolve(null),
  });
  const staying = session.run();
  await Promise.race([inside.promise, staying]);
  return {
    session,
    seen: () => seen,
    async [Symbol.asyncDispose]() {
      session.leave();
      await staying;
    },
  };
}

/** What the server may take beyond what it has with everybody in, and how much is said: more than that. */
const MEMORY_LEFT = 160 * 1_048_576;
const FLOOD = 200 * 1_048_576;

async function flood(session: Session): Promise<void> {
  const count = FLOOD / LONG;
  for (let at = 0; at < count; at++) await session.say(padding);
  await session.conversation.settled();
}

testUnless(
  unlimitable,
  "server with less memory than is said in the room goes on, though two members don't read",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, {
      args: ["--rate", "0"],
      runtime: ["--v8-flags=--max-old-space-size=128"],
    });
    const { invite, pid } = server;
    await using ben = await enter(invite, "ben");
    await using ana = await enter(invite, "ana");
    await using _others = await enter(invite, "others");
    const deaf = [
      await JsonClient.join({ invite, name: "deaf1" }),
      await JsonClient.join({ invite, name: "deaf2" }),
    ];
    try {
      for (const client of deaf) client.kill("SIGSTOP");
      await limit(pid, "data", await dataSize(pid) + MEMORY_LEFT);
      const ended = server.finished().then((code) => {
        throw new Error(`The server ended with ${code}`);
      });
      await Promise.race([flood(ben.session), ended]);
    } finally {
      for (const client of deaf) await client[Symbol.asyncDispose]();
    }
    await using eve = await JsonClient.join({ invite, name: "eve" });
    await ana.session.say("still here");
    await eve.shows("said", { text: "still here" });
    assertEquals(server.stderr.filter((it) => !it.includes(" info ")), []);
  },
);

// ── Clocks ─────────────────────────────────────────────────────────────────────────────────────────────

/** Sets the clock of whatever runs in a folder. */
async function setClock(folder: Folder, offset: string): Promise<void> {
  await Deno.writeTextFile(folder.file("clock"), offset);
}

/** A clock that jumps under a server and a client must not be noticed, but in the times that it gives. */
async function jumpingClock(
  under: (folder: Folder) => Pick<ClientOptions, "prefix" | "runtime">,
) {
  await using folder = await Folder.make();
  await setClock(folder, "+0d");
  const how = under(folder);
  const rate = ["--rate", "50", "--burst", "10"]; // slow enough for each day to take seconds
  await using server = await Server.open(folder, { args: rate, ...how });
  const { invite } = server;
  const cwd = folder.path;
  await using ana = await JsonClient.join({ invite, name: "ana", cwd, ...how });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  const days = ["+0d", "+1d", "-1d"];
  for (const [day, offset] of days.entries()) {
    await setClock(folder, offset);
    await ana.type(...texts(`ana on day ${day}`, 75));
    await ben.shows("said", { text: `ana on day ${day} 74` });
    const { invite } = server;
    await using eve = await JsonClient.join({ invite, name: `eve${day}` });
    await eve.endInput();
    assertEquals(await eve.finished(), 0);
    await ana.shows("left", { name: `eve${day}` });
  }
  await ana.type("the end");
  await ben.shows("said", { text: "the end" });

  const log = await server.log();
  const said = days.flatMap((_, day) => texts(`ana on day ${day}`, 75));
  assertSaid(log, "ana", [...said, "the end"]);
  for (const client of [ana, ben]) {
    assertFollows(client, log);
    assertEquals(client.all("away"), []);
    const left = client.all("left").map(({ name }) => name);
    assertEquals(left, ["eve0", "eve1", "eve2"]);
  }
  const times = log.filter(({ text }) => / 0$/.test(text)).map(({ at }) => at);
  const jumps = times.slice(1).map((at, day) =>
    Math.round((at - (times[day] ?? 0)) / 86_400_000)
  );
  assertEquals(jumps, [1, -2]);
}

Deno.test("clock that jumps a day forward and back moves no timeout and no order", async () => {
  await jumpingClock(() => ({ runtime: OTHER_CLOCK }));
});

testUnless(
  fakeTimeLibrary ? undefined : "there is no libfaketime here",
  "system's clock that jumps a day forward and back moves no timeout and no order",
  () =>
    jumpingClock((folder) => ({
      prefix: [
        "env",
        `LD_PRELOAD=${fakeTimeLibrary}`,
        `FAKETIME_TIMESTAMP_FILE=${folder.file("clock")}`,
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
        "DONT_FAKE_MONOTONIC=1",
      ],
    })),
);

// ── Processes that stand still ─────────────────────────────────────────────────────────────────────────

testUnless(
  Deno.build.os === "windows" ? "no such signals on Windows" : undefined,
  "server that was stopped and continued has every line once, and nobody is lost",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await JsonClient.join({ invite, name: "ben" });
    await using eve = await JsonClient.join({ invite, name: "eve" });
    await ana.type("before");
    await ben.shows("said", { text: "before" });
    server.kill("SIGSTOP");
    await ana.type(...texts("ana", 2_000));
    await ben.type(...texts("ben", 2_000));
    eve.kill("SIGTERM");
    assertEquals(await eve.finished(), 0); // it doesn't wait for a server that stands still
    server.kill("SIGCONT");
    for (const client of [ana, ben]) await client.showsTexts(4_001);

    await ana.shows("left", { name: "eve" });
    const log = await server.log();
    assertSaid(log, "ana", ["before", ...texts("ana", 2_000)]);
    assertSaid(log, "ben", texts("ben", 2_000));
    for (const client of [ana, ben]) {
      assertFollows(client, log);
      assertEquals(client.all("away"), []);
    }
  },
);

testUnless(
  Deno.build.os === "windows" ? "no such signals on Windows" : undefined,
  "client that was stopped for too long is let go, and misses nothing when it is continued",
  async () => {
    await using folder = await Folder.make();
    const args = ["--rate", "0"];
    await using server = await Server.open(folder, { args });
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await JsonClient.join({ invite, name: "ben" });
    await using eve = await JsonClient.join({ invite, name: "eve" });
    ana.kill("SIGSTOP");
    await ana.type(...texts("ana", 100));
    const said: string[] = [];
    const gone = () => ben.all("left").length > 0;
    // The system keeps some megabytes for one that doesn't read, and the server's ring a few more.
    while (!gone()) {
      const more = texts(`ben ${said.length}`, 500)
        .map((text) => `${text} ${padding}`);
      said.push(...more);
      await ben.type(...more);
      await ben.showsTexts(said.length);
    }
    assertEquals(ben.all("left").map(({ name, reason }) => [name, reason]), [
      ["ana", "slow"],
    ]);
    ana.kill("SIGCONT");
    await ana.isIn(2);
    for (const client of [ana, ben, eve]) {
      await client.showsTexts(said.length + 100);
    }

    const log = await server.log();
    assertSaid(log, "ana", texts("ana", 100));
    assertSaid(log, "ben", said);
    for (const client of [ana, ben, eve]) assertFollows(client, log);
    assert(eve.all("away").length === 0);
  },
);
