/**
 * A program for the tests in a pseudo-terminal: the real view, and news that come at a word.
 *
 * A line that is typed is shown as said; `!` lines are for the test: `!many` fifty messages from others, `!cjk`
 * one with wide characters, `!disconnect`, `!back`. While there is a file "patient" in its folder, no wait for keys is
 * over; the file "read" has all that it has read.
 *
 * @module
 */

import { interpret } from "../../src/client/terminal/commands.ts";
import { Ignored } from "../../src/client/ignored.ts";
import { InputHistory } from "../../src/client/terminal/input_history.ts";
import { type Later, later } from "../../src/client/terminal/input_splitter.ts";
import type { News, RoomNews } from "../../src/client/view.ts";
import { Settings } from "../../src/client/terminal/settings.ts";
import { TtyView } from "../../src/client/terminal/tty.ts";

const NAME = "ana";
const MESSAGES = 50;

const [folder = "."] = Deno.args;
const note = (text: string) => view.note(text);
const settings = await Settings.load(`${folder}/settings`, () => {});
const history = await InputHistory.load(`${folder}/history`, 500, () => {});
const ignored = new Ignored();
const isPatient = () => {
  try {
    return Deno.statSync(`${folder}/patient`).isFile;
  } catch {
    return false;
  }
};
const pause: Later = (callback, ms) =>
  isPatient() ? () => {} : later(callback, ms);

/** The view, which notes what it has read. */
class NotingView extends TtyView {
  override received(bytes: Uint8Array | null): void {
    super.received(bytes);
    if (bytes) Deno.writeFileSync(`${folder}/read`, bytes, { append: true });
  }
}

const view: TtyView = new NotingView({
  stops: true,
  now: Date.now,
  colour: false,
  zone: "UTC",
  settings,
  history,
  ignored,
  names: () => ["Rahul", "ana"],
  later: pause,
});
let seq = 0;
// The test waits for this: the terminal has its new size at once, and the program hears of it later.
Deno.addSignalListener("SIGWINCH", () => {
  const { columns } = Deno.consoleSize();
  Deno.writeTextFileSync(`${folder}/columns`, `${columns}`);
});

function said(name: string, text: string): RoomNews {
  const own = name === NAME;
  const past = false;
  const at = Date.UTC(2026, 10, 23, 12);
  const person = `key of ${name}`;
  const who = { name, person, own };
  return { type: "said", seq: ++seq, at, text, past, to: null, ...who };
}

function entered(again: boolean): News {
  return {
    type: "entered",
    address: "192.0.2.7:5000",
    name: NAME,
    others: 1,
    seq: ++seq,
    at: Date.UTC(2026, 10, 23, 12),
    person: `key of ${NAME}`,
    earlier: 0,
    again,
    waiting: 0,
  };
}

const unused = (what: string) => () => {
  note(`${what} isn't for this program`);
  return Promise.resolve();
};
const context = {
  note,
  who: () => [],
  keepers: () => undefined,
  quit: () => view.close(),
  rename: unused("rename"),
  act: (text: string) => {
    view.show({ ...said(NAME, text), type: "acted" });
    return Promise.resolve();
  },
  reply: unused("reply"),
  edit: unused("edit"),
  write: unused("write"),
  delete: unused("delete"),
  react: unused("react"),
  lastOwn: () => undefined,
  away: unused("away"),
  history: unused("history"),
  older: unused("older"),
  topic: () => "",
  agree: unused("agree"),
  accept: unused("accept"),
  search: unused("search"),
  settings,
  ignored,
  save: async (path: string) => note(await view.scrollback.save(path)),
  send: unused("send"),
  get: unused("get"),
  drop: unused("drop"),
  release: unused("release"),
  operate: unused("operate"),
  verification: () => undefined,
  verify: () => false,
  find: () => undefined,
  isSelf: () => false,
  numbers: () => [],
  clear: () => note("clear isn't for this program"),
};

/** Fifty messages, one after the other, so that each finds the line as it is then. */
async function many(): Promise<void> {
  for (let n = 1; n <= MESSAGES; n++) {
    view.show(said("Rahul", `message ${n}`));
    await new Promise((done) => setTimeout(done, 10));
  }
}

view.stand({ name: NAME, connected: false, members: 0, waiting: 0 });
view.show(entered(false));
view.stand({ name: NAME, connected: true, members: 1, waiting: 0 });
for await (const line of view.lines()) {
  if (line === "!many") {
    many();
  } else if (line === "!cjk") {
    view.show(said("田中", "日本語の長い行".repeat(8) + "😀"));
  } else if (line === "!disconnect") {
    view.show({ type: "disconnected", reason: "lost", seconds: 30 });
    view.stand({ name: NAME, connected: false, members: 0, waiting: 0 });
  } else if (line === "!back") {
    view.show(entered(true));
    view.stand({ name: NAME, connected: true, members: 1, waiting: 0 });
  } else {
    const text = await interpret(line, context);
    if (text !== null) view.show(said(NAME, text));
  }
}
view.close();
await history.close();
await settings.kept;
Deno.exit(); // whatever else is typed
