import { Turns } from "../../../src/client/turns.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("Turns.add() has servers tried that came later, each once, after those that were known", () => {
  const turns = new Turns("a:1", ["b:2"]);
  turns.add(["b:2", "c:3", "a:1"]);
  turns.stood(false);
  const tried = [turns.now];
  while (turns.next()) tried.push(turns.now);
  assertEquals(tried, ["a:1", "b:2", "c:3"]);
});
