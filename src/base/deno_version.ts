/**
 * Which Deno the programs need. They import this first of all: an older one fails in what is imported next, and
 * wouldn't say why.
 *
 * @module
 */

/** The oldest Deno that the programs run on. A test has them talk at a terminal with it. */
export const OLDEST_DENO = "2.6.0";

/** A version as a number that grows with it. Comparing texts by a language's rules would take 6 ms of every start. */
const rank = (version: string) =>
  version.split(".", 3).reduce((sum, part) => sum * 1_000 + parseInt(part), 0);

const { deno } = Deno.version;
if (rank(deno) < rank(OLDEST_DENO)) {
  const refusal =
    `Cannot run on Deno ${deno}: it needs ${OLDEST_DENO} or newer. Update it: deno upgrade\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(refusal));
  Deno.exit(1);
}
