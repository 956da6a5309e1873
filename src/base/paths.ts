/**
 * Paths as people give them: from the folder in which they stand, with `~`, in quotes, as a URL.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isInstalled } from "./program.ts";

/**
 * The path that somebody typed, or that dragging a file into a terminal typed: in quotes, with backslashes before
 * what a shell would take for something else, or as a `file:` URL. Spaces need neither.
 *
 * @example
 * ```ts
 * import { typedPath } from "./paths.ts";
 * for (const text of ["'/a b'", '"/a b"', "/a\\ b", "file:///a%20b", "/a b"]) {
 *   if (typedPath(text) !== "/a b") throw new Error("not the same");
 * }
 * ```
 */
export function typedPath(text: string): string {
  if (/^file:\/\//i.test(text)) return urlPath(text);
  if (Deno.build.os === "windows") return text.replace(/^"(.*)"$/s, "$1"); // backslashes stand between folders there
  return /^['"]/.test(text) ? unquoted(text) : unescaped(text);
}

function urlPath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url; // another machine's, or no URL: there is no such file, which is said then
  }
}

/** A path without the backslashes before what a shell would take for something else. */
export function unescaped(text: string): string {
  return text.replace(/\\(.)/gsu, "$1");
}

/** One part of what a shell takes for one word: in single quotes, in double quotes, or in none. */
const PART = /'([^']*)'|"((?:[^"\\]|\\.)*)"|((?:[^'"\\\s]|\\.)+)/gsuy;

/** A text that begins with a quote, without its quotes; as it is if they don't match. */
function unquoted(text: string): string {
  let path = "";
  let end = 0;
  for (const [part, single, double, bare = ""] of text.matchAll(PART)) {
    end += part.length;
    path += single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? unescaped(bare);
  }
  return end === text.length ? path : text;
}

/**
 * A path from where the program's user stands: `deno task` runs a program in the repository's folder, wherever it was
 * called.
 * @param home What `~` stands for, if it does.
 */
export function givenPath(path: string, home?: string): string {
  const whole = home === undefined ? path : path.replace(/^~(?=\/|$)/, home);
  if (isAbsolute(whole)) return whole;
  const folder = callersFolder();
  return folder === undefined ? whole : join(folder, whole);
}

/** The folder in which `deno task` was called, undefined if that is the working folder. */
function callersFolder(): string | undefined {
  if (isInstalled()) return undefined; // then another program has set it, for its own purposes
  const folder = Deno.env.get("INIT_CWD");
  return folder === Deno.cwd() ? undefined : folder;
}
