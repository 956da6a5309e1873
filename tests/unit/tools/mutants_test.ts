/**
 * The process in which the mutation tool's tests run: what it answers for a file of tests, with a fault and without.
 *
 * @module
 */

import type { Answer, Order } from "../../../tools/mutants/company.ts";
import { SIGN } from "../../../tools/mutants/runner.ts";
import { assertEquals } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";

const root = new URL("../../../", import.meta.url);

/** Tests that a fault 7 has fail, now, later or for good; 8 and 9 stand for others. */
const TESTS = `
const faults = globalThis.__stryker__;
const isOn = (id) => {
  const of = faults.currentTestId;
  const reached = faults.mutantCoverage ??= { static: {}, perTest: {} };
  (reached.perTest[of] ??= {})[id] = 1;
  return faults.activeMutant === id;
};
let isBroken = false;
Deno.test("sound", () => {});
Deno.test({ name: "left out", ignore: true, fn: () => {} });
Deno.test("notices", () => { if (isOn("7")) throw new Error("noticed"); });
Deno.test({ name: "later", async fn() {
  if (isOn("8")) void Promise.reject(new Error("nobody waits"));
  await null;
} });
Deno.test("waits", async () => {
  if (isOn("6")) await Promise.withResolvers().promise;
});
Deno.test("for good", () => {
  isBroken ||= isOn("9");
  if (isBroken) throw new Error("broken");
});
`;

/** What the process answers to each order. */
async function answers(...orders: readonly Order[]): Promise<Answer[]> {
  await using folder = await Folder.make();
  const path = await folder.write("some_test.js", TESTS);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-q", "--no-prompt", "--no-check"],
      ...["-c", "tests/deno.json", "-P=test"],
      ...["tools/mutants/company.ts", path],
    ],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = orders.map((order) => `${JSON.stringify(order)}\n`).join("");
  await new Blob([lines]).stream().pipeTo(child.stdin);
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout).split("\n")
    .filter((line) => line.startsWith(SIGN))
    .map((line) => JSON.parse(line.slice(SIGN.length)));
}

/** The tests that ran, and why each failed that did. */
const outcome = ({ ran }: Answer) => ran.map(({ name, why }) => [name, why]);

Deno.test("without a fault all tests run, and what each reaches is told", async () => {
  const [answer] = await answers({});
  if (!answer) throw new Error("no answer");
  assertEquals(
    outcome(answer),
    ["sound", "notices", "later", "waits", "for good"]
      .map((it) => [it, undefined]),
  );
  const reached = Object.values(answer.reached?.perTest ?? {});
  assertEquals(reached, [{ 7: 1 }, { 8: 1 }, { 6: 1 }, { 9: 1 }]);
});

Deno.test("with a fault tests run until one fails, now or by what nobody waited for", async () => {
  const [sound, now, later] = await answers(
    { tests: [0], fault: "7" },
    { tests: [0, 1, 2], fault: "7" },
    { tests: [2, 3], fault: "8" },
  );
  if (!sound || !now || !later) throw new Error("no answer");
  assertEquals(outcome(sound), [["sound", undefined]]);
  assertEquals(outcome(now), [["sound", undefined], ["notices", "noticed"]]);
  assertEquals(outcome(later), [["later", "nobody waits"]]);
  assertEquals([now.isSpoilt, later.isSpoilt], [false, false]);
});

Deno.test("a process in which a test fails ever after says so", async () => {
  const [answer] = await answers({ tests: [4], fault: "9" });
  assertEquals(answer && outcome(answer), [["for good", "broken"]]);
  assertEquals(answer?.isSpoilt, true);
});

Deno.test("a test that waits for what can't happen any more ends the process, rather than that it hangs", async () => {
  const outcomes = (await answers(
    { tests: [0, 3], fault: "7" },
    { tests: [0, 3], fault: "6" },
    { tests: [0] },
  )).map(outcome);
  assertEquals(outcomes, [[["sound", undefined], ["waits", undefined]]]);
});
