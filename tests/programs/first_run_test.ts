/**
 * The first run, as a newcomer has it: nothing is cached, and Deno is the oldest that the programs run on, the one
 * at hand, or one that is too old. Needs the package registry, and is ignored where it can't be reached.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { OLDEST_DENO } from "../../src/base/deno_version.ts";
import { firstRun } from "../../src/client/first_run.ts";
import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { output, runToEnd } from "../kit/command.ts";
import { Folder } from "../kit/folder.ts";
import { hasTmux, Terminal } from "../kit/pty.ts";

const root = new URL("../..", import.meta.url).pathname;
/** Older than the oldest: it can't load what the programs import. */
const TOO_OLD = "2.4.0";
/** The name by which older ones know the certificates that a machine trusts besides the usual ones. */
const CERTIFICATES = Deno.env.get("NODE_EXTRA_CA_CERTS") ?? "";

/** Where the registry's Deno of a version is; undefined if it can't be had. */
async function denoAt(version: string): Promise<string | undefined> {
  const path = "console.log(Deno.execPath())";
  return (await output("npx", "-y", `deno@${version}`, "eval", path))?.trim();
}

const oldest = await denoAt(OLDEST_DENO);
const tooOld = await denoAt(TOO_OLD);
const reason = oldest === undefined || tooOld === undefined
  ? " (ignored: no package registry)"
  : "";

/** Runs a task in a terminal, as somebody who has never run one. */
async function runTask(
  terminal: Terminal,
  deno: string,
  args: string,
): Promise<void> {
  const { folder } = terminal;
  const env = [
    "-u INIT_CWD -u NO_COLOR -u RUST_BACKTRACE",
    `HOME='${folder.path}' XDG_CONFIG_HOME= DENO_DIR='${folder.file("deno")}'`,
    ...(CERTIFICATES === "" ? [] : [`DENO_CERT='${CERTIFICATES}'`]),
  ].join(" ");
  await terminal.line(`cd '${root}'; clear; env ${env} '${deno}' task ${args}`);
}

/** What the screen shows, as it was written: what the terminal broke into rows is whole again. */
async function written(terminal: Terminal): Promise<string> {
  return await terminal.tmux("capture-pane", "-J", "-p", "-t", "t");
}

for (
  const [version, deno] of [[OLDEST_DENO, oldest], [
    "at hand",
    Deno.execPath(),
  ]] as const
) {
  const ignored = !hasTmux ? " (ignored: no tmux here)" : reason;
  Deno.test({
    name:
      `first run shows the programs' own words alone, and they talk (Deno ${version})${ignored}`,
    ignore: ignored !== "",
    async fn() {
      assert(deno !== undefined);
      await using folder = await Folder.make();
      await using terminal = await Terminal.open(80);
      await using other = await Terminal.open(80);
      const files = ["log", "key-file", "people"]
        .map((flag) => `--${flag} '${folder.file(flag)}'`);
      await runTask(
        other,
        deno,
        `server --host 127.0.0.1 --port 0 ${files.join(" ")}`,
      );
      await other.ends("Ctrl-C stops the server.");
      const greeting = await written(other);
      assertMatch(
        greeting,
        /^Task server [^\n]*\nMade a room key: [^\n]*\nListening on /,
      );
      const link = /'(chat:[^']*)'/.exec(greeting)?.[1] ?? greeting;

      await runTask(terminal, deno, `client '${link}'`);
      const welcome = firstRun("~/.config/encrypted-chat/identities", undefined)
        .split("\n");
      await terminal.ends("Enter your name:");
      const [task, ...rest] = (await written(terminal)).trimEnd().split("\n");
      assertMatch(task ?? "", /^Task client deno run /);
      assertEquals(rest, [...welcome, "Enter your name:"]);
      await terminal.line("ana");
      await terminal.ends("ana>");
      await terminal.line("hello");
      await terminal.shows(/\d\d:\d\d .*ana +hello/);
      await terminal.line("/quit");
      await terminal.ends("$");
      await other.key("C-c");
      await other.ends("$");
      assertMatch(
        await Deno.readTextFile(folder.file("log")),
        / \| ana: hello\n/,
      );
    },
  });
}

for (const program of ["client", "server"]) {
  Deno.test({
    name: `${program} says in one sentence that Deno is too old${reason}`,
    ignore: reason !== "",
    async fn() {
      assert(tooOld !== undefined);
      await using folder = await Folder.make();
      const words = [tooOld, "run", "-q", "--no-lock", `${root}${program}.ts`];
      const env = { DENO_DIR: folder.path, DENO_CERT: CERTIFICATES };
      const { code, stdout, stderr } = await runToEnd(words, { env });
      assertEquals([code, stdout], [1, ""]);
      assertEquals(
        stderr,
        `Cannot run on Deno ${TOO_OLD}: it needs ${OLDEST_DENO} or newer. Update it: deno upgrade\n`,
      );
    },
  });
}

Deno.test("every task runs its program quietly, so that no progress bar wipes what it shows", () => {
  const runs = Object.values(config.tasks).map(({ command }) => command)
    .filter((command) => command.startsWith("deno run "));
  assert(runs.length > 0);
  assertEquals(runs.filter((command) => !/^deno run -q /.test(command)), []);
});

Deno.test("README.md names the oldest Deno that the programs run on", async () => {
  const readme = await Deno.readTextFile(`${root}README.md`);
  const named = /Deno (\d+\.\d+) or newer/.exec(readme)?.[1];
  assertEquals(`${named}.0`, OLDEST_DENO);
});
