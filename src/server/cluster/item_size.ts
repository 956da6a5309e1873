/**
 * How much of an entry an item takes, told before it is written.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Item } from "../batch.ts";
import type { Staged } from "../sealed/sealed_room.ts";

/** What an item takes beside what is long in it, bytes; a `join` has a card. */
const ITEM_SIZE = 512;
const JOIN_SIZE = 3_072;
/** The same for a line. */
const LINE_SIZE = 64;
/** Text that JSON writes as it is, a byte for each character. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** How many bytes of JSON an item takes, or some more: cheap to tell. */
export function sizeOf(item: Item): number {
  switch (item.kind) {
    case "say":
      return item.lines.reduce(
        (size, { text }) => size + LINE_SIZE + textSize(text),
        ITEM_SIZE,
      );
    case "join": {
      const { line, staged } = item.request.entering ?? {};
      return JOIN_SIZE + textSize(line?.text ?? "") + stagedSize(staged);
    }
    case "rule":
      return ITEM_SIZE + textSize(item.line.text) + stagedSize(item.staged);
    case "give":
      return ITEM_SIZE + item.wrap.data.length;
    case "post":
      return ITEM_SIZE + item.posting.data.length + item.posting.own.length;
    case "people": // seldom, and of many kinds
      return ITEM_SIZE + Buffer.byteLength(JSON.stringify(item.happenings));
    case "away":
      return ITEM_SIZE + textSize(item.text);
    case "remove":
      return ITEM_SIZE + textSize(item.words);
    case "leave":
    case "gone":
      return ITEM_SIZE + textSize(item.reason);
    case "server":
      return ITEM_SIZE + textSize(item.address);
    default:
      return ITEM_SIZE;
  }
}

function textSize(text: string): number {
  return PLAIN.test(text)
    ? text.length
    : Buffer.byteLength(JSON.stringify(text));
}

function stagedSize(staged: Staged | undefined): number {
  if (!staged) return 0;
  const { wraps, admission } = staged;
  let size = admission?.blob.length ?? 0;
  for (const { data } of wraps.values()) size += ITEM_SIZE + data.length;
  return size;
}
