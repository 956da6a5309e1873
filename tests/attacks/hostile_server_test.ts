/**
 * A hostile server with the real programs: whatever it does to the lines of a sealed room, nobody is given a key, nothing
 * false is shown as said, and what can be seen of it is said with the number of the line.
 *
 * @module
 */

import { fullId } from "../../src/crypto/person_id.ts";
import type { Event } from "../../src/protocol/events.ts";
import type { JsonClient } from "../kit/client.ts";
import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { SealedPersons } from "../kit/sealed_persons.ts";
import { type Somebody, somebody } from "../kit/sealed_room.ts";

/** Ana, the founder and keeper, with bob and cy. */
const trio = () => SealedPersons.of(["ana", "bob", "cy"]);

/** What a client has warned of: the numbers of lines, and why. */
function warnings(client: JsonClient): [number | undefined, string][] {
  return client.all("warning").map(({ seq, reason = "" }) => [seq, reason]);
}

/** Does something to the next sealed line that somebody is told of, and passes all others on. */
function once(
  room: SealedPersons,
  name: string,
  change: (event: Event<"sealed">, seq: number) => readonly Event[],
): void {
  let isDone = false;
  room.hostile.down.set(name, ({ event, seq }) => {
    if (isDone || event.kind !== "sealed" || seq === null) return [event];
    isDone = true;
    return change(event, seq);
  });
}

/** A sealed line with another character somewhere. */
function altered<E extends { readonly text: string }>(event: E, at: number): E {
  const { text } = event;
  const other = text[at] === "A" ? "B" : "A";
  return { ...event, text: text.slice(0, at) + other + text.slice(at + 1) };
}

/** Keys that the server withholds from somebody from now on. */
class Withheld {
  readonly keys: Event[] = [];
  #first = Promise.withResolvers<void>();

  constructor({ hostile }: SealedPersons, name: string) {
    hostile.down.set(name, ({ event }) => {
      if (event.kind !== "wrapped") return [event];
      this.keys.push(event);
      this.#first.resolve();
      return [];
    });
  }

  /** Those of before are given up. */
  forget(): void {
    this.keys.length = 0;
    this.#first = Promise.withResolvers();
  }

  /** Resolves when there is one. @param client It is waited for as long as that one runs. */
  async first(client: JsonClient): Promise<void> {
    const ended = client.finished().then(() => {
      throw new Error(`no key came:\n${client.transcript}`);
    });
    await Promise.race([this.#first.promise, ended]);
  }
}

/** Fails if the hostile server could not do what it wanted. */
function assertNoFaults({ hostile }: SealedPersons): void {
  assertEquals(hostile.faults, []);
}

Deno.test("all members of a sealed room agree on every line, the founder's first invite included", async () => {
  await using room = await trio();
  const last = await room.say("cy", "all alike");
  const digits = await Promise.all(["ana", "bob", "cy"].map(async (name) => {
    await room.client(name).shows("said", { text: "all alike" });
    const own: string[] = [];
    for (let seq = 1; seq <= last; seq++) {
      const [answer] = await room.ask(name, { type: "agree", seq });
      assert(answer?.digits, `${name} has none for line ${seq}`);
      own.push(answer.digits);
    }
    return own;
  }));
  assertEquals(digits, [digits[0], digits[0], digits[0]]);
  for (const name of ["ana", "bob", "cy"]) {
    assertEquals(warnings(room.client(name)), []);
  }
  assertNoFaults(room);
});

Deno.test("a line of which the server changes a bit is not shown, and its number is said", async () => {
  await using room = await trio();
  once(room, "bob", (event) => [altered(event, 200)]);
  const seq = await room.say("ana", "as I said it");
  await room.client("bob").shows("warning", { seq });
  assertEquals(warnings(room.client("bob")), [[seq, "signature-wrong"]]);
  assertEquals(room.client("bob").texts, []);
  assertNoFaults(room);
});

Deno.test("a line that the server drops is noticed with the next one of who saw it", async () => {
  await using room = await trio();
  once(room, "bob", () => []);
  await room.say("ana", "dropped");
  await room.client("cy").shows("said", { text: "dropped" });
  const next = await room.say("cy", "after it");
  // The hostile server numbers on, without the gap.
  await room.client("bob").shows("warning", { seq: next - 1 });
  assertEquals(warnings(room.client("bob")), [[next - 1, "seen-differs"]]);
  assertEquals(room.client("bob").texts, []);
  // What bob says now shows the others that he was told something else.
  await room.client("bob").type(JSON.stringify({ type: "say", text: "what?" }));
  for (const name of ["ana", "cy"]) {
    const client = room.client(name);
    await client.shows("warning", { seq: next + 1, reason: "seen-differs" });
    assertEquals(client.texts, ["dropped", "after it"]);
  }
  // Back at an honest server, the first line that differs is named.
  room.hostile.cut("bob");
  const { from } = await room.client("bob").shows("history-differs");
  assertEquals(from, next - 1);
  assertNoFaults(room);
});

Deno.test("a line that the server tells again, under another number, is not shown again", async () => {
  await using room = await trio();
  const first = await room.say("ana", "pay him");
  await room.client("bob").shows("said", { seq: first });
  const { told } = room.hostile.seat("bob");
  const line = told.find(({ seq }) => seq === first)?.event;
  assert(line);
  await room.hostile.seat("bob").tell(line);
  await room.client("bob").shows("warning", { seq: first + 1 });
  assertEquals(warnings(room.client("bob")), [[first + 1, "number-repeated"]]);
  assertEquals(room.client("bob").texts, ["pay him"]);
  assertNoFaults(room);
});

Deno.test("a line that the server tells again after a restart of the client is not shown again", async () => {
  await using room = await trio();
  const first = await room.say("ana", "pay him");
  await room.client("bob").shows("said", { seq: first });
  const line = room.hostile.seat("bob").told.find(({ seq }) => seq === first)
    ?.event;
  assert(line);
  const bob = room.person("bob");
  room.client("bob").kill("SIGTERM"); // what it knows is written down
  await room.client("bob").finished();
  await bob.kill();
  const client = await bob.start();
  await client.shows("current");
  const { hostile } = room;
  const seq = hostile.seat("bob").last + 1;
  await hostile.seat("bob").tell(line);
  await client.shows("warning", { seq });
  assertEquals(warnings(client), [[seq, "number-repeated"]]);
  assertNoFaults(room);
});

Deno.test("a line of an old epoch is not shown among those of another one", async () => {
  await using room = await trio();
  const old = await room.say("ana", "under the first key");
  await room.client("bob").shows("said", { seq: old });
  const line = room.hostile.seat("cy").told.find(({ seq }) => seq === old)
    ?.event;
  assert(line);
  await room.ask("ana", { type: "keeper", name: "cy" }); // changes the key
  once(room, "bob", () => [line]);
  const seq = await room.say("ana", "under the second key");
  const { reason } = await room.client("bob").shows("warning", { seq });
  assert(reason === "epoch-wrong" || reason === "number-repeated", reason);
  assertEquals(room.client("bob").texts, ["under the first key"]);
  assertNoFaults(room);
});

Deno.test("two lines of one member that the server exchanges are found out", async () => {
  await using room = await trio();
  let held: Event | undefined;
  room.hostile.down.set("bob", ({ event }) => {
    if (event.kind !== "sealed") return [event];
    if (held) return [event, held];
    held = event;
    return [];
  });
  await room.say("ana", "one");
  const second = await room.say("ana", "two");
  await room.client("bob").shows("warning", { seq: second });
  const { texts } = room.client("bob");
  assert(texts.every((text) => text === "two"), String(texts));
  assertEquals(warnings(room.client("bob")).at(-1), [
    second,
    "number-repeated",
  ]);
  assertNoFaults(room);
});

Deno.test("two members who are shown different orders learn it from the next line", async () => {
  await using room = await trio();
  const swapped: Event[] = [];
  room.hostile.down.set("bob", ({ event }) => {
    if (event.kind !== "sealed" || swapped.length > 2) return [event];
    swapped.push(event);
    return swapped.length < 2 ? [] : swapped.splice(0, 3, ...swapped, event)
      .reverse();
  });
  await Promise.all([room.say("ana", "buy"), room.say("cy", "sell")]);
  for (const name of ["ana", "cy"]) await room.client(name).showsTexts(2);
  const seq = await room.say("ana", "so be it");
  await room.client("bob").shows("warning", { seq, reason: "seen-differs" });
  assert(!room.client("bob").texts.includes("so be it"));
  await room.client("bob").type(JSON.stringify({ type: "say", text: "what?" }));
  for (const name of ["ana", "cy"]) {
    const client = room.client(name);
    await client.shows("warning", { seq: seq + 1, reason: "seen-differs" });
    assert(!client.texts.includes("what?"));
  }
  assertNoFaults(room);
});

/** A `join` line of a client's with somebody else's card, and the event that tells it. */
function withCard(
  event: Event<"ruled">,
  { cardText, short }: Somebody,
  name: string,
): Event<"ruled"> {
  const [verb, json = "", ...signatures] = event.text.split(" ");
  const said = { ...JSON.parse(json), card: cardText, name };
  const text = [verb, JSON.stringify(said), ...signatures].join(" ");
  return { ...event, person: short, name, text };
}

/** Whether an event tells a `join` line. */
function isJoin(event: Event): event is Event<"ruled"> {
  return event.kind === "ruled" && event.text.startsWith("join ");
}

/** For whom a client has sealed keys: full ids. */
function keysGiven({ hostile }: SealedPersons, name: string): string[] {
  return hostile.seat(name).asked.flatMap((it) =>
    it.kind === "wrap" ? [it.to] : []
  );
}

Deno.test("a member whom the server adds is no member, and is given no key", async () => {
  await using room = await trio();
  const { hostile } = room;
  const eve = await somebody("eve");
  const join = hostile.seat("ana").told.map(({ event }) => event).find(isJoin);
  assert(join);
  const { full: person } = eve;
  const stay = join.stay;
  const joined: Event = {
    kind: "joined",
    id: 99,
    name: "eve",
    person,
    stay,
    n: 0,
  };
  for (const name of ["ana", "bob"]) {
    const client = room.client(name);
    const seq = hostile.seat(name).last + 1;
    await hostile.seat(name).tell(withCard(join, eve, "eve"), joined);
    await client.shows("warning", { seq, reason: "control-wrong" });
    await client.shows("warning", { seq: seq + 1, reason: "presence-wrong" });
    assertEquals(client.all("joined").filter((it) => it.name === "eve"), []);
  }
  await hostile.seat("ana").say({ kind: "needed", who: person, e: 0 });
  // What is asked for after that is answered, with another key for all members.
  await room.ask("ana", { type: "keeper", name: "bob" });
  assert(!keysGiven(room, "ana").includes(person));
  const [who] = await room.ask("bob", { type: "who" });
  const names = who?.members?.map((it) => it.name).toSorted();
  assertEquals(names, ["ana", "bob", "cy"]);
  assertNoFaults(room);
});

Deno.test("a card that the server swaps in a joining makes nobody a member, and is given no key", async () => {
  await using room = await SealedPersons.found(["ana", "bob", "cy"]);
  await room.join("bob");
  const eve = await somebody("eve");
  for (const name of ["ana", "bob"]) {
    room.hostile.down.set(
      name,
      ({ event }) => [isJoin(event) ? withCard(event, eve, "cy") : event],
    );
  }
  await room.join("cy");
  const seq = room.hostile.seat("cy").last - 1; // the joining itself stands behind it
  for (const name of ["ana", "bob"]) {
    const client = room.client(name);
    await client.shows("warning", { seq, reason: "control-wrong" });
    await client.shows("warning", { seq: seq + 1, reason: "presence-wrong" });
  }
  await room.hostile.seat("ana").say({ kind: "needed", who: eve.full, e: 0 });
  await room.ask("ana", { type: "keeper", name: "bob" });
  const bob = fullId(room.person("bob").identity.id);
  const ana = fullId(room.person("ana").identity.id);
  const given = new Set(keysGiven(room, "ana"));
  assert(given.has(bob) && given.has(ana) && !given.has(eve.full));
  assertNoFaults(room);
});

Deno.test("a removal that the server hides from a member is noticed with the next line, and told later it doesn't count unasked", async () => {
  await using room = await trio();
  room.hostile.down.set(
    "bob",
    ({ event }) => event.kind === "ruled" ? [] : [event],
  );
  await room.ask("ana", { type: "kick", name: "cy" });
  const seq = await room.say("ana", "without cy");
  const removal = seq - 2; // before the leaving
  await room.client("bob").shows("warning", { seq: seq - 1 });
  assertEquals(room.client("bob").texts, []);
  // What bob says under the old key is said by nobody, and the removed one reads nothing.
  await room.client("bob").type(
    JSON.stringify({ type: "say", text: "to cy?" }),
  );
  room.hostile.down.clear();
  room.hostile.cut("bob");
  await room.client("bob").shows("lost", { text: "to cy?" });
  assertEquals(await room.client("bob").finished(), 1);
  const [error] = room.client("bob").all("error");
  assertStringIncludes(
    error?.message ?? "",
    `The server kept control line ${removal} of the room from you`,
  );
  assertEquals(room.client("ana").texts, ["without cy"]);
  assertNoFaults(room);
});

Deno.test("a key that the server withholds keeps a member waiting, and nothing is lost when it comes", async () => {
  await using room = await trio();
  const withheld = new Withheld(room, "bob");
  await room.ask("ana", { type: "keeper", name: "cy" });
  const ana = await room.say("ana", "one");
  const cy = await room.say("cy", "two");
  await room.client("bob").type(JSON.stringify({ type: "say", text: "three" }));
  await withheld.first(room.client("bob"));
  assertEquals(room.client("bob").texts, []);
  await room.hostile.seat("bob").say(...withheld.keys.slice(0, 1));
  const { seq } = await room.client("ana").shows("said", { text: "three" });
  await room.client("bob").showsTexts(3);
  assertEquals(
    room.client("bob").all("said").map((it) => it.seq),
    [ana, cy, seq],
  );
  assertEquals(warnings(room.client("bob")), []);
  assertNoFaults(room);
});

Deno.test("a founder whose key the server withholds comes back all the same, and reads when the key comes", async () => {
  await using room = await trio();
  await room.ask("ana", { type: "keeper", name: "bob" });
  // From before the change on: a client keeps the keys that it was given.
  const withheld = new Withheld(room, "ana");
  await room.ask("bob", { type: "kick", name: "cy" }); // which ends all invites
  await room.say("bob", "read this");
  const ana = room.person("ana");
  await ana.kill();
  withheld.forget();
  const client = await ana.start();
  await client.isIn();
  await withheld.first(client);
  assertEquals(client.texts, []);
  room.hostile.down.clear();
  await room.hostile.seat("ana").say(...withheld.keys);
  await client.shows("said", { text: "read this" });
  assertNoFaults(room);
});

Deno.test("a line that the server leaves out of the past is noticed by who comes back", async () => {
  await using room = await trio();
  const bob = room.person("bob");
  room.client("bob").kill("SIGTERM");
  await room.client("bob").finished();
  await bob.kill();
  const hidden = await room.say("ana", "left out");
  await room.client("cy").shows("said", { seq: hidden });
  const next = await room.say("cy", "after it");
  room.hostile.down.set(
    "bob",
    ({ event }) => event.kind === "past" && event.seq === hidden ? [] : [event],
  );
  const client = await bob.start();
  await client.shows("warning", { seq: next, reason: "seen-differs" });
  await client.shows("current");
  assertEquals(client.texts, []);
  assertNoFaults(room);
});

/** Puts yesterday's files of the server back, after what somebody does today. */
async function putBack(
  room: SealedPersons,
  today: () => Promise<unknown>,
): Promise<void> {
  const files = await room.backUp();
  await today();
  await room.killServer();
  await room.putBack(files);
  await room.startServer();
}

Deno.test("members learn from which line on a restored backup of the server differs, and go on once they accept it", async () => {
  await using room = await trio();
  const lost: number[] = [];
  await putBack(room, async () => {
    for (const name of ["ana", "bob", "cy"]) {
      lost.push(await room.say(name, `today, ${name}`));
    }
    await room.client("ana").showsTexts(3);
    await room.client("bob").showsTexts(3);
  });
  for (const name of ["ana", "bob", "cy"]) {
    const { from, exact } = await room.client(name).shows("history-differs");
    assertEquals([from, exact], [lost[0], true]);
    await room.ask(name, { type: "accept" });
  }
  for (const name of ["ana", "bob", "cy"]) await room.say(name, `on, ${name}`);
  for (const name of ["ana", "bob", "cy"]) {
    await room.client(name).showsTexts(6);
    assertEquals(warnings(room.client(name)), []);
  }
  assertNoFaults(room);
});

Deno.test("a restored backup of the server brings no removed member back unasked", async () => {
  await using room = await trio();
  await putBack(room, async () => {
    await room.ask("ana", { type: "kick", name: "cy" });
    await room.client("bob").shows("ruled", { verb: "keys" });
  });
  for (const name of ["ana", "bob"]) {
    const client = room.client(name);
    assertEquals(await client.finished(), 1);
    const [error] = client.all("error");
    const words =
      "The server no longer knows who came in or was removed from line";
    assertStringIncludes(error?.message ?? "", words);
  }
  assertNoFaults(room);
});
