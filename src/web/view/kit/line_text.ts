/**
 * What was said in a line, where it stands alone.
 *
 * @module
 */

import type { News } from "../../../client/view.ts";
import { formatSize, parseOffer } from "../../../protocol/offer.ts";

/** The text of a line or private message; of a file its name and size. */
export function lineText(
  { type, text }: { readonly type: News["type"]; readonly text: string },
): string {
  const offer = type === "offered" ? parseOffer(text) : null;
  return offer ? `${offer.name} (${formatSize(offer.size)})` : text;
}
