/**
 * Rooms of all sizes, on our server and on others: for each run a fresh server and a fresh load.
 *
 * @module
 */

import { complain, print } from "../../src/base/output.ts";
import { type Figures, figures, type Spread, spread } from "./figures.ts";
import {
  type Findings,
  JOINS_AT_ONCE,
  type RoomJob,
  type Settings,
} from "./job.ts";
import { descriptorLimit } from "./machine.ts";
import { type Peer, PeerProcess } from "../peers/servers.ts";
import { LoadProcess } from "./load_process.ts";
import { type Pinning, ServerProcess, type Target } from "./processes.ts";
import { Hold } from "./hold.ts";
import { SharedServers } from "./shared.ts";
import { OURS, OURS_SEALED, OURS_WEB, oursShared } from "../report.ts";

/** Connections that a server and a load need beside their members. */
const SPARE_DESCRIPTORS = 600;
/**
 * Nobody saturates larger rooms: so busy, a server on one processor lets some writes wait for more than the 10 s
 * after which it takes a member for stalled, and disconnects those.
 */
const MAX_SATURATED = 3_000;
/** A quick benchmark begins no further round after this, ms; it is to end within a minute. */
const QUICK_TIME = 25_000;
/** How many servers share a room, one time after another. */
const SHARED = [1, 2, 3];
/** Until a server that rests has collected what joining left behind, ms. */
const SETTLE_TIME = 3_000;
/** The longest that one run may take, ms, and in a quick benchmark. */
const RUN_TIME = 300_000;
const QUICK_RUN_TIME = 25_000;
const QUICK_SHARED_TIME = 60_000;

/** What is to be measured. */
export interface RoomsPlan {
  /** Sizes of rooms, ascending. */
  readonly members: readonly number[];
  readonly quick: boolean;
  /** How often each is measured. */
  readonly runs: number;
  readonly pins: Pinning;
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
  /** Ends everything. */
  readonly stop: AbortSignal;
}

/** What every run does, but for its room. */
export function settings(quick: boolean): Settings {
  return {
    loneMessages: quick ? 60 : 200,
    loneWarmup: 20,
    windows: 3,
    windowTime: quick ? 700 : 3_000,
    warmupTime: quick ? 500 : 1_500,
    settleTime: SETTLE_TIME,
  };
}

/** Rooms that this system has descriptors for. */
export async function possible(members: number[]): Promise<number[]> {
  const limit = await descriptorLimit();
  const fits = (it: number) => it + SPARE_DESCRIPTORS <= limit;
  for (const tooMany of members.filter((it) => !fits(it))) {
    print(
      `Left out ${tooMany} members: a process may open ${limit} files (ulimit -n)\n`,
    );
  }
  return members.filter(fits);
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
  const quickTime = shared === undefined ? QUICK_RUN_TIME : QUICK_SHARED_TIME;
  const limit = AbortSignal.timeout(quick ? quickTime : RUN_TIME);
  const signal = AbortSignal.any([stop, limit]);
  const count = ["--max-clients", `${members + SPARE_DESCRIPTORS}`];
  // Without a limit on what one may say or how many handshakes one address may have begun, or a saturated room
  // and joining would measure the limit.
  const doors = ["--max-handshakes-per-address", `${JOINS_AT_ONCE}`];
  const flags = [...count, ...doors, ...kind, "--rate", "0"];
  const isHeld = hold !== undefined && shared === undefined;
  await using group = isHeld ? await Hold.make(hold) : undefined;
  const own = { ...pins, server: [...group?.prefix ?? [], ...pins.server] };
  await using server: Target = peer
    ? await PeerProcess.start(own, peer, signal)
    : shared === undefined
    ? await ServerProcess.start(own, flags, signal)
    : await SharedServers.start(pins, shared, flags, hold, signal);
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
    joinsAtOnce: JOINS_AT_ONCE,
  };
  await using load = new LoadProcess(pins, job, signal);
  return { findings: await load.findings<Findings>(), listenTime };
}

/** All runs, a round of all sizes and servers after another, so that a busy minute doesn't fall on one alone. */
export async function measureRooms(
  plan: RoomsPlan,
): Promise<{ listening: Spread; rooms: Figures[] }> {
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
      const what = `Run ${round} of ${runs}, ${server}, ${size} members\n`;
      complain(what);
      const ran = await run(size, contestant, plan);
      findings.push(ran.findings);
      if (server === OURS) listening.push(ran.listenTime);
    }
  }
  return {
    listening: spread(listening),
    rooms: found.map(({ contestant: { server }, findings }) =>
      figures(server, findings)
    ),
  };
}
