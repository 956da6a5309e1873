/**
 * What somebody wrote, as nodes of text: nothing of it is ever markup.
 *
 * @module
 */

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { isEmoji } from "../../../protocol/reaction.ts";
import { type Block, type Piece, textBlocks } from "./text_pieces.ts";

/** What is shown of a text. */
export interface MessageTextProps {
  /** As it was written. */
  readonly text: string;
  /** Finds what was searched for. */
  readonly found?: RegExp | undefined;
  /** Finds where this person is meant. */
  readonly meant?: RegExp | undefined;
}

/** A text of more lines than this is shown only in part at first. */
const MANY_LINES = 40;
/** How many lines of it are. */
const FIRST_LINES = 20;

/** The text of a message: lines, code, links, and what is marked in it. */
export function MessageText(
  { text, found, meant }: MessageTextProps,
): VNode {
  const [isWhole, setWhole] = useState(false);
  const lines = text.split("\n");
  const isCut = !isWhole && !found && lines.length > MANY_LINES;
  const shown = isCut ? lines.slice(0, FIRST_LINES).join("\n") : text;
  const blocks = textBlocks(shown, { found, meant });
  return (
    <>
      <div
        class={`message-text ${isEmoji(text.trim()) ? "is-emoji" : ""}`}
        dir="auto"
      >
        {blocks.map((block, index) => <TextBlock key={index} {...block} />)}
      </div>
      {isCut && (
        <button
          type="button"
          class="show-all"
          onClick={() => setWhole(true)}
        >
          Show all {lines.length} lines
        </button>
      )}
    </>
  );
}

function TextBlock({ isCode, pieces }: Block): VNode {
  const words = pieces.map((piece, index) => (
    <TextPiece key={index} piece={piece} isInBlock={isCode} />
  ));
  // A block that is wider than the screen can be scrolled with the keyboard, too.
  return isCode
    ? <pre class="code-block" tabIndex={0} dir="ltr"><code>{words}</code></pre>
    : <p dir="auto">{words}</p>;
}

function TextPiece(
  { piece, isInBlock }: { piece: Piece; isInBlock: boolean },
): VNode | string {
  const { text, isCode, link, isFound, isMeant } = piece;
  const words = isFound || isMeant
    ? <mark class={isFound ? "found" : "meant"}>{text}</mark>
    : text;
  if (isCode && !isInBlock) return <code dir="ltr">{words}</code>;
  if (link === undefined) return <>{words}</>;
  return <a href={link} target="_blank" rel="noreferrer noopener">{words}</a>;
}
