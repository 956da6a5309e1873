/**
 * ML-KEM-768, natively and by the library: a published answer, one against the other, and what they refuse.
 * Also the psk that is made of its secret, carried through a whole handshake.
 *
 * The vector is the one of the public repository C2SP/wycheproof, `testvectors_v1/mlkem_768_test.json`,
 * commit 08dbfd811067ca3411e6fe692d88d9d62283c973 (from CCTV's "strcmp" set): its ciphertext is one that has
 * to be rejected implicitly.
 *
 * @module
 */

import {
  equalBytes,
  hkdf,
  PROTOCOL_NAME,
  randomBytes,
} from "../../../crypto_utils.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { keysSeen } from "../../kit/private_keys.ts";
import vector from "./vectors/ml_kem_768.json" with { type: "json" };
import { createHandshake } from "../../../src/crypto/noise.ts";
import {
  hybridPsk,
  type Kem,
  KEM_CIPHERTEXT_SIZE,
  KEM_KEY_SIZE,
  libraryKem,
  nativeKem,
} from "../../../src/crypto/kem.ts";

interface Implementation {
  readonly name: string;
  readonly kem: Kem;
  /** Whether this runtime hasn't got it. */
  readonly ignore: boolean;
}

const native: Implementation = {
  name: "nativeKem",
  kem: nativeKem,
  ignore: !("encapsulateBits" in crypto.subtle),
};
const library: Implementation = {
  name: "libraryKem",
  kem: libraryKem,
  ignore: false,
};

for (const { name, kem, ignore } of [native, library]) {
  Deno.test({
    name:
      `${name}.generate() and decapsulate() agree with the published vector`,
    ignore,
    async fn() {
      const key = await kem.generate(Uint8Array.fromHex(vector.seed));
      assertEquals(key.encapsulationKey.toHex(), vector.ek);
      const secret = await key.decapsulate(Uint8Array.fromHex(vector.c));
      assertEquals(secret.toHex(), vector.K);
    },
  });

  Deno.test({
    name: `${name}.generate() makes another key each time`,
    ignore,
    async fn() {
      const first = await kem.generate();
      const second = await kem.generate();
      assertEquals(first.encapsulationKey.length, KEM_KEY_SIZE);
      assert(!equalBytes(first.encapsulationKey, second.encapsulationKey));
    },
  });

  Deno.test({
    name: `${name} refuses keys and ciphertexts of another size`,
    ignore,
    async fn() {
      const key = await kem.generate();
      for (const off of [-1, 1]) {
        await assertRejects(
          () => kem.encapsulate(new Uint8Array(KEM_KEY_SIZE + off)),
          RangeError,
          "Cannot use an ML-KEM key of",
        );
        await assertRejects(
          () => key.decapsulate(new Uint8Array(KEM_CIPHERTEXT_SIZE + off)),
          RangeError,
          "Cannot use an ML-KEM ciphertext of",
        );
      }
    },
  });

  Deno.test({
    name:
      `${name}.encapsulate() refuses a key with coefficients that aren't reduced`,
    ignore,
    async fn() {
      const { cause } = await assertRejects(
        () => kem.encapsulate(new Uint8Array(KEM_KEY_SIZE).fill(0xff)),
        RangeError,
        "Cannot use an ML-KEM key: it is not a proper one",
      );
      assert(cause instanceof Error);
    },
  });

  Deno.test({
    name:
      `${name}.decapsulate() gives another secret for an altered ciphertext`,
    ignore,
    async fn() {
      const key = await kem.generate();
      const { ciphertext, secret } = await kem.encapsulate(
        key.encapsulationKey,
      );
      assertEquals(await key.decapsulate(ciphertext), secret);
      ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
      const rejected = await key.decapsulate(ciphertext);
      assertEquals(rejected.length, 32);
      assert(!equalBytes(rejected, secret));
    },
  });
}

Deno.test({
  name:
    "nativeKem and libraryKem give the same secrets for the same seed and ciphertext",
  ignore: native.ignore,
  async fn() {
    const seed = randomBytes(64);
    const [first, second] = await Promise.all([
      nativeKem.generate(seed),
      libraryKem.generate(seed),
    ]);
    assertEquals(first.encapsulationKey, second.encapsulationKey);
    for (const kem of [nativeKem, libraryKem]) {
      const { ciphertext, secret } = await kem.encapsulate(
        first.encapsulationKey,
      );
      assertEquals(await first.decapsulate(ciphertext), secret);
      assertEquals(await second.decapsulate(ciphertext), secret);
    }
    // Even for what nobody encapsulated (FIPS 203's implicit rejection).
    const noise = randomBytes(KEM_CIPHERTEXT_SIZE);
    assertEquals(
      await first.decapsulate(noise),
      await second.decapsulate(noise),
    );
  },
});

// The initiator's key, the responder's encapsulation.
for (
  const [mine, theirs] of [[native, library], [library, native], [
    library,
    library,
  ]] as const
) {
  Deno.test({
    name:
      `hybridPsk() carries a handshake between ${mine.name} and ${theirs.name}`,
    ignore: mine.ignore || theirs.ignore,
    async fn() {
      const inviteKey = randomBytes(32);
      const initiator = createHandshake({ role: "initiator" });
      const responder = createHandshake({ role: "responder" });

      const key = await mine.kem.generate();
      const offered = await responder.readMessage(
        await initiator.writeMessage(key.encapsulationKey),
      );
      const { ciphertext, secret } = await theirs.kem.encapsulate(offered);
      const answered = await initiator.readMessage(
        await responder.writeMessage(ciphertext),
      );
      responder.setPsk(hybridPsk(inviteKey, secret));
      initiator.setPsk(
        hybridPsk(inviteKey, await key.decapsulate(answered)),
      );
      const last = await initiator.writeMessage(new Uint8Array([7]));
      assertEquals(await responder.readMessage(last), new Uint8Array([7]));
      assertEquals(initiator.handshakeHash, responder.handshakeHash);
    },
  });
}

Deno.test({
  name:
    "nativeKem.generate() keeps private keys where only the runtime reaches",
  ignore: native.ignore,
  async fn() {
    const { keys } = await keysSeen(async () => {
      await nativeKem.generate();
      await nativeKem.generate(randomBytes(64));
    });
    assertEquals(keys.map(({ extractable }) => extractable), [false, false]);
  },
});

Deno.test("hybridPsk() is HKDF of the ML-KEM secret, salted with the invite's key", () => {
  const inviteKey = randomBytes(32);
  const secret = randomBytes(32);
  const psk = hybridPsk(inviteKey, secret);
  const info = new TextEncoder().encode(PROTOCOL_NAME);
  assertEquals(psk, hkdf(secret, inviteKey, info, 32));
  assert(!equalBytes(psk, hybridPsk(inviteKey, randomBytes(32))));
  assert(!equalBytes(psk, hybridPsk(randomBytes(32), secret)));
});
