/**
 * What comes from the stream that servers of a room share: entries, and the items in them.
 *
 * @module
 */

import { type Bytes, sha256, toBase64url } from "../../../crypto_utils.ts";
import { shortId } from "../../../src/crypto/person_id.ts";
import type { Seat } from "../../../src/server/batch.ts";
import {
  EntryError,
  EntrySealer,
  openEntry,
} from "../../../src/server/cluster/entry.ts";
import {
  decodeItem,
  encodeItem,
  type ItemContext,
  OTHERS_GUEST,
} from "../../../src/server/cluster/items.ts";
import { clusterKeys } from "../../kit/cluster_keys.ts";
import { HAPPENINGS } from "../../kit/happenings.ts";
import { bytesOf, hold, outcomeOf, same, type Target } from "./target.ts";

const ID = toBase64url(sha256(bytesOf("ana")));
const SERVER = toBase64url(sha256(bytesOf("server")).subarray(0, 16));
const STAY = ID.slice(0, 11);
const CARD = "A".repeat(1_792);

/** An item of each kind but those with control lines, as servers write them. */
const ITEMS: readonly unknown[] = [
  ["join", 4, ID, ID, CARD, 0, STAY, "ana", 0, 12, null],
  ["join", 4, ID, ID, CARD, 9, STAY, "ana", 1, 12, [null, ID, [], [
    9,
    ID,
    "A",
  ]]],
  ["say", 3, [[1, "hello"], [2, "waves", "acted", null], [
    3,
    "",
    "deleted",
    7,
  ]]],
  ["rename", 3, "anna"],
  ["release", 3, 1],
  ["away", 3, "tea"],
  ["remove", ID, "removed by bo"],
  ["settings"],
  ["need", 3, 2],
  ["give", 3, [ID, ID, 2, "AAAA"]],
  ["leave", 3, "left"],
  ["people", HAPPENINGS],
  ["link", ID],
  ["post", 3, ID, STAY, 1, ID, "AAAA", "AAAA"],
  ["got", ID, 7],
  ["server", SERVER, "a.example:5000"],
  ["gone", SERVER, "lost"],
];

/** Somebody who is there under any number, and any person's id. */
const CONTEXT: ItemContext = { seat: seatOf, person: personOf, server: SERVER };

function personOf(id: string) {
  return {
    id,
    short: shortId(ID),
    key: ID,
    from: 0,
    card: "",
    invite: 0,
    names: [],
    there: 0,
    spoke: 0,
    bannedUntil: 0,
    isOperator: false,
  };
}

function seatOf(id: number): Seat {
  const name = { shown: "ana", folded: "ana" };
  const person = personOf(ID);
  const member = { person, name, seats: [], since: 0, active: 0, away: "" };
  return { id, member, guest: OTHERS_GUEST, stay: STAY, server: SERVER, n: 0 };
}

/** `openEntry`: nothing opens but what was sealed. */
export async function entries(): Promise<Target> {
  const keys = await clusterKeys("room");
  const sealer = new EntrySealer(keys);
  const seeds: Bytes[] = [];
  for (const items of [[], ITEMS.slice(2, 4), ITEMS]) {
    const proposal = { kind: "proposal", stream: "s-1", base: null } as const;
    seeds.push((await sealer.seal({ ...proposal, items })).data);
  }
  const known = new Set(seeds.map((it) => it.toHex()));
  return {
    name: "entries",
    share: 2,
    seeds,
    words: ["\x01", "\x00\x00\x00\x00\x00\x00\x00\x01", "\xff\xff\xff\xff"],
    async check(input) {
      try {
        const { server, k } = await openEntry(keys, input);
        hold(known.has(input.toHex()), "a forged entry opens");
        hold(server === sealer.server && k < seeds.length, "another's");
        return "opened";
      } catch (error) {
        return outcomeOf(error, EntryError);
      }
    },
    properties: [],
  };
}

function checkItem(input: Bytes): string {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(input));
  } catch {
    return "no JSON";
  }
  try {
    const item = decodeItem(json, CONTEXT);
    if (!item) return "dropped";
    const text = JSON.stringify(encodeItem(item));
    const again = decodeItem(JSON.parse(text), CONTEXT);
    hold(again !== undefined, "it is dropped the second time");
    same(encodeItem(again), JSON.parse(text), "it changes");
    return item.kind;
  } catch (error) {
    return outcomeOf(error, EntryError);
  }
}

/** `decodeItem` and `encodeItem`. */
export function items(): Target {
  return {
    name: "items",
    share: 3,
    seeds: ITEMS.map((it) => bytesOf(JSON.stringify(it))),
    words: [
      ...ITEMS.map((it) => `["${(it as string[])[0]}",`),
      ..."[ ] , null true {} [[ -1 0.5 9007199254740992 __proto__ \\ud800"
        .split(" "),
    ],
    check: checkItem,
    properties: [],
  };
}
