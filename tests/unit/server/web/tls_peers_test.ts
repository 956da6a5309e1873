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

/** Whether there is a place, without waiting for one. */
async function hasPlace(peers: TlsPeers): Promise<boolean> {
  return await Promise.race([
    peers.place().then(() => true),
    new Promise<false>((resolve) => setTimeout(() => resolve(false))),
  ]);
}

Deno.test("TlsPeers counts one that is silent within the handshake until it goes, though it was given up", async () => {
  using port = listening(2);
  const { peers } = port;
  const clients = [await port.connect(), await port.connect()];
  const [first, second] = [await port.accept(), await port.accept()];
  const failed = assertRejects(
    () => first.read(new Uint8Array(1)),
    Deno.errors.Interrupted,
    "Closed within the handshake of TLS",
  );
  assert(!await hasPlace(peers));
  first.close();
  await failed;
  await assertRejects(() => first.write(new Uint8Array(1)));
  assert(!await hasPlace(peers), "its descriptor is taken still");
  clients[0]?.close();
  await peers.place();
  assert(await hasPlace(peers));
  // One of them that isn't given up goes by itself, too.
  const third = await port.connect();
  const another = await port.accept();
  assert(!await hasPlace(peers));
  third.close();
  await assertRejects(() => another.read(new Uint8Array(1)));
  await peers.place();
  another.close();
  // Nobody waits once nobody is accepted.
  const last = await port.connect();
  const accepted = await port.accept();
  const waiting = peers.place();
  peers.close();
  await waiting;
  for (const it of [second, accepted]) it.close();
  for (const it of [clients[1], last]) it?.close();
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
