/**
 * What servers seal for each other, by itself: what opens, and why anything else doesn't.
 *
 * @module
 */

import { type Bytes, concat } from "../../../../crypto_utils.ts";
import {
  EntryError,
  type EntryFault,
  openEnvelope,
  sealEnvelope,
} from "../../../../src/server/cluster/envelope.ts";
import { freshServerId } from "../../../../src/server/cluster/keys.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { clusterKeys } from "../../../kit/cluster_keys.ts";

const keys = await clusterKeys("room");
const HEADER = 45; // bytes
const PIECE = 65_535; // sealed, bytes
const place = { purpose: "message", server: freshServerId(), k: 3 } as const;

function seal(content: Bytes, k: number = place.k): Promise<Bytes> {
  return sealEnvelope(keys, { ...place, k }, content);
}

/** An envelope doesn't open as a message. */
async function assertFault(
  envelope: Bytes,
  fault: EntryFault,
  what: string,
): Promise<void> {
  const error = await assertRejects(
    () => openEnvelope(keys, "message", envelope),
    EntryError,
    "Skipped a message of another server: ",
    what,
  );
  assertEquals(error.fault, fault, what);
}

Deno.test("a message opens as it was sealed, up to the largest number", async () => {
  const value = { n: 1 };
  for (const k of [0, 3, Number.MAX_SAFE_INTEGER]) {
    const envelope = await seal(utf8(JSON.stringify(value)), k);
    const opened = await openEnvelope(keys, "message", envelope);
    assertEquals(opened, { ...place, k, value });
  }
  await assertFault(await seal(utf8("{}"), 2 ** 53), "forged", "a larger one");
});

Deno.test("a message of another room or version is foreign, and one that is changed, cut or for something else is forged", async () => {
  const long = utf8(JSON.stringify({ x: "x".repeat(140_000) }));
  const envelope = await seal(long);
  const version = envelope.slice();
  version[0] = 2;
  await assertFault(version, "foreign", "version");
  const other = await clusterKeys("another");
  await assertFault(
    await sealEnvelope(other, place, long),
    "foreign",
    "room",
  );
  for (const size of [0, 1, 17, HEADER - 1, HEADER, HEADER + PIECE]) {
    await assertFault(envelope.slice(0, size), "forged", `${size} bytes`);
  }
  await assertFault(concat(envelope, new Uint8Array(1)), "forged", "more");
  const changed = envelope.slice();
  changed[HEADER + 5] = (changed[HEADER + 5] ?? 0) ^ 1;
  await assertFault(changed, "forged", "a bit");
  const entry = { ...place, purpose: "entry" } as const;
  await assertFault(
    await sealEnvelope(keys, entry, long),
    "forged",
    "an entry",
  );
});

Deno.test("a message that is no JSON object is malformed", async () => {
  const contents = ["", "{", "null", "7", '"text"', "true"].map(utf8);
  for (const content of [...contents, new Uint8Array([0xff])]) {
    await assertFault(await seal(content), "malformed", String(content));
  }
});
