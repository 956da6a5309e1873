/**
 * What a server tells its owner, and what a program prints, in this process.
 *
 * @module
 */

import { reset } from "@logtape/logtape";
import {
  startDiagnostics,
  stopDiagnostics,
} from "../../src/server/diagnostics.ts";
import { printed } from "./printed.ts";
import { replaced } from "./replaced.ts";

/**
 * What is written on standard error while something is done, record by record, without the times.
 * @param level The least important that is written. @param format As for `startDiagnostics`; JSON has its times.
 */
export async function overhear(
  level: string,
  what: () => unknown,
  format = "text",
): Promise<string[]> {
  let text = "";
  const decoder = new TextDecoder();
  const write = (bytes: Uint8Array) => {
    text += decoder.decode(bytes, { stream: true });
    return Promise.resolve(bytes.length);
  };
  using _write = replaced(Deno.stderr, "write", write);
  try {
    await startDiagnostics(level, format);
    await what();
  } finally {
    await stopDiagnostics();
    await reset(); // or what comes later is written in earnest
  }
  const lines = text.split("\n").slice(0, -1);
  return format === "json"
    ? lines
    : lines.map((line) => line.slice(line.indexOf(" ") + 1));
}

/** What is printed while something is done, or complained of. @param output Where. */
export async function writtenTo(
  output: "stdout" | "stderr",
  what: () => unknown,
): Promise<string> {
  return (await printed(what))[output];
}
