/**
 * The client's key, and where its files are.
 *
 * @module
 */

import { FileError } from "../../../src/base/private_file.ts";
import {
  defaultConfigFolder,
  loadOrCreateIdentity,
} from "../../../src/keys/identity.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../kit/assert.ts";

async function withFile(test: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/identity`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("loadOrCreateIdentity() makes a key once and keeps it", () =>
  withFile(async (path) => {
    const first = await loadOrCreateIdentity(path);
    const second = await loadOrCreateIdentity(path);
    assertEquals([first.created, second.created], [true, false]);
    assertEquals(first.keyPair.publicKey.length, 32);
    assertEquals(second.keyPair.publicKey, first.keyPair.publicKey);
    const other = await loadOrCreateIdentity(`${path}2`);
    assert(
      other.keyPair.publicKey.toHex() !== first.keyPair.publicKey.toHex(),
    );
  }));

Deno.test("loadOrCreateIdentity() writes a file for its owner alone", () =>
  withFile(async (path) => {
    await loadOrCreateIdentity(path);
    const { privateKey, ...rest } = JSON.parse(await Deno.readTextFile(path));
    assertMatch(privateKey, /^[\w-]{43}$/);
    assertEquals(rest, { version: 1 });
    if (Deno.build.os !== "windows") {
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
  }));

Deno.test("loadOrCreateIdentity() names what is damaged, and shows no key", () =>
  withFile(async (path) => {
    const cases = [
      ["{", "it is damaged (not JSON)"],
      ['{"version":1}', "it is damaged (no privateKey)"],
      [
        '{"version":1,"privateKey":"c2VjcmV0"}',
        "it is damaged (privateKey is not 32 bytes of base64url)",
      ],
      ['{"version":9}', "it has version 9, and this program reads version 1"],
    ] as const;
    for (const [text, reason] of cases) {
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      const error = await assertRejects(
        () => loadOrCreateIdentity(path),
        FileError,
      );
      assertEquals(error.message, `Cannot use "${path}": ${reason}`);
      assert(!Deno.inspect(error).includes("c2VjcmV0"));
    }
  }));

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
