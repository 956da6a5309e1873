/**
 * CPace: the published vectors, value by value, two sides that agree, and what they refuse.
 *
 * `vectors/cpace_ristretto255.json` has the vectors of the public repository cfrg/draft-irtf-cfrg-cpace as they
 * stand in its `testvectors.md`, and `vectors/cpace_ristretto255_draft.json` those of the draft's own text, commit
 * 8fb4056e1b9201927d9f651b9970d9d5660c7892, which has another CI. ISK_SY and sid_output_oc are of the setting without
 * roles, which isn't implemented; sid_output_ir stands for the transcript that it is a hash of.
 *
 * @module
 */

import { sha512 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import {
  type Bytes,
  concat,
  equalBytes,
  HandshakeError,
  randomBytes,
} from "../../../crypto_utils.ts";
import {
  Cpace,
  CPACE_KEY_SIZE,
  CPACE_SHARE_SIZE,
  cpaceGeneratorString,
  type CpaceInput,
  cpaceSecret,
  cpaceTranscript,
} from "../../../src/crypto/cpace.ts";
import { assert, assertEquals, assertThrows } from "../../kit/assert.ts";
import { isWiped } from "../../kit/private_keys.ts";
import { replaced } from "../../kit/replaced.ts";
import published from "./vectors/cpace_ristretto255.json" with { type: "json" };
import draft from "./vectors/cpace_ristretto255_draft.json" with {
  type: "json",
};

const utf8 = new TextEncoder();

/** The values of one file: the generator's, a run's, and those of scalar_mult_vfy(). */
function vectorsOf({ vectors }: typeof published) {
  const [generator, run, multiples] = vectors;
  return {
    generator: generator as Record<string, string>,
    run: run as Record<string, string>,
    multiples: multiples as unknown as {
      readonly Valid: Record<string, string>;
      readonly "Invalid Y1": string;
      readonly "Invalid Y2": string;
    },
  };
}

/** The bytes of one value. */
function bytes(values: Readonly<Record<string, string>>, name: string): Bytes {
  const text = values[name];
  assert(text !== undefined, name);
  return Uint8Array.fromHex(text);
}

function inputOf(values: Readonly<Record<string, string>>): CpaceInput {
  return {
    password: bytes(values, "PRS"),
    ci: bytes(values, "CI"),
    sid: bytes(values, "sid"),
  };
}

for (
  const [name, file] of [["published", published], ["draft's", draft]] as const
) {
  const { generator, run, multiples } = vectorsOf(file as typeof published);

  Deno.test(`cpaceGeneratorString() and the generator agree with the ${name} vectors`, () => {
    const { password, ci, sid } = inputOf(generator);
    const text = cpaceGeneratorString(password, ci, sid);
    assertEquals(
      text,
      bytes(generator, "generator_string(G.DSI,PRS,CI,sid,H.s_in_bytes)"),
    );
    const hashed = new Uint8Array(sha512(text));
    assertEquals(hashed, bytes(generator, "hash result"));
    const one = new Uint8Array(32);
    one[0] = 1;
    const { share: g } = new Cpace({ password, ci, sid }, one); // the generator, once
    assertEquals(g, bytes(generator, "encoded generator g"));
    assertEquals(g, bytes(run, "g"));
    const zeros = 128 - 1 - 1 - bytes(generator, "DSI").length - 1 -
      password.length;
    assertEquals(zeros, Number(generator["ZPAD length"]));
  });

  Deno.test(`Cpace agrees with the ${name} vectors on both sides`, () => {
    const a = new Cpace(inputOf(run), bytes(run, "ya"));
    const b = new Cpace(inputOf(run), bytes(run, "yb"));
    assertEquals(a.share, bytes(run, "Ya"));
    assertEquals(b.share, bytes(run, "Yb"));
    const [dataA, dataB] = [bytes(run, "ADa"), bytes(run, "ADb")];
    assertEquals(
      a.key("initiator", b.share, { ours: dataA, theirs: dataB }),
      bytes(run, "ISK_IR"),
    );
    assertEquals(
      b.key("responder", a.share, { ours: dataB, theirs: dataA }),
      bytes(run, "ISK_IR"),
    );
  });

  Deno.test(`cpaceSecret() and cpaceTranscript() agree with the ${name} vectors`, () => {
    const [shareA, shareB] = [bytes(run, "Ya"), bytes(run, "Yb")];
    assertEquals(cpaceSecret(bytes(run, "ya"), shareB), bytes(run, "K"));
    assertEquals(cpaceSecret(bytes(run, "yb"), shareA), bytes(run, "K"));
    const transcript = cpaceTranscript(
      shareA,
      bytes(run, "ADa"),
      shareB,
      bytes(run, "ADb"),
    );
    const output = sha512(concat(utf8.encode("CPaceSidOutput"), transcript));
    assertEquals(new Uint8Array(output), bytes(run, "sid_output_ir"));
  });

  Deno.test(`cpaceSecret() agrees with the ${name} vectors of scalar_mult_vfy()`, () => {
    const { Valid: valid } = multiples;
    const product = cpaceSecret(bytes(valid, "s"), bytes(valid, "X"));
    assertEquals(product, bytes(valid, "G.scalar_mult(s,decode(X))"));
    assertEquals(product, bytes(valid, "G.scalar_mult_vfy(s,X)"));
    for (const share of [multiples["Invalid Y1"], multiples["Invalid Y2"]]) {
      assertThrows(
        () => cpaceSecret(bytes(valid, "s"), Uint8Array.fromHex(share)),
        HandshakeError,
        "Cannot make a CPace key: the other side's share is not a proper one",
      );
    }
  });
}

/** What a test of two sides puts in. */
function input(change: Partial<CpaceInput> = {}): CpaceInput {
  return {
    password: utf8.encode("crossover-clockwork"),
    ci: utf8.encode("encrypted-chat/2"),
    sid: utf8.encode("run 1"),
    ...change,
  };
}

/** The keys of an initiator and a responder that hear each other. */
function keysOf(mine: CpaceInput, theirs: CpaceInput): [Bytes, Bytes] {
  const a = new Cpace(mine);
  const b = new Cpace(theirs);
  return [a.key("initiator", b.share), b.key("responder", a.share)];
}

Deno.test("Cpace gives both sides one key of 64 bytes, and another each time", () => {
  const [first, second] = keysOf(input(), input());
  assertEquals(first.length, CPACE_KEY_SIZE);
  assertEquals(first, second);
  assert(!equalBytes(first, keysOf(input(), input())[0]));
});

Deno.test("Cpace agrees whatever is put in, long and empty inputs too", () => {
  const some = fc.uint8Array({ maxLength: 300, size: "max" });
  fc.assert(
    fc.property(
      some,
      some,
      some,
      some,
      some,
      (password, ci, sid, ours, theirs) => {
        const a = new Cpace({ password, ci, sid });
        const b = new Cpace({ password, ci, sid });
        assertEquals(
          a.key("initiator", b.share, { ours, theirs }),
          b.key("responder", a.share, { ours: theirs, theirs: ours }),
        );
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("cpaceTranscript() puts before each part its length, seven bits to a byte", () => {
  const none = new Uint8Array(0);
  for (
    const [size, length] of [
      [0, "00"],
      [127, "7f"],
      [128, "8001"],
      [300, "ac02"],
      [16_383, "ff7f"],
      [16_384, "808001"],
    ] as const
  ) {
    const part = new Uint8Array(size).fill(7);
    assertEquals(
      cpaceTranscript(none, part, none, none).toHex(),
      `00${length}${part.toHex()}0000`,
    );
  }
});

/** Runs something while all random bits are ones. @returns The bytes that it drew, as they are after it. */
function withOnes(run: () => void): Uint8Array[] {
  const drawn: Uint8Array[] = [];
  const fill = (into: Uint8Array) => {
    drawn.push(into);
    return into.fill(0xff);
  };
  using _ = replaced(crypto, "getRandomValues", fill);
  run();
  return drawn;
}

Deno.test("Cpace draws a scalar of 252 bits, and leaves nothing of it once it has made a key or refused a share", () => {
  const greatest = new Uint8Array(32).fill(0xff);
  greatest[31] = 0x0f;
  const { share } = new Cpace(input(), greatest);
  for (const theirs of [share, new Uint8Array(CPACE_SHARE_SIZE)]) {
    let run: Cpace | undefined;
    const drawn = withOnes(() => run = new Cpace(input()));
    assertEquals([run?.share, drawn], [share, [greatest]]);
    try {
      run?.key("initiator", theirs);
    } catch (error) {
      assert(error instanceof HandshakeError);
    }
    assertEquals(drawn.map(isWiped), [true]);
  }
});

Deno.test("Cpace gives the two sides different keys if any input differs", () => {
  const other = utf8.encode("other");
  for (const name of ["password", "ci", "sid"] as const) {
    const [first, second] = keysOf(input(), input({ [name]: other }));
    assert(!equalBytes(first, second), name);
  }
});

Deno.test("Cpace gives the two sides different keys if associated data or roles differ", () => {
  const [ya, yb] = [randomBytes(32), randomBytes(32)];
  ya[31] = yb[31] = 0;
  const a = () => new Cpace(input(), ya.slice());
  const b = () => new Cpace(input(), yb.slice());
  const [one, other] = [utf8.encode("one"), utf8.encode("other")];
  const key = a().key("initiator", b().share, { ours: one });
  for (
    const different of [
      b().key("responder", a().share),
      b().key("responder", a().share, { theirs: other }),
      b().key("responder", a().share, { ours: one }),
      b().key("initiator", a().share, { theirs: one }),
    ]
  ) assert(!equalBytes(key, different));
  assertEquals(b().key("responder", a().share, { theirs: one }), key);
});

Deno.test("Cpace.key() refuses a share that is no element, the neutral one, or of another size", () => {
  // RFC 9496 appendix A.2: not canonical, negative, no square.
  const bad = [
    "00".repeat(32),
    "ff".repeat(32),
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "",
    "00".repeat(31),
    "00".repeat(33),
  ];
  for (const share of bad) {
    assertThrows(
      () => new Cpace(input()).key("responder", Uint8Array.fromHex(share)),
      HandshakeError,
      "Cannot make a CPace key: the other side's share is not a proper one",
    );
  }
});

Deno.test("Cpace.key() works once, even after a share that it refused", () => {
  const b = new Cpace(input());
  for (const share of [b.share, new Uint8Array(CPACE_SHARE_SIZE)]) {
    const a = new Cpace(input());
    try {
      a.key("initiator", share);
    } catch (error) {
      assert(error instanceof HandshakeError);
    }
    assertThrows(
      () => a.key("initiator", b.share),
      HandshakeError,
      "Cannot make a CPace key: this run has made one",
    );
  }
});

Deno.test("Cpace refuses scalars of another size, 0 and those not below the group's order", () => {
  for (const size of [0, 31, 33]) {
    assertThrows(
      () => new Cpace(input(), new Uint8Array(size)),
      RangeError,
      `Cannot use a CPace scalar of ${size} bytes: it has 32`,
    );
  }
  for (const byte of [0, 0xff]) {
    assertThrows(
      () => new Cpace(input(), new Uint8Array(32).fill(byte)),
      RangeError,
      "Cannot use a CPace scalar: it is 0 or not below the group's order",
    );
  }
});
