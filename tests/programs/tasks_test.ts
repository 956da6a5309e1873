/**
 * The tasks that a newcomer runs beside the programs: the demonstration and the single executables.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { runToEnd } from "../kit/command.ts";

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

Deno.test("the demonstration shows both sides, the network and the log", async () => {
  const { code, output, errors } = await runTask("demo");
  assertEquals(code, 0, errors);
  const count = (text: string) => output.split(text).length - 1;
  assertEquals(count("Priyanka: hello Abhii"), 3); // at both clients, and in the log
  assertEquals(count("Abhii: then let's talk"), 3);
  assertStringIncludes(
    output,
    "Of 8 names and messages, 0 can be read there.",
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
const reason = compiled.code === 0
  ? ""
  : ` (ignored: ${
    /error (sending|writing).*/i.exec(compiled.errors)?.[0] ?? "no reason"
  })`;

Deno.test({
  name: `the single executables hold a conversation${reason}`,
  ignore: compiled.code !== 0,
  async fn() {
    const suffix = Deno.build.os === "windows" ? ".exe" : "";
    const run = (program: string, args: string[]) =>
      new Deno.Command(`${folder}/${program}${suffix}`, {
        args,
        cwd: folder,
        env: { HOME: folder, XDG_CONFIG_HOME: folder, APPDATA: folder },
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
    await using server = run("chat-server", [
      "--host",
      "127.0.0.1",
      "--port=0",
    ]);
    await server.stdin.close();
    const lines = server.stdout.pipeThrough(new TextDecoderStream());
    let greeting = "";
    for await (const piece of lines.values({ preventCancel: true })) {
      greeting += piece;
      if (greeting.includes("Ctrl-C")) break;
    }
    assertStringIncludes(greeting, "./chat-client 'chat://127.0.0.1:");

    await using client = run("chat-client", ["--name", "binary"]);
    const typing = client.stdin.getWriter();
    await typing.write(new TextEncoder().encode("compiled\n"));
    await typing.close();
    assertEquals((await client.output()).code, 0);
    server.kill("SIGTERM");
    await lines.cancel();
    assertEquals((await server.status).code, 0);
    const log = await Deno.readTextFile(`${folder}/chat.log`);
    assertStringIncludes(log, " | binary: compiled\n");
  },
});
