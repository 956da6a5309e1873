/**
 * Chooses what stands between a session and the client's user: a terminal with the person's settings and history,
 * plain lines, or JSON. Only what is chosen is loaded.
 *
 * @module
 */

import type { Values } from "./flags.ts";
import type { Frontend } from "./frontend.ts";

/** Whether a person reads and types at a terminal. */
export function isAtTerminal({ json }: Values): boolean {
  return !json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/**
 * The front end for the flags, and for where the program runs.
 * @param folder Where a person's settings, and what was typed, are kept; undefined: nowhere.
 */
export async function openFrontend(
  values: Values,
  folder: string | undefined,
): Promise<Frontend> {
  if (isAtTerminal(values)) {
    const { personFrontend } = await import("./terminal/person_frontend.ts");
    return await personFrontend(values, folder);
  }
  const { jsonFrontend, plainFrontend } = await import(
    "./pipe/pipe_frontends.ts"
  );
  return values.json ? jsonFrontend() : plainFrontend();
}
