/**
 * What the commands do that are about persons: names, digits to compare, whom one doesn't want to read.
 *
 * @module
 */

import { escapeText, quote } from "../../base/safe_text.ts";
import { spokenId } from "../../crypto/person_id.ts";
import { parseName } from "../../protocol/names.ts";
import { REFUSALS } from "../../protocol/reasons.ts";
import type { CommandContext, TableRow } from "./command.ts";
import type { IgnoredPerson } from "../ignored.ts";

/** Goes by another name, if that can be one. */
export function rename({ note, rename }: CommandContext, text = ""): void {
  const name = parseName(text);
  if (typeof name === "string") note(REFUSALS[name]);
  else rename(name.shown);
}

/** Shows what to compare with somebody, or remembers that it was compared. */
export function verify(
  { note, verification, verify, code }: CommandContext,
  name = "",
  ok?: string,
): void {
  const found = verification(name);
  if (!found) return note(nobody(name));
  if (found === "yourself") return note("That is you");
  if (ok !== undefined) {
    verify(name);
    return note(`Remembered: ${name} is who you think`);
  }
  // The digits last: the code is so high that it would push them off the screen.
  code(found.code).forEach((line) => note(line));
  note(`You and ${name} see the same digits, if nobody is between you:`);
  for (const digits of found.digits) note(`    ${digits}`);
  note(
    found.isVerified
      ? "You have compared them before."
      : `If they are the same: /verify ${name} ok`,
  );
}

/** Ignores somebody, or no longer, or lists who is ignored. */
export async function ignore(
  { note, who, ignored, find, isSelf, table }: CommandContext,
  name = "",
): Promise<void> {
  await ignored.refresh();
  if (name === "") {
    return table(rowsOf(ignored.members(who()))).forEach((line) => note(line));
  }
  const known = ignored.find(name, who());
  const person = find(name);
  if (known) {
    ignored.remove(known);
    note(`No longer ignored: ${named(known)}`);
  } else if (!person) note(nobody(name));
  else if (isSelf(person)) note(`Cannot ignore ${quote(name)}: that is you`);
  else {
    ignored.add(person);
    note(`Ignored now, under any name: ${escapeText(person.name)}`);
  }
}

/** Ignores somebody no longer. */
export async function unignore(
  { note, who, ignored }: CommandContext,
  name = "",
): Promise<void> {
  await ignored.refresh();
  const known = ignored.find(name, who());
  if (!known) {
    return note(
      `Cannot show ${
        quote(name)
      } again: nobody of that name is ignored. /ignore lists who is`,
    );
  }
  ignored.remove(known);
  note(`No longer ignored: ${named(known)}`);
}

/** A row for each who is ignored: the name that it goes by now, its id, the name that it had. */
function rowsOf(ignored: readonly IgnoredPerson[]): TableRow[] {
  if (ignored.length === 0) return [["Ignored: nobody"]];
  return ignored.map(({ name, person, formerly }) => [
    `Ignored: ${escapeText(name)}`,
    spokenId(escapeText(person)),
    formerly === name ? "" : `was ${escapeText(formerly)}`,
  ]);
}

function named({ name, formerly }: IgnoredPerson): string {
  const now = escapeText(name);
  return name === formerly ? now : `${now}, who was ${escapeText(formerly)}`;
}

function nobody(name: string): string {
  return `No ${quote(name)} here. /who lists who is`;
}
