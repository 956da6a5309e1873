/**
 * Tests of the benchmark's own reckoning: if it were wrong, every figure would be.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { type Figures, median, spread } from "../../../bench/load/figures.ts";
import { Lines } from "../../../bench/peers/lines.ts";
import { Opener, textOf } from "../../../bench/load/opener.ts";
import { protocol } from "../../../bench/peers/protocols.ts";
import {
  type MeteredRecord,
  RecordMeter,
} from "../../../bench/load/record_meter.ts";
import { ServerProcess, UNPINNED } from "../../../bench/load/processes.ts";
import { OURS, summary, table } from "../../../bench/report.ts";
import { Sequence } from "../../../bench/load/sequence.ts";
import { strangerCosts } from "../../../bench/strangers/costs.ts";
import { quantile, strangerDelays } from "../../../bench/strangers/delays.ts";
import { Talk } from "../../../bench/strangers/talk.ts";
import { concat, DecryptionError } from "../../../crypto_utils.ts";
import { Epoch } from "../../../src/crypto/epoch.ts";
import { epochFields } from "../../../src/protocol/epoch_event.ts";
import {
  encodeEvent,
  type Event,
  packEvents,
} from "../../../src/protocol/events.ts";
import {
  broadcastHeader,
  directHeader,
  encodeHeader,
  RecordType,
} from "../../../src/protocol/records.ts";
import { measureRestarts } from "../../../bench/load/starts.ts";

/** Where loads run, and what processes use can be read. */
const ON_LINUX = { ignore: Deno.build.os !== "linux" };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same bytes whole, in two pieces at every place, and byte by byte. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  for (let at = 1; at < bytes.length; at++) {
    yield [bytes.slice(0, at), bytes.slice(at)];
  }
  yield Array.from(bytes, (byte) => new Uint8Array([byte]));
}

Deno.test("median() is the middle value, or the mean of the two in the middle", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([10, 9, 1, 2]), 5.5);
  assertEquals(median([7]), 7);
  assertThrows(() => median([]), RangeError, "the median of nothing");
});

Deno.test("spread() has the median, the least, the most and how many", () => {
  const found = spread([5, 1, 30, 4]);
  assertEquals(found, { median: 4.5, min: 1, max: 30, count: 4 });
});

Deno.test("Lines gives every line once, however the bytes are cut", () => {
  for (const cut of pieces(encoder.encode("PING\r\n\r\nPUB room\r\nrest"))) {
    const found: string[] = [];
    const lines = new Lines((bytes, start, end) => {
      found.push(decoder.decode(bytes.subarray(start, end)));
    });
    for (const piece of cut) lines.push(piece);
    assertEquals(found, ["PING", "", "PUB room"]);
  }
});

Deno.test("RecordMeter gives every record's size and last bytes, however the bytes are cut", () => {
  const record = (size: number, last: number) => {
    const bytes = new Uint8Array(size).fill(9);
    bytes.set([size >> 8, size & 0xff, RecordType.broadcast]);
    bytes[size - 1] = last;
    return [...bytes];
  };
  const bytes = Uint8Array.from([...record(40, 1), ...record(300, 2)]);
  const nines = 0x0909_0909_0900; // the five bytes before the last
  for (const cut of pieces(bytes)) {
    const found: MeteredRecord[] = [];
    const meter = new RecordMeter((it) => found.push(it));
    meter.keeping = false;
    for (const piece of cut) meter.push(piece);
    const seen = found.map(({ size, print }) => [size, print]);
    assertEquals(seen, [[40, nines + 1], [300, nines + 2]]);
  }
});

Deno.test("Sequence holds every member to what the first one saw", () => {
  const sequence = new Sequence();
  sequence.meet(0, 50, 123);
  sequence.meet(0, 50, 123);
  assertEquals(sequence.metBy(0), 2);
  assertEquals(sequence.metBy(1), 0);
  assertThrows(() => sequence.meet(0, 50, 124), Error, "isn't the same");
  assertThrows(() => sequence.meet(0, 51, 123), Error, "isn't the same");
  assertThrows(() => sequence.meet(2, 50, 123), Error, "isn't the same");
});

Deno.test("Sequence counts messages as far as all records before are open", () => {
  const sequence = new Sequence();
  sequence.open(1, 5);
  assertEquals(sequence.opened, 0);
  sequence.open(0, 2);
  assertEquals(sequence.opened, 2);
  assertEquals(sequence.messagesBefore(2), 7);
  assertThrows(() => sequence.open(1, 6), Error, "says different things");
});

/** What an opener makes of five batches that have come together, after the second of which the key changes. */
async function openedBatches(keysChange: boolean): Promise<number[]> {
  const remoteKey = new Uint8Array(32);
  let epoch = await Epoch.fresh(remoteKey, 1);
  const key: Event = { kind: "epoch", ...epochFields(epoch) };
  const opened: number[] = [];
  const opener = new Opener({
    remoteKey,
    open: () => Promise.resolve([key, { kind: "chain", seq: 0, value: "" }]),
    send: () => Promise.resolve(),
  }, {
    keysChange,
    welcome() {},
    opened: (ordinal) => void opened.push(ordinal),
  });
  opener.push(directHeader(0)); // in which the key comes
  for (let at = 0; at < 5; at++) {
    const said: Event = {
      kind: "said",
      id: 1,
      n: at + 1,
      text: textOf(at + 1),
    };
    const batch: Event = { kind: "batch", seq: at + 1, at: 0 };
    const events: Event[] = [batch, said];
    if (at === 1) events.push({ kind: "ratchet" });
    const [plaintext] = packEvents(events.map(encodeEvent));
    assert(plaintext);
    const header = broadcastHeader(plaintext.length);
    opener.push(concat(header, await epoch.seal(plaintext, header)));
    if (at === 1) epoch = await epoch.ratchet();
  }
  await opener.work();
  return opened;
}

Deno.test("Opener opens all broadcasts that have come together at once, and one by one where keys may change", async () => {
  assertEquals(await openedBatches(true), [0, 1, 2, 3, 4]);
  await assertRejects(() => openedBatches(false), DecryptionError);
});

/** Opens one direct record with these events, as a member that has seen event 7. */
async function openAfter7(...events: Event[]): Promise<void> {
  const channel = {
    remoteKey: new Uint8Array(32),
    open: () => Promise.resolve(events),
    send: () => Promise.resolve(),
  };
  const opener = new Opener(channel, {
    keysChange: true,
    welcome() {},
    opened() {},
  }, 7);
  opener.push(encodeHeader(RecordType.direct, 0));
  await opener.work();
}

Deno.test("Opener holds a member that comes back to every event after the last one that it saw, once", async () => {
  const chain = { kind: "chain", seq: 7, value: "" } as const;
  const past = (seq: number): Event => ({
    ...{ kind: "past", seq, at: 0, person: "", stay: "", n: 1, what: "said" },
    ...{ to: null, name: "ana", text: "" },
  });
  const welcome = (seq: number): Event => {
    return { kind: "welcome", id: 1, seq, at: 0, name: "ana" };
  };
  await openAfter7(chain, past(8), past(9), welcome(9));
  await openAfter7(chain, welcome(7));
  const wrong: [string, Event[]][] = [
    ["event 9 comes instead of 8", [chain, past(9)]],
    ["event 8 comes instead of 9", [chain, past(8), past(8)]],
    ["event 10 comes instead of 9", [chain, past(8), welcome(9)]],
    ["not all is told after 7", [{ ...chain, seq: 8 }]],
  ];
  for (const [what, events] of wrong) {
    await assertRejects(() => openAfter7(...events), Error, what);
  }
});

Deno.test(
  "measureRestarts() has all members back after their server was killed, whether they wait or not",
  ON_LINUX,
  async () => {
    const { signal: stop } = new AbortController();
    const plan = { members: [8], runs: 1, pins: UNPINNED, stop };
    const found = await measureRestarts(plan);
    assertEquals(found.map(({ members, pauses }) => [members, pauses]), [
      [8, false],
      [8, true],
    ]);
    for (const { backMs, servedMs, troubles } of found) {
      assert(0 < backMs.median && backMs.median < servedMs.median);
      assertEquals(troubles, {});
    }
  },
);

/** What a protocol makes of lines. */
function meanings(kind: "nats" | "irc", lines: readonly string[]): string[] {
  const member = protocol(kind, "ana", true);
  return lines.map((line) => {
    const bytes = encoder.encode(`left over\n${line}`);
    return member.read(bytes, bytes.indexOf(10) + 1, bytes.length);
  });
}

Deno.test("a member on nats-server tells messages from all else", () => {
  const text = textOf(1);
  const lines = ["INFO {}", "PONG", "MSG room 1 100", text, "PING", "+OK"];
  assertEquals(
    meanings("nats", lines),
    ["other", "done", "other", "message", "ping", "other"],
  );
  assertEquals(meanings("nats", ["-ERR 'no'"]), ["error"]);
  // What a text begins with means nothing.
  assertEquals(
    meanings("nats", ["MSG room 1 100", "PING", "PING"]),
    ["other", "message", "ping"],
  );
});

Deno.test("a member on InspIRCd tells messages from all else", () => {
  const lines = [
    ":irc.example 001 ana :Welcome",
    ":irc.example 422 ana :MOTD file is missing.",
    ":bo!bo@127.0.0.1 JOIN :#room",
    ":irc.example 366 ana #room :End of /NAMES list.",
    `:bo!bo@127.0.0.1 PRIVMSG #room :${textOf(1)}`,
    "PING :irc.example",
    ":bo!bo@127.0.0.1 PART #room",
    ":irc.example 433 * ana :Nickname is already in use.",
    "ERROR :Closing link",
  ];
  assertEquals(meanings("irc", lines), [
    "other",
    "done",
    "other",
    "done",
    "message",
    "ping",
    "other",
    "error",
    "error",
  ]);
});

/** Figures of one room, all of them the same number. */
function room(server: string, members: number, value: number): Figures {
  const same = spread([value]);
  const flow = {
    deliveriesPerSecond: same,
    serverUsPerDelivery: same,
    serverCpu: same,
    loadCpu: same,
    natsCpu: same,
  };
  return {
    server,
    members,
    joinsPerSecond: same,
    joinServerCpu: same,
    joinLoadCpu: same,
    joinNatsCpu: same,
    kibPerMember: same,
    kibPerMemberFromEmpty: same,
    loneMs: same,
    loneServerMs: same,
    loneNatsMs: same,
    saturated: flow,
    hundredTalkers: flow,
  };
}

Deno.test("summary() takes each figure from the room that its key names, and never from another server", () => {
  const rooms = [
    room("other", 100, 1),
    room(OURS, 100, 2),
    room("other", 1_000, 3),
    room(OURS, 1_000, 4),
    room("other", 1_000, 5),
  ];
  assertEquals(summary(rooms), {
    saturated_100: 2,
    saturated_1000: 4,
    hundred_talkers_1000: 4,
    lone_100_ms: 2,
    lone_1000_ms: 4,
    joins_per_second: 4,
    kib_per_member: 4,
  });
  assertEquals(summary([room(OURS, 10, 1)]), {
    saturated_100: null,
    saturated_1000: null,
    hundred_talkers_1000: null,
    lone_100_ms: null,
    lone_1000_ms: null,
    joins_per_second: null,
    kib_per_member: 1,
  });
});

Deno.test("table() has the median, the least and the most of every room's figures", () => {
  const lone = spread([1, 2, 9]);
  const rooms = [{ ...room(OURS, 100, 3_000_000), loneMs: lone }];
  const report = {
    date: "",
    version: "",
    machine: {
      system: "",
      processor: "",
      processors: 2,
      memoryGib: 1,
      loadAverage: 0,
      deno: "",
      v8: "",
    },
    pinning: "",
    settings: {
      loneMessages: 1,
      loneWarmup: 1,
      windows: 1,
      windowTime: 1,
      warmupTime: 1,
      settleTime: 1,
    },
    summary: summary(rooms),
    rooms,
  };
  const lines = table(report).split("\n").map((line) => line.split(/ {2,}/));
  assertEquals(
    lines.find(([, , what]) => what?.startsWith("lone message, ms until")),
    [
      OURS,
      "100",
      "lone message, ms until all have it",
      "2.000",
      "1.000 – 9.000",
      "3",
    ],
  );
});

Deno.test("quantile() is the value below which that share is, or the last", () => {
  const values = [5, 1, 4, 2, 3];
  assertEquals([0, 0.5, 0.99, 1].map((it) => quantile(values, it)), [
    1,
    3,
    5,
    5,
  ]);
  assertThrows(() => quantile([], 0.5), RangeError, "a quantile of nothing");
});

Deno.test(
  "strangerDelays() has the delay of every message, while strangers come and fail",
  ON_LINUX,
  async () => {
    const { signal } = new AbortController();
    const flood = { kind: "bad", atOnce: 8, addresses: 4 } as const;
    const settings = { talkers: 4, warmUpTime: 1, settleTime: 1, talkTime: 2 };
    const found = await strangerDelays(
      { name: "a small flood", flood },
      settings,
      UNPINNED,
      signal,
    );
    assertEquals([found.meanwhile, found.count], ["a small flood", 8]);
    const { medianMs, p99Ms, maxMs } = found;
    assert(0 < medianMs && medianMs <= p99Ms && p99Ms <= maxMs);
    assert(found.strangersPerSecond > 0);
  },
);

Deno.test(
  "strangerCosts() measures strangers that wait, leave, talk rubbish and have a wrong key",
  ON_LINUX,
  async () => {
    const { signal } = new AbortController();
    const waiting = { waiting: 40, waitingBefore: 10, settleTime: 0 };
    const attempts = { attempts: 40, attemptsBefore: 4 };
    const costs = await strangerCosts(
      { ...waiting, ...attempts },
      UNPINNED,
      signal,
    );
    // The clock of processor time is too coarse for so few; a handshake takes long enough for it.
    assert(costs.wrongKeyMs > 0);
    assert(Object.values(costs).every(Number.isFinite));
  },
);

Deno.test("Talk ends, and says what it waited for, where messages don't arrive or nobody is let in", async () => {
  const { signal } = new AbortController();
  const options = { unheard: true };
  await using server = await ServerProcess.start(UNPINNED, [], signal, options);
  using talk = new Talk(server.invite);
  await talk.enter(2);
  assertEquals((await talk.talk(1)).length, 2);
  using others = new Talk(server.invite);
  await assertRejects(() => others.enter(1), Error, "name-taken");
  Deno.kill(server.pid, "SIGSTOP");
  try {
    const never = "of 2 messages that arrive, 0 came in 0.1 s";
    await assertRejects(() => talk.talk(1, 100), Error, never);
  } finally {
    Deno.kill(server.pid, "SIGCONT");
  }
});
