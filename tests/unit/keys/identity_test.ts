/**
 * Identities in files, and where they are.
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { FileError } from "../../../src/base/private_file.ts";
import {
  defaultConfigFolder,
  IdentityFile,
  namesIn,
  readIdentity,
} from "../../../src/keys/identity.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../kit/assert.ts";
import { inFolder, modeOf } from "../../kit/folder.ts";
import { withMethod } from "../../kit/log_kit.ts";

const named = (name: string) => (other: string) => other === name;

Deno.test("IdentityFile.open() makes an identity once and keeps it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/me`;
    const first = await IdentityFile.open(path);
    const second = await IdentityFile.open(path);
    assertEquals([first.created, second.created], [true, false]);
    assertEquals(second.identity.card, first.identity.card);
    const other = await IdentityFile.open(`${path}2`);
    assert(other.identity.id.toHex() !== first.identity.id.toHex());
  }));

Deno.test("IdentityFile.open() writes a file for its owner alone", () =>
  inFolder(async (folder) => {
    const path = `${folder}/me`;
    await IdentityFile.open(path);
    const { seed, ...rest } = JSON.parse(await Deno.readTextFile(path));
    assertMatch(seed, /^[\w-]{43}$/);
    assertEquals(rest, { version: 1 });
    if (Deno.build.os !== "windows") {
      assertEquals(await modeOf(path), 0o600);
    }
  }));

Deno.test("IdentityFile.open() names what is damaged, and shows no key", () =>
  inFolder(async (folder) => {
    const path = `${folder}/me`;
    const cases = [
      ["{", "it is damaged (not JSON)"],
      ['{"version":1}', "it is damaged (no seed)"],
      [
        '{"version":1,"seed":"c2VjcmV0"}',
        "it is damaged (seed is not 32 bytes of base64url)",
      ],
      ['{"version":9}', "it has version 9, and this program reads version 1"],
    ] as const;
    for (const [text, reason] of cases) {
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      const error = await assertRejects(
        () => IdentityFile.open(path),
        FileError,
      );
      assertEquals(error.message, `Cannot use "${path}": ${reason}`);
      assert(!Deno.inspect(error).includes("c2VjcmV0"));
    }
  }));

Deno.test("IdentityFile.find() gives the identity that last went by a name, whatever else is in the folder", () =>
  inFolder(async (parent) => {
    let time = 0;
    const clock = { now: () => ++time };
    await withMethod(Date, "now", () => clock.now, () => find(parent));
  }));

async function find(parent: string): Promise<void> {
  const folder = `${parent}/identities`; // not there yet
  assertEquals(await IdentityFile.find(folder, named("ana")), undefined);
  const ana = await IdentityFile.create(folder);
  const ben = await IdentityFile.create(folder);
  await Deno.writeTextFile(`${folder}/notes`, "no identity");
  assertEquals([ana.created, ana.name], [true, undefined]);
  // Whoever has gone by no name is found by none.
  assertEquals(await IdentityFile.find(folder, () => true), undefined);
  assertEquals(await IdentityFile.find(folder, named("ana")), undefined);
  await ana.setName("ana");
  await ben.setName("ben");
  const found = await IdentityFile.find(folder, named("ana"));
  assertEquals([found?.path, found?.name], [ana.path, "ana"]);
  await ana.setName("anna"); // takes it along
  assertEquals(await IdentityFile.find(folder, named("ana")), undefined);
  for (const last of [ben, ana]) {
    await last.setName("anna");
    const found = await IdentityFile.find(folder, named("anna"));
    assertEquals(found?.path, last.path);
  }
}

Deno.test("IdentityFile.find() takes a name without its time, and no name that is no text", () =>
  inFolder(async (folder) => {
    const { path, seed } = await IdentityFile.create(folder);
    const write = (name: unknown) => {
      const document = { version: 1, seed: toBase64url(seed), name };
      return Deno.writeTextFile(path, JSON.stringify(document));
    };
    await write("ana");
    const found = await IdentityFile.find(folder, named("ana"));
    assertEquals([found?.path, found?.name], [path, "ana"]);
    await write(5);
    assertEquals(await IdentityFile.find(folder, () => true), undefined);
    assertEquals((await IdentityFile.open(path)).name, undefined);
  }));

Deno.test("IdentityFile.create() has one file for a seed, and readIdentity() makes none", () =>
  inFolder(async (folder) => {
    const { path, seed, identity } = await IdentityFile.create(folder);
    const again = await IdentityFile.create(folder, seed);
    assertEquals([again.path, again.created], [path, false]);
    assertEquals((await readIdentity(path))?.card, identity.card);
    assertEquals(await readIdentity(`${path}2`), undefined);
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).length, 1);
  }));

Deno.test("namesIn() tells what persons are called, the latest first, and were called before", () =>
  inFolder(async (parent) => {
    let time = 0;
    const clock = { now: () => ++time };
    await withMethod(Date, "now", () => clock.now, () => tellNames(parent));
  }));

async function tellNames(parent: string): Promise<void> {
  const folder = `${parent}/identities`;
  assertEquals(await namesIn(folder), []); // it isn't there, and isn't made
  assertEquals(await namesIn(parent), []);
  const ana = await IdentityFile.create(folder);
  const ben = await IdentityFile.create(folder);
  assertEquals([await namesIn(folder), ana.names], [[], []]);
  for (const name of ["ana", "anna", "ana", "an"]) await ana.setName(name);
  const told = { name: "an", earlier: ["anna", "ana"] };
  assertEquals(ana.names, [told]);
  await ben.setName("ben");
  const names = await namesIn(folder);
  assertEquals(
    names.map(({ name, earlier }) => ({ name, earlier })),
    [{ name: "ben", earlier: [] }, told],
  );
  for (let n = 0; n < 30; n++) await ben.setName(`ben${n}`);
  const [{ earlier = [] } = {}] = await namesIn(folder);
  assertEquals([earlier.length, earlier[0]], [20, "ben9"]);
}

Deno.test({
  name: "defaultConfigFolder() follows the environment",
  ignore: Deno.build.os === "windows",
  fn: () => {
    const cases: [Record<string, string>, string | undefined][] = [
      [{ XDG_CONFIG_HOME: "/x", HOME: "/h" }, "/x/encrypted-chat"],
      [{ XDG_CONFIG_HOME: "", HOME: "/h" }, "/h/.config/encrypted-chat"],
      [{ XDG_CONFIG_HOME: "x", HOME: "/h" }, "/h/.config/encrypted-chat"],
      [{ HOME: "/h" }, "/h/.config/encrypted-chat"],
      [{ HOME: "" }, undefined],
      [{ APPDATA: "C:\\A" }, undefined],
      [{}, undefined],
    ];
    for (const [variables, folder] of cases) {
      assertEquals(defaultConfigFolder((name) => variables[name]), folder);
    }
  },
});
