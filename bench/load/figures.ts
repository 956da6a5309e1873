/**
 * From what single loads found to figures: medians with their spread.
 *
 * @module
 */

import type { Findings, Flow, ReturnValues, RoomValues } from "./job.ts";

/** Several measurements of the same thing. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many there are. */
  readonly count: number;
}

/** Several measurements of each of some things. */
export type Spreads<T> = { readonly [K in keyof T]: Spread };

/** What the benchmark says of rooms of one size. */
export interface Figures extends Spreads<RoomValues> {
  /** Which server it was. */
  readonly server: string;
  readonly members: number;
  readonly saturated?: Spreads<Flow>;
  readonly hundredTalkers?: Spreads<Flow>;
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

/** Median and spread of each of some things, in several runs. @throws {RangeError} for no runs. */
export function spreads<K extends string>(
  runs: readonly Readonly<Record<K, number>>[],
): Record<K, Spread> {
  const [first] = runs;
  if (!first) throw new RangeError("Cannot make figures of no runs");
  const names = Object.keys(first) as K[];
  const all = names.map((it) => [it, spread(runs.map((run) => run[it]))]);
  return Object.fromEntries(all);
}

/** The figures of several loads of the same size on one server. @throws {RangeError} for none. */
export function figures(server: string, runs: readonly Findings[]): Figures {
  const [{ members } = { members: 0 }] = runs;
  const saturated = runs.flatMap((run) => run.saturated);
  const talkers = runs.flatMap((run) => run.hundredTalkers);
  return {
    server,
    members,
    ...spreads(runs.map(({ values }) => values)),
    ...saturated.length > 0 && { saturated: spreads(saturated) },
    ...talkers.length > 0 && { hundredTalkers: spreads(talkers) },
  };
}

/** What one start takes. */
export interface StartValues {
  /** From the start of the process until it said that it listens, ms. */
  readonly listenMs: number;
  /** Resident memory when it listens, MB. */
  readonly memoryMb: number;
}

/** Starts of one kind. */
export interface StartFigures extends Spreads<StartValues> {
  /** The log's size, bytes. */
  readonly logSize: number;
}

/** Restarts while members are connected. */
export interface RestartFigures
  extends Spreads<ReturnValues & Pick<StartValues, "listenMs">> {
  readonly members: number;
  /** Whether each waited before it came back, as a client does; else all came at once. */
  readonly pauses: boolean;
  /** How often a connection was refused or dropped in all runs, by the reason. */
  readonly troubles: Readonly<Record<string, number>>;
}

/** What a client takes, by pipes or in a pseudo-terminal, by util-linux's `script`. */
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
