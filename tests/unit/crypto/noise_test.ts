/**
 * How a handshake behaves with a peer, a network or a caller that does wrong. The published answers are in
 * `noise_vectors_test.ts`; knows nothing of sockets or records.
 *
 * @module
 */

import {
  type Bytes,
  DecryptionError,
  decryptMessage,
  encryptMessage,
  equalBytes,
  HandshakeError,
  MAX_MESSAGE_SIZE,
  randomBytes,
} from "../../../crypto_utils.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../kit/assert.ts";
import { LOW_ORDER_KEYS } from "../../kit/key_pairs.ts";
import { transportOf } from "../../kit/transport.ts";
import { flipped, utf8 } from "../../kit/bytes.ts";
import {
  agree,
  importKeyPair,
  type KeyPair,
} from "../../../src/crypto/x25519.ts";
import {
  createHandshake,
  type Handshake,
  type HandshakeOptions,
  type Pattern,
  type Role,
} from "../../../src/crypto/noise.ts";

const PATTERNS: readonly Pattern[] = ["XX", "XXpsk3"];

interface Sides {
  readonly initiator: Handshake;
  readonly responder: Handshake;
}

/** Two sides that agree on everything, but for what is given. */
function sides(
  pattern: Pattern = "XXpsk3",
  initiator: Partial<HandshakeOptions> = {},
  responder: Partial<HandshakeOptions> = {},
): Sides {
  const psk = randomBytes(32);
  const prologue = utf8("prologue");
  const both = { pattern, psk, prologue };
  return {
    initiator: createHandshake({ ...both, ...initiator, role: "initiator" }),
    responder: createHandshake({ ...both, ...responder, role: "responder" }),
  };
}

/** Runs messages from the one given to the end. `alter` stands for the network. */
async function run(
  { initiator, responder }: Sides,
  alter: (message: Bytes, turn: number) => Bytes = (message) => message,
  first = 0,
): Promise<void> {
  for (let turn = first; turn < 3; turn++) {
    const [writer, reader] = turn % 2 === 0
      ? [initiator, responder]
      : [responder, initiator];
    const payload = utf8(`payload ${turn}`);
    const message = await writer.writeMessage(payload);
    assertEquals(await reader.readMessage(alter(message, turn)), payload);
  }
}

function assertFails(pending: Promise<unknown>, text = ""): Promise<Error> {
  return assertRejects(() => pending, HandshakeError, text);
}

// ── What a finished handshake leaves ───────────────────────────────────────────────────────────────────

for (const pattern of PATTERNS) {
  Deno.test(`createHandshake() leaves both sides of ${pattern} with the same hash and each other's key`, async () => {
    const ana = await importKeyPair(randomBytes(32));
    const ben = await importKeyPair(randomBytes(32));
    const { initiator, responder } = sides(
      pattern,
      { staticKey: ana },
      { staticKey: ben },
    );
    assertEquals(initiator.remoteStaticKey, undefined);
    assertEquals(initiator.done, false);
    await run({ initiator, responder });
    assertEquals(initiator.done, true);
    assertEquals(responder.done, true);
    assertEquals(initiator.handshakeHash.length, 32);
    assertEquals(initiator.handshakeHash, responder.handshakeHash);
    assertEquals(initiator.remoteStaticKey, ben.publicKey);
    assertEquals(responder.remoteStaticKey, ana.publicKey);

    const ours = await transportOf(initiator);
    const theirs = await transportOf(responder);
    for (const text of ["one", "two"]) {
      const there = await encryptMessage(ours.send, utf8(text));
      assertEquals(await decryptMessage(theirs.receive, there), utf8(text));
      const back = await encryptMessage(theirs.send, utf8(text));
      assert(!equalBytes(there, back)); // each direction has a key of its own
      assertEquals(await decryptMessage(ours.receive, back), utf8(text));
    }
    const sent = await encryptMessage(ours.send, utf8("three"));
    await assertRejects(
      () => decryptMessage(ours.receive, sent),
      DecryptionError,
    );
  });
}

Deno.test("createHandshake() speaks XXpsk3 where no pattern is given", async () => {
  const psk = randomBytes(32);
  const initiator = createHandshake({ role: "initiator", psk });
  const responder = createHandshake({
    role: "responder",
    pattern: "XXpsk3",
    psk,
  });
  await run({ initiator, responder });
  assertEquals(initiator.handshakeHash, responder.handshakeHash);
});

Deno.test("createHandshake() takes a raw static key as it takes its pair", async () => {
  const raw = randomBytes(32);
  const { publicKey } = await importKeyPair(raw);
  const pair = sides("XXpsk3", { staticKey: raw });
  await run(pair);
  assertEquals(pair.responder.remoteStaticKey, publicKey);
});

Deno.test("createHandshake() makes new ephemeral keys each time", async () => {
  const staticKey = randomBytes(32);
  const psk = randomBytes(32);
  const write = () =>
    createHandshake({ role: "initiator", staticKey, psk }).writeMessage();
  const first = await write();
  const second = await write();
  assert(!equalBytes(first.subarray(0, 32), second.subarray(0, 32)));
});

Deno.test("createHandshake() keeps a prologue and a psk of its own", async () => {
  const psk = randomBytes(32);
  const prologue = utf8("prologue");
  const pair = sides("XXpsk3", { psk, prologue }, {
    psk: psk.slice(),
    prologue: prologue.slice(),
  });
  psk.fill(0);
  prologue.fill(0);
  await run(pair);
});

// ── Misuse ─────────────────────────────────────────────────────────────────────────────────────────────

interface Misuse {
  readonly name: string;
  readonly text: string;
  /** What must fail. Messages before `turn` have passed. */
  act(pair: Sides): Promise<unknown>;
  readonly turn: 0 | 1 | 2 | 3;
}

const MISUSES: readonly Misuse[] = [
  {
    name: "the initiator reads first",
    text: "it is not the initiator's turn to",
    turn: 0,
    act: ({ initiator }) => initiator.readMessage(new Uint8Array(48)),
  },
  {
    name: "the responder writes first",
    text: "it is not the responder's turn to",
    turn: 0,
    act: ({ responder }) => responder.writeMessage(),
  },
  {
    name: "the initiator writes twice",
    text: "it is not the initiator's turn to",
    turn: 0,
    act: async ({ initiator }) => {
      await initiator.writeMessage();
      await initiator.writeMessage();
    },
  },
  {
    name: "the initiator writes twice at once",
    text: "it is not the initiator's turn to",
    turn: 0,
    act: async ({ initiator }) => {
      const first = initiator.writeMessage();
      const second = initiator.writeMessage();
      await Promise.allSettled([first, second]); // nothing is left running
      await first;
      await second;
    },
  },
  {
    name: "the responder reads twice",
    text: "it is not the responder's turn to",
    turn: 1,
    act: ({ responder }) => responder.readMessage(new Uint8Array(48)),
  },
  {
    name: "the responder writes the third message",
    text: "it is not the responder's turn to",
    turn: 2,
    act: ({ responder }) => responder.writeMessage(),
  },
  {
    name: "the initiator writes a fourth message",
    text: "Cannot write a message: the handshake is finished",
    turn: 3,
    act: ({ initiator }) => initiator.writeMessage(),
  },
  {
    name: "the responder reads a fourth message",
    text: "Cannot read a message: the handshake is finished",
    turn: 3,
    act: ({ responder }) => responder.readMessage(new Uint8Array(64)),
  },
];

/** Passes whole messages until it is the turn of the one given. */
async function advance(pair: Sides, turn: number): Promise<void> {
  const { initiator, responder } = pair;
  if (turn > 0) {
    await responder.readMessage(await initiator.writeMessage());
  }
  if (turn > 1) {
    await initiator.readMessage(await responder.writeMessage());
  }
  if (turn > 2) {
    await responder.readMessage(await initiator.writeMessage());
  }
}

for (const { name, text, turn, act } of MISUSES) {
  Deno.test(`Handshake refuses when ${name}`, async () => {
    for (const pattern of PATTERNS) {
      const pair = sides(pattern);
      await advance(pair, turn);
      await assertFails(act(pair), text);
    }
  });
}

Deno.test("Handshake goes on after a call out of turn", async () => {
  const pair = sides();
  await assertFails(pair.initiator.readMessage(new Uint8Array(48)));
  await assertFails(pair.responder.writeMessage());
  await run(pair);
});

Deno.test("Handshake.split() refuses until all three messages have passed", async () => {
  for (const turn of [0, 1, 2]) {
    const pair = sides();
    await advance(pair, turn);
    for (const side of [pair.initiator, pair.responder]) {
      assertEquals(side.done, false);
      assertThrows(
        () => side.split(),
        HandshakeError,
        "Cannot split: the handshake is not finished",
      );
    }
  }
});

Deno.test("Handshake refuses the third message until a psk was given, then takes it", async () => {
  const psk = randomBytes(32);
  const initiator = createHandshake({ role: "initiator" });
  const responder = createHandshake({ role: "responder" });
  await advance({ initiator, responder }, 2);
  await assertFails(
    initiator.writeMessage(),
    "Cannot write the third message: no pre-shared key was given",
  );
  initiator.setPsk(psk);
  const third = await initiator.writeMessage(utf8("third"));
  await assertFails(
    responder.readMessage(third),
    "Cannot read the third message: no pre-shared key was given",
  );
  responder.setPsk(psk);
  assertEquals(await responder.readMessage(third), utf8("third"));
});

Deno.test("createHandshake() refuses keys that aren't 32 bytes", async () => {
  for (const size of [0, 31, 33]) {
    const wrong = new Uint8Array(size);
    const cases = [
      [{ staticKey: wrong }, "a static key"],
      [{ psk: wrong }, "a pre-shared key"],
      [{ ephemeralKey: wrong }, "an ephemeral key"],
    ] as const;
    for (const [options, what] of cases) {
      assertThrows(
        () => createHandshake({ role: "initiator", ...options }),
        RangeError,
        `Cannot use ${what} of ${size} bytes: it has 32`,
      );
    }
    const { initiator } = sides();
    assertThrows(() => initiator.setPsk(wrong), RangeError);
    await initiator.writeMessage(); // and nothing is broken by it
  }
});

Deno.test("createHandshake() refuses an unknown role or pattern", () => {
  assertThrows(
    () => createHandshake({ role: "observer" as Role }),
    TypeError,
    'Cannot take part in a handshake as "observer"',
  );
  for (const pattern of ["NN", "XXpsk0", "xx", ""]) {
    assertThrows(
      () => createHandshake({ role: "initiator", pattern: pattern as Pattern }),
      TypeError,
      `Cannot use the handshake pattern "${pattern}"`,
    );
  }
});

// What a message holds besides its payload, bytes.
const OVERHEAD = {
  XX: [32, 32 + 48 + 16, 48 + 16],
  XXpsk3: [32 + 16, 32 + 48 + 16, 48 + 16],
} as const;

for (const pattern of PATTERNS) {
  for (const [turn, overhead] of OVERHEAD[pattern].entries()) {
    Deno.test(`Handshake carries message ${turn + 1} of ${pattern} up to 65,535 bytes, and no further`, async () => {
      const pair = sides(pattern);
      await advance(pair, turn);
      const [writer, reader] = turn % 2 === 0
        ? [pair.initiator, pair.responder]
        : [pair.responder, pair.initiator];
      const largest = MAX_MESSAGE_SIZE - overhead;
      for (
        const size of [largest + 1, MAX_MESSAGE_SIZE, MAX_MESSAGE_SIZE + 1]
      ) {
        await assertRejects(
          () => writer.writeMessage(new Uint8Array(size)),
          RangeError,
        );
      }
      await assertRejects(
        () => reader.readMessage(new Uint8Array(MAX_MESSAGE_SIZE + 1)),
        RangeError,
        "Cannot use a message of 65536 bytes: the most is 65535",
      );
      const payload = new Uint8Array(largest).fill(7);
      const message = await writer.writeMessage(payload);
      assertEquals(message.length, MAX_MESSAGE_SIZE);
      assertEquals(await reader.readMessage(message), payload);
    });
  }
}

// ── A network that alters messages ─────────────────────────────────────────────────────────────────────

/** Message `turn` of a handshake that has come so far, and who is to read it. */
async function pending(
  pattern: Pattern,
  turn: number,
): Promise<{ pair: Sides; message: Bytes; reader: Handshake }> {
  const pair = sides(pattern);
  await advance(pair, turn);
  const [writer, reader] = turn % 2 === 0
    ? [pair.initiator, pair.responder]
    : [pair.responder, pair.initiator];
  const message = await writer.writeMessage(utf8("payload"));
  return { pair, message, reader };
}

// The first message of XX is not sealed: what is altered there shows in the second.
for (
  const [pattern, turn] of [
    ["XX", 1],
    ["XX", 2],
    ["XXpsk3", 0],
    ["XXpsk3", 1],
    ["XXpsk3", 2],
  ] as const
) {
  Deno.test(`Handshake refuses message ${turn + 1} of ${pattern} with any one byte altered, then takes the right one`, async () => {
    const { pair, message, reader } = await pending(pattern, turn);
    const before = reader.handshakeHash;
    for (let at = 0; at < message.length; at++) {
      const { cause } = await assertFails(
        reader.readMessage(flipped(message, at)),
      );
      assert(at < 32 || cause instanceof DecryptionError);
      assertEquals(reader.handshakeHash, before);
      assertEquals(reader.done, false);
    }
    assertEquals(await reader.readMessage(message), utf8("payload"));
    await run(pair, undefined, turn + 1);
    assertEquals(pair.initiator.handshakeHash, pair.responder.handshakeHash);
  });

  Deno.test(`Handshake refuses message ${turn + 1} of ${pattern} cut short or made longer, then takes the right one`, async () => {
    const { pair, message, reader } = await pending(pattern, turn);
    for (let size = 0; size < message.length; size++) {
      await assertFails(reader.readMessage(message.subarray(0, size)));
    }
    await assertFails(reader.readMessage(new Uint8Array([...message, 0])));
    assertEquals(await reader.readMessage(message), utf8("payload"));
    await run(pair, undefined, turn + 1);
  });
}

Deno.test("Handshake fails by its second message when any byte of the first of XX was altered", async () => {
  const size = 32 + utf8("payload 0").length;
  for (let at = 0; at < size; at++) {
    const { initiator, responder } = sides("XX");
    const message = await initiator.writeMessage(utf8("payload 0"));
    assertEquals(message.length, size);
    await responder.readMessage(flipped(message, at));
    await assertFails(
      initiator.readMessage(await responder.writeMessage()),
      "the message does not open",
    );
  }
});

Deno.test("Handshake refuses a first message of XX that is too short to hold a key", async () => {
  for (const size of [0, 1, 31]) {
    const { responder } = sides("XX");
    await assertFails(responder.readMessage(new Uint8Array(size)));
  }
});

Deno.test("Handshake refuses a message of another handshake", async () => {
  for (const turn of [1, 2]) {
    const mine = await pending("XXpsk3", turn);
    const other = await pending("XXpsk3", turn);
    await assertFails(mine.reader.readMessage(other.message));
    await mine.reader.readMessage(mine.message);
  }
});

Deno.test("Handshake refuses its own first message sent back", async () => {
  for (const pattern of PATTERNS) {
    const { initiator } = sides(pattern);
    await assertFails(
      initiator.readMessage(await initiator.writeMessage()),
    );
  }
});

// ── A peer that knows something else ───────────────────────────────────────────────────────────────────

Deno.test("Handshake fails where the sides have different prologues", async () => {
  for (const pattern of PATTERNS) {
    const other = { prologue: utf8("prologue/2") };
    await assertFails(run(sides(pattern, {}, other)), "does not open");
    await assertFails(
      run(sides(pattern, {}, { prologue: new Uint8Array(0) })),
      "does not open",
    );
  }
});

Deno.test("Handshake fails at the third message where the sides have different psks", async () => {
  const psk = randomBytes(32);
  for (let at = 0; at < psk.length; at++) {
    const pair = sides("XXpsk3", { psk }, { psk: flipped(psk, at) });
    await advance(pair, 2);
    const third = await pair.initiator.writeMessage();
    await assertFails(pair.responder.readMessage(third), "does not open");
    assertEquals(pair.responder.done, false);
  }
});

Deno.test("Handshake fails between XX and XXpsk3", async () => {
  await assertFails(
    advance(sides("XX", {}, { pattern: "XXpsk3" }), 3),
    "does not open",
  );
  await assertFails(
    advance(sides("XXpsk3", {}, { pattern: "XX" }), 3),
    "does not open",
  );
});

Deno.test("Handshake fails where a peer claims a static key that isn't its own", async () => {
  const mine = await importKeyPair(randomBytes(32));
  const claimed = await importKeyPair(randomBytes(32));
  const staticKey: KeyPair = {
    publicKey: claimed.publicKey,
    multiply: mine.multiply,
  };
  await assertFails(run(sides("XXpsk3", { staticKey })), "does not open");
  await assertFails(run(sides("XXpsk3", {}, { staticKey })), "does not open");
});

Deno.test("agree() refuses every public key of low order", async () => {
  const pair = await importKeyPair(randomBytes(32));
  for (const key of LOW_ORDER_KEYS) {
    await assertRejects(
      () => agree(pair, key),
      HandshakeError,
      "the public key is of low order",
    );
  }
});

/** The private half of a proper pair under a public half of low order. */
async function malicious(publicKey: Bytes): Promise<KeyPair> {
  const { multiply } = await importKeyPair(randomBytes(32));
  return { publicKey, multiply };
}

for (const pattern of PATTERNS) {
  Deno.test(`Handshake of ${pattern} refuses every ephemeral key of low order`, async () => {
    for (const key of LOW_ORDER_KEYS) {
      // From the responder: its message, whatever follows the key.
      const honest = sides(pattern);
      await advance(honest, 1);
      const second = await honest.responder.writeMessage();
      second.set(key);
      await assertFails(
        honest.initiator.readMessage(second),
        "the public key is of low order",
      );
    }
  });

  Deno.test(`Handshake of ${pattern} refuses every static key of low order`, async () => {
    for (const key of LOW_ORDER_KEYS) {
      const staticKey = await malicious(key);
      const fromInitiator = sides(pattern, { staticKey });
      await advance(fromInitiator, 2);
      const third = await fromInitiator.initiator.writeMessage();
      await assertFails(
        fromInitiator.responder.readMessage(third),
        "the public key is of low order",
      );

      const fromResponder = sides(pattern, {}, { staticKey });
      await advance(fromResponder, 1);
      const second = await fromResponder.responder.writeMessage();
      await assertFails(
        fromResponder.initiator.readMessage(second),
        "the public key is of low order",
      );
    }
  });
}

Deno.test("Handshake of XX writes nothing for an ephemeral key of low order", async () => {
  for (const key of LOW_ORDER_KEYS) {
    const { responder } = sides("XX");
    await responder.readMessage(key); // the whole of a first message without a payload
    await assertFails(
      responder.writeMessage(),
      "the public key is of low order",
    );
    assertEquals(responder.done, false);
  }
});
