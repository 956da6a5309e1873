/**
 * Makes the README's pictures, in `docs/pictures/`: the real programs, talking, and what a terminal and the web page
 * show of it. Needs tmux and Chromium.
 *
 *     deno task pictures
 *
 * @module
 */

import { IdentityFile } from "../../src/keys/identity.ts";
import { print } from "../../src/base/output.ts";
import { CUT, type Edit, TcpProxy } from "../../tests/kit/proxy.ts";
import { Terminal } from "../../tests/kit/pty.ts";
import { type Cell, readScreen } from "./cells.ts";
import { drawPages } from "./page.ts";
import { drawSvg, GROUND } from "./svg.ts";
import { closeChromium } from "../../tests/kit/chromium.ts";
import { Folder } from "../../tests/kit/folder.ts";
import { Server } from "../../tests/kit/server.ts";
import { typeClient } from "../../tests/kit/stage.ts";
import { JsonClient } from "../../tests/kit/client.ts";

const COLUMNS = 92;
const ROWS = 22;
const FOLDER = new URL("../../docs/pictures/", import.meta.url);
/** Enough that its transfer can be seen, bytes; below the server's limit. */
const FILE_SIZE = 16_000_000;

/** A server, two members on pipes and one in a terminal. */
class Stage implements AsyncDisposable {
  readonly #things: AsyncDisposableStack;

  private constructor(
    things: AsyncDisposableStack,
    readonly server: Server,
    readonly terminal: Terminal,
    readonly rahul: JsonClient,
    readonly priyanka: JsonClient,
  ) {
    this.#things = things;
  }

  /** Puts everybody in their places; the terminal shows a shell's prompt. */
  static async set(): Promise<Stage> {
    await using things = new AsyncDisposableStack();
    const folder = things.use(await Folder.make());
    const server = things.use(await Server.open(folder));
    const { invite } = server;
    const join = async (name: string) =>
      things.use(await JsonClient.join({ invite, name }));
    const rahul = await join("Rahul");
    const priyanka = await join("Priyanka");
    const terminal = things.use(await Terminal.open(COLUMNS, ROWS));
    // What the client is told when it asks, so that it takes the colours for it.
    await terminal.tmux("set", "-w", "window-style", `bg=${GROUND}`);
    return new Stage(things.move(), server, terminal, rahul, priyanka);
  }

  /** Has somebody at the terminal who was here before. */
  async meet(): Promise<void> {
    const folder = this.terminal.folder.file(".config/encrypted-chat");
    await IdentityFile.create(`${folder}/identities`);
  }

  /** Starts the client in the terminal. */
  async start(invite: string, name = ""): Promise<void> {
    await typeClient(this.terminal, `'${invite}' ${name}`);
  }

  /** Somebody asks for something; waits until the terminal shows it. */
  async act(client: JsonClient, request: unknown, shown: string) {
    await client.type(JSON.stringify(request));
    await this.sees(shown);
  }

  /** Waits until this stands somewhere on the screen. */
  async sees(text: string): Promise<void> {
    await this.terminal.sees((rows) => rows.some((row) => row.includes(text)));
  }

  /**
   * Draws the screen as it is once it has this on it, which may be there for a moment only.
   * @returns Whether it is worth keeping: two people may have come by the same colour.
   */
  async draw(name: string, title: string, shown: RegExp): Promise<boolean> {
    const { terminal } = this;
    for (;;) {
      // One command, so that rows and cursor are of one moment.
      const captured = await terminal.tmux(
        ...["capture-pane", "-e", "-p", "-t", "t", ";"],
        ...["display", "-p", "-t", "t", "#{cursor_x} #{cursor_y}"],
      );
      const lines = captured.trimEnd().split("\n");
      const [column = 0, row = 0] = (lines.pop() ?? "").split(" ").map(Number);
      const rows = readScreen(lines.slice(0, row + 1).join("\n"));
      const text = rows.map((cells) => cells.map(({ text }) => text).join(""));
      if (!shown.test(text.join("\n"))) continue;
      const colour = colourOf("Rahul", rows);
      if (colour && colour === colourOf("Priyanka", rows)) return false;
      const cursor = [column, row] as const;
      const svg = drawSvg({ title, columns: COLUMNS, rows, cursor });
      await Deno.writeTextFile(new URL(`${name}.svg`, FOLDER), svg);
      print(`docs/pictures/${name}.svg\n`);
      return true;
    }
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#things.disposeAsync();
  }
}

/** The colour in which a name stands on the screen. */
function colourOf(
  name: string,
  rows: readonly (readonly Cell[])[],
): number | undefined {
  for (const cells of rows) {
    const text = cells.map(({ text }) => text[0]).join("");
    const look = cells[text.indexOf(name)]?.look;
    if (look?.colour !== undefined) return look.colour;
  }
  return undefined;
}

/** Three people talk; the one at the terminal is here for the first time. */
async function conversation(): Promise<boolean> {
  await using stage = await Stage.set();
  const { server, terminal, rahul, priyanka } = stage;
  await rahul.type("kaise ho?", "the server is up 🎉");
  await priyanka.shows("said", { text: "the server is up 🎉" });
  await stage.start(server.invite);
  await stage.sees("Enter your name:");
  await terminal.line("Abhii");
  await stage.sees("Abhii (3 here)>");
  await stage.act(priyanka, {
    type: "say",
    text: "hello Abhii, what do you know about ciphers?",
  }, "about ciphers?");
  await terminal.line("namaste! a little");
  await stage.sees("namaste! a little");
  await stage.act(rahul, { type: "act", text: "waves from 京都" }, "京都");
  const { seq } = await rahul.shows("said", { text: "namaste! a little" });
  await stage.act(priyanka, {
    type: "reply",
    to: seq,
    text:
      "then tell me: who can read this?\n  1. we three\n  2. nobody on the way",
  }, "nobody on the way");
  await terminal.line("both, and you know it");
  await stage.sees("both, and");
  await stage.act(rahul, { type: "away", text: "chai ☕" }, "is away");
  await terminal.type("everything, but how can I tell y");
  return await stage.draw(
    "conversation",
    "Three people talk: earlier messages, a name that is said, an answer, and a line being typed",
    /tell y *$/,
  );
}

/** The connection breaks, and comes back. */
async function reconnect(): Promise<boolean> {
  await using stage = await Stage.set();
  const { server, terminal, rahul, priyanka } = stage;
  let blocked = false;
  const edit: Edit = ({ bytes }) => blocked ? [CUT] : [bytes];
  await using proxy = new TcpProxy(server.port, edit);
  await stage.meet();
  const through = server.invite.replace(/:\d+\//, `:${proxy.port}/`);
  await stage.start(through, "--name Abhii");
  await stage.sees("Abhii (3 here)>");
  await stage.act(rahul, { type: "say", text: "when do you come?" }, "come?");
  blocked = true;
  proxy.cut();
  await stage.sees("(not connected");
  await priyanka.shows("left", { name: "Abhii" });
  await rahul.type("Abhii?", "the train leaves at six");
  await priyanka.shows("said", { text: "the train leaves at six" });
  await priyanka.type("the connection is gone, I think");
  await rahul.shows("said", { text: "the connection is gone, I think" });
  await terminal.line("see you at six");
  await stage.sees("1 waiting)>");
  blocked = false;
  await stage.sees("✓ Back.");
  await stage.act(rahul, { type: "say", text: "good!" }, "good!");
  await terminal.type("on my w");
  return await stage.draw(
    "reconnect",
    "A lost connection: what is typed waits, and a rule marks where unread begins",
    /on my w *$/,
  );
}

/** A file on its way. */
async function file(): Promise<boolean> {
  await using stage = await Stage.set();
  const { server, terminal, rahul, priyanka } = stage;
  const path = server.folder.file("kyoto.tar");
  const bytes = new Uint8Array(FILE_SIZE);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  await Deno.writeFile(path, bytes);
  await stage.meet();
  await stage.start(server.invite, "--name Abhii");
  await stage.sees("Abhii (3 here)>");
  await stage.act(rahul, { type: "say", text: "the pictures" }, "the pictures");
  await stage.act(rahul, { type: "send", path }, "offers kyoto.tar");
  const { seq } = await rahul.shows("offered");
  await terminal.line(`/get ${seq}`);
  await stage.sees("%");
  await priyanka.type("messages still pass");
  return await stage.draw(
    "file",
    "A file that is offered and taken: the prompt shows how far it is, and messages pass meanwhile",
    /still pass[^]*[2-8]\d %\)/,
  );
}

await Deno.mkdir(FOLDER, { recursive: true });
for (const picture of [conversation, reconnect, file]) {
  while (!await picture()); // with other people, whose colours are others
}
await drawPages(FOLDER, (name) => print(`docs/pictures/${name}\n`));
await closeChromium();
