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

/** Restarts under so many members; times from when the server says that it listens. */
export interface RestartFigures {
  readonly members: number;
  /** Whether each waited before it came back, as a client does; else all came at once. */
  readonly pauses: boolean;
  /** From the start of the process until it said that it listens, ms. */
  readonly listenMs: Spread;
  /** Until all were in and told what they missed, and until a message had reached all, ms. */
  readonly backMs: Spread;
  readonly servedMs: Spread;
  /** Processor time until all were in: the server's, its start included, and the load's, ms. */
  readonly serverMs: Spread;
  readonly loadMs: Spread;
  /** How often a connection was refused or dropped in all runs, by the reason. */
  readonly troubles: Readonly<Record<string, number>>;
}

/** From a typed line to the own screen, ms: medians and spread over all lines. */
export interface TypingFigures {
  /** Lines through pipes. */
  readonly pipeMs: Spread;
  /** Lines in a pseudo-terminal, by util-linux's `script`; undefined if there is none. */
  readonly terminalMs?: Spread;
}

/** What a client takes, by pipes or in such a terminal. */
export interface ClientFigures {
  readonly kind: "pipe" | "terminal";
  /** From the start of its process until it shows that it is in, ms. */
  readonly joinMs: Spread;
  /** From a typed line to its own screen, ms. */
  readonly lineMs: Spread;
  /** Resident memory after 100,000 lines of about 100 bytes, MB. */
  readonly memoryMb: Spread;
}

/** What strangers cost, each. */
export interface Costs {
  /** Resident memory for one that says nothing, and one that stopped half-way through its handshake, KiB. */
  readonly waitingKib: number;
  readonly halfwayKib: number;
  /** Processor time for one that leaves at once, talks rubbish, or has a wrong key, ms. */
  readonly leavingMs: number;
  readonly garbageMs: number;
  readonly wrongKeyMs: number;
}

/** How long what members say takes to reach one of them. */
export interface Delays {
  /** What goes on meanwhile. */
  readonly meanwhile: string;
  /** Messages that were measured. */
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Connections of strangers a second. */
  readonly strangersPerSecond: number;
  /** The server's share of a processor. */
  readonly serverCpu: number;
}

/** What a page holds, of an engine whose garbage has been collected. */
export interface Holdings {
  /** Of JavaScript, bytes. */
  readonly heap: number;
  /** Of the page's whole process, bytes. */
  readonly process: number;
}

/** What the web page takes in a browser. */
export interface WebFigures {
  /** The browser's version. */
  readonly browser: string;
  /** From opening the link until the first message is on the screen, the name typed in no time, ms. */
  readonly firstMs: Spread;
  /** The same for somebody who comes again by loading the page anew, ms. */
  readonly againMs: Spread;
  /** From opening the link until the last message of a long history is on the screen, ms. */
  readonly historyMs: Spread;
  /** Messages a second of which the last is on the screen when they have been said. */
  readonly perSecond: Spread;
  /** In a room in which little was said. */
  readonly small: Holdings;
  /** With the long history. */
  readonly long: Holdings;
  /** After the talk. */
  readonly talked: Holdings;
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
