/**
 * The client program in a real terminal (tmux) in a sealed room. Where there is no tmux these tests are ignored.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { Folder } from "../kit/folder.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import { Server } from "../kit/server.ts";
import { SealedPrograms } from "../kit/sealed_programs.ts";
import { typeClient } from "../kit/stage.ts";
import { typeCommands } from "../kit/typed_commands.ts";

terminalTest(
  "who opens the founding link at a terminal is asked whether to found the room, and is shown a link for the others as text and as a QR code; who opens it later is told that it is founded",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder, { args: ["--sealed"] });
    await using terminal = await Terminal.open(100, 50);
    const command = `'${server.invite}' --name ana --no-color`;
    await typeClient(terminal, command);
    await terminal.prompts("This room is new. Create it? (yes/no)");
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
    await typeCommands(terminal, ben, {
      folder,
      first: 6,
      here: "sealed, 2 here",
      released: "You have no other name now",
      refusal: "Only keepers of the room may do that: ask one of them",
      awayWords: "away", // words of the server's are shown nowhere
      goodbye: "left",
    });

    assertEquals(ben.texts, ["hello ana", "unread", "/slashed"]);
    const log = await Deno.readTextFile(folder.file("chat.log"));
    assert(!log.includes("hello") && !log.includes("slashed"));
    const saved = await Deno.readTextFile(terminal.folder.file("saved"));
    assert(saved.includes("hello ana") && !saved.includes("unread"));
  },
);
