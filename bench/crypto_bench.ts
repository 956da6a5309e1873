/**
 * What each cryptographic operation costs when it is awaited alone: `deno bench`.
 *
 * @module
 */

import {
  type Bytes,
  CipherState,
  decryptMessage,
  encryptMessage,
  hkdf,
  KEY_SIZE,
  passphraseKey,
  PROTOCOL_NAME,
  randomBytes,
  SALT_SIZE,
} from "../crypto_utils.ts";
import {
  encodeEvent,
  packEvents,
  unpackEvents,
} from "../src/protocol/events.ts";
import { broadcastHeader } from "../src/protocol/records.ts";
import { textOf } from "./load/opener.ts";
import { checkCard, identityOf, readCard } from "../src/crypto/identity.ts";
import { agree, importKeyPair } from "../src/crypto/x25519.ts";
import { createHandshake, type Handshake } from "../src/crypto/noise.ts";
import {
  hybridPsk,
  type Kem,
  kem,
  libraryKem,
  nativeKem,
} from "../src/crypto/kem.ts";
import { Epoch, EpochReader } from "../src/crypto/epoch.ts";

const SIZES = [
  ["100 B", 100],
  ["16 KiB", 16_384],
] as const;

for (const [name, size] of SIZES) {
  const key = randomBytes(KEY_SIZE);
  const message = randomBytes(size);
  const header = broadcastHeader(size);
  const cipher = await CipherState.create(key);
  const sealed = await encryptMessage(
    await CipherState.create(key),
    message,
    header,
  );

  Deno.bench(`encryptMessage, ${name}`, async () => {
    await encryptMessage(cipher, message, header);
  });

  // Opens a first record again and again, each time with a state of its own, which is not on the clock.
  Deno.bench(`decryptMessage, ${name}`, async (b) => {
    const state = await CipherState.create(key);
    b.start();
    await decryptMessage(state, sealed, header);
    b.end();
  });

  Deno.bench(`Epoch.seal and EpochReader.open, ${name}`, async (b) => {
    const { epoch, reader } = await conversation;
    b.start();
    await reader.open(await epoch.seal(message, header), header);
    b.end();
  });
}

/** A server's epoch and a member who follows it. */
async function startConversation() {
  const serverKey = randomBytes(KEY_SIZE);
  const epoch = await Epoch.fresh(serverKey, 1);
  const reader = await EpochReader.create(serverKey, epoch.describe());
  return { epoch, reader };
}

const conversation = startConversation();

Deno.bench("Epoch.fresh", async () => {
  await Epoch.fresh(randomBytes(KEY_SIZE), 1);
});

Deno.bench("Epoch.ratchet", async (b) => {
  const { epoch } = await startConversation();
  b.start();
  await epoch.ratchet();
  b.end();
});

Deno.bench("EpochReader.create", async (b) => {
  const serverKey = randomBytes(KEY_SIZE);
  const description = (await Epoch.fresh(serverKey, 1)).describe();
  b.start();
  await EpochReader.create(serverKey, description);
  b.end();
});

const serverPair = await importKeyPair(randomBytes(KEY_SIZE));
const clientPair = await importKeyPair(randomBytes(KEY_SIZE));
const inviteKey = randomBytes(KEY_SIZE);
const prologue = new TextEncoder().encode(PROTOCOL_NAME);

async function pass(from: Handshake, to: Handshake, payload?: Bytes) {
  return await to.readMessage(await from.writeMessage(payload));
}

Deno.bench("handshake, both sides, ML-KEM included", async () => {
  const client = createHandshake({
    role: "initiator",
    prologue,
    staticKey: clientPair,
  });
  const server = createHandshake({
    role: "responder",
    prologue,
    staticKey: serverPair,
  });
  const kemKey = await kem.generate();
  const { ciphertext, secret } = await kem.encapsulate(
    await pass(client, server, kemKey.encapsulationKey),
  );
  const received = await pass(server, client, ciphertext);
  client.setPsk(
    hybridPsk(inviteKey, await kemKey.decapsulate(received)),
  );
  server.setPsk(hybridPsk(inviteKey, secret));
  await pass(client, server);
  client.split();
  server.split();
});

Deno.bench("importKeyPair", async () => {
  await importKeyPair(inviteKey);
});

Deno.bench("agree (X25519)", async () => {
  await agree(serverPair, clientPair.publicKey);
});

const kems: [string, Kem][] = [["library", libraryKem]];
if (kem === nativeKem) kems.unshift(["native", nativeKem]); // from Deno 2.8 on

for (const [name, { generate, encapsulate }] of kems) {
  const kemKey = await generate();
  const { ciphertext } = await encapsulate(kemKey.encapsulationKey);

  Deno.bench(`ML-KEM-768, ${name}: generate`, async () => {
    await generate();
  });

  Deno.bench(`ML-KEM-768, ${name}: encapsulate`, async () => {
    await encapsulate(kemKey.encapsulationKey);
  });

  Deno.bench(`ML-KEM-768, ${name}: decapsulate`, async () => {
    await kemKey.decapsulate(ciphertext);
  });
}

Deno.bench("hybridPsk", () => {
  hybridPsk(inviteKey, ikm);
});

const passphraseSalt = randomBytes(SALT_SIZE);

Deno.bench("passphraseKey (600,000 rounds)", { n: 5, warmup: 1 }, async () => {
  await passphraseKey("correct horse battery staple", passphraseSalt);
});

const info = new TextEncoder().encode(PROTOCOL_NAME);
const salt = randomBytes(KEY_SIZE);
const ikm = randomBytes(KEY_SIZE);

Deno.bench("hkdf, 64 bytes", () => {
  hkdf(ikm, salt, info, 2 * KEY_SIZE);
});

const identity = await identityOf(inviteKey);

Deno.bench("identityOf", async () => {
  await identityOf(inviteKey);
});

Deno.bench("readCard and checkCard", async () => {
  readCard(identity.card);
  await checkCard(identity.card);
});

const said = Array.from({ length: 100 }, (_, at) => {
  return encodeEvent({ kind: "said", id: 7, n: at, text: textOf(at) });
});
const heading = () => encodeEvent({ kind: "batch", seq: 1, at: 0 });
const [plaintext = new Uint8Array(0)] = packEvents(said, heading);

Deno.bench("packEvents, 100 messages", () => {
  packEvents(said, heading);
});

Deno.bench("unpackEvents, 100 messages", () => {
  unpackEvents(plaintext);
});
