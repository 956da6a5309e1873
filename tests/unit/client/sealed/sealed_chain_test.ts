/**
 * The chain in a sealed room: what members sign of what they saw, held against what a client was told.
 *
 * @module
 */

import { Known } from "../../../../src/client/known.ts";
import { assert, assertEquals } from "../../../kit/assert.ts";
import { newIdentity } from "../../../kit/people.ts";
import {
  say,
  SealedStage,
  type StageClient,
} from "../../../kit/sealed_stage.ts";

/** What to compare for a line. */
function digitsOf({ session, view }: StageClient, seq: number) {
  const before = view.of("agreement").length;
  session.conversation.agree(seq);
  return view.of("agreement")[before]?.digits;
}

/** Waits until a client was shown a text. */
async function hears({ view }: StageClient, text: string): Promise<number> {
  for (let at = 0;; at++) {
    const news = await view.until("said", at);
    if (news.text === text) return news.seq;
  }
}

Deno.test("who comes while others talk doubts none of their lines, and counts the same as they do", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  let isOver = false;
  let lines = 0;
  const talking = (async () => {
    while (!isOver) await say(ana, `line ${++lines}`);
  })();
  const others: StageClient[] = [];
  for (let at = 0; at < 6; at++) {
    others.push(await stage.bring(ana, `guest${at}`));
  }
  isOver = true;
  await talking;
  const seq = await say(ana, "over");
  for (const other of others) {
    assertEquals(await hears(other, "over"), seq);
    assertEquals(other.view.of("warning"), []);
    assertEquals(other.view.of("history-differs"), []);
    const digits = digitsOf(ana, seq);
    assert(digits);
    assertEquals(digitsOf(other, seq), digits);
  }
});

Deno.test("lines of the past whose senders had seen another history than the server tells are not shown", async () => {
  await using stage = await SealedStage.create();
  const ana = await stage.found();
  const [identity, known] = [
    await newIdentity(),
    await Known.load(undefined, () => {}),
  ];
  const invite = await ana.invite();
  const ben = await stage.client("ben", { invite }, identity, known);
  const before = await say(ana, "before");
  assertEquals(await hears(ben, "before"), before);
  await ben.leave();
  // Two blocks: more than is told with the admission.
  const first = await say(ana, "first");
  for (let seq = first + 1; seq < 510; seq++) await ana.say(`line ${seq}`);
  await hears(ana, "line 509");
  const altered = await say(ana, "one");
  const two = await say(ana, "two");
  const three = await say(ana, "three");
  assertEquals(three, 512);
  const { history } = stage.setup;
  const past = history.past.bind(history);
  history.recent = () => undefined; // nothing of it is in memory
  history.past = async function* (after, upTo) {
    for await (const lines of past(after, upTo)) {
      yield lines.map((it) => it.seq === altered ? { ...it, at: it.at + 1 } : it // it was said later, as the server says
      );
    }
  };
  const again = await stage.client("ben", {}, identity, known);
  const warnings = again.view.of("warning");
  const told = warnings.map(({ line, reason }) => [line, reason]);
  assertEquals(told, [[two, "seen-differs"], [three, "seen-differs"]]);
  const said = again.view.of("said").map(({ text }) => text);
  assertEquals(said.slice(-2), ["line 509", "one"]);
});
