/**
 * Which Deno the programs need. They import this first of all: an older one fails in what is imported next, and
 * wouldn't say why.
 *
 * @module
 */

/** The oldest Deno that the programs run on. A test has them talk at a terminal with it. */
export const OLDEST_DENO = "2.6.0";

const { deno } = Deno.version;
if (deno.localeCompare(OLDEST_DENO, "en", { numeric: true }) < 0) {
  const refusal =
    `Cannot run on Deno ${deno}: it needs ${OLDEST_DENO} or newer. Update it: deno upgrade\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(refusal));
  Deno.exit(1);
}
