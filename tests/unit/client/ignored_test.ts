/**
 * Tests of who is ignored, and of the file in which that is kept.
 *
 * @module
 */

import { DocumentFile } from "../../../src/base/document_file.ts";
import { Ignored } from "../../../src/client/ignored.ts";
import type { Person } from "../../../src/client/person.ts";
import type { News, RoomNews } from "../../../src/client/view.ts";
import { shortId } from "../../../src/crypto/person_id.ts";
import { assertEquals, assertStringIncludes } from "../../kit/assert.ts";
import { Folder, modeOf } from "../../kit/folder.ts";
import { madeUpId } from "../../kit/people.ts";

function personOf(name: string): Person {
  const id = madeUpId(name);
  return { id, person: shortId(id), name };
}

const ANN = personOf("ann");
const EVE = personOf("eve");

function does(type: RoomNews["type"], name: string, text = ""): RoomNews {
  const { person } = ANN;
  const rest = { seq: 1, at: 0, to: null, own: false, past: false };
  return { type, name, person, text, ...rest };
}

const namesOf = (ignored: Ignored) =>
  ignored.members().map(({ name, formerly }) => [name, formerly]);

Deno.test("Ignored keeps who is ignored for later runs, in a file for its owner alone", async () => {
  await using folder = await Folder.make();
  const path = `${folder.path}/ignored`;
  const notes: string[] = [];
  const load = () =>
    Ignored.load(new DocumentFile(path), (text) => notes.push(text));
  const first = await load();
  assertEquals(first.members(), []);
  first.add(ANN);
  first.add(EVE);
  first.remove(EVE);
  await first.kept;
  if (Deno.build.os !== "windows") assertEquals(await modeOf(path), 0o600);
  assertEquals(JSON.parse(await Deno.readTextFile(path)), {
    version: 1,
    people: { [ANN.id]: "ann" },
  });
  const second = await load();
  assertEquals(second.members(), [{ ...ANN, formerly: "ann" }]);
  assertEquals(second.filter(does("said", "anyone", "hi")), null);
  assertEquals(notes, []);
});

Deno.test("Ignored takes up what another client has changed, and keeps it", async () => {
  await using folder = await Folder.make();
  const path = `${folder.path}/ignored`;
  const load = () => Ignored.load(new DocumentFile(path), () => {});
  const [one, other] = [await load(), await load()];
  one.add(ANN);
  await one.kept;
  other.add(EVE);
  await other.kept;
  assertEquals(namesOf(await load()), [["ann", "ann"], ["eve", "eve"]]);
  one.remove(ANN);
  await one.kept;
  assertEquals(namesOf(other).length, 2);
  await other.refresh();
  assertEquals(namesOf(other), [["eve", "eve"]]);
});

Deno.test("Ignored leaves alone a file that it can't use, says so once, and does without", async () => {
  await using folder = await Folder.make();
  const path = await folder.write("ignored", "{");
  await Deno.chmod(path, 0o600);
  const notes: string[] = [];
  const ignored = await Ignored.load(
    new DocumentFile(path),
    (text) => notes.push(text),
  );
  ignored.add(ANN);
  await ignored.refresh();
  assertEquals(namesOf(ignored), [["ann", "ann"]]);
  assertEquals(await Deno.readTextFile(path), "{");
  assertEquals(notes.length, 1);
  assertStringIncludes(notes[0] ?? "", "Whom you ignore is not saved");
});

Deno.test("Ignored hides what somebody said also above an answer to it", () => {
  const ignored = new Ignored();
  ignored.add(ANN);
  const { name, person } = ANN;
  const quoted = { name, person, text: "bait" };
  const answer = {
    ...does("replied", "ben", "no"),
    person: EVE.person,
    to: 7,
  };
  const found = (line: RoomNews) => {
    return { type: "found", words: "", lines: [line], more: false } as const;
  };
  assertEquals(ignored.filter({ ...answer, quoted }), answer);
  assertEquals(ignored.filter(found({ ...answer, quoted })), found(answer));
  const other = { ...answer, quoted: { ...quoted, person: EVE.person } };
  assertEquals(ignored.filter(other), other);
  const changed = (...people: readonly string[]) => {
    const reactions = people.map((person) => {
      return { person, name: "x", text: "👍" };
    });
    return { ...answer, changed: { edited: true, deleted: false, reactions } };
  };
  assertEquals(
    ignored.filter(changed(ANN.person, EVE.person)),
    changed(EVE.person),
  );
});

Deno.test("Ignored leaves out of what was found the lines of ignored members, but for warnings, and all else alone", () => {
  const ignored = new Ignored();
  ignored.add(ANN);
  const line = does("said", "ann", "red");
  const bens = { ...line, name: "ben", person: EVE.person };
  const warning = { type: "warning", line: 1, reason: "altered", ...ANN };
  const found = { type: "found", words: "red", more: true } as const;
  assertEquals(
    ignored.filter({ ...found, lines: [line, warning, bens] } as News),
    { ...found, lines: [warning, bens] } as News,
  );
  const own = { ...line, own: true };
  const lost = { type: "lost", text: "red" } as const;
  for (const news of [own, lost]) assertEquals(ignored.filter(news), news);
});

Deno.test("Ignored finds who is ignored by the name that they or nobody else goes by now", () => {
  const ignored = new Ignored();
  assertEquals(ignored.find("ann"), undefined);
  ignored.add(ANN);
  ignored.add(EVE);
  const { id, person } = EVE;
  const eva = { name: "eva", person };
  assertEquals(ignored.members([eva]), [
    { ...ANN, formerly: "ann" },
    { id, person, name: "eva", formerly: "eve" },
  ]);
  for (const text of ["eva", "EVE", person]) {
    assertEquals(ignored.find(text, [eva])?.name, "eva");
  }
  assertEquals(ignored.find("zoe", [eva]), undefined);
  const other = { name: "ann", person: personOf("ann2").person };
  assertEquals(ignored.find("ann", [eva, other]), undefined);
  assertEquals(ignored.find(ANN.person, [eva, other])?.id, ANN.id);
  ignored.add({ ...ANN, name: "anna" });
  assertEquals(namesOf(ignored)[0], ["anna", "ann"]);
});

Deno.test("Ignored takes from its file only whole ids with names", async () => {
  const people = {
    [ANN.id]: "ann",
    [EVE.id]: 7,
    [`${EVE.id}A`]: "long",
    [`-${EVE.id}`]: "long",
    [EVE.id.slice(1)]: "short",
    [EVE.id.replace(/^./, "?")]: "strange",
  };
  const store = {
    read: () => Promise.resolve({ people }),
    change: () => Promise.resolve(),
  };
  assertEquals(namesOf(await Ignored.load(store, () => {})), [["ann", "ann"]]);
});

Deno.test("Ignored knows the name that somebody goes by from what it hides", () => {
  const ignored = new Ignored();
  ignored.add(ANN);
  assertEquals(ignored.filter(does("renamed", "ann", "annie")), null);
  assertEquals(namesOf(ignored), [["annie", "ann"]]);
  assertEquals(ignored.filter(does("left", "annie")), null);
  for (const name of ["annie", "ann", ANN.person]) {
    assertEquals(ignored.find(name)?.id, ANN.id, name);
  }
});

Deno.test("Ignored hides private messages, and what is said of those that aren't shown", () => {
  const ignored = new Ignored();
  const letter = {
    type: "private",
    at: 0,
    name: "eve",
    person: EVE.person,
    to: { name: "ann", person: ANN.person },
    text: "hi",
    own: false,
  } as const;
  const unread = {
    type: "private-unread",
    name: "eve",
    person: EVE.person,
    own: false,
    reason: "altered",
  } as const;
  assertEquals(ignored.filter(letter), letter);
  ignored.add(EVE);
  assertEquals([ignored.filter(letter), ignored.filter(unread)], [null, null]);
  const own = { ...letter, ...ANN, to: EVE, own: true };
  assertEquals(ignored.filter(own), own);
});
