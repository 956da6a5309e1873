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
    "Welcome. Enter sends what you typed to everybody in the room, encrypted.",
    `Your key, by which others know you: ${shown}`,
    "Tab completes, arrow keys recall, /help lists the commands.",
  ].join("\n");
}
