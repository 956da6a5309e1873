/**
 * How a text ends as a sentence.
 *
 * @module
 */

/** A text as a sentence: with a full stop, but none after a command to be copied or a mark of its own. */
export function sentence(text: string): string {
  return /([.?!…]|[:;] (deno|npx|mkdir|run:|\S*chat-|encrypted-|--).*|'chat:.*')$/
      .test(text)
    ? text
    : `${text}.`;
}
