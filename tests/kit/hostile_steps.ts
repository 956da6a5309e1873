/**
 * What a hostile server does in a sealed room: steps of the model.
 *
 * @module
 */

import type { Event } from "../../src/protocol/events.ts";
import { epochOf } from "../../src/sealed/sealed_line.ts";
import { assert } from "./assert.ts";
import type { HostileSeat } from "./hostile_server.ts";
import type { ModelledRoom } from "./modelled_room.ts";
import type { ModelPerson, RoomModel } from "./room_model.ts";
import { type Choice, gentle, gentleKeeper, type Step } from "./room_step.ts";
import { type Somebody, somebody } from "./sealed_room.ts";

const hasVictim = ({ here }: RoomModel) => here.length > 1;

/** One who is told something else, and others. */
function cast(
  { model }: ModelledRoom,
  choice: Choice,
): { victim: string; others: ModelPerson[]; speaker: string } {
  const { id: victim } = choice.of(model.here);
  const others = model.here.filter(({ id }) => id !== victim);
  return { victim, others, speaker: choice.of(others).id };
}

type Edit = (event: Event<"sealed">) => readonly Event[];

/** Has the victim told something else of sealed lines. */
function edit(room: ModelledRoom, victim: string, change: Edit): HostileSeat {
  room.deceive(victim);
  const { hostile } = room.real;
  hostile.down.set(
    victim,
    ({ event }) => event.kind === "sealed" ? change(event) : [event],
  );
  return hostile.seat(victim);
}

const drop: Step = {
  weight: 2,
  can: hasVictim,
  run: async (room, choice) => {
    const { victim, others, speaker } = cast(room, choice);
    let isDropped = false;
    const seat = edit(room, victim, (event) => {
      if (isDropped) return [event];
      isDropped = true;
      return [];
    });
    await room.say(speaker);
    const number = seat.last + 1;
    await hear(room, others, speaker);
    await room.say(choice.of(others).id);
    await room.warns(number);
    // What the victim says now gives it away to the others.
    if (choice.below(2) === 0) {
      const { seq } = await room.say(victim);
      for (const { id } of others) {
        await room.real.client(id).shows("warning", { seq });
      }
    }
    await room.undeceive();
  },
};

/** Waits until others have heard the last line. */
async function hear(
  room: ModelledRoom,
  others: readonly ModelPerson[],
  speaker: string,
): Promise<void> {
  const { seq = 0, kind = "said" } = room.model.lines.at(-1) ?? {};
  for (const { id } of others) {
    if (id !== speaker) await room.real.client(id).shows(kind, { seq });
  }
}

const dropPast: Step = {
  can: ({ here }) => here.length > 1,
  run: async (room, choice) => {
    const { victim, others } = cast(room, choice);
    await room.leave(victim);
    for (let times = 0; times < 3; times++) {
      await room.settle(choice.of(others).id);
    }
    const [line] = room.model.lines.slice(-2, -1);
    const { seq = 0 } = room.model.lines.at(-1) ?? {};
    room.real.hostile.down.set(
      victim,
      ({ event }) =>
        event.kind === "past" && event.seq === line?.seq ? [] : [event],
    );
    await room.comeBackDeceived(victim);
    await room.warns(seq);
    await room.undeceive();
  },
};

const flip: Step = {
  can: hasVictim,
  run: async (room, choice) => {
    const { victim, speaker } = cast(room, choice);
    const place = choice.below(2 ** 20);
    const seat = edit(room, victim, (event) => {
      const { text } = event;
      const at = place % text.length;
      const other = text[at] === "A" ? "B" : "A";
      return [{
        ...event,
        text: text.slice(0, at) + other + text.slice(at + 1),
      }];
    });
    const number = seat.last + 1;
    await room.say(speaker);
    await room.warns(number);
    await room.undeceive();
  },
};

/** Sealed lines that a client was told by connections that are there still. */
function toldBy({ told }: HostileSeat): Event<"sealed">[] {
  const lines: Event<"sealed">[] = [];
  for (const { event, seq } of told) {
    if (event.kind === "left" || event.kind === "parted") {
      for (let at = lines.length; at-- > 0;) {
        if (lines[at]?.id === event.id) lines.splice(at, 1);
      }
    }
    if (event.kind === "sealed" && seq !== null) lines.push(event);
  }
  return lines;
}

const repeat: Step = {
  weight: 2,
  can: hasVictim,
  run: async (room, choice) => {
    const { victim, others, speaker } = cast(room, choice);
    await room.settle(speaker);
    const seat = edit(room, victim, (event) => [event]);
    const number = seat.last + 1;
    await seat.tell(choice.of(toldBy(seat)));
    await room.warns(number);
    // The first line that is said after it has seen nothing of it yet, and the next one has.
    await room.say(speaker);
    await hear(room, others, speaker);
    await room.say(choice.of(others).id);
    await room.warns(number + 2);
    await room.undeceive();
  },
};

const oldEpoch: Step = {
  can: (model) => hasVictim(model) && gentleKeeper(model) !== undefined,
  run: async (room, choice) => {
    const { model } = room;
    const { victim, speaker } = cast(room, choice);
    await room.settle(speaker);
    const keeper = gentleKeeper(model);
    assert(keeper);
    await room.rule(keeper.id, choice.of(gentle(model, keeper.id)));
    await room.settle(speaker);
    const lines = toldBy(room.real.hostile.seat(victim));
    const present = epochOf(lines.at(-1)?.text ?? "");
    const old = lines.filter(({ text }) => epochOf(text) !== present);
    const seat = edit(room, victim, () => [choice.of(old)]); // in place of what is said
    const number = seat.last + 1;
    await room.say(speaker);
    await room.warns(number);
    await room.undeceive();
  },
};

const swap: Step = {
  weight: 2,
  can: hasVictim,
  run: async (room, choice) => {
    const { victim, others, speaker } = cast(room, choice);
    let held: Event | undefined;
    const seat = edit(room, victim, (event) => {
      if (!held) {
        held = event;
        return [];
      }
      const [first, second] = [event, held];
      room.real.hostile.down.delete(victim);
      return [first, second];
    });
    const number = seat.last + 1;
    await room.say(speaker);
    await hear(room, others, speaker);
    await room.say(choice.of(others).id);
    await room.real.client(victim).until(
      `${victim} is told line ${number + 1}`,
      () =>
        room.real.client(victim).shown.some(({ seq }) => seq === number + 1) ||
        undefined,
    );
    await room.say(choice.of(others).id);
    await room.warns(number + 2);
    await room.undeceive();
  },
};

const withhold: Step = {
  can: (model) => hasVictim(model) && gentleKeeper(model) !== undefined,
  run: async (room, choice) => {
    const { model } = room;
    const keeper = gentleKeeper(model);
    assert(keeper);
    const { id: victim } = choice.of(model.here.filter((it) => it !== keeper));
    room.deceive(victim);
    const { hostile } = room.real;
    const held: Event[] = [];
    hostile.down.set(victim, ({ event }) => {
      if (event.kind !== "wrapped") return [event];
      held.push(event);
      return [];
    });
    await room.rule(keeper.id, choice.of(gentle(model, keeper.id)));
    const { text } = await room.say(keeper.id);
    const client = room.real.client(victim);
    await client.until(
      `${victim} lacks the key`,
      () =>
        client.all("note").find((it) => /key has not come/.test(it.text ?? "")),
    );
    assert(!client.texts.includes(text));
    hostile.down.delete(victim);
    await hostile.seat(victim).say(...held.slice(0, 1));
    await client.shows("said", { text });
    await room.undeceive(false);
  },
};

const hideControl: Step = {
  can: ({ here, keepersHere }) => here.length > 1 && keepersHere.length > 0,
  run: async (room, choice) => {
    const { model } = room;
    const { id: keeper } = choice.of(model.keepersHere);
    const { id: victim } = choice.of(
      model.here.filter(({ id }) => id !== keeper),
    );
    room.deceive(victim);
    const seat = room.real.hostile.seat(victim);
    let hidden = 0;
    room.real.hostile.down.set(victim, ({ event, seq }) => {
      if (event.kind !== "ruled") return [event];
      hidden = seq ?? 0;
      return [];
    });
    const mild = gentle(model, keeper);
    if (mild.length > 0 && choice.below(2) === 0) {
      await room.rule(keeper, choice.of(mild));
    } else await room.invite(keeper, 1);
    const number = seat.last + 1;
    await room.say(keeper);
    await room.warns(number);
    await room.isPutOff(hidden);
  },
};

/** A `join` line with somebody else's card. */
function withCard(
  event: Event<"ruled">,
  { cardText, short }: Somebody,
): Event<"ruled"> {
  const [verb, json = "", ...signatures] = event.text.split(" ");
  const said = { ...JSON.parse(json), card: cardText };
  const text = [verb, JSON.stringify(said), ...signatures].join(" ");
  return { ...event, person: short, text };
}

const isJoin = (event: Event): event is Event<"ruled"> =>
  event.kind === "ruled" && event.text.startsWith("join ");

const addMember: Step = {
  can: hasVictim,
  run: async (room, choice) => {
    const { victim, others, speaker } = cast(room, choice);
    const mallory = await somebody("mallory");
    const { hostile } = room.real;
    const joins = [...room.model.persons.keys()].flatMap((id) => {
      const told = room.model.person(id).isHere ? hostile.seat(id).told : [];
      return told.map(({ event }) => event).filter(isJoin);
    });
    const [join] = joins;
    if (!join) return;
    const seat = edit(room, victim, (event) => [event]);
    const number = seat.last + 1;
    const { full: person } = mallory;
    const joined = {
      kind: "joined",
      id: 2 ** 30,
      name: "mallory",
      person,
      stay: join.stay,
      n: 0,
    } as const;
    await seat.tell(withCard(join, mallory), joined);
    await seat.say({ kind: "needed", who: person, e: room.model.epoch });
    await room.warns(number);
    await room.warns(number + 1);
    // The first line that is said after it has seen nothing of it yet, and the next one has.
    await room.say(speaker);
    await hear(room, others, speaker);
    await room.say(choice.of(others).id);
    await room.warns(number + 3);
    await room.undeceive();
  },
};

const swapCard: Step = {
  can: (model) =>
    hasVictim(model) && model.those("stranger", "removed").length > 0 &&
    model.openInvites.length > 0,
  run: async (room, choice) => {
    const { victim } = cast(room, choice);
    const { model } = room;
    // A victim who is the first keeper would not see that a link is used up.
    const invites = model.openInvites.filter(({ left }) => left > 1);
    if (invites.length === 0) return;
    const mallory = await somebody("mallory");
    room.deceive(victim);
    const seat = room.real.hostile.seat(victim);
    room.real.hostile.down.set(
      victim,
      ({ event }) => [isJoin(event) ? withCard(event, mallory) : event],
    );
    const number = seat.last + 1;
    const { id } = choice.of(model.those("stranger", "removed"));
    await room.join(id, choice.of(invites));
    await room.warns(number);
    await room.say(id);
    await room.warns(number + 2);
    await room.isPutOff(number);
  },
};

/** These steps, by name. */
export const HOSTILE_STEPS: Readonly<Record<string, Step>> = {
  drop,
  dropPast,
  flip,
  repeat,
  oldEpoch,
  swap,
  withhold,
  hideControl,
  addMember,
  swapCard,
};
