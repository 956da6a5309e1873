/**
 * What people do in a sealed room, and what happens to their programs: steps of the model.
 *
 * @module
 */

import { assert } from "./assert.ts";
import type { ModelledRoom } from "./modelled_room.ts";
import type { RoomModel, Ruling } from "./room_model.ts";
import {
  type Choice,
  gentle,
  gentleKeeper,
  rulings,
  type Step,
} from "./room_step.ts";

const EMOJI = [..."👍👀🎉🙏✅❌😀😎🐟🐸🌳🌞🍎🍋🚲🚀"];

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
  can: (model) => model.here.length > 2 && gentleKeeper(model) !== undefined,
  run: async (room, choice) => {
    const { model } = room;
    const keeper = gentleKeeper(model);
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

/** These steps, by name. */
export const PEOPLE_STEPS: Readonly<Record<string, Step>> = {
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
};
