/**
 * What the client says when somebody runs it for the first time.
 *
 * @module
 */

/** Three lines. @param path The file of the key that was made. @param home The person's folder, shown as `~`. */
export function firstRun(path: string, home: string | undefined): string {
  const start = `${home}/`;
  const shown = path.startsWith(start) ? `~/${path.slice(start.length)}` : path;
  return [
    "Welcome. What you type goes to everybody in the room, encrypted, on Enter.",
    `A key, by which others know you, was made: ${shown}`,
    "Tab completes, the arrows bring back what you typed, /help tells the rest.",
  ].join("\n");
}
