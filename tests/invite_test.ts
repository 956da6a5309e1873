/**
 * Invites as links, and the server's key file.
 *
 * @module
 */

import { toBase64url } from "../crypto_utils.ts";
import { FileError } from "../src/files.ts";
import {
  findLocalInvite,
  formatAddress,
  formatInvite,
  type Invite,
  KeyFile,
  parseAddress,
  parseInvite,
  ROOM_INVITE_ID,
} from "../src/invite.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "./assert.ts";

const INVITE: Invite = {
  host: "192.0.2.7",
  port: 5000,
  serverKey: new Uint8Array(32).fill(1),
  id: 0x0203_0405,
  key: new Uint8Array(32).fill(0xff),
};
const SECRET = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQECAwQF" +
  "__________________________________________8";
const LINK = `chat://192.0.2.7:5000/#${SECRET}`;

async function withKeyFile(test: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/chat.key`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("formatInvite() writes server key, id and key in this order", () => {
  assertEquals(formatInvite(INVITE), LINK);
});

Deno.test("parseInvite() reads what formatInvite() wrote", () => {
  const hosts = ["192.0.2.7", "::1", "2001:db8::7", "chat.example", "a_b-c"];
  for (const host of hosts) {
    for (const port of [1, 65_535]) {
      for (const id of [0, 1, 0xffff_ffff]) {
        const invite = { ...INVITE, host, port, id };
        assertEquals(parseInvite(formatInvite(invite)), invite);
      }
    }
  }
});

Deno.test("formatInvite() refuses ids and keys of another size", () => {
  const cases: Partial<Invite>[] = [
    { id: -1 },
    { id: 1.5 },
    { id: 2 ** 32 },
    { serverKey: new Uint8Array(31) },
    { key: new Uint8Array(33) },
  ];
  for (const bad of cases) {
    assertThrows(
      () => formatInvite({ ...INVITE, ...bad }),
      RangeError,
      "Cannot write the invite",
    );
  }
});

Deno.test("parseInvite() takes a link as people paste it", () => {
  const links = [
    `  ${LINK}\r\n`,
    `'${LINK}'`,
    `"${LINK}"`,
    `“${LINK}”`,
    `<${LINK}>`,
    `\`${LINK}\`\n`,
    LINK.replace("/#", "#"),
    `${LINK}/`,
    LINK.replace("chat:", "CHAT:"),
  ];
  for (const link of links) assertEquals(parseInvite(link), INVITE, link);
});

Deno.test("parseInvite() has hosts in their canonical form", () => {
  const cases = [
    ["Chat.Example", "chat.example"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["[2001:DB8:0:0:0:0:0:7]", "2001:db8::7"],
    ["[::ffff:192.0.2.7]", "::ffff:c000:207"],
  ] as const;
  for (const [written, host] of cases) {
    const link = `chat://${written}:5000/#${SECRET}`;
    assertEquals(parseInvite(link).host, host);
  }
});

Deno.test("parseInvite() says what is wrong, and nothing of the key", () => {
  const scheme = "it does not begin with chat://";
  const missing = "the # and the key after it are missing";
  const noPort = "it has no port";
  const port = "its port is not a whole number from 1 to 65535";
  const host =
    "its host is not a name, an IPv4 address or an IPv6 address in brackets";
  const short = "what follows the # is too short";
  const long = "what follows the # is too long";
  const damaged = "what follows the # is damaged";
  const at = (address: string) => `chat://${address}/#${SECRET}`;
  const withSecret = (secret: string) => `chat://a:1/#${secret}`;
  const cases: [string, string][] = [
    ["", scheme],
    [SECRET, scheme],
    [`http://a:1/#${SECRET}`, scheme],
    [`chat:a:1/#${SECRET}`, scheme],
    [`chat://a:1/${SECRET}`, missing],
    [at(""), noPort],
    [at("a"), noPort],
    [at("a:"), noPort],
    [at("[::1]"), noPort],
    [at("a:x"), noPort],
    [at("a:-1"), noPort],
    [at("a:1/b"), noPort],
    [at(`a:${SECRET}`), noPort],
    [at("a:0"), port],
    [at("a:65536"), port],
    [at("a:99999999999999999999"), port],
    [at(":5000"), host],
    [at("::1:5000"), host],
    [at("[::1:5000"), host],
    [at("[::g]:5000"), host],
    [at("[::1%25eth0]:5000"), host],
    [at("256.0.0.1:5000"), host],
    [at("127.1:5000"), host],
    [at("0x7f000001:5000"), host],
    [at("a b:5000"), host],
    [at("a\tb:5000"), host],
    [at("me@a:5000"), host],
    [at("a/b:5000"), host],
    [at("a?b:5000"), host],
    [at("%61:5000"), host],
    [at("a\\b:5000"), host],
    [withSecret(""), short],
    [withSecret(SECRET.slice(1)), short],
    [withSecret(SECRET + "A"), long],
    [withSecret(SECRET + "="), long],
    [withSecret(SECRET.replace("_", "/")), damaged],
    [withSecret(SECRET.replace("_", "+")), damaged],
    [withSecret(SECRET.replace("_", " ")), damaged],
    [withSecret(SECRET.replace("_", "#")), damaged],
    [withSecret(SECRET.slice(0, -1) + "9"), damaged], // bits that no byte has
  ];
  for (const [link, reason] of cases) {
    const error = assertThrows(() => parseInvite(link), SyntaxError);
    assertEquals(error.message, `Cannot read the invite: ${reason}`, link);
    assertEquals(error.cause, undefined);
  }
});

Deno.test("parseAddress() reads what formatAddress() wrote", () => {
  for (const host of ["0.0.0.0", "::", "localhost"]) {
    assertEquals(parseAddress(formatAddress(host, 5000)), { host, port: 5000 });
  }
  assertThrows(
    () => parseAddress("localhost"),
    SyntaxError,
    "Cannot read the address: it has no port",
  );
});

Deno.test("KeyFile makes keys once and reads them from then on", () =>
  withKeyFile(async (path) => {
    assertEquals(await KeyFile.load(path), undefined);
    const first = await KeyFile.loadOrCreate(path);
    const second = await KeyFile.loadOrCreate(path);
    assertEquals([first.created, second.created], [true, false]);
    const { keyPair, roomKey, passphraseSalt } = first.keyFile.keys;
    assertEquals(second.keyFile.keys.keyPair.publicKey, keyPair.publicKey);
    assertEquals(second.keyFile.keys.roomKey, roomKey);
    assertEquals(second.keyFile.keys.passphraseSalt, passphraseSalt);
    assertEquals(
      [keyPair.publicKey.length, roomKey.length, passphraseSalt.length],
      [32, 32, 16],
    );
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
      key: keyFile.keys.roomKey,
    });
  }));

Deno.test("KeyFile.setListening() changes the address and nothing else", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const before = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...before, note: "mine" }));
    const again = (await KeyFile.loadOrCreate(path)).keyFile;
    await again.setListening("::", 5001);
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

Deno.test("KeyFile is for its owner alone, and for people to read", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    await keyFile.setListening("0.0.0.0", 5000);
    const text = await Deno.readTextFile(path);
    assertEquals(
      text.replaceAll(/"[\w-]{22,}"/g, (key) => `${key.length - 2} characters`),
      `{
  "version": 1,
  "serverPrivateKey": 43 characters,
  "roomKey": 43 characters,
  "passphraseSalt": 22 characters,
  "listening": "0.0.0.0:5000"
}
`,
    );
    if (Deno.build.os !== "windows") {
      assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
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
      [{ passphraseSalt: undefined }, "it is damaged (no passphraseSalt)"],
      [
        { roomKey: good.roomKey.slice(1) },
        "it is damaged (roomKey is not 32 bytes of base64url)",
      ],
      [
        { passphraseSalt: good.roomKey },
        "it is damaged (passphraseSalt is not 16 bytes of base64url)",
      ],
      [
        { listening: good.roomKey },
        "it is damaged (listening is not an address)",
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
      await keyFile.setListening(listening, 5000);
      const invite = await findLocalInvite(path);
      assertEquals(invite, parseInvite(keyFile.inviteFor(host, 5000)));
    }
  }));

Deno.test("KeyFile hides its keys from whoever prints it", () =>
  withKeyFile(async (path) => {
    const { keyFile } = await KeyFile.loadOrCreate(path);
    assertStringIncludes(Deno.inspect(keyFile), "KeyFile");
    assert(!Deno.inspect(keyFile).includes(toBase64url(keyFile.keys.roomKey)));
  }));
