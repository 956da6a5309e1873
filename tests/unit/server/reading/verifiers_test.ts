/**
 * Signatures that are checked in threads beside the first.
 *
 * @module
 */

import { randomBytes } from "../../../../crypto_utils.ts";
import { sign } from "../../../../src/crypto/ed25519.ts";
import { identityOf } from "../../../../src/crypto/identity.ts";
import { Verifiers } from "../../../../src/server/reading/verifiers.ts";
import { assertEquals } from "../../../kit/assert.ts";

Deno.test("Verifiers tells right signatures from wrong ones, each its own, also where a short batch overtakes a long one", async () => {
  using verifiers = new Verifiers();
  const ids = await Promise.all(
    Array.from({ length: 3 }, () => identityOf(randomBytes(32))),
  );
  const expected: boolean[] = [];
  const checks: Promise<boolean>[] = [];
  let at = 0;
  for (const size of [1_024, 900, 1, 2, 700, 1, 1]) { // the first is checked in this thread
    const batch = await Promise.all(Array.from({ length: size }, async () => {
      const number = at++;
      const signer = ids[number % ids.length];
      if (!signer) throw new TypeError("nobody");
      const bytes = randomBytes(number % 400);
      const signature = await sign(signer.signing, bytes);
      const isRight = number % 7 !== 0;
      if (!isRight) signature[3] = (signature[3] ?? 0) ^ 1;
      return { key: signer.signing.verifyKey, signature, bytes, isRight };
    }));
    for (const { key, signature, bytes, isRight } of batch) {
      expected.push(isRight);
      checks.push(verifiers.verify(key, signature, bytes));
    }
  }
  assertEquals(await Promise.all(checks), expected);
});
