/**
 * Identities as text: what opens one, and what can't be one.
 *
 * @module
 */

import {
  fromBase64url,
  passphraseKey,
  PROTOCOL_NAME,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import {
  exportIdentity,
  importIdentity,
  isExportedIdentity,
} from "../../../src/keys/exported_identity.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";

const START = "encrypted-chat-identity:";

Deno.test("importIdentity() gives back what exportIdentity() sealed, by its passphrase alone, each time with another salt", async () => {
  const seed = randomBytes(32);
  const passphrase = "\u{1f600}".repeat(8); // characters, not UTF-16 units
  const [text, again] = await Promise.all([
    exportIdentity(seed, passphrase),
    exportIdentity(seed, passphrase),
  ]);
  const saltOf = (it: string) => it.slice(START.length, START.length + 21);
  assert(saltOf(text) !== saltOf(again));
  assertMatch(text, new RegExp(`^${START}[\\w-]{86}$`));
  assert(isExportedIdentity(` ${text}\n`));
  assertEquals(await importIdentity(` ${text}\n`, passphrase), seed);
  await assertRejects(
    () => importIdentity(text, "another one"),
    RangeError,
    "Cannot open the identity: the passphrase is wrong, or the text was altered",
  );
});

Deno.test("exportIdentity() is the salt, and the seed sealed for export by AES-256-GCM under the passphrase's key", async () => {
  const seed = randomBytes(32);
  const passphrase = "correct horse";
  const text = await exportIdentity(seed, passphrase);
  const bytes = fromBase64url(text.slice(START.length));
  const raw = await passphraseKey(passphrase, bytes.slice(0, 16));
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, [
    "decrypt",
  ]);
  const parameters = {
    name: "AES-GCM",
    iv: new Uint8Array(12),
    additionalData: utf8(`${PROTOCOL_NAME}\0export\0`),
  };
  const opened = await crypto.subtle.decrypt(parameters, key, bytes.slice(16));
  assertEquals(new Uint8Array(opened), seed);
});

Deno.test("exportIdentity() refuses a passphrase of fewer than 8 characters", async () => {
  for (const passphrase of ["", "x".repeat(7), "\u{1f600}".repeat(7)]) {
    await assertRejects(
      () => exportIdentity(randomBytes(32), passphrase),
      RangeError,
      "Cannot use the passphrase: it has fewer than 8 characters",
    );
  }
});

Deno.test("importIdentity() refuses what is no exported identity, and repeats nothing of it", async () => {
  const right = START + toBase64url(randomBytes(64));
  assert(isExportedIdentity(right));
  const wrong = [
    "",
    START,
    right.slice(1),
    `x${right.slice(1)}`,
    right.slice(START.length),
    START + toBase64url(randomBytes(63)),
    START + toBase64url(randomBytes(65)),
    right.replace(/.$/, "+"),
  ];
  for (const text of wrong) {
    assert(!isExportedIdentity(text), text);
    const error = await assertRejects(
      () => importIdentity(text, "long enough"),
      RangeError,
      "Cannot read the identity: it is the text that was exported on the other machine, whole",
    );
    assertEquals(error.cause, undefined);
  }
});
