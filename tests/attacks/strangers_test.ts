/**
 * What one member can do to another's terminal and files: a table of attacks, against the screen of a real
 * terminal, the plain lines, the JSON lines, a saved file and the log.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { typeClient } from "../kit/stage.ts";
import { Client, JsonClient } from "../kit/client.ts";

/** What somebody sends, and what others see of it, in one row; the log doubles the backslashes that were sent. */
const ATTACKS: readonly (readonly [string, string])[] = [
  // Escape sequences: clearing, moving, colours, the title, another screen, an answer that would be typed.
  ["\x1b[2J\x1b[1;1Hgone", String.raw`\u001b[2J\u001b[1;1Hgone`],
  ["\x1b[31;7mred\x1b[0m", String.raw`\u001b[31;7mred\u001b[0m`],
  ["\x1b]0;owned\x07", String.raw`\u001b]0;owned\u0007`],
  ["\x1b[?1049h\x1b[6n\x1bc", String.raw`\u001b[?1049h\u001b[6n\u001bc`],
  ["\x1b[201~\x1b[200~", String.raw`\u001b[201~\u001b[200~`],
  // OSC 8, a link that leads elsewhere, and OSC 52, which writes the clipboard.
  [
    "\x1b]8;;http://192.0.2.1/\x1b\\bank\x1b]8;;\x1b\\",
    String.raw`\u001b]8;;http://192.0.2.1/\u001b\bank\u001b]8;;\u001b` + "\\",
  ],
  ["\x1b]52;c;aGk=\x07", String.raw`\u001b]52;c;aGk=\u0007`],
  // C1 controls, the same sequences in one character each.
  ["\x9b2J \x9d52;c;aGk=\x9c", String.raw`\u009b2J \u009d52;c;aGk=\u009c`],
  ["\x84\x85\x8d\x90q", String.raw`\u0084\u0085\u008d\u0090q`],
  // Carriage return, backspace and their like, which write over what stands there.
  ["I agree\rnot at all", String.raw`I agree\rnot at all`],
  [
    "secret\b\b\b\b\b\bpublic",
    "secret" + String.raw`\u0008`.repeat(6) + "public",
  ],
  ["a\tb\x0bc\x0cd\0e\x7ff", String.raw`a\tb\u000bc\u000cd\u0000e\u007ff`],
  // Bidirectional overrides, isolates and marks.
  ["photo_\u202egnp.exe", String.raw`photo_\u202egnp.exe`],
  ["\u2066a\u2069\u200e\u061cb", String.raw`\u2066a\u2069\u200e\u061cb`],
  // Floods: of what shows as nothing, and of marks that reach into other rows.
  [
    "x" + "\u200b\u2060\ufeff".repeat(9),
    "x" + String.raw`\u200b\u2060\ufeff`.repeat(9),
  ],
  [
    "z" + "\u0301".repeat(40),
    "z" + "\u0301".repeat(8) + String.raw`\u0301`.repeat(32),
  ],
  // With nothing else, it is refused.
  [".\u3164\u115f\u2800\u034f", String.raw`.\u3164\u115f\u2800\u034f`],
  // Other line ends, tags, what belongs to nobody.
  ["one\u2028two\u2029", String.raw`one\u2028two\u2029`],
  [
    "\u{e0041}\u{e0100}\ue000\u{10ffff}",
    String.raw`\u{e0041}\u{e0100}\ue000\u{10ffff}`,
  ],
];

/** Names that can't be anybody's beside "ana". */
const NAMES = [
  "аnа",
  "ana\u200b",
  "Ana",
  "ａｎａ",
  `a${"\u0301".repeat(4)}na`,
  "\x1b[2Jana",
  "an\ra",
];

/** What may not reach a terminal. */
const DANGEROUS =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|\p{M}{9}/u;
/** What the client itself tells a terminal: to move, to clear, to paint, to mark pastes and tell its focus; line ends; the bell. */
const OWN =
  // deno-lint-ignore no-control-regex -- they are what is looked for
  /\x1b\[[\d;]*[ABCDGHJKm]|\x1b\[\?(?:7|1004|2004)[hl]|\x1b[78]|\r|\n|\x07/g;
/** And what has a text: its title, a link, a notification. The text is looked at like any other. */
const TOLD =
  // deno-lint-ignore no-control-regex -- they are what is looked for
  /\x1b\](?:2|8|9);([^\x07\x1b]*)\x1b\\/g;

const END = "the end of it";
/** How a terminal is notified of that. */
const TOLD_END = `\x1b]9;eve: ${END}\x1b\\`;

/** Says every attack in every way that there is, and then the end. */
async function attack(eve: JsonClient): Promise<void> {
  const ask = (request: unknown) => eve.type(JSON.stringify(request));
  for (const [text] of ATTACKS) {
    await ask({ type: "say", text });
    await ask({ type: "act", text });
    await ask({ type: "reply", to: 3, text });
    await ask({ type: "away", text });
    // Of absences that come together only the last is told.
    await eve.shows("away-message", { text });
  }
  await ask({ type: "say", text: END });
}

function assertHarmless(lines: readonly string[], where: string): void {
  for (const line of lines) {
    assert(!DANGEROUS.test(line), `${where}: ${JSON.stringify(line)}`);
  }
}

terminalTest(
  "attacks don't reach a terminal, a program, a saved file or the log",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using eve = await JsonClient.join({ invite, name: "eve" });
    await using json = await JsonClient.join({ invite, name: "json" });
    await eve.type("line three");
    await json.shows("said", { seq: 3, text: "line three" });
    const args = ["--history", "100"];
    await using plain = await Client.plain({ invite, name: "plain", args });
    await json.shows("joined", { name: "plain" });
    await using terminal = await Terminal.open(200, 50);
    const { path } = terminal.folder;
    // The worst case: a terminal that would let a program write the clipboard, and that is told of links and
    // notifications, because it isn't looked at.
    await terminal.tmux("set-option", "-s", "set-clipboard", "on");
    const kitty = "TERM_PROGRAM= TERM=xterm-kitty";
    await typeClient(terminal, `'${invite}' --name ana`, kitty);
    await terminal.ends("ana (4 here)>");
    await terminal.line("/set bell all");
    await terminal.line("/set notify all");
    await terminal.type("half a line");
    await terminal.type("\x1b[O"); // as when another window is chosen
    await terminal.ends("ana (4 here)> half a line");
    await terminal.tmux("pipe-pane", "-t", "t", `cat > '${path}/bytes'`);

    await attack(eve);
    await terminal.sees((rows) => rows.at(-2)?.endsWith(END) === true);
    await terminal.ends("ana (4 here)> half a line");
    await json.shows("said", { text: END });
    await plain.line(new RegExp(`eve: ${END}$`));

    // The terminal: no byte but the client's own sequences, and nothing of what those sequences would do.
    // They come into the file by a program of their own, later than to the screen.
    const bytes = await terminal.folder.holds(
      "bytes",
      (text) => text.replace(TOLD, "").includes(END) && text.includes(TOLD_END),
    );
    const texts = bytes.replace(TOLD, "\n$1\n").replace(OWN, "\n");
    assertHarmless(texts.split("\n"), "terminal");
    const state = "#{pane_title} #{alternate_on} #{buffer_name}";
    assertMatch(
      await terminal.tmux("display", "-p", state),
      /^\(\d+\) 127\.0\.0\.1:\d+ – ana 0 \n$/,
    );
    await terminal.key("C-u");
    await terminal.line("/save saved");
    await terminal.sees((rows) => rows.at(-2)?.startsWith("Saved ") === true);

    const saved = (await Deno.readTextFile(terminal.folder.file("saved")))
      .split("\n");
    const log = (await Deno.readTextFile(folder.file("chat.log"))).split("\n");
    assertHarmless(saved, "saved file");
    assertHarmless(log, "log");
    assertHarmless(plain.stdout, "plain");
    assertHarmless(json.stdout, "JSON");
    for (const [text, shown] of ATTACKS) {
      const rows = saved.filter((row) => row.endsWith(` ${shown}`));
      // Said, acted, answered, and away.
      assertEquals(rows.length, 4, JSON.stringify(shown));
      const lines = plain.stdout.filter((line) => line.endsWith(` ${shown}`));
      assertEquals(lines.length, 3, JSON.stringify(shown));
      assertEquals(json.texts.filter((it) => it === text).length, 1);
    }
    const entries = (await server.log()).filter(({ what }) => what === "said");
    const sent = ATTACKS.map(([text]) => text);
    assertEquals(entries.map(({ text }) => text), ["line three", ...sent, END]);
  },
);

Deno.test("client can't go by a name that attacks, or that looks like another's", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using eve = await JsonClient.join({ invite, name: "eve" });
  for (const [at, name] of NAMES.entries()) {
    await eve.type(JSON.stringify({ type: "rename", name }));
    await eve.until(
      JSON.stringify(name),
      () =>
        eve.shown.filter(({ type }) =>
          type === "error" || type === "refused"
        )[at],
    );
  }
  await eve.type("still eve");
  await ana.shows("said", { name: "eve", text: "still eve" });
  assertEquals(ana.all("renamed"), []);
});
