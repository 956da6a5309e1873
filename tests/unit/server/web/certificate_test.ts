/**
 * The certificate of the port for browsers, the host that links have by it, and what is said of files that are none.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { Certificate } from "../../../../src/server/web/certificate.ts";
import { assertEquals, assertRejects } from "../../../kit/assert.ts";
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

Deno.test("Certificate.load() says which file is wrong, and what it is to be", () =>
  inFolder(async (folder) => {
    const [certFile, keyFile] = [`${folder}/c.pem`, `${folder}/k.pem`];
    const { cert, key } = await makeCertificate("localhost");
    const other = await makeCertificate("localhost");
    const broken = cert.replace(/-\n[^-]+/, "-\nAAAA\n");
    const cases: readonly (readonly [string, string, string, string])[] = [
      [
        cert,
        cert,
        `There is no private key in ${keyFile}`,
        "--web-key is a PEM",
      ],
      [
        key,
        key,
        `There is no certificate in ${certFile}`,
        "--web-cert is a PEM",
      ],
      [
        cert,
        other.key,
        `The certificate in ${certFile} and the key in ${keyFile} do not belong together`,
        "Give the two files that were made at the same time",
      ],
      [
        broken,
        key,
        `Cannot use the certificate in ${certFile} with the key in ${keyFile}: `,
        "Make them anew, or have another program make them",
      ],
    ];
    for (const [certText, keyText, why, advice] of cases) {
      await Deno.writeTextFile(certFile, certText);
      await Deno.writeTextFile(keyFile, keyText);
      const error = await assertRejects(
        () => Certificate.load(certFile, keyFile),
        AdvisedError,
        why,
      );
      const told = (error as AdvisedError).advice;
      assertEquals(told.slice(0, advice.length), advice);
    }
    await Deno.writeTextFile(certFile, cert);
    const loaded = await Certificate.load(certFile, keyFile);
    await Deno.writeTextFile(certFile, other.cert);
    await Deno.writeTextFile(keyFile, other.key);
    assertEquals((await loaded.again()).tls, other);
    await Deno.remove(keyFile);
    await assertRejects(() => loaded.again(), FileError, keyFile);
    await Deno.writeTextFile(certFile, "x".repeat(1_048_577));
    await assertRejects(() => loaded.again(), FileError, certFile);
  }));
