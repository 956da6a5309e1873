/**
 * Who reads what in a sealed room, with all that its server ever had: before and after somebody is removed, a link is used
 * up, and twenty changes of the key.
 *
 * @module
 */

import { DecryptionError, randomBytes } from "../../../crypto_utils.ts";
import { readCard } from "../../../src/crypto/identity.ts";
import { type XwingKey, xwingKey } from "../../../src/crypto/xwing.ts";
import {
  ContentKeys,
  openWrap,
  sealWrap,
  type Wrapping,
} from "../../../src/sealed/content_key.ts";
import {
  type Membership,
  SEALED_INVITE,
} from "../../../src/sealed/membership.ts";
import {
  lineCipher,
  type LinePlace,
  openLine,
  parseSealed,
  sealLine,
} from "../../../src/sealed/sealed_line.ts";
import {
  type OfferPlace,
  openPiece,
  sealPiece,
} from "../../../src/sealed/sealed_piece.ts";
import { assertEquals } from "../../kit/assert.ts";
import { utf8 } from "../../kit/bytes.ts";
import { SealedRoom, type Somebody, somebody } from "../../kit/sealed_room.ts";

const stay = randomBytes(8);

/** What a server that forgets nothing has. */
class Hoard {
  readonly wraps: { readonly wrapping: Wrapping; readonly data: string }[] = [];
  readonly lines: { readonly place: LinePlace; readonly text: string }[] = [];
  readonly pieces: {
    readonly offer: OfferPlace;
    readonly sealed: Uint8Array<ArrayBuffer>;
  }[] = [];
  readonly room: SealedRoom;
  #n = 0;

  constructor(room: SealedRoom) {
    this.room = room;
  }

  /** The present key goes to all who are to have it. */
  async wrap(): Promise<void> {
    const { room: { membership, room, now, keys, founder } } = this;
    const e = membership.epoch;
    const recipients = [
      ...membership.members.values(),
      ...membership.openInvites(now),
    ];
    for (const { card } of recipients) {
      const bytes = Uint8Array.fromBase64(card, { alphabet: "base64url" });
      const { id: to, sealKey } = readCard(bytes);
      const wrapping = { room, e, by: founder.id, to };
      const data = await sealWrap(wrapping, keys[e] ?? room, sealKey);
      this.wraps.push({ wrapping, data });
    }
  }

  /** The founder says something, and somebody takes a piece of a file that was offered as its first line. */
  async talk(): Promise<void> {
    const { room: { membership, room, keys, founder } } = this;
    const e = membership.epoch;
    const key = keys[e] ?? room;
    const place = { room, e, sender: founder.id, stay, n: ++this.#n };
    const cipher = await lineCipher(key, place);
    const words = { what: "said", to: null, text: `line ${this.#n}` } as const;
    const seen = { seq: 1, value: room };
    const text = await sealLine(words, place, seen, cipher, founder.signing);
    this.lines.push({ place, text });
    const offer = { ...place, n: 1 };
    const sealed = await sealPiece(utf8(`piece ${this.#n}`), 0, offer, {
      e,
      key,
    });
    this.pieces.push({ offer, sealed });
  }

  /** All content keys that somebody can come to by all this, who has these keys. */
  async keysOf(
    membership: Membership,
    ...own: readonly XwingKey[]
  ): Promise<ContentKeys> {
    const keys = new ContentKeys();
    for (const { wrapping, data } of this.wraps) {
      const { e } = wrapping;
      const { commit = "" } = membership.epochs[e] ?? {};
      for (const sealKey of own) {
        const key = await openWrap(wrapping, data, sealKey, commit)
          .catch(shut);
        if (key) keys.add(e, key);
      }
    }
    return keys;
  }

  /** The numbers of lines and pieces that open by these keys. */
  async read(membership: Membership, keys: ContentKeys): Promise<number[][]> {
    const { room } = this.room;
    const keyOf = (e: number) => keys.get(e, room, membership.epochs);
    const lines: number[] = [];
    for (const { place, text } of this.lines) {
      const line = parseSealed(text);
      const key = await keyOf(place.e);
      if (!line || !key) continue;
      const words = await openLine(line, place, await lineCipher(key, place))
        .catch(shut);
      if (words) lines.push(place.n);
    }
    const pieces: number[] = [];
    for (const [at, { offer, sealed }] of this.pieces.entries()) {
      if (await openPiece(sealed, 0, offer, keyOf).catch(shut)) {
        pieces.push(at + 1);
      }
    }
    return [lines, pieces];
  }

  /** What somebody reads by all this. */
  async readBy(...who: readonly Somebody[]): Promise<number[][]> {
    const { membership } = this.room;
    const own = await Promise.all(who.map((it) => xwingKey(it.sealSeed)));
    return await this.read(membership, await this.keysOf(membership, ...own));
  }
}

function shut(error: unknown): undefined {
  if (!(error instanceof DecryptionError)) throw error;
}

Deno.test("who was removed reads nothing from then on, with all that the server has", async () => {
  const room = await SealedRoom.found();
  const hoard = new Hoard(room);
  const ben = await room.join("ben", 1);
  const cleo = await room.join("cleo", 2);
  const open = await room.invite(3);
  await hoard.wrap();
  await hoard.talk();
  await room.change(room.founder, { removed: [ben.full] });
  await hoard.wrap();
  await hoard.talk();
  await room.change(room.founder);
  await hoard.wrap();
  await hoard.talk();
  assertEquals(await hoard.readBy(ben), [[1], [1]]);
  assertEquals(await hoard.readBy(ben, open), [[1], [1]]);
  assertEquals(await hoard.readBy(cleo), [[1, 2, 3], [1, 2, 3]]);
});

Deno.test("a link that was used up, closed or has ended reads nothing from the next change of the key on", async () => {
  const room = await SealedRoom.found();
  const hoard = new Hoard(room);
  const used = await room.invite(1);
  const closed = await room.invite(2);
  const open = await room.invite(3);
  const ended = await room.invite(4, { until: room.now + 1 });
  await hoard.wrap();
  await hoard.talk();
  const ben = await somebody("ben");
  await room.say(ben, room.joining(ben, "ben", 1), used);
  await room.say(room.founder, { verb: "close", invite: SEALED_INVITE + 2 });
  room.now += 2;
  await room.change(room.founder);
  await hoard.wrap();
  await hoard.talk();
  for (const link of [used, closed, ended]) {
    assertEquals(await hoard.readBy(link), [[1], [1]]);
  }
  assertEquals(await hoard.readBy(open), [[1, 2], [1, 2]]);
  assertEquals(await hoard.readBy(ben), [[1, 2], [1, 2]]);
});

Deno.test("a link that stays open gives a newcomer all that was ever said, after twenty changes of the key", async () => {
  const room = await SealedRoom.found();
  const hoard = new Hoard(room);
  const link = await room.invite(1);
  const closed = await room.invite(2);
  await hoard.wrap();
  for (let change = 0; change < 20; change++) {
    await hoard.talk();
    if (change === 10) {
      await room.say(room.founder, {
        verb: "close",
        invite: SEALED_INVITE + 2,
      });
    }
    await room.change(room.founder);
    await hoard.wrap();
  }
  await hoard.talk();
  const all = Array.from({ length: 21 }, (_, at) => at + 1);
  assertEquals(await hoard.readBy(link), [all, all]);
  assertEquals(await hoard.readBy(closed), [
    all.slice(0, 11),
    all.slice(0, 11),
  ]);
  assertEquals(await hoard.readBy(), [[], []]);
});
