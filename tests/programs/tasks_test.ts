/**
 * The tasks that a newcomer runs beside the programs: the demonstration and the single executables.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { width } from "../../src/client/terminal/cells.ts";
import {
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../kit/assert.ts";
import { runToEnd } from "../kit/command.ts";
import { knockOften } from "../kit/knocks.ts";
import { testUnless } from "../kit/system.ts";

const root = new URL("../..", import.meta.url).pathname;

/** Runs a task's command as deno.json has it, with further arguments; what it wrote, and its exit code. */
async function runTask(
  task: keyof typeof config.tasks,
  ...further: string[]
): Promise<{ code: number; output: string; errors: string }> {
  const [, ...args] = config.tasks[task].command.split(" ");
  const words = [Deno.execPath(), ...args, ...further];
  const env = { NO_COLOR: "1" };
  const { code, stdout, stderr } = await runToEnd(words, { cwd: root, env });
  return { code, output: stdout, errors: stderr };
}

/** What the demonstration's people say. */
const SAID = [
  ["Priyanka", "hello Abhii, what do you know about ciphers?", "Abhii"],
  ["Abhii", "everything, but how can I tell you here?", "Priyanka"],
  ["Priyanka", "नमस्ते: nobody else can read this 🔐", "Abhii"],
  ["Abhii", "then let's talk", "Priyanka"],
] as const;

Deno.test("the demonstration shows both sides, the network and the log, in 80 columns", async () => {
  const { code, output, errors } = await runTask("demo");
  assertEquals(code, 0, errors);
  assertEquals(output.split("\n").filter((line) => width(line) > 80), []);
  const flowing = output.replaceAll("\n    ", " "); // what was broken is whole again
  for (const [from, text, to] of SAID) {
    const [typed, crossed, read] = [
      `^${from} types +${RegExp.escape(text)}\\n`,
      String.raw`  on the network (?:[0-9a-f]{2} ){16}… \(\d+ bytes\)\n`,
      `${to} reads +${RegExp.escape(`${from}: ${text}`)}\\n`,
    ];
    assertMatch(output, new RegExp(typed + crossed + read, "m"));
    const logged = RegExp.escape(`${from}: ${text}`);
    assertMatch(flowing, new RegExp(`^[\\d-]+T\\S+Z \\S+ \\| ${logged}$`, "m"));
  }
  assertStringIncludes(
    output,
    "Of the 8 names and messages, 0 can be read there.",
  );
});

testUnless(
  Deno.build.os === "windows" ? "no shell here" : undefined,
  "tasks end quietly where the reader of their output has enough",
  async () => {
    for (const [task, arg] of [["demo"], ["compile", "--help"]] as const) {
      const [, ...args] = config.tasks[task].command.split(" ");
      const { stdout, stderr } = await runToEnd([
        "bash",
        "-c",
        'exec 3> >(exec true); wait $!; "$@" >&3; echo "code $?"',
        "bash",
        Deno.execPath(),
        ...args,
        ...(arg === undefined ? [] : [arg]),
      ], { cwd: root, env: { NO_COLOR: "1" } });
      assertEquals([stdout, stderr], ["code 0\n", ""], task);
    }
  },
);

Deno.test("the demonstration of three servers kills one, and counts that nothing is lost, in 80 columns", async () => {
  const { code, output, errors } = await runTask("demo:cluster");
  assertEquals(code, 0, errors);
  assertEquals(output.split("\n").filter((line) => width(line) > 80), []);
  assertMatch(output, /^kill -9 of server \d, when Priyanka had read \d+ of /m);
  assertMatch(output, /^Abhii came back by itself, to server \d, after /m);
  for (const name of ["Priyanka", "Abhii", "Meera"]) {
    const counted = /^ read +6000 lines: 0 lost, 0 twice, 0 out of order$/m;
    assertMatch(output, new RegExp(`^${name}${counted.source.slice(1)}`, "m"));
  }
  assertMatch(
    output.replaceAll("\n    ", " "),
    /^Server \d was started again, .* the same \d+ lines, byte for byte\.$/m,
  );
});

Deno.test("the compile task refuses a target that Deno doesn't have", async () => {
  const { code, errors } = await runTask("compile", "--target", "vax");
  assertEquals(code, 2);
  assertStringIncludes(errors, `Cannot use --target "vax"`);
});

// `deno compile` embeds a runtime that it downloads from Deno's own site, which not every machine reaches.
const folder = await Deno.makeTempDir({ prefix: "chat-compile-" });
globalThis.addEventListener("unload", () => {
  Deno.removeSync(folder, { recursive: true });
});
const compiled = await runTask("compile", "--output", folder);
const suffix = Deno.build.os === "windows" ? ".exe" : "";
const reason = compiled.code === 0
  ? ""
  : ` (ignored: ${
    /error (sending|writing).*/i.exec(compiled.errors)?.[0] ?? "no reason"
  })`;

Deno.test({
  name:
    `the single executables hold a conversation, and the server has the page, its worker and its flags in it${reason}`,
  ignore: compiled.code !== 0,
  async fn() {
    const names = ["chat-server", "chat-client"];
    const made = names.map((name) => `Made ${folder}/${name}${suffix}\n`);
    assertEquals(compiled.output, made.join("")); // and nothing else
    assertEquals(compiled.errors, "");
    const run = (program: string, args: string[]) =>
      new Deno.Command(`${folder}/${program}${suffix}`, {
        args,
        cwd: folder,
        env: { HOME: folder, XDG_CONFIG_HOME: folder, APPDATA: folder },
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
    await using server = run("chat-server", [
      "--host",
      "127.0.0.1",
      "--port=0",
      "--web=0",
      "--log-level=debug",
    ]);
    await server.stdin.close();
    const saying = new Response(server.stderr).text();
    const lines = server.stdout.pipeThrough(new TextDecoderStream());
    let greeting = "";
    for await (const piece of lines.values({ preventCancel: true })) {
      greeting += piece;
      if (greeting.includes("Ctrl-C")) break;
    }
    assertStringIncludes(
      greeting,
      "To join on this machine:   ./chat-client\n",
    );

    const [, place] = /for browsers on (\S+),/.exec(greeting) ?? [];
    const answer = await fetch(`http://${place}/`);
    const page = new URL("../../dist/chat.html", import.meta.url);
    assertEquals(await answer.text(), await Deno.readTextFile(page));

    await using client = run("chat-client", ["--name", "binary"]);
    const typing = client.stdin.getWriter();
    await typing.write(new TextEncoder().encode("compiled\n"));
    await typing.close();
    assertEquals((await client.output()).code, 0);

    const port = Number(/^Listening on \S+:(\d+),/m.exec(greeting)?.[1]);
    await knockOften(port);
    server.kill("SIGTERM");
    await lines.cancel();
    assertEquals((await server.status).code, 0);
    const log = await Deno.readTextFile(`${folder}/chat.log`);
    assertStringIncludes(log, " | binary: compiled\n");
    const said = await saying;
    assertStringIncludes(said, "Garbage is collected"); // V8 was given its flags
    const hasWorker = said.includes("A worker shakes hands");
    assertEquals(hasWorker, navigator.hardwareConcurrency > 1);
  },
});
