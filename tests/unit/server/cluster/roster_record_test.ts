/**
 * Who is in the room, as servers write it down.
 *
 * @module
 */

import { Batch, type Seat } from "../../../../src/server/batch.ts";
import { changesOf } from "../../../../src/server/cluster/roster_record.ts";
import { Roster } from "../../../../src/server/roster.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { member, sit } from "../../../kit/made_up_seats.ts";

Deno.test("changesOf() has all connections of each person of whom something has changed, and none of others", () => {
  const members = new Roster();
  const ids = ["ana", "bo", "cy", "di", "ed", "fay", "gus"];
  const all = ids.map((it) => member(it));
  const [ana, bo, cy, di, ed, fay, gus] = all;
  assert(ana && bo && cy && di && ed && fay && gus);
  const seats = all.map((it, at) => sit(it, at + 1));
  const second = sit(ana, 9);
  for (const it of all) if (it !== fay) members.add(it);
  const [, b, c, d, e, f] = seats;
  assert(b && c && d && e && f);
  const batch = new Batch(5, 1, true);
  batch.said.push({ kind: "say", seat: second, lines: [], taken() {} });
  batch.joined.push({ seat: b } as typeof batch.joined[number]);
  batch.renamed.push({ seat: c } as typeof batch.renamed[number]);
  batch.away.push({ kind: "away", seat: d, text: "x" });
  batch.ruled.push({ wish: { seat: e } } as typeof batch.ruled[number]);
  batch.ruled.push({} as typeof batch.ruled[number]);
  batch.knownSeats.set(fay, f); // whose last connection has gone
  const record = ({ id, server, stay, n, member }: Seat) => {
    const { since, active, away, person, name } = member;
    const it = { id, server, person: person.id, name: name.shown, stay, n };
    return { ...it, since, active, away };
  };
  const changes = changesOf(batch, members);
  assertEquals(new Set(changes.keys()), new Set(ids.slice(0, -1)));
  assertEquals(changes.get("ana"), ana.seats.map(record));
  assertEquals(changes.get("bo"), [record(b)]);
  assertEquals(changes.get("fay"), []);
});
