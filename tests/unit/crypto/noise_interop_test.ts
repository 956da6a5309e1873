/**
 * Live handshakes with another implementation of Noise: rweather's noise-c, compiled to WebAssembly.
 *
 * noise-c is older than psk3, so it is XX that is spoken; `noise_vectors_test.ts` covers XXpsk3.
 *
 * @module
 */

// @ts-types="../../kit/types/noise_c.d.ts"
import createNoise from "noise-c.wasm";
import type {
  Noise,
  NoiseCipherState,
  NoiseHandshakeState,
} from "../../kit/types/noise_c.d.ts";
import {
  type Bytes,
  decryptMessage,
  encryptMessage,
  HandshakeError,
  randomBytes,
} from "../../../crypto_utils.ts";
import { assertEquals, assertRejects, assertThrows } from "../../kit/assert.ts";
import { transportOf } from "../../kit/transport.ts";
import { utf8 } from "../../kit/bytes.ts";
import { importKeyPair } from "../../../src/crypto/x25519.ts";
import { createHandshake, type Role } from "../../../src/crypto/noise.ts";

const NONE = new Uint8Array(0);
const PROLOGUE = utf8("prologue");

function load(): Promise<Noise> {
  // What it says on standard error is only that it reads its WebAssembly from a file.
  const options = { printErr() {} };
  return new Promise((resolve) => createNoise(options, resolve));
}

/** The other implementation's side, with a static key of its own. */
function theirSide(
  noise: Noise,
  role: Role,
): { theirs: NoiseHandshakeState; publicKey: Uint8Array } {
  const { constants } = noise;
  const number = role === "initiator"
    ? constants.NOISE_ROLE_INITIATOR
    : constants.NOISE_ROLE_RESPONDER;
  const [privateKey, publicKey] = noise.CreateKeyPair(
    constants.NOISE_DH_CURVE25519,
  );
  const theirs = new noise.HandshakeState(
    "Noise_XX_25519_AESGCM_SHA256",
    number,
  );
  theirs.Initialize(PROLOGUE, privateKey);
  return { theirs, publicKey };
}

for (const role of ["initiator", "responder"] as const) {
  const theirRole = role === "initiator" ? "responder" : "initiator";

  Deno.test(`createHandshake() as ${role} completes Noise_XX with noise-c, and messages pass both ways`, async () => {
    const noise = await load();
    const { theirs, publicKey } = theirSide(noise, theirRole);
    const staticKey = await importKeyPair(randomBytes(32));
    const ours = createHandshake({
      role,
      pattern: "XX",
      prologue: PROLOGUE,
      staticKey,
    });

    for (const turn of [0, 1, 2]) {
      const payload = utf8(`payload ${turn}`);
      if ((turn % 2 === 0) === (role === "initiator")) {
        const message = await ours.writeMessage(payload);
        assertEquals(bytes(theirs.ReadMessage(message, true)), payload);
      } else {
        const message = theirs.WriteMessage(payload);
        assertEquals(await ours.readMessage(message), payload);
      }
    }
    assertEquals(bytes(theirs.GetHandshakeHash()), ours.handshakeHash);
    assertEquals(ours.remoteStaticKey, bytes(publicKey));
    assertEquals(bytes(theirs.GetRemotePublicKey()), staticKey.publicKey);

    const [theirSend, theirReceive] = theirs.Split();
    const { send, receive } = await transportOf(ours);
    for (let round = 0; round < 300; round++) { // past one byte of the counter
      const message = randomBytes(round);
      const sent = await encryptMessage(send, message, PROLOGUE);
      assertEquals(opened(theirReceive, sent), message);
      const sealed = theirSend.EncryptWithAd(PROLOGUE, message);
      assertEquals(await decryptMessage(receive, sealed, PROLOGUE), message);
    }
    theirSend.free();
    theirReceive.free();
  });

  Deno.test(`createHandshake() as ${role} fails with noise-c where the prologues differ`, async () => {
    const noise = await load();
    const { theirs } = theirSide(noise, theirRole);
    const ours = createHandshake({ role, pattern: "XX", prologue: NONE });
    if (role === "initiator") {
      theirs.ReadMessage(await ours.writeMessage());
      const second = theirs.WriteMessage();
      await assertRejects(() => ours.readMessage(second), HandshakeError);
      theirs.free();
    } else {
      await ours.readMessage(theirs.WriteMessage());
      const second = await ours.writeMessage();
      assertThrows(
        () => theirs.ReadMessage(second), // frees itself
        Error,
        "NOISE_ERROR_MAC_FAILURE",
      );
    }
  });
}

function opened(cipher: NoiseCipherState, sealed: Bytes): Bytes {
  return bytes(cipher.DecryptWithAd(PROLOGUE, sealed));
}

/** A copy outside of the other implementation's memory. */
function bytes(given: Uint8Array | null): Bytes {
  return new Uint8Array(given ?? NONE);
}
