/**
 * How the server program starts, and how it doesn't: what it leaves behind, what it waits for, where it prints, which
 * files it can do without writing.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { output, run, runToEnd } from "../kit/command.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { anotherRoom } from "../../src/server/own_commands.ts";
import { invite } from "../kit/invites.ts";
import { programCommand, shellCommand } from "../kit/program.ts";
import { Terminal, terminalTest } from "../kit/pty.ts";
import { runServer, Server } from "../kit/server.ts";
import { testUnless } from "../kit/system.ts";

const windows = Deno.build.os === "windows" ? "a shell of Unix" : undefined;
const LOCAL = ["--host", "127.0.0.1", "--port", "0"];

/** Runs the server's program in a shell, which has its words as "$@". */
async function inShell(script: string, folder: Folder, args: string[]) {
  const { words, env } = await programCommand("server", {
    args,
    cwd: folder.path,
    home: folder.path,
  });
  const shell = ["bash", "-c", script, "bash", ...words];
  return await runToEnd(shell, { cwd: folder.path, env });
}

// ── Output ─────────────────────────────────────────────────────────────────────────────────────────────

/** Where output goes, and what the server says of it. */
const SINKS: readonly (readonly [string, string])[] = [
  ['"$@" >/dev/full', "the disk is full"],
  ['exec 3> >(exec true); wait $!; exec "$@" >&3', "nobody reads it"],
];

testUnless(
  windows,
  "server's commands say in one sentence that their output can't be written, exit with 1, and undo what nobody was told of; those that only show something end quietly where their reader has enough",
  async () => {
    await using folder = await Folder.make();
    await using server = await Server.open(folder);
    await using empty = await Folder.make();
    await using other = await Folder.make();
    for (const name of ["chat.key", "chat.people"]) {
      await Deno.copyFile(folder.file(name), other.file(name));
    }
    const before = await Deno.readTextFile(other.file("chat.people"));
    const commands: [Folder, string[]][] = [
      [empty, LOCAL],
      [empty, ["--check", ...LOCAL]],
      [other, LOCAL],
      [other, ["--link"]],
      [other, ["invite", "for nobody"]],
      [other, ["invite", "--code"]],
    ];
    const looking: [Folder, string[]][] = [
      [empty, ["--help"]],
      [empty, ["--version"]],
      [empty, ["log", "--help"]],
      [other, ["invite", "--help"]],
      [other, ["invite", "list"]],
    ];
    for (const [script, why] of SINKS) {
      const isUnread = why === "nobody reads it";
      for (const [where, args] of isUnread ? looking : []) {
        const { code, stderr } = await inShell(script, where, args);
        assertEquals([code, stderr], [0, ""], args.join(" "));
      }
      for (
        const [where, args] of isUnread ? commands : [...commands, ...looking]
      ) {
        const { code, stderr } = await inShell(script, where, args);
        assertEquals(stderr, `Cannot write to standard output: ${why}.\n`);
        assertEquals(code, 1, args.join(" "));
      }
    }
    assertEquals(await empty.names(), []);
    assertEquals(await other.names(), ["chat.key", "chat.people"]);
    assertEquals(await invite(other, "list"), "No invite is open.");
    assertStringIncludes(
      await Deno.readTextFile(other.file("chat.people")),
      before,
    );
    await using ana = await JsonClient.join({
      invite: server.invite,
      name: "ana",
    });
    assertEquals(ana.entrances.length, 1);
  },
);

for (
  const [what, redirection] of [
    ["is on a full disk", "2>/dev/full"],
    ["is closed", "2> >(exec true)"],
  ]
) {
  testUnless(
    windows,
    `server goes on though its standard error ${what}, and stops as ever`,
    async () => {
      await using folder = await Folder.make();
      await using server = await Server.open(folder, {
        prefix: ["bash", "-c", `exec "$@" ${redirection}`, "bash"],
        args: ["--log-level", "debug"],
      });
      const { invite } = server;
      for (const name of ["ana", "ben", "eve"]) {
        await using client = await JsonClient.join({ invite, name });
        await client.type("hello");
        await client.shows("said", { text: "hello" });
      }
      server.kill("SIGTERM");
      assertEquals(await server.finished(), 0);
      assertEquals(server.stderr, []);
    },
  );
}

testUnless(
  windows,
  "server that can't start says why though nobody can read it, by its exit code alone",
  async () => {
    await using folder = await Folder.make();
    const script = 'exec "$@" 2>/dev/full';
    const args = [...LOCAL, "--motd", "missing"];
    assertEquals((await inShell(script, folder, args)).code, 1);
    assertEquals((await inShell(script, folder, ["--prot"])).code, 2);
  },
);

// ── What a start leaves behind ─────────────────────────────────────────────────────────────────────────

Deno.test("server that can't start leaves its folder as it was", async () => {
  await using other = await Folder.make();
  await using running = await Server.open(other);
  const taken = String(running.port);
  const damaged = '{"kind":"room","topic":"","slow":0,"sum":"000000000000"}\n';
  const cases: [string[], Record<string, string>][] = [
    [["--port", taken], {}],
    [["--host", "192.0.2.1"], {}], // for documentation only, RFC 5737
    [["--metrics", `127.0.0.1:${taken}`], {}],
    [["--motd", "missing"], {}],
    [["--operator", "k3df-9q2m-x7ta-41cz"], {}],
    [["--operator", "nobody"], { "chat.people": "" }],
    [[], { "chat.people": damaged }],
    [[], { "chat.key": "{}" }],
    [["--key-file", "missing/chat.key"], {}],
    [["--people", "missing/chat.people"], {}],
    [["--log", "missing/chat.log"], {}],
    [[], { "chat.log": "x".repeat(100_000) }],
  ];
  for (const [args, files] of cases) {
    await using folder = await Folder.make();
    for (const [name, text] of Object.entries(files)) {
      await folder.write(name, text);
    }
    const words = ["--host", "--port"].flatMap((flag, at) =>
      args.includes(flag) ? [] : [flag, at === 0 ? "127.0.0.1" : "0"]
    );
    const { code, stdout, stderr } = await runServer(folder, [
      ...words,
      ...args,
    ]);
    const shown = `${args.join(" ")} ${Object.keys(files)}`;
    assertEquals(code, 1, `${shown}\n${stderr.join("\n")}`);
    assertEquals(stdout, [], shown);
    assertEquals(await folder.names(), Object.keys(files), shown);
    for (const [name, text] of Object.entries(files)) {
      assertEquals(await Deno.readTextFile(folder.file(name)), text, shown);
    }
  }
});

Deno.test("server names mistakes in --motd and --operator first, and then the folder's own server on the port", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { pid, port } = server;
  const again = async (...args: string[]) => {
    const { code, stderr } = await runServer(folder, [
      ...["--host", "127.0.0.1", "--port", String(port)],
      ...args,
    ]);
    assertEquals(code, 1);
    return stderr;
  };
  assertEquals(await again("--motd", "missing"), [
    'Cannot read "missing": there is no such file or folder.',
  ]);
  assertEquals(await again("--operator", "k3df-9q2m-x7ta-41cz"), [
    'Nobody of the id "k3df-9q2m-x7ta-41cz" has been in the room.',
    "/who in a client shows the ids.",
  ]);
  for (const more of [[], ["--check"], ["--log", "other.log"]]) {
    assertEquals(await again(...more), [
      `Port ${port} is in use by this folder's own server (process ${pid}).`,
      `It serves already. To start it anew, stop that one first; for another room: ${
        anotherRoom(port + 1, false)
      }`,
    ]);
  }
});

Deno.test("server's advice for another room beside one that runs starts it, and neither has a file of the other", async () => {
  await using folder = await Folder.make();
  await using first = await Server.open(folder);
  const before = await folder.names();
  for (const sealed of [[], ["--sealed"]]) {
    const flags = ["--host", "127.0.0.1", "--port", String(first.port)];
    const { stderr } = await runServer(folder, [...flags, ...sealed]);
    const [, made = "", words = ""] =
      /: mkdir (\w+) && deno task server (.*)$/.exec(stderr.at(-1) ?? "") ?? [];
    await Deno.mkdir(folder.file(made));
    const args = words.replace(/--port \d+ /, "").split(" ");
    {
      await using second = await Server.launch(folder, { args });
      await second.line(/^Ctrl-C stops the server\.$/);
      assertEquals(words.includes("--sealed"), sealed.length > 0);
      // What it says how to get the link gives the link of its own room.
      const said = second.stdout.join("\n");
      const [, how = ""] = /deno task server (--link .*) prints/.exec(said) ??
        [];
      const { stdout: [link = ""] } = await runServer(folder, how.split(" "));
      assertStringIncludes(link, `:${second.port}/#`);
    }
    await Deno.remove(folder.file(made), { recursive: true });
  }
  assertEquals(await folder.names(), before);
});

Deno.test("server says whom --operator has made an operator", async () => {
  await using folder = await Folder.make();
  let id = "";
  {
    await using server = await Server.open(folder);
    const { invite } = server;
    await using ana = await JsonClient.join({ invite, name: "ana" });
    id = ana.entrances[0]?.key ?? "";
  }
  await using server = await Server.open(folder, { args: ["--operator", id] });
  await server.line(
    /info server: ana \([0-9a-z]{4}(-[0-9a-z]{4}){3}\) is an operator$/,
  );
});

// ── What a start waits for ─────────────────────────────────────────────────────────────────────────────

testUnless(
  windows,
  "server looks at what a file is before it opens it, and waits for no pipe",
  async () => {
    const cases: [string, string, string[]][] = [
      ["chat.key", 'Cannot read "chat.key"', []],
      ["chat.people", 'Cannot open "chat.people"', []],
      ["chat.log", 'Cannot open "chat.log"', []],
      ["chat.log.lock", 'Cannot lock "chat.log"', []],
      ["motd", 'Cannot read "motd"', ["--motd", "motd"]],
    ];
    for (const [name, sentence, args] of cases) {
      for (const check of [[], ["--check"]]) {
        await using folder = await Folder.make();
        await run("mkfifo", "-m", "600", folder.file(name));
        const ended = await runServer(folder, [...LOCAL, ...args, ...check]);
        assertEquals(ended.code, 1, name);
        const [said = ""] = ended.stderr;
        const why = "it is a pipe, not an ordinary file.";
        if (check.length === 0) assertEquals(said, `${sentence}: ${why}`);
        else assert(said.endsWith(`: ${why}`), said);
        assertEquals(await folder.names(), [name]);
      }
    }
  },
);

testUnless(
  windows,
  "server ends at once at a signal while it reads a log that takes long",
  async () => {
    for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
      await using folder = await Folder.make();
      await folder.write("chat.log", "");
      await Deno.truncate(folder.file("chat.log"), 2 ** 36); // without a line break, and without taking place
      const watcher = Deno.watchFs(folder.path);
      const server = await Server.launch(folder);
      const lock = () =>
        Deno.readTextFile(folder.file("chat.log.lock")).catch(() => "");
      for await (const _ of watcher) if (await lock() !== "") break;
      server.kill(signal);
      assertEquals(await server.finished(), code);
      assertEquals([...server.stdout, ...server.stderr], []);
      await server[Symbol.asyncDispose]();
    }
  },
);

// ── Terminals ──────────────────────────────────────────────────────────────────────────────────────────

terminalTest(
  "server at a terminal stops at SIGHUP, as when its window is closed",
  async () => {
    await using terminal = await Terminal.open(100);
    const { folder } = terminal;
    await terminal.line(`clear; ${shellCommand("server")} ${LOCAL.join(" ")}`);
    await terminal.ends("Ctrl-C stops the server.");
    const lock = await Deno.readTextFile(folder.file("chat.log.lock"));
    Deno.kill(JSON.parse(lock).pid, "SIGHUP");
    const rows = await terminal.ends("$");
    assertStringIncludes(rows.join("\n"), "info server: Stopping at SIGHUP");
    assertEquals(await Deno.readTextFile(folder.file("chat.log.lock")), "");
  },
);

terminalTest(
  "server that asks for a permission at a terminal ends at Ctrl-C",
  async () => {
    await using terminal = await Terminal.open(100);
    const [deno, run] = shellCommand("server").split(" ");
    const program = new URL("../../server.ts", import.meta.url).pathname;
    const given = "-q --allow-read --allow-env"; // so that what it asks for comes when it has begun
    await terminal.line(`clear; ${deno} ${run} ${given} '${program}'`);
    await terminal.sees((rows) => rows.join("\n").includes("Allow? [y/n/A]"));
    await terminal.key("C-c");
    const rows = await terminal.ends("$");
    assert(!rows.join("\n").includes("Cannot"), rows.join("\n")); // as if "n" had been typed
    assertEquals(await terminal.folder.names(), ["tmux"]);
  },
);

// ── Files that can't be written ────────────────────────────────────────────────────────────────────────

const bindable = await (async () => {
  await using folder = await Folder.make();
  const { path } = folder;
  const mounted = await output("mount", "--bind", path, path) !== undefined;
  if (mounted) await run("umount", path);
  return mounted ? undefined : "needs the right to mount";
})();

/** A folder in which a server has been, and its key file mounted by itself, as containers have it, or read-only. */
async function withMountedKey(
  options: string,
  test: (folder: Folder, key: string[]) => Promise<void>,
): Promise<void> {
  await using folder = await Folder.make();
  {
    await using _first = await Server.open(folder);
  }
  await Deno.mkdir(folder.file("keys"));
  const key = folder.file("keys/chat.key");
  await Deno.copyFile(folder.file("chat.key"), key);
  const what = options === "" ? key : folder.file("keys");
  await run("mount", "--bind", what, what);
  try {
    if (options !== "") await run("mount", "-o", options, what);
    await using own = await Folder.make();
    await test(own, ["--key-file", key]);
  } finally {
    await run("umount", what);
  }
}

for (
  const [what, options, why] of [
    ["mounted by itself", "", "it is in use, or mounted by itself"],
    [
      "in a read-only folder",
      "remount,ro,bind",
      "the file system is read-only",
    ],
  ] as const
) {
  testUnless(
    bindable,
    `server starts with a chat.key ${what}, says what it can't note there, and --check agrees`,
    () =>
      withMountedKey(options, async (folder, key) => {
        const port = freePort();
        const [, path = ""] = key;
        const before = await Deno.readTextFile(path);
        const address = ["--host", "127.0.0.1", "--port", `${port}`];
        const checked = await runServer(folder, [
          "--check",
          ...address,
          ...key,
        ]);
        assertEquals(checked.code, 0, checked.stderr.join());
        assertStringIncludes(checked.stdout.join("\n"), `${path} can be used`);

        await using server = await Server.open(folder, { port, args: key });
        await server.line(
          new RegExp(
            `warning server: Cannot write "${path}": ${why}\\. Clients and invites have the address that stands there, not 127\\.0\\.0\\.1:${port}`,
          ),
        );
        assertEquals(await Deno.readTextFile(path), before);
      }),
  );
}

testUnless(
  bindable,
  "server writes nothing to a chat.key in which nothing changes",
  () =>
    withMountedKey("remount,ro,bind", async (folder, key) => {
      const [, path = ""] = key;
      const { listening } = JSON.parse(await Deno.readTextFile(path));
      const port = Number(listening.split(":").at(-1));
      await using server = await Server.open(folder, { port, args: key });
      server.kill("SIGTERM");
      assertEquals(await server.finished(), 0);
      assertEquals(server.stderr.length, 1, server.transcript); // that it stops
    }),
);

testUnless(
  bindable,
  "server --check says of files that can't be written what a start then says",
  async () => {
    const cases: [string[], string, number][] = [
      [["--people", "disk/chat.people"], "", 1],
      [["--people", "disk/chat.people"], "chat.people", 1],
      [["--log", "disk/chat.log"], "", 1],
      [["--log", "disk/chat.log"], "chat.log", 1],
      [["--log", "disk/chat.log"], "chat.log.lock", 1],
      [["--key-file", "disk/chat.key"], "", 1],
    ];
    for (const [args, name, code] of cases) {
      await using folder = await Folder.make();
      const disk = folder.file("disk");
      await Deno.mkdir(disk);
      if (name !== "") await folder.write(`disk/${name}`, "");
      await run("mount", "--bind", disk, disk);
      try {
        await run("mount", "-o", "remount,ro,bind", disk);
        const shown = `${args.join(" ")} with ${name}`;
        for (const check of [["--check"], []]) {
          const ended = await runServer(folder, [...LOCAL, ...args, ...check]);
          assertEquals(ended.code, code, shown);
          const [said = ""] = ended.stderr;
          assert(said.endsWith(": the file system is read-only."), said);
        }
        assertEquals(await folder.names(), ["disk"], shown);
      } finally {
        await run("umount", disk);
      }
    }
  },
);
