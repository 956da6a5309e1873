/**
 * A sealed room that a server takes over from another one.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { ChatLog } from "../../../../src/log/chat_log.ts";
import { SealedRoom } from "../../../../src/server/sealed/sealed_room.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ROOM_KEY } from "../../../kit/connection_setup.ts";
import { Folder } from "../../../kit/folder.ts";
import { pastOf } from "../../../kit/log_kit.ts";
import { ruledBy, SealedServer } from "../../../kit/sealed_members.ts";
import { NOTHING, parsed, unsealed } from "../../../kit/sealed_room.ts";

const NOW = () => Date.now();

/** What a room comes to. */
async function seen(room: SealedRoom) {
  const { digest, seq, epoch, members } = room.membership;
  return {
    digest: toBase64url(digest),
    seq,
    epoch,
    lines: room.lines,
    told: await room.nextLines(unsealed, 0)?.shared,
    digests: room.lines.map((it) => room.digestAt(it.seq)),
    epochs: Array.from({ length: seq + 2 }, (_, at) => room.epochOf(at)),
    wraps: [...members.keys()].map((id) => room.wrapFor(id)),
  };
}

/** Opens what a folder has, as a server with others does. */
async function open(folder: Folder): Promise<[ChatLog, SealedRoom]> {
  const address = "127.0.0.1:5000";
  const log = await ChatLog.open(folder.file("chat.log"), { address });
  const path = folder.file("chat.control");
  return [log, await SealedRoom.open(path, ROOM_KEY, log, () => {}, NOW)];
}

Deno.test("a server takes over the control lines, keys and invites of another, and has them after a restart", async () => {
  await using server = await SealedServer.create();
  const ana = await server.found();
  const ben = await server.bring(ana, "ben");
  await server.rekey(ana);
  await server.invite(ana);
  await server.rekey(ana, { removed: [ben.who.full] });
  const expected = await seen(server.room);

  await using folder = await Folder.make();
  {
    const [log, room] = await open(folder);
    await log.appendFrom(1, await pastOf(server.setup.log));
    await room.takeOver(server.room.state());
    assertEquals(await seen(room), expected);
    room[Symbol.dispose]();
    await log.close();
  }
  const [log, room] = await open(folder);
  assertEquals(await seen(room), expected);
  assertEquals(room.notices, []);
  room[Symbol.dispose]();
  await log.close();
});

Deno.test("what was there before goes, and a state that can't be changes nothing", async () => {
  await using server = await SealedServer.create();
  const ana = await server.found();
  await server.bring(ana, "ben");
  const before = server.room.state();
  await server.rekey(ana);
  const [first, second, ...rest] = server.room.state();
  assert(first && second);
  const expected = await seen(server.room);
  await assertRejects(
    () => server.room.takeOver([second, first, ...rest]),
    FileError,
    "isn't one that may be said there",
  );
  assertEquals(await seen(server.room), expected);
  await server.room.takeOver(before);
  assertEquals(server.room.state(), before);
  assert(server.room.membership.seq < expected.seq);
  assertEquals(server.room.digestAt(expected.seq), "");
  // What isn't kept is not dropped either.
  const { room, setup: { folder: path } } = server;
  const control = () => Deno.readTextFileSync(`${path}/chat.control`);
  const start = control();
  const { text } = await server.wish(ana, { verb: "rename", name: "anna" });
  const seq = expected.seq + 2;
  const said = room.take(parsed(text), ruledBy(ana, text), seq, NOTHING, false);
  assert(typeof said === "object");
  room.drop();
  assertEquals(control(), start);
  room.keep();
  room.settle();
  assertEquals(room.epochOf(expected.seq + 1), 0); // not that of the line that is gone
  await using folder = await Folder.make();
  await folder.write("chat.control", control());
  const [log, another] = await open(folder);
  assertEquals(another.lines, room.lines);
  another[Symbol.dispose]();
  await log.close();
  await room.takeOver([]);
  assertEquals(room.state(), [{ kind: "logged", seq: 0 }]);
});

Deno.test("a server with others leaves an older log as it is, until it gets from them what that lacks", async () => {
  await using server = await SealedServer.create();
  const ana = await server.found();
  await server.bring(ana, "ben");
  const { folder: path } = server.setup;
  await using folder = await Folder.make();
  const lines = (await Deno.readTextFile(`${path}/chat.log`)).split("\n");
  await folder.write("chat.log", `${lines[0]}\n`);
  const control = await Deno.readTextFile(`${path}/chat.control`);
  await folder.write("chat.control", control);
  const [log, room] = await open(folder);
  assertEquals(log.head, 1);
  assertEquals(await folder.names(), [
    "chat.control",
    "chat.log",
    "chat.log.lock",
  ]);
  assertEquals(room.membership.seq, server.room.membership.seq);
  room[Symbol.dispose]();
  await log.close();
});
