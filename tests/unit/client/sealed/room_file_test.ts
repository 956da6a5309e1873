/**
 * What a client keeps of a sealed room: whole after a crash at any byte, and fetched again where it is damaged.
 *
 * @module
 */

import { roomFolder } from "../../../../src/client/sealed/room_folder.ts";
import { RoomFile } from "../../../../src/client/sealed/room_file.ts";
import { toBase64url } from "../../../../crypto_utils.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { Folder, modeOf } from "../../../kit/folder.ts";
import { roomOf, SealedSetup } from "../../../kit/sealed_setup.ts";

/** A room with some members, as a keeper's client has kept it. */
async function kept(folder: string) {
  await using setup = new SealedSetup();
  const sealing = { stores: roomFolder(folder) };
  const ana = await setup.found("ana", sealing);
  await setup.bring(ana, "bob");
  await ana.operate("invite", "7", "Rahul", 2);
  await ana.say("hello");
  await ana.view.until("said");
  await ana.leave();
  const room = roomOf(setup.server);
  const { membership } = setup.server;
  return { room, path: `${folder}/${room}`, membership };
}

/** The number of the last control line that stands whole in a file's text; 0 for none. */
function lastControl(text: string): number {
  const lines = text.split("\n").slice(0, -1)
    .filter((line) => line.includes('"control":{'));
  const [, json = '{"control":{"seq":0}}'] = lines.at(-1)?.split(/ (.*)/) ?? [];
  return JSON.parse(json).control.seq;
}

const fail = (text: string) => {
  throw new Error(text);
};

Deno.test("a room's file has the control lines, the last numbers and the notes of invites, for its owner alone", async () => {
  await using folder = await Folder.make();
  const { room, path, membership } = await kept(folder.path);
  assertEquals(await modeOf(path), 0o600);
  const file = await RoomFile.load(roomFolder(folder.path), room, fail);
  const { seq, digest, members } = file.record.membership;
  assertEquals(
    [seq, toBase64url(digest)],
    [membership.seq, toBase64url(membership.digest)],
  );
  assertEquals([...members.keys()], [...membership.members.keys()]);
  assertEquals(file.stays.all.length, 1);
  const notes = membership.openInvites(Date.now())
    .map(({ number }) => file.noteOf(number));
  assertEquals(notes, ["", "Rahul"]);
});

Deno.test("a room's file that a crash cut off at any byte is whole up to there", async () => {
  await using folder = await Folder.make();
  const { room, path, membership } = await kept(folder.path);
  const text = await Deno.readTextFile(path);
  assertEquals(lastControl(text), membership.seq);
  for (let size = 0; size < text.length; size += 211) {
    const left = text.slice(0, size);
    await Deno.writeTextFile(path, left);
    const file = await RoomFile.load(roomFolder(folder.path), room, fail);
    const { seq } = file.record.membership;
    assertEquals(seq, lastControl(left), `${size} bytes`);
    // What is written then is read the next time.
    const again = await RoomFile.load(roomFolder(folder.path), room, fail);
    assertEquals(again.record.membership.seq, seq);
  }
});

Deno.test("what follows a damaged line of a room's file doesn't count where it leads elsewhere", async () => {
  await using folder = await Folder.make();
  const { room, path } = await kept(folder.path);
  const lines = (await Deno.readTextFile(path)).split("\n");
  const [, second] = lines.filter((line) => line.includes('"control":{'));
  const broken = lines.map((line) =>
    line === second ? line.replace('"seq"', '"sea"') : line
  );
  await Deno.writeTextFile(path, broken.join("\n"));
  const file = await RoomFile.load(roomFolder(folder.path), room, fail);
  assertEquals(file.record.entries.map(({ seq }) => seq), [1]);
  assertEquals(file.stays.all.length, 1);
  assert(file.last < lastControl(`${second}\n`)); // what was seen counts with its control lines alone
});

Deno.test("a room's file that can't be read is told of, and nothing is kept", async () => {
  await using folder = await Folder.make();
  const { room, path } = await kept(folder.path);
  const text = await Deno.readTextFile(path);
  await Deno.chmod(path, 0o644);
  const notes: string[] = [];
  const file = await RoomFile.load(
    roomFolder(folder.path),
    room,
    (text) => notes.push(text),
  );
  file.rekeyed(1);
  await file.kept;
  assertEquals([file.record.membership.seq, notes.length], [0, 1]);
  assertEquals(await Deno.readTextFile(path), text);
});

Deno.test("a damaged line of a room's file doesn't count, though it still says something", async () => {
  await using folder = await Folder.make();
  const { room, path, membership } = await kept(folder.path);
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"Rahul"', '"Raoul"'));
  const file = await RoomFile.load(roomFolder(folder.path), room, fail);
  assertEquals(file.record.membership.seq, membership.seq);
  const notes = membership.openInvites(Date.now())
    .map(({ number }) => file.noteOf(number));
  assertEquals(notes, ["", undefined]);
});
