/**
 * What the client says when somebody runs it for the first time.
 *
 * @module
 */

/** Whether nobody has joined from here so far. @param folder Where identities are. */
export async function isFirstRun(folder: string): Promise<boolean> {
  try {
    for await (const _entry of Deno.readDir(folder)) return false;
    return true;
  } catch {
    return true; // it isn't there; what else is wrong with it shows when an identity is made
  }
}

/** Three lines. @param folder Where identities are. @param home The person's folder, shown as `~`. */
export function firstRun(folder: string, home: string | undefined): string {
  const start = `${home}/`;
  const shown = folder.startsWith(start)
    ? `~/${folder.slice(start.length)}`
    : folder;
  return [
    "Welcome. Enter sends what you typed to everybody in the room, encrypted.",
    `Your name stays yours; its key is in ${shown}`,
    "Tab completes, arrow keys recall, /help lists the commands.",
  ].join("\n");
}
