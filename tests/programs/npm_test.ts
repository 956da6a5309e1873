/**
 * The npm package: built, put into an archive, and installed into an empty folder, as a user's is; then a conversation
 * by its command. Installed once, for all tests.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { within } from "../../src/base/timing.ts";
import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { output, run, runToEnd, succeeds } from "../kit/command.ts";
import { Folder } from "../kit/folder.ts";
import { knockOften } from "../kit/knocks.ts";
import { Program } from "../kit/program.ts";
import { hasTmux, Terminal } from "../kit/pty.ts";
import { testUnless } from "../kit/system.ts";

const root = new URL("../../", import.meta.url);
const NAME = "encrypted-chat";

/** The version of Deno that the package brings along, as npm writes it. */
const [DENO = ""] = /deno@[\d.]+/.exec(
  await Deno.readTextFile(new URL("README.md", root)),
) ?? [];

const obstacle = Deno.build.os === "windows"
  ? "paths and signals of Unix"
  : !await succeeds("npm", "--version").catch(() => false)
  ? "no npm here"
  : !await succeeds("npm", "view", DENO, "version")
  ? `npm cannot fetch ${DENO}`
  : undefined;

/** Where the package is installed, as `npm install ARCHIVE` leaves it. */
const installed = await Deno.makeTempDir({ prefix: "chat-npm-" });
globalThis.addEventListener("unload", () => {
  Deno.removeSync(installed, { recursive: true });
});

/** Builds the package and installs it; once. */
const install = (() => {
  let done: Promise<void> | undefined;
  return () => done ??= installPackage();
})();

async function installPackage(): Promise<void> {
  const [, ...pack] = config.tasks.pack.command.split(" ");
  const built = await runToEnd(
    [Deno.execPath(), ...pack, "--output", `${installed}/built`],
    { cwd: root },
  );
  assertEquals(built.code, 0, built.stderr);
  const made = `Made ${installed}/built, \\d+ kB in \\d+ files\\n`;
  assertMatch(built.stdout, new RegExp(`^${made}$`));
  const words = [
    ["npm", "pack", "--silent", `${installed}/built`],
    ["npm", "install", "--silent", "--no-audit", "--no-fund"],
  ] as const;
  const archive = `${NAME}-${config.version}.tgz`;
  for (const command of [words[0], [...words[1], `./${archive}`]]) {
    const { code, stdout, stderr } = await runToEnd(command, {
      cwd: installed,
    });
    assertEquals(code, 0, `${command.join(" ")}: ${stdout}${stderr}`);
  }
}

/** The command, as npx finds it. */
const COMMAND = `${installed}/node_modules/.bin/${NAME}`;

/** @param home The home folder. What npm does is nothing, though npx may have started these tests. */
function environment(home: string): Record<string, string> {
  return {
    HOME: home,
    XDG_CONFIG_HOME: "",
    NO_COLOR: "1",
    INIT_CWD: "/",
    npm_command: "",
  };
}

/** Runs the command to its end. */
async function command(folder: Folder, ...args: string[]) {
  const { path } = folder;
  const options = { cwd: path, env: environment(path) };
  return await runToEnd([COMMAND, ...args], options);
}

/** How long a program that is told to end may take, ms. */
const END_TIME = 10_000;

/** A command and the program that it has started, which outlives it where it is ended at once. */
class Started extends Program {
  /** Ends both. */
  override async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGTERM");
    await within(END_TIME, this.finished().catch(() => {}));
    const left = await output("pgrep", "-f", `${installed}/.*/programs/`);
    for (const pid of left?.trim().split("\n") ?? []) {
      Deno.kill(Number(pid), "SIGKILL"); // else it would hold the pipes open
    }
    await super[Symbol.asyncDispose]();
  }
}

/** Starts the command. */
function start(folder: Folder, ...args: string[]): Started {
  const { path } = folder;
  const options = { cwd: path, env: environment(path) };
  return new Started([COMMAND, ...args], options);
}

/** Starts a server, and waits until it listens. */
async function startServer(folder: Folder, ...args: string[]) {
  const server = start(
    folder,
    "server",
    "--host=127.0.0.1",
    "--port=0",
    ...args,
  );
  await server.line(/^Ctrl-C stops the server\.$/);
  return server;
}

/** The one process that another has started. */
async function childOf(pid: number): Promise<number> {
  return Number(await run("pgrep", "-P", String(pid)));
}

/** A test of the package as it is installed, with a folder for its programs. */
function npmTest(
  name: string,
  fn: (folder: Folder) => Promise<void>,
  without = obstacle,
) {
  testUnless(without, name, async () => {
    await install();
    await using folder = await Folder.make();
    await fn(folder);
  });
}

npmTest(
  "the npm package has one dependency, its version is deno.json's, and nothing in it was left to its machine",
  async () => {
    const at = `${installed}/node_modules/${NAME}`;
    const { version, dependencies, license, ...others } = JSON.parse(
      await Deno.readTextFile(`${at}/package.json`),
    );
    assertEquals(`deno@${dependencies.deno}`, DENO);
    assertEquals(Object.keys(dependencies).length, 1);
    assertEquals([version, license], [config.version, config.license]);
    assertEquals(others.scripts, undefined);
    const [here = "", cache = ""] = [root.pathname, Deno.env.get("HOME")];
    for (const folder of ["", "programs/"]) {
      for await (const { name, isFile } of Deno.readDir(`${at}/${folder}`)) {
        if (!isFile) continue;
        const text = await Deno.readTextFile(`${at}/${folder}${name}`);
        assert(!text.includes(here) && !text.includes(`${cache}/.`), name);
      }
    }
  },
);

npmTest(
  "the npm package's command tells its version and its commands, also where none is given, and what is wrong in one sentence with the nearest word",
  async (folder) => {
    const version = `encrypted-chat ${config.version}\n`;
    assertEquals(await command(folder, "--version"), {
      code: 0,
      stdout: version,
      stderr: "",
    });
    for (const word of ["server", "client"]) {
      const { code, stdout } = await command(folder, word, "--version");
      assertEquals([code, stdout], [0, version]);
    }
    const help = await command(folder, "--help");
    assertEquals([help.code, help.stderr], [0, ""]);
    for (const word of ["server", "client", "invite", "log"]) {
      assertMatch(help.stdout, new RegExp(`^  ${word} +\\w`, "m"));
    }
    assertEquals(await command(folder), {
      code: 2,
      stdout: "",
      stderr: help.stdout,
    });
    // As npx starts it, and as it is where it was installed for all folders.
    for (const [npm, called] of [["exec", `npx ${NAME}`], ["", NAME]]) {
      const env = { ...environment(folder.path), "npm_command": npm ?? "" };
      const options = { cwd: folder.path, env };
      const help = await runToEnd([COMMAND, "--help"], options);
      assert(help.stdout.startsWith(`Usage: ${called} COMMAND`), help.stdout);
      const words = [COMMAND, "server", "--link"];
      const { stderr } = await runToEnd(words, options);
      assertEquals(
        stderr,
        `There is no chat.key yet.\nStart a server, which makes it: ${called} server\n`,
      );
    }
    const wrong: [string[], string][] = [
      [
        ["sevrer"],
        'Unknown command "sevrer"; did you mean "server"? See --help.',
      ],
      [["constructor"], 'Unknown command "constructor". See --help.'],
      [["chat://a:1/#key"], 'Unknown command "chat://a:1/#…". See --help.'],
      [
        ["server", "--prot", "1"],
        'Unknown flag "--prot"; did you mean "--port"? See --help.',
      ],
      [
        ["client", "--passphrase"],
        "There is no --passphrase any more: a spoken code lets somebody in without a link: encrypted-chat invite --code\nSee --help.",
      ],
    ];
    for (const [args, sentence] of wrong) {
      assertEquals(await command(folder, ...args), {
        code: 2,
        stdout: "",
        stderr: `${sentence}\n`,
      });
    }
    assertEquals(await folder.names(), [".cache"]); // Deno's, in the person's own folder
  },
);

npmTest(
  "the npm package holds a conversation in the folder where one stands, with its page and its worker, and ends as its programs do",
  async (folder) => {
    await using server = await startServer(
      folder,
      "--web=0",
      "--log-level=debug",
    );
    assert(
      server.stdout.includes(
        "To join on this machine:   encrypted-chat client",
      ),
      server.transcript,
    );
    await using ana = start(folder, "client", "--name=ana", "--json");
    await ana.line(/"type":"joined".*"server":/);

    const invite = await command(folder, "invite", "for ben");
    assertEquals([invite.code, invite.stderr], [0, ""]);
    const [link = ""] = invite.stdout.split("\n"); // alone, where no person reads it
    assertMatch(link, /^chat:/);
    await using elsewhere = await Folder.make();
    await using ben = start(elsewhere, "client", link, "--name=ben");
    await ben.type("packed");
    await ana.line(/"text":"packed"/);
    await ben.endInput();
    assertEquals(await ben.finished(), 0, ben.transcript);

    const text = server.stdout.join("\n");
    const [, place] = /for browsers on (\S+),/.exec(text) ?? [];
    const answer = await fetch(`http://${place}/`);
    const page = new URL("dist/chat.html", root);
    assertEquals(await answer.text(), await Deno.readTextFile(page));
    await knockOften(Number(/^Listening on \S+:(\d+),/m.exec(text)?.[1]));

    server.kill("SIGTERM"); // to the command alone
    assertEquals(await server.finished(), 0, server.transcript);
    await ana.line(/"type":"away","reason":"server stopped"/);
    const hasWorker = server.stderr.some((it) =>
      it.includes("A worker shakes")
    );
    assertEquals(hasWorker, navigator.hardwareConcurrency > 1);
    ana.kill("SIGTERM");
    assertEquals(await ana.finished(), 0, ana.transcript);

    const log = await command(folder, "log", "--search", "packed");
    assertEquals([log.code, log.stderr], [0, ""]);
    assertMatch(log.stdout, /ben: packed/);
  },
);

npmTest(
  "the npm package's command ends by the signal, and with the exit code, by which its program ends",
  async (folder) => {
    await using server = await startServer(folder);
    Deno.kill(await childOf(server.pid), "SIGKILL");
    assertEquals(await server.finished(), 128 + 9);
    const refused = await command(folder, "client", "--name=ana");
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertMatch(refused.stderr, /^Cannot join /);
  },
);

npmTest(
  "where npx is told to end, the npm package's server ends with its goodbye",
  async () => {
    const home = `${installed}/by-npx`;
    await Deno.mkdir(home);
    const local = ["--host=127.0.0.1", "--port=0", "--log-level=info"];
    await using npx = new Started(["npx", NAME, "server", ...local], {
      cwd: home,
    });
    await npx.line(/^Ctrl-C stops the server\.$/);
    npx.kill("SIGTERM");
    await npx.line(/Stopping at SIGTERM/);
    assertEquals(await npx.finished(), 128 + 15); // when all have ended that could write
  },
);

npmTest(
  "without Deno the npm package's command says so in one sentence, and exits with 1",
  async (folder) => {
    const script = `${installed}/node_modules/${NAME}/encrypted_chat.js`;
    const copy = await folder.write(
      "encrypted_chat.mjs",
      await Deno.readTextFile(script),
    );
    const { code, stdout, stderr } = await runToEnd(["node", copy, "server"]);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^Cannot start Deno, which [^\n]+\.\n$/);
  },
);

npmTest(
  "at a terminal the npm package's client stops at Ctrl-Z, goes on, is asked once by each Ctrl-C, and gives the terminal back",
  async (folder) => {
    await using server = await startServer(folder);
    const [, where = ""] = await server.line(/^Listening on (\S+),/);
    const { stdout } = await command(folder, "invite", "for ana");
    assertMatch(stdout, new RegExp(RegExp.escape(where)));
    const link = await folder.write("link", stdout.split("\n")[0] ?? "");
    await using terminal = await Terminal.open(80);
    await terminal.line(
      `HOME=${folder.path} ${COMMAND} client --name ana --link ${link}`,
    );
    await terminal.prompts("ana>");
    await terminal.key("C-z");
    await terminal.ends("$");
    await terminal.line("clear; stty -a | grep -oE -- '-?(icanon|echo) '; fg");
    await terminal.shows("icanon");
    await terminal.shows("echo");
    await terminal.prompts("ana>");
    await terminal.key("C-c");
    await terminal.ends("Press Ctrl-C again to leave");
    await terminal.key("C-c");
    await terminal.ends("$");
    await terminal.line(
      "clear; echo code $?; stty -a | grep -oE -- '-?icanon'",
    );
    await terminal.ends("code 0", "icanon", "$");
  },
  hasTmux ? obstacle : "no tmux here",
);
