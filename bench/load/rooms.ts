/**
 * Rooms of all sizes, on our server and on others: for each run a fresh server and a fresh load.
 *
 * @module
 */

import { complain } from "../../src/base/output.ts";
import { type Figures, figures, type Spread, spread } from "./figures.ts";
import {
  type Findings,
  JOINS_AT_ONCE,
  type RoomJob,
  type Settings,
} from "./job.ts";
import { SPARE_DESCRIPTORS } from "./machine.ts";
import { type Peer, startPeer } from "../peers/servers.ts";
import { LoadProcess } from "./load_process.ts";
import { type Plan, ServerProcess, type Target } from "./processes.ts";
import { Hold, startShared } from "./shared.ts";
import { OURS, OURS_SEALED, OURS_WEB, oursShared } from "../report.ts";

/**
 * Nobody saturates larger rooms: so busy, a server on one processor lets some writes wait for more than the 10 s
 * after which it takes a member for stalled, and disconnects those.
 */
const MAX_SATURATED = 3_000;
/** A quick benchmark begins no further round after this, ms; it is to end within a minute. */
const QUICK_TIME = 25_000;
/** How many servers share a room, one time after another. */
const SHARED = [1, 2, 3];
/**
 * Until a server that rests has collected what joining left behind, and V8 has given that back, ms; in a quick benchmark
 * it hasn't yet.
 */
const SETTLE_TIME = 13_000;
const QUICK_SETTLE_TIME = 3_000;
/** The longest that one run may take, ms. */
const RUN_TIME = 300_000;

/** Which rooms are measured. */
export interface RoomsPlan extends Plan {
  readonly quick: boolean;
  /** Other servers by their names. */
  readonly peers: ReadonlyMap<string, Peer>;
  /** Whether sealed rooms are measured, too. */
  readonly sealed: boolean;
  /** Whether members that come by WebSockets are measured, too. */
  readonly web: boolean;
  /** Whether rooms that several servers share are measured, too. */
  readonly cluster: boolean;
  /** How much of a processor each server may use, percent. Default: all. */
  readonly hold: number | undefined;
}

/** What every run does, but for its room. */
export function settings(quick: boolean): Settings {
  return {
    loneMessages: quick ? 60 : 200,
    loneWarmup: 20,
    windows: 3,
    windowTime: quick ? 700 : 3_000,
    warmupTime: quick ? 500 : 1_500,
    settleTime: quick ? QUICK_SETTLE_TIME : SETTLE_TIME,
  };
}

/** What one line of the table is about. */
interface Contestant {
  readonly server: string;
  /** Another server than ours. */
  readonly peer?: Peer;
  /** How many servers of ours share the room. Default: a server alone. */
  readonly shared?: number;
  /** Flags of ours. */
  readonly flags?: readonly string[];
}

/** All that are measured, in this order. */
function contestants({ sealed, web, cluster, peers }: RoomsPlan): Contestant[] {
  const shared = SHARED.map((count) => ({
    server: oursShared(count),
    shared: count,
  }));
  return [
    { server: OURS },
    ...(sealed ? [{ server: OURS_SEALED, flags: ["--sealed"] }] : []),
    ...(web ? [{ server: OURS_WEB, flags: ["--web", "0"] }] : []),
    ...(cluster ? shared : []),
    ...[...peers].map(([server, peer]) => ({ server, peer })),
  ];
}

/** One room: a fresh server, or several, and a fresh load. */
async function run(
  members: number,
  { peer, shared, flags: kind = [] }: Contestant,
  { quick, pins, hold, stop }: RoomsPlan,
): Promise<{ findings: Findings; listenTime: number }> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(RUN_TIME)]);
  const count = ["--max-clients", `${members + SPARE_DESCRIPTORS}`];
  // Without a limit on what one may say or how many handshakes one address may have begun, or a saturated room
  // and joining would measure the limit.
  const doors = ["--max-handshakes-per-address", `${JOINS_AT_ONCE}`];
  const flags = [...count, ...doors, ...kind, "--rate", "0"];
  const isHeld = hold !== undefined && shared === undefined;
  await using group = isHeld ? await Hold.make(hold) : undefined;
  const own = { ...pins, server: [...group?.prefix ?? [], ...pins.server] };
  await using server: Target = peer
    ? await startPeer(own, peer, signal)
    : shared === undefined
    ? await ServerProcess.start(own, flags, signal)
    : await startShared(pins, shared, flags, hold, signal);
  const { place, pids, natsPid, listenTime } = server;
  const warmupMembers = Math.min(100, Math.ceil(members / 4));
  const saturates = members <= MAX_SATURATED;
  const job: RoomJob = {
    kind: "room",
    ...settings(quick),
    place,
    pids,
    natsPid,
    members,
    warmupMembers,
    saturates,
  };
  await using load = new LoadProcess(pins, job, signal);
  return { findings: await load.findings<Findings>(), listenTime };
}

/** All runs, a round of all sizes and servers after another, so that a busy minute doesn't fall on one alone. */
export async function measureRooms(
  plan: RoomsPlan,
): Promise<{ listenMs: Spread; rooms: Figures[] }> {
  const { members, quick, runs } = plan;
  const found = members.flatMap((size) =>
    contestants(plan).map((contestant) => {
      return { size, contestant, findings: new Array<Findings>() };
    })
  );
  const listening: number[] = [];
  const start = performance.now();
  for (let round = 1; round <= runs; round++) {
    const late = performance.now() - start > QUICK_TIME;
    if (quick && late && round > 1) break;
    for (const { size, contestant, findings } of found) {
      const { server } = contestant;
      complain(`Run ${round} of ${runs}, ${server}, ${size} members\n`);
      const ran = await run(size, contestant, plan);
      findings.push(ran.findings);
      if (server === OURS) listening.push(ran.listenTime);
    }
  }
  return {
    listenMs: spread(listening),
    rooms: found.map(({ contestant: { server }, findings }) =>
      figures(server, findings)
    ),
  };
}
