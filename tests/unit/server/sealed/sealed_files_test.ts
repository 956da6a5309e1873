/**
 * The two files of a sealed room, after a crash at any byte of either, and after one of them, or both, was put back as it
 * was before.
 *
 * @module
 */

import { toBase64url } from "../../../../crypto_utils.ts";
import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { ChatLog } from "../../../../src/log/chat_log.ts";
import type { LogEntry } from "../../../../src/protocol/line.ts";
import { parseControl } from "../../../../src/sealed/control_line.ts";
import { SealedRoom } from "../../../../src/server/sealed/sealed_room.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { ROOM_KEY } from "../../../kit/connection_setup.ts";
import { quiet } from "../../../kit/room_client.ts";
import { Folder } from "../../../kit/folder.ts";
import { pastOf } from "../../../kit/log_kit.ts";
import { SealedServer } from "../../../kit/sealed_members.ts";

/** What the files hold. */
interface Files {
  readonly control: string;
  readonly log: string;
}

/** What a server finds in them. */
interface Found {
  readonly digest: string;
  readonly seq: number;
  readonly head: number;
  readonly notices: readonly string[];
  readonly lines: readonly LogEntry[];
  /** Full ids of members for whom there is no key of now. */
  readonly keyless: readonly string[];
}

function filesOf({ setup: { folder } }: SealedServer): Files {
  return {
    control: Deno.readTextFileSync(`${folder}/chat.control`),
    log: Deno.readTextFileSync(`${folder}/chat.log`),
  };
}

async function put(folder: Folder, { control, log }: Files): Promise<void> {
  await folder.write("chat.control", control);
  await folder.write("chat.log", log);
}

/** Opens the files as a server does. */
async function open(folder: Folder): Promise<Found> {
  const log = await ChatLog.open(folder.file("chat.log"), {
    address: "127.0.0.1:5000",
  });
  try {
    const path = folder.file("chat.control");
    using room = await SealedRoom.open(path, ROOM_KEY, log, () => {});
    const { digest, seq, members, epoch } = room.membership;
    const keyless = [...members.values()].map(({ id }) => id)
      .filter((id) => room.wrapFor(id)?.e !== epoch);
    const { notices } = room;
    const lines = await pastOf(log);
    const { head } = log;
    const shown = toBase64url(digest);
    return { digest: shown, seq, head, notices, lines, keyless };
  } finally {
    await log.close();
  }
}

const digestOf = ({ membership }: SealedServer) =>
  toBase64url(membership.digest);

// ── Crashes ────────────────────────────────────────────────────────────────────────────────────────────

/** A step of a room, with what the files were at each of its writes. */
interface Step {
  readonly what: string;
  readonly digests: readonly [string, string];
  readonly controls: readonly [string, string];
  readonly logs: readonly [string, string];
}

/** Founds a room, invites, lets somebody in, changes the key, removes. */
async function steps(): Promise<Step[]> {
  await using server = await SealedServer.create();
  const { room, setup: { log } } = server;
  const { keep } = room;
  const { append } = log;
  const all: Step[] = [];
  let controls: [string, string] = ["", ""];
  room.keep = () => {
    const before = filesOf(server).control;
    keep.call(room);
    controls = [before, filesOf(server).control];
  };
  log.append = async (entries) => {
    const before = [filesOf(server).log, digestOf(server)] as const;
    const seq = await append.call(log, entries);
    const ruled = entries.find((it) => it?.what === "ruled");
    const verb = ruled && parseControl(ruled.text)?.control.verb;
    if (!verb) return seq;
    all.push({
      what: verb,
      digests: [before[1], toBase64url(room.next.digest)],
      controls,
      logs: [before[0], filesOf(server).log],
    });
    return seq;
  };
  const ana = await server.found();
  const ben = await server.bring(ana, "ben");
  await server.rekey(ana);
  await server.rekey(ana, { removed: [ben.who.full] });
  return all;
}

/** Sizes from that of one text, by which another begins, to that of the other. */
function* sizes(before: string, after: string): Generator<number> {
  assert(after.startsWith(before));
  for (let at = before.length; at < after.length; at += 211) yield at;
  yield after.length - 1;
  yield after.length;
}

for (const { what, digests, controls, logs } of await steps()) {
  Deno.test(`a server that is killed at any byte as it writes "${what}" down has it wholly, or not at all`, async () => {
    await using folder = await Folder.make();
    const crashes = [
      ...[...sizes(...controls)].map((size) => ({
        control: controls[1].slice(0, size),
        log: logs[0],
      })),
      ...[...sizes(...logs)].map((size) => ({
        control: controls[1],
        log: logs[1].slice(0, size),
      })),
    ];
    const [ruled = ""] = logs[1].slice(logs[0].length).split("\n");
    const whole = logs[0].length + ruled.length + 1;
    for (const files of crashes) {
      await put(folder, files);
      const isIn = files.log.length >= whole;
      const found = await open(folder);
      assertEquals(found.digest, isIn ? digests[1] : digests[0]);
      assertEquals(found.keyless, []);
      // The next start finds the same, and has nothing to mend.
      const again = await open(folder);
      assertEquals([again.digest, again.notices], [found.digest, []]);
    }
  });
}

Deno.test("a control line that the log couldn't take doesn't count at the next start, though chat.control couldn't be told, and another line has its number", async () => {
  await using folder = await Folder.make();
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const { log } = server.setup;
  const { append } = log;
  const before = digestOf(server);
  log.append = () => Promise.reject(new Error("the disk is full"));
  const { writeSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.writeSync = function (bytes) {
    const isMark = new TextDecoder().decode(bytes).includes('"dropped"');
    if (isMark) throw new Error("the disk is full");
    return writeSync.call(this, bytes);
  };
  try {
    assertEquals(await server.rekey(ana), "log-failed");
    log.append = append;
    await ana.client.send(await server.seal(ana, 1, "takes its number"));
    await ana.client.until("sealed");
  } finally {
    Deno.FsFile.prototype.writeSync = writeSync;
  }
  await put(folder, filesOf(server)); // as a crash leaves them
  const found = await open(folder);
  assertEquals([found.digest, found.notices], [before, []]);
  assertEquals(found.lines.at(-1)?.what, "sealed");
  assertEquals(await server.rekey(ana), undefined);
  await put(folder, filesOf(server));
  assertEquals((await open(folder)).digest, digestOf(server));
});

// ── Backups ────────────────────────────────────────────────────────────────────────────────────────────

/** A room as it was yesterday, and as it is: since then somebody was removed, and much was said. */
async function days(): Promise<{
  yesterday: Files;
  today: Files;
  digests: readonly [string, string];
  seq: number;
}> {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const ben = await server.bring(ana, "ben");
  await server.bring(ana, "cleo");
  const yesterday = filesOf(server);
  const before = digestOf(server);
  await ana.client.send(await server.seal(ana, 1, "before"));
  await server.rekey(ana, { removed: [ben.who.full], barred: [ben.who.full] });
  await ana.client.send(await server.seal(ana, 2, "after"));
  await quiet(ana.client);
  await ana.client.until("sealed", ({ n }) => n === 2);
  const { seq } = server.membership;
  const digests = [before, digestOf(server)] as const;
  return { yesterday, today: filesOf(server), digests, seq };
}

Deno.test("an older chat.log beside chat.control undoes no removal: the log goes on after it, and the owner is told", async () => {
  const { yesterday, today, digests, seq } = await days();
  await using folder = await Folder.make();
  await put(folder, { ...today, log: yesterday.log });
  const found = await open(folder);
  assertEquals([found.digest, found.head], [digests[1], seq]);
  const [notice = "", ...others] = found.notices;
  assertEquals(others, []);
  const path = folder.file("chat.control");
  const end = yesterday.log.split("\n").length - 1;
  assertEquals(
    notice,
    `The log ends with event ${end}, and members were told of event ${seq} by ${path}: an older log was put back, or its end is lost. It goes on with event ${
      seq + 1
    } in another file`,
  );
  const { head } = found;
  const heading = (await Deno.readTextFile(folder.file("chat.log")))
    .split("\n")[0] ?? "";
  assert(
    new RegExp(`^# continues at event ${head + 1} after [\\w-]{43}$`)
      .test(heading),
    heading,
  );
  assertEquals(
    await Deno.readTextFile(folder.file("chat.log.1")),
    yesterday.log,
  );
  const again = await open(folder);
  assertEquals(
    [again.digest, again.head, again.notices],
    [digests[1], head, []],
  );
});

Deno.test("a control line that members were told is kept beside an older log, also the last, and where chat.control wasn't written anew since", async () => {
  const [server, ana] = await SealedServer.founded();
  await using _server = server;
  const yesterday = filesOf(server);
  const name = "anna";
  assertEquals(await server.rule(ana, { verb: "rename", name }), undefined);
  const today = filesOf(server);
  assert(today.control.startsWith(yesterday.control));
  await using folder = await Folder.make();
  await put(folder, { ...today, log: yesterday.log });
  const found = await open(folder);
  const { seq } = server.membership;
  assertEquals([found.digest, found.head], [digestOf(server), seq]);
});

Deno.test("without any log a room has its members, keys and numbers still", async () => {
  const { today, digests, seq } = await days();
  await using folder = await Folder.make();
  await folder.write("chat.control", today.control);
  const found = await open(folder);
  assertEquals(
    [found.digest, found.head, found.keyless],
    [digests[1], seq, []],
  );
});

Deno.test("an older chat.control beside chat.log is brought up to it, the owner is told, and it is known who has no key then", async () => {
  const { yesterday, today, digests } = await days();
  await using folder = await Folder.make();
  await put(folder, { ...today, control: yesterday.control });
  const found = await open(folder);
  assertEquals([found.digest, found.keyless.length], [digests[1], 2]);
  const [notice = "", ...others] = found.notices;
  assert(notice.includes(" lacked 1 control line that the log has"), notice);
  assertEquals(others, []);
  const again = await open(folder);
  assertEquals([again.digest, again.notices], [digests[1], []]);
});

Deno.test("control lines of the log that don't follow from an older chat.control, since those between are lost, don't count, and the owner is told", async () => {
  const { yesterday, today, digests, seq } = await days();
  await using folder = await Folder.make();
  const lines = today.log.split("\n");
  const at = lines.findIndex((line) => line.includes(" rules keys "));
  lines[at] = lines[at]?.replace('"e":1', '"e":2') ?? "";
  await put(folder, { control: yesterday.control, log: lines.join("\n") });
  const found = await open(folder);
  assertEquals(found.digest, digests[0]);
  assert(found.seq < seq);
  const [notice = ""] = found.notices;
  assert(notice.startsWith("The log has 1 control line that can't"), notice);
});

Deno.test("both files of yesterday are a room of yesterday", async () => {
  const { yesterday, digests } = await days();
  await using folder = await Folder.make();
  await put(folder, yesterday);
  const found = await open(folder);
  assertEquals(
    [found.digest, found.notices, found.keyless],
    [digests[0], [], []],
  );
});

Deno.test("another room's log is refused beside chat.control", async () => {
  const [{ today }, other] = [await days(), await days()];
  await using folder = await Folder.make();
  await put(folder, { ...today, log: other.today.log });
  await assertRejects(
    () => open(folder),
    AdvisedError,
    "The log does not belong to ",
  );
  const control = await Deno.readTextFile(folder.file("chat.control"));
  assertEquals(control, today.control);
});
