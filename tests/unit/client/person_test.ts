/**
 * Whom a name or an id means.
 *
 * @module
 */

import { byName, byNameOrId } from "../../../src/client/person.ts";
import { spokenId } from "../../../src/crypto/person_id.ts";
import { assertEquals } from "../../kit/assert.ts";
import { madeUpPerson } from "../../kit/people.ts";

const ANN = { name: "Ann", person: madeUpPerson("ann") };
const BEN = { name: "ben", person: madeUpPerson("ben") };

Deno.test("byName() and byNameOrId() find somebody by the name in either case, and byNameOrId() by the id however it is written", () => {
  for (const find of [byName, byNameOrId]) {
    for (const name of ["Ann", "ANN", "ann"]) {
      assertEquals(find([BEN, ANN], name), ANN);
    }
    assertEquals(find([ANN], "ben"), undefined);
    assertEquals(find([], "ben"), undefined);
  }
  const spoken = spokenId(BEN.person);
  for (const id of [BEN.person, spoken, spoken.toUpperCase()]) {
    assertEquals(byNameOrId([ANN, BEN], id), BEN);
    assertEquals(byName([ANN, BEN], id), undefined);
  }
});

Deno.test("byNameOrId() finds the one of an id, not one who goes by it as a name", () => {
  const eve = { name: ANN.person, person: madeUpPerson("eve") };
  assertEquals(byNameOrId([eve, ANN], ANN.person), ANN);
  assertEquals(byNameOrId([eve], ANN.person), eve);
});
