/**
 * The measurement of a server's end and start, as its members see it: all lose their connections, come back, and get
 * what they missed and what is said then.
 *
 *     all are in ── "in" ──▶ the server is killed and started ── its process ──▶ all come back ──▶ a message reaches all
 *
 * @module
 */

import type { Crowd } from "./crowd.ts";
import { loneMessage } from "./measure.ts";
import type { Dialogue, ReturnFindings, ReturnJob } from "./job.ts";
import { ownCpu, usageOf } from "./usage.ts";

/**
 * Measures it.
 * @param dialogue With whoever ends and starts the server: is told "in", and tells the number of the new process.
 * @throws {Error} if somebody misses anything, or is told it twice.
 */
export async function measureReturn(
  crowd: Crowd,
  { members, pauses }: ReturnJob,
  dialogue: Dialogue,
): Promise<ReturnFindings> {
  crowd.forgives = true;
  await crowd.prepare(members);
  await crowd.admit(1);
  await crowd.admit(members - 1);
  let start = NaN;
  let load = NaN;
  let pid = NaN;
  const listens = dialogue.hear().then((line) => {
    pid = Number(line);
    start = performance.now();
    load = ownCpu();
  });
  const back = crowd.comeBack(listens, pauses);
  dialogue.tell({ kind: "in" });
  await back;
  const backMs = crowd.network.lastArrival - start;
  const loadMs = (ownCpu() - load) * 1_000;
  const { cpu } = await usageOf(pid);
  const [speaker] = crowd.talkers(1);
  if (!speaker) throw new Error("Nobody came back");
  const loneMs = await loneMessage(crowd, speaker);
  await crowd.settle(); // what all were told is opened by now
  const servedMs = backMs + loneMs;
  const values = { backMs, servedMs, serverMs: cpu * 1_000, loadMs };
  return { values, troubles: crowd.troubles };
}
