/**
 * Each view around the room, by a name in the address bar, with a room that somebody wrote: for tests that look at it.
 *
 *     #name   #place   #over   #who   #verify   …
 *
 * @module
 */

import { render } from "preact";
import { signal } from "@preact/signals";
import { RoomModel } from "../../../src/web/room_model.ts";
import type { PageActions, Stage } from "../../../src/web/stage.ts";
import { PageSettings, wearTheme } from "../../../src/web/settings.ts";
import {
  OpenPanel,
  type PanelName,
} from "../../../src/web/view/panels/open_panel.ts";
import { MoreMenu } from "../../../src/web/view/panels/more_menu.tsx";
import { Panels } from "../../../src/web/view/panels/panels.tsx";
import { QuestionDialog } from "../../../src/web/view/start/question_dialog.tsx";
import { Start } from "../../../src/web/view/start/start.tsx";
import type { StartApp } from "../../../src/web/view/start/start_props.ts";
import { Ignored } from "../../../src/client/ignored.ts";
import type { Present, RoomNews } from "../../../src/client/view.ts";

const NOW = Date.now();
const LINK =
  "chat://192.0.2.7:8080/#q3Zk0Jm8v1n6qk3Yf2s9w8x7u6t5r4q3p2o1nAAAAAAm8v1n6qk3Yf2s9w8x7u6t5r4q3p2o1nq3Zk0J";
const WEB = LINK.replace("chat:", "http:");

function present(
  name: string,
  person: string,
  more: Partial<Present> = {},
): Present {
  return {
    id: person,
    person,
    name,
    connections: 1,
    since: NOW - 7_200_000,
    active: NOW - 20_000,
    away: "",
    ...more,
  };
}

const PEOPLE = [
  present("Abhii", "k3df9q2mx7ta41cz"),
  present("Priyanka", "b7xw2k9d4mz1tq8r", {
    away: "until nine",
    active: NOW - 1_500_000,
  }),
  present("Rahul", "c9mm4t1k8xq2zd7w", { connections: 2 }),
  present("नेहा", "d2zz8k3q7wm4tx9r", { away: "away" }),
  present("a_name_of_thirty-two_characters.", "e2zz8k3q7wm4tx9r", {
    active: NOW - 86_400_000,
  }),
];

const news = (
  seq: number,
  text: string,
  more: Partial<RoomNews> = {},
): RoomNews => ({
  type: "said",
  seq,
  at: NOW - 86_400_000 + seq * 1000,
  name: "Rahul",
  person: "c9mm4t1k8xq2zd7w",
  text,
  to: null,
  own: false,
  past: false,
  ...more,
});
const SHA = "ab".repeat(32);

const room = new RoomModel({ later: (task) => task() });
room.stand({ name: "Abhii", connected: true, members: 5, waiting: 0 });
room.show({
  type: "entered",
  address: "192.0.2.7:8080",
  name: "Abhii",
  others: 4,
  seq: 1,
  at: NOW,
  person: "k3df9q2mx7ta41cz",
  earlier: 0,
  again: false,
  waiting: 0,
});
room.show({ type: "current" });
for (
  const it of [
    news(2, "kaise ho"),
    news(3, `hut.jpg (1258291 bytes, SHA-256 ${SHA})`, { type: "offered" }),
    news(
      4,
      `minutes of the rehearsal, second draft.pdf (358291 bytes, SHA-256 ${SHA})`,
      { type: "offered", name: "Priyanka" },
    ),
    news(5, `songs.zip (91258291 bytes, SHA-256 ${SHA})`, { type: "offered" }),
    news(6, `mine.png (91258 bytes, SHA-256 ${SHA})`, {
      type: "offered",
      own: true,
      name: "Abhii",
    }),
  ]
) room.show(it);
room.show({
  type: "file",
  offer: 5,
  name: "songs.zip",
  size: 91258291,
  got: 31258291,
  state: "taking",
  path: "",
  reason: "",
});
room.show({
  type: "file",
  offer: 3,
  name: "hut.jpg",
  size: 1258291,
  got: 1258291,
  state: "taken",
  path: "hut.jpg",
  reason: "",
});

function picture() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 200];
  const paint = canvas.getContext("2d");
  if (paint) {
    const sky = paint.createLinearGradient(0, 0, 0, 200);
    sky.addColorStop(0, "#7fb2d6");
    sky.addColorStop(1, "#f3d9b1");
    paint.fillStyle = sky;
    paint.fillRect(0, 0, 320, 200);
    paint.fillStyle = "#4a5b3f";
    paint.fillRect(0, 140, 320, 60);
  }
  return new Promise<string>((resolve) =>
    canvas.toBlob((blob) => resolve(URL.createObjectURL(blob ?? new Blob())))
  );
}

let verified = false;
const isSealed = location.search.includes("sealed");
const ignored = new Ignored();
ignored.add({ id: "e".repeat(43), name: "eve", person: "e9mm4t1k8xq2zd7w" });
const actions = {
  ignored,
  keepers: () =>
    isSealed
      ? [{ name: "Abhii", person: "k3df9q2mx7ta41cz" }, {
        name: "Zoe",
        person: "z3df9q2mx7ta41cz",
      }]
      : undefined,
  isSelf: ({ id }: { id: string }) => id === "k3df9q2mx7ta41cz",
  find: (it: string) => PEOPLE.find(({ person }) => person === it),
  verification: () => ({
    digits: [
      "01234 56789 01234 56789 01234 56789",
      "98765 43210 98765 43210 98765 43210",
    ],
    code: `${"A".repeat(43)}\n${"B".repeat(43)}`,
    isVerified: verified,
  }),
  verify: () => verified = true,
  who: () => PEOPLE,
  topic: () => "",
  run: (line: string) => {
    if (line.startsWith("/invite")) {
      room.show({
        type: "invited",
        link: LINK,
        uses: 1,
        until: NOW + 7 * 86_400_000,
        note: line.slice(8),
      });
    }
    return Promise.resolve();
  },
  search: (words: string, _id?: number, before?: number) =>
    room.show({
      type: "found",
      words,
      more: before === undefined,
      lines: before !== undefined ? [news(before - 1, "an older hut")] : [
        news(
          40,
          "the key of the hut is under the third stone, left of the door: don't tell\nand bring the second key",
        ),
        news(41, "which hut? <img src=x onerror=alert(1)> \u202Etxt.exe"),
        {
          type: "warning",
          line: 42,
          name: "bob",
          person: "c9mm4t1k8xq2zd7w",
          reason: "signature",
        },
      ],
    }),
  get: () => {},
  drop: () => {},
  save: () => {},
  picture: async () => ({ url: await picture(), width: 320, height: 200 }),
  largePicture: async () => ({ url: await picture(), width: 320, height: 200 }),
  webLink: () => WEB,
} as unknown as PageActions;
room.follow(actions);

const stages: Record<string, Stage> = {
  insecure: {
    at: "insecure",
    origin: "http://192.0.2.7:8080",
    isOld: false,
    link:
      "http://192.0.2.7:8080/#q3ZkT0Yxq3ZkT0Yxq3ZkT0Yxq3ZkT0Yxq3ZkT0Yxq3ZkT0Yx",
  },
  old: {
    at: "insecure",
    origin: "http://192.0.2.7:8080",
    isOld: true,
    link: "",
  },
  place: { at: "place", error: "", rooms: [] },
  places: {
    at: "place",
    error: "Cannot read the link: what follows the # is too short",
    rooms: [
      {
        place: "https://chat.example",
        last: NOW - 3 * 86_400_000,
        sealed: true,
      },
      { place: "http://192.0.2.7:8080", last: NOW, sealed: false },
    ],
  },
  name: {
    at: "name",
    place: "http://192.0.2.7:8080",
    names: [],
    name: "",
    error: "",
    sealed: false,
  },
  names: {
    at: "name",
    place: "https://chat.example",
    names: ["Abhii", "abhi-at-work"],
    name: "Abhii",
    error:
      'The name "Abhii" is taken (Abhii, k3df-9q2m-x7ta-41cz, since 2026-11-20)',
    sealed: true,
  },
  joining: { at: "joining", place: "http://192.0.2.7:8080", room },
  question: { at: "joining", place: "http://192.0.2.7:8080", room },
  "sealed-here": { at: "sealed-here", saveFrom: "/chat.html", link: WEB },
  over: {
    at: "over",
    message: "192.0.2.7:8080 is not the server that your link names",
    advice:
      "Somebody may be between you and it. Nothing was sent. If the server was set up anew, ask for a new link.",
    lost: ["see you at six", "and bring\nthe key"],
  },
};

const name = location.hash.slice(1);
const at = stages[name];
const settings = new PageSettings();
wearTheme(settings, document);
const app = {
  stage: signal<Stage>(at ?? { at: "starting" }),
  identities: signal([]),
  notes: signal(
    location.search.includes("private")
      ? ["Cannot keep what is known of the room: the browser's storage is full"]
      : [],
  ),
  isKept: signal(!location.search.includes("private")),
  goTo() {},
  join: () => Promise.resolve(),
  again() {},
  leave() {},
  exportIdentity: () =>
    Promise.resolve(`encrypted-chat-identity:${"q3Zk0Jm8v1n6".repeat(11)}`),
  importIdentity: () =>
    Promise.reject(
      new RangeError(
        "Cannot open the identity: the passphrase is another one, or the text was altered",
      ),
    ),
};
const panels = new OpenPanel();
const log = document.createElement("p");
if (name === "question") {
  room.note(
    "The server no longer knows who came in or was removed from line 58 on: a restored backup, or tampering. Ask its owner and a keeper which, by another way",
  );
  room.ask("Go on with what the server has? (yes/no) ").then((it) =>
    log.textContent = `answered: ${it}`
  );
}
const place = document.getElementById("page");
if (place) {
  render(
    at ? <Start app={app as unknown as StartApp} /> : (
      <main>
        <header style={{ display: "flex" }}>
          <h1 style={{ flex: 1, overflowWrap: "anywhere" }}>192.0.2.7:8080</h1>
          <button
            id="opener"
            type="button"
            class="button"
            onClick={() => panels.show(name as PanelName, "c9mm4t1k8xq2zd7w")}
          >
            Open
          </button>
          <button
            type="button"
            class="button"
            onClick={() => actions.search("hut")}
          >
            Type /search hut
          </button>
          <MoreMenu panels={panels} onLeave={() => {}} />
        </header>
        <Panels
          panels={panels}
          room={room}
          actions={actions}
          app={app}
          settings={settings}
          compose={(text) => log.textContent = text}
          goTo={(seq) => seq === 40}
        />
        <QuestionDialog room={room} />
      </main>
    ),
    place,
  );
  document.body.append(log);
}
