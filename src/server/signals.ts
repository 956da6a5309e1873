/**
 * What the system tells a server that runs: stop, reopen the log, Ctrl-Z.
 *
 * @module
 */

import { reasonOf } from "../base/error_reason.ts";
import { mayStop, notStopped } from "../base/program.ts";
import { diagnostics } from "./diagnostics.ts";

const logger = diagnostics("server");

/** Whether somebody sits before the server: then a hangup says that its terminal is gone, and stops it. */
function isAtTerminal(): boolean {
  return Deno.stdin.isTerminal() || Deno.stdout.isTerminal();
}

/**
 * Aborts at the first signal that stops a server, and says which. To be called when the server is there: before, the
 * system ends the process by itself, also while the runtime waits for something and would hear of no signal.
 */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stopAt = (signal: Deno.Signal) =>
    Deno.addSignalListener(signal, () => {
      if (stopping.signal.aborted) return; // deno task passes it on as well, so that it comes twice
      logger.info("Stopping at {signal}", { signal });
      stopping.abort();
    });
  stopAt("SIGINT");
  if (Deno.build.os !== "windows") stopAt("SIGTERM");
  if (Deno.build.os !== "windows" && isAtTerminal()) stopAt("SIGHUP");
  return stopping.signal;
}

/** Resolves when a signal aborts, or has. */
export function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve());
  return promise;
}

/**
 * Opens a file again at SIGHUP, as a tool wants it that has moved it away or made it anew; at a terminal that signal
 * stops the server. @param path What it is called.
 */
export function reopenAtHangup(
  path: string,
  reopen: () => Promise<void>,
): void {
  if (Deno.build.os === "windows" || isAtTerminal()) return;
  Deno.addSignalListener("SIGHUP", async () => {
    try {
      await reopen();
      logger.info("Opened {path} again at SIGHUP", { path });
    } catch (error) {
      logger.error("Cannot do what SIGHUP asks for: {why}", {
        why: reasonOf(error),
      });
    }
  });
}

/** Answers Ctrl-Z where stopping would only make the whole room wait. */
export function answerCtrlZ(): void {
  if (Deno.build.os === "windows" || mayStop()) return;
  let answered = false; // the task passes the signal on, so that it comes twice
  Deno.addSignalListener("SIGTSTP", () => {
    if (answered) return;
    answered = true;
    logger.warn("{why}", { why: notStopped("server") });
  });
}
