/**
 * What a person is called to whom, or from whom, a private message goes.
 *
 * @module
 */

import { shortId, spokenId } from "../../crypto/person_id.ts";
import type { Known } from "../known.ts";
import type { Holder } from "./cards.ts";
import type { MailRoom } from "./mail_room.ts";

/**
 * Somebody's name as in the room now; or as it was last, which is remembered. By their id where they have none, or one
 * that was another's as far as is known: nobody writes under a name because a server says so.
 */
export function nameOf(
  { present }: Pick<MailRoom, "present">,
  known: Known | undefined,
  { id, name }: Pick<Holder, "id" | "name">,
): string {
  const here = present.find((it) => it.id === id)?.name;
  if (here !== undefined) return here;
  const owner = name === "" ? undefined : known?.find(name);
  const isOthers = owner !== undefined && owner.id !== id;
  if (name === "" || isOthers) return spokenId(shortId(id));
  known?.met({ name, id });
  known?.keep();
  return name;
}
