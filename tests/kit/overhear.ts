/**
 * What a server tells its owner, in this process.
 *
 * @module
 */

import {
  startDiagnostics,
  stopDiagnostics,
} from "../../src/server/diagnostics.ts";

/**
 * What is written on standard error while something is done, record by record, without the times.
 * @param level The least important that is written.
 */
export async function overhear(
  level: string,
  what: () => Promise<unknown>,
): Promise<string[]> {
  let text = "";
  const decoder = new TextDecoder();
  const write = (bytes: Uint8Array) => {
    text += decoder.decode(bytes, { stream: true });
    return Promise.resolve(bytes.length);
  };
  Object.defineProperty(Deno.stderr, "write", {
    value: write,
    configurable: true,
  });
  try {
    await startDiagnostics(level);
    await what();
  } finally {
    await stopDiagnostics();
    Reflect.deleteProperty(Deno.stderr, "write");
  }
  return text.split("\n").slice(0, -1).map((line) =>
    line.slice(line.indexOf(" ") + 1)
  );
}
