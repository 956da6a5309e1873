/**
 * The client program in a real terminal (tmux), against the real server: what a person sees and types from the
 * first run to the last line. Where there is no tmux these tests are ignored.
 *
 * @module
 */

import { PALETTES } from "../../src/client/terminal/theme.ts";
import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { Terminal, terminalTest, untimed } from "../kit/pty.ts";
import { Stage, typeClient } from "../kit/stage.ts";
import { CUT, type Edit, TcpProxy } from "../kit/proxy.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { JsonClient } from "../kit/client.ts";
import { run } from "../kit/command.ts";
import { typeCommands } from "../kit/typed_commands.ts";

terminalTest(
  "client explains itself on its first run, asks again for a name that is taken, and offers it in the next run",
  async () => {
    await using stage = await Stage.set(80);
    const { terminal } = stage;
    await stage.start("--no-color");
    const first = await terminal.ends("Enter your name:");
    assertEquals(first.length, 4);
    assertMatch(
      first[0] ?? "",
      /^Welcome\. Enter sends what you typed to everybody in the room/,
    );
    assertMatch(first[1] ?? "", / ~\/\.config\/encrypted-chat\/identities$/);
    assertMatch(first[2] ?? "", /\/help/);
    await terminal.line("Ben");
    await terminal.shows(/^The name "Ben" is taken \(ben, [0-9a-z]{4}-/);
    await terminal.line("ana");
    await terminal.prompts("ana (2 here)>");
    await terminal.key("C-d");
    await terminal.ends("$");

    const second = await stage.enter();
    assertMatch(second[0] ?? "", /^Joined /);
    await terminal.line("hello");
    await terminal.key("C-d");
    await terminal.ends("$");

    await stage.start("--no-color");
    await terminal.ends("Enter your name [ana]:");
    await terminal.key("Up"); // nothing of what was said
    await terminal.key("Enter");
    await terminal.prompts("ana (2 here)>");
  },
);

terminalTest(
  "client does every command that is typed, and sends none of them as a message",
  async () => {
    await using stage = await Stage.set(100, 50);
    const { terminal, ben } = stage;
    await stage.enter();
    await typeCommands(terminal, ben, {
      folder: stage.folder,
      first: 3,
      here: "2 here",
      released: "Given up: ana",
      refusal:
        "Only operators may do that: the server's owner names them by --operator ID, and invites by deno",
      awayWords: "lunch",
      goodbye: "see you",
    });
    const spoken = (await stage.server.log()).filter(({ what }) =>
      what === "said"
    );
    assertEquals(spoken.map(({ text }) => text), [
      "hello ana",
      "unread",
      "/slashed",
    ]);
    const saved = await Deno.readTextFile(terminal.folder.file("saved"));
    assert(saved.includes("hello ana") && !saved.includes("unread"));
    const settings = ".config/encrypted-chat/settings";
    const kept = JSON.parse(
      await Deno.readTextFile(terminal.folder.file(settings)),
    );
    assertEquals([kept.bell, kept.times], ["off", "off"]);
  },
);

terminalTest(
  "client completes the numbers of messages and the paths of files on Tab",
  async () => {
    await using stage = await Stage.set(100, 50);
    const { terminal, ben } = stage;
    await terminal.folder.write("a hut.txt", "a hut");
    await stage.enter();
    await ben.type("well?");
    await terminal.shows("3  ben        well?");
    await terminal.type("/re \t");
    await terminal.prompts("ana (2 here)> /re 3");
    await terminal.line("yes");
    await ben.shows("replied", { to: 3, text: "yes" });
    await terminal.type("/send ~/a\t");
    await terminal.prompts("ana (2 here)> /send ~/a hut.txt");
    await terminal.line("");
    const { seq = 0 } = await ben.shows("offered", { name: "ana" });
    await terminal.type("/drop \t");
    await terminal.prompts(`ana (2 here)> /drop ${seq}`);
    await terminal.line("");
    await terminal.shows('No longer offered: "a hut.txt"');
    await terminal.line("/quit");
    await terminal.ends("$");
  },
);

terminalTest(
  "client ignores in later runs whom it ignored, and lists that person by its present name",
  async () => {
    await using stage = await Stage.set(100, 50);
    const { terminal, ben } = stage;
    await stage.enter();
    await terminal.line("/ignore ana");
    await terminal.shows('Cannot ignore "ana": that is you');
    await terminal.line("/ignore ben");
    await terminal.shows("Ignored now, under any name: ben");
    await terminal.line("/quit");
    await ben.shows("left", { name: "ana" });
    await ben.type(JSON.stringify({ type: "rename", name: "benny" }));
    await ben.shows("renamed", { newName: "benny" });
    await terminal.ends("$");

    await stage.enter();
    await ben.type("unread");
    const { seq = 0 } = await ben.shows("said", { text: "unread" });
    await terminal.line("/ignore");
    await terminal.shows(/^Ignored: benny {2}\S{19} {2}was ben$/);
    await terminal.line("/ignore benny");
    await terminal.shows("No longer ignored: benny, who was ben");
    await ben.type("read");
    const rows = await terminal.shows(`${seq + 1}  benny      read`);
    assert(!rows.some((row) => row.includes("unread")));
  },
);

terminalTest(
  "client keeps lines while not connected, says how many wait, and marks what it missed",
  async () => {
    await using stage = await Stage.set(80);
    const { server, terminal, ben } = stage;
    let blocked = false;
    const edit: Edit = ({ bytes }) => blocked ? [CUT] : [bytes];
    await using proxy = new TcpProxy(server.port, edit);
    const link = server.invite.replace(`:${server.port}/`, `:${proxy.port}/`);
    await typeClient(terminal, `'${link}' --name ana --no-color`);
    await terminal.prompts("ana (2 here)>");

    blocked = true;
    proxy.cut();
    await terminal.prompts("ana (not connected");
    await ben.shows("left", { name: "ana" });
    await ben.type("are you there, ana?");
    await ben.shows("said", { text: "are you there, ana?" });
    await terminal.line("see you at six");
    await terminal.line("/me runs");
    await terminal.sees((rows) =>
      /^ana \(not connected,.* 2 waiting\)>$/.test(rows.at(-1) ?? "")
    );
    await terminal.type("half a l");
    blocked = false;
    // It is back before what it sends is.
    await terminal.shows("7  * ana runs");
    const rows = await terminal.prompts("ana (2 here)> half a l");
    await terminal.type("ine");
    await terminal.key("Enter");
    await ben.shows("said", { text: "half a line" });

    const back = rows.findIndex((row) => row.includes("✓ Back."));
    assertMatch(rows[back] ?? "", /✓ Back\. Missed 1 message; sent 2\.$/);
    assertMatch(rows[back + 1] ?? "", /^── new ─+$/);
    assertEquals(untimed(rows.slice(back + 2, -1)), [
      "4  ben        are you there, ana?",
      "6  ana        see you at six",
      "7  * ana runs",
    ]);
    const log = (await server.log()).filter(({ name, n }) =>
      name === "ana" && n > 0
    );
    assertEquals(
      log.filter(({ what }) => what === "said" || what === "acted")
        .map(({ text }) => text),
      ["see you at six", "runs", "half a line"],
    );
  },
);

terminalTest(
  "client gives the terminal back when it is stopped, ended by a signal, or left alone by deno task",
  async () => {
    await using stage = await Stage.set(100);
    const { terminal, ben } = stage;
    const modes = async () => {
      await terminal.line("clear; stty -a | grep -oE -- '-?(icanon|echo) '");
      await terminal.ends("icanon", "echo", "$");
    };
    await stage.enter();
    await terminal.key("C-z");
    await terminal.ends("$");
    await modes();
    await terminal.line("clear; fg");
    await terminal.prompts("ana (2 here)>");
    await terminal.line("still here");
    await ben.shows("said", { text: "still here" });

    for (const signal of ["TERM", "HUP", "QUIT"]) {
      // To whatever has the terminal: the shell's child.
      const [pid = ""] = (await terminal.tmux("display", "-p", "#{pane_pid}"))
        .split("\n");
      const child = Number(await run("pgrep", "-P", pid));
      assert(child > 0);
      const leaves = ben.all("left").length;
      Deno.kill(child, `SIG${signal}` as Deno.Signal);
      await terminal.ends("$");
      await ben.until(
        "the goodbye",
        () => ben.all("left")[leaves],
      );
      assertEquals(ben.all("left")[leaves]?.reason, "left");
      await terminal.line("echo code $?");
      await terminal.ends("code 0", "$");
      await modes();
      await stage.enter("INIT_CWD=/");
    }

    // A task wouldn't stop with its client, and nobody would read the terminal.
    await terminal.key("C-z");
    await terminal.shows(/^Ctrl-Z cannot stop a client/);
    await terminal.line("not stopped");
    await ben.shows("said", { text: "not stopped" });
    await terminal.key("C-c");
    await terminal.ends("Press Ctrl-C again to leave");
    await terminal.key("C-c");
    await terminal.ends("$");
    await modes();
  },
);

terminalTest("client marks where one's name is said", async () => {
  await using stage = await Stage.set(80);
  const { terminal, ben } = stage;
  await stage.start("--name ana");
  await terminal.prompts("ana (2 here)>");
  await ben.type("banana", "Ana, hello");
  await terminal.shows("4  ben        Ana, hello");
  const styled = (await terminal.tmux("capture-pane", "-e", "-p", "-t", "t"))
    .split("\n").filter((row) => /banana|hello/.test(row));
  // deno-lint-ignore no-control-regex -- the style is what this is about
  const isMarked = styled.map((row) => /\x1b\[7mben/.test(row));
  assertEquals(isMarked, [false, true]);
});

terminalTest(
  "client takes its colours by the terminal's background, and the title back when it leaves",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ben = await JsonClient.join({ invite, name: "ben" });
    const grounds = [
      ["#ffffff", "light", "ana"],
      ["#000000", "dark", "cy"],
    ] as const;
    for (const [ground, palette, name] of grounds) {
      await using terminal = await Terminal.open(80);
      const title = async () => {
        const shown = await terminal.tmux("display", "-p", "#{pane_title}");
        return shown.trim();
      };
      const before = await title();
      await terminal.tmux("set", "-w", "window-style", `bg=${ground}`);
      await typeClient(terminal, `'${invite}' --name ${name}`);
      await terminal.prompts(`${name} (2 here)>`);
      await ben.type(`so ${palette}`);
      const rows = await terminal.shows(new RegExp(` so ${palette}$`));
      assertEquals(rows.at(-1), `${name} (2 here)>`);
      assertEquals(await title(), `(1) 127.0.0.1:${server.port} – ${name}`);
      const styled = await terminal.tmux("capture-pane", "-e", "-p", "-t", "t");
      // deno-lint-ignore no-control-regex -- the style is what this is about
      const [, colour] = /\x1b\[38;5;(\d+)mben/.exec(styled) ?? [];
      const { names } = PALETTES[palette];
      assert(names.some((one) => one === Number(colour)), styled);
      await terminal.key("C-d");
      await terminal.ends("$");
      assertEquals(await title(), before);
    }
  },
);
