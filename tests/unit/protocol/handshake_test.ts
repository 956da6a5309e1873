/**
 * What a server does around a handshake's cryptography: what it forgets, when it says why it goes no further, and to
 * whom.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  concat,
  encryptMessage,
  equalBytes,
  HandshakeError,
  randomBytes,
} from "../../../crypto_utils.ts";
import { type Kem, kem } from "../../../src/crypto/kem.ts";
import { importKeyPair } from "../../../src/crypto/x25519.ts";
import { Channel, directSize } from "../../../src/protocol/channel.ts";
import {
  acceptChannel,
  type AcceptOptions,
  connectChannel,
} from "../../../src/protocol/handshake.ts";
import { HandshakeRefusal } from "../../../src/protocol/reasons.ts";
import {
  GoneError,
  RecordReader,
  RefusedError,
} from "../../../src/protocol/record_reader.ts";
import {
  directData,
  directHeader,
  encodeHeader,
  NO_RECORDS,
  RecordType,
} from "../../../src/protocol/records.ts";
import {
  type Halfway,
  LocalResponder,
  type Responder,
} from "../../../src/protocol/responder.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { type MemoryStream, streamPair } from "../../kit/memory_stream.ts";
import { isWiped } from "../../kit/private_keys.ts";

const SERVER = await importKeyPair(randomBytes(32));
const CLIENT = await importKeyPair(randomBytes(32));
const INVITE_KEY = randomBytes(32);

function accept(
  far: MemoryStream,
  options: Partial<AcceptOptions> = {},
): Promise<Channel> {
  return acceptChannel(far, {
    responder: new LocalResponder(SERVER),
    inviteKey: () => INVITE_KEY,
    ...options,
  });
}

function connect(near: MemoryStream, checkServer = () => {}): Promise<Channel> {
  return connectChannel(near, {
    keyPair: CLIENT,
    inviteId: 7,
    inviteKey: INVITE_KEY,
    checkServer,
  });
}

/** A responder of which it is seen what becomes of each handshake. @param finish Finishes one, in place of the real one. */
function watched(
  log: string[],
  finish?: Halfway["finish"],
): Responder {
  const local = new LocalResponder(SERVER);
  return {
    answer: async (first, passwordOf) => {
      const { reply, halfway } = await local.answer(first, passwordOf);
      return {
        reply,
        halfway: {
          inviteId: halfway.inviteId,
          finish: (third, key) => {
            log.push("finish");
            return (finish ?? halfway.finish.bind(halfway))(third, key);
          },
          [Symbol.dispose]: () => {
            log.push("forget");
            halfway[Symbol.dispose]();
          },
        },
      };
    },
  };
}

Deno.test("acceptChannel() forgets a handshake when it is finished, when its client goes, and when nothing can be sent to it", async () => {
  const log: string[] = [];
  const responder = watched(log);
  const [near, far] = streamPair();
  await Promise.all([connect(near), accept(far, { responder })]);
  assertEquals(log.splice(0), ["finish", "forget"]);

  const [going, other] = streamPair();
  const accepting = assertRejects(
    () => accept(other, { responder }),
    GoneError,
  );
  await assertRejects(() =>
    connect(going, () => {
      going.close();
      throw new RangeError("not that one");
    })
  );
  assertEquals((await accepting).answered, true);
  assertEquals(log.splice(0), ["forget"]);

  const [asking, last] = streamPair();
  last.outgoing.fail(new Deno.errors.BrokenPipe("gone"));
  const asked = assertRejects(() => connect(asking));
  await assertRejects(
    () => accept(last, { responder }),
    Deno.errors.BrokenPipe,
  );
  assertEquals(log, ["forget"]);
  last.close();
  await asked;
});

Deno.test("acceptChannel() turns away one whose link was replaced while it shook hands", async () => {
  const [near, far] = streamPair();
  let asked = 0;
  const inviteKey = () => asked++ === 0 ? INVITE_KEY : randomBytes(32);
  const accepting = assertRejects(
    () => accept(far, { inviteKey }),
    HandshakeError,
    "Cannot let the client in: The link or code does not open this room",
  );
  const client = await connect(near);
  await accepting;
  const error = await assertRejects(() => client.read(), RefusedError);
  assertEquals(error.code, HandshakeRefusal.key);
});

Deno.test("acceptChannel() says nothing of the key where something else went wrong", async () => {
  const [near, far] = streamPair();
  const broken = () => Promise.reject(new TypeError("the worker is gone"));
  const responder = watched([], broken);
  const accepting = assertRejects(() => accept(far, { responder }), TypeError);
  await connect(near);
  await accepting;
  assertEquals(far.outgoing.written.length, 1); // the second message
});

Deno.test("acceptChannel() says of a bad first message that it is one, though its client doesn't wait for the answer", async () => {
  const [near, far] = streamPair();
  near.outgoing.inject(
    concat(encodeHeader(RecordType.handshake, 16), new Uint8Array(16).fill(9)),
  );
  far.outgoing.fail(new Deno.errors.BrokenPipe("gone"));
  await assertRejects(
    () => accept(far),
    HandshakeError,
    "Cannot speak version 9",
  );
});

Deno.test("acceptChannel() has both messages worked on in their turn", async () => {
  const [near, far] = streamPair();
  let turns = 0;
  const work: AcceptOptions["work"] = (task) => {
    turns++;
    return task();
  };
  await Promise.all([connect(near), accept(far, { work })]);
  assertEquals(turns, 2);
});

Deno.test("LocalResponder finishes a handshake once, not without a key, and leaves nothing of its secret", async () => {
  const [near, far] = streamPair();
  const connecting = assertRejects(() => connect(near));
  const { body } = await new RecordReader(far).handshakeRecord();
  const secrets: Bytes[] = [];
  const watchedKem: Kem = {
    generate: (seed) => kem.generate(seed),
    encapsulate: async (key) => {
      const made = await kem.encapsulate(key);
      secrets.push(made.secret);
      return made;
    },
  };
  const responder = new LocalResponder(SERVER, { kem: watchedKem });
  const answer = () => responder.answer(body.slice(1), () => INVITE_KEY);
  const { halfway } = await answer();
  const bad = () => halfway.finish(randomBytes(64), INVITE_KEY);
  await assertRejects(bad, HandshakeError, "does not open");
  await assertRejects(bad, TypeError, "it was forgotten");
  assertEquals(secrets.map(isWiped), [true]);
  const other = (await answer()).halfway;
  await assertRejects(
    () => other.finish(randomBytes(64), undefined),
    TypeError,
    "there is no spoken code",
  );
  await assertRejects(
    () => other.finish(randomBytes(64), INVITE_KEY),
    TypeError,
    "it was forgotten",
  );
  far.close();
  await connecting;
});

Deno.test("Channel wipes the keys that it is given, and has another key after each 1,024 records", async () => {
  const [near] = streamPair();
  const keys = { send: randomBytes(32), receive: randomBytes(32) };
  const cipher = new CipherState(keys.send);
  cipher.rekeyEvery(1_024);
  const remoteKey = randomBytes(32);
  const reader = new RecordReader(near);
  const channel = new Channel(near, reader, { ...keys, remoteKey }, 7);
  assert(isWiped(keys.send) && isWiped(keys.receive));
  assertEquals(channel.remoteKey, remoteKey);
  const text = utf8('[["ping"]]');
  const header = directHeader(text.length);
  const data = directData(header, NO_RECORDS);
  for (let count = 0; count < 1_026; count++) {
    const sealed = await channel.seal(text);
    if (count === 0) assertEquals(sealed.length, directSize(text.length));
    const expected = await encryptMessage(cipher, text, data);
    assert(equalBytes(sealed, concat(header, expected)), `record ${count}`);
  }
});
