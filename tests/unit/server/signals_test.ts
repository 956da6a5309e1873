/**
 * What the system tells a server that runs, by listeners of the test's own.
 *
 * @module
 */

import { notStopped } from "../../../src/base/program.ts";
import {
  aborted,
  answerCtrlZ,
  reopenAtHangup,
  stopSignal,
} from "../../../src/server/signals.ts";
import { assert, assertEquals } from "../../kit/assert.ts";
import { withMethod } from "../../kit/log_kit.ts";
import { overhear } from "../../kit/overhear.ts";
import { replaced } from "../../kit/replaced.ts";

type Listener = () => unknown;

/** Does something while signals come from the test, with or without a terminal. */
async function withSignals(
  terminals: readonly [stdin: boolean, stdout: boolean],
  body: (listeners: Map<string, Listener>) => unknown,
): Promise<void> {
  const listeners = new Map<string, Listener>();
  const listen = (signal: Deno.Signal, listener: Listener) =>
    void listeners.set(signal, listener);
  const [stdin, stdout] = terminals;
  using _stdin = replaced(Deno.stdin, "isTerminal", () => stdin);
  using _stdout = replaced(Deno.stdout, "isTerminal", () => stdout);
  using _listen = replaced(Deno, "addSignalListener", listen);
  await body(listeners);
}

const NONE = [false, false] as const;

Deno.test("stopSignal() aborts at the first signal that stops a server, and says once which", async () => {
  for (const name of ["SIGINT", "SIGTERM"]) {
    await withSignals(NONE, async (listeners) => {
      const heard = await overhear("info", async () => {
        const signal = stopSignal();
        let isOver = false;
        const over = aborted(signal).then(() => isOver = true);
        await Promise.resolve();
        assertEquals([signal.aborted, isOver], [false, false]);
        listeners.get(name)?.();
        await over;
        assert(signal.aborted);
        for (const listener of listeners.values()) listener();
        await aborted(signal); // which is long since so
      });
      assertEquals(heard, [`info server: Stopping at ${name}`]);
    });
  }
});

Deno.test("a hangup stops a server at a terminal, and has the log opened again without one", async () => {
  const opened: string[] = [];
  const reopen = () => {
    opened.push("again");
    return opened.length < 3
      ? Promise.resolve()
      : Promise.reject(new Error("no"));
  };
  for (const terminals of [[true, false], [false, true]] as const) {
    await withSignals(terminals, async (listeners) => {
      await overhear("off", () => {
        const signal = stopSignal();
        reopenAtHangup("chat.log", reopen);
        listeners.get("SIGHUP")?.();
        assert(signal.aborted);
      });
    });
  }
  assertEquals(opened, []);
  await withSignals(NONE, async (listeners) => {
    const heard = await overhear("info", async () => {
      const signal = stopSignal();
      assert(!listeners.has("SIGHUP"));
      reopenAtHangup("chat.log", reopen);
      for (let time = 0; time < 3; time++) await listeners.get("SIGHUP")?.();
      assert(!signal.aborted);
    });
    assertEquals(heard, [
      "info server: Opened chat.log again at SIGHUP",
      "info server: Opened chat.log again at SIGHUP",
      "error server: Cannot do what SIGHUP asks for: no",
    ]);
  });
});

Deno.test("Ctrl-Z is answered once where deno task runs the server, and stops it elsewhere", async () => {
  const get = (value: string | undefined) => () => () => value;
  for (const started of [undefined, "/home/ana"]) {
    await withSignals(
      NONE,
      (listeners) =>
        withMethod(Deno.env, "get", get(started), async () => {
          const heard = await overhear("info", () => {
            answerCtrlZ();
            listeners.get("SIGTSTP")?.();
            listeners.get("SIGTSTP")?.();
          });
          assertEquals(
            heard,
            started === undefined
              ? []
              : [`warning server: ${notStopped("server")}`],
          );
          assertEquals(listeners.size, heard.length);
        }),
    );
  }
});
