/**
 * The keys that servers of one room have in common: by which rules they are made, and what they differ by.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  fromBase64url,
  randomBytes,
} from "../../../../crypto_utils.ts";
import {
  importVerifyKey,
  sign,
  verify,
} from "../../../../src/crypto/ed25519.ts";
import { KeyFile } from "../../../../src/keys/key_file.ts";
import {
  ClusterKeys,
  freshServerId,
  isServerId,
} from "../../../../src/server/cluster/keys.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { clusterKeys } from "../../../kit/cluster_keys.ts";
import { inFolder } from "../../../kit/folder.ts";

const encoder = new TextEncoder();

/** L of the protocol, written down once more. */
function labelled(label: string, ...fields: Uint8Array[]): Bytes {
  const text = `encrypted-chat/2\0${label}\0`;
  return concat(encoder.encode(text), ...fields);
}

/** HKDF by the runtime, where the program takes a library's. */
async function derived(key: Bytes, info: Bytes): Promise<string> {
  const imported = await crypto.subtle.importKey("raw", key, "HKDF", false, [
    "deriveBits",
  ]);
  const salt = new Uint8Array(0);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt, info };
  const bits = await crypto.subtle.deriveBits(algorithm, imported, 256);
  return new Uint8Array(bits).toHex();
}

Deno.test("A room's name is the first half of a digest of its server's public key", async () => {
  const [secret, serverKey] = [randomBytes(32), randomBytes(32)];
  const keys = await ClusterKeys.create(secret, serverKey);
  const digest = await crypto.subtle.digest(
    "SHA-256",
    labelled("servers", serverKey),
  );
  assertEquals(keys.room, new Uint8Array(digest, 0, 16).toHex());
  assertEquals(keys.room, keys.roomBytes.toHex());
  const other = await ClusterKeys.create(randomBytes(32), serverKey);
  assertEquals(other.room, keys.room);
});

Deno.test("Each envelope has a key of its own, by its purpose, its server and its number", async () => {
  const secret = randomBytes(32);
  const keys = await ClusterKeys.create(secret, randomBytes(32));
  const server = freshServerId();
  const place = { purpose: "entry", server, k: 258 } as const;
  const k = new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2]);
  const info = labelled("entry", fromBase64url(server), k);
  assertEquals(keys.key(place).toHex(), await derived(secret, info));
  const others = [
    keys.key({ ...place, k: 259 }),
    keys.key({ ...place, server: freshServerId() }),
    keys.key({ ...place, purpose: "message" }),
    (await clusterKeys("another")).key(place),
  ];
  const all = [keys.key(place), ...others].map((key) => key.toHex());
  assertEquals(new Set(all).size, 5);
});

Deno.test("All servers of a room sign with the same key, and those of another with another", async () => {
  const [a, again, other] = await Promise.all([
    clusterKeys("room"),
    clusterKeys("room"),
    clusterKeys("another"),
  ]);
  const text = encoder.encode("an entry");
  const signature = await sign(a.signing, text);
  assert(await verify(again.verifyKey, signature, text));
  assert(!await verify(other.verifyKey, signature, text));
  const verifyKey = await importVerifyKey(a.signing.verifyKey);
  assert(await verify(verifyKey, signature, text));
});

Deno.test("Keys are made of 32 bytes and no others", async () => {
  for (const [secret, key] of [[31, 32], [32, 33], [0, 32]] as const) {
    const made = ClusterKeys.create(randomBytes(secret), randomBytes(key));
    await assertRejects(() => made, RangeError, "Cannot use");
  }
});

Deno.test("A server's id is 16 bytes, another one each time, written in one way", () => {
  const id = freshServerId();
  assert(isServerId(id));
  assertEquals(fromBase64url(id).length, 16);
  assert(freshServerId() !== id);
  const wrong = ["", id.slice(1), `${id}A`, `${id.slice(0, 21)}B`, 1, null, [
    id,
  ]];
  for (const it of wrong) assert(!isServerId(it), String(it));
});

Deno.test("What servers have in common comes from the private key, doesn't show it, and stays when the link is replaced", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.key`;
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const text = await Deno.readTextFile(path);
    const privateKey = fromBase64url(JSON.parse(text).serverPrivateKey);
    const secret = keyFile.clusterSecret;
    const expected = await derived(privateKey, labelled("servers"));
    assertEquals(secret.toHex(), expected);
    await keyFile.rotate();
    assertEquals(keyFile.clusterSecret, secret);
  }));
