/**
 * Every command of a client in a terminal, typed, beside somebody on a pipe: the same in open rooms and in sealed ones.
 *
 * @module
 */

import { TERMINAL_COMMANDS } from "../../src/client/terminal/commands.ts";
import { assertEquals } from "./assert.ts";
import type { JsonClient } from "./client.ts";
import type { Folder } from "./folder.ts";
import type { Terminal } from "./pty.ts";

/** What differs between rooms. */
export interface CommandsRoom {
  /** Where the files are that others offer. */
  readonly folder: Folder;
  /** The number of the next line. */
  readonly first: number;
  /** How the prompt counts who is there. */
  readonly here: string;
  /** What is shown to who gives up the name "ana". */
  readonly released: string;
  /** What is shown to who may make no invites. */
  readonly refusal: string;
  /** What others see of the words "lunch" of who goes away. */
  readonly awayWords: string;
  /** What others see of the words "see you" of who leaves. */
  readonly goodbye: string;
}

/** Types every command as ana, who is in and leaves at the end, and waits for what comes of each. */
export async function typeCommands(
  terminal: Terminal,
  ben: JsonClient,
  { folder, first, here, released, refusal, awayWords, goodbye }: CommandsRoom,
): Promise<void> {
  await ben.type("hello ana");
  await terminal.shows(`${first}  ben        hello ana`);
  const typed = new Set<string>();
  const type = async (line: string) => {
    typed.add(line.replace(/ .*/, ""));
    await terminal.line(line);
  };

  await type("/help");
  for (const { help } of TERMINAL_COMMANDS.everybodys) {
    await terminal.sees((rows) => rows.some((row) => row.endsWith(help)));
  }
  await type("/who");
  await terminal.shows(/^ben +([0-9a-z]{4}-){3}[0-9a-z]{4} +since /);
  await type("/me waves");
  await ben.shows("acted", { text: "waves" });
  await terminal.shows(`${first + 1}  * ana waves`);
  await type(`/re ${first} hello ben`);
  await ben.shows("replied", { text: "hello ben", to: first });
  await terminal.shows("↪ ben: hello ana");
  await type("/edit hello, ben");
  await ben.shows("edited", { text: "hello, ben" });
  await terminal.shows(`${first + 2}  ana        hello, ben (edited)`);
  await type(`/react ${first} +1`);
  await ben.shows("reacted", { text: "👍", to: first });
  await terminal.shows(`ana reacts to ${first}: 👍 ("hello ana")`);
  await type("/msg ben psst");
  await ben.shows("private", { text: "psst" });
  await terminal.shows("(private) you to ben: psst");
  await type(`/agree ${first}`);
  await terminal.shows(
    new RegExp(`^History up to line ${first}: (\\d{5} ){7}\\d{5}$`),
  );
  await type("/accept");
  await terminal.shows("There is nothing to accept");
  await type(`/delete ${first + 1}`);
  await ben.shows("deleted", { to: first + 1 });
  await terminal.shows(`ana deletes ${first + 1}`);
  await type("/nick anna");
  await ben.shows("renamed", { newName: "anna" });
  await terminal.prompts(`anna (${here})>`);
  await type("/release");
  await terminal.shows(released);
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
  await terminal.shows(refusal);
  await type("/away");
  await terminal.shows("You are not away");
  await terminal.line("/away lunch");
  await ben.shows("away-message", { name: "anna", text: awayWords });
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
  await type("/quit see you");
  await ben.shows("left", { name: "anna", reason: goodbye });
  await terminal.ends("$");

  const names = TERMINAL_COMMANDS.everybodys.map(({ name }) => name);
  assertEquals([...typed].toSorted(), names.toSorted());
}
