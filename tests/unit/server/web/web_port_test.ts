/**
 * The port for browsers: how it takes a renewed certificate.
 *
 * @module
 */

import { parseFlags } from "../../../../src/base/flags.ts";
import { FLAGS } from "../../../../src/server/flags.ts";
import { WebPort } from "../../../../src/server/web/web_port.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { makeCertificate } from "../../../kit/certificate.ts";
import { Folder, freePort } from "../../../kit/folder.ts";

Deno.test("WebPort listens with a renewed certificate, whether or not it has a place for somebody", async () => {
  await using folder = await Folder.make();
  const write = async () => {
    const { cert, key } = await makeCertificate("localhost");
    const files = [
      await folder.write("cert", cert),
      await folder.write("key", key),
    ];
    return { cert, files };
  };
  const { files: [cert = "", key = ""] } = await write();
  const args = [
    "--web",
    `127.0.0.1:${freePort()}`,
    "--web-cert",
    cert,
    "--web-key",
    key,
  ];
  const { values } = parseFlags(args, FLAGS, { positionals: 0 });
  using port = await WebPort.prepare(values, values.web ?? "");
  port.listen();
  const comes = async (
    caCert: string,
    accepted?: ReturnType<WebPort["accept"]>,
  ) => {
    const address = {
      hostname: "127.0.0.1",
      port: Number(port.listening.split(":")[1]),
    };
    const tcp = await Deno.connect(address);
    const client = Deno.startTls(tcp, {
      hostname: "localhost",
      caCerts: [caCert],
    });
    const peer = await (accepted ?? port.accept());
    using conn = await client;
    await peer.write(new Uint8Array(1));
    assertEquals(await conn.read(new Uint8Array(2)), 1);
    peer.close();
  };
  const second = await write();
  await port.renew(); // as where nobody is accepted, since all places are taken
  await comes(second.cert);
  const accepted = port.accept();
  const third = await write();
  await port.renew();
  await comes(third.cert, accepted);
  assert(second.cert !== third.cert);
});
