/**
 * A whole stay, of which somebody on the way alters one record, each once in each way that there is: a real
 * server, and the client's own sessions, without their terminals, so that there can be a hundred.
 *
 * @module
 */

import { randomBytes } from "../../crypto_utils.ts";
import { parseInvite } from "../../src/keys/invite.ts";
import type { News, RoomNews, View } from "../../src/client/view.ts";
import { JoinError } from "../../src/client/join_error.ts";
import { Session } from "../../src/client/session.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import {
  Alteration,
  type AlterationKind,
  ALTERATIONS,
  type Direction,
  type Edit,
  TcpProxy,
} from "../kit/proxy.ts";
import { importKeyPair, type KeyPair } from "../../src/crypto/x25519.ts";
import { Watch } from "../kit/watch.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { assertSaid } from "../kit/expect.ts";

/** The records that are altered: those after the handshake, up to the last that each stay surely has. */
const RECORDS: readonly (readonly [Direction, number])[] = [
  ["up", 2], // asks to be let in
  ["up", 3],
  ["up", 4],
  ["up", 5],
  ["down", 1],
  ["down", 2],
  ["down", 3],
  ["down", 4],
  ["down", 5],
  ["down", 6],
];
/** What each stay says. */
const WORDS = ["one", "two", "three"];
/** How often those who wait for their words say something else, so that a gap is seen, ms. */
const PERIOD = 250;

/** One session, and all that it shows. */
class Stay implements View, AsyncDisposable {
  readonly shown: News[] = [];
  readonly session: Session;
  /** Resolves when it has left, and with why where it never came in. */
  readonly ended: Promise<JoinError | undefined>;
  readonly #watch: Watch;
  readonly #proxy: TcpProxy;
  #isOut = false;

  private constructor(
    readonly name: string,
    server: Server,
    keyPair: KeyPair,
    alteration: Alteration | undefined,
  ) {
    const edit: Edit = (record) =>
      record.connection === 0 && alteration
        ? alteration.edit(record)
        : [record.bytes];
    this.#proxy = new TcpProxy(server.port, edit);
    const { port } = this.#proxy;
    const { id: inviteId, key } = parseInvite(server.invite);
    this.session = new Session({
      address: `127.0.0.1:${port}`,
      name,
      dial: () => Deno.connect({ hostname: "127.0.0.1", port }),
      handshake: {
        keyPair,
        inviteId,
        inviteKey: () => key,
        checkServer: () => {},
      },
      view: this,
      askName: () => Promise.resolve(null),
    });
    const report = () => `${name}: ${JSON.stringify(this.shown.slice(-20))}`;
    this.#watch = new Watch(report, () => this.session.leave());
    this.ended = this.#run();
  }

  static async begin(name: string, server: Server, alteration?: Alteration) {
    const keyPair = await importKeyPair(randomBytes(32));
    return new Stay(name, server, keyPair, alteration);
  }

  async #run(): Promise<JoinError | undefined> {
    try {
      await this.session.run();
      return undefined;
    } catch (error) {
      if (!(error instanceof JoinError)) throw error;
      this.#isOut = true;
      this.#watch.changed();
      return error;
    }
  }

  /** What it has shown of the room. */
  get heard(): RoomNews[] {
    return this.shown.filter((news): news is RoomNews => "past" in news);
  }

  /** Waits until its own words are shown. @returns False where it never came in. */
  hears(text: string): Promise<boolean> {
    const isOwn = (news: RoomNews) => news.own && news.text === text;
    return this.#watch.until(
      text,
      () => this.#isOut ? false : this.heard.some(isOwn) || undefined,
    );
  }

  show(news: News): void {
    this.shown.push(news);
    this.#watch.changed();
  }

  stand(): void {}

  note(): void {}

  ask(): Promise<null> {
    return Promise.resolve(null);
  }

  async *lines(): AsyncGenerator<string> {}

  close(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    using _watch = this.#watch;
    this.session.leave();
    await this.ended;
    await this.#proxy[Symbol.asyncDispose]();
  }
}

/**
 * Where a request to be let in is lost, or waits for more of it, nothing comes after it: the client gives up
 * after a time that a test needn't wait for.
 */
function isStill(kind: AlterationKind, direction: Direction, index: number) {
  return direction === "up" && index === 2 &&
    ["flip length", "swap", "drop"].includes(kind);
}

Deno.test("clients lose and double nothing, whichever record of their stay somebody alters, and how", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder, {
    args: [
      "--max-handshakes-per-address",
      "1000",
      "--failed-per-address",
      "1000",
    ],
  });
  await using all = new AsyncDisposableStack();
  const stays: Stay[] = [];
  let applied = 0;
  for (const [direction, index] of RECORDS) {
    for (const kind of ALTERATIONS) {
      if (isStill(kind, direction, index)) continue;
      const alteration = new Alteration(
        kind,
        (record) => record.direction === direction && record.index === index,
      );
      alteration.applied.then(() => applied++);
      const name = `${direction}-${index}-${kind.replace(" ", "-")}`;
      stays.push(all.use(await Stay.begin(name, server, alteration)));
    }
  }
  const talk = async (stay: Stay) => {
    const { name, session } = stay;
    const more = setInterval(() => session.say("and more"), PERIOD);
    for (const word of WORDS) {
      await session.say(`${name} ${word}`);
      if (!await stay.hears(`${name} ${word}`)) break;
    }
    clearInterval(more);
    session.leave();
    return await stay.ended;
  };
  const outcomes = await Promise.all(stays.map(talk));
  assertEquals(applied, stays.length);

  const inside = outcomes.filter((error) => error === undefined);
  assert(inside.length >= 40, `only ${inside.length} came in`);

  const log = await server.log();
  for (const [at, { name, heard, shown }] of stays.entries()) {
    const spoken = log.filter((it) => it.text !== "and more");
    const out = outcomes[at] !== undefined;
    const words = WORDS.map((word) => `${name} ${word}`);
    assertSaid(spoken, name, out ? [] : words);
    assert(!out || shown.every(({ type }) => type !== "entered"), name);
    for (const { seq, text, name: by } of heard) {
      const entry = log[seq - 1];
      assertEquals([seq, by, text], [entry?.seq, entry?.name, entry?.text]);
    }
    const numbered = shown.filter((news) => "seq" in news);
    const seqs = numbered.map(({ seq }) => seq).sort((a, b) => a - b);
    const [first = 0] = seqs;
    assertEquals(seqs, seqs.map((_, nth) => first + nth), name);
  }
});
