import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { sha256Hex } from "../../../../crypto_utils.ts";
import { FileError } from "../../../../src/base/file_error.ts";
import type { Offer } from "../../../../src/protocol/offer.ts";
import { FileShelf } from "../../../../src/web/platform/file_shelf.ts";
import { PageFiles } from "../../../../src/web/platform/page_files.ts";
import { drawPicture } from "../../../../src/web/platform/pictures.ts";
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
  const file = await ChosenFile.open(new File([bytes], "hut.jpg"), Infinity);
  const { offer } = file;
  assertEquals(offer, { name: "hut.jpg", size: bytes.length, digest });
  assertEquals(await file.read(10, 5), bytes.slice(10, 15));
  const last = await file.read(bytes.length - 2, 2);
  assertEquals(last, bytes.slice(-2));
});

Deno.test("a chosen file that is shorter than it was, or can't be read any more, has no pieces", async () => {
  const file = await ChosenFile.open(new File([bytes], "hut.jpg"), Infinity);
  assertEquals(await file.read(bytes.length - 2, 3), null);
  const gone = new File([bytes], "hut.jpg");
  const other = await ChosenFile.open(gone, Infinity);
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

Deno.test("a page goes on with what has come of a file, and begins anew what another download is at", async () => {
  const files = new PageFiles(new FileShelf());
  const offer = { name: "../hut.jpg", size: bytes.length, digest };
  const half = bytes.length / 2;
  {
    using first = await files.target(offer);
    await first.append(bytes.subarray(0, half));
    using other = await files.target(offer);
    assertEquals(other.size, 0);
  }
  using again = await files.target(offer);
  assertEquals(again.size, half);
  assertEquals(await files.find(offer), undefined);
  await again.append(bytes.subarray(half));
  assertEquals(await again.finish(), "__hut.jpg");
  assertEquals(await files.find(offer), "__hut.jpg");
});

Deno.test("a page keeps nothing of a file that isn't what was offered", async () => {
  const shelf = new FileShelf();
  const files = new PageFiles(shelf);
  const offer = { name: "a", size: 3, digest };
  {
    using target = await files.target(offer);
    await target.append(new Uint8Array(3));
    await assertRejects(
      () => target.finish(),
      FileError,
      "its checksum is wrong",
    );
  }
  using again = await files.target(offer);
  assertEquals(again.size, 0);
  assertEquals(shelf.find(offer), undefined);
});

Deno.test("a file that can't be read, or is larger than the server takes, is not offered", async () => {
  const files = new PageFiles(new FileShelf());
  const file = new File([bytes], "hut.jpg");
  await assertRejects(
    () => files.source(file, 2_000_000),
    FileError,
    'Cannot send "hut.jpg" of 3.0 MB: this server allows at most 2.0 MB',
  );
  file.stream = () => {
    throw new DOMException("it was removed", "NotFoundError");
  };
  await assertRejects(
    () => files.source(file, Infinity),
    FileError,
    'Cannot read "hut.jpg": it was removed',
  );
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

Deno.test("a picture whose file can't be read any more is none, and others are made after it", async () => {
  const picture = { url: "blob:x", width: 1, height: 1 };
  const shelf = new FileShelf((file, isLarge) =>
    file.size === 2 ? Promise.resolve(picture) : drawPicture(file, isLarge)
  );
  const gone = new File(["changed since it was chosen"], "hut.jpg");
  gone.slice = () => {
    throw new DOMException("changed", "NotReadableError");
  };
  const [a, b] = [offerOf("a"), offerOf("b")];
  shelf.put(a, gone);
  shelf.put(b, new Blob(["bb"]));
  assertEquals(await shelf.largePicture(a), undefined);
  assertEquals(await shelf.picture(b), picture);
});

Deno.test("a large picture is made each time that it is asked for, in its turn", async () => {
  const drawn: boolean[] = [];
  let atOnce = 0;
  const shelf = new FileShelf(async (_file, isLarge) => {
    assertEquals(++atOnce, 1);
    await Promise.resolve();
    atOnce--;
    drawn.push(isLarge);
    return { url: "blob:x", width: 1, height: 1 };
  });
  const a = offerOf("a");
  assertEquals(await shelf.largePicture(a), undefined);
  shelf.put(a, new Blob(["aa"]));
  await Promise.all([
    shelf.picture(a),
    shelf.largePicture(a),
    shelf.largePicture(a),
  ]);
  assertEquals(drawn, [false, true, true]);
});
