/**
 * From what single loads found to figures: medians with their spread.
 *
 * @module
 */

import type { Findings, Flow } from "./job.ts";

/** Several measurements of the same thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many there are. */
  readonly count: number;
}

/** What the benchmark says of rooms of one size. */
export interface Figures {
  /** Which server it was. */
  readonly server: string;
  readonly members: number;
  /** How the load's sockets were read. */
  readonly sockets: string;
  readonly joinsPerSecond: Spread;
  readonly joinServerCpu: Spread;
  readonly joinNatsCpu: Spread;
  readonly joinLoadCpu: Spread;
  readonly kibPerMember: Spread;
  readonly kibPerMemberFromEmpty: Spread;
  /** Of the medians of the runs. */
  readonly loneMs: Spread;
  /** The servers' processor time for a lone message, ms, and nats-server's. */
  readonly loneServerMs: Spread;
  readonly loneNatsMs: Spread;
  readonly saturated?: FlowFigures;
  readonly hundredTalkers?: FlowFigures;
}

/** What a sealed room costs its members' clients. */
export interface SealedCosts {
  /** The time of a keeper's client for a change of the key, ms, by the number of persons who get it. */
  readonly rekeys: readonly {
    readonly members: number;
    readonly ms: Spread;
  }[];
  /** Lines of 100 bytes that a reader verifies and opens in a second. */
  readonly linesPerSecond: Spread;
  /** Bytes of such a line in the log, and in an open room's. */
  readonly lineBytes: { readonly sealed: number; readonly open: number };
}

/** Deliveries in a busy room. */
export interface FlowFigures {
  readonly deliveriesPerSecond: Spread;
  readonly serverUsPerDelivery: Spread;
  /** Shares of one processor; of all servers together. */
  readonly serverCpu: Spread;
  readonly natsCpu: Spread;
  readonly loadCpu: Spread;
}

/** The middle one, or the mean of the two in the middle. @throws {RangeError} for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (lower === undefined || upper === undefined) {
    throw new RangeError("Cannot tell the median of nothing");
  }
  return (lower + upper) / 2;
}

/** Median and spread. @throws {RangeError} for no values. */
export function spread(values: readonly number[]): Spread {
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    count: values.length,
  };
}

function flowFigures(flows: readonly Flow[]): FlowFigures {
  return {
    deliveriesPerSecond: spread(flows.map((it) => it.deliveriesPerSecond)),
    serverUsPerDelivery: spread(flows.map((it) => it.serverMicroseconds)),
    serverCpu: spread(flows.map((it) => it.serverShare)),
    natsCpu: spread(flows.map((it) => it.natsShare)),
    loadCpu: spread(flows.map((it) => it.loadShare)),
  };
}

/** The figures of several loads of the same size on one server. @throws {RangeError} for none. */
export function figures(
  server: string,
  runs: readonly Findings[],
): Figures {
  const [first] = runs;
  if (!first) throw new RangeError("Cannot make figures of no runs");
  const saturated = runs.flatMap((run) => run.saturated);
  const talkers = runs.flatMap((run) => run.talkers ?? []);
  return {
    server,
    members: first.members,
    sockets: first.sockets,
    joinsPerSecond: spread(runs.map((it) => it.joinsPerSecond)),
    joinServerCpu: spread(runs.map((it) => it.joinServerShare)),
    joinNatsCpu: spread(runs.map((it) => it.joinNatsShare)),
    joinLoadCpu: spread(runs.map((it) => it.joinLoadShare)),
    kibPerMember: spread(runs.map((it) => it.kibPerMember)),
    kibPerMemberFromEmpty: spread(
      runs.map((it) => it.kibPerMemberFromEmpty),
    ),
    loneMs: spread(runs.map((it) => median(it.loneTimes))),
    loneServerMs: spread(runs.map((it) => it.loneServerMs)),
    loneNatsMs: spread(runs.map((it) => it.loneNatsMs)),
    ...(saturated.length > 0 ? { saturated: flowFigures(saturated) } : {}),
    ...(talkers.length > 0 ? { hundredTalkers: flowFigures(talkers) } : {}),
  };
}

/** Starts of one kind. */
export interface StartFigures {
  /** The log's size, bytes. */
  readonly logSize: number;
  /** From the start of the process until it said that it listens, ms. */
  readonly listenMs: Spread;
  /** Resident memory when it listens, MB. */
  readonly memoryMb: Spread;
}

/** What was found, ms: medians and spread over all lines. */
export interface TypingFigures {
  /** Lines through pipes. */
  readonly pipeMs: Spread;
  /** Lines in a pseudo-terminal, by util-linux's `script`; undefined if there is none. */
  readonly terminalMs?: Spread;
}

/** Where figures come from. */
export interface Machine {
  readonly system: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryGib: number;
  /** How busy the machine was when the benchmark began: processes that ran or waited, over the last minute. */
  readonly loadAverage: number;
  readonly deno: string;
  readonly v8: string;
}
