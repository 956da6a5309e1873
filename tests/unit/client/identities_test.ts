/**
 * Tests of the choice among a person's identities.
 *
 * @module
 */

import { Identities } from "../../../src/client/identities.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import { identitiesIn } from "../../../src/keys/identity.ts";
import { IdentityTable } from "../../../src/web/platform/identity_table.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { newIdentity } from "../../kit/people.ts";
import { replaced } from "../../kit/replaced.ts";

for (const kind of ["folder", "page"]) {
  Deno.test(`Identities of a ${kind} come as the one of a name, and else as a new one that has been nobody`, async () => {
    await using folder = await Folder.make();
    const store = kind === "page"
      ? new IdentityTable(undefined)
      : identitiesIn(folder.file("identities"));
    const identities = new Identities(store);
    const first = await identities.forName("ana"); // which is taken, say
    const second = await identities.forName("anna");
    assertEquals(second, { identity: first.identity, name: "anna" });
    await identities.named("anna");
    const other = await identities.forName("bob");
    assert(fullId(other.identity.id) !== fullId(first.identity.id));
    const again = new Identities(store);
    const { identity } = await again.forName("ANNA");
    assertEquals(identity.id, first.identity.id);
    await again.named("hanna");
    assertEquals(
      (await new Identities(store).forName("hanna")).identity.id,
      identity.id,
    );
  });
}

Deno.test("Identities come as the one that is given, whatever the name", async () => {
  const store = new IdentityTable(undefined);
  const given = await store.create();
  await (await store.create()).setName("bob");
  const identities = new Identities(store, given);
  const { identity } = await identities.forName("bob");
  assertEquals(identity.id, given.identity.id);
});

Deno.test("Identities go on with one that has been nobody, and with no other; a name is noted once it is another", async () => {
  const noted: string[] = [];
  const entry = async (created: boolean, name?: string) => ({
    identity: await newIdentity(),
    seed: new Uint8Array(32),
    created,
    name,
    setName(name: string) {
      this.name = name;
      noted.push(name);
      return Promise.resolve();
    },
  });
  const kim = await entry(false, "kim");
  const all = [kim];
  const identities = new Identities({
    find: (isName) => Promise.resolve(all.find((it) => isName(it.name ?? ""))),
    create: async () => {
      const made = await entry(true);
      all.push(made);
      return made;
    },
  });
  const idFor = async (name: string) => {
    const { identity } = await identities.forName(name);
    return fullId(identity.id);
  };
  await identities.named("nobody"); // while there is none
  const first = await idFor("ana");
  assertEquals(await idFor("anna"), first);
  for (const name of ["anna", "anna", "hanna"]) await identities.named(name);
  assertEquals(await idFor("kim"), fullId(kim.identity.id));
  const second = await idFor("ben"); // whoever goes by "kim" is somebody
  assertEquals(await idFor("benny"), second);
  await identities.named("benny");
  assertEquals(await idFor("benny"), second);
  await idFor("cy");
  assertEquals([all.length, noted], [4, ["anna", "hanna", "benny"]]);
});

Deno.test("identities of a page are listed by their last use", async () => {
  const table = new IdentityTable(undefined);
  const [ana, bob] = [await table.create(), await table.create()];
  let time = 1;
  using _now = replaced(Date, "now", () => time++);
  await ana.setName("ana");
  await bob.setName("bob");
  const names = async () => (await table.all()).map(({ name }) => name);
  assertEquals(await names(), ["bob", "ana"]);
  await table.used(shortId(fullId(ana.identity.id)));
  assertEquals(await names(), ["ana", "bob"]);
  await table.used("nobody");
  assertEquals(await names(), ["ana", "bob"]);
});
