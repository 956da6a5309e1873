/**
 * The certificate of the port for browsers, and the host that links have by it.
 *
 * @module
 */

import { Certificate } from "../../../../src/server/web/certificate.ts";
import { assertEquals } from "../../../kit/assert.ts";
import { makeCertificate } from "../../../kit/certificate.ts";
import { inFolder } from "../../../kit/folder.ts";

Deno.test("Certificate.name is the first host that others can reach, a name rather than an address", () =>
  inFolder(async (folder) => {
    const table: readonly (readonly [string[], string])[] = [
      [["chat.example", "localhost"], "chat.example"],
      [["localhost", "chat.example"], "chat.example"],
      [["192.0.2.2", "localhost"], "192.0.2.2"],
      [["192.0.2.2", "localhost", "chat.example"], "chat.example"],
      [["*.chat.example", "192.0.2.2"], "192.0.2.2"],
      [["localhost"], "localhost"],
      [[], "127.0.0.1"],
    ];
    const [certFile, keyFile] = [`${folder}/c.pem`, `${folder}/k.pem`];
    for (const [names, host] of table) {
      const { cert, key } = await makeCertificate(...names);
      await Deno.writeTextFile(certFile, cert);
      await Deno.writeTextFile(keyFile, key);
      const { name } = await Certificate.load(certFile, keyFile);
      assertEquals([names, name], [names, host]);
    }
  }));
