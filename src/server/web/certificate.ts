/**
 * The certificate of the port for browsers, and its key.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { AdvisedError } from "../../base/advised_error.ts";
import { messageOf } from "../../base/error_reason.ts";
import { readText } from "../../base/private_file.ts";
import { isLoopback } from "../rate_limits.ts";

/** A certificate file's most, characters: that of a chain of several. */
const MAX_PEM_SIZE = 1_048_576;

/** A certificate, with those that lead to it. */
export class Certificate {
  readonly #files: readonly [cert: string, key: string];
  /** Both as PEM, for a listener. */
  readonly tls: { readonly cert: string; readonly key: string };

  private constructor(
    certFile: string,
    keyFile: string,
    tls: Certificate["tls"],
  ) {
    this.#files = [certFile, keyFile];
    this.tls = tls;
  }

  /** Reads it. @throws {FileError} | {AdvisedError} for files that can't be used. */
  static async load(certFile: string, keyFile: string): Promise<Certificate> {
    const cert = await readText(certFile, MAX_PEM_SIZE);
    const key = await readText(keyFile, MAX_PEM_SIZE);
    try {
      // Nothing but a listener says whether the two belong together, so one is tried.
      Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
    } catch (error) {
      throw certificateError(certFile, keyFile, error);
    }
    return new Certificate(certFile, keyFile, { cert, key });
  }

  /** What the same files have now. @throws as `load`. */
  again(): Promise<Certificate> {
    return Certificate.load(...this.#files);
  }

  /**
   * The host that links have: the first one named in it that others can reach, a name rather than an address; else the
   * first one; undefined if there is none.
   */
  get name(): string | undefined {
    const all = new X509Certificate(this.tls.cert).subjectAltName ?? "";
    const of = (kind: RegExp) =>
      Array.from(all.matchAll(kind), ([_, it]) => it ?? "");
    const hosts = [
      ...of(/DNS:([a-z\d][\w.-]*)/gi), // and none with a "*"
      ...of(/IP Address:([\da-f.:]+)/gi),
    ];
    return hosts.find((it) => it !== "localhost" && !isLoopback(it)) ??
      hosts[0];
  }
}

function certificateError(
  cert: string,
  key: string,
  error: unknown,
): AdvisedError {
  const why = messageOf(error);
  if (/no keys/i.test(why)) {
    return new AdvisedError(
      `There is no private key in ${key}`,
      "--web-key is a PEM file that has -----BEGIN PRIVATE KEY----- in it, without a passphrase",
      error,
    );
  }
  if (/no certificates/i.test(why)) {
    return new AdvisedError(
      `There is no certificate in ${cert}`,
      "--web-cert is a PEM file that has -----BEGIN CERTIFICATE----- in it, with the certificates that lead to it behind it",
      error,
    );
  }
  if (/mismatch/i.test(why)) {
    return new AdvisedError(
      `The certificate in ${cert} and the key in ${key} do not belong together`,
      "Give the two files that were made at the same time",
      error,
    );
  }
  return new AdvisedError(
    `Cannot use the certificate in ${cert} with the key in ${key}: ${why}`,
    "Make them anew, or have another program make them",
    error,
  );
}
