/**
 * What somebody on the network, or with a program of their own, can see and do: real programs with a tap between
 * them, and a server that is talked to byte by byte.
 *
 * @module
 */

import { type Bytes, concat, randomBytes } from "../../crypto_utils.ts";
import type { Event } from "../../src/protocol/events.ts";
import { KeyFile } from "../../src/keys/key_file.ts";
import { joinEvent } from "../kit/people.ts";
import { encodeHeader, RecordType } from "../../src/protocol/records.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../kit/assert.ts";
import { Intruder, NO_PAUSES, through, Wire } from "../kit/intruder.ts";
import { Alteration, ALTERATIONS, bytewise, TcpProxy } from "../kit/proxy.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/hello.ts";
import { RefusedError } from "../../src/protocol/record_reader.ts";
import { forms, readable, utf16 } from "../kit/readable.ts";
import { Folder, namesIn } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { Client, JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";

const encoder = new TextEncoder();

// ── What can be seen ───────────────────────────────────────────────────────────────────────────────────

Deno.test("network shows no name, no word that is said, and no key", async () => {
  await using folder = await Folder.make();
  await using home = await Folder.make();
  await using server = await Server.open(folder);
  await using proxy = new TcpProxy(server.port);
  const keyFile = await KeyFile.load(folder.file("chat.key"));
  assert(keyFile);

  const invite = through(proxy, server);
  const options = { invite, home: home.path };
  await using first = await JsonClient.join({ ...options, name: "Priyanka" });
  await using second = await JsonClient.join({ invite, name: "Abhimanyu" });
  await using third = await JsonClient.join({ invite, name: "Wilhelmina" });
  const words = ["rendezvous", "Wednesday", "cinnamon", "नमस्ते", "🔐🔐"];
  await first.type(words.join(" "));
  await second.type(...words);
  await third.type("x".repeat(3_000));
  const everyone = [first, second, third];
  for (const client of everyone) {
    await client.showsTexts(words.length + 2);
  }
  for (const client of everyone) {
    await client.endInput();
    assertEquals(await client.finished(), 0);
  }

  const said = ["Priyanka", "Abhimanyu", "Wilhelmina", ...words, "xxxxxxxx"];
  const log = await Deno.readFile(folder.file("chat.log"));
  assertEquals(readable(said, log), said, "the search finds what is there");
  const directions = new Set(
    proxy.records.map(({ direction, type }) => `${direction} ${type}`),
  );
  assertEquals(
    [...directions].sort(),
    ["down 1", "down 2", "down 3", "down 5", "up 1", "up 2"],
  );
  assert(proxy.captured.length > 10_000);
  assertEquals(readable(said, proxy.captured), []);
  assertEquals(readable(["joined", '["said"'], proxy.captured), []);

  const identities = home.file(".config/encrypted-chat/identities");
  const [identity = ""] = await namesIn(identities);
  const paths = [folder.file("chat.key"), `${identities}/${identity}`];
  const secrets = paths.map(async (path) => {
    const { serverPrivateKey, roomKey, seed } = JSON.parse(
      await Deno.readTextFile(path),
    );
    return [serverPrivateKey, roomKey, seed].filter((it) => it !== undefined);
  });
  const keys = (await Promise.all(secrets)).flat();
  assertEquals(keys.length, 3);
  const seen = new TextDecoder("latin1").decode(proxy.captured);
  for (const key of keys) {
    const bytes = Uint8Array.fromBase64(key, { alphabet: "base64url" });
    for (const form of [key, ...forms(bytes)]) {
      assert(!seen.includes(form), "a key crossed the network");
    }
  }
});

Deno.test("search for readable words finds each form of them", () => {
  const text = "at the rendezvous on Wednesday";
  const table = [
    encoder.encode(text),
    utf16(text, true),
    utf16(text, false),
    encoder.encode(encoder.encode(text).toBase64()),
    encoder.encode(encoder.encode(` ${text}`).toBase64()),
    encoder.encode(encoder.encode(`  ${text}`).toBase64()),
    encoder.encode(utf16(text, true).toBase64()),
    encoder.encode(encoder.encode(text).toHex()),
  ];
  for (const haystack of table) {
    assertEquals(readable(["rendezvous", "Wednesday", "cinnamon"], haystack), [
      "rendezvous",
      "Wednesday",
    ]);
  }
});

// ── Bytes from strangers ───────────────────────────────────────────────────────────────────────────────

Deno.test("server answers bytes that are no handshake with nothing, and goes on", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, { args: NO_PAUSES });
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const handshake = (body: Bytes) =>
    concat(encodeHeader(RecordType.handshake, body.length), body);
  const table: Bytes[] = [
    new Uint8Array(0),
    new Uint8Array(1),
    new Uint8Array(4_096),
    new Uint8Array(4_096).fill(0xff),
    encoder.encode("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    encoder.encode("SSH-2.0-OpenSSH_9.6\r\n"),
    new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), // TLS
    handshake(concat(new Uint8Array([PROTOCOL_VERSION]), randomBytes(31))),
    handshake(
      concat(new Uint8Array([PROTOCOL_VERSION]), randomBytes(32 + 4 + 1_184)),
    ),
    handshake(
      new Uint8Array([PROTOCOL_VERSION, ...new Uint8Array(32 + 4 + 1_184)]),
    ),
    concat(encodeHeader(RecordType.direct, 64), randomBytes(64)),
    concat(encodeHeader(RecordType.broadcast, 128), randomBytes(128)),
    concat(encodeHeader(RecordType.refusal, 1), new Uint8Array([1])),
    handshake(concat(new Uint8Array([PROTOCOL_VERSION]), randomBytes(60_000))),
    ...Array.from({ length: 20 }, (_, at) => randomBytes(1 + at * 97)),
  ];
  for (const bytes of table) {
    // A random first record may ask for another version, and be told that there is none.
    if (bytes[2] === RecordType.handshake && bytes[3] !== PROTOCOL_VERSION) {
      continue;
    }
    using wire = await Wire.to(server);
    const reply = await wire.exchange(bytes);
    assertEquals(reply.length, 0, bytes.subarray(0, 8).toHex());
  }
  await ana.type("undisturbed");
  await ana.shows("said", { text: "undisturbed", seq: 2 });
  assertEquals((await server.log()).length, 2);
});

Deno.test("server refuses another version with code 1, and says no more", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  for (const version of [0, 1, 2, 4, 255]) {
    using wire = await Wire.to(server);
    const body = concat(new Uint8Array([version]), randomBytes(1_220));
    const hello = concat(encodeHeader(RecordType.handshake, 1_221), body);
    assertEquals(
      await wire.exchange(hello),
      new Uint8Array([0, 5, RecordType.refusal, 1, PROTOCOL_VERSION]),
    );
  }
});

Deno.test("server refuses a wrong key with code 2", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  using intruder = await Intruder.at(server, randomBytes(32));
  const error = await assertRejects(
    () => intruder.hears("welcome"),
    RefusedError,
  );
  assertEquals(error.code, 2);
});

Deno.test("server doesn't take a recorded connection for a new one", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using proxy = new TcpProxy(server.port);
  await using ana = await Client.plain({
    invite: through(proxy, server),
    name: "ana",
  });
  await ana.type("pay ben 100");
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  // A client doesn't wait for long until its goodbye is taken.
  const before = await server.logs((log) => log.at(-1)?.what === "left");
  assertSaid(before, "ana", ["pay ben 100"]);
  const sent = proxy.records.filter(({ direction }) => direction === "up");
  assert(sent.length >= 5);

  using wire = await Wire.to(server);
  const reply = await wire.exchange(concat(...sent.map(({ bytes }) => bytes)));
  const size = proxy.records.find(({ direction }) => direction === "down")
    ?.bytes.length;
  assertEquals(reply.subarray(size), new Uint8Array([0, 4, 4, 2]));
  assertEquals(await server.log(), before);
});

// ── Members who don't keep to the rules ────────────────────────────────────────────────────────────────

Deno.test("server refuses names that can't be, or look like one that is taken", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "Paul",
  });
  const table: [string, string][] = [
    ["", "name-invalid"],
    [" ", "name-invalid"],
    ["two words", "name-invalid"],
    ["a:b", "name-invalid"],
    ["a\nb", "name-invalid"],
    ["\u001b[2J", "name-invalid"],
    ["a\u202eb", "name-invalid"],
    ["\u3164", "name-invalid"],
    ["\u0301a", "name-invalid"],
    ["x".repeat(33), "name-invalid"],
    ["x".repeat(256), "name-invalid"],
    ["*", "name-invalid"],
    ["Pаul", "name-mixed"],
    ["ελλάda", "name-mixed"],
    ["Paul", "name-taken"],
    ["  pAUL ", "name-taken"],
    ["ＰＡＵＬ", "name-taken"],
    ["PAU1", "name-taken"],
    ["РАUL".replace("UL", "ᴜʟ"), "name-mixed"],
  ];
  using intruder = await Intruder.at(server);
  for (const [name, reason] of table) {
    await intruder.send(joinEvent(intruder.identity, name));
    const refused = await intruder.hears("refused");
    assertEquals([name, refused.n, refused.reason], [name, null, reason]);
  }
  assertEquals((await server.log()).length, 1);
  // The connection is none the worse for it.
  await intruder.send(joinEvent(intruder.identity, "Saul"));
  await intruder.hears("welcome");
  await ana.shows("joined", { name: "Saul" });
});

Deno.test("server refuses texts that no client sends, and logs a line break as one line", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  using intruder = await Intruder.in(server, "eve");
  const forged =
    "x\n2026-11-23T17:06:07.004Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.1 | ana: I agree";
  await intruder.send({ kind: "say", n: 1, text: "" });
  assertEquals((await intruder.hears("refused")).reason, "text-empty");
  await intruder.send({ kind: "say", n: 2, text: "é".repeat(2_049) });
  const { n, reason } = await intruder.hears("refused");
  assertEquals([n, reason], [2, "text-too-long"]);
  await intruder.send({ kind: "say", n: 3, text: forged });
  await ana.shows("said", { name: "eve", text: forged });

  assertSaid(await server.log(), "eve", [forged]);
  const text = await Deno.readTextFile(folder.file("chat.log"));
  assertEquals(text.trimEnd().split("\n").length, 3);
});

/** What anybody on the network could have sent in a member's place: it isn't called the member's fault. */
const UNPROVEN = [
  "another's record",
  "broadcast",
  "unsealed",
  "handshake again",
  "refusal",
  "no record",
];

Deno.test("server ends the connection of a member that breaks the protocol, and only that one", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using ana = await JsonClient.join({
    invite: server.invite,
    name: "ana",
  });
  const say = (n: number): Event => ({ kind: "say", n, text: `line ${n}` });
  const raw = (type: RecordType, size: number) =>
    concat(encodeHeader(type, size), randomBytes(size));
  const table: Record<string, (intruder: Intruder) => Promise<void>> = {
    "joining twice": (it) => it.send(joinEvent(it.identity, "again")),
    "saying a line twice": (it) => it.send(say(1), say(1)),
    "speaking for another": (it) =>
      it.send({ kind: "said", id: 1, n: 7, text: "I am ana" }),
    "announcing": (it) => it.send({ kind: "ratchet" }),
    "welcoming": (it) =>
      it.send({ kind: "welcome", id: 1, seq: 1, at: 0, name: "x" }),
    "no JSON": (it) => it.sendPlaintext("hello"),
    "no array": (it) => it.sendPlaintext('{"say":"hello"}'),
    "wrong fields": (it) => it.sendPlaintext('[["say","1","x"]]'),
    "missing fields": (it) => it.sendPlaintext('[["say",1]]'),
    "lone surrogate": (it) => it.sendPlaintext('[["say",1,"\\ud800"]]'),
    "far too long": (it) =>
      it.sendPlaintext(`[["say",1,"${"x".repeat(4_097)}"]]`),
    "broken UTF-8": (it) =>
      it.sendPlaintext(
        concat(encoder.encode('[["say",1,"'), Uint8Array.of(0xe2, 0x82)),
      ),
    "deeply nested": (it) =>
      it.sendPlaintext(`[["x",${"[".repeat(30_000)}${"]".repeat(30_000)}]]`),
    "too many events": (it) =>
      it.sendPlaintext(`[${Array(4_097).fill('["pong"]')}]`),
    "another's record": async (it) => {
      using other = await Intruder.at(server);
      await it.sendRaw(await other.seal(say(1)));
    },
    "broadcast": (it) => it.sendRaw(raw(RecordType.broadcast, 200)),
    "unsealed": (it) => it.sendRaw(raw(RecordType.direct, 200)),
    "handshake again": (it) => it.sendRaw(raw(RecordType.handshake, 200)),
    "refusal": (it) => it.sendRaw(raw(RecordType.refusal, 1)),
    "no record": (it) => it.sendRaw(new Uint8Array([0, 0, 0, 0])),
  };
  const names: string[] = [];
  for (const [what, misuse] of Object.entries(table)) {
    const name = what.replaceAll(/[^a-zA-Z0-9]/g, "-");
    names.push(name);
    using intruder = await Intruder.in(server, name);
    await misuse(intruder);
    await intruder.rest();
    const left = await ana.until(
      `${what}: left`,
      () => ana.all("left").find((it) => it.name === name),
    );
    const reason = UNPROVEN.includes(what) ? "lost" : "misused";
    assertEquals([what, left.reason], [what, reason]);
  }
  await ana.type("still here");
  await ana.shows("said", { text: "still here" });

  const log = await server.log();
  assertEquals(
    log.filter(({ what }) => what === "left").map(({ name }) => name),
    names,
  );
  assertFollows(ana, log);
  assertSaid(log, "ana", ["still here"]);
  assertEquals(ana.entrances.length, 1);
});

Deno.test("server skips events of kinds that it doesn't know", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  using intruder = await Intruder.in(server, "eve");
  await intruder.sendPlaintext('[["wave",1,2,3],["ping"]]');
  await intruder.hears("pong");

  assertEquals((await server.log()).length, 1);
});

// ── What somebody in the middle can do ─────────────────────────────────────────────────────────────────

Deno.test("programs understand each other when every byte comes alone", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  await using proxy = new TcpProxy(server.port, bytewise);
  const invite = through(proxy, server);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  const texts = ["short", "x".repeat(1_000), "नमस्ते"];
  await ana.type(...texts);
  await ben.showsTexts(texts.length);
  await ben.type("answer");
  await ana.shows("said", { name: "ben", text: "answer" });

  assertEquals(ben.texts.slice(0, 3), texts);
  assertEquals(proxy.connections, 2, "no connection was lost");
});

Deno.test("client whose handshake somebody altered exits with 1, and the others don't notice", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: ["--handshake-time", "3"], // some wait for bytes that never come
  });
  await using witness = await JsonClient.join({
    invite: server.invite,
    name: "witness",
  });
  const messages = [["up", 0], ["down", 0], ["up", 1]] as const;
  const attempt = async (kind: typeof ALTERATIONS[number], message: number) => {
    const [direction, index] = messages[message] ?? ["up", 0];
    const alteration = new Alteration(
      kind,
      (record) => record.direction === direction && record.index === index,
    );
    await using proxy = new TcpProxy(server.port, alteration.edit);
    const invite = through(proxy, server);
    const name = `m${message}-${kind.replace(" ", "-")}`;
    await using client = await JsonClient.start({ invite, name });
    const code = await client.finished();
    assert(alteration.isApplied, `${name} ended before its record came`);
    const types = client.shown.map(({ type }) => type);
    return { name, code, types, stderr: client.stderr };
  };
  const outcomes = await Promise.all(
    ALTERATIONS.flatMap((kind) => [0, 1, 2].map((at) => attempt(kind, at))),
  );

  for (const { name, code, types, stderr } of outcomes) {
    assertEquals([name, code, types], [name, 1, ["error"]]);
    assertMatch(`${name}: ${stderr[0]}`, /\.$/);
    assert(!stderr.join("\n").includes("file://"), stderr.join("\n"));
  }
  await witness.type("anybody there?");
  await witness.shows("said", { text: "anybody there?" });
  // A second copy of the server's answer comes after an authentic handshake: that client was in for a moment.
  const others = (await server.log()).filter(({ name }) =>
    name !== "m1-repeat"
  );
  assertEquals(
    others.map(({ name, what }) => [name, what]),
    [["witness", "joined"], ["witness", "said"]],
  );
});
