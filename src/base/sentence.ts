/**
 * How a text ends as a sentence.
 *
 * @module
 */

/** What a text ends with that takes no full stop. */
const END =
  /([.?!…]|[:;] (deno|npx|mkdir|run:|\S*chat-|encrypted-|--).*|'chat:.*')$/;

/** A text as a sentence: with a full stop, but none after a command to be copied or a mark of its own. */
export function sentence(text: string): string {
  return END.test(text) ? text : `${text}.`;
}

/** Where the command to be copied begins with which a text ends; -1 where it ends with none. */
export function commandStart(text: string): number {
  const end = END.exec(text);
  return end?.[2] === undefined ? -1 : end.index + 2;
}
