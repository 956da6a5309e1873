/**
 * What can happen in a sealed room: steps of five persons, two keepers and a hostile server, which fast-check puts
 * together at random. Each is done to the real programs and to the model, and says what must have been seen of it.
 *
 * @module
 */

import fc from "fast-check";
import type { Event } from "../../src/protocol/events.ts";
import { epochOf } from "../../src/sealed/sealed_line.ts";
import { assert } from "./assert.ts";
import type { HostileSeat } from "./hostile_server.ts";
import type { ModelledRoom } from "./modelled_room.ts";
import type { ModelPerson, RoomModel, Ruling } from "./room_model.ts";
import { type Somebody, somebody } from "./sealed_room.ts";

/** Chooses, by numbers that fast-check draws. */
export class Choice {
  readonly #drawn: readonly number[];
  #next = 0;

  /** Chooses by these numbers, one after the other. */
  constructor(drawn: readonly number[]) {
    this.#drawn = drawn;
  }

  /** A number below another. */
  below(count: number): number {
    return (this.#drawn[this.#next++ % this.#drawn.length] ?? 0) % count;
  }

  /** One of some. */
  of<T>(all: readonly T[]): T {
    const chosen = all[this.below(all.length)];
    if (chosen === undefined) {
      throw new RangeError("Cannot choose: none is there");
    }
    return chosen;
  }
}

/** A kind of step. */
interface Step {
  /** How often it is drawn, beside the others. Default: 1. */
  readonly weight?: number;
  /** Whether it can happen. */
  readonly can: (model: RoomModel) => boolean;
  readonly run: (room: ModelledRoom, choice: Choice) => Promise<void>;
}

const EMOJI = [..."👍👀🎉🙏✅❌😀😎🐟🐸🌳🌞🍎🍋🚲🚀"];

// ── What people do ─────────────────────────────────────────────────────────────────────────────────────

function speaker({ model }: ModelledRoom, choice: Choice): string {
  return choice.of(model.here).id;
}

/** Lines that were said, and not taken back. */
function spoken(model: RoomModel, by?: string) {
  const gone = new Set(
    model.lines.flatMap(({ kind, to }) => kind === "deleted" ? [to] : []),
  );
  return model.lines.filter((line) =>
    ["said", "acted", "replied"].includes(line.kind) && !gone.has(line) &&
    !line.isDoubted && !line.isLost && (by === undefined || line.by === by)
  );
}

/** All changes of who belongs to the room that a keeper may make. */
function rulings(model: RoomModel, by: string): Ruling[] {
  const whats = ["kick", "ban", "unban", "keeper"] as const;
  return [...model.persons.keys()].flatMap((whom) =>
    whats.map((what): Ruling => ({ what, whom }))
  ).filter((ruling) =>
    model.mayRule(by, ruling) &&
    (ruling.what !== "keeper" || model.keepers.length < 3)
  );
}

/** A change of the key that puts nobody out, where there is one. */
function gentle(model: RoomModel, by: string): Ruling[] {
  return rulings(model, by).filter(({ what, whom }) =>
    what === "keeper" || what === "unban" ||
    what === "ban" && model.person(whom).standing === "removed"
  );
}

const say: Step = {
  weight: 3,
  can: ({ here }) => here.length > 0,
  run: async (room, choice) => {
    await room.say(speaker(room, choice), choice.of(["said", "acted"]));
  },
};

const change: Step = {
  weight: 2,
  can: (model) => model.here.length > 0 && spoken(model).length > 0,
  run: async (room, choice) => {
    const by = speaker(room, choice);
    const own = spoken(room.model, by);
    const kind = choice.of(
      ["replied", "edited", "deleted", "reacted"] as const,
    );
    if (own.length === 0 || kind === "replied") {
      await room.say(by, "replied", choice.of(spoken(room.model)));
    } else if (kind === "reacted") {
      const to = choice.of(spoken(room.model));
      const free = EMOJI.filter((text) =>
        !room.model.lines.some((it) => it.to === to && it.text === text)
      );
      await room.say(by, "reacted", to, choice.of(free));
    } else await room.say(by, kind, choice.of(own));
  },
};

let renames = 0;
const rename: Step = {
  can: ({ here }) => here.length > 0,
  run: async (room, choice) => {
    const id = speaker(room, choice);
    await room.rename(id, `${id}${++renames}`);
  },
};

const invite: Step = {
  can: ({ keepersHere, openInvites }) =>
    keepersHere.length > 0 && openInvites.length < 3,
  run: async (room, choice) => {
    const { id } = choice.of(room.model.keepersHere);
    await room.invite(id, 1 + choice.below(3));
  },
};

const join: Step = {
  weight: 3,
  can: (model) =>
    model.those("stranger", "removed").length > 0 &&
    model.openInvites.length > 0 && model.here.length > 0,
  run: async (room, choice) => {
    const { id } = choice.of(room.model.those("stranger", "removed"));
    await room.join(id, choice.of(room.model.openInvites));
  },
};

const spentLink: Step = {
  can: (model) =>
    model.those("stranger", "removed", "barred").length > 0 &&
    (model.invites.some(({ left }) => left === 0) ||
      model.those("barred").length > 0 && model.openInvites.length > 0),
  run: async (room, choice) => {
    const { model } = room;
    const barred = model.those("barred");
    const { link } = barred.length > 0 && model.openInvites.length > 0
      ? choice.of(model.openInvites)
      : choice.of(model.invites.filter(({ left }) => left === 0));
    const who = barred.length > 0 && model.openInvites.length > 0
      ? barred
      : model.those("stranger", "removed", "barred");
    await room.isTurnedAway(choice.of(who).id, link);
  },
};

const removedComes: Step = {
  can: (model) => model.those("removed", "barred").length > 0,
  run: async (room, choice) => {
    await room.isTurnedAway(
      choice.of(room.model.those("removed", "barred")).id,
    );
  },
};

const leave: Step = {
  can: ({ here }) => here.length > 2,
  run: async (room, choice) => {
    await room.leave(speaker(room, choice));
  },
};

const comeBack: Step = {
  weight: 2,
  can: (model) => model.those("member").some(({ isHere }) => !isHere),
  run: async (room, choice) => {
    const away = room.model.those("member").filter(({ isHere }) => !isHere);
    await room.comeBack(choice.of(away).id);
  },
};

const rule: Step = {
  weight: 2,
  can: (model) =>
    model.keepersHere.some(({ id }) => rulings(model, id).length > 0),
  run: async (room, choice) => {
    const { model } = room;
    const keepers = model.keepersHere.filter(({ id }) =>
      rulings(model, id).length > 0
    );
    const { id } = choice.of(keepers);
    await room.rule(id, choice.of(rulings(model, id)));
  },
};

const seniorStays: Step = {
  can: (model) =>
    model.keepersHere.some(({ id }) => model.keepers.indexOf(id) > 0),
  run: async (room, choice) => {
    const { keepers, keepersHere } = room.model;
    const juniors = keepersHere.filter(({ id }) => keepers.indexOf(id) > 0);
    const what = choice.of(["kick", "ban"] as const);
    const [whom = ""] = keepers;
    await room.rule(choice.of(juniors).id, { what, whom });
  },
};

const together: Step = {
  weight: 2,
  can: (model) =>
    model.keepersHere.length > 1 &&
    model.keepersHere.slice(0, 2).every(({ id }) =>
      apart(model, id).length > 0
    ),
  run: async (room, choice) => {
    const [one, other] = room.model.keepersHere;
    assert(one && other);
    await room.together(
      [one.id, choice.of(apart(room.model, one.id))],
      [other.id, choice.of(apart(room.model, other.id))],
    );
  },
};

/** What a keeper may do while another does something, without ending that one's stay. */
function apart(model: RoomModel, by: string): Ruling[] {
  const [one, other] = model.keepersHere.map(({ id }) => id);
  return rulings(model, by).filter(({ what, whom }) =>
    whom !== one && whom !== other && what !== "unban"
  );
}

const killClient: Step = {
  can: ({ here }) => here.length > 0,
  run: async (room, choice) => {
    const id = speaker(room, choice);
    await room.kill(id);
    await room.comeBack(id);
  },
};

const killServer: Step = {
  can: ({ here }) => here.length > 0,
  run: async (room) => {
    if (room.isQuiet) await room.restartServer();
  },
};

const yesterday: Step = {
  can: ({ here }) => here.length > 0,
  run: async (room, choice) => {
    if (!room.isQuiet) return;
    const count = 1 + choice.below(8);
    await room.putBack(async () => {
      for (let times = 0; times < count; times++) {
        await room.say(speaker(room, choice));
      }
      await room.settle();
    });
  },
};

const longAway: Step = {
  can: (model) =>
    model.here.length > 2 &&
    model.keepersHere.some(({ id }) => gentle(model, id).length > 0),
  run: async (room, choice) => {
    const { model } = room;
    const [keeper] = model.keepersHere.filter(({ id }) =>
      gentle(model, id).length > 0
    );
    assert(keeper);
    const { id } = choice.of(model.here.filter((it) => it !== keeper));
    await room.leave(id);
    for (let times = 0; times < 4; times++) {
      const [ruling] = gentle(model, keeper.id);
      if (ruling) await room.rule(keeper.id, ruling);
      await room.say(keeper.id);
    }
    if (model.person(id).standing === "member") await room.comeBack(id);
  },
};

// ── What a hostile server does ─────────────────────────────────────────────────────────────────────────

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
  can: (model) =>
    hasVictim(model) &&
    model.keepersHere.some(({ id }) => gentle(model, id).length > 0),
  run: async (room, choice) => {
    const { model } = room;
    const { victim, speaker } = cast(room, choice);
    await room.settle(speaker);
    const [keeper] = model.keepersHere.filter(({ id }) =>
      gentle(model, id).length > 0
    );
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
  can: (model) =>
    hasVictim(model) &&
    model.keepersHere.some(({ id }) => gentle(model, id).length > 0),
  run: async (room, choice) => {
    const { model } = room;
    const [keeper] = model.keepersHere.filter(({ id }) =>
      gentle(model, id).length > 0
    );
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
  can: (model) => hasVictim(model) && join.can(model),
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

/** All kinds of step, by name. */
const STEPS: Readonly<Record<string, Step>> = {
  say,
  change,
  rename,
  invite,
  join,
  spentLink,
  removedComes,
  leave,
  comeBack,
  rule,
  seniorStays,
  together,
  killClient,
  killServer,
  yesterday,
  longAway,
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

/** A step, and what it chooses by. */
class RoomCommand implements fc.AsyncCommand<RoomModel, ModelledRoom> {
  readonly #name: string;
  readonly #step: Step;
  readonly #drawn: readonly number[];

  constructor(name: string, step: Step, drawn: readonly number[]) {
    this.#name = name;
    this.#step = step;
    this.#drawn = drawn;
  }

  check(model: Readonly<RoomModel>): boolean {
    return this.#step.can(model as RoomModel);
  }

  async run(_: RoomModel, room: ModelledRoom): Promise<void> {
    const choice = new Choice(this.#drawn);
    try {
      room.watch(this.toString());
      await this.#step.run(room, choice);
      const { here } = room.model;
      if (here.length > 0) await room.settle(choice.of(here).id);
    } catch (cause) {
      throw new Error(`${this} fails`, { cause });
    }
  }

  toString(): string {
    return `${this.#name}(${this.#drawn.join(",")})`;
  }
}

/** Steps, at random. @param count How many at the most. */
export function roomCommands(count: number) {
  const drawn = fc.array(fc.nat(997), { minLength: 6, maxLength: 6 });
  const all = Object.entries(STEPS).flatMap(([name, step]) =>
    Array<fc.Arbitrary<RoomCommand>>(step.weight ?? 1).fill(
      drawn.map((numbers) => new RoomCommand(name, step, numbers)),
    )
  );
  return fc.commands(all, { maxCommands: count, size: "max" });
}
