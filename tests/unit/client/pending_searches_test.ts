/**
 * The searches that a client waits for.
 *
 * @module
 */

import { PendingSearches } from "../../../src/client/pending_searches.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

Deno.test("PendingSearches keeps each until it is answered, or the next in turn is refused", () => {
  const searches = new PendingSearches();
  const [one, two, three] = ["one", "two", "three"].map((words) =>
    searches.open(words, 5, `request ${words}`)
  );
  assert(one && two && three);
  const words = () => [...searches].map(({ words }) => words);
  assertEquals(words(), ["one", "two", "three"]);

  const answered = { words: "two", id: "request two" };
  assertEquals(searches.close(two.id), answered);
  assertEquals(searches.close(two.id), undefined);
  assertEquals(searches.closeFirst(), "request one");
  assertEquals(words(), ["three"]);
  assertEquals(searches.close(one.id), undefined);
  assertEquals([searches.closeFirst(), searches.size], ["request three", 0]);
  assertEquals(searches.closeFirst(), undefined);
});

Deno.test("PendingSearches has place for 16", () => {
  const searches = new PendingSearches();
  const opened = Array.from({ length: 17 }, () => searches.open("", 1));
  assertEquals(opened.indexOf(undefined), 16);
  searches.close(opened[3]?.id ?? 0);
  assert(searches.open("", 1));
});
