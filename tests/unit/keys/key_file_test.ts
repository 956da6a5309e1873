/**
 * The server's key file.
 *
 * @module
 */

import { equalBytes, randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { FileError } from "../../../src/base/private_file.ts";
import { parseInvite, ROOM_INVITE_ID } from "../../../src/keys/invite.ts";
import {
  findLocalInvite,
  KeyFile,
  type Listening,
} from "../../../src/keys/key_file.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { inFolder, modeOf } from "../../kit/folder.ts";

function withKeyFile(test: (path: string) => Promise<void>): Promise<void> {
  return inFolder((folder) => test(`${folder}/chat.key`));
}

Deno.test("KeyFile makes keys once and reads them from then on", () =>
  withKeyFile(async (path) => {
    assertEquals(await KeyFile.load(path), undefined);
    const first = await KeyFile.loadOrCreate(path);
    const second = await KeyFile.loadOrCreate(path);
    assertEquals([first.created, second.created], [true, false]);
    const { keyPair, roomKey } = first.keyFile.keys;
    assertEquals(second.keyFile.keys.keyPair.publicKey, keyPair.publicKey);
    assertEquals(second.keyFile.keys.roomKey, roomKey);
    assertEquals([keyPair.publicKey.length, roomKey.length], [32, 32]);
    const { serverPrivateKey } = JSON.parse(await Deno.readTextFile(path));
    assert(serverPrivateKey !== toBase64url(roomKey));
  }));

Deno.test("KeyFile makes other keys in another file", () =>
  withKeyFile(async (path) => {
    const { keyFile: one } = await KeyFile.loadOrCreate(path);
    const { keyFile: two } = await KeyFile.loadOrCreate(`${path}2`);
    assert(one.inviteFor("a", 1) !== two.inviteFor("a", 1));
    assert(toBase64url(one.keys.roomKey) !== toBase64url(two.keys.roomKey));
  }));

Deno.test("KeyFile gives servers that start at once the same keys", () =>
  withKeyFile(async (path) => {
    const all = await Promise.all(
      Array.from({ length: 10 }, () => KeyFile.loadOrCreate(path)),
    );
    assertEquals(all.filter(({ created }) => created).length, 1);
    const links = all.map(({ keyFile }) => keyFile.inviteFor("a", 1));
    assertEquals(new Set(links).size, 1);
  }));

Deno.test("KeyFile.inviteFor() carries the room key", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    assertEquals(parseInvite(keyFile.inviteFor("::1", 5000)), {
      host: "::1",
      port: 5000,
      serverKey: keyFile.keys.keyPair.publicKey,
      id: ROOM_INVITE_ID,
      secret: keyFile.keys.roomKey,
    });
  }));

/** A server's place, with the room's own link and no web page. */
function at(host: string, port: number): Listening {
  const listening = { host, port };
  return { listening, inviteId: ROOM_INVITE_ID, web: undefined };
}

Deno.test("KeyFile.setListening() changes the address and nothing else", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const before = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...before, note: "mine" }));
    const again = (await KeyFile.loadOrCreate(path)).keyFile;
    await again.setListening(at("::", 5001));
    assertEquals(JSON.parse(await Deno.readTextFile(path)), {
      ...before,
      note: "mine",
      listening: "[::]:5001",
    });
    assertEquals(again.keys.listening, { host: "::", port: 5001 });
    const listening = (await KeyFile.load(path))?.keys.listening;
    assertEquals(listening, { host: "::", port: 5001 });
    assertEquals(again.inviteFor("a", 1), keyFile.inviteFor("a", 1));
  }));

Deno.test("KeyFile.setListening() notes address, web page and link until they are others, and writes nothing twice", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const place = {
      ...at("127.0.0.1", 5000),
      address: { host: "a.example", port: 5000 },
      web: "http://127.0.0.1:8080",
      inviteId: 7,
    };
    await keyFile.setListening(place);
    const read = async () => (await KeyFile.load(path))?.keys;
    for (const keys of [keyFile.keys, await read()]) {
      assertEquals([keys?.web, keys?.inviteId], [place.web, 7]);
      assertEquals(keys?.address, place.address);
    }
    assertEquals(parseInvite(keyFile.inviteFor("a", 1)).id, 7);
    assertEquals((await findLocalInvite(path))?.id, 7);
    const { ino } = await Deno.stat(path);
    await keyFile.setListening(place);
    assertEquals((await Deno.stat(path)).ino, ino);
    await keyFile.setListening(at("127.0.0.1", 5000));
    const keys = await read();
    assertEquals([keys?.web, keys?.inviteId], [undefined, ROOM_INVITE_ID]);
    const fields = Object.keys(JSON.parse(await Deno.readTextFile(path)));
    assertEquals(fields.slice(3), ["listening"]);
  }));

Deno.test("KeyFile takes no other place for its web page than an http or https URL's origin", () =>
  withKeyFile(async (path) => {
    await KeyFile.loadOrCreate(path);
    const good = JSON.parse(await Deno.readTextFile(path));
    const cases = [
      ["https://a.example:1/page?x", "https://a.example:1"],
      ["http://[::1]:8080", "http://[::1]:8080"],
      ["ftp://a.example", undefined],
      ["shttp://a.example", undefined],
      ["javascript:alert(1)", undefined],
      ["no URL", undefined],
    ];
    for (const [web, origin] of cases) {
      await Deno.writeTextFile(path, JSON.stringify({ ...good, web }));
      assertEquals((await KeyFile.load(path))?.keys.web, origin, web);
    }
  }));

Deno.test("KeyFile.isAgreed tells whether the room key is the one that servers agreed on, which the file doesn't repeat", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const both = async () => [
      keyFile.isAgreed,
      (await KeyFile.load(path))?.isAgreed,
    ];
    assertEquals(await both(), [undefined, undefined]);
    const roomKey = randomBytes(32);
    await keyFile.setRoomKey(roomKey, true);
    assertEquals(keyFile.keys.roomKey, roomKey);
    assertEquals(await both(), [true, true]);
    const text = await Deno.readTextFile(path);
    assertEquals(text.split(toBase64url(roomKey)).length, 2);
    await keyFile.rotate();
    assertEquals(await both(), [false, false]);
    assert(!equalBytes(keyFile.keys.roomKey, roomKey));
    assertEquals(
      (await KeyFile.load(path))?.keys.roomKey,
      keyFile.keys.roomKey,
    );
  }));

Deno.test("KeyFile.clusterSecret is made of the private key, and isn't that", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const secret = keyFile.clusterSecret;
    assertEquals((await KeyFile.load(path))?.clusterSecret, secret);
    assert(!equalBytes(secret, keyFile.privateKey()));
    const { keyFile: other } = await KeyFile.loadOrCreate(`${path}2`);
    assert(!equalBytes(secret, other.clusterSecret));
  }));

Deno.test("KeyFile is for its owner alone, and for people to read", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    await keyFile.setListening(at("0.0.0.0", 5000));
    const text = await Deno.readTextFile(path);
    assertEquals(
      text.replaceAll(/"[\w-]{22,}"/g, (key) => `${key.length - 2} characters`),
      `{
  "version": 1,
  "serverPrivateKey": 43 characters,
  "roomKey": 43 characters,
  "listening": "0.0.0.0:5000"
}
`,
    );
    if (Deno.build.os !== "windows") {
      assertEquals(await modeOf(path), 0o600);
      await Deno.chmod(path, 0o644);
      await assertRejects(
        () => KeyFile.load(path),
        FileError,
        "others can read it (mode 644); run: chmod 600",
      );
    }
  }));

Deno.test("KeyFile names what is damaged, and shows no key", () =>
  withKeyFile(async (path) => {
    await KeyFile.loadOrCreate(path);
    const good = JSON.parse(await Deno.readTextFile(path));
    const secrets = [good.serverPrivateKey, good.roomKey];
    const cases: [Record<string, unknown>, string][] = [
      [{ serverPrivateKey: undefined }, "it is damaged (no serverPrivateKey)"],
      [{ roomKey: undefined }, "it is damaged (no roomKey)"],
      [
        { roomKey: good.roomKey.slice(1) },
        "it is damaged (roomKey is not 32 bytes of base64url)",
      ],
      [
        { listening: good.roomKey },
        "it is damaged (listening is not an address)",
      ],
      [{ servers: good.roomKey }, "it is damaged (servers are not addresses)"],
      [
        { servers: ["a:1", good.roomKey] },
        "it is damaged (servers are not addresses)",
      ],
      [{ version: undefined }, "it is damaged (no version)"],
      [
        { version: good.roomKey },
        `it has version "${
          good.roomKey.slice(0, 11)
        }, and this program reads version 1`,
      ],
      [{ version: 2 }, "it has version 2, and this program reads version 1"],
    ];
    for (const [change, reason] of cases) {
      await Deno.writeTextFile(path, JSON.stringify({ ...good, ...change }));
      const error = await assertRejects(() => KeyFile.load(path), FileError);
      assertEquals(error.message, `Cannot use "${path}": ${reason}`);
      const shown = Deno.inspect(error);
      for (const secret of secrets) assert(!shown.includes(secret.slice(1)));
    }
  }));

Deno.test("KeyFile doesn't replace a damaged file", () =>
  withKeyFile(async (path) => {
    await Deno.writeTextFile(path, "", { mode: 0o600 });
    await assertRejects(
      () => KeyFile.loadOrCreate(path),
      FileError,
      "not JSON",
    );
    assertEquals(await Deno.readTextFile(path), "");
  }));

Deno.test("findLocalInvite() leads to the server on this machine", () =>
  withKeyFile(async (path) => {
    assertEquals(await findLocalInvite(path), undefined);
    const { keyFile } = await KeyFile.loadOrCreate(path);
    assertEquals(await findLocalInvite(path), undefined);
    const cases = [
      ["0.0.0.0", "127.0.0.1"],
      ["::", "::1"],
      ["192.0.2.7", "192.0.2.7"],
      ["localhost", "localhost"],
    ] as const;
    for (const [listening, host] of cases) {
      await keyFile.setListening(at(listening, 5000));
      const invite = await findLocalInvite(path);
      assertEquals(invite, parseInvite(keyFile.inviteFor(host, 5000)));
    }
  }));

Deno.test("KeyFile.setServers() notes the room's other servers, which the next start forgets", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const address = { host: "a.example", port: 5000 };
    await keyFile.setListening({ ...at("127.0.0.1", 5000), address });
    const other = { host: "::7", port: 5001 };
    const read = async () => (await KeyFile.load(path))?.keys;
    // What is written at once, here and by a command, is written in turn.
    const rotated = await KeyFile.load(path);
    await rotated?.rotate();
    await Promise.all([keyFile.setServers([address, other]), keyFile.rotate()]);
    for (const keys of [keyFile.keys, await read()]) {
      assertEquals(keys?.servers, [address, other]);
      assertEquals(keys?.address, address);
    }
    assertEquals((await read())?.roomKey, keyFile.keys.roomKey);
    assertEquals((await findLocalInvite(path))?.others, [other]);
    const again = (await KeyFile.loadOrCreate(path)).keyFile;
    await again.setServers([]);
    assertEquals((await read())?.servers, []);
    assert(!(await Deno.readTextFile(path)).includes("servers"));
    await again.setServers([other]);
    await again.setListening(at("127.0.0.1", 5000));
    assertEquals([again.keys.address, again.keys.servers], [undefined, []]);
    const now = await read();
    assertEquals([now?.address, now?.servers], [undefined, []]);
  }));

Deno.test("KeyFile.setServers() leaves a link alone that a command replaced meanwhile", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const command = await KeyFile.load(path);
    await command?.rotate();
    await keyFile.setServers([{ host: "a", port: 1 }]);
    assertEquals(KeyFile.roomKey(path), command?.keys.roomKey);
  }));

Deno.test("KeyFile hides its keys from whoever prints it", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    assertEquals(Deno.inspect(keyFile), "KeyFile {}"); // neither as text nor as bytes
  }));
