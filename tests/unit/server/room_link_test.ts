/**
 * The room's own link, where several servers share it.
 *
 * @module
 */

import { type Bytes, equalBytes, randomBytes } from "../../../crypto_utils.ts";
import { admissionKey } from "../../../src/keys/invite.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { StandingLink } from "../../../src/server/people/standing_link.ts";
import { KeyWatch } from "../../../src/server/key_watch.ts";
import { RoomLink } from "../../../src/server/room_link.ts";
import { assert, assertEquals, assertMatch } from "../../kit/assert.ts";
import { inFolder } from "../../kit/folder.ts";
import { overhear } from "../../kit/overhear.ts";

/** A server's link, and what it tells the others. */
class Setup implements AsyncDisposable {
  readonly standing = new StandingLink();
  readonly told: Bytes[] = [];
  readonly link: RoomLink;
  readonly watch: KeyWatch;

  private constructor(readonly path: string, keyFile: KeyFile) {
    const { standing } = this;
    this.link = new RoomLink({ keyFile, standing, isShared: true });
    const { roomKey } = keyFile.keys;
    this.watch = new KeyWatch(path, roomKey, (it) => this.link.changed(it));
  }

  /** The link of a server that starts. */
  static async start(path: string): Promise<Setup> {
    return new Setup(path, (await KeyFile.loadOrCreate(path)).keyFile);
  }

  /** The server is in the room. */
  share(): this {
    this.link.share((secret) => void this.told.push(secret));
    return this;
  }

  /** What is in the file, once all is written. */
  async written(): Promise<Bytes | undefined> {
    await this.link[Symbol.asyncDispose]();
    return KeyFile.roomKey(this.path);
  }

  /** Asserts which secret opens the room here. */
  async opensBy(secret: Bytes): Promise<void> {
    assertEquals(this.link.secret, secret);
    assert(this.standing.isStill(admissionKey(secret)));
    assertEquals(await this.written(), secret);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch[Symbol.dispose]();
    await this.link[Symbol.asyncDispose]();
  }
}

/** The key file of a server that has one. */
async function loaded(path: string): Promise<KeyFile> {
  const keyFile = await KeyFile.load(path);
  assert(keyFile);
  return keyFile;
}

/** Another process replaces the link. */
async function rotate(path: string): Promise<Bytes> {
  const keyFile = await loaded(path);
  await keyFile.rotate();
  return keyFile.keys.roomKey;
}

/** Two servers with the same key file, each with its own. */
async function two(folder: string): Promise<[Setup, Setup]> {
  const [one, other] = [`${folder}/one.key`, `${folder}/other.key`];
  await KeyFile.loadOrCreate(one);
  await Deno.copyFile(one, other);
  await Deno.chmod(other, 0o600);
  return [
    (await Setup.start(one)).share(),
    (await Setup.start(other)).share(),
  ];
}

Deno.test("a link that is replaced opens the room at once here, and then at the other servers, which tell nobody", () =>
  inFolder(async (folder) => {
    const [here, there] = await two(folder);
    await using _here = here;
    await using _there = there;
    const before = there.link.secret;
    const secret = await here.link.replace();
    assert(!equalBytes(secret, before));
    await here.opensBy(secret);
    await there.opensBy(before);
    assertEquals(here.told, [secret]);
    for (const server of [here, there]) server.link.take(secret);
    for (const server of [here, there]) {
      await server.opensBy(secret);
      server.watch.look();
    }
    assertEquals([here.told.length, there.told], [1, []]);
  }));

Deno.test("two servers that replace the link in the same instant end with the same, the last one of the order", () =>
  inFolder(async (folder) => {
    const [here, there] = await two(folder);
    await using _here = here;
    await using _there = there;
    const first = await here.link.replace();
    const last = await there.link.replace();
    for (const server of [there, here]) {
      server.link.take(first);
      server.link.take(last);
      server.watch.look(); // in the middle of writing
      await server.opensBy(last);
      server.watch.look();
    }
    assertEquals([here.told, there.told], [[first], [last]]);
  }));

Deno.test("a link that --rotate-key replaces is told to the other servers, also where the server was down meanwhile", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.key`;
    {
      await using server = (await Setup.start(path)).share();
      assertEquals(server.told, []);
      await server.written();
      const secret = await rotate(path);
      server.watch.look();
      await server.opensBy(secret);
      assertEquals(server.told, [secret]);
      server.link.take(secret);
      await server.written();
    }
    const secret = await rotate(path);
    await using server = await Setup.start(path);
    const stale = randomBytes(32);
    server.link.take(stale); // said before it was down
    server.share();
    await server.opensBy(secret);
    assertEquals(server.told, [secret]);
    server.link.take(secret);
    await server.written();
    await using again = (await Setup.start(path)).share();
    assertEquals(again.told, []);
  }));

Deno.test("a link that is replaced where the key file can't be written opens the room all the same", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.key`;
    await using server = (await Setup.start(path)).share();
    const before = server.link.secret;
    await server.written();
    await Deno.rename(path, `${path}.away`);
    await Deno.mkdir(path); // so that nothing can be put in its place
    const [told] = await overhear("warning", () => server.link.replace());
    assertMatch(told ?? "", /The old link opens the room after a restart$/);
    const { secret } = server.link;
    assert(!equalBytes(secret, before));
    assert(server.standing.isStill(admissionKey(secret)));
    assertEquals(server.told, [secret]);
  }));

Deno.test("a link that was replaced while the server was away is told to the others once, when it is there, unless they know it", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.key`;
    const isAgreed = async () => (await KeyFile.load(path))?.isAgreed;
    const first = await Setup.start(path);
    assertEquals(await isAgreed(), undefined);
    const replaced = await first.link.replace();
    assertEquals(first.told, []);
    first.share();
    assertEquals(first.told, [replaced]);
    first.link.take(replaced);
    await first.written();
    assertEquals(await isAgreed(), true);
    await first[Symbol.asyncDispose]();
    const known = await rotate(path);
    assertEquals(await isAgreed(), false);
    const alone = new RoomLink({ keyFile: await loaded(path) });
    const told: Bytes[] = [];
    alone.share((secret) => void told.push(secret));
    await using second = await Setup.start(path);
    second.link.take(known);
    await second.written();
    second.share();
    assertEquals([told, second.told, second.link.isKept], [[], [], true]);
    await second.link.replace();
    assertEquals(await isAgreed(), false);
  }));

Deno.test("a link of a server alone is kept once it is written, is told to nobody, and founds a sealed room", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.key`;
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const before = keyFile.keys.roomKey;
    const [founding, told]: [Bytes[], Bytes[]] = [[], []];
    const setFoundingSecret = (secret: Bytes) => void founding.push(secret);
    const link = new RoomLink({ keyFile, sealed: { setFoundingSecret } });
    link.share((secret) => void told.push(secret));
    await link[Symbol.asyncDispose]();
    assertEquals(keyFile.isAgreed, true);
    assertEquals([link.isKept, link.secret], [true, before]);
    const replacing = link.replace();
    assertEquals(link.isKept, false);
    const secret = await replacing;
    assertEquals([link.isKept, link.secret], [true, secret]);
    assertEquals(await KeyFile.roomKey(path), secret);
    assertEquals([founding, told], [[before, secret], []]);
  }));
