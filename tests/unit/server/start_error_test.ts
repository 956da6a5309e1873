/**
 * What keeps a server from starting, and what its owner is told to do.
 *
 * @module
 */

import { AdvisedError } from "../../../src/base/advised_error.ts";
import { parseFlags } from "../../../src/base/flags.ts";
import { OutputError } from "../../../src/base/output.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { LockedError, takeLock } from "../../../src/log/lock.ts";
import { FLAGS, type Values } from "../../../src/server/flags.ts";
import {
  explain,
  explainLock,
  httpError,
  metricsError,
  portError,
  webError,
} from "../../../src/server/start_error.ts";
import {
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { writtenTo } from "../../kit/overhear.ts";

/** The flags of a server with its files in a folder. */
function flagsIn(folder: Folder, ...more: string[]): Values {
  const files = ["log", "key-file", "people"].map((name) =>
    `--${name}=${folder.file(`chat.${name}`)}`
  );
  return parseFlags([...files, ...more], FLAGS, { positionals: 0 }).values;
}

const told = ({ message, advice, cause }: AdvisedError) => ({
  message,
  advice,
  cause,
});

const { AddrInUse, PermissionDenied, AddrNotAvailable } = Deno.errors;

Deno.test("an address where nobody can listen is told with what to do, by the flag that names it", async () => {
  await using folder = await Folder.make();
  const at = (port: number) => ({ host: "10.0.0.1", port });
  const used = new AddrInUse("no");
  const denied = new PermissionDenied("no");
  const other = new AddrNotAvailable("no");
  const flags = {
    "--metrics": metricsError,
    "--web": webError,
    "--http": httpError,
  };
  for (const [flag, errorAt] of Object.entries(flags)) {
    assertEquals(told(errorAt(at(80), used)), {
      message: "Port 80 is in use",
      advice: `Stop what uses it, or choose another: ${flag} 10.0.0.1:81`,
      cause: used,
    });
    assertEquals(told(errorAt(at(80), denied)), {
      message: "Port 80 may not be used by you",
      advice: `Choose one above 1023: ${flag} 10.0.0.1:5000`,
      cause: denied,
    });
    assertEquals(told(errorAt(at(80), other)), {
      message: 'Cannot listen on "10.0.0.1"',
      advice:
        `Give ${flag} an address of this machine, like 0.0.0.0 or 127.0.0.1`,
      cause: other,
    });
  }
  const values = flagsIn(folder, "--host=10.0.0.1", "--port=5000");
  assertEquals(
    (await portError(values, used)).advice,
    "Stop what uses it, or choose another: --port 5001",
  );
  assertEquals(
    (await portError(values, denied)).advice,
    "Choose one above 1023: --port 5000",
  );
  assertEquals(
    (await portError(values, other)).advice,
    "Give --host an address of this machine, like 0.0.0.0 or 127.0.0.1",
  );
});

Deno.test("portError() knows this room's own server, and no other", async () => {
  await using folder = await Folder.make();
  const values = flagsIn(folder, "--port=5000");
  const used = new AddrInUse("no");
  {
    using _lock = await takeLock(values.log, "127.0.0.1:5000", () => {});
    assertEquals(told(await portError(values, used)), {
      message:
        `Port 5000 is in use by the server that uses ${values.log} (process ${Deno.pid})`,
      advice:
        "It serves already. To start it anew, stop that one first; for another room: mkdir room && deno task server --port 5001 --log room/chat.log --key-file room/chat.key --people room/chat.people",
      cause: used,
    });
    const sealed = await portError({ ...values, sealed: true }, used);
    assertStringIncludes(
      sealed.advice,
      "deno task server --sealed --port 5001",
    );
    for (
      const [cause, port] of [[used, 500], [used, 0], [
        new Error("no"),
        5000,
      ]] as const
    ) {
      const { message } = await portError({ ...values, port }, cause);
      assertEquals(message.includes("server that uses"), false, message);
    }
    // In the folder in which it was started, and of no known process.
    const before = Deno.cwd();
    Deno.chdir(folder.path);
    try {
      await Deno.writeTextFile("chat.log.lock", '{"address":":5000"}');
      const own = { ...values, log: "chat.log" };
      const { message } = await portError(own, used);
      assertEquals(message, "Port 5000 is in use by this folder's own server");
    } finally {
      Deno.chdir(before);
    }
  }
  assertEquals((await portError(values, used)).message, "Port 5000 is in use");
});

Deno.test("explainLock() names the server that has a file, as far as it is known, and throws all else as it is", async () => {
  await using folder = await Folder.make();
  const values = flagsIn(folder, "--port=7000");
  const why = (error: unknown) =>
    told(assertThrows(() => explainLock(values, error), AdvisedError));
  const locked = new LockedError("/chat.log", "127.0.0.1:5000", 7);
  assertEquals(why(locked), {
    message: "/chat.log is in use by the server on 127.0.0.1:5000 (process 7)",
    advice:
      "Stop that server; or, for another room: mkdir room && deno task server --port 7000 --log room/chat.log --key-file room/chat.key --people room/chat.people",
    cause: locked,
  });
  assertEquals(
    why(new LockedError("/chat.log")).message,
    "/chat.log is in use by the server on another port",
  );
  const other = new Error("another");
  assertEquals(assertThrows(() => explainLock(values, other)), other);
});

Deno.test("explain() says why, and tells by its code a wrong command from all else; a reader that has enough is no fault of who only looks", async () => {
  const unread = new OutputError(new Deno.errors.BrokenPipe());
  const cases = [
    [new UsageError("Unknown flag"), false, 2, "Unknown flag"],
    [new UsageError("Unknown flag"), true, 2, "Unknown flag"],
    [new AdvisedError("No", "Do this"), false, 1, "No.\nDo this.\n"],
    [
      new OutputError(new Error("full")),
      true,
      1,
      "Cannot write to standard output: full.\n",
    ],
    [unread, false, 1, "Cannot write to standard output: nobody reads it.\n"],
    [unread, true, 0, ""],
    [
      new TypeError("x"),
      false,
      1,
      "The server has a fault and cannot go on: TypeError: x.\n",
    ],
  ] as const;
  for (const [error, isLooking, code, text] of cases) {
    let ended: number | undefined;
    const said = await writtenTo(
      "stderr",
      () => ended = explain(error, isLooking),
    );
    assertEquals([ended, said.slice(0, text.length || 1)], [code, text]);
  }
});
