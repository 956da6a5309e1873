/**
 * What goes through a proxy, what goes past it, and that nothing goes past it which must not.
 *
 * @module
 */

import {
  type Dial,
  dialThrough,
  ProxyDownError,
} from "../../../../src/client/proxy/dial_proxy.ts";
import { ProxyError } from "../../../../src/client/proxy/socks5.ts";
import { TIME } from "../../../../src/client/reconnect.ts";
import { UsageError } from "../../../../src/base/usage_error.ts";
import { writeAll } from "../../../../src/base/write_all.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { ManualClock, streamPair } from "../../../kit/memory_stream.ts";

/** The addresses of all kinds that a client connects to. */
const ADDRESSES = [
  "chat.example.org:5000",
  "192.0.2.7:5000",
  "[2001:db8::7]:5000",
  "http://chat.example.org:8080",
  "https://chat.example.org",
  "127.0.0.1:5000",
  "[::1]:5000",
  "http://localhost:8080",
];
/** A proxy on this machine, which does with each connection as it is told; and what it heard first. */
class Proxy implements AsyncDisposable {
  readonly heard: string[] = [];
  readonly #open = new Set<Deno.TcpConn>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #running: Promise<void>;

  constructor(serve: (conn: Deno.TcpConn) => Promise<void>) {
    this.#running = this.#run(serve);
  }

  get url(): string {
    return `socks5://127.0.0.1:${this.#listener.addr.port}`;
  }

  async #run(serve: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const conn of this.#listener) all.push(this.#one(conn, serve));
    await Promise.all(all);
  }

  async #one(
    conn: Deno.TcpConn,
    serve: (conn: Deno.TcpConn) => Promise<void>,
  ): Promise<void> {
    this.#open.add(conn);
    try {
      const buffer = new Uint8Array(512);
      const size = await conn.read(buffer);
      this.heard.push(buffer.subarray(0, size ?? 0).toHex());
      await serve(conn);
    } catch (error) {
      if (this.#open.has(conn)) throw error;
    } finally {
      if (this.#open.delete(conn)) conn.close();
    }
  }

  /** Ends all connections, whatever the client does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) {
      this.#open.delete(conn);
      conn.close();
    }
    await this.#running;
  }
}

/** A proxy's rules that let nobody through (RFC 1928 section 6, code 2). */
async function refuse(conn: Deno.TcpConn): Promise<void> {
  await writeAll(conn, Uint8Array.of(5, 0));
  await conn.read(new Uint8Array(512));
  await writeAll(conn, Uint8Array.of(5, 2, 0, 1, 0, 0, 0, 0, 0, 0));
}

/** Says that it has connected, and waits for what the client says first. */
async function connected(conn: Deno.TcpConn): Promise<void> {
  await writeAll(conn, Uint8Array.of(5, 0));
  await conn.read(new Uint8Array(512));
  await writeAll(conn, Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
  await conn.read(new Uint8Array(512));
}

/** Reads until the other side goes. */
async function untilEnd(conn: Deno.TcpConn): Promise<void> {
  while (await conn.read(new Uint8Array(512)) !== null);
}

/** A direct way that keeps where it was taken to. */
function directWay() {
  const taken: string[] = [];
  const direct: Dial = (address) => {
    taken.push(address);
    return Promise.resolve(streamPair()[0]);
  };
  return { taken, direct };
}

/** Sets variables of the environment until the end; `dialThrough` takes them away. */
function environment(values: Record<string, string>): Disposable {
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]: () => {
      for (const name of Object.keys(values)) Deno.env.delete(name);
    },
  };
}

Deno.test("dialThrough() takes no direct way where the proxy of the flag refuses, whatever the environment says", async () => {
  const values = { NO_PROXY: "*", "no_proxy": "*", ALL_PROXY: "http://x" };
  using _environment = environment(values);
  await using proxy = new Proxy(refuse);
  const { taken, direct } = directWay();
  const dial = dialThrough(proxy.url, "socks5://192.0.2.1:1", direct);
  for (const address of ADDRESSES) {
    await assertRejects(
      () => dial(address),
      ProxyError,
      "the proxy can't reach the server: its rules don't allow it",
    );
  }
  assertEquals(proxy.heard, ADDRESSES.map(() => "050100"));
  assertEquals(taken, []);
});

Deno.test("dialThrough() connects to the proxy's address and nothing else, and leaves no name to the runtime", async () => {
  await using proxy = new Proxy(refuse);
  const asked: unknown[] = [];
  const { connect } = Deno;
  const { WebSocket } = globalThis;
  const spy = (options: Deno.ConnectOptions) => {
    asked.push(`${options.hostname}:${options.port}`);
    return connect(options);
  };
  const never = () => {
    throw new Error("it looks up names by itself");
  };
  Object.assign(Deno, { connect: spy });
  Object.assign(globalThis, { WebSocket: never });
  try {
    const dial = dialThrough(proxy.url, "", directWay().direct);
    for (const address of ADDRESSES) {
      await assertRejects(() => dial(address), ProxyError);
    }
  } finally {
    Object.assign(Deno, { connect });
    Object.assign(globalThis, { WebSocket });
  }
  const place = proxy.url.replace("socks5://", "");
  assertEquals(asked, ADDRESSES.map(() => place));
});

Deno.test("dialThrough() takes no direct way where there is no proxy at all, or one that speaks otherwise", async () => {
  const { taken, direct } = directWay();
  {
    using gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = gone.addr;
    gone.close();
    const dial = dialThrough(`socks5://127.0.0.1:${port}`, "", direct);
    const why = `the proxy at 127.0.0.1:${port} can't be reached: `;
    for (const address of ADDRESSES) {
      await assertRejects(() => dial(address), ProxyDownError, why);
    }
  }
  await using proxy = new Proxy((conn) => writeAll(conn, utf8("HTTP/1.1 400")));
  const dial = dialThrough(proxy.url, "", direct);
  const why = "the proxy doesn't speak SOCKS5";
  for (const address of ADDRESSES) {
    await assertRejects(() => dial(address), ProxyError, why);
  }
  assertEquals(taken, []);
});

Deno.test("dialThrough() goes past the proxy of the environment to this machine and to what NO_PROXY lists, and nowhere else", async () => {
  using _environment = environment({ NO_PROXY: "example.org,2001:db8::/32" });
  await using proxy = new Proxy(refuse);
  const { taken, direct } = directWay();
  const dial = dialThrough(undefined, proxy.url, direct);
  for (const address of ADDRESSES) await dial(address).catch(() => {});
  assertEquals(taken, ADDRESSES.filter((it) => it !== "192.0.2.7:5000"));
  assertEquals(proxy.heard.length, 1);
});

Deno.test("dialThrough() takes the direct way to all for none, and leaves nothing to the runtime", async () => {
  const values = {
    ALL_PROXY: "socks5://127.0.0.1:1",
    "all_proxy": "socks5://127.0.0.1:1",
    HTTPS_PROXY: "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
  };
  using _environment = environment(values);
  const { taken, direct } = directWay();
  const dial = dialThrough("none", values.ALL_PROXY, direct);
  for (const address of ADDRESSES) await dial(address);
  assertEquals(taken, ADDRESSES);
  const left = Object.keys(values).filter((name) => Deno.env.has(name));
  assertEquals(left, []);
});

Deno.test("dialThrough() says at once that it can't use the flag's proxy, and the environment's where one is needed", async () => {
  const { taken, direct } = directWay();
  const flagged = () => dialThrough("x", "y", direct);
  assertThrows(flagged, UsageError, "Cannot use --proxy: ");
  const dial = dialThrough(undefined, "http://proxy.example:3128", direct);
  await dial("127.0.0.1:5000");
  assertEquals(taken, ["127.0.0.1:5000"]);
  const why = "Cannot use ALL_PROXY, which is set in your environment: ";
  await assertRejects(() => dial("192.0.2.7:5000"), UsageError, why);
  assertEquals(taken.length, 1);
});

Deno.test("dialThrough() leaves a proxy, or a server behind it, that falls silent when the time for connecting is over", async () => {
  const addresses = ["192.0.2.7:5000", "http://192.0.2.7", "https://192.0.2.7"];
  const ways = addresses.flatMap((address) =>
    [
      [address, () => Promise.resolve()],
      [address, connected],
    ] as const
  ).filter(([address, way]) =>
    // By TCP alone the proxy's word is the end of it.
    way !== connected || address.startsWith("http")
  );
  for (const [address, begin] of ways) {
    using clock = new ManualClock();
    const [begun, over] = [
      Promise.withResolvers<void>(),
      Promise.withResolvers<void>(),
    ];
    await using proxy = new Proxy(async (conn) => {
      await begin(conn);
      begun.resolve();
      await Promise.race([untilEnd(conn), over.promise]);
    });
    let conn: Deno.TcpConn | undefined; // the client's
    const dial = dialThrough(proxy.url, "", directWay().direct);
    const { connect } = Deno;
    const noting = async (options: Deno.ConnectOptions) =>
      conn = await connect(options);
    Object.assign(Deno, { connect: noting });
    const dialling = dial(address); // which connects at once
    Object.assign(Deno, { connect });
    const failed = assertRejects(
      () => dialling,
      Error,
      "no answer through the proxy",
    );
    await begun.promise;
    clock.advance(TIME - 1);
    assert(clock.pending > 0, "it waits");
    clock.advance(1);
    await failed;
    assertThrows(() => conn?.close(), Deno.errors.BadResource);
    assertEquals(clock.pending, 0);
    // Within TLS the other side has to end it.
    if (address.startsWith("https") && begin === connected) over.resolve();
  }
});

Deno.test("dialThrough() closes what stands within TLS too late, though the server says nothing more", async () => {
  using clock = new ManualClock();
  await using proxy = new Proxy(async (conn) => {
    await connected(conn).catch(() => {}); // it hears nothing but the end
  });
  const [tls] = streamPair();
  const [begun, stands] = [
    Promise.withResolvers<Deno.TcpConn>(),
    Promise.withResolvers<void>(),
  ];
  const { startTls } = Deno;
  const late = async (conn: Deno.TcpConn) => {
    begun.resolve(conn);
    await stands.promise;
    return tls;
  };
  Object.assign(Deno, { startTls: late });
  try {
    const dial = dialThrough(proxy.url, "", directWay().direct);
    const failed = assertRejects(
      () => dial("https://192.0.2.7"),
      Error,
      "no answer through the proxy",
    );
    const conn = await begun.promise;
    clock.advance(TIME);
    await failed;
    assertThrows(() => conn.close(), Deno.errors.BadResource);
    assert(!tls.closed, "it stands only now");
    stands.resolve();
    await tls.whenClosed;
    assertEquals(tls.outgoing.written, [], "and nothing is said over it");
  } finally {
    Object.assign(Deno, { startTls });
  }
});
