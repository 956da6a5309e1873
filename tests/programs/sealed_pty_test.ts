/**
 * The client program in a real terminal (tmux) in a sealed room. Where there is no tmux these tests are ignored.
 *
 * @module
 */

import { COMMANDS } from "../../src/client/terminal/commands.ts";
import { assert, assertEquals } from "../kit/assert.ts";
import { Folder } from "../kit/folder.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import { Server } from "../kit/server.ts";
import { SealedPrograms } from "../kit/sealed_programs.ts";
import { typeClient } from "../kit/stage.ts";

terminalTest(
  "who opens the founding link at a terminal is asked whether to found the room, and is shown a link for the others as text and as a QR code; who opens it later is told that it is founded",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { args: ["--sealed"] });
    await using terminal = await Terminal.open(100, 50);
    const command = `'${server.invite}' --name ana --no-color`;
    await typeClient(terminal, command);
    await terminal.prompts("Found this room? (yes/no)");
    await terminal.line("what?");
    await terminal.shows('Cannot take "what?": answer yes or no.');
    await terminal.line("yes");
    await terminal.shows(/^█▀|^█{20}/);
    await terminal.shows(/^ {2}chat:\/\/127\.0\.0\.1:/);
    await terminal.shows(/^You are the only keeper of this room/);
    await terminal.prompts("ana (sealed)>");
    await using other = await Terminal.open(100, 30);
    await typeClient(other, command.replace("ana", "ben"));
    await other.shows("Somebody has founded the room already.");
  },
);

terminalTest(
  "a client of a sealed room does every command that is typed, and says none of them",
  async () => {
    await using folder = await Folder.make();
    await using room = await SealedPrograms.found(folder, "ben");
    await using terminal = await Terminal.open(100, 50);
    const ben = room.keeper;
    await typeClient(terminal, `'${room.link}' --name ana --no-color`);
    await terminal.prompts("ana (sealed, 2 here)>");
    await ben.type("hello ana");
    await terminal.shows("6  ben        hello ana");
    const typed = new Set<string>();
    const type = async (line: string) => {
      typed.add(line.replace(/ .*/, ""));
      await terminal.line(line);
    };

    await type("/help");
    for (const { help } of COMMANDS) {
      await terminal.sees((rows) => rows.some((row) => row.endsWith(help)));
    }
    await type("/who");
    await terminal.shows(/^ben +([0-9a-z]{4}-){3}[0-9a-z]{4} +since /);
    await type("/me waves");
    await ben.shows("acted", { text: "waves" });
    await terminal.shows("7  * ana waves");
    await type("/re 6 hello ben");
    await ben.shows("replied", { text: "hello ben", to: 6 });
    await terminal.shows("↪ ben: hello ana");
    await type("/edit hello, ben");
    await ben.shows("edited", { text: "hello, ben" });
    await terminal.shows("8  ana        hello, ben (edited)");
    await type("/react 6 +1");
    await ben.shows("reacted", { text: "👍", to: 6 });
    await terminal.shows('ana reacts to 6: 👍 ("hello ana")');
    await type("/msg ben psst");
    await ben.shows("private", { text: "psst" });
    await terminal.shows("(private) you to ben: psst");
    await type("/agree 6");
    await terminal.shows(/^History up to line 6: (\d{5} ){7}\d{5}$/);
    await type("/accept");
    await terminal.shows("There is nothing to accept");
    await type("/delete 7");
    await ben.shows("deleted", { to: 7 });
    await terminal.shows("ana deletes 7");
    await type("/nick anna");
    await ben.shows("renamed", { newName: "anna" });
    await terminal.prompts("anna (sealed, 2 here)>");
    await type("/release");
    await terminal.shows("You have no other name now");
    await type("/verify ben");
    await terminal.sees((rows) =>
      rows.filter((row) => /^ {4}(\d{5} ){5}\d{5}$/.test(row)).length === 2 ||
      rows.includes("If they are the same: /verify ben ok")
    );
    await terminal.line("/verify ben ok");
    await terminal.shows("Remembered: ben is who you think");
    await terminal.line("/verify ben");
    await terminal.shows("You have compared them before.");
    await terminal.line("/invite");
    await terminal.shows(
      "Only keepers of the room may do that: ask one of them",
    );
    await type("/away");
    await terminal.shows("You are not away");
    await terminal.line("/away away");
    await ben.shows("away-message", { name: "anna" });
    await type("/history 2");
    await terminal.shows(/^── 2 lines /);
    await type("/search hello ben");
    await terminal.shows(/^── 2 lines with "hello ben" /);
    await type("/ignore ben");
    await terminal.shows("Ignored now, under any name: ben");
    await ben.type("unread");
    await ben.shows("said", { text: "unread" });
    // What comes after it says that it has come.
    await type("/me nods");
    await terminal.shows(/ nods$/);
    await type("/unignore ben");
    await terminal.shows("No longer ignored: ben");
    await type("/bell off");
    await terminal.shows("bell is now off");
    await type("/set times off");
    await terminal.shows("times is now off");
    await type("/save saved");
    await terminal.shows(/^Saved \d+ lines to "saved"$/);
    await type("/send saved");
    const own = await ben.shows("offered", { name: "anna" });
    await type(`/drop ${own.seq}`);
    await terminal.shows('No longer offered: "saved"');
    const path = await folder.write("hut.txt", "a hut");
    await ben.type(JSON.stringify({ type: "send", path }));
    const { seq } = await ben.shows("offered", { name: "ben" });
    const offered = `${seq}  * ben offers hut.txt (5 bytes)`;
    await terminal.shows(`${offered}; /get ${seq} downloads it`);
    await type(`/get ${seq}`);
    await terminal.shows("✓ Saved chat-files/hut.txt; checksum verified");
    await terminal.line("/hlep");
    await terminal.shows(/^Unknown command "\/hlep"\. Did you mean/);
    await type("/clear");
    await terminal.line("//slashed");
    await ben.shows("said", { text: "/slashed" });
    await type("/quit");
    await ben.shows("left", { name: "anna", reason: "left" });
    await terminal.ends("$");

    const names = COMMANDS.map(({ name }) => name);
    assertEquals([...typed].toSorted(), names.toSorted());
    assertEquals(ben.texts, ["hello ana", "unread", "/slashed"]);
    const log = await Deno.readTextFile(folder.file("chat.log"));
    assert(!log.includes("hello") && !log.includes("slashed"));
    const saved = await Deno.readTextFile(terminal.folder.file("saved"));
    assert(saved.includes("hello ana") && !saved.includes("unread"));
  },
);
