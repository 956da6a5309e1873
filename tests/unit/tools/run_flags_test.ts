/**
 * How programs are started without `deno task`: with the same permissions.
 *
 * @module
 */

import {
  standaloneRun,
  taskRun,
  USER_TASKS,
} from "../../../tools/run_flags.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { run } from "../../kit/command.ts";

const root = new URL("../../../", import.meta.url);

/** What a program is asked for: each kind of permission, and some single ones that tasks give, or don't. */
const ASKED: readonly Deno.PermissionDescriptor[] = [
  ...(["net", "read", "write", "run", "env", "sys", "ffi", "import"] as const)
    .map((name) => ({ name })),
  ...["HOME", "INIT_CWD", "TERM", "PATH", "LD_PRELOAD"].map((variable) => ({
    name: "env" as const,
    variable,
  })),
  ...(["networkInterfaces", "hostname", "osRelease"] as const).map((kind) => ({
    name: "sys" as const,
    kind,
  })),
];

for (const task of USER_TASKS) {
  Deno.test(`standaloneRun() gives "${task}" what its task gives it, and nothing else`, async () => {
    await using folder = await Folder.make();
    const probe = await folder.write(
      "probe.mjs",
      `console.log(JSON.stringify(${
        JSON.stringify(ASKED)
      }.map((it) => Deno.permissions.querySync(it).state)));
       console.log(typeof gc, Worker.length);`,
    );
    const start = (flags: readonly string[]) =>
      run(Deno.execPath(), "run", ...flags, probe);
    const config = ["--config", new URL("deno.json", root).pathname];
    assertEquals(
      await start(["--no-config", ...standaloneRun(task).flags]),
      await start([...config, ...taskRun(task).flags]),
    );
    const { file, args } = standaloneRun(task);
    assertEquals(
      [file, ...args],
      {
        server: ["server.ts"],
        client: ["client.ts"],
        invite: ["server.ts", "invite"],
        log: ["server.ts", "log"],
      }[task],
    );
  });
}
