/**
 * Certificates for tests: self-signed, by Ed25519, each with a key of its own (RFC 5280, RFC 8410).
 *
 * @module
 */

import { type Bytes, concat } from "../../crypto_utils.ts";

/** A certificate and its private key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const IPV4 = /^\d+(\.\d+){3}$/;
const encoder = new TextEncoder();
const ED25519 = sequence(Uint8Array.fromHex("06032b6570"));
const COMMON_NAME = Uint8Array.fromHex("0603550403");
const SUBJECT_ALT_NAME = Uint8Array.fromHex("0603551d11");

/** A value of DER: its tag, its length, itself. */
function der(tag: number, ...parts: Bytes[]): Bytes {
  const value = concat(...parts);
  const size = value.length;
  const length = size < 128
    ? [size]
    : size < 256
    ? [0x81, size]
    : [0x82, size >> 8, size & 255];
  return concat(Uint8Array.of(tag, ...length), value);
}

function sequence(...parts: Bytes[]): Bytes {
  return der(0x30, ...parts);
}

function pem(label: string, bytes: Bytes): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  const [begin, end] = ["BEGIN", "END"].map((it) => `-----${it} ${label}-----`);
  return [begin, ...lines, end, ""].join("\n");
}

/** Makes one for names, IPv4 addresses among them, and for 127.0.0.1. */
export async function makeCertificate(
  ...names: string[]
): Promise<Certificate> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const exported = async (format: "spki" | "pkcs8", key: CryptoKey) =>
    new Uint8Array(await crypto.subtle.exportKey(format, key));
  const name = sequence(
    der(0x31, sequence(COMMON_NAME, der(0x0c, encoder.encode("a test")))),
  );
  const time = (text: string) => der(0x17, encoder.encode(text));
  const alternatives = sequence(
    ...[...names, "127.0.0.1"].map((it) =>
      IPV4.test(it)
        ? der(0x87, Uint8Array.from(it.split("."), Number))
        : der(0x82, encoder.encode(it))
    ),
  );
  const extension = sequence(SUBJECT_ALT_NAME, der(0x04, alternatives));
  const signed = sequence(
    der(0xa0, Uint8Array.of(2, 1, 2)), // version 3
    Uint8Array.of(2, 1, 1), // number 1
    ED25519,
    name,
    sequence(time("200101000000Z"), time("491231235959Z")),
    name,
    await exported("spki", pair.publicKey),
    der(0xa3, sequence(extension)),
  );
  const signature = await crypto.subtle.sign(
    "Ed25519",
    pair.privateKey,
    signed,
  );
  const bits = der(0x03, Uint8Array.of(0), new Uint8Array(signature));
  return {
    cert: pem("CERTIFICATE", sequence(signed, ED25519, bits)),
    key: pem("PRIVATE KEY", await exported("pkcs8", pair.privateKey)),
  };
}
