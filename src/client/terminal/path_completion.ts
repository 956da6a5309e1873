/**
 * What Tab makes of the path of a file: as it is, in quotes, or with backslashes before what isn't a letter, as
 * dragging a file into a terminal gives it.
 *
 * @module
 */

import type { Completion } from "../commands/completion.ts";
import { givenPath, unescaped } from "../../base/paths.ts";
import { escapeText } from "../../base/safe_text.ts";

/** Something in a folder. */
export interface FolderEntry {
  /** Its name there. */
  readonly name: string;
  /** Whether it is a folder, too. */
  readonly isFolder: boolean;
}

/** What a shell would take for something else, with a backslash before it. */
const SPECIAL = /[^\p{L}\p{N}\p{M}_.,/~+:@%-]/gu;

/**
 * Completes the last part of a path. Hidden files are offered to who types their dot, and nothing that could command
 * a terminal.
 * @param typed The path so far. @param entries What is in a folder, by its path as it is typed.
 */
export function completePath(
  typed: string,
  entries: (folder: string) => readonly FolderEntry[] = () => [],
): Completion {
  const [quote = ""] = /^['"]/.exec(typed) ?? [];
  const unquoted = typed.slice(quote.length);
  if (unquoted === "~") return { words: ["~/"], replaced: "~" };
  const isEscaped = quote === "" && unquoted.includes("\\");
  const split = unquoted.lastIndexOf("/") + 1;
  const replaced = unquoted.slice(split);
  const plain = (text: string) => isEscaped ? unescaped(text) : text;
  const start = plain(replaced).toLowerCase();
  const words = entries(plain(unquoted.slice(0, split)))
    .filter(({ name }) =>
      name.toLowerCase().startsWith(start) && name === escapeText(name) &&
      (start !== "" || !name.startsWith(".")) && !name.includes("\\")
    )
    .map(({ name, isFolder }) =>
      (isEscaped ? name.replace(SPECIAL, "\\$&") : name) +
      (isFolder ? "/" : quote)
    );
  return { words: words.toSorted(), replaced };
}

/**
 * What is in a folder; nothing where it can't be read.
 * @param folder Its path, which ends in a slash; empty: where the program runs. @param home What `~` stands for.
 */
export function folderEntries(
  folder: string,
  home: string | undefined,
): FolderEntry[] {
  const path = givenPath(folder === "" ? "." : folder, home);
  try {
    const entries = [...Deno.readDirSync(path)];
    return entries.map(({ name, isDirectory, isSymlink }) => ({
      name,
      isFolder: isDirectory || isSymlink && leadsToFolder(`${path}/${name}`),
    }));
  } catch {
    return []; // there is no such folder, or it is closed to this person: nothing to offer
  }
}

function leadsToFolder(link: string): boolean {
  try {
    return Deno.statSync(link).isDirectory;
  } catch {
    return false; // it leads nowhere
  }
}
