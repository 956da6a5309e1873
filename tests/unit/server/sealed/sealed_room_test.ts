/**
 * A sealed room by itself: who may come in, what a batch that is taken back leaves, and what it says at its start.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { LineFile } from "../../../../src/base/line_file.ts";
import { admissionKey } from "../../../../src/keys/invite.ts";
import { ChatLog } from "../../../../src/log/chat_log.ts";
import type { Event } from "../../../../src/protocol/events.ts";
import { FOUNDING_ID } from "../../../../src/sealed/membership.ts";
import type { Kept, Wrap } from "../../../../src/server/sealed/control_file.ts";
import {
  SealedRoom,
  type Staged,
} from "../../../../src/server/sealed/sealed_room.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ROOM_KEY } from "../../../kit/connection_setup.ts";
import { Folder } from "../../../kit/folder.ts";
import { withMethod } from "../../../kit/log_kit.ts";
import { ruledBy, SealedServer } from "../../../kit/sealed_members.ts";
import { NOTHING, parsed } from "../../../kit/sealed_room.ts";

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
  const count = server.membership.nextCount(ana.who.full) + 1;
  const { text: later } = await server.wish(ana, {
    ...{ verb: "rename", name: "annie", count },
  });
  await opened(folder, (own) => {
    const before = seen(own);
    const file = () => Deno.readTextFileSync(folder.file("chat.control"));
    const seq = own.membership.seq + 3;
    const take = (text: string, seq: number, isDecided = false) =>
      own.take(parsed(text), ruledBy(ana, text), seq, NOTHING, isDecided);
    const { full } = ana.who;
    const wrap: Wrap = { by: full, to: full, e: 0, data: "new" };
    own.keep(); // nothing
    for (const isKept of [false, true, false]) {
      const start = file();
      const given = own.give(wrap, Date.now());
      const said = take(text, seq);
      assert(typeof said === "object");
      assertEquals([own.next.seq, own.membership.seq], [seq, before.seq]);
      assert(own.digestAt(seq) !== "");
      if (isKept) own.keep();
      assertEquals(own.wasSaid(parsed(text), seq), false);
      own.drop();
      said.undo();
      given?.();
      assertEquals(seen(own), before);
      const added = file().slice(start.length);
      assertEquals(added !== "", isKept);
      assertEquals(added.includes(`"kind":"dropped","seq":${seq}`), isKept);
    }
    own.settle();
    own.keep();
    const start = file();
    own.drop(); // of which nothing is kept
    own.settle();
    assertEquals(file(), start);
    const said = take(text, seq);
    assert(typeof said === "object");
    own.keep();
    own.settle();
    assertEquals([own.membership.seq, own.wasSaid(parsed(text), seq)], [
      seq,
      true,
    ]);
    assertEquals(own.wasSaid(parsed(text), seq + 1), false);
    assertEquals(own.wasSaid(parsed(later), seq), false);
    const again = take(text, seq, true);
    assert(typeof again === "object");
    again.undo();
    assertEquals([again.wraps, own.membership.seq], [[], seq]);
    const happened = file();
    const next = take(later, seq + 1);
    assert(typeof next === "object");
    own.drop();
    next.undo();
    own.drop();
    assertEquals(file(), happened);
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
      const entry = ruledBy(ana, text);
      const said = own.take(parsed(text), entry, seq, NOTHING, false);
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

Deno.test("a control line takes with it the content keys of its epoch, for those who are to have them, and an invite comes only with its key", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  await using folder = await copied(server);
  const [invite, [admit], { text: inviting }] = await server.inviting(ana);
  const { key, blob } = admit as Event<"admit">;
  const admission = { invite: invite.number, key, blob };
  const [, , { text: rekeying }] = await server.rekeying(ana);
  const { text: renaming } = await server.wish(ana, {
    ...{ verb: "rename", name: "anna" },
  });
  await opened(folder, (own) => {
    const seq = own.membership.seq + 9;
    const take = (text: string, staged: Staged) =>
      own.take(parsed(text), ruledBy(ana, text), seq, staged, false);
    assertEquals(take(inviting, { ...NOTHING, admission }), "keys-late");
    const [a, b] = [ana.who.full, ben.who.full];
    const nobody = toBase64url(new Uint8Array(32).fill(1));
    const wraps = new Map(
      [[a, 1], [b, 0], [nobody, 1]].map(([to, e]) => {
        const wrap = { by: a, to, e, data: "new" } as Wrap;
        return [wrap.to, wrap];
      }),
    );
    const rekeyed = take(rekeying, { ...NOTHING, wraps });
    assert(typeof rekeyed === "object");
    assertEquals(rekeyed.wraps.map(({ to }) => to), [a]);
    rekeyed.undo();
    const renamed = take(renaming, { ...NOTHING, admission });
    assert(typeof renamed === "object");
    own.keep();
    own.settle();
    assertEquals(own.blobOf(invite.number), "");
  });
});

Deno.test("the file is written anew once most of it counts no more, as far as it is long, and at a start", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  await using folder = await copied(server);
  const path = folder.file("chat.control");
  const lines = () => Deno.readTextFileSync(path).split("\n").length - 1;
  const { full } = ana.who;
  const [, , { text }] = await server.rekeying(ana);
  const wrap: Wrap = { by: full, to: full, e: 0, data: "A".repeat(30_000) };
  const keep = (own: SealedRoom) => {
    own.give(wrap, Date.now());
    own.keep();
    own.settle();
  };
  await opened(folder, (own) => {
    const { length: least } = own.state();
    const counts = Array.from({ length: 4 * least }, () => {
      keep(own);
      return lines();
    });
    assertEquals([Math.max(...counts), counts.includes(least)], [
      2 * least,
      true,
    ]);
    // Just before that, with a change of the key by which nobody loses one.
    while (lines() < 2 * least) keep(own);
    const staged = { ...NOTHING, wraps: new Map([[full, { ...wrap, e: 1 }]]) };
    const place = own.membership.seq + 9; // after all that the log has
    own.take(parsed(text), ruledBy(ana, text), place, staged, false);
    own.keep();
    own.settle();
    assertEquals([own.membership.epoch, lines()], [1, own.state().length]);
  });
  {
    using file = LineFile.open<Kept>(path);
    file.added();
    file.add(Array.from({ length: 20 }, () => ({ kind: "wrap", wrap })));
  }
  await opened(folder, (own) => {
    assertEquals(lines(), own.state().length);
    assertEquals(own.wrapFor(full), wrap);
  });
});

Deno.test("a change of the key takes from the file what a link opened that is over by then, and only adds to it where there is none", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const until = Date.now() + 60_000;
  const { number, self: { full } } = await server.invite(ana, { until });
  const [, , { text }] = await server.rekeying(ana);
  for (const isOver of [false, true]) {
    await using folder = await copied(server);
    const file = () => Deno.readTextFileSync(folder.file("chat.control"));
    const before = file();
    await opened(folder, (own) => {
      const { data } = own.wrapFor(full) ?? {};
      assert(data !== undefined && before.includes(data));
      const at = isOver ? until + 1 : until - 1;
      const place = own.membership.seq + 1;
      own.take(parsed(text), ruledBy(ana, text, at), place, NOTHING, true);
      own.keep();
      own.settle();
      assertEquals(own.membership.epoch, 1);
      assertEquals(file().includes(data), !isOver);
      assertEquals(file().startsWith(before), !isOver);
      assertEquals(own.wrapFor(full) === undefined, isOver);
      assertEquals(own.blobOf(number) === "", isOver);
    });
  }
});

Deno.test("the file that is written anew lacks what a link opened that is over by the time of the last control line", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const until = Date.now() + 60_000;
  const { number, self } = await server.invite(ana, { until });
  const { text } = await server.wish(ana, { verb: "rename", name: "anna" });
  const { full } = ana.who;
  const wrap: Wrap = { by: full, to: full, e: 0, data: "A".repeat(30_000) };
  for (const isOver of [false, true]) {
    await using folder = await copied(server);
    await opened(folder, (own) => {
      const at = isOver ? until + 1 : until - 1;
      const place = own.membership.seq + 9;
      own.take(parsed(text), ruledBy(ana, text, at), place, NOTHING, true);
      for (let time = 0; time < 20; time++) {
        own.give(wrap, at);
        own.keep();
        own.settle();
      }
      assertEquals(own.wrapFor(self.full) === undefined, isOver);
      assertEquals(own.blobOf(number) === "", isOver);
    });
  }
});

Deno.test("a control line that a crash left in the file alone is dropped there at the start, and one that the log has too stays, though the log is lost later", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  await using folder = await copied(server);
  const { text } = await server.wish(ana, { verb: "rename", name: "anna" });
  const file = () => Deno.readTextFileSync(folder.file("chat.control"));
  const address = "127.0.0.1:5000";
  const log = () => ChatLog.open(folder.file("chat.log"), { address });
  const seq = server.setup.log.head + 1;
  const entry = ruledBy(ana, text);
  const crash = () =>
    opened(folder, (own) => {
      own.take(parsed(text), entry, seq, NOTHING, false);
      own.keep();
    });
  const found = () => opened(folder, ({ membership }) => membership.seq);
  await crash();
  assertEquals([await found(), file().includes('"dropped"')], [1, true]);
  const mended = file();
  assertEquals([await found(), file()], [1, mended]);
  await crash();
  {
    const its = await log();
    await its.append([entry]);
    await its.close();
  }
  assertEquals(await found(), seq);
  const marked = file();
  assertEquals([await found(), file()], [seq, marked]);
  await Deno.remove(folder.file("chat.log"));
  assertEquals(await found(), seq);
});

Deno.test("a control line counts that came with an older file of the log, which is deleted, though nothing says that it came there", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  await server.rekey(ana);
  const { log } = server.setup;
  const { digest, seq } = server.membership;
  assertEquals(log.head, seq);
  await log.chainAt(log.head);
  await log.beginAnother();
  const [oldest] = log.files;
  assert(oldest && await log.deleteOldest(oldest));
  await using folder = await copied(server);
  const path = folder.file("chat.control");
  const lines = (await Deno.readTextFile(path)).split("\n");
  const unmarked = lines.filter((it) => !it.includes('"kind":"logged"'));
  assert(unmarked.length < lines.length);
  await folder.write("chat.control", unmarked.join("\n"));
  await opened(folder, ({ membership, notices }) => {
    assertEquals(toBase64url(membership.digest), toBase64url(digest));
    assertEquals(notices, []);
  });
});

Deno.test("a log is refused that says something else under the number of a control line that members were told, its last line too, or an earlier one where it is shorter", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  await server.rule(ana, { verb: "rename", name: "anna" });
  await using folder = await copied(server);
  const lines = (await Deno.readTextFile(folder.file("chat.log"))).split("\n");
  const at = lines.findIndex((it) => it.includes(" rules rename "));
  const last = lines.slice(0, at + 1).join("\n") + "\n";
  const changed = last.replace('"anna"', '"anni"');
  const shorter = lines.slice(0, at).join("\n").replace('"ana"', '"eve"');
  for (const text of [changed, `${shorter}\n`]) {
    await folder.write("chat.log", text);
    await assertRejects(
      () => opened(folder, () => {}),
      AdvisedError,
      "The log does not belong to ",
    );
  }
});
