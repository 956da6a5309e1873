/**
 * What a command that runs in the test's own process prints.
 *
 * @module
 */

import { replaced } from "./replaced.ts";

/** What was printed. */
export interface Printed<T> {
  /** On standard output. */
  readonly stdout: string;
  /** On standard error. */
  readonly stderr: string;
  /** What the command returned. */
  readonly result: T;
}

/**
 * Runs a command, and takes what it prints.
 * @param isTerminal What standard output says it is. @throws what the command throws.
 */
export async function printed<T>(
  command: () => Promise<T> | T,
  isTerminal = false,
): Promise<Printed<T>> {
  const { stdout, stderr } = Deno;
  const texts = { stdout: "", stderr: "" };
  const taking = (name: keyof typeof texts) => {
    const decoder = new TextDecoder();
    return (bytes: Uint8Array) => {
      texts[name] += decoder.decode(bytes, { stream: true });
      return bytes.length;
    };
  };
  using _stdout = replaced(stdout, "writeSync", taking("stdout"));
  using _stderr = replaced(stderr, "writeSync", taking("stderr"));
  using _terminal = replaced(stdout, "isTerminal", () => isTerminal);
  const result = await command();
  return { ...texts, result };
}
