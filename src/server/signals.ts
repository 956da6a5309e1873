/**
 * What the system tells a server that runs: stop, reopen the log, Ctrl-Z.
 *
 * @module
 */

import { reasonOf } from "../base/error_reason.ts";
import { mayStop } from "../base/program.ts";
import type { ChatLog } from "../log/chat_log.ts";
import { diagnostics } from "./diagnostics.ts";

const logger = diagnostics("server");

/** Aborts at the first SIGINT or SIGTERM. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  return stopping.signal;
}

/** Resolves when a signal aborts, or has. */
export function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve());
  return promise;
}

/** Reopens the log at SIGHUP, so that a tool that rotates logs can move it away. */
export function reopenAtHangup(log: ChatLog): void {
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGHUP", () => {
    log.reopen().catch((error) => {
      logger.error("{why}", { why: reasonOf(error) });
    });
  });
}

/** Answers Ctrl-Z where stopping would only make the whole room wait. */
export function answerCtrlZ(): void {
  if (Deno.build.os === "windows" || mayStop()) return;
  let answered = false; // the task passes the signal on, so that it comes twice
  Deno.addSignalListener("SIGTSTP", () => {
    if (answered) return;
    answered = true;
    logger.warn(
      "Ctrl-Z cannot stop a server that deno task runs, only a compiled one",
    );
  });
}
