/**
 * What is said of a file in a few words.
 *
 * @module
 */

import { escapeText } from "../../../base/safe_text.ts";
import type { FileNews } from "../../../client/view.ts";
import { formatSize, type Offer } from "../../../protocol/offer.ts";

/** Endings of pictures that can be shown. Whether a file is one is told by its bytes. */
const PICTURE = /\.(?:png|jpe?g|gif|webp)$/i;

/** Whether a file is a picture by its name. */
export function isPictureName(name: string): boolean {
  return PICTURE.test(name);
}

/** How a file stands: `1.2 MB`, `400 kB of 1.2 MB`, `1.2 MB, here: not saved yet`. */
export function fileState(
  { size }: Pick<Offer, "size">,
  news: FileNews | undefined,
  own: boolean,
): string {
  const all = formatSize(size);
  if (own) return `${all}, offered by you`;
  if (!news) return all;
  const part = `${formatSize(news.got)} of ${all}`;
  switch (news.state) {
    case "begun":
    case "taking":
      return part;
    case "waiting":
      return `${part}, waiting: ${escapeText(news.reason)}`;
    case "taken":
      return `${all}, checksum verified`;
    case "failed":
      return news.dropped
        ? `${part}, stopped`
        : `Not downloaded: ${escapeText(news.reason)}`;
  }
}
