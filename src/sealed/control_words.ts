/**
 * What a control line of a sealed room does, as a sentence.
 *
 * @module
 */

import { escapeText } from "../base/safe_text.ts";
import { shortId, spokenId } from "../crypto/person_id.ts";
import { type Keys, parseControl } from "./control_line.ts";
import type { ControlEntry, ControlRecord } from "./control_record.ts";

/**
 * What a control line does: `ana made an invite`, `bob came in by an invite of ana's`, `ana removed bob: bob reads
 * nothing from line 58 on; all open invites have ended`.
 * @param entry One that the record has; "" for any other.
 */
export function controlSentence(
  { seq, person, text }: ControlEntry,
  record: ControlRecord,
): string {
  const { terms } = record;
  const nameOf = (id: string) => {
    const member = terms.before(shortId(id), seq);
    return member ? escapeText(member.name) : spokenId(shortId(id));
  };
  const { name = person } = terms.at(person, seq) ??
    terms.at(person, seq + 1) ?? {};
  const who = escapeText(name);
  const control = parseControl(text)?.control;
  switch (control?.verb) {
    case undefined:
      return "";
    case "found":
      return `${who} founded the room`;
    case "invite": {
      const { uses } = control;
      return `${who} made an invite${uses > 1 ? ` for ${uses} persons` : ""}`;
    }
    case "join": {
      const by = record.inviterOf(control.invite);
      return by === undefined
        ? `${who} came in by an invite`
        : `${who} came in by an invite of ${nameOf(by)}'s`;
    }
    case "rename":
      return `${who} took the name ${escapeText(control.name)}`;
    case "keys":
      return keysSentence(who, control, seq, nameOf);
    case "close":
      return `${who} ended an invite`;
  }
}

function keysSentence(
  who: string,
  { made, removed, barred, freed }: Keys,
  seq: number,
  nameOf: (id: string) => string,
): string {
  const names = (ids: readonly string[]) => ids.map(nameOf).join(", ");
  const deeds: string[] = [];
  if (removed.length > 0) {
    const isBarred = removed.every((id) => barred.includes(id));
    const gone = names(removed);
    deeds.push(
      `${
        isBarred ? "banned" : "removed"
      } ${gone}: ${gone} reads nothing from line ${
        seq + 1
      } on; all open invites have ended`,
    );
  }
  const others = barred.filter((id) => !removed.includes(id));
  if (others.length > 0) deeds.push(`banned ${names(others)}`);
  if (freed.length > 0) deeds.push(`lets ${names(freed)} be invited again`);
  if (made.length > 0) {
    deeds.push(`made ${names(made)} a keeper`);
  }
  return `${who} ${deeds.join("; ") || "changed the key of the room"}`;
}
