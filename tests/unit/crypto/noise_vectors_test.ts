/**
 * The handshake against published Noise test vectors, byte for byte.
 *
 * The files `vectors/noise_xx.json` and `vectors/noise_xxpsk3.json` hold the entries of these protocols of the
 * Cacophony test vectors, as they stand in the public repository mcginty/snow at `tests/vectors/cacophony.txt`,
 * commit aabed3159deec0a0dfe3d5601c43322d84700c94. (Older commits of that file have the same messages and
 * handshake hashes taken too early.)
 *
 * @module
 */

import {
  type Bytes,
  decryptMessage,
  encryptMessage,
} from "../../../crypto_utils.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { transportOf } from "../../kit/transport.ts";
import xx from "./vectors/noise_xx.json" with { type: "json" };
import xxpsk3 from "./vectors/noise_xxpsk3.json" with { type: "json" };
import {
  createHandshake,
  type Handshake,
  type Pattern,
  type Role,
} from "../../../src/crypto/noise.ts";

interface Vector {
  readonly "protocol_name": string;
  readonly "init_prologue": string;
  readonly "init_psks"?: readonly string[];
  readonly "init_static": string;
  readonly "init_ephemeral": string;
  readonly "resp_prologue": string;
  readonly "resp_psks"?: readonly string[];
  readonly "resp_static": string;
  readonly "resp_ephemeral": string;
  readonly "handshake_hash": string;
  readonly messages: readonly { payload: string; ciphertext: string }[];
}

const VECTORS: readonly (readonly [Pattern, Vector])[] = [
  ["XX", xx],
  ["XXpsk3", xxpsk3],
];

function hex(text: string): Bytes {
  return Uint8Array.fromHex(text);
}

function side(role: Role, pattern: Pattern, vector: Vector): Handshake {
  const end = role === "initiator" ? "init" : "resp";
  const psk = vector[`${end}_psks`]?.[0];
  return createHandshake({
    role,
    pattern,
    prologue: hex(vector[`${end}_prologue`]),
    staticKey: hex(vector[`${end}_static`]),
    ephemeralKey: hex(vector[`${end}_ephemeral`]),
    ...(psk === undefined ? {} : { psk: hex(psk) }),
  });
}

for (const [pattern, vector] of VECTORS) {
  Deno.test(`createHandshake() agrees with the vector of ${vector.protocol_name}`, async () => {
    const initiator = side("initiator", pattern, vector);
    const responder = side("responder", pattern, vector);
    let writer = initiator;
    let reader = responder;
    for (const { payload, ciphertext } of vector.messages.slice(0, 3)) {
      const message = await writer.writeMessage(hex(payload));
      assertEquals(message.toHex(), ciphertext);
      assertEquals((await reader.readMessage(message)).toHex(), payload);
      [writer, reader] = [reader, writer];
    }
    assertEquals(initiator.handshakeHash.toHex(), vector.handshake_hash);
    assertEquals(responder.handshakeHash.toHex(), vector.handshake_hash);

    let writing = await transportOf(writer);
    let reading = await transportOf(reader);
    const transport = vector.messages.slice(3);
    assert(transport.length >= 2); // one each way
    for (const { payload, ciphertext } of transport) {
      const sealed = await encryptMessage(writing.send, hex(payload));
      assertEquals(sealed.toHex(), ciphertext);
      const opened = await decryptMessage(reading.receive, sealed);
      assertEquals(opened.toHex(), payload);
      [writing, reading] = [reading, writing];
    }
  });

  Deno.test(`createHandshake() reads the published messages of ${vector.protocol_name}`, async () => {
    for (const role of ["initiator", "responder"] as const) {
      const handshake = side(role, pattern, vector);
      for (const [turn, step] of vector.messages.slice(0, 3).entries()) {
        if ((turn % 2 === 0) === (role === "initiator")) {
          await handshake.writeMessage(hex(step.payload));
        } else {
          const payload = await handshake.readMessage(hex(step.ciphertext));
          assertEquals(payload.toHex(), step.payload);
        }
      }
      assertEquals(handshake.handshakeHash.toHex(), vector.handshake_hash);
    }
  });
}
