/**
 * A sealed room by itself: who may come in, what a batch that is taken back leaves, and what it says at its start.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { LineFile } from "../../../../src/base/line_file.ts";
import { admissionKey } from "../../../../src/keys/invite.ts";
import { ChatLog } from "../../../../src/log/chat_log.ts";
import { FOUNDING_ID } from "../../../../src/sealed/membership.ts";
import type { Kept, Wrap } from "../../../../src/server/sealed/control_file.ts";
import { SealedRoom } from "../../../../src/server/sealed/sealed_room.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ROOM_KEY } from "../../../kit/connection_setup.ts";
import { Folder } from "../../../kit/folder.ts";
import { withMethod } from "../../../kit/log_kit.ts";
import { SealedServer } from "../../../kit/sealed_members.ts";
import { parsed } from "../../../kit/sealed_room.ts";

/** Opens the room of a folder. @returns What a test makes of it. */
async function opened<T>(
  folder: Folder,
  use: (room: SealedRoom) => T | Promise<T>,
  now?: () => number,
): Promise<T> {
  const address = "127.0.0.1:5000";
  const log = await ChatLog.open(folder.file("chat.log"), { address });
  try {
    const path = folder.file("chat.control");
    using room = await SealedRoom.open(path, ROOM_KEY, log, () => {}, now);
    return await use(room);
  } finally {
    await log.close();
  }
}

/** Copies a server's files, as a crash leaves them. */
async function copied({ setup }: SealedServer): Promise<Folder> {
  const folder = await Folder.make();
  for (const name of ["chat.control", "chat.log"]) {
    await Deno.copyFile(`${setup.folder}/${name}`, folder.file(name));
  }
  return folder;
}

Deno.test("the founding link opens a room that isn't founded, by the secret that it has now, and no other", async () => {
  await using folder = await Folder.make();
  await opened(folder, (room) => {
    assertEquals([room.isFounded, room.isOpen(FOUNDING_ID)], [false, true]);
    assertEquals(room.inviteKey(FOUNDING_ID), admissionKey(ROOM_KEY));
    const secret = new Uint8Array(32).fill(9);
    room.setFoundingSecret(secret);
    assertEquals(room.inviteKey(FOUNDING_ID), admissionKey(secret));
    assertEquals([room.keeperNames, room.notices, room.lines], ["", [], []]);
    assertEquals([room.epochOf(0), room.epochOf(7)], [-1, -1]);
  });
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const { room } = server;
  assertEquals([room.isFounded, room.isOpen(FOUNDING_ID)], [true, false]);
  assertEquals(room.inviteKey(FOUNDING_ID), undefined);
  const open = await server.invite(ana);
  const closed = await server.invite(ana);
  await server.rule(ana, { verb: "close", invite: closed.number });
  const numbers = [open.number, closed.number, 7];
  assertEquals(numbers.map((it) => room.isOpen(it)), [true, false, false]);
  assertEquals(room.inviteKey(open.number), admissionKey(open.secret));
  assertEquals(room.inviteKey(7), undefined);
  assertEquals([open, closed].map(({ self }) => room.isRecipient(self.full)), [
    true,
    false,
  ]);
  assertEquals(room.isRecipient(ana.who.full), true);
  assertEquals(room.wrapForInvite(7), undefined);
  assertEquals(room.blobOf(7), "");
  assertEquals(room.digestAt(999), "");
  assertEquals(room.keeperNames, "ana");
});

/** What a room comes to, in short. */
function seen(room: SealedRoom) {
  const { next, membership: { seq, epoch } } = room;
  const numbers = Array.from({ length: seq + 9 }, (_, at) => at);
  return {
    ...{ seq, epoch, isSettled: next === room.membership },
    digests: numbers.map((it) => room.digestAt(it)),
    epochs: numbers.map((it) => room.epochOf(it)),
    lines: room.lines.map((it) => it.seq),
  };
}

Deno.test("a batch that is taken back leaves nothing, and what it kept is dropped from the file", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  await using folder = await copied(server);
  const { text } = await server.wish(ana, { verb: "rename", name: "anna" });
  const by = { stay: ana.stay, n: 0, name: "ana" };
  await opened(folder, (own) => {
    const before = seen(own);
    const size = () => Deno.statSync(folder.file("chat.control")).size;
    const at = Date.now();
    const place = { at, person: ana.who.short };
    const seq = own.membership.seq + 3;
    const entry = { ...place, ...by, what: "ruled" as const, text };
    const nothing = { wraps: new Map(), admission: undefined };
    for (const isKept of [false, true]) {
      const start = size();
      const said = own.take(parsed(text), entry, seq, nothing);
      assert(typeof said === "object");
      assertEquals([own.next.seq, own.membership.seq], [seq, before.seq]);
      assertEquals(own.wasSaid(parsed(text), seq), false);
      assert(own.digestAt(seq) !== "");
      if (isKept) own.keep();
      own.drop();
      said.undo();
      assertEquals(seen(own), before);
      assertEquals(size() > start, isKept);
      const file = Deno.readTextFileSync(folder.file("chat.control"));
      assertEquals(file.includes(`"kind":"dropped","seq":${seq}`), isKept);
      own.settle();
      own.keep();
    }
    const start = size();
    own.drop(); // of which nothing is kept
    own.settle();
    assertEquals(size(), start);
    const said = own.take(parsed(text), entry, seq, nothing);
    assert(typeof said === "object");
    own.keep();
    own.settle();
    assertEquals([own.membership.seq, own.wasSaid(parsed(text), seq)], [
      seq,
      true,
    ]);
    assertEquals(own.wasSaid(parsed(text), seq + 1), false);
    const again = own.take(parsed(text), entry, seq, nothing, true);
    assert(typeof again === "object");
    again.undo();
    assertEquals([again.wraps, own.membership.seq], [[], seq]);
    own.drop();
    assertEquals(own.lines.at(-1)?.seq, seq); // it has happened
  });
});

Deno.test("a change of the key that is taken back changes the epoch of no line, whatever comes after it", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  await using folder = await copied(server);
  const [, , rekey] = await server.rekeying(ana);
  const rename = await server.wish(ana, { verb: "rename", name: "anna" });
  await opened(folder, (own) => {
    const seq = own.membership.seq + 1;
    const take = (text: string, seq: number) => {
      const by = { person: ana.who.short, stay: ana.stay, n: 0, name: "ana" };
      const entry = { ...by, what: "ruled" as const, at: Date.now(), text };
      const nothing = { wraps: new Map(), admission: undefined };
      const said = own.take(parsed(text), entry, seq, nothing);
      assert(typeof said === "object");
      return said;
    };
    const { undo } = take(rekey.text, seq);
    const epochs = () => [seq, seq + 1, seq + 3].map((it) => own.epochOf(it));
    assertEquals(epochs(), [0, 1, 1]);
    undo();
    assertEquals(epochs(), [0, 0, 0]);
    take(rename.text, seq + 2);
    own.keep();
    own.settle();
    assertEquals([epochs(), own.digestAt(seq)], [[0, 0, 0], ""]);
  });
});

Deno.test("a content key that is taken back is kept for nobody, and one that somebody may not give isn't taken", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  const { room } = server;
  const now = Date.now();
  const wrap = (by: string, to: string, e = 0, data = "new"): Wrap => ({
    ...{ by, to, e, data },
  });
  const [a, b] = [ana.who.full, ben.who.full];
  const nobody = toBase64url(new Uint8Array(32).fill(1));
  const given = [
    wrap(a, a),
    wrap(a, b),
    wrap(b, b),
    wrap(b, a),
    wrap(a, nobody),
    wrap(a, b, 1),
  ].map((it) => room.give(it, now));
  assertEquals(given.map((it) => it !== undefined), [
    ...[true, true, true, false, false, false],
  ]);
  for (const undo of given.toReversed()) undo?.();
  room.keep();
  room.settle();
  assert([a, b].every((it) => room.wrapFor(it)?.data !== "new"));
  room.give(wrap(a, b), now);
  room.keep();
  assert(room.wrapFor(b)?.data !== "new"); // until it has happened
  room.drop(); // which no control line is part of
  room.settle();
  assertEquals(room.wrapFor(b)?.data, "new");
});

Deno.test("what was mended at the start is said, with how many lines that is", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const control = `${server.setup.folder}/chat.control`;
  const yesterday = await Deno.readTextFile(control);
  for (const name of ["anna", "annie"]) {
    await server.rule(ana, { verb: "rename", name });
  }
  await using folder = await copied(server);
  const path = folder.file("chat.control");
  const notices = () => opened(folder, (room) => room.notices);
  await Deno.writeTextFile(path, yesterday);
  assertEquals(await notices(), [
    `${path} lacked 2 control lines that the log has: an older one was put back. It has them now; members whose sealed keys are lost ask the keepers for them`,
  ]);
  assertEquals(await notices(), []);
  await Deno.writeTextFile(path, '{"kind":"ru', { append: true });
  assertEquals(await notices(), [
    `Dropped the last line of "${path}": it broke off`,
  ]);
  // Both are changed in the log.
  await Deno.writeTextFile(path, yesterday);
  const log = await Deno.readTextFile(folder.file("chat.log"));
  const changed = log.replace('"anna"', '"anni"').replace('"annie"', '"annia"');
  await folder.write("chat.log", changed);
  assertEquals(await notices(), [
    `The log has 2 control lines that can't have been said after those in ${path}: some before are lost, or somebody wrote in the log. They don't count`,
  ]);
});

Deno.test("a file with a control line that can't be is refused, and closed", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  await server.rule(ana, { verb: "rename", name: "anna" });
  await using folder = await copied(server);
  const path = folder.file("chat.control");
  {
    using file = LineFile.open<Kept>(path);
    const [first, ...others] = file.added();
    assert(first?.kind === "ruled");
    const text = first.entry.text.replace('"ana"', '"eve"');
    const entry = { ...first.entry, text };
    file.rewrite([{ kind: "ruled", entry }, ...others]);
  }
  const open = new Set<Deno.FsFile>();
  const opening =
    (original: typeof Deno.openSync): typeof Deno.openSync => (...args) => {
      const file = original(...args);
      if (args[0] === path) open.add(file);
      return file;
    };
  const closing = (original: Deno.FsFile["close"]) =>
    function (this: Deno.FsFile) {
      open.delete(this);
      original.call(this);
    };
  const refused = () =>
    assertRejects(
      () => opened(folder, () => {}),
      FileError,
      `Cannot use "${path}": its control line`,
    );
  await withMethod(
    Deno,
    "openSync",
    opening,
    () => withMethod(Deno.FsFile.prototype, "close", closing, refused),
  );
  assertEquals(open.size, 0);
});
