import type { Bytes } from "../../crypto_utils.ts";
import { pause } from "../../src/base/timing.ts";
import { StreamError, StreamLostError } from "../../src/server/cluster/wire.ts";
import { assert, assertEquals, assertRejects } from "../kit/assert.ts";
import { utf8 } from "../kit/bytes.ts";
import { Folder } from "../kit/folder.ts";
import { LateProxy } from "../kit/late_proxy.ts";
import { NatsServer } from "../kit/nats.ts";
import { together } from "../kit/together.ts";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Adding, numbered, STREAM, TestWire, textsOf } from "../kit/wire.ts";

/** What happens with a nats-server, which has a folder. */
type Happening = (nats: NatsServer, folder: Folder) => Promise<void>;

const natsTest = withNats(Deno.test);
/** For those that wait until it is noticed what has become of NATS. */
const waitingTest = withNats(together("what becomes of NATS is noticed"));

/** Adds tests with a nats-server. @param add Takes one. */
function withNats(add: (name: string, fn: () => Promise<void>) => void) {
  return (name: string, happens: Happening): void =>
    add(name, async () => {
      await using folder = await Folder.make();
      await using nats = await NatsServer.start(folder.file("nats"));
      await happens(nats, folder);
    });
}

/** What NATS's own tools can do to a stream. */
async function withManager(
  nats: NatsServer,
  act: (
    manager: Awaited<ReturnType<typeof jetstreamManager>>,
  ) => Promise<unknown>,
): Promise<void> {
  const connection = await connect({ servers: nats.url });
  try {
    await act(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

/** Waits until a wire's `isUp` is as wanted. */
async function untilUp({ wire }: TestWire, isUp: boolean): Promise<void> {
  while (wire.isUp !== isUp) await pause(20);
}

natsTest(
  "a stream gives back the bytes, with places and times",
  async (nats) => {
    await using one = await TestWire.open(nats.url);
    const { first, last } = await one.wire.state();
    assertEquals([first, last], [1, 0]);
    const sizes = [0, 1, 65_536, 900_000];
    for (const size of sizes) {
      const data = new Uint8Array(size).fill(size & 255);
      assertEquals(
        await one.wire.publish(`${size}`, data),
        sizes.indexOf(size) + 1,
      );
    }
    const entries = await one.take(sizes.length);
    for (const [at, entry] of entries.entries()) {
      const size = sizes[at] ?? 0;
      assertEquals(entry.seq, at + 1);
      assertEquals(entry.data, new Uint8Array(size).fill(size & 255));
      assert(Math.abs(Date.now() - entry.at) < 60_000, `${entry.at}`);
      const same = await one.wire.entry(entry.seq);
      assertEquals(same?.data, entry.data);
      assertEquals(same?.at, entry.at);
    }
    assertEquals(await one.wire.entry(5), undefined);
  },
);

natsTest(
  "an id that comes again adds nothing, and gives the place of the first",
  async (nats) => {
    await using one = await TestWire.open(nats.url);
    assertEquals(await one.wire.publish("a", utf8("a")), 1);
    assertEquals(await one.wire.publish("b", utf8("b")), 2);
    assertEquals(await one.wire.publish("a", utf8("a")), 1);
    await nats.restart();
    assertEquals(await one.wire.publish("b", utf8("b")), 2);
    assertEquals(textsOf(await one.take(2)), ["a", "b"]);
  },
);

natsTest("servers that add at once see the same order", async (nats) => {
  await using one = await TestWire.open(nats.url);
  await using two = await TestWire.open(nats.url);
  const followed = Promise.all([one.take(1_000), two.take(1_000)]);
  await Promise.all([
    one.add(numbered("one ", 500)),
    two.add(numbered("two ", 500)),
  ]);
  const [first, second] = (await followed).map(textsOf);
  assertEquals(first, second);
  const of = (name: string) => first?.filter((it) => it.startsWith(name));
  assertEquals(of("one "), numbered("one ", 500));
  assertEquals(of("two "), numbered("two ", 500));
});

natsTest(
  "whoever follows gets each entry once, though NATS is killed again and again",
  async (nats) => {
    await using one = await TestWire.open(nats.url);
    await using two = await TestWire.open(nats.url);
    const followed = two.takeAll();
    const adding = new Adding(one);
    for (let times = 0; times < 3; times++) {
      await adding.more(100);
      await nats.restart();
    }
    const wanted = await adding.stop();
    assertEquals(await followed, wanted);
    assertEquals((await one.wire.state()).last, wanted.length);
  },
);

waitingTest(
  "a NATS that is stopped is away, and nothing is lost or doubled when it goes on",
  async (nats) => {
    await using one = await TestWire.open(nats.url);
    const followed = one.take(3);
    await one.add(["before"]);
    nats.stop();
    const adding = one.add(["meanwhile"]);
    await untilUp(one, false);
    await Promise.all([
      assertRejects(() => one.wire.publish("x", utf8("x")), StreamError),
      assertRejects(() => one.wire.state(), StreamError),
    ]);
    nats.cont();
    await adding;
    await one.add(["after"]);
    assertEquals(textsOf(await followed), ["before", "meanwhile", "after"]);
    assertEquals(one.changes, [false, true]);
  },
);

natsTest("connections that are cut lose and double nothing", async (nats) => {
  await using proxy = new LateProxy(nats.port);
  await using one = await TestWire.open(`nats://127.0.0.1:${proxy.port}`);
  const followed = one.takeAll();
  const adding = new Adding(one);
  for (let times = 0; times < 4; times++) {
    await adding.more(50);
    proxy.cut();
  }
  const wanted = await adding.stop();
  assertEquals(await followed, wanted);
  assertEquals((await one.wire.state()).last, wanted.length);
});

waitingTest(
  "a connection on which nothing comes any more is noticed",
  async (nats) => {
    await using proxy = new LateProxy(nats.port);
    await using one = await TestWire.open(`nats://127.0.0.1:${proxy.port}`);
    await using other = await TestWire.open(nats.url);
    const followed = one.take(2);
    await one.add(["heard"]);
    proxy.hold("down"); // NATS's words are lost from here on
    await other.add(["missed"]);
    assertEquals(textsOf(await followed), ["heard", "missed"]);
    assertEquals(one.changes, [false, true]);
  },
);

waitingTest("a consumer that somebody deletes is replaced", async (nats) => {
  await using one = await TestWire.open(nats.url);
  await one.add(["a"]);
  const { made } = await one.wire.state();
  const entries = one.wire.follow(1, made, one.signal)[Symbol.asyncIterator]();
  assertEquals((await entries.next()).value?.seq, 1);
  await withManager(nats, async ({ consumers }) => {
    for await (const { name } of consumers.list(STREAM)) {
      await consumers.delete(STREAM, name);
    }
  });
  await one.add(["b"]);
  assertEquals((await entries.next()).value?.seq, 2);
  await entries.return?.();
});

waitingTest(
  "a stream that lost everything is recognised, and another is made",
  async (nats) => {
    await using one = await TestWire.open(nats.url);
    await one.add(["a", "b"]);
    const { made } = await one.wire.state();
    const following = one.take(3, 1, made);
    const lost = assertRejects(() => following, StreamLostError);
    await nats.restart({ empty: true });
    await untilUp(one, true);
    await lost;
    const fresh = await one.wire.state();
    assertEquals([fresh.first, fresh.last], [1, 0]);
    assert(fresh.made !== made);
    await one.add(["c"]);
    await assertRejects(
      () => one.take(1, 1, made),
      StreamLostError,
      "The stream in NATS was made anew",
    );
    assertEquals(textsOf(await one.take(1)), ["c"]);
  },
);

waitingTest(
  "a stream that is deleted is lost to whoever follows it",
  async (nats) => {
    await using one = await TestWire.open(nats.url);
    await one.add(["a"]);
    const lost = assertRejects(
      () => one.take(2),
      StreamLostError,
      "The stream in NATS is gone",
    );
    await withManager(nats, ({ streams }) => streams.delete(STREAM));
    await lost;
    await assertRejects(() => one.wire.publish("b", utf8("b")), StreamError);
  },
);

natsTest(
  "entries that the stream has dropped are lost, and so are those that it never had",
  async (nats) => {
    await using one = await TestWire.open(nats.url);
    await one.add(numbered("", 10));
    await withManager(
      nats,
      ({ streams }) => streams.purge(STREAM, { keep: 4 }),
    );
    assertEquals((await one.wire.state()).first, 7);
    await assertRejects(
      () => one.take(1, 6),
      StreamLostError,
      "The stream in NATS begins with entry 7; 6 is wanted",
    );
    assertEquals(textsOf(await one.take(1, 7)), ["7"]);
    await assertRejects(
      () => one.take(1, 12),
      StreamLostError,
      "The stream in NATS ends with entry 10; 12 is wanted",
    );
    await withManager(nats, ({ streams }) => streams.deleteMessage(STREAM, 8));
    await assertRejects(
      () => one.take(3, 7),
      StreamLostError,
      "The stream in NATS lacks entry 8",
    );
  },
);

waitingTest(
  "a stream that was set back is recognised, though it has grown again",
  async (nats, folder) => {
    await using one = await TestWire.open(nats.url);
    await one.add(["a", "b"]);
    await nats.kill();
    await copyFolder(folder.file("nats/store"), folder.file("saved"));
    await nats.run();
    await one.add(["c"]);
    const { made } = await one.wire.state();
    const entries = one.wire.follow(3, made, one.signal)
      [Symbol.asyncIterator]();
    assertEquals((await entries.next()).value?.seq, 3);
    await nats.kill();
    await untilUp(one, false);
    await Deno.remove(folder.file("nats/store"), { recursive: true });
    await Deno.rename(folder.file("saved"), folder.file("nats/store"));
    await nats.run();
    await one.add(["d", "e"]);
    await assertRejects(
      async () => await entries.next(),
      StreamLostError,
      "was set back: it has another entry 3 than before",
    );
  },
);

natsTest("messages reach all who listen, as long as they do", async (nats) => {
  await using one = await TestWire.open(nats.url);
  await using two = await TestWire.open(nats.url);
  const heard: string[] = [];
  const hear = (who: string) => (data: Bytes) => {
    heard.push(`${who} ${textsOf([{ data }])[0]}`);
  };
  const ending = new AbortController();
  const { promise: last, resolve } = Promise.withResolvers<void>();
  one.wire.listen("a", hear("one"), one.signal);
  two.wire.listen("a", hear("two"), ending.signal);
  two.wire.listen("other", hear("two"), two.signal);
  two.wire.listen("last", () => resolve(), two.signal);
  await two.wire.state(); // NATS knows by now what is listened to
  one.wire.send("a", utf8("1"));
  await one.wire.state();
  await two.wire.state();
  ending.abort();
  await two.wire.state();
  one.wire.send("a", utf8("2"));
  one.wire.send("last", utf8("3"));
  await last;
  await one.wire.state(); // behind what NATS has told it
  assertEquals(heard.sort(), ["one 1", "one 2", "two 1"]);
});

Deno.test("the stream takes what place there is", async () => {
  await using folder = await Folder.make();
  await using nats = await NatsServer.start(folder.path, {
    config: "jetstream { max_file_store: 300MB }",
  });
  await using one = await TestWire.open(nats.url);
  await one.add(["a"]);
  await withManager(nats, async ({ streams }) => {
    const { config } = await streams.info(STREAM);
    assertEquals(config.max_bytes, 256 * 1_048_576);
    assertEquals(config.max_age, 7 * 86_400 * 1e9);
    assertEquals(config.duplicate_window, 120 * 1e9);
  });
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (isDirectory) await copyFolder(source, target);
    else await Deno.copyFile(source, target);
  }
}
