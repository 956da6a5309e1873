/**
 * Files between the sessions of a sealed room: what is passed on, whatever becomes of keys and connections meanwhile.
 *
 * @module
 */

import { fromBase64url } from "../../../../crypto_utils.ts";
import { sealedFileRoom } from "../../../../src/client/sealed/sealed_files.ts";
import { ControlRecord } from "../../../../src/sealed/control_record.ts";
import { RoomKeys } from "../../../../src/sealed/room_keys.ts";
import { SealedRoom } from "../../../kit/sealed_room.ts";
import { madeUpPerson, madeUpStay } from "../../../kit/people.ts";
import type { FileNews } from "../../../../src/client/view.ts";
import { PIECE_OVERHEAD, PIECE_SIZE } from "../../../../src/protocol/offer.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { SealedFiles, SIZE } from "../../../kit/sealed_files.ts";
import type { SealedClient } from "../../../kit/sealed_setup.ts";

const BYTES = Uint8Array.from({ length: SIZE }, (_, at) => (at * 31) & 0xff);

/** Waits until a file has come so far. */
async function reaches(
  { view }: SealedClient,
  state: FileNews["state"],
): Promise<FileNews> {
  for (let at = 0;; at++) {
    const news = await view.until("file", at);
    if (news.state === state) return news;
    assert(news.state !== "failed", news.reason);
  }
}

async function assertSaved(client: SealedClient): Promise<void> {
  const { path } = await reaches(client, "taken");
  assertEquals(await Deno.readFile(path), BYTES);
}

Deno.test("a file in a sealed room comes in sealed pieces, and its sender is told who has it", async () => {
  await using room = await SealedFiles.make();
  const ana = await room.setup.found("ana");
  const ben = await room.setup.bring(ana, "ben");
  const sizes: number[] = [];
  room.files.alter = (piece) => {
    sizes.push(fromBase64url(piece.data).length - PIECE_OVERHEAD);
    return [piece];
  };
  const offer = await room.offer(ana, "hut.jpg", BYTES);
  await ben.view.until("offered");
  ben.transfers?.get(offer);
  await assertSaved(ben);
  assertEquals(sizes, [...Array(5).fill(PIECE_SIZE), 7]);
  assertEquals(ben.view.of("file").map(({ got }) => got / PIECE_SIZE | 0), [
    ...[0, 1, 2, 3, 4, 5, 5],
    5,
  ]);
  const { name, file } = await ana.view.until("taken");
  assertEquals([name, file], ["ben", "hut.jpg"]);
});

Deno.test("a file goes on over a change of the key, and one that was offered before can be had after it", async () => {
  await using room = await SealedFiles.make();
  const { setup, files } = room;
  const ana = await setup.found("ana");
  const ben = await setup.bring(ana, "ben");
  const cem = await setup.bring(ana, "cem");
  const dan = await setup.bring(ana, "dan");
  const offer = await room.offer(dan, "hut.jpg", BYTES);
  await ben.view.until("offered");
  const epochs: number[] = [];
  let kicked: Promise<unknown> | undefined;
  files.alter = (piece, { from }) => {
    epochs.push(fromBase64url(piece.data).at(7) ?? -1);
    if (from === PIECE_SIZE) kicked = ana.operate("kick", "cem");
    return [piece];
  };
  ben.transfers?.get(offer);
  await assertSaved(ben);
  await kicked;
  assertEquals(epochs.toSorted(), epochs);
  await cem.running.catch(() => {});
  ana.transfers?.get(offer);
  await assertSaved(ana);
  assertEquals(epochs.at(-1), 1);
});

Deno.test("a file of a person with two machines is had from the one that offers it, also by the other", async () => {
  await using room = await SealedFiles.make();
  const { setup } = room;
  const ana = await setup.found("ana");
  const ben = await setup.bring(ana, "ben");
  const invite = await ana.invite();
  const beside = await setup.client("ana", { invite }, ana.identity);
  await beside.in();
  const offer = await room.offer(beside, "hut.jpg", BYTES);
  for (const client of [ben, ana]) {
    await client.view.until("offered");
    client.transfers?.get(offer);
    await assertSaved(client);
  }
  const names = [0, 1].map((at) => beside.view.until("taken", at));
  assertEquals((await Promise.all(names)).map(({ name }) => name), [
    "ben",
    "ana",
  ]);
});

Deno.test("a file goes on where it was after the connection of its sender, and then of its taker, was cut", async () => {
  await using room = await SealedFiles.make();
  const { setup, files } = room;
  const ana = await setup.found("ana");
  const ben = await setup.bring(ana, "ben");
  const offer = await room.offer(ana, "hut.jpg", BYTES);
  await ben.view.until("offered");
  const seatOf = ({ session }: SealedClient) =>
    setup.server.seats.find(({ person }) => person === session.id);
  const cuts = new Map([[PIECE_SIZE, ana], [3 * PIECE_SIZE, ben]]);
  const returns: Promise<void>[] = [];
  files.alter = (piece, { from }) => {
    const cut = cuts.get(from);
    if (!cut) return [piece];
    cuts.delete(from);
    seatOf(cut)?.end();
    returns.push(cut.comesBack());
    return [];
  };
  ben.transfers?.get(offer);
  await assertSaved(ben);
  await Promise.all(returns);
  assertEquals(cuts.size, 0);
  assertEquals(
    ben.view.of("file").filter((it) => it.state === "begun").length,
    1,
  );
});

// ── One piece ──────────────────────────────────────────────────────────────────────────────────────────

Deno.test("sealedFileRoom() opens a piece of that place of that member's file, by a key that counted since it was asked for", async () => {
  const room = await SealedRoom.found();
  const { founder } = room;
  for (const _ of [1, 2]) await room.change(founder);
  const piece = new Uint8Array([1, 2, 3]);
  const record = new ControlRecord();
  let keys = new RoomKeys();
  let epoch = 0;
  /** Has only the key of an epoch, and those to which it leads back. */
  const has = (e: number) => {
    keys = new RoomKeys();
    keys.adopt({ e, key: room.keys[e] ?? piece }, record.membership);
  };
  /** Takes the control lines behind one, up to another. */
  const follow = async (from: number, upTo: number) => {
    for (const entry of room.entries.slice(from, upTo)) {
      assert(await record.follow(entry));
    }
  };
  const files = sealedFileRoom(
    {
      record,
      get keys() {
        return keys;
      },
      get membership() {
        return record.membership;
      },
    },
    () => {
      const key = room.keys[epoch];
      return Promise.resolve(key && { room: room.room, e: epoch, key });
    },
    () => {},
  );
  const line = { seq: 9, person: founder.short, stay: madeUpStay("ana"), n: 4 };
  const place = { line, from: 0 };
  assertEquals(await files.seal(piece, place), undefined); // of no room yet
  assertEquals(await files.open("", place, 0), "wrong");
  await follow(0, 2);
  assertEquals(files.epoch, 1);
  const sealed: string[] = [];
  for (epoch of [0, 1, 2]) sealed.push(await files.seal(piece, place) ?? "");
  epoch = 3;
  assertEquals(await files.seal(piece, place), undefined); // the key doesn't come
  const [zero = "", one = "", two = ""] = sealed;
  assertEquals(await files.open(one, place, 0), "locked");
  has(1);
  assertEquals(await files.open(one, place, 0), piece);
  assertEquals(await files.open(one, place, 1), piece);
  assertEquals(await files.open(zero, place, 0), piece); // by the one that leads back
  assertEquals(await files.open(zero, place, 1), "wrong"); // whose time was over
  assertEquals(await files.open(two, place, 0), "wrong"); // that hasn't begun
  await follow(2, 3);
  has(2);
  assertEquals([await files.open(two, place, 2), files.epoch], [piece, 2]);
  const others = [
    { line, from: 3 },
    { line: { ...line, n: 5 }, from: 0 },
    { line: { ...line, stay: madeUpStay("ben") }, from: 0 },
    { line: { ...line, person: madeUpPerson("ben") }, from: 0 },
    { line: { ...line, seq: 1 }, from: 0 }, // before there was any member
  ];
  for (const other of others) {
    assertEquals(await files.open(two, other, 2), "wrong");
    const isMembers = other.line.person === line.person && other.line.seq > 1;
    assertEquals(await files.seal(piece, other) !== undefined, false);
    epoch = 2;
    assertEquals(await files.seal(piece, other) !== undefined, isMembers);
    epoch = 3;
  }
  for (const data of ["!", "AAAA", `${two.slice(0, -2)}AA`]) {
    assertEquals(await files.open(data, place, 2), "wrong");
  }
});
