/**
 * Entries of the stream that servers of a room share: what one has sealed the others open, and nothing else.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  fromBase64url,
  uint64,
} from "../../../../crypto_utils.ts";
import {
  type Content,
  EntryError,
  type EntryFault,
  EntrySealer,
  openEntry,
  type Proposal,
} from "../../../../src/server/cluster/entry.ts";
import { sealEnvelope } from "../../../../src/server/cluster/envelope.ts";
import {
  type ClusterKeys,
  freshServerId,
} from "../../../../src/server/cluster/keys.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
import { clusterKeys } from "../../../kit/cluster_keys.ts";

const keys = await clusterKeys("room");
const SAID: Proposal = {
  kind: "proposal",
  stream: "s-1",
  base: null,
  items: [["say", 3, [[1, "hello"]]]],
};

/** What is opened has this fault. */
async function assertFault(
  data: Bytes,
  fault: EntryFault,
  what: string,
  by: ClusterKeys = keys,
): Promise<void> {
  const error = await assertRejects(
    () => openEntry(by, data),
    EntryError,
    "Skipped an entry of the stream: ",
    what,
  );
  assertEquals(error.fault, fault, what);
}

async function sealed(content: Content): Promise<Bytes> {
  return (await new EntrySealer(keys).seal(content)).data;
}

Deno.test("What one server has sealed, each server of the room opens", async () => {
  const sealer = new EntrySealer(keys);
  const contents: Content[] = [
    SAID,
    {
      kind: "proposal",
      stream: "s-1",
      base: 7,
      items: [],
      head: 12,
      chain: "A".repeat(43),
    },
    {
      kind: "beginning",
      stream: "s-1",
      place: 1,
      sealed: false,
      head: 0,
      chain: "",
      after: null,
      by: sealer.server,
    },
    {
      kind: "beginning",
      stream: "s-2",
      place: 3,
      sealed: false,
      head: 9,
      chain: "B".repeat(43),
      after: { stream: "s-1", place: 88, digest: "C".repeat(43) },
      by: sealer.server,
    },
  ];
  const others = await clusterKeys("room");
  for (const [k, content] of contents.entries()) {
    const entry = await sealer.seal(content);
    assertEquals([entry.k, entry.id], [k, `${sealer.server}.${k}`]);
    const opened = await openEntry(others, entry.data);
    assertEquals(opened, { server: sealer.server, k, content });
  }
});

Deno.test("An entry is made as docs/protocol.md says, by the runtime's own cryptography", async () => {
  const sealer = new EntrySealer(keys);
  await sealer.seal(SAID);
  const content = { ...SAID, items: ["x".repeat(70_000)] };
  const { data } = await sealer.seal(content);
  const server = fromBase64url(sealer.server);
  const k = uint64(1);
  const text = new TextEncoder().encode(JSON.stringify(content));
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, text.length);
  const version = new Uint8Array([1]);
  const header = concat(version, keys.roomBytes, server, k, size);
  const place = { purpose: "entry", server: sealer.server, k: 1 } as const;
  const key = await crypto.subtle.importKey(
    "raw",
    keys.key(place),
    "AES-GCM",
    false,
    ["encrypt"],
  );
  const parts = [header];
  for (const [n, at] of [0, 65_519].entries()) {
    const iv = concat(new Uint8Array(4), uint64(n));
    const piece = text.slice(at, at + 65_519);
    const algorithm = { name: "AES-GCM", iv, additionalData: header };
    const sealed = await crypto.subtle.encrypt(algorithm, key, piece);
    parts.push(new Uint8Array(sealed));
  }
  const envelope = concat(...parts);
  const label = new TextEncoder().encode("encrypted-chat/2\0entry\0");
  const signature = await crypto.subtle.sign(
    "Ed25519", // which gives the same signature each time
    keys.signing.privateKey,
    concat(label, envelope),
  );
  assertEquals(data, concat(envelope, new Uint8Array(signature)));
});

Deno.test("An entry of 900 kB opens as it was, and so does one at the edge of a piece", async () => {
  const bare = JSON.stringify({ ...SAID, items: [""] }).length;
  for (const size of [65_518, 65_519, 65_520, 131_038, 900_000]) {
    const content = { ...SAID, items: ["x".repeat(size - bare)] };
    const data = await sealed(content);
    const pieces = Math.ceil(size / 65_519);
    assertEquals(data.length, 45 + size + 16 * pieces + 64);
    assertEquals((await openEntry(keys, data)).content, content);
  }
});

Deno.test("Entries open in any order, and again, by servers that have seen none before", async () => {
  const sealer = new EntrySealer(keys);
  const entries = await Promise.all(
    [0, 1, 2].map((n) => sealer.seal({ ...SAID, head: n })),
  );
  for (const k of [2, 0, 0, 1, 2]) {
    const opened = await openEntry(keys, entries[k]?.data ?? new Uint8Array());
    assertEquals([opened.k, opened.content], [k, { ...SAID, head: k }]);
  }
});

Deno.test("Equal contents look different, and show nothing of what they say", async () => {
  const sealer = new EntrySealer(keys);
  const [a, b] = await Promise.all([sealer.seal(SAID), sealer.seal(SAID)]);
  const body = ({ data }: { data: Bytes }) => data.slice(45, -64).toHex();
  assertEquals(body(a) === body(b), false);
  const text = new TextDecoder("latin1").decode(a.data);
  assertEquals(text.includes("hello") || text.includes("say"), false);
});

Deno.test("An entry with one bit changed, wherever it is, doesn't open", async () => {
  const data = await sealed(SAID);
  for (let at = 0; at < data.length; at++) {
    const changed = data.slice();
    changed[at] = (changed[at] ?? 0) ^ 1 << at % 8;
    // The version, and the room's name.
    const fault = at < 17 ? "foreign" : "forged";
    await assertFault(changed, fault, `byte ${at}`);
  }
});

Deno.test("An entry that is cut short, or goes on, doesn't open", async () => {
  const data = await sealed(SAID);
  for (let size = 0; size < data.length; size++) {
    await assertFault(data.slice(0, size), "forged", `${size} bytes`);
  }
  const longer = concat(data, new Uint8Array(1));
  await assertFault(longer, "forged", "one more byte");
});

Deno.test("Pieces of a long entry can't change places, nor be left out", async () => {
  const data = await sealed({ ...SAID, items: ["x".repeat(200_000)] });
  const piece = (n: number) =>
    data.slice(45 + n * 65_535, 45 + (n + 1) * 65_535);
  const [head, tail] = [data.slice(0, 45), data.slice(45 + 2 * 65_535)];
  const swapped = concat(head, piece(1), piece(0), tail);
  await assertFault(swapped, "forged", "swapped");
  await assertFault(concat(head, piece(0), tail), "forged", "left out");
});

Deno.test("An entry of another room is foreign; one of other keys under the room's name is forged", async () => {
  const data = await sealed(SAID);
  await assertFault(data, "foreign", "room", await clusterKeys("another"));
  const impostor = await clusterKeys("room", "another");
  const { data: faked } = await new EntrySealer(impostor).seal(SAID);
  await assertFault(faked, "forged", "keys");
});

Deno.test("A message between servers is no entry, though it is of the room", async () => {
  const place = { purpose: "message", server: freshServerId(), k: 0 } as const;
  const content = new TextEncoder().encode(JSON.stringify(SAID));
  const envelope = await sealEnvelope(keys, place, content);
  await assertFault(envelope, "forged", "as it is");
  const data = await sealed(SAID);
  await assertFault(concat(envelope, data.slice(-64)), "forged", "signed");
});

Deno.test("What a server of the room says and this one doesn't understand is told apart from a forgery", async () => {
  const digest = "C".repeat(43);
  const after = { stream: "s-1", place: 88, digest };
  const beginning = {
    kind: "beginning",
    stream: "s",
    place: 1,
    sealed: false,
    head: 1,
    chain: digest,
    after,
    by: freshServerId(),
  };
  const proposal = { ...SAID, base: 7, head: 1, chain: digest };
  const isId = [1, "", "s!", "!s", "s".repeat(65), null, ["s"]];
  const isCount = [-1, 1.5, "1", {}];
  const isValue = ["short", digest.slice(1), `${digest}C`, 1, [digest]];
  const wrong: Readonly<Record<string, readonly unknown[]>>[] = [
    { kind: ["other", 1], stream: isId, base: [...isCount, undefined] },
    { items: [{}, "", null], head: [...isCount, null], chain: isValue },
    { kind: ["other"], stream: isId, place: [...isCount, null] },
    { sealed: [1, null, "false"], head: [...isCount, null], chain: isValue },
    { after: [1, "", undefined, [], {}], by: ["me", 1, null] },
  ];
  const contents: unknown[] = [null, 7, "", [], [SAID], {}];
  for (const [at, fields] of wrong.entries()) {
    const right = at < 2 ? proposal : beginning;
    await openEntry(keys, await sealed(right as unknown as Content));
    for (const [name, values] of Object.entries(fields)) {
      for (const value of values) contents.push({ ...right, [name]: value });
    }
  }
  for (
    const [name, values] of Object.entries({
      stream: isId,
      digest: isId,
      place: isCount,
    })
  ) {
    for (const value of [...values, undefined]) {
      contents.push({ ...beginning, after: { ...after, [name]: value } });
    }
  }
  await Promise.all(contents.map(async (content) => {
    const data = await sealed(content as Content);
    await assertFault(data, "malformed", JSON.stringify(content));
  }));
});

Deno.test("A stream's id and a digest have at most 64 characters, and a chain's value may be empty", async () => {
  const id = "s-_".padEnd(64, "0");
  const data = await sealed({
    kind: "beginning",
    stream: id,
    place: 1,
    sealed: true,
    head: 0,
    chain: "",
    after: { stream: id, place: 0, digest: id },
    by: freshServerId(),
  });
  assertEquals((await openEntry(keys, data)).content.stream, id);
});
