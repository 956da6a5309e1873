import { assert, assertEquals } from "../../../kit/assert.ts";
import { sha256Hex } from "../../../../crypto_utils.ts";
import type { Offer } from "../../../../src/protocol/offer.ts";
import { FileShelf } from "../../../../src/web/platform/file_shelf.ts";
import { ChosenFile, GrowingFile } from "../../../../src/web/platform/files.ts";

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, at) => at * 7 % 256);

async function* parts(size: number) {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

const digest = await sha256Hex(parts(bytes.length));

const offerOf = (name: string): Offer => ({ name, size: 1, digest: name });

Deno.test("a chosen file is offered by its name, size and digest, and read piece by piece", async () => {
  const file = await ChosenFile.open(new File([bytes], "hut.jpg"));
  const { offer } = file;
  assertEquals(offer, { name: "hut.jpg", size: bytes.length, digest });
  assertEquals(await file.read(10, 5), bytes.slice(10, 15));
  const last = await file.read(bytes.length - 2, 2);
  assertEquals(last, bytes.slice(-2));
});

Deno.test("a chosen file that is shorter than it was, or can't be read any more, has no pieces", async () => {
  const file = await ChosenFile.open(new File([bytes], "hut.jpg"));
  assertEquals(await file.read(bytes.length - 2, 3), null);
  const gone = new File([bytes], "hut.jpg");
  const other = await ChosenFile.open(gone);
  gone.slice = () => {
    throw new DOMException("changed", "NotReadableError");
  };
  assertEquals(await other.read(0, 1), null);
});

Deno.test("a file that grows is whole once it has the digest that was offered", async () => {
  const file = new GrowingFile();
  const buffer = new Uint8Array(16_384); // that is used again for each piece
  for await (const part of parts(buffer.length)) {
    const piece = buffer.subarray(0, part.length);
    piece.set(part);
    file.append(piece);
  }
  assertEquals(file.size, bytes.length);
  assertEquals(file.finish(digest.replace(/^./, "x")), undefined);
  const whole = file.finish(digest);
  assert(whole);
  assertEquals(new Uint8Array(await whole.arrayBuffer()), bytes);
});

Deno.test("what has come of a file is there when it is taken again, and no longer once it is whole or forgotten", () => {
  const shelf = new FileShelf();
  const offer = offerOf("a");
  shelf.growing(offer).append(new Uint8Array(5));
  assertEquals(shelf.growing(offer).size, 5);
  shelf.forget(offer);
  assertEquals(shelf.growing(offer).size, 0);
  shelf.growing(offer).append(new Uint8Array(5));
  shelf.put(offer, new Blob(["whole"]));
  assertEquals(shelf.find(offer)?.size, 5);
  assertEquals(shelf.growing(offer).size, 0);
});

Deno.test("of whole files the newest stay, up to a size, and the last one at any size", () => {
  const shelf = new FileShelf();
  const large = { size: 200_000_000 } as Blob;
  const [a, b, c] = [offerOf("a"), offerOf("b"), offerOf("c")];
  shelf.put(a, large);
  shelf.put(b, new Blob(["small"]));
  assert(shelf.find(a) && shelf.find(b));
  shelf.put(c, large);
  assert(!shelf.find(a) && shelf.find(b) && shelf.find(c));
  shelf.put(a, { size: 900_000_000 } as Blob);
  assert(shelf.find(a) && !shelf.find(b) && !shelf.find(c));
});

Deno.test("a small picture is made once, of a file that is here, and no two at a time", async () => {
  let drawn = 0;
  let atOnce = 0;
  const shelf = new FileShelf(async (file) => {
    assertEquals(++atOnce, 1);
    await Promise.resolve();
    atOnce--;
    drawn++;
    return file.size === 1 ? undefined : { url: "blob:x", width: 1, height: 1 };
  });
  const [a, b] = [offerOf("a"), offerOf("b")];
  assertEquals(await shelf.picture(a), undefined);
  shelf.put(a, new Blob(["aa"]));
  shelf.put(b, new Blob(["b"]));
  const pictures = [a, b, a].map((it) => shelf.picture(it));
  const urls = (await Promise.all(pictures)).map((it) => it?.url);
  assertEquals(urls, ["blob:x", undefined, "blob:x"]);
  assertEquals(drawn, 2);
});
