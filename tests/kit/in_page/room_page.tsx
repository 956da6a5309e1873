/**
 * A room in a page with made-up news in place of a session: a test feeds its model, and reads what was asked for.
 *
 * @module
 */

import { signal } from "@preact/signals";
import { render } from "preact";
import { Ignored } from "../../../src/client/ignored.ts";
import type { News, RoomNews } from "../../../src/client/view.ts";
import { RoomModel } from "../../../src/web/room_model.ts";
import { PageSettings } from "../../../src/web/settings.ts";
import type { PageActions } from "../../../src/web/stage.ts";
import { Room } from "../../../src/web/view/room/room.tsx";

/** What a test can do with the room from outside. */
export interface RoomPage {
  /** Its model. */
  readonly model: RoomModel;
  /** What the view asked for: the action's name and its arguments. */
  readonly asked: unknown[][];
  /** Shows news. */
  show(news: readonly News[]): void;
  /** Comes into the room. */
  enter(past: readonly RoomNews[]): void;
}

const ignored = new Ignored();
const model = new RoomModel({ ignored });
const asked: unknown[][] = [];
const names = ["ana", "bob", "Priyanka", "cy"];
const present = names.map((name) => ({
  ...{ id: `full id of ${name}`, connections: 1, name, away: "" },
  ...{ person: `key of ${name}`, since: 0, active: 0 },
}));

const actions = new Proxy({ ignored } as unknown as PageActions, {
  get(known, name: string) {
    if (name in known) return known[name as keyof PageActions];
    if (name === "who") return () => present;
    if (name === "topic") return () => "huts and keys";
    return (...given: unknown[]) => {
      asked.push([name, ...given]);
      if (name === "numbers") return [42, 41];
      if (name === "lastOwn") return lastOwn();
      if (name === "older") model.loading();
      return undefined;
    };
  },
});

function lastOwn(): number | undefined {
  const rows = model.rows.peek();
  const last = rows.findLast((row) => row.kind === "message" && row.own);
  return last?.order;
}

const page: RoomPage = {
  model,
  asked,
  show: (news) => news.forEach((it) => model.show(it)),
  enter(past) {
    const at = Date.now();
    const standing = { name: "ana", connected: true, waiting: 0 };
    model.stand({ ...standing, members: present.length });
    model.show({
      ...{ type: "entered", address: "http://chat.example:8080", at },
      ...{ name: "ana", others: 3, seq: past.at(-1)?.seq ?? 1 },
      ...{ person: "key of ana", earlier: past.length },
      ...{ again: false, waiting: 0 },
    });
    for (const line of past) model.show({ ...line, past: true });
    model.show({ type: "current" });
    model.follow(actions);
  },
};

Object.assign(globalThis, { roomPage: page });

const app = {
  draft: "",
  leave: () => void asked.push(["leave"]),
  identities: signal([]),
  isKept: signal(true),
  exportIdentity: () => Promise.resolve(""),
  importIdentity: () => Promise.resolve(),
};

const place = document.getElementById("page");
if (place) {
  render(
    <Room
      room={model}
      actions={actions}
      app={app}
      settings={new PageSettings()}
    />,
    place,
  );
}
