/**
 * What a hostile server, or member, of a sealed room tries with files: nothing is saved but what was offered, the one who
 * takes it is told, and the server learns no name, no checksum and no byte of it.
 *
 * @module
 */

import { fromBase64url, toBase64url } from "../../crypto_utils.ts";
import type { FileNews } from "../../src/client/view.ts";
import { encodeEvent, type Event } from "../../src/protocol/events.ts";
import { PIECE_SIZE } from "../../src/protocol/offer.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { madeUpPerson } from "../kit/people.ts";
import { namesIn } from "../kit/folder.ts";
import { SealedFiles, SIZE } from "../kit/sealed_files.ts";
import type { SealedClient } from "../kit/sealed_setup.ts";

const NOT_AS_SENT = "a piece of it is not as its sender sent it";

/** Bytes of which no part is in another file. */
function bytesOf(seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: SIZE },
    (_, at) => (at * 31 + seed * 7 + (at >> 8)) & 0xff,
  );
}

const BYTES = bytesOf(0);

/** Ana, who has offered a file, and ben. */
async function room() {
  const room = await SealedFiles.make();
  const ana = await room.setup.found("ana");
  const ben = await room.setup.bring(ana, "ben");
  const offer = await room.offer(ana, "hut.jpg", BYTES);
  await ben.view.until("offered");
  const saved = (name = "ben") =>
    namesIn(room.folder.file(name)).then((names) =>
      names.filter((it) => !it.endsWith(".part"))
    );
  return {
    room,
    ana,
    ben,
    offer,
    files: room.files,
    saved,
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

/** Has a client take a file. @returns How that ended. */
async function take(client: SealedClient, offer: number): Promise<FileNews> {
  const { view, transfers } = client;
  const before = view.of("file").length;
  transfers?.get(offer);
  for (let at = before;; at++) {
    const news = await view.until("file", at);
    if (news.state === "taken" || news.state === "failed") return news;
  }
}

/** Has the server tell a client something. */
async function tell({ server, session }: SealedClient, ...events: Event[]) {
  const seat = server.seats.find(({ person }) => person === session.id);
  assert(seat);
  await server.inTurn(() => seat.tell(...events));
}

/** Where a piece begins, of which file. */
function placeOf({ offer, from }: Event<"fetch">): string {
  return `${offer} ${from}`;
}

/** Keeps what is passed on. */
function record({ files }: SealedFiles): Map<string, string> {
  const pieces = new Map<string, string>();
  files.alter = (piece, fetch) => {
    pieces.set(placeOf(fetch), piece.data);
    return [piece];
  };
  return pieces;
}

function flipped(data: string, at: number): string {
  const bytes = fromBase64url(data);
  const byte = bytes.at(at);
  assert(byte !== undefined);
  bytes[at < 0 ? bytes.length + at : at] = byte ^ 1;
  return toBase64url(bytes);
}

for (
  const [what, at] of [
    ["epoch", 7],
    ["salt", 20],
    ["bytes", 100],
    ["tag", -1],
  ] as const
) {
  Deno.test(`a piece whose ${what} the server alters is not saved, and the file can be had later`, async () => {
    await using it = await room();
    const { ben, offer, files, saved } = it;
    files.alter = (piece, { from }) => [
      from === 2 * PIECE_SIZE
        ? { ...piece, data: flipped(piece.data, at) }
        : piece,
    ];
    const { state, reason, got, again } = await take(ben, offer);
    assertEquals({ state, reason, got, again }, {
      state: "failed",
      reason: NOT_AS_SENT,
      got: 2 * PIECE_SIZE,
      again: undefined,
    });
    assertEquals(await saved(), []);
    files.alter = (piece) => [piece];
    const { path } = await take(ben, offer);
    assertEquals(await Deno.readFile(path), BYTES);
  });
}

Deno.test("pieces that the server exchanges, repeats at another place, or takes from another offer are not saved", async () => {
  await using it = await room();
  const { room: { setup }, ana, ben, offer, files, saved } = it;
  const other = await it.room.offer(ana, "hut2.jpg", bytesOf(1));
  const same = await it.room.offer(ana, "copy.jpg", BYTES);
  const pieces = record(it.room);
  const cem = await setup.bring(ana, "cem");
  for (const seq of [offer, other, same]) {
    assertEquals((await take(cem, seq)).state, "taken");
  }
  const instead = [
    ["the next piece", offer, PIECE_SIZE],
    ["another file's", other, 0],
    ["another offer's of the same file", same, 0],
  ] as const;
  for (const [what, seq, from] of instead) {
    const data = pieces.get(`${seq} ${from}`) ?? "";
    files.alter = (piece, fetch) => [
      fetch.from === 0 ? { ...piece, data } : piece,
    ];
    const { state, reason } = await take(ben, offer);
    assertEquals([state, reason], ["failed", NOT_AS_SENT], what);
  }
  const first = pieces.get(`${offer} 0`) ?? "";
  files.alter = (piece) => [{ ...piece, data: first }];
  const { reason, got } = await take(ben, offer);
  assertEquals([reason, got], [NOT_AS_SENT, PIECE_SIZE]);
  assertEquals(await saved(), []);
});

Deno.test("a piece that the server asks for in place of another, or cuts short, is not saved", async () => {
  await using it = await room();
  const { ben, offer, files, saved } = it;
  files.redirect = (fetch) => ({ ...fetch, from: fetch.from + PIECE_SIZE });
  assertEquals((await take(ben, offer)).reason, NOT_AS_SENT);
  files.redirect = (fetch) => ({ ...fetch, size: fetch.size - 1 });
  const short = await take(ben, offer);
  assertEquals(short.reason, "a piece of it has the wrong size");
  files.redirect = (fetch) => fetch;
  for (
    const cut of [(data: string) => data.slice(0, -4), () => "", () => "A"]
  ) {
    files.alter = (piece) => [{ ...piece, data: cut(piece.data) }];
    assertEquals((await take(ben, offer)).reason, NOT_AS_SENT);
  }
  assertEquals(await saved(), []);
});

Deno.test("a piece that comes twice, or that nobody asked for, changes nothing", async () => {
  await using it = await room();
  const { ben, offer, files } = it;
  files.alter = (piece) => [
    { ...piece, id: piece.id + 1_000 },
    piece,
    piece,
    { kind: "missing", id: piece.id, reason: "dropped" },
  ];
  const { state, path } = await take(ben, offer);
  assertEquals(state, "taken");
  assertEquals(await Deno.readFile(path), BYTES);
});

Deno.test("another member, whom the server asks in place of a file's sender, can't give any of it", async () => {
  await using it = await room();
  const { room: { setup }, ana, ben, offer, files, saved } = it;
  const cem = await setup.bring(ana, "cem");
  const own = await it.room.offer(cem, "hut3.jpg", BYTES);
  await ben.view.until("offered", 1);
  files.redirect = (fetch) => ({ ...fetch, offer: own });
  const { state, reason } = await take(ben, offer);
  assertEquals([state, reason], ["failed", NOT_AS_SENT]);
  assertEquals(await saved(), []);
});

Deno.test("a piece from before the key was changed does not count afterwards", async () => {
  await using it = await room();
  const { room: { setup }, ana, ben, offer, files } = it;
  const pieces = record(it.room);
  const cem = await setup.bring(ana, "cem");
  assertEquals((await take(cem, offer)).state, "taken");
  await ana.operate("kick", "cem");
  await ben.untilTold("ana removed cem");
  files.alter = (piece, fetch) => [
    { ...piece, data: pieces.get(placeOf(fetch)) ?? "" },
  ];
  const { state, reason } = await take(ben, offer);
  assertEquals([state, reason], ["failed", NOT_AS_SENT]);
  files.alter = (piece) => [piece];
  assertEquals((await take(ben, offer)).state, "taken");
});

Deno.test("who was removed gets no piece, and what is passed on later is under a key that it has not", async () => {
  await using it = await room();
  const { room: { setup }, ana, ben, offer, files } = it;
  const cem = await setup.bring(ana, "cem");
  const { promise: isWithheld, resolve } = Promise.withResolvers<void>();
  files.alter = () => {
    resolve();
    return [];
  };
  cem.transfers?.get(offer);
  await isWithheld;
  const pieces = record(it.room);
  await ana.operate("kick", "cem");
  await cem.running.catch(() => {});
  assertEquals((await take(ben, offer)).state, "taken");
  assert(pieces.size > 5);
  for (const data of pieces.values()) {
    const e = new DataView(fromBase64url(data).buffer).getBigUint64(0);
    assertEquals(e, 1n); // under which a removed member can't open it: removal_test.ts
  }
  assertEquals(cem.view.of("file").at(-1)?.got, 0);
});

Deno.test("while the server keeps the room's key back a file waits and says so, and is taken once it comes, as is one that is offered meanwhile", async () => {
  await using it = await room();
  const { room: { setup }, ana, ben, offer } = it;
  const { server } = setup;
  await setup.bring(ana, "cem");
  server.withholds = true;
  await ana.operate("kick", "cem");
  await ben.untilTold("ana removed cem");
  const other = await it.room.offer(ana, "hut2.jpg", bytesOf(1));
  await ben.view.until("sealed");
  const taking = take(ben, offer);
  for (let at = 0;; at++) {
    const { state, reason } = await ben.view.until("file", at);
    if (state !== "waiting") continue;
    assertEquals(reason, "the room's key has not come yet");
    break;
  }
  server.withholds = false;
  const wrapped = server.wraps.get(ben.session.id);
  assert(wrapped);
  await tell(ben, wrapped);
  assertEquals((await taking).state, "taken");
  await ben.view.until("offered", 1);
  const { path } = await take(ben, other);
  assertEquals(await Deno.readFile(path), bytesOf(1));
});

Deno.test("a server that asks for what is no piece gets nothing, and its client goes on", async () => {
  await using it = await room();
  const { ana, ben, offer, files } = it;
  const wrong = [
    [0, 2 ** 40],
    [0, PIECE_SIZE + 1],
    [SIZE - 1, 2],
    [Number.MAX_SAFE_INTEGER, 1],
  ];
  const asked = wrong.map(([from = 0, size = 0], id): Event<"fetch"> => ({
    kind: "fetch",
    id: 1_000 + id,
    offer,
    from,
    size,
  }));
  await tell(ana, ...asked);
  assertEquals((await take(ben, offer)).state, "taken");
  const answers = files.heard.filter((it) =>
    (it.kind === "missing" || it.kind === "piece") && it.id >= 1_000
  );
  assertEquals(answers.map(({ kind }) => kind), wrong.map(() => "missing"));
});

Deno.test("who has a file is told under the name that a member signed, and of nobody who is none", async () => {
  await using it = await room();
  const { room: { setup }, ana, ben, offer } = it;
  const person = madeUpPerson("cem");
  const stranger = { kind: "took", offer, name: "cem", person } as const;
  const { person: own } = await ana.view.until("offered");
  const member = setup.server.membership.member(ben.session.id);
  assert(member);
  await tell(ana, stranger, {
    kind: "took",
    offer,
    name: "the boss",
    person: member.short,
  });
  assertEquals((await ana.view.until("taken")).name, "ben");
  const { reason, name } = await ana.view.until("warning");
  assertEquals([reason, name], ["presence-wrong", "cem"]);
  assert(own !== member.short);
});

Deno.test("a server is told no name, no checksum and no byte of a file", async () => {
  await using it = await room();
  const { room: { setup }, ben, offer } = it;
  const { path } = await take(ben, offer);
  assertEquals(await Deno.readFile(path), BYTES);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", BYTES));
  const told = setup.server.heard.map(encodeEvent).join("\n");
  assert(told.length > SIZE);
  const parts = [1, 2, 3].map((at) =>
    toBase64url(BYTES.subarray(at * 3_000, at * 3_000 + 24))
  );
  for (
    const text of [
      "hut.jpg",
      btoa("hut.jpg (").slice(0, 10),
      digest.toHex(),
      ...parts,
    ]
  ) {
    assert(!told.includes(text), text);
  }
});
