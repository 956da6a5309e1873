/**
 * Who is who, against those who would be somebody else, come in where they may not, or make somebody say a thing
 * twice. Real programs, with clients of the test's own for those who mean harm.
 *
 * @module
 */

import {
  type Bytes,
  concat,
  randomBytes,
  toBase64url,
} from "../../crypto_utils.ts";
import { writeAll } from "../../src/base/write_all.ts";
import { readCard, signCard } from "../../src/crypto/identity.ts";
import { spokenId } from "../../src/crypto/person_id.ts";
import { formatInvite, parseInvite } from "../../src/keys/invite.ts";
import codeWords from "../../src/keys/code_words.json" with { type: "json" };
import {
  formatCode,
  parseCode,
  passwordOf,
} from "../../src/keys/spoken_code.ts";
import { acceptChannel, type OpenCode } from "../../src/protocol/handshake.ts";
import { LocalResponder } from "../../src/protocol/responder.ts";
import { type Event, type Kind, TABLE } from "../../src/protocol/events.ts";
import type { LogEntry } from "../../src/protocol/line.ts";
import { HandshakeRefusal, OPERATIONS } from "../../src/protocol/reasons.ts";
import { RecordType } from "../../src/protocol/records.ts";
import { newInvite } from "../../src/server/people/invites.ts";
import { LineFile } from "../../src/base/line_file.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../kit/assert.ts";
import { flipped } from "../kit/bytes.ts";
import {
  Client,
  type ClientOptions,
  JsonClient,
  type Shown,
} from "../kit/client.ts";
import { run, runToEnd } from "../kit/command.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { Folder, namesIn } from "../kit/folder.ts";
import { Intruder, NO_PAUSES, Wire } from "../kit/intruder.ts";
import { invite, OperatedRoom } from "../kit/invites.ts";
import { LateProxy } from "../kit/late_proxy.ts";
import { joinEvent, newIdentity, newStay } from "../kit/people.ts";
import { cacheFolder, FAST_TIMERS } from "../kit/program.ts";
import { CUT, type Passing, TcpProxy } from "../kit/proxy.ts";
import { runServer, Server, type ServerOptions } from "../kit/server.ts";

/** A server in a folder of its own. */
async function serverAt(
  options?: ServerOptions,
): Promise<AsyncDisposable & { server: Server; folder: Folder }> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const server = stack.use(await Server.open(folder, options));
  const all = stack.move();
  return {
    server,
    folder,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A link, by another port. */
function atPort(link: string, port: number): string {
  return formatInvite({ ...parseInvite(link), port });
}

async function ask(client: JsonClient, request: unknown): Promise<void> {
  await client.type(JSON.stringify(request));
}

/** The file of the one identity below a person's folder. */
async function identityIn(home: Folder): Promise<string> {
  const folder = home.file(".config/encrypted-chat/identities");
  const [name = ""] = await namesIn(folder);
  return `${folder}/${name}`;
}

/** Who is in the room, and by how many connections, as a client knows it now. */
async function present(client: JsonClient): Promise<[string, number][]> {
  const { length } = client.all("members");
  await ask(client, { type: "who" });
  const shown: Shown = await client.until(
    "members",
    () => client.all("members")[length],
  );
  const members = shown.members ?? [];
  return members.map(({ name, connections }) => [name, connections]);
}

/** The log's lines that aren't somebody's words. */
function moves(log: readonly LogEntry[]): string[] {
  return log.filter(({ what }) => what !== "said")
    .map(({ what, name, text }) => `${name} ${what} ${text}`.trim());
}

// ── Twice ──────────────────────────────────────────────────────────────────────────────────────────────

const RENAME = { type: "rename", name: "anouk" };

for (const when of ["before the client is back", "once it is back", "never"]) {
  Deno.test(`line is said once under whatever name, and nobody is there twice, where the lost connection's bytes arrive ${when}`, async () => {
    await using at = await serverAt();
    const { server } = at;
    await using proxy = new LateProxy(server.port);
    const invite = atPort(server.invite, proxy.port);
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await ana.shows("joined", { name: "ben" });
    proxy.hold("up");
    await ana.type("on its way");
    await proxy.keeps();
    proxy.lose();
    await ana.shows("away");
    await ask(ana, RENAME);
    if (when === "before the client is back") {
      await proxy.deliver();
      await ben.shows("said", { name: "ana", text: "on its way" });
    }
    await ana.isIn(2);
    if (when === "once it is back") await proxy.deliver();
    await ana.shows("said", { text: "on its way", own: true });
    await ana.shows("renamed", { newName: "anouk", own: true });
    await ana.type("the end");
    for (const client of [ana, ben]) {
      await client.shows("said", { name: "anouk", text: "the end" });
    }

    assertEquals(ben.texts, ["on its way", "the end"]);
    assertEquals(ana.texts, ["on its way", "the end"]);
    for (const client of [ana, ben]) {
      assertEquals((await present(client)).sort(), [["anouk", 1], ["ben", 1]]);
    }
    const log = await server.log();
    assertEquals(moves(log), [
      "ana joined",
      "ben joined",
      "ana renamed anouk",
    ]);
    assertFollows(ben, log);
    assertFollows(ana, log);
  });
}

for (const isNoticed of [false, true]) {
  const who = isNoticed ? "the server notices" : "only the client notices";
  Deno.test(`another name is taken once where its answer is lost, and ${who}`, async () => {
    await using at = await serverAt();
    const { server } = at;
    await using proxy = new LateProxy(server.port);
    const invite = atPort(server.invite, proxy.port);
    await using ben = await JsonClient.join({
      invite: server.invite,
      name: "ben",
    });
    await using ana = await JsonClient.join({ invite, name: "ana" });
    await ana.type("before");
    await ana.shows("said", { text: "before" });
    proxy.hold("down");
    await ask(ana, RENAME);
    await ben.shows("renamed", { name: "ana", newName: "anouk" });
    if (isNoticed) {
      proxy.cut();
      await ben.shows("left", { name: "anouk", reason: "lost" });
    } else proxy.lose();
    await ana.isIn(2);
    await ana.type("the end");
    for (const client of [ana, ben]) {
      await client.shows("said", { name: "anouk", text: "the end" });
    }

    assertEquals((await present(ben)).sort(), [["anouk", 1], ["ben", 1]]);
    const log = await server.log();
    assertEquals(moves(log), [
      "ben joined",
      "ana joined",
      "ana renamed anouk",
      ...isNoticed ? ["anouk left lost", "anouk joined"] : [],
    ]);
    assertSaid(log, "ana", ["before"]);
    assertFollows(ana, log);
  });
}

// ── Somebody else's card ───────────────────────────────────────────────────────────────────────────────

/** A point of order 1 as an Ed25519 key, and a signature of anything that fits it. */
const NEUTRAL = new Uint8Array(32).with(0, 1) as Bytes;
const NEUTRAL_SIGNATURE = concat(NEUTRAL, new Uint8Array(32));

/** Where a card's parts begin, bytes. */
const SIGN_KEY = 32;
const SEAL_KEY = 64;
const SIGNATURE = 1_280;

Deno.test("card that isn't its connection's own, or not signed by its owner, lets nobody in and throws nobody out", async () => {
  await using at = await serverAt();
  const { server } = at;
  await using watcher = await JsonClient.join({
    invite: server.invite,
    name: "watcher",
  });
  const [ana, eve] = [await newIdentity(), await newIdentity()];
  using victim = await Intruder.at(server, undefined, ana);
  await victim.send(joinEvent(ana, "ana"));
  await victim.hears("welcome");
  using member = await Intruder.at(server, undefined, eve);
  await member.send(joinEvent(eve, "eve"));
  await member.hears("welcome");
  await watcher.shows("joined", { name: "eve" });
  const log = await server.log();

  const fresh = await newIdentity();
  const { signing, card } = fresh;
  const own = readCard(card);
  const keys = card.subarray(0, SIGNATURE);
  const others = ana.card.subarray(SIGNATURE);
  const spliced = (bytes: Bytes, at: number) =>
    concat(card.subarray(0, at), bytes, card.subarray(at + bytes.length));
  const table: readonly (readonly [string, Bytes])[] = [
    ["another's, whole", ana.card],
    [
      "with another's X25519 key, and signed",
      await signCard({
        noiseKey: ana.keyPair.publicKey,
        signing,
        sealKey: own.sealKey,
      }),
    ],
    [
      "with another's X25519 key, and another's signature",
      concat(ana.card.subarray(0, SIGN_KEY), card.subarray(SIGN_KEY)),
    ],
    ["with another's signature", concat(keys, others)],
    ["with another's Ed25519 key", spliced(readCard(ana.card).verifyKey, 32)],
    ["with another's X-Wing key", spliced(readCard(ana.card).sealKey, 64)],
    ["with a key of order 1", spliced(NEUTRAL, SIGN_KEY)],
    [
      "with a key of order 1, and a signature for it",
      concat(
        card.subarray(0, SIGN_KEY),
        NEUTRAL,
        card.subarray(SEAL_KEY, SIGNATURE),
        NEUTRAL_SIGNATURE,
      ),
    ],
    ["without a signature", concat(keys, new Uint8Array(64))],
    ...[0, 31, SIGN_KEY, SEAL_KEY, 700, SIGNATURE - 1, SIGNATURE, 1_343].map((
      byte,
    ) => [`altered at byte ${byte}`, flipped(card, byte)] as const),
  ];
  using guest = await Intruder.at(server, undefined, fresh);
  for (const [what, wrong] of table) {
    for (const name of ["mallory", "ana"]) {
      const event = joinEvent(fresh, name);
      await guest.send({ ...event, card: toBase64url(wrong) });
      const { n, reason } = await guest.hears("refused");
      assertEquals([n, reason], [null, "card-wrong"], what);
    }
  }
  // A member's own X25519 key under another card: it would be a second person.
  using twin = await Intruder.at(server, undefined, eve);
  const second = { noiseKey: eve.keyPair.publicKey, signing };
  const twinCard = await signCard({ ...second, sealKey: own.sealKey });
  const event = joinEvent(eve, "eve");
  await twin.send({ ...event, card: toBase64url(twinCard) });
  assertEquals((await twin.hears("refused")).reason, "card-wrong");

  assertEquals(await server.log(), log);
  const here = [["ana", 1], ["eve", 1], ["watcher", 1]];
  assertEquals((await present(watcher)).sort(), here);
  for (const intruder of [victim, member]) {
    await intruder.send({ kind: "ping" });
    await intruder.hears("pong");
  }
  // The same connection with the right card.
  await guest.send(joinEvent(fresh, "mallory"));
  await guest.hears("welcome");
});

// ── Guests ─────────────────────────────────────────────────────────────────────────────────────────────

/** How often a guest says something, ms. */
const PING_PERIOD = 250;

Deno.test("guest that only shook hands is told nothing after --rotate-key, and is ended after 30 s, whatever it answers", async () => {
  await using at = await serverAt({ runtime: FAST_TIMERS });
  const { server, folder } = at;
  const { invite } = server;
  using mute = await Intruder.by(invite);
  using lively = await Intruder.by(invite);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using kim = await JsonClient.join({ invite, name: "kim" });
  const ended = Promise.all([mute.end(), lively.end()]);
  const pinging = setInterval(() => {
    lively.send({ kind: "ping" }, { kind: "pong" }).catch(() => {}); // ended
  }, PING_PERIOD);
  assertEquals((await runServer(folder, ["--rotate-key"])).code, 0);
  await server.line(/The room has a new key/);
  await kim.endInput();
  await ana.shows("left", { name: "kim" }); // which makes a new epoch
  await ana.type("among members");
  await ana.shows("said", { text: "among members" });

  const [heard, answered] = await ended;
  clearInterval(pinging);
  const bye: Event = { kind: "bye", reason: "late" };
  assertEquals(heard.filter(({ kind }) => kind !== "ping"), [bye]);
  const rest = answered.filter(({ kind }) => kind !== "pong");
  assertEquals(rest.filter(({ kind }) => kind !== "ping"), [bye]);
  assert(answered.length > 10, "it answered nothing");
  assertEquals([mute.others, lively.others], [0, 0]);
  assertEquals(moves(await server.log()), [
    "ana joined",
    "kim joined",
    "kim left left",
  ]);
});

Deno.test("guest that shook hands by a link which was replaced since is not let in", async () => {
  await using at = await serverAt();
  const { server, folder } = at;
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  using eve = await Intruder.by(invite);
  const { code, stdout } = await runServer(folder, ["--rotate-key"]);
  assertEquals(code, 0);
  await server.line(/The room has a new key/);
  await eve.send(joinEvent(eve.identity, "eve"));
  assertEquals((await eve.hears("refused")).reason, "invite-used");

  const [fresh = ""] = /chat:[^']+/.exec(stdout.join()) ?? [];
  using kim = await Intruder.by(fresh);
  await kim.send(joinEvent(kim.identity, "kim"));
  await kim.hears("welcome");
  await ana.shows("joined", { name: "kim" });
  assertEquals(moves(await server.log()), ["ana joined", "kim joined"]);
});

/** An event of each kind, with what somebody would say who hopes for an answer. */
const SAMPLES: { readonly [K in Kind]: readonly Omit<Event<K>, "kind">[] } = {
  join: [], // that is how it comes in
  say: [{ n: 1, text: "hello" }],
  act: [{ n: 1, text: "waves" }],
  reply: [{ n: 1, to: 1, text: "hello" }],
  edit: [{ n: 1, to: 1, text: "hello" }],
  delete: [{ n: 1, to: 1 }],
  react: [{ n: 1, to: 1, text: "👍" }],
  offer: [{ n: 1, text: `1 ${"0".repeat(64)} a.txt` }],
  seal: [{ n: 1, text: "0.AAAA" }],
  follow: [{ after: 0 }],
  enter: [{ text: "join {}" }],
  rule: [{ id: 1, text: "rename {}" }],
  wrap: [
    { to: "A".repeat(43), e: 0, next: false, data: "A".repeat(1_558) },
  ],
  admit: [{
    invite: 1,
    key: "A".repeat(43),
    blob: "A".repeat(118),
  }],
  need: [{ e: 0 }],
  hold: [{ offer: 1 }],
  rename: [{ name: "ana" }, { name: "mallory" }],
  release: [{ id: 1 }],
  operate: OPERATIONS.map((what) => ({
    id: 1,
    what,
    who: "ana",
    text: "",
    count: 1,
  })),
  taken: [{ offer: 1 }, { offer: 3 }],
  away: [{ text: "lunch" }, { text: "" }],
  find: [
    { id: 1, words: "", before: null, count: 200 },
    { id: 1, words: "secret", before: null, count: 200 },
  ],
  page: [
    { id: 1, before: 1_000, count: 1_000 },
    { id: 1, before: 2, count: 1_000 },
    { id: 1, before: 0, count: 0 },
  ],
  agree: [{ id: 1, seq: 0 }, { id: 1, seq: 1 }, { id: 1, seq: 1_000 }],
  look: [{ id: 1, who: "ana" }],
  private: [{
    n: 1,
    to: "A".repeat(43),
    data: "A".repeat(1_856),
    own: "A".repeat(1_856),
  }],
  collect: [{ after: null }, { after: 0 }],
  got: [{ id: 1 }],
  ping: [{}],
  pong: [{}],
  fetch: [{ id: 1, offer: 3, from: 0, size: 1 }],
  piece: [1, 2, 3].map((id) => ({ id, data: "AAAA" })),
  missing: [1, 2, 3].map((id) => ({ id, reason: "gone" })),
  bye: [{ reason: "left" }, { reason: "removed" }],
  // What only a server says.
  refused: [{ n: null, reason: "name-taken", detail: "" }],
  past: [{
    seq: 1,
    at: 0,
    person: "0".repeat(16),
    stay: newStay(),
    n: 1,
    what: "said",
    to: null,
    name: "ana",
    text: "never",
  }],
  chain: [{ seq: 1, value: "A".repeat(43) }],
  followed: [{ seq: 1, digest: "", blob: "" }],
  wrapped: [{
    by: "A".repeat(43),
    to: "A".repeat(43),
    e: 0,
    data: "A".repeat(1_558),
  }],
  needed: [{ who: "A".repeat(43), e: 0 }],
  sealed: [{ id: 1, n: 1, text: "0.AAAA" }],
  ruled: [{
    person: "0".repeat(16),
    name: "ana",
    stay: newStay(),
    n: 1,
    text: "rename {}",
  }],
  limits: [{ fileSize: 1 }],
  motd: [{ text: "hello" }],
  notice: [{ text: "hello" }],
  invited: [
    { address: "", id: 0, secret: "", uses: 1, until: null, note: "" },
  ],
  answered: [{ id: 1 }],
  took: [{ offer: 1, name: "ana", person: "0".repeat(16) }],
  card: [{ id: 1, name: "ana", card: "A".repeat(1_792) }],
  nobody: [{ id: 1 }],
  privately: [{ n: 1, state: "waiting" }],
  letter: [{ id: 1, from: "A".repeat(43), data: "A".repeat(1_856) }],
  slowed: [{}],
  found: [{ id: 1, more: false }],
  paged: [{ id: 1, more: false }],
  agreed: [{ id: 1, seq: 1, value: "" }],
  here: [{
    id: 1,
    name: "ana",
    person: "A".repeat(43),
    stay: newStay(),
    since: 0,
    active: 0,
    away: "",
  }],
  epoch: [{ number: 1, counter: 0, key: "", verifyKey: "" }],
  sharing: [{ number: 1, counter: 0, key: "", verifyKey: "" }],
  welcome: [{ id: 1, seq: 1, at: 0, name: "ana" }],
  batch: [{ seq: 1, at: 0 }],
  joined: [{
    id: 1,
    name: "ana",
    person: "A".repeat(43),
    stay: newStay(),
    n: 0,
  }],
  beside: [{ id: 1, of: 1, stay: newStay() }],
  parted: [{ id: 1 }],
  left: [{ id: 1, n: 1, reason: "left" }],
  said: [{ id: 1, n: 1, text: "never" }],
  acted: [{ id: 1, n: 1, text: "never" }],
  replied: [{ id: 1, n: 1, to: 1, text: "never" }],
  edited: [{ id: 1, n: 1, to: 1, text: "never" }],
  deleted: [{ id: 1, n: 1, to: 1 }],
  reacted: [{ id: 1, n: 1, to: 1, text: "👍" }],
  offered: [{ id: 1, n: 1, text: `1 ${"0".repeat(64)} a.txt` }],
  renamed: [{ id: 1, n: 1, name: "mallory" }],
  absent: [{ id: 1, text: "never" }],
  room: [{ topic: "never", slow: 3_600 }],
  waiting: [{ is: true }, { is: false }],
  servers: [{ list: "a.example:5000,b.example:5000" }, { list: "none" }],
  ratchet: [{}],
};

/** What a guest may hear that was never in: that somebody is there, and that the end has come. */
const HARMLESS: readonly Kind[] = ["ping", "pong", "bye"];

/** What a guest hears that asks for the control lines of an open room. */
const NOT_SEALED: Event = {
  kind: "refused",
  n: null,
  reason: "not-sealed",
  detail: "",
};

Deno.test("guest changes nothing and is told nothing by whatever it says before it joins, but may end its own connection", async () => {
  await using at = await serverAt();
  const { server } = at;
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await ana.type("a secret");
  await ben.shows("said", { text: "a secret" });
  const log = await server.log();
  const ended: Kind[] = [];
  for (const kind of Object.keys(TABLE) as Kind[]) {
    for (const fields of SAMPLES[kind]) {
      using guest = await Intruder.at(server);
      const event = { kind, ...fields } as Event;
      await guest.send(event, { kind: "ping" }, {
        kind: "bye",
        reason: "left",
      });
      const told = await guest.end();
      const heard = told.map(({ kind }) => kind);
      const others = told.filter((it) => !HARMLESS.includes(it.kind));
      assertEquals(others, kind === "follow" ? [NOT_SEALED] : [], kind);
      assertEquals(guest.others, 0);
      if (!heard.includes("pong")) ended.push(kind);
    }
  }
  // Those that are allowed: anything else broke the protocol.
  const goesOn = Object.keys(TABLE).filter((kind) =>
    kind !== "join" && !ended.includes(kind as Kind)
  );
  const allowed = ["away", "follow", "missing", "piece", "ping", "pong"];
  assertEquals(goesOn.sort(), allowed);

  await ana.type("the end");
  await ben.shows("said", { text: "the end" });
  assertEquals((await server.log()).slice(0, -1), log);
  for (const client of [ana, ben]) {
    assertEquals((await present(client)).sort(), [["ana", 1], ["ben", 1]]);
    assertEquals(client.entrances.length, 1);
    assertEquals(client.all("away-message"), []);
  }
});

Deno.test("guest that is refused hears why, and no key, no line and no name of those who are in", async () => {
  await using at = await serverAt({
    args: ["--history", "1000", "--max-clients", "2"],
  });
  const { server } = at;
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const texts = Array.from({ length: 400 }, (_, nth) => `secret ${nth}`);
  await ana.type(...texts);
  await ana.showsTexts(texts.length);
  using kim = await Intruder.in(server, "kim");
  const table: [string, Partial<Event<"join">>][] = [
    ["room-full", { name: "eve" }],
    ["name-taken", { name: "ana" }],
    ["name-taken", { name: "ANA" }],
    ["name-invalid", { name: "a b" }],
    ["name-mixed", { name: "аnа" }],
    ["card-wrong", { card: toBase64url(kim.identity.card) }],
  ];
  using guest = await Intruder.at(server);
  for (const [, fields] of table) {
    const event = joinEvent(guest.identity, "eve", { after: 0 });
    await guest.send({ ...event, ...fields });
  }
  await guest.send({ kind: "bye", reason: "left" });
  const heard = await guest.end();
  const refusals = heard.filter((it): it is Event<"refused"> =>
    it.kind === "refused"
  );
  assertEquals(refusals.map(({ reason }) => reason), table.map(([it]) => it));
  const others = heard.filter(({ kind }) => kind !== "refused");
  assertEquals(others.map(({ kind }) => kind), ["bye"]);
  assertEquals(guest.others, 0);
});

// ── Names ──────────────────────────────────────────────────────────────────────────────────────────────

Deno.test("name waits for its owner while that one's connection is lost, and who asks for it is told whose it is", async () => {
  await using at = await serverAt();
  const { server } = at;
  let isDown = false;
  await using proxy = new TcpProxy(
    server.port,
    ({ bytes }) => isDown ? [CUT] : [bytes],
  );
  const invite = atPort(server.invite, proxy.port);
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const { key: id = "" } = await ben.shows("joined", { name: "ana" });
  isDown = true;
  proxy.cut();
  await ana.shows("away");
  await ben.shows("left", { name: "ana", reason: "lost" });
  await ana.type("waits for its turn");
  await present(ana); // when this is answered, the line is taken

  const today = new Date().toISOString().slice(0, 10);
  const whose = `ana, ${spokenId(id)}, since `;
  for (const name of ["ana", "Ana", "ANA", "апа", "ａｎａ"]) {
    using eve = await Intruder.at(server);
    await eve.send(joinEvent(eve.identity, name));
    const { reason, detail } = await eve.hears("refused");
    assertEquals(reason, "name-taken", name);
    assert(detail.startsWith(whose), detail);
    assert(detail.slice(whose.length) <= today);
  }
  await ask(ben, { type: "rename", name: "Ana" });
  await ben.shows("refused", { text: "Ana", reason: "name-taken" });
  await using eve = await Client.plain({ invite: server.invite, name: "ana" });
  await eve.endInput();
  assertEquals(await eve.finished(), 1);
  assertMatch(eve.stderr[0] ?? "", new RegExp(`taken \\(${whose}`));

  isDown = false;
  await ana.isIn(2);
  await ben.shows("said", { name: "ana", key: id, text: "waits for its turn" });
  await ana.endInput();
  assertEquals(await ana.finished(), 0);
  // A client doesn't wait for long until its goodbye is taken.
  const log = await server.logs((log) => moves(log).length === 5);
  assertEquals(moves(log), [
    "ben joined",
    "ana joined",
    "ana left lost",
    "ana joined",
    "ana left left",
  ]);
});

Deno.test("name that is refused to one who comes back keeps it out no longer than that, and its line is said", async () => {
  await using at = await serverAt();
  const { server } = at;
  await using proxy = new LateProxy(server.port);
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  await using ana = await JsonClient.join({
    invite: atPort(server.invite, proxy.port),
    name: "ana",
  });
  await ben.shows("joined", { name: "ana" });
  proxy.cut();
  await ana.shows("away");
  await ben.shows("left", { name: "ana" });
  await ask(ana, { type: "rename", name: "Ben" });
  await ana.type("still ana");
  await ana.shows("refused", { text: "Ben", reason: "name-taken" });
  await ben.shows("said", { name: "ana", text: "still ana" });
  await ana.endInput();
  assertEquals(await ana.finished(), 1); // something was refused
});

// ── What came before ───────────────────────────────────────────────────────────────────────────────────

Deno.test("newcomer is told nothing of what came before it, whatever it asks", async () => {
  await using at = await serverAt({ args: ["--history", "0"] });
  const { server, folder } = at;
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await ana.type("secret one", "secret two");
  await ana.shows("said", { text: "secret two" });
  const path = await folder.write("secret.txt", "a secret file");
  await ask(ana, { type: "send", path });
  const { seq: offer = 0 } = await ana.shows("offered");
  const before = (await server.log()).length;

  const own = await newIdentity();
  const searches: Omit<Event<"find">, "kind" | "id">[] = [
    { words: "", before: null, count: 200 },
    { words: "", before: 3, count: 200 },
    { words: "", before: before + 1, count: 1 },
    { words: "secret", before: null, count: 200 },
    { words: "secret", before: before + 1, count: 1 },
    { words: "ana", before: 2, count: 1 },
  ];
  const stay = newStay();
  for (const after of [0, 1, null]) {
    using eve = after === 0
      ? await Intruder.at(server, undefined, own)
      : await Intruder.back(server, own);
    await eve.send(joinEvent(own, "eve", { stay, after }));
    await eve.hears("welcome");
    for (const [id, search] of searches.entries()) {
      await eve.send({ kind: "find", id, ...search });
    }
    await eve.send(
      { kind: "hold", offer },
      { kind: "fetch", id: 1, offer, from: 0, size: 1 },
    );
    assertEquals((await eve.hears("missing")).reason, "gone");
    await eve.send({ kind: "bye", reason: "left" });
    const heard = await eve.end();
    const past = heard.filter((it) => it.kind === "past");
    assertEquals(past.filter(({ seq }) => seq <= before), []);
    const found = heard.filter((it) => it.kind === "found");
    assertEquals(found.map(({ id }) => id), [...searches.keys()]);
    // Whether there is more is said of what it may read.
    assertEquals(found.filter(({ id, more }) => more && id !== 2), []);
    assert(!heard.some(({ kind }) => kind === "piece"), "a piece of the file");
    assert(!JSON.stringify(heard).includes("secret"));
  }
});

/** Lines that a catching up gives, and what a person has to spend, with next to no income. */
const MISSED = 800;
const PURSE = ["--burst", "1000", "--rate", "1", "--history", "0"];

for (const [missed, visits] of [[MISSED, 1], [200, 4]] as const) {
  Deno.test(`catching up with ${missed} lines again and again is paid for, and others come in meanwhile`, async () => {
    await using folder = await Folder.make();
    const eve = await newIdentity();
    let port: number;
    {
      await using server = await Server.open(folder, { args: ["--rate", "0"] });
      port = server.port;
      using _first = await Intruder.at(server, undefined, eve);
      await _first.send(joinEvent(eve, "eve"));
      await _first.hears("welcome");
      const { invite } = server;
      await using ana = await JsonClient.join({ invite, name: "ana" });
      await ana.type(
        ...Array.from({ length: missed }, (_, at) => `line ${at}`),
      );
      await ana.showsTexts(missed);
      server.kill("SIGTERM");
      await server.finished();
    }
    await using server = await Server.open(folder, { port, args: PURSE });
    const { invite } = server;
    for (let visit = 0; visit < visits; visit++) {
      using connection = await Intruder.back(server, eve);
      await connection.send(joinEvent(eve, "eve", { after: 2 }));
      await connection.hears("welcome");
      await connection.send({ kind: "bye", reason: "left" });
      const lines = connection.told.filter(({ kind }) => kind === "past");
      assert(lines.length >= missed, "it was told all of it");
    }
    using again = await Intruder.back(server, eve);
    using beside = await Intruder.back(server, eve);
    for (const connection of [again, beside]) {
      await connection.send(joinEvent(eve, "eve", { after: 2 }));
    }
    await using kim = await JsonClient.join({ invite, name: "kim" });
    await kim.type("not kept waiting");
    await kim.shows("said", { text: "not kept waiting" });
    await using lea = await JsonClient.join({ invite, name: "lea" });
    assertEquals((await present(lea)).sort(), [["kim", 1], ["lea", 1]]);
  });
}

// ── The link ───────────────────────────────────────────────────────────────────────────────────────────

Deno.test("link stands neither in what the server prints on a pipe nor on a command line, and --link prints it", async () => {
  await using at = await serverAt({ args: ["--log-level", "debug"] });
  const { server, folder } = at;
  const { invite } = server;
  const [, secret = "no link"] = invite.split("#");
  const printed = await runServer(folder, ["--link"]);
  assertEquals(printed.stdout, [invite]);
  const path = await folder.write("link", `${invite}\n`);

  await using byFile = await JsonClient.join({
    args: ["--link", path],
    name: "by-file",
  });
  await using byInput = await JsonClient.start({
    args: ["--link", "-"],
    name: "by-input",
  });
  await byInput.type(invite, "hello");
  await byFile.shows("said", { name: "by-input", text: "hello" });
  if (Deno.build.os === "linux") {
    for (const { pid } of [server, byFile, byInput]) {
      const words = await run("cat", `/proc/${pid}/cmdline`);
      const environment = await run("cat", `/proc/${pid}/environ`);
      assert(!`${words}${environment}`.includes(secret));
    }
  }
  // `deno task` says what it runs.
  await using home = await Folder.make();
  const root = new URL("../..", import.meta.url).pathname;
  const words = ["task", "client", "--link", path, "--name", "by-task"];
  const task = await runToEnd([Deno.execPath(), ...words], {
    cwd: root,
    input: "from a task\n",
    env: {
      HOME: home.path,
      XDG_CONFIG_HOME: "",
      DENO_DIR: await cacheFolder(),
    },
  });
  assertEquals(task.code, 0, task.stderr);
  await byFile.shows("said", { name: "by-task", text: "from a task" });

  server.kill("SIGTERM");
  assertEquals(await server.finished(), 0);
  const output = [
    ...[server, byFile, byInput].flatMap((it) => [...it.stdout, ...it.stderr]),
    task.stdout,
    task.stderr,
    await Deno.readTextFile(folder.file("chat.log")),
    await Deno.readTextFile(folder.file("chat.people")),
  ];
  for (const text of output) assert(!text.includes(secret), text);
});

// ── Invites ────────────────────────────────────────────────────────────────────────────────────────────

/** What who has a link, or a code, that opens nothing is told. */
const CLOSED = /^The link or code does not open this room/;
const BANNED = /^You were removed from this room/;

/** A client that can't get in, and what it says of it. */
async function fails(options: ClientOptions): Promise<string> {
  await using client = await Client.plain({ name: "stranger", ...options });
  await client.endInput();
  assertEquals(await client.finished(), 1, client.transcript);
  return client.stderr[0] ?? "";
}

/** Waits until a link lets no stranger in any more, by handshakes alone, which use nothing up. */
async function isClosed(link: string): Promise<void> {
  for (let isOpen = true; isOpen;) {
    using stranger = await Intruder.by(link);
    isOpen = await stranger.isWelcome();
  }
}

Deno.test("invite lets in as many as it says, and who came by it comes back by the same link", async () => {
  await using at = await serverAt();
  const { server, folder } = at;
  await using home = await Folder.make();
  const one = await invite(folder, "for ana");
  const ana = { invite: one, name: "ana", home: home.path };
  {
    await using client = await JsonClient.join(ana);
    assertMatch(await fails({ invite: one }), CLOSED);
    await client.endInput();
    assertEquals(await client.finished(), 0);
  }
  {
    await using client = await JsonClient.join(ana);
    assertEquals(client.entrances[0]?.others, 0);
  }
  assertMatch(await fails({ invite: one }), CLOSED);
  assertEquals(await invite(folder, "list"), "No invite is open.");
  assert((await server.log()).every(({ name }) => name === "ana"));
});

/** Of clients that ask in the same instant, one comes in and the others don't. */
async function assertOneIsIn(...clients: JsonClient[]): Promise<void> {
  const outcomes = await Promise.all(clients.map((client) =>
    client.until(
      "in or out",
      () => client.all("joined")[0] ?? client.all("error")[0],
    )
  ));
  assertEquals(outcomes.map(({ type }) => type).sort(), ["error", "joined"]);
}

Deno.test("last uses of an invite go to no more than it lets in, however many ask in the same instant", async () => {
  await using at = await serverAt();
  const { server, folder } = at;
  const three = await invite(folder, "--uses", "3");
  using all = new DisposableStack();
  const guests = await Promise.all(
    Array.from({ length: 9 }, () => Intruder.by(three)),
  );
  guests.forEach((guest) => all.use(guest));
  for (const guest of guests) assert(await guest.isWelcome());
  await Promise.all(
    guests.map((guest, at) => guest.send(joinEvent(guest.identity, `g${at}`))),
  );
  const answers = await Promise.all(guests.map((guest) => guest.answer()));
  assertEquals(answers.sort(), [
    ...Array(6).fill("invite-used"),
    ...Array(3).fill("welcome"),
  ]);
  // Real clients, one of which is in.
  const one = await invite(folder);
  await using ana = await JsonClient.start({ invite: one, name: "ana" });
  await using ben = await JsonClient.start({ invite: one, name: "ben" });
  await assertOneIsIn(ana, ben);

  const joined = (await server.log()).filter(({ what }) => what === "joined");
  assertEquals(joined.length, 4);
});

Deno.test("invite that is revoked while the server runs lets in nobody more, and who came by it stays and comes back", async () => {
  await using at = await serverAt();
  const { server, folder } = at;
  const link = await invite(folder, "--uses", "9", "some people");
  await using proxy = new TcpProxy(server.port);
  await using ana = await JsonClient.join({
    invite: atPort(link, proxy.port),
    name: "ana",
  });
  using eve = await Intruder.by(link);
  const { id } = parseInvite(link);
  assertEquals(
    await invite(folder, "list"),
    `Invite ${id} (some people): 8 of 9 left, until ${
      new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10)
    }${/ \d\d:\d\d UTC$/.exec(await invite(folder, "list"))?.[0]}`,
  );
  await invite(folder, "revoke", String(id));
  await isClosed(link);
  await eve.send(joinEvent(eve.identity, "eve")); // shook hands before
  assertEquals(await eve.answer(), "invite-used");
  assertMatch(await fails({ invite: link }), CLOSED);

  await ana.type("still in");
  await ana.shows("said", { text: "still in" });
  proxy.cut();
  await ana.isIn(2);
  await ana.type("back");
  await ana.shows("said", { text: "back" });
  const names = (await server.log()).map(({ name }) => name);
  assert(names.every((name) => name === "ana"));
});

Deno.test("invite that has ended lets nobody in", async () => {
  await using at = await serverAt();
  const { server, folder } = at;
  const secret = randomBytes(32);
  const until = Date.now() - 1;
  const wish = { uses: 5, until, note: "", by: "" };
  const made = newInvite(wish, secret, () => false, Date.now());
  {
    using file = LineFile.open(folder.file("chat.people"));
    file.add([made]);
  }
  const { id } = made;
  const ended = formatInvite({ ...parseInvite(server.invite), id, secret });
  assertMatch(await fails({ invite: ended }), CLOSED);
  using eve = await Intruder.by(ended);
  assert(!await eve.isWelcome());
  assertEquals(await server.log(), []);
});

Deno.test("ban closes the invite by which somebody came, holds under another name, and ends with unban", async () => {
  await using room = await OperatedRoom.open();
  const { server, folder, op } = room;
  const link = await invite(folder, "--uses", "5");
  await using home = await Folder.make();
  const eve = { invite: link, home: home.path };
  const laptop = await JsonClient.join({ ...eve, name: "eve" });
  await using _laptop = laptop;
  await using desk = await JsonClient.join({ ...eve, name: "eve" });
  await ask(op, { type: "ban", name: "eve" });
  await op.shows("left", { name: "eve", reason: "removed by op" });
  for (const client of [laptop, desk]) {
    assertEquals(await client.finished(), 1);
    assertMatch(client.stderr[0] ?? "", /^You were removed from the room/);
  }
  assertEquals(op.all("invite"), []); // the standing link is another's
  const { port } = server;
  const identity = await identityIn(home);
  for (const name of ["eve", "mallory"]) {
    for (const place of [link, server.invite, `127.0.0.1:${port}`]) {
      const args = [place, "--identity", identity];
      assertMatch(await fails({ args, name, home: home.path }), BANNED);
    }
  }
  assertMatch(await fails({ invite: link }), CLOSED);
  await using kim = await JsonClient.join({
    invite: server.invite,
    name: "kim",
  });

  await ask(op, { type: "unban", name: "eve" });
  await op.line(/eve \([^)]*\) may come in again/);
  await using back = await JsonClient.join({ ...eve, name: "eve" });
  await back.type("here again");
  await kim.shows("said", { name: "eve", text: "here again" });
});

Deno.test("ban of one who came by the standing link replaces it: members come back, strangers and guests of the old one don't come in", async () => {
  await using room = await OperatedRoom.open();
  const { server, folder, op } = room;
  const { invite: old } = server;
  await using proxy = new TcpProxy(server.port);
  await using ben = await JsonClient.join({
    invite: atPort(old, proxy.port),
    name: "ben",
  });
  using eve = await Intruder.in(server, "eve");
  using reserve = await Intruder.by(old); // in case that it is banned
  assert(await reserve.isWelcome()); // its handshake is done before the link is replaced
  await op.shows("joined", { name: "eve" });
  await ask(op, { type: "ban", name: "eve", days: 1 });
  const shown: Shown & { readonly link?: string } = await op.shows("invite");
  const fresh = shown.link ?? "";
  assert(fresh !== old);
  const told = await eve.end();
  assertEquals(told.at(-1), { kind: "bye", reason: "removed" });
  await reserve.send(joinEvent(reserve.identity, "mallory"));
  assertEquals(await reserve.answer(), "invite-used");
  assertMatch(await fails({ invite: old }), CLOSED);
  using again = await Intruder.by(old, eve.identity);
  assert(!await again.isWelcome());
  // By another way it is told until when, once it asks to be let in.
  using linked = await Intruder.by(fresh, eve.identity);
  using member = await Intruder.back(server, eve.identity);
  for (const banned of [linked, member]) {
    await banned.send(joinEvent(banned.identity, "eve"));
    assertEquals(await banned.answer(), "removed");
  }

  assertEquals((await runServer(folder, ["--link"])).stdout, [fresh]);
  await using kim = await JsonClient.join({ invite: fresh, name: "kim" });
  proxy.cut();
  await ben.isIn(2);
  await ben.type("a member still");
  await kim.shows("said", { name: "ben", text: "a member still" });
});

// ── Spoken codes ───────────────────────────────────────────────────────────────────────────────────────

/** A code that was made, and the same with another number, and other words. */
async function spokenCode(folder: Folder) {
  const [place = "", code = ""] = (await invite(folder, "--code")).split(" ");
  const { number, words: [first, second] } = parseCode(code);
  const other = codeWords.first.filter((word) => word !== first);
  return {
    place,
    code,
    otherNumber: formatCode({ number: number + 1, words: [first, second] }),
    wrong: (nth = 0) =>
      formatCode({ number, words: [other[nth] ?? "", second] }),
  };
}

Deno.test("spoken code lets in one, who comes back, and then nobody", async () => {
  await using at = await serverAt();
  const { server, folder } = at;
  await using proxy = new TcpProxy(server.port);
  const { place, code } = await spokenCode(folder);
  assertEquals(place, `127.0.0.1:${server.port}`);
  const args = [`127.0.0.1:${proxy.port}`, code];
  await using ana = await JsonClient.join({ args, name: "ana" });
  assertMatch(await fails({ args: [place, code] }), CLOSED);
  proxy.cut();
  await ana.isIn(2);
  await ana.type("back");
  await ana.shows("said", { text: "back" });
  assertMatch(await fails({ args: [place, ...code.split("-")] }), CLOSED);
});

Deno.test("spoken code bears two wrong tries, and ends with the third, however many come at once", async () => {
  await using at = await serverAt({ args: NO_PAUSES });
  const { server, folder } = at;
  const wrongly = async (code: string) => {
    using guest = await Intruder.guessing(server, code);
    assert(!await guest.isWelcome());
  };
  const first = await spokenCode(folder);
  await wrongly(first.wrong(0));
  await wrongly(first.wrong(1));
  await wrongly(first.otherNumber);
  const { place, code } = first;
  await using _ana = await JsonClient.join({
    args: [place, code],
    name: "ana",
  });

  const second = await spokenCode(folder);
  for (const nth of [0, 1, 2]) await wrongly(second.wrong(nth));
  assertMatch(await fails({ args: [place, second.code] }), CLOSED);

  // Nor does the server forget it.
  let list = await invite(folder, "list");
  for (let tries = 0; tries < 100 && list.includes(second.code); tries++) {
    list = await invite(folder, "list");
  }
  assertEquals(list, "No invite is open.");

  const third = await spokenCode(folder);
  await Promise.all(
    Array.from({ length: 20 }, (_, nth) => wrongly(third.wrong(nth))),
  );
  assertMatch(await fails({ args: [place, third.code] }), CLOSED);
  assertEquals(moves(await server.log()), ["ana joined"]);
});

Deno.test("spoken code with a wrong number shows nothing that one with a wrong word doesn't", async () => {
  await using at = await serverAt({ args: NO_PAUSES });
  const { server, folder } = at;
  const { code, wrong, otherNumber } = await spokenCode(folder);
  const seen = [];
  for (const guess of [wrong(), otherNumber]) {
    await using proxy = new TcpProxy(server.port);
    const said = await fails({ args: [`127.0.0.1:${proxy.port}`, guess] });
    // Behind its third message the client asks to be let in, if the refusal isn't there yet.
    const records = proxy.records.filter(({ index }) => index < 2)
      .map(({ direction, index, type, bytes }) =>
        `${direction} ${index} ${type} ${bytes.length}`
      );
    seen.push([said, ...records.sort()]);
  }
  const [wrongWord, wrongNumber] = seen;
  assertEquals(wrongWord, wrongNumber);
  assertEquals(wrongWord?.length, 5); // three messages and a refusal
  const args = [`127.0.0.1:${server.port}`, code];
  await using _ana = await JsonClient.join({ args, name: "ana" });
});

Deno.test("spoken code shows nothing to a server that doesn't know it, and its client leaves", async () => {
  await using at = await serverAt();
  const { server, folder } = at;
  const { code, wrong } = await spokenCode(folder);
  const { keyPair } = await newIdentity();
  const password = passwordOf(parseCode(wrong()));
  const outcomes: boolean[] = [];
  const open: OpenCode = {
    inviteId: 7,
    password,
    guess: () => true,
    guessed: (wasRight) => void outcomes.push(wasRight),
  };
  // One that says no, and one that goes on as if it had been right.
  for (const isHonest of [true, false]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    await using proxy = new TcpProxy(port);
    const falsely = (async () => {
      using conn = await listener.accept();
      const inviteKey = () => undefined;
      const responder = new LocalResponder(keyPair);
      const failure = await assertRejects(
        () => acceptChannel(conn, { responder, inviteKey, code: () => open }),
      );
      if (!isHonest) {
        await writeAll(conn, new Uint8Array(randomBytes(80)));
      }
      return failure;
    })();
    const args = [`127.0.0.1:${proxy.port}`, code];
    const said = await fails({ args });
    if (isHonest) assertMatch(said, CLOSED);
    await falsely;
    const up = proxy.records.filter(({ direction }) => direction === "up");
    const { handshake, direct } = RecordType;
    const types = up.map(({ type }) => type);
    assertEquals(types.slice(0, 2), [handshake, handshake]);
    assert(types.slice(2).every((type) => type === direct)); // sealed by what only the code's owner knows
  }
  assertEquals(outcomes, [false, false]);
  const args = [`127.0.0.1:${server.port}`, code];
  await using _ana = await JsonClient.join({ args, name: "ana" });
});

Deno.test("spoken code's handshake can't be repeated by who has recorded it", async () => {
  await using at = await serverAt({ args: NO_PAUSES });
  const { server, folder } = at;
  const { code } = await spokenCode(folder);
  const isThird = ({ direction, index }: Passing) =>
    direction === "up" && index === 1;
  await using proxy = new TcpProxy(
    server.port,
    (record) => isThird(record) ? [CUT] : [record.bytes],
  );
  {
    using ana = await Intruder.guessing(proxy, code);
    assertEquals(await ana.end(), []);
  }
  const up = proxy.records.filter(({ direction }) => direction === "up");
  using wire = await Wire.to(server);
  const answer = await wire.exchange(concat(...up.map(({ bytes }) => bytes)));
  assertEquals(answer.at(-1), HandshakeRefusal.key);
  assertEquals(await server.log(), []);
  const args = [`127.0.0.1:${server.port}`, code];
  await using _ana = await JsonClient.join({ args, name: "ana" });
});

// ── One person, and two ────────────────────────────────────────────────────────────────────────────────

/** Waits until a client knows of a person by so many connections. */
async function showsConnections(
  client: JsonClient,
  name: string,
  count: number,
): Promise<void> {
  let shown: number | undefined;
  while (shown !== count) {
    const members = await present(client);
    shown = members.find(([it]) => it === name)?.[1];
    assertEquals(members.filter(([it]) => it === name).length, 1);
  }
}

Deno.test("person by five connections, two of which are lost at once, is one, is heard once, and leaves with the last", async () => {
  await using at = await serverAt();
  const { server } = at;
  await using home = await Folder.make();
  let isDown = false;
  await using proxy = new TcpProxy(
    server.port,
    ({ bytes }) => isDown ? [CUT] : [bytes],
  );
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  await using all = new AsyncDisposableStack();
  const clients: JsonClient[] = [];
  for (let count = 1; count <= 5; count++) {
    const invite = count > 3
      ? atPort(server.invite, proxy.port)
      : server.invite;
    const ana = { invite, name: "ana", home: home.path };
    clients.push(all.use(await JsonClient.join(ana)));
    await showsConnections(ben, "ana", count);
  }
  const lost = clients.slice(3);
  isDown = true;
  proxy.cut();
  await showsConnections(ben, "ana", 3);
  for (const client of lost) await client.shows("away");
  await clients[0]?.type("while two are away");
  isDown = false;
  for (const client of lost) await client.isIn(2);
  await showsConnections(ben, "ana", 5);

  const texts = ["while two are away"];
  for (const [nth, client] of clients.entries()) {
    const text = `from connection ${nth}`;
    texts.push(text);
    await client.type(text);
    for (const other of [ben, ...clients]) {
      await other.shows("said", { name: "ana", text });
    }
  }
  for (const client of [ben, ...clients]) {
    assertEquals(client.texts, texts);
    assertEquals((await present(client)).sort(), [["ana", 5], ["ben", 1]]);
  }
  for (const [nth, client] of clients.entries()) {
    assertEquals(ben.all("left"), []);
    await client.endInput();
    assertEquals(await client.finished(), 0);
    if (nth < 4) await showsConnections(ben, "ana", 4 - nth);
  }
  await ben.shows("left", { name: "ana", reason: "left" });
  const log = await server.log();
  assertEquals(moves(log), ["ben joined", "ana joined", "ana left left"]);
  for (const client of [ben, ...clients]) assertFollows(client, log);
});

Deno.test("name that two claim in the same instant is one's", async () => {
  await using at = await serverAt();
  const { server } = at;
  await using ben = await JsonClient.join({
    invite: server.invite,
    name: "ben",
  });
  for (let round = 0; round < 10; round++) {
    using one = await Intruder.at(server);
    using other = await Intruder.at(server);
    const claim = (guest: Intruder, name: string) =>
      guest.send(joinEvent(guest.identity, name));
    await Promise.all([
      claim(one, `ana-${round}`),
      claim(other, `ANA-${round}`),
    ]);
    const answers = await Promise.all([one.answer(), other.answer()]);
    assertEquals(answers.toSorted(), ["name-taken", "welcome"]);
    // Who was told no takes another, and then both want a third.
    const loser = answers[0] === "welcome" ? other : one;
    await claim(loser, `eve-${round}`);
    assertEquals(await loser.answer(), "welcome");
    await Promise.all(
      [one, other].map((guest) =>
        guest.send({ kind: "rename", name: `kim-${round}` })
      ),
    );
    await ben.shows("renamed", { newName: `kim-${round}` });
    await Promise.race([one, other].map((guest) => guest.hears("refused")));
  }
  const { invite } = server;
  await using one = await JsonClient.start({ invite, name: "lea" });
  await using other = await JsonClient.start({ invite, name: "Lea" });
  await assertOneIsIn(one, other);
  const renamed = (await server.log()).filter(({ what }) => what === "renamed");
  assertEquals(renamed.length, 10);
});
