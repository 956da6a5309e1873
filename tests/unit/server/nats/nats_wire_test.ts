/**
 * How a server comes to NATS and uses it, where NATS says, refuses or keeps silent what a test wants; what a real one does is
 * tested in `tests/cluster`.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import {
  StreamError,
  StreamLostError,
  type Wire,
} from "../../../../src/server/cluster/wire.ts";
import { Connection } from "../../../../src/server/nats/nats_connection.ts";
import type { NatsOptions } from "../../../../src/server/nats/nats_options.ts";
import {
  checkNats,
  connectNats,
} from "../../../../src/server/nats/nats_wire.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { Folder } from "../../../kit/folder.ts";
import { NatsAccount } from "../../../kit/nats_account.ts";
import { overhear } from "../../../kit/overhear.ts";
import { replaced } from "../../../kit/replaced.ts";
import { ScriptedNats } from "../../../kit/scripted_nats.ts";
import { ROOM, STREAM } from "../../../kit/wire.ts";

/** A test with a NATS of its own. */
function natsTest(
  name: string,
  test: (nats: ScriptedNats) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await using nats = ScriptedNats.start();
    await test(nats);
  });
}

/** Has a test use a wire. */
async function withWire(
  nats: ScriptedNats,
  test: (wire: Wire) => Promise<void> | void,
  details: Partial<NatsOptions> = {},
): Promise<void> {
  const wire = await connectNats({ ...nats.options, ...details }, ROOM);
  try {
    await test(wire);
  } finally {
    await wire.close();
  }
}

/** Why a server can't use a NATS. */
async function refusal(
  nats: ScriptedNats,
  details: Partial<NatsOptions> = {},
): Promise<string> {
  const options = { ...nats.options, ...details };
  const error = await assertRejects(
    () => connectNats(options, ROOM),
    AdvisedError,
  );
  return error.message.replace(nats.url, "URL");
}

/** Waits until something holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    assert(turn < 20_000, "it never comes");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Timers of a second or more: they end when a test says so. */
class HeldTimers implements Disposable {
  /** For how long timers were set, ms, in order. */
  readonly set: number[] = [];
  readonly #held = new Map<number, readonly [ms: number, run: () => void]>();
  readonly #replaced = new DisposableStack();

  constructor() {
    const { setTimeout, clearTimeout } = globalThis;
    const start = (
      run: (...args: unknown[]) => void,
      ms = 0,
      ...args: unknown[]
    ) => {
      const id = -this.set.push(ms);
      if (ms < 1_000) return setTimeout(run, ms, ...args);
      this.#held.set(id, [ms, () => run(...args)]);
      return id;
    };
    const end = (id: number) => this.#held.delete(id) || clearTimeout(id);
    this.#replaced.use(replaced(globalThis, "setTimeout", start));
    this.#replaced.use(replaced(globalThis, "clearTimeout", end));
  }

  /** Ends those that were set for a time, ms. @returns How many. */
  end(ms: number): number {
    let count = 0;
    for (const [id, [time, run]] of [...this.#held]) {
      if (time !== ms) continue;
      this.#held.delete(id);
      run();
      count++;
    }
    return count;
  }

  [Symbol.dispose](): void {
    this.#replaced.dispose();
  }
}

natsTest(
  "a stream is made as docs/operations.md says, once, and all is tried that a room needs",
  async (nats) => {
    const lines = await overhear("info", () => withWire(nats, () => {}));
    assertMatch(
      lines.join("\n"),
      /Made the stream chat_test, of up to 4096 MiB/,
    );
    const made = nats.asked.filter(({ what }) =>
      what === `STREAM.CREATE.${STREAM}`
    );
    assertEquals(made.length, 1);
    const { name, subjects, retention, discard, storage, max_age, max_bytes } =
      made[0]?.json ?? {};
    const { duplicate_window, num_replicas } = made[0]?.json ?? {};
    assertEquals(
      { name, subjects, retention, discard, storage, max_age, max_bytes },
      {
        name: STREAM,
        subjects: ["chat.test.entries"],
        retention: "limits",
        discard: "old",
        storage: "file",
        max_age: 7 * 86_400 * 1e9,
        max_bytes: 4_096 * 1_048_576,
      },
    );
    assertEquals([duplicate_window, num_replicas], [120e9, 1]);
    const sent = nats.published.map(({ subject }) => subject)
      .filter((it) => !it.startsWith("_INBOX"));
    assertEquals(sent.map((it) => it.replace(/try\.\w+$/, "try.X")), [
      "chat.test.m.try.X",
      "$JS.FC.chat_test.try",
      "chat.test.entries",
    ]);
    assertEquals(nats.stream?.entries, []);
    const consumers = nats.asked.filter(({ what }) =>
      what.startsWith("CONSUMER")
    );
    assertMatch(
      consumers.map(({ what }) => what).join(" "),
      /^CONSUMER\.CREATE\.chat_test\S* CONSUMER\.DELETE\.chat_test\.c1$/,
    );
    const config = consumers[0]?.json["config"] as Record<string, unknown>;
    assertEquals([
      config["ack_policy"],
      config["mem_storage"],
      config["num_replicas"],
      config["deliver_policy"],
    ], ["none", true, 1, "new"]);
    await withWire(nats, () => {});
    assertEquals(
      nats.asked.filter(({ what }) => what.startsWith("STREAM.CREATE")).length,
      1,
    );
  },
);

natsTest(
  "entries are added, and found by their places",
  (nats) =>
    withWire(nats, async (wire) => {
      assertEquals(await wire.state(), {
        made: "2026-11-23T00:00:00.000000001Z",
        first: 1,
        last: 0,
      });
      assertEquals(await wire.publish("id-1", utf8("one")), 1);
      const { headers } = nats.published.findLast(({ subject }) =>
        subject === "chat.test.entries"
      ) ?? {};
      assertMatch(headers ?? "", /Nats-Msg-Id: id-1\r\n/i);
      assertMatch(headers ?? "", /Nats-Expected-Stream: chat_test\r\n/i);
      const at = Date.parse("2026-11-23T00:00:01.5Z");
      assertEquals(await wire.entry(1), { seq: 1, at, data: utf8("one") });
      assertEquals(await wire.entry(2), undefined);
      const { first, last } = await wire.state();
      assertEquals([first, last], [1, 1]);
      assertEquals(wire.maxSize, 1_048_576 - 1_024);
      nats.refuse("STREAM.MSG.GET", 10_001);
      await assertRejects(
        () =>
          wire.entry(1),
        StreamError,
        "Cannot read the stream: no 10001",
      );
      nats.refuse("STREAM.INFO", 10_001);
      await assertRejects(
        () => wire.state(),
        StreamError,
        "Cannot find the stream: no 10001",
      );
    }),
);

natsTest(
  "messages go to those who listen, until they don't any more",
  (nats) =>
    withWire(nats, async (wire) => {
      const heard: string[] = [];
      const ending = new AbortController();
      const hear = (data: Uint8Array) =>
        void heard.push(new TextDecoder().decode(data));
      wire.listen("news", hear, ending.signal);
      wire.listen("news", hear, AbortSignal.abort());
      wire.listen("other", hear, ending.signal);
      wire.send("news", utf8("one"));
      await until(() => heard.length > 0);
      ending.abort();
      wire.send("news", utf8("two"));
      await wire.state();
      assertEquals(heard, ["one"]);
      const subjects = nats.published.map(({ subject }) => subject);
      assertEquals(
        subjects.filter((it) => it === "chat.test.m.news").length,
        2,
      );
    }),
);

natsTest(
  "a connection that is lost comes back; what was asked fails meanwhile, and what is sent gets lost",
  (nats) =>
    withWire(nats, async (wire) => {
      const changes: boolean[] = [];
      wire.changed = (isUp) => void changes.push(isUp);
      nats.silent.add("STREAM.INFO");
      const asked = assertRejects(
        () => wire.state(),
        StreamError,
        "The connection to NATS is lost",
      );
      await until(() => nats.asked.at(-1)?.what === `STREAM.INFO.${STREAM}`);
      nats.shut();
      assert(!(await asked).message.includes("Cannot"));
      assertEquals([changes, wire.isUp], [[false], false]);
      wire.send("news", utf8("lost"));
      const waiting = wire.publish("id-1", utf8("one"));
      nats.silent.clear();
      nats.reopen();
      assertEquals(await waiting, 1);
      assertEquals([changes, wire.isUp], [[false, true], true]);
      assert(nats.published.every(({ subject }) => !subject.endsWith("news")));
    }),
);

natsTest(
  "the owner is told once of each right that NATS takes away, until the connection is another",
  (nats) =>
    withWire(nats, async (wire) => {
      const lines = await overhear("warning", async () => {
        nats.denied.add("chat.test.m");
        for (const subject of ["news", "news", "to.a", "other"]) {
          wire.send(subject, utf8("x"));
        }
        wire.listen("more", () => {}, new AbortController().signal);
        await wire.state();
        nats.complain("Something odd");
        await wire.state();
        nats.drop();
        await until(() => !wire.isUp);
        await until(() => wire.isUp);
        wire.send("news", utf8("x"));
        await wire.state();
      });
      const told = lines.map((it) => it.replace(/^\w+ nats: /, ""));
      const doesnt =
        "NATS doesn't allow publish chat.test.m.news: give this server's user that right again";
      assertEquals(told.filter((it) => it.includes("publish")), [
        doesnt,
        doesnt,
      ]);
      assertEquals(
        told.filter((it) => it.includes("Cannot hear chat.test.m.more"))
          .length > 0,
        true,
      );
      assertEquals(
        told.filter((it) => it === "NATS says: Something odd").length,
        1,
      );
    }),
);

natsTest(
  "a NATS that is too old, or takes too small messages, is refused, and one that is just enough isn't",
  async (nats) => {
    nats.info["version"] = "2.9.9";
    assertEquals(
      await refusal(nats),
      'Cannot use NATS at "URL": its version is 2.9.9',
    );
    await assertRejects(
      () => checkNats(nats.options, ROOM),
      AdvisedError,
      "its version is 2.9.9",
    );
    nats.info["version"] = "2.9.10";
    nats.info["max_payload"] = 1_048_575;
    assertMatch(
      await refusal(nats),
      /a message may have at most 1048575 bytes there/,
    );
    nats.info["max_payload"] = 1_048_576;
    await withWire(nats, () => {});
  },
);

natsTest(
  "a server shows its name and who it is, by a user and a password, or by a token",
  async (nats) => {
    const login = { kind: "user", user: "ana", password: "s3cret" } as const;
    await withWire(nats, () => {}, { login });
    const [first] = nats.connects;
    assertEquals([first?.["name"], first?.["user"], first?.["pass"]], [
      "encrypted-chat",
      "ana",
      "s3cret",
    ]);
    const token = { kind: "token", token: "abc" } as const;
    await withWire(nats, () => {}, { login: token });
    assertEquals(nats.connects.at(-1)?.["auth_token"], "abc");
  },
);

natsTest(
  "of several addresses the first that can be used is used, and what is wrong with the first one is told",
  async (nats) => {
    const closed = ScriptedNats.start();
    closed.shut();
    const urls = [closed.url, nats.url];
    await withWire(nats, (wire) => assertEquals(wire.isUp, true), {
      urls,
    });
    nats.info["version"] = "1.0.0";
    const error = await assertRejects(
      () => connectNats({ ...nats.options, urls }, ROOM),
      AdvisedError,
    );
    assertMatch(
      error.message,
      new RegExp(`"${closed.url}": connection refused`),
    );
  },
);

natsTest(
  "a stream is made as large as NATS has place for, and not at all where there is too little",
  async (nats) => {
    nats.refuse("STREAM.CREATE", 10_047, 2);
    await withWire(nats, () => {});
    assertEquals(nats.stream?.config["max_bytes"], 256 * 1_048_576);
    nats.stream = undefined;
    nats.refuse("STREAM.CREATE", 10_047);
    assertMatch(
      await refusal(nats),
      /it has no place for the room's stream \(no 10047\)/,
    );
    const sizes = nats.asked.filter(({ what }) =>
      what.startsWith("STREAM.CREATE")
    )
      .slice(-4).map(({ json }) => Number(json["max_bytes"]) / 1_048_576);
    assertEquals(sizes, [4_096, 1_024, 256, 64]);
    nats.refuse("STREAM.CREATE", 10_050);
    const { length } = nats.asked;
    assertMatch(await refusal(nats), /no 10050/);
    const more = nats.asked.slice(length).filter(({ what }) =>
      what.startsWith("STREAM.CREATE")
    );
    assertEquals(more.length, 1);
  },
);

natsTest(
  "a stream that another server has made meanwhile is used as it is, and fewer copies than wanted are told",
  async (nats) => {
    nats.stream = { config: { name: STREAM, num_replicas: 1 }, entries: [] };
    nats.refuse("STREAM.INFO", 10_059, 1);
    nats.refuse("STREAM.CREATE", 10_058);
    const lines = await overhear(
      "warning",
      () =>
        withWire(nats, async (wire) => void await wire.state(), {
          replicas: 3,
        }),
    );
    assertMatch(lines.join("\n"), /The stream chat_test has 1 replicas, not 3/);
    const none = await overhear(
      "warning",
      () => withWire(nats, () => {}),
    );
    assertEquals(none, []);
  },
);

natsTest(
  "a JetStream that only starts is waited for, where there may be one, and that is told once",
  async (nats) => {
    nats.refuse("STREAM.INFO", 10_008, 2);
    const lines = await overhear("info", () => withWire(nats, () => {}));
    assertEquals(
      lines.filter((it) => it.includes("isn't ready yet")).length,
      1,
    );
    nats.info["jetstream"] = false;
    nats.info["cluster"] = "c";
    nats.unheard.add("STREAM.INFO");
    const opening = withWire(nats, () => {});
    await until(() =>
      nats.asked.filter(({ what }) => what.startsWith("STREAM.INFO")).length > 5
    );
    nats.unheard.clear();
    await opening;
    delete nats.info["cluster"];
    nats.unheard.add("STREAM.INFO");
    const { length } = nats.asked;
    assertMatch(await refusal(nats), /Cannot keep the room in NATS at "URL"/);
    assertEquals(nats.asked.length, length + 1);
  },
);

natsTest(
  "a server that may not do something stays away, and says what that is",
  async (nats) => {
    await withWire(nats, () => {});
    for (
      const [denied, what] of [
        ["chat.test.m", 'subscription "chat.test.m.try'],
        ["$JS.FC", 'publish "$JS.FC.chat_test.try"'],
      ] as const
    ) {
      nats.denied.add(denied);
      const logged = await overhear("warning", async () => {
        const said = await refusal(nats);
        assert(said.includes(`it doesn't allow ${what}`), said);
      });
      assertEquals(logged.filter((it) => it.includes("give this")), []);
      nats.denied.clear();
    }
    nats.refuse("entries", 10_060);
    assertMatch(await refusal(nats), /no 10060/);
  },
);

natsTest(
  "checking changes nothing, and names the stream and any right that is missing",
  async (nats) => {
    assertEquals(await checkNats(nats.options, ROOM), {
      url: nats.url,
      stream: STREAM,
    });
    assertEquals(await checkNats(nats.options, undefined), {
      url: nats.url,
      stream: undefined,
    });
    assertEquals(nats.stream, undefined);
    assertEquals(nats.asked.filter(({ what }) => what === "INFO").length, 2);
    const rights = [
      "STREAM.CREATE",
      "STREAM.MSG.GET",
      "CONSUMER.CREATE",
      "CONSUMER.DELETE",
    ];
    const asked = nats.asked.map(({ what }) => what);
    for (const right of rights) {
      assert(asked.some((it) => it.startsWith(`${right}.${STREAM}`)), right);
      nats.denied.add(`$JS.API.${right}`);
      await assertRejects(
        () => checkNats(nats.options, ROOM),
        AdvisedError,
        right,
      );
      nats.denied.clear();
    }
    nats.refuse("INFO", 10_039);
    await assertRejects(
      () => checkNats(nats.options, ROOM),
      AdvisedError,
      "it has no JetStream",
    );
  },
);

natsTest(
  "what isn't answered within 3 s fails, and says what it was",
  async (nats) => {
    using timers = new HeldTimers();
    await withWire(nats, async (wire) => {
      const asked: readonly (readonly [
        silent: string,
        ask: () => Promise<unknown>,
        what: string,
      ])[] = [
        ["STREAM.INFO", () => wire.state(), "find the stream"],
        ["STREAM.MSG.GET", () => wire.entry(1), "read the stream"],
        ["entries", () => wire.publish("a", utf8("x")), "add to the stream"],
      ];
      for (const [silent, ask, what] of asked) {
        nats.silent.add(silent);
        const count = nats.asked.length + nats.published.length;
        const failing = assertRejects(ask, StreamError, `Cannot ${what}: `);
        await until(() => nats.asked.length + nats.published.length > count);
        assertEquals(timers.end(3_000), 1);
        assertMatch((await failing).message, /timeout/i);
        nats.silent.clear();
      }
    });
  },
);

natsTest(
  "what is asked for while NATS is away fails after 3 s, also where nothing but trying to connect wakes it",
  async (nats) => {
    using timers = new HeldTimers();
    let now = 0;
    using _ = replaced(performance, "now", () => now);
    await withWire(nats, async (wire) => {
      nats.shut();
      await until(() => !wire.isUp);
      const away = "Cannot add to the stream: NATS is away";
      const ask = () =>
        assertRejects(() => wire.publish("a", utf8("x")), StreamError, away);
      const first = ask();
      assertEquals(timers.end(3_000), 1);
      await first;
      const second = ask();
      now = 3_000;
      await second;
      nats.reopen();
      await until(() => wire.isUp);
    });
  },
);

natsTest(
  "a NATS that leaves pings without an answer is given up after 3 s",
  async (nats) => {
    using timers = new HeldTimers();
    await withWire(nats, async (wire) => {
      nats.isAlive = false;
      for (let second = 1; second <= 3; second++) {
        await wire.state();
        assertEquals([wire.isUp, timers.end(1_000)], [true, 1]);
      }
      await until(() => !wire.isUp);
      nats.isAlive = true;
      await until(() => wire.isUp);
    });
  },
);

natsTest(
  "it is tried to connect again after 100 to 250 ms",
  async (nats) => {
    using timers = new HeldTimers();
    for (const [random, pause] of [[0, 100], [0.999, 250]] as const) {
      let now = Date.now();
      using _now = replaced(Date, "now", () => now);
      await withWire(nats, async (wire) => {
        using _random = replaced(Math, "random", () => random);
        const { length } = timers.set;
        const pauses = () =>
          timers.set.slice(length).filter((ms) => ms > 1 && ms < 1_000);
        nats.shut();
        await until(() => !wire.isUp && pauses().length > 0);
        assertEquals(pauses()[0], pause);
        nats.reopen();
        now += pause;
        await until(() => wire.isUp);
      });
    }
  },
);

natsTest(
  "a connection goes over to the other addresses, and tells where it is as its owner has written it, or as NATS has",
  async (nats) => {
    await using other = ScriptedNats.start();
    await using third = ScriptedNats.start();
    nats.shut();
    other.info["connect_urls"] = [`127.0.0.1:${third.port}`];
    const urls = [nats.url, other.url, "nats://named.example"];
    const connection = await Connection.open({ ...nats.options, urls });
    try {
      const changed = async (step: () => void) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        connection.changed = (isUp) => isUp && resolve();
        step();
        await promise;
        return connection.url;
      };
      assertEquals(connection.url, other.url);
      other.isClosed = true;
      assertEquals(
        await changed(() => {
          nats.reopen();
          other.drop();
        }),
        nats.url,
      );
      assertEquals(await changed(() => nats.shut()), third.url);
      const { library } = connection;
      Object.assign(library, { getServer: () => "named.example:4222" });
      assertEquals(connection.url, "nats://named.example");
      assertEquals([connection.maxPayload, connection.isUp], [1_048_576, true]);
    } finally {
      await connection.close();
    }
    assertEquals(connection.isUp, false);
  },
);

natsTest(
  "a login that is refused is tried again, however often, once there was a connection; and at a start it is told",
  async (nats) => {
    await withWire(nats, async (wire) => {
      nats.isClosed = true;
      const { length } = nats.connects;
      nats.drop();
      await until(() => nats.connects.length > length + 3);
      nats.isClosed = false;
      await until(() => wire.isUp);
    });
    nats.isClosed = true;
    assertEquals(
      await refusal(nats),
      'Cannot use NATS at "URL": it wants a login',
    );
  },
);

natsTest(
  "a server shows who it is by its credentials file as that is now, or as it was last while it can't be used",
  async (nats) => {
    await using folder = await Folder.make();
    const account = new NatsAccount();
    const [text, renewed] = [account.credentials(), account.credentials()];
    const path = await folder.write("chat.creds", text);
    const jwtOf = (creds: string) => creds.split("\n")[1];
    nats.info["nonce"] = "abc";
    const lines = await overhear(
      "warning",
      () =>
        withWire(nats, async (wire) => {
          const again = async (creds: string) => {
            await folder.write("chat.creds", creds);
            const { length } = nats.connects;
            nats.drop();
            await until(() => nats.connects.length > length);
            await until(() => wire.isUp);
            return nats.connects.at(-1)?.["jwt"];
          };
          const [first] = nats.connects;
          assertEquals(first?.["jwt"], jwtOf(text));
          assertMatch(String(first?.["sig"]), /^[\w+\/-]{80,}/);
          assertEquals(await again(renewed), jwtOf(renewed));
          assertEquals(await again("broken"), jwtOf(renewed));
        }, { login: { kind: "creds", path, text } }),
    );
    const told = lines.filter((it) => it.includes("Cannot use"));
    assert(told.length > 0);
    for (const line of told) {
      assertMatch(
        line,
        /Cannot use .*chat\.creds: .+\. The server goes on with/,
      );
    }
  },
);

natsTest(
  "a NATS whose JetStream doesn't answer is asked again for 20 s, and so is one that doesn't pass messages on",
  async (nats) => {
    using timers = new HeldTimers();
    let now = 0;
    using _ = replaced(performance, "now", () => now);
    nats.lost.add("chat.test.m.try");
    const tries = () =>
      nats.published.filter(({ subject }) => subject.includes(".m.try")).length;
    const refused = refusal(nats);
    await until(() => tries() === 1);
    now = 20_000;
    await until(() => timers.end(3_000) > 0);
    await until(() => tries() === 2);
    now = 20_001;
    await until(() => timers.end(3_000) > 0);
    assertEquals(
      await refused,
      'Cannot keep the room in NATS at "URL": its JetStream doesn\'t answer in time',
    );
  },
);

natsTest(
  "a stream is followed from a place on, by a consumer that goes when that ends, unless NATS is away",
  (nats) =>
    withWire(nats, async (wire) => {
      for (const text of ["one", "two", "three"]) {
        await wire.publish(text, utf8(text));
      }
      const { made } = await wire.state();
      const { signal } = new AbortController();
      const deleted = () =>
        nats.asked.filter(({ what }) => what.startsWith("CONSUMER.DELETE"))
          .length;
      const before = deleted();
      const follow = async (end: () => Promise<unknown>) => {
        const texts: string[] = [];
        for await (const { seq, data } of wire.follow(2, made, signal)) {
          texts.push(`${seq} ${new TextDecoder().decode(data)}`);
          if (seq === nats.stream?.entries.length && texts.length < 3) {
            await wire.publish("four", utf8("four"));
          }
          if (texts.length < 3) continue;
          await end();
          return texts;
        }
        return texts;
      };
      const all = ["2 two", "3 three", "4 four"];
      assertEquals(await follow(() => Promise.resolve()), all);
      await wire.state();
      assertEquals(deleted(), before + 1);
      const created = nats.asked.findLast(({ what }) =>
        what.startsWith("CONSUMER.CREATE")
      );
      const { deliver_policy, opt_start_seq, flow_control, idle_heartbeat } =
        created?.json["config"] as Record<string, unknown>;
      assertEquals(
        [deliver_policy, opt_start_seq, flow_control, idle_heartbeat],
        ["by_start_sequence", 2, true, 500e6],
      );
      await follow(async () => {
        nats.drop();
        await until(() => !wire.isUp);
      });
      await until(() => wire.isUp);
      await wire.state();
      assertEquals(deleted(), before + 1);
      nats.state = { messages: 0, first_seq: 0, last_seq: 9 };
      assertEquals(await wire.state(), { made, first: 10, last: 9 });
      nats.stream = undefined;
      await assertRejects(
        () => wire.follow(1, "other", signal)[Symbol.asyncIterator]().next(),
        StreamLostError,
        "is gone",
      );
    }),
);
