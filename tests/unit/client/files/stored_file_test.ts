/**
 * Files on disk: what is offered, and what is taken.
 *
 * @module
 */

import { sha256Hex } from "../../../../crypto_utils.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import type { Offer } from "../../../../src/protocol/offer.ts";
import {
  findSaved,
  PartialFile,
  SourceFile,
} from "../../../../src/client/files/stored_file.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { runToEnd } from "../../../kit/command.ts";
import { Folder, modeOf, namesIn } from "../../../kit/folder.ts";
import { withMethod } from "../../../kit/log_kit.ts";

// NIST, FIPS 180-4 examples: "abc".
const ABC = new TextEncoder().encode("abc");
const ABC_DIGEST =
  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

function offerOf(more: Partial<Offer> = {}): Offer {
  return { name: "abc.txt", size: 3, digest: ABC_DIGEST, ...more };
}

async function take(folder: string, offer = offerOf()): Promise<string> {
  using file = await PartialFile.open(folder, offer);
  await file.append(ABC.subarray(file.size));
  return await file.finish();
}

Deno.test("sha256Hex() gives the known digests, however the message is cut", async () => {
  const of = (...chunks: string[]) =>
    sha256Hex((async function* () {
      for (const chunk of chunks) yield new TextEncoder().encode(chunk);
    })());
  assertEquals(
    await of(),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
  assertEquals(await of("abc"), ABC_DIGEST);
  assertEquals(await of("a", "", "bc"), ABC_DIGEST);
  const long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const expected =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
  assertEquals(await of(long), expected);
  assertEquals(await of(...long), expected);
});

Deno.test("SourceFile.open() describes a file, and read() gives any part of it", async () => {
  await using folder = await Folder.make();
  const source = await SourceFile.open(await folder.write("abc.txt", "abc"));
  assertEquals(source.offer, offerOf());
  assertEquals(await source.read(0, 3), ABC);
  assertEquals(await source.read(1, 1), ABC.subarray(1, 2));
  assertEquals(await source.read(2, 2), null); // there aren't so many
});

Deno.test("SourceFile.read() gives nothing of a file that isn't what was offered any more", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("abc.txt", "abc");
  const source = await SourceFile.open(path);
  await Deno.writeTextFile(path, "abcd");
  await Deno.utime(path, 1, (source.changedAt ?? 0) / 1_000);
  assertEquals(await source.read(0, 3), null);
  await Deno.writeTextFile(path, "xyz");
  await Deno.utime(path, 1, 1);
  assertEquals(await source.read(0, 3), null);
  await Deno.remove(path);
  assertEquals(await source.read(0, 3), null);
});

Deno.test("SourceFile.open() refuses what is no file, isn't there or is too large, with the reason", async () => {
  await using folder = await Folder.make();
  const { path } = folder;
  await assertRejects(
    () => SourceFile.open(path),
    FileError,
    `Cannot send "${path}": it is a folder`,
  );
  await assertRejects(
    () => SourceFile.open(`${path}/none`),
    FileError,
    `Cannot send "${path}/none": there is no such file or folder`,
  );
  const abc = await folder.write("abc.txt", "abc");
  assertEquals((await SourceFile.open(abc, 3)).offer.size, 3);
  const { message } = await assertRejects(
    () => SourceFile.open(abc, 2),
    FileError,
  );
  assertEquals(
    message,
    `Cannot send "${abc}" of 3 bytes: this server allows at most 2 bytes`,
  );
  if (Deno.build.os === "windows") return;
  const socket = folder.file("socket");
  using _listener = Deno.listen({ transport: "unix", path: socket });
  await assertRejects(
    () => SourceFile.open(socket),
    FileError,
    `Cannot send "${socket}": it is a socket, not an ordinary file`,
  );
});

Deno.test(
  "PartialFile.open(), SourceFile.read() and findSaved() don't open a named pipe, which would wait",
  {
    ignore: Deno.build.os === "windows", // it has none
  },
  async () => {
    await using folder = await Folder.make();
    const source = await SourceFile.open(await folder.write("abc.txt", "abc"));
    await Deno.remove(source.path);
    const offer = offerOf();
    const part = folder.file(`abc.txt.${offer.digest.slice(0, 8)}.part`);
    const pipes: unknown[] = [source.path, part];
    for (const path of [source.path, part]) await runToEnd(["mkfifo", path]);
    const opened: unknown[] = [];
    await withMethod(Deno, "open", (open) => (path, options) => {
      if (!pipes.includes(path)) return open(path, options);
      opened.push(path);
      return Promise.reject(new Error("it would wait"));
    }, async () => {
      assertEquals(await source.read(0, 3), null);
      assertEquals(
        await findSaved(folder.path, { ...offer, size: 0 }),
        undefined,
      );
      await assertRejects(
        () => PartialFile.open(folder.path, offer),
        FileError,
        `Cannot write "${part}": it is a pipe, not an ordinary file`,
      );
    });
    assertEquals(opened, []);
  },
);

Deno.test("PartialFile becomes the file when it is whole, readable by its owner alone", async () => {
  await using folder = await Folder.make();
  const saved = folder.file("new");
  const path = await take(saved);
  assertEquals(path, `${saved}/abc.txt`);
  assertEquals(await Deno.readTextFile(path), "abc");
  assertEquals(await modeOf(path), 0o600);
  assertEquals(await namesIn(saved), ["abc.txt"]);
});

Deno.test("PartialFile goes on where an earlier run stopped", async () => {
  await using folder = await Folder.make();
  {
    using first = await PartialFile.open(folder.path, offerOf());
    assertEquals(first.size, 0);
    await first.append(ABC.subarray(0, 2));
  }
  using second = await PartialFile.open(folder.path, offerOf());
  assertEquals(second.size, 2);
  await second.append(ABC.subarray(2));
  using whole = await PartialFile.open(folder.path, offerOf());
  assertEquals(whole.size, 3);
  assertEquals(await Deno.readTextFile(await second.finish()), "abc");
});

Deno.test("PartialFile begins anew where more is there than the file has", async () => {
  await using folder = await Folder.make();
  await folder.write("abc.txt.ba7816bf.part", "abcd");
  using file = await PartialFile.open(folder.path, offerOf());
  assertEquals(file.size, 0);
  await file.append(ABC);
  assertEquals(await Deno.readTextFile(await file.finish()), "abc");
});

Deno.test("PartialFile keeps nothing of a file whose checksum is wrong", async () => {
  await using folder = await Folder.make();
  const offer = offerOf({ digest: ABC_DIGEST.replace("a", "b") });
  await assertRejects(
    () => take(folder.path, offer),
    FileError,
    "its checksum is wrong",
  );
  assertEquals(await folder.names(), []);
});

Deno.test("PartialFile puts nothing in place of a file that is there", async () => {
  await using folder = await Folder.make();
  await folder.write("abc.txt", "mine");
  await Deno.mkdir(folder.file("abc (2).txt"));
  assertEquals(await take(folder.path), folder.file("abc (3).txt"));
  assertEquals(await Deno.readTextFile(folder.file("abc.txt")), "mine");
  await folder.write("README", "mine");
  const other = await take(folder.path, offerOf({ name: "README" }));
  assertEquals(other, folder.file("README (2)"));
});

Deno.test("PartialFile is kept where there are 1,000 files of its name", async () => {
  await using folder = await Folder.make();
  await folder.write("abc.txt", "");
  const others = Array.from({ length: 998 }, (_, at) => `abc (${at + 2}).txt`);
  await Promise.all(others.map((name) => folder.write(name, "")));
  const last = folder.file("abc (1000).txt");
  assertEquals(await take(folder.path), last);
  assertEquals(await findSaved(folder.path, offerOf()), last);
  await assertRejects(
    () => take(folder.path),
    FileError,
    "1000 files have that name",
  );
  const names = await folder.names();
  assertEquals(names.includes("abc.txt.ba7816bf.part"), true);
});

Deno.test("findSaved() looks past what can't be read, is another file or is none", async () => {
  await using folder = await Folder.make();
  const { path } = folder;
  assertEquals(await findSaved(path, offerOf()), undefined);
  await folder.write("abc (4).txt", "abc");
  assertEquals(await findSaved(path, offerOf()), undefined); // the first would be there
  await folder.write("abc.txt", "abd");
  await Deno.mkdir(folder.file("abc (2).txt"));
  const loop = folder.file("abc (3).txt");
  if (Deno.build.os === "windows") await Deno.mkdir(loop);
  else await Deno.symlink(loop, loop);
  assertEquals(await findSaved(path, offerOf()), folder.file("abc (4).txt"));
});

Deno.test("PartialFile says what it can't do once it is closed, or gone", async () => {
  await using folder = await Folder.make();
  const part = folder.file("abc.txt.ba7816bf.part");
  const file = await PartialFile.open(folder.path, offerOf());
  await file.append(ABC.subarray(0, 1));
  file[Symbol.dispose]();
  await assertRejects(
    () => file.append(ABC.subarray(1)),
    FileError,
    `Cannot write "${part}": `,
  );
  assertEquals([file.size, await Deno.readTextFile(part)], [1, "a"]);
  await Deno.remove(part);
  await assertRejects(
    () => file.finish(),
    FileError,
    `Cannot write "${part}": there is no such file or folder`,
  );
});

Deno.test("PartialFile that can't have its name says why, tries no other, and stays as it is", async () => {
  await using folder = await Folder.make();
  const part = folder.file("abc.txt.ba7816bf.part");
  const tried: unknown[] = [];
  await withMethod(Deno, "open", (open) => (path, options) => {
    if (!options?.createNew) return open(path, options);
    tried.push(path);
    return Promise.reject(new Error("the disk is full"));
  }, async () => {
    await assertRejects(
      () => take(folder.path),
      FileError,
      `Cannot write "${part}": the disk is full`,
    );
  });
  assertEquals(tried, [folder.file("abc.txt")]);
  assertEquals(await Deno.readTextFile(part), "abc");
});

Deno.test("PartialFile stays in its folder, whatever a file calls itself", async () => {
  await using folder = await Folder.make();
  const inner = folder.file("inner");
  for (const name of ["../up.txt", "/etc/x", "..", "a/../../b", "c:\\d"]) {
    await take(inner, offerOf({ name }));
  }
  assertEquals(await folder.names(), ["inner"]);
  const files = await Array.fromAsync(Deno.readDir(inner));
  assertEquals(files.length, 5);
  assertEquals(files.every(({ isFile }) => isFile), true);
});

Deno.test("PartialFile.open() says why a file can't be written", async () => {
  await using folder = await Folder.make();
  await Deno.mkdir(folder.file("abc.txt.ba7816bf.part"));
  await assertRejects(
    () => PartialFile.open(folder.path, offerOf()),
    FileError,
    "it is a folder",
  );
});
