/**
 * What the server of a sealed room, the program itself, gives away to who has its files, its memory and all that went over
 * the network; and keepers who do everything in the same instant.
 *
 * @module
 */

import {
  type Bytes,
  DecryptionError,
  fromBase64url,
  toBase64url,
} from "../../crypto_utils.ts";
import { parseLine } from "../../src/base/checked_line.ts";
import { readCard } from "../../src/crypto/identity.ts";
import { xwingKey } from "../../src/crypto/xwing.ts";
import type { Event } from "../../src/protocol/events.ts";
import { ContentKeys, openWrap } from "../../src/sealed/content_key.ts";
import { parseControl } from "../../src/sealed/control_line.ts";
import { follow, Membership } from "../../src/sealed/membership.ts";
import {
  lineCipher,
  openLine,
  parseSealed,
} from "../../src/sealed/sealed_line.ts";
import type { Wrap } from "../../src/server/sealed/control_file.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { holds, utf8 } from "../kit/bytes.ts";
import { inMemory, unreadableMemory } from "../kit/process_memory.ts";
import { quiet } from "../kit/room_client.ts";
import { answer } from "../kit/sealed_members.ts";
import {
  assertTurnedAway,
  type ProgramClient,
  SealedProgram,
  type Visitor,
} from "../kit/sealed_program.ts";
import { type Somebody, somebody } from "../kit/sealed_room.ts";
import { parseLog } from "../kit/server.ts";
import { testUnless } from "../kit/system.ts";

const KNOWN = "the caretaker keeps the spare key under the third stone";

/** Says a sealed line, and waits until it was passed on. */
async function say(
  program: SealedProgram,
  by: Visitor,
  n: number,
  text = KNOWN,
): Promise<string> {
  const event = await program.seal(by, n, text);
  await by.client.send(event);
  await by.client.until("sealed", (it) => it.text === event.text);
  return event.text;
}

function utf16(text: string): Bytes {
  const units = Uint16Array.from(text, (unit) => unit.charCodeAt(0));
  return new Uint8Array(units.buffer);
}

// ── Files, memory and traffic ──────────────────────────────────────────────────────────────────────────

testUnless(
  unreadableMemory,
  "a known line of a sealed room, its keys and its links' secrets are in none of the server's memory, files and traffic, nor in what it is told",
  async () => {
    const [program, ana] = await SealedProgram.founded();
    await using _program = program;
    const invite = await program.invite(ana);
    const ben = await program.enter(invite, "ben");
    await say(program, ben, 1);
    assertEquals(await program.rekey(ana), undefined);
    const blob = await say(program, ana, 1);
    await ben.client.send({ kind: "away", text: "" });
    await quiet(ben.client);
    const { pid } = program.server;
    const secrets = new Map<string, Bytes>([
      ["line", utf8(KNOWN)],
      ["line, two bytes each", utf16(KNOWN)],
      ["invite", invite.secret],
      ["invite's text", utf8(toBase64url(invite.secret))],
    ]);
    for (const [e, key] of program.keys.entries()) {
      secrets.set(`key ${e}`, key).set(
        `key ${e}'s text`,
        utf8(toBase64url(key)),
      );
    }
    // That can be found, so what isn't found isn't there.
    const proof = new Map([["blob", utf8(blob)]]);
    assertEquals(await inMemory(pid, new Map([...secrets, ...proof])), [
      "blob",
    ]);
    const files = await program.files();
    assertEquals([...files.keys()].includes("chat.control"), true);
    const places = [...files, ["events", program.events] as const];
    for (const [place, bytes] of places) {
      for (const [what, secret] of secrets) {
        assertEquals(holds(bytes, secret), false, `${what} in ${place}`);
      }
    }
    const [log, events] = [files.get("chat.log"), program.events];
    assert(log && holds(log, utf8(blob)) && holds(events, utf8(blob)));
    await program.kill();
    for (const bytes of program.traffic) {
      assert(bytes.length > 0);
      for (const secret of [...secrets, ...proof]) {
        assertEquals(holds(bytes, secret[1]), false, secret[0]);
      }
    }
  },
);

/** A server's files, as a thief has them. */
interface Loot {
  readonly control: string;
  readonly log: string;
}

async function loot({ folder }: SealedProgram): Promise<Loot> {
  return {
    control: await Deno.readTextFile(folder.file("chat.control")),
    log: await Deno.readTextFile(folder.file("chat.log")),
  };
}

/**
 * What somebody can read of a log, by some servers' files of whatever day, its own private keys, and content keys that it
 * has had.
 */
async function readable(
  program: SealedProgram,
  all: readonly Loot[],
  own: readonly Somebody[],
  had: readonly Bytes[] = [],
): Promise<string[]> {
  const { membership, id: room } = program;
  const keys = new ContentKeys();
  for (const [e, key] of had.entries()) keys.add(e, key);
  for (const { by, to, e, data } of all.flatMap(wrapsIn)) {
    for (const { id, sealSeed } of own) {
      const wrapping = { room, e, by: fromBase64url(by), to: id };
      const { commit = "" } = membership.epochs[e] ?? {};
      const key = await openWrap(
        { ...wrapping, to: to === toBase64url(id) ? id : fromBase64url(to) },
        data,
        await xwingKey(sealSeed),
        commit,
      ).catch(shut);
      if (key) keys.add(e, key);
    }
  }
  const words: string[] = [];
  const { log } = all.at(-1) ?? { log: "" };
  for (const { what, person, stay, n, text } of parseLog(log)) {
    const line = what === "sealed" ? parseSealed(text) : undefined;
    const card = membership.members.get(person)?.card;
    if (!line || card === undefined) continue;
    const { id: sender } = readCard(fromBase64url(card));
    const place = { room, sender, stay: fromBase64url(stay), e: line.e, n };
    const key = await keys.get(line.e, room, membership.epochs);
    if (!key) continue;
    const cipher = await lineCipher(key, place);
    const opened = await openLine(line, place, cipher).catch(shut);
    if (opened) words.push(opened.text);
  }
  return words;
}

function wrapsIn({ control }: Loot): Wrap[] {
  return control.split("\n").flatMap((line) => {
    const it = parseLine(line) as { kind?: string; wrap?: Wrap } | undefined;
    return it?.kind === "wrap" && it.wrap ? [it.wrap] : [];
  });
}

function shut(error: unknown): undefined {
  if (!(error instanceof DecryptionError)) throw error;
}

Deno.test("a used-up link and the server's disk read what was said while its key was, and nothing once the next one has come", async () => {
  const [program, ana] = await SealedProgram.founded();
  await using _program = program;
  const invite = await program.invite(ana);
  await program.enter(invite, "ben");
  await say(program, ana, 1, "under the old key");
  const before = await loot(program);
  assertEquals(await readable(program, [before], [invite.self]), [
    "under the old key",
  ]);
  assertEquals(await program.rekey(ana), undefined);
  await say(program, ana, 2, "under the new key");
  const after = await loot(program);
  assertEquals(await readable(program, [after], [invite.self]), []);
  // Who took the disk before, too, has what was said before.
  assertEquals(await readable(program, [before, after], [invite.self]), [
    "under the old key",
  ]);
  assertEquals(await readable(program, [after], [ana.who]), [
    "under the old key",
    "under the new key",
  ]);
});

testUnless(
  unreadableMemory,
  "a removed member reads nothing from the removal on, with the server's disk of every day, its memory and an open link",
  async () => {
    const [program, ana] = await SealedProgram.founded();
    await using _program = program;
    const open = await program.invite(ana, { uses: 9 });
    const ben = await program.enter(open, "ben");
    await program.enter(open, "cleo");
    await say(program, ana, 1, "with ben");
    const had = [...program.keys];
    const days = [await loot(program)];
    assertEquals(
      await program.rekey(ana, { removed: [ben.who.full] }),
      undefined,
    );
    await say(program, ana, 2, "without ben");
    days.push(await loot(program));
    assertEquals(await program.rekey(ana), undefined);
    await say(program, ana, 3, "later");
    days.push(await loot(program));
    const own = [ben.who, open.self];
    assertEquals(await readable(program, days, own, had), ["with ben"]);
    const secrets = program.keys.slice(1).flatMap((key, at) => [
      [`key ${at + 1}`, key] as const,
      [`key ${at + 1}'s text`, utf8(toBase64url(key))] as const,
    ]);
    assertEquals(await inMemory(program.server.pid, new Map(secrets)), []);
  },
);

Deno.test("a link that a removal has closed lets nobody in, whoever has it, also after a restart", async () => {
  const [program, ana] = await SealedProgram.founded();
  await using _program = program;
  const open = await program.invite(ana, { uses: 9 });
  const ben = await program.enter(open, "ben");
  await program.rekey(ana, { removed: [ben.who.full] });
  const strangers = [ben.who, await somebody("eve")];
  for (const who of strangers) await assertTurnedAway(program.by(open, who));
  await program.restart();
  for (const who of strangers) await assertTurnedAway(program.by(open, who));
  assertEquals(program.membership.members.size, 1);
});

// ── Keepers in the same instant ────────────────────────────────────────────────────────────────────────

/** The control lines that a client was told, as it follows them by itself. */
async function followedBy({ client }: Visitor): Promise<Membership> {
  let membership = Membership.NONE;
  const seqs = new Set<number>();
  for (const { seq, at, person, text } of ruledTo(client)) {
    if (seqs.has(seq)) continue; // told again with the past
    seqs.add(seq);
    const line = parseControl(text);
    const next = await follow(membership, line, { seq, at, person });
    assert(next, `line ${seq} doesn't follow`);
    membership = next;
  }
  return membership;
}

/** Numbered events that aren't about one alone. */
const NUMBERED: ReadonlySet<string> = new Set([
  "joined",
  "left",
  "renamed",
  "sealed",
  "ruled",
]);

interface Told {
  readonly seq: number;
  readonly at: number;
  readonly person: string;
  readonly text: string;
}

function* ruledTo({ events }: ProgramClient): Generator<Told> {
  let [next, at] = [0, 0];
  for (const event of events) {
    if (event.kind === "past" && event.what === "ruled") yield event;
    if (event.kind === "batch") [next, at] = [event.seq, event.at];
    if (!NUMBERED.has(event.kind)) continue;
    const seq = next++;
    if (event.kind === "ruled") yield { ...event, seq, at };
  }
}

Deno.test("two keepers who remove, invite and change the key in the same instant, again and again: one order for all, no fork, and everybody who is left has the key", async () => {
  const [program, ana] = await SealedProgram.founded();
  await using _program = program;
  const crowd = await program.invite(ana, { uses: 20 });
  const ben = await program.enter(crowd, "ben");
  await program.rekey(ana, { made: [ben.who.full] });
  const others: Visitor[] = [];
  for (const name of ["cleo", "dora", "emil", "fred"]) {
    others.push(await program.enter(crowd, name));
  }
  const outcomes: string[] = [];
  for (const gone of others.slice(0, 3)) {
    const { full } = gone.who;
    const count = program.membership.nextCount(ben.who.full) + 1;
    const [removal, invites, rekeys] = await Promise.all([
      program.rekeying(ana, { removed: [full] }),
      program.inviting(ben),
      program.rekeying(ben, { count }),
    ]);
    const [key, wraps, rule] = removal;
    const [, staged, invite] = invites;
    const [other, otherWraps, otherRule] = rekeys;
    await Promise.all([
      ana.client.send(...wraps, rule),
      ben.client.send(...staged, invite, ...otherWraps, otherRule),
    ]);
    const first = await answer(ana.client, rule.id);
    const second = await answer(ben.client, otherRule.id);
    const invited = await answer(ben.client, invite.id);
    assert(invited === undefined || invited === "keys-late", invited);
    assertEquals([first, second].filter((it) => it === undefined).length, 1);
    program.keys.push(first === undefined ? key : other);
    outcomes.push(first ?? "first", second ?? "first");
    if (first === undefined) continue;
    assertEquals(first, "keys-late");
    assertEquals(
      await program.rekey(ana, { removed: [full] }),
      undefined,
    );
  }
  assertEquals(new Set(outcomes), new Set(["first", "keys-late"]));
  const zoe = await program.bring(ben, "zoe");
  const { members } = program.membership;
  assertEquals([...members.values()].map(({ name }) => name), [
    "ana",
    "ben",
    "fred",
    "zoe",
  ]);
  const fred = others[3];
  assert(fred);
  const { digest: wanted } = program.membership;
  for (const [name, visitor] of Object.entries({ ana, ben, fred, zoe })) {
    await quiet(visitor.client);
    const { digest, epoch } = await followedBy(visitor);
    assertEquals(toBase64url(digest), toBase64url(wanted), name);
    const back = await program.back(visitor.who, name);
    await quiet(back.client);
    const wrapped = back.client.of("wrapped").at(-1);
    assertEquals(wrapped?.e, epoch);
    assertEquals(
      await opened(program, wrapped, visitor.who),
      program.keys[epoch],
    );
  }
});

/** The content key in a wrap. */
async function opened(
  { id: room, membership }: SealedProgram,
  wrapped: Event<"wrapped"> | undefined,
  { id: to, sealSeed }: Somebody,
): Promise<Bytes> {
  assert(wrapped);
  const { e, by, data } = wrapped;
  const { commit = "" } = membership.epochs[e] ?? {};
  const wrapping = { room, e, by: fromBase64url(by), to };
  return await openWrap(wrapping, data, await xwingKey(sealSeed), commit);
}
