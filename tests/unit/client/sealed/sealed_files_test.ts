/**
 * Files between the sessions of a sealed room: what is passed on, whatever becomes of keys and connections meanwhile.
 *
 * @module
 */

import { fromBase64url } from "../../../../crypto_utils.ts";
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
  files.alter = (piece, { from }) => {
    const cut = cuts.get(from);
    if (!cut) return [piece];
    cuts.delete(from);
    seatOf(cut)?.end();
    return [];
  };
  ben.transfers?.get(offer);
  await assertSaved(ben);
  assertEquals(cuts.size, 0);
  assertEquals(
    ben.view.of("file").filter((it) => it.state === "begun").length,
    1,
  );
});
