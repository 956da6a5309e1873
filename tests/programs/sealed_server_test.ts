/**
 * The server program of a sealed room: killed at every step, started beside files of yesterday or without some, and with
 * a clock that jumps.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import type { Event } from "../../src/protocol/events.ts";
import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { joinEvent } from "../kit/people.ts";
import { quiet } from "../kit/room_client.ts";
import { answer, followed, type OpenInvite } from "../kit/sealed_members.ts";
import {
  assertTurnedAway,
  type ProgramClient,
  SealedProgram,
  type Visitor,
} from "../kit/sealed_program.ts";
import { type Somebody, somebody } from "../kit/sealed_room.ts";
import { OTHER_CLOCK } from "../kit/program.ts";
import { runServer, Server } from "../kit/server.ts";

/** Somebody who was removed is told nothing. */
async function assertRemoved(program: SealedProgram, who: Somebody) {
  const client = await program.byKey(who);
  assertEquals(await followed(client), "removed");
  assertEquals(client.of("past"), []);
}

/** Comes back, and says something that ana's log has then. */
async function assertReads(
  program: SealedProgram,
  { who }: Pick<Visitor, "who">,
  name: string,
): Promise<Visitor> {
  const back = await program.back(who, name);
  await back.client.send(await program.seal(back, 1, "still here"));
  await back.client.until("sealed");
  return back;
}

// ── Killed ─────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("a server that is killed right after each step of a room has it, and goes on", async () => {
  await using program = await SealedProgram.open();
  let ana = await program.found();
  await program.restart();
  ana = await program.back(ana.who, "ana");
  const invite = await program.invite(ana, { uses: 2 });
  await program.restart();
  ana = await program.back(ana.who, "ana");
  const ben = await program.enter(invite, "ben");
  await program.restart();
  ana = await program.back(ana.who, "ana");
  await assertReads(program, ben, "ben");
  assertEquals(await program.rekey(ana), undefined);
  await program.restart();
  ana = await program.back(ana.who, "ana");
  const removal = { removed: [ben.who.full], barred: [ben.who.full] };
  assertEquals(await program.rekey(ana, removal), undefined);
  await program.restart();
  await assertRemoved(program, ben.who);
  await assertTurnedAway(program.by(invite, await somebody("eve")));
  await assertReads(program, ana, "ana");
  const said = (await program.server.log()).map(({ what }) => what);
  assertEquals(said.filter((what) => what === "ruled").length, 5);
});

/** When a server is killed: as it is asked, as it begins to write, and when it has answered. */
const MOMENTS = ["asked", "writing", "answered"] as const;

/** Something that is asked of a server. */
interface Wish {
  readonly client: ProgramClient;
  readonly events: readonly Event[];
  /** What is answered, at the latest. */
  readonly answer: "welcome" | "answered";
}

/** Has a server killed at each moment, until it has done what is asked. @param wish Asks it, anew each time. */
async function killedAt(
  program: SealedProgram,
  wish: () => Promise<Wish>,
): Promise<void> {
  const { seq } = program.membership;
  for (const moment of MOMENTS) {
    const { client, events, answer } = await wish();
    using watcher = Deno.watchFs(program.folder.path);
    await client.send(...events);
    if (moment === "writing") {
      for await (const { paths } of watcher) {
        if (paths.some((path) => path.endsWith("chat.control"))) break;
      }
    }
    if (moment === "answered") await client.until(answer);
    await program.restart();
    if (program.membership.seq > seq) return;
  }
  throw new Error("What was answered has not happened");
}

Deno.test("a server that is killed while something is asked of it has done it wholly, or it can be asked again", async () => {
  await using program = await SealedProgram.open();
  const [founder, ben] = [await somebody("ana"), await somebody("ben")];
  await killedAt(program, async () => {
    const client = await program.atDoor(founder);
    await followed(client);
    const [wrap, enter, key] = await program.founding(founder);
    program.keys[0] = key;
    const events = [wrap, enter, joinEvent(founder, "ana")];
    return { client, events, answer: "welcome" };
  });
  let invite: OpenInvite | undefined;
  await killedAt(program, async () => {
    const ana = await program.back(founder, "ana");
    const [made, staged, rule] = await program.inviting(ana);
    invite = made;
    const { client } = ana;
    return { client, events: [...staged, rule], answer: "answered" };
  });
  assert(invite);
  const by = invite;
  await killedAt(program, async () => {
    const client = await program.by(by, ben);
    await followed(client);
    const enter = await program.entering(ben, by, "ben");
    const wrap = await program.wrap(ben, ben);
    const events = [wrap, enter, joinEvent(ben, "ben")];
    return { client, events, answer: "welcome" };
  });
  await assertReads(program, { who: ben }, "ben");
  for (const removed of [[], [ben.full]]) {
    let fresh: Bytes | undefined;
    await killedAt(program, async () => {
      const ana = await program.back(founder, "ana");
      const [key, wraps, rule] = await program.rekeying(ana, { removed });
      fresh = key;
      const { client } = ana;
      return { client, events: [...wraps, rule], answer: "answered" };
    });
    assert(fresh);
    program.keys.push(fresh);
    await assertReads(program, { who: founder }, "ana");
  }
  await assertRemoved(program, ben);
});

// ── Files ──────────────────────────────────────────────────────────────────────────────────────────────

/** A room that has gone on for a day, and its server is killed. @returns What its log was before. */
async function dayLater(
  program: SealedProgram,
  ana: Visitor,
  gone: Somebody,
): Promise<string> {
  await program.kill();
  const path = program.folder.file("chat.log");
  const yesterday = await Deno.readTextFile(path);
  await program.start();
  const back = await program.back(ana.who, "ana");
  await back.client.send(await program.seal(back, 1, "before"));
  assertEquals(await program.rekey(back, { removed: [gone.full] }), undefined);
  await back.client.send(await program.seal(back, 2, "after"));
  await back.client.until("sealed", ({ n }) => n === 2);
  await program.kill();
  return yesterday;
}

Deno.test("yesterday's log beside today's chat.control brings nobody back who was removed since, and the owner is told", async () => {
  const [program, ana] = await SealedProgram.founded();
  await using _program = program;
  const ben = await program.bring(ana, "ben");
  const cleo = await program.bring(ana, "cleo");
  const yesterday = await dayLater(program, ana, ben.who);
  await Deno.writeTextFile(program.folder.file("chat.log"), yesterday);
  await program.start();
  await program.server.line(/The log ends with event \d+, and members were/);
  await assertRemoved(program, ben.who);
  await assertReads(program, cleo, "cleo");
  const again = await program.back(ana.who, "ana");
  assertEquals(await program.rekey(again), undefined);
});

Deno.test("a room goes on without its logs, old ones and the last", async () => {
  const [program, ana] = await SealedProgram.founded();
  await using _program = program;
  const ben = await program.bring(ana, "ben");
  const invite = await program.invite(ana);
  await program.kill();
  const log = program.folder.file("chat.log");
  await Deno.rename(log, `${log}.1`);
  await program.start();
  await assertReads(program, ben, "ben");
  await program.kill();
  await Deno.remove(`${log}.1`);
  await program.start();
  await assertReads(program, ben, "ben");
  await program.kill();
  await Deno.remove(log);
  await program.start();
  await assertReads(program, ben, "ben");
  const eve = await program.enter(invite, "eve");
  assertEquals(eve.client.of("welcome").length, 1);
});

Deno.test("without chat.people members come back, and who is banned is banned", async () => {
  const [program, ana] = await SealedProgram.founded();
  await using _program = program;
  const ben = await program.bring(ana, "ben");
  const { full } = ben.who;
  await program.rekey(ana, { removed: [full], barred: [full] });
  const invite = await program.invite(ana, { uses: 9 });
  await program.kill();
  await Deno.remove(program.folder.file("chat.people"));
  await program.start();
  const back = await assertReads(program, ana, "ana");
  const barred = await program.by(invite, ben.who);
  await followed(barred);
  const enter = await program.entering(ben.who, invite, "ben");
  await barred.send(enter, joinEvent(ben.who, "ben"));
  assertEquals((await barred.until("refused")).reason, "person-barred");
  await program.rekey(back, { freed: [full] });
  await program.restart();
  const freed = await program.enter(invite, "ben");
  assertEquals(freed.client.of("welcome").length, 1);
});

// ── Keys ───────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("a key that a keeper keeps from somebody can be asked for by a client that comes after a restart", async () => {
  const [program, ana] = await SealedProgram.founded();
  await using _program = program;
  const ben = await program.bring(ana, "ben");
  await program.rekey(ana, {}, (id) => id !== ben.who.full);
  await program.restart();
  const [anew, late] = [
    await program.back(ana.who, "ana"),
    await program.back(ben.who, "ben"),
  ];
  await quiet(late.client);
  assertEquals(late.client.of("wrapped").map(({ e }) => e), [0, 0]);
  await late.client.send({ kind: "need", e: 1 });
  const { who, e } = await anew.client.until("needed");
  assertEquals([who, e], [ben.who.full, 1]);
  await anew.client.send(await program.wrap(ana.who, ben.who));
  await late.client.until("wrapped", (it) => it.e === 1);
});

// ── The clock ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("the owner of a server whose clock jumps is told that no control lines are taken, and what to do", async () => {
  const runtime = OTHER_CLOCK;
  const [program, ana] = await SealedProgram.founded({ runtime }, {
    clock: "+0d",
  });
  await using _program = program;
  await program.folder.write("clock", "+3d");
  assertEquals(await program.rekey(ana), "clock-wrong");
  await program.server.line(
    /The clock jumped by 3 days forward: no control lines are taken, since invites end by it\. Set it right, or start the server again if it is right now$/,
  );
  const [, , rule] = await program.rekeying(ana);
  await ana.client.send(rule);
  assertEquals(await answer(ana.client, rule.id), "clock-wrong");
  const said = program.server.stderr.filter((it) => it.includes("jumped"));
  assertEquals(said.length, 1);
  await program.restart();
  const back = await program.back(ana.who, "ana");
  assertEquals(await program.rekey(back), undefined);
});

// ── Another kind of room ───────────────────────────────────────────────────────────────────────────────

Deno.test("a server doesn't seal an open room, and names a command by which a sealed one begins beside it", async () => {
  await using folder = await Folder.make();
  let own = 0;
  {
    await using open = await Server.open(folder);
    await using _ana = await JsonClient.join({
      invite: open.invite,
      name: "ana",
    });
    own = open.port;
  }
  let flags = "";
  const given = freePort();
  // A port of its own: not that of the open room, which may be started again.
  for (const [port, other] of [[own, own + 1], [given, given], [0, 0]]) {
    const ended = await runServer(folder, ["--sealed", "--port", `${port}`]);
    const said = ended.stderr.join("\n");
    assertEquals(ended.code, 1, said);
    assertStringIncludes(said, "the log has the lines of an open room");
    const command = /: mkdir room && deno task server (.*)$/m;
    [, flags = ""] = command.exec(said) ?? [];
    assertStringIncludes(flags, `--sealed --port ${other} `);
  }
  await Deno.mkdir(folder.file("room"));
  const check = ["--check", ...flags.split(" ").with(2, "0")];
  const checked = await runServer(folder, check);
  assertEquals(checked.code, 0, checked.stderr.join("\n"));
});
