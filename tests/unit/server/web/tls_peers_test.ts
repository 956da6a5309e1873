/**
 * Connections by TLS: what becomes of those that fall silent within the handshake, which Deno doesn't end.
 *
 * @module
 */

import { TlsPeers } from "../../../../src/server/web/tls_peers.ts";
import { close } from "../../../../src/server/linger.ts";
import { writeAll } from "../../../../src/base/write_all.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { utf8 } from "../../../kit/bytes.ts";
import { makeCertificate } from "../../../kit/certificate.ts";
import { streamPair } from "../../../kit/memory_stream.ts";
import { overhear } from "../../../kit/overhear.ts";

const certificate = await makeCertificate("localhost");

/** A listener with places for so many handshakes. */
function listening(max?: number) {
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    ...certificate,
  });
  const peers = new TlsPeers(max);
  const { port } = listener.addr;
  return {
    peers,
    accept: async () => peers.add(await listener.accept()),
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    [Symbol.dispose]: () => listener.close(),
  };
}

/** A connection in memory, whose handshake ends when the test wants it. */
function shaking() {
  const [browser, conn] = streamPair();
  const { promise, resolve: stand, reject: fail } = Promise.withResolvers<
    void
  >();
  const more = { handshake: () => promise, remoteAddr: { port: 7 } };
  const tls = Object.assign(conn, more) as unknown as Deno.TlsConn;
  return { browser, conn, tls, stand, fail };
}

/** Whether there is a place, without waiting for one. */
async function hasPlace(peers: TlsPeers): Promise<boolean> {
  let has = false;
  void peers.place().then(() => has = true);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  return has;
}

Deno.test("TlsPeers counts one that is silent within the handshake until it goes, though it was given up", async () => {
  const peers = new TlsPeers(2);
  const [a, b, c] = [shaking(), shaking(), shaking()];
  const buffer = new Uint8Array(9);
  const told = await overhear("warning", async () => {
    const first = peers.add(a.tls);
    assert(await hasPlace(peers));
    const second = peers.add(b.tls);
    assert(!await hasPlace(peers));
    const failed = assertRejects(
      () => first.read(buffer),
      Deno.errors.Interrupted,
      "Closed within the handshake of TLS",
    );
    first.close();
    await failed;
    await assertRejects(() => first.write(buffer), Deno.errors.Interrupted);
    assert(!a.conn.closed && !await hasPlace(peers), "it is taken still");
    a.fail(new Deno.errors.ConnectionReset());
    assert(await hasPlace(peers));
    assert(a.conn.closed);
    // One that fails by itself tells why, and is closed by whoever has it.
    b.fail(new TypeError("no TLS"));
    await assertRejects(() => second.closeWrite(), TypeError, "no TLS");
    assert(!b.conn.closed);
    second.close();
    assert(b.conn.closed);
    // And one that goes on after all.
    peers.add(c.tls).close();
    c.stand();
    await hasPlace(peers);
    assert(c.conn.closed);
  });
  const full =
    "warning web: All 2 places for handshakes of TLS are taken: other browsers wait. A proxy in front, as Caddy, keeps silent ones away";
  assertEquals(new Set(told), new Set([full]));
});

Deno.test("TlsPeers has nobody wait for a place once nobody is accepted", async () => {
  const peers = new TlsPeers(1);
  peers.add(shaking().tls);
  await overhear("warning", async () => {
    const waiting = peers.place();
    assert(!await hasPlace(peers));
    peers.close();
    await waiting;
    assert(await hasPlace(peers));
  });
});

Deno.test("TlsPeers passes all on to and from one that stands, from its handshake on", async () => {
  const peers = new TlsPeers(1);
  const { browser, conn, tls, stand } = shaking();
  const peer = peers.add(tls);
  const writing = peer.write(utf8("hello"));
  await Promise.resolve();
  assertEquals(conn.outgoing.written.length, 0);
  stand();
  assertEquals(await writing, 5);
  assert(await hasPlace(peers));
  browser.outgoing.inject(utf8("hi"));
  const buffer = new Uint8Array(9);
  assertEquals(buffer.slice(0, await peer.read(buffer) ?? 0), utf8("hi"));
  assertEquals(buffer.slice(0, await browser.read(buffer) ?? 0), utf8("hello"));
  await peer.closeWrite();
  assertEquals(await browser.read(buffer), null);
  assertEquals(peer.remoteAddr.port, 7);
  peer.close();
  assert(conn.closed);
});

Deno.test("TlsPeers closes one that goes on with the handshake after it was given up", async () => {
  using port = listening(1);
  const tcp = await port.connect();
  const peer = await port.accept();
  peer.close();
  const client = await Deno.startTls(tcp, {
    hostname: "localhost",
    caCerts: [certificate.cert],
  });
  const end = await client.read(new Uint8Array(1)).catch(() => null);
  assertEquals(end, null);
  await port.peers.place();
  await assertRejects(() => peer.read(new Uint8Array(1)));
  client.close();
});

Deno.test("TlsPeers passes on what one says that stands, and what it is told, and counts it no more", async () => {
  using port = listening(1);
  const tcp = await port.connect();
  const peer = await port.accept();
  const writing = writeAll(peer, utf8("hello")); // before the handshake has ended
  const client = await Deno.startTls(tcp, {
    hostname: "localhost",
    caCerts: [certificate.cert],
  });
  await client.write(utf8("hi"));
  const buffer = new Uint8Array(9);
  assertEquals(buffer.slice(0, await peer.read(buffer) ?? 0), utf8("hi"));
  await writing;
  assertEquals(buffer.slice(0, await client.read(buffer) ?? 0), utf8("hello"));
  await port.peers.place();
  await peer.closeWrite();
  assertEquals(await client.read(buffer), null);
  assertEquals(peer.remoteAddr.hostname, "127.0.0.1");
  close(peer);
  client.close();
});
