/**
 * The port for browsers: where it is, what its links begin with, and how it takes a renewed certificate.
 *
 * @module
 */

import { parseFlags } from "../../../../src/base/flags.ts";
import { FLAGS } from "../../../../src/server/flags.ts";
import { nextTurn } from "../../../../src/server/next_turn.ts";
import { WebPort } from "../../../../src/server/web/web_port.ts";
import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { UsageError } from "../../../../src/base/usage_error.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "../../../kit/assert.ts";
import { makeCertificate } from "../../../kit/certificate.ts";
import { Folder, freePort } from "../../../kit/folder.ts";
import { readToEnd } from "../../../kit/http.ts";
import { replaced } from "../../../kit/replaced.ts";
import { until } from "../../../kit/turns.ts";

type TlsOptions = Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem;

/** A port of these flags, which doesn't listen yet. */
function prepared(web: string, ...args: string[]): Promise<WebPort> {
  const { values } = parseFlags(args, FLAGS, { positionals: 0 });
  return WebPort.prepare(values, web);
}

/** The flags of a certificate for some names, in files. */
async function certificateFlags(folder: Folder, ...names: string[]) {
  const { cert, key } = await makeCertificate(...names);
  const files = {
    "--web-cert": await folder.write("cert", cert),
    "--web-key": await folder.write("key", key),
  };
  return { cert, flags: Object.entries(files).flat() };
}

Deno.test("WebPort refuses flags that don't fit, and an origin that is none", async () => {
  for (const flag of ["--web-cert=a", "--web-key=a"]) {
    await assertRejects(
      () => prepared("8080", flag),
      UsageError,
      "A certificate needs both --web-cert and --web-key",
    );
  }
  await assertRejects(() => prepared("x"), UsageError, "Cannot use --web");
  const wrong = [
    "chat.example.org",
    "ftp://chat.example.org",
    "https:",
    "https://chat.example.org/chat",
    "https://chat.example.org?a",
    "https://chat.example.org#a",
    "https://ana@chat.example.org",
    "https://chat.example.org//",
  ];
  for (const url of wrong) {
    await assertRejects(
      () => prepared("8080", `--web-url=${url}`),
      UsageError,
      `Cannot use --web-url ${JSON.stringify(url)}: it is what comes before`,
    );
  }
});

Deno.test("WebPort's links begin with what its owner says, or the certificate's name, or where it listens", async () => {
  await using folder = await Folder.make();
  const origin = async (web: string, ...args: string[]) =>
    (await prepared(web, ...args)).origin;
  for (
    const url of ["https://chat.example.org", "HTTP://chat.example.org:81/"]
  ) {
    const same = url.toLowerCase().replace(/\/$/, "");
    assertEquals(await origin("8080", `--web-url=${url}`), same);
  }
  assertEquals(await origin("8080"), "http://0.0.0.0:8080");
  assertEquals(await origin("[::1]:80"), "http://[::1]:80");
  assertEquals(await origin("80", "--host=10.0.0.1"), "http://10.0.0.1:80");
  const { flags } = await certificateFlags(folder, "chat.example");
  assertEquals(await origin("443", ...flags), "https://chat.example");
  assertEquals(await origin("4430", ...flags), "https://chat.example:4430");
});

Deno.test("WebPort knows which port it was given, says that another has it, and accepts nobody once it is closed", async () => {
  using port = await prepared("0", "--host=127.0.0.1");
  await assertRejects(() => port.accept(), Deno.errors.BadResource);
  port.listen();
  const [host, number] = port.listening.split(":");
  assert(host === "127.0.0.1" && Number(number) > 0, port.listening);
  assertEquals(port.origin, `http://${port.listening}`);
  using other = await prepared(port.listening);
  const error = assertThrows(() => other.listen(), AdvisedError);
  assertEquals(error.message, `Port ${number} is in use`);
  const address = { hostname: "127.0.0.1", port: Number(number) };
  using client = await Deno.connect(address);
  const peer = await port.accept();
  assertEquals(peer.remoteAddr, client.localAddr);
  await port.entrance.turnAway(peer);
  peer.close();
  assertMatch(await readToEnd(client), /^HTTP\/1\.1 503 /);
  await port.renew(); // there is no certificate
  const accepting = assertRejects(() => port.accept(), Deno.errors.BadResource);
  port.close();
  await assertRejects(
    () => Deno.connect(address),
    Deno.errors.ConnectionRefused,
  );
  await accepting;
  await assertRejects(() => port.accept(), Deno.errors.BadResource);
});

Deno.test("WebPort goes on with its certificate where the other one can't be used, and says why", async () => {
  await using folder = await Folder.make();
  const { cert, flags } = await certificateFlags(folder, "localhost");
  using port = await prepared("0", "--host=127.0.0.1", ...flags);
  await port.renew(); // it doesn't listen yet
  port.listen();
  const accepted = port.accept();
  await folder.write("cert", "nothing");
  await assertRejects(() => port.renew(), AdvisedError, "no certificate in");
  await comesBy(port, cert, accepted);
});

/** Renews a port's certificate, in the turns that this takes if it comes to an end at all. */
async function renew(port: WebPort): Promise<void> {
  let isOver = false;
  const renewing = port.renew().finally(() => isOver = true);
  renewing.catch(() => {}); // is told below
  await until(() => isOver);
  await renewing;
}

/** Has somebody come who takes a certificate for the port's. */
async function comesBy(
  port: WebPort,
  caCert: string,
  accepted: ReturnType<WebPort["accept"]> = port.accept(),
): Promise<void> {
  const address = {
    hostname: "127.0.0.1",
    port: Number(port.listening.split(":")[1]),
  };
  const tcp = await Deno.connect(address);
  const client = Deno.startTls(tcp, {
    hostname: "localhost",
    caCerts: [caCert],
  });
  const peer = await accepted;
  using conn = await client;
  const isRead = peer.read(new Uint8Array(1)).then(() => true, () => false);
  const shaken = conn.handshake().then(() => false);
  assertEquals(await Promise.race([shaken, isRead]), false); // what it says isn't read as it is
  await port.entrance.turnAway(peer); // without a word: it may be within its handshake
  await peer.write(new Uint8Array(1));
  assertEquals(await conn.read(new Uint8Array(2)), 1);
  peer.close();
  assertEquals(await isRead, false);
}

Deno.test("WebPort listens with a renewed certificate, whether or not it has a place for somebody", async () => {
  await using folder = await Folder.make();
  const { flags } = await certificateFlags(folder, "localhost");
  using port = await prepared(`127.0.0.1:${freePort()}`, ...flags);
  port.listen();
  const second = await certificateFlags(folder, "localhost");
  await port.renew(); // as where nobody is accepted, since all places are taken
  await comesBy(port, second.cert);
  const accepted = port.accept();
  const third = await certificateFlags(folder, "localhost");
  await Promise.all([renew(port), renew(port)]);
  await comesBy(port, third.cert, accepted);
  assert(second.cert !== third.cert);
});

/** Has every port be taken but those at which a certificate is tried. */
function allTaken(): Disposable {
  const { listenTls } = Deno;
  return replaced(Deno, "listenTls", (options: TlsOptions) => {
    if (options.port !== 0) throw new Deno.errors.AddrInUse("x");
    return listenTls(options);
  });
}

Deno.test("WebPort whose place another took while it renews its certificate says so, listens again once it can, and can be closed", async () => {
  await using folder = await Folder.make();
  const { flags } = await certificateFlags(folder, "localhost");
  for (const isAccepting of [false, true]) {
    using port = await prepared(`127.0.0.1:${freePort()}`, ...flags);
    port.listen();
    const [, number] = port.listening.split(":");
    const accepting = isAccepting
      ? assertRejects(() => port.accept(), AdvisedError)
      : undefined;
    const fresh = await certificateFlags(folder, "localhost");
    {
      using _taken = allTaken();
      const { message } = await assertRejects(
        () => renew(port),
        AdvisedError,
      );
      assertEquals(message, `Port ${number} is in use`);
      await assertRejects(() => port.accept(), AdvisedError);
    }
    await accepting;
    const accepted = port.accept();
    await nextTurn(); // it listens again
    await comesBy(port, fresh.cert, accepted);
    const { cert } = await certificateFlags(folder, "localhost");
    await renew(port);
    await comesBy(port, cert);
    using _taken = allTaken();
    await assertRejects(() => renew(port), AdvisedError);
    port.close();
  }
});

Deno.test("WebPort that is closed while it renews its certificate listens no more", async () => {
  await using folder = await Folder.make();
  const { flags } = await certificateFlags(folder, "localhost");
  const { listenTls } = Deno;
  const ports: WebPort[] = [];
  let count = 0;
  using _listen = replaced(Deno, "listenTls", (options: TlsOptions) => {
    const listener = listenTls(options);
    if (options.port === 0) return listener;
    assertEquals(++count, 1);
    const close = listener.close.bind(listener);
    listener.close = () => {
      close();
      listener.close = close;
      ports.pop()?.[Symbol.dispose]();
    };
    return listener;
  });
  using port = await prepared(`127.0.0.1:${freePort()}`, ...flags);
  port.listen();
  const accepting = assertRejects(
    () => port.accept(),
    Deno.errors.BadResource,
  );
  ports.push(port);
  await renew(port);
  assertEquals(ports, []);
  await accepting;
});
