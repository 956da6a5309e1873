/**
 * A server as a process of its own, and members that use it for a while: what it takes of the system at the
 * end must be what it took after the first minute, and all that was shown must be in its log.
 *
 * @module
 */

import { parseInvite } from "../../../src/keys/invite.ts";
import { Ledger } from "./ledger.ts";
import {
  type Behaviour,
  type Deeds,
  Member,
  noDeeds,
  pause,
} from "./member.ts";
import { run } from "../../kit/command.ts";
import type { Folder } from "../../kit/folder.ts";
import { Server } from "../../kit/server.ts";

/** How much memory may have grown by the end: this factor, and so many bytes. */
const MEMORY_FACTOR = 1.25;
const MEMORY_SLACK = 48 * 1_048_576;
/** Descriptors that may be open when everybody is gone, beyond those before anybody came. */
const DESCRIPTOR_SLACK = 4;
/** Threads that may have come. */
const THREAD_SLACK = 8;
/** How long the server may run beyond the soak itself, ms. */
const SPARE_TIME = 120_000;
/** How long the server may take to notice that everybody is gone, and to end the worker of their handshakes, ms. */
const EMPTYING_TIME = 60_000;

/** What the server takes of the system. */
export interface Sample {
  /** Since the start, ms. */
  readonly at: number;
  /** Resident memory, bytes. */
  readonly memory: number;
  /** Open descriptors. */
  readonly descriptors: number;
  /** Threads. */
  readonly threads: number;
  /** Members in the room, as the members see it. */
  readonly members: number;
}

/** How to soak. */
export interface SoakOptions {
  /** How many members. */
  readonly members: number;
  /** How long, ms. */
  readonly duration: number;
  /** When the first comparison begins, and how long it and the last look, ms. */
  readonly settling: number;
  readonly window: number;
  /** How often the server is looked at, ms. */
  readonly period: number;
  /** How members behave. */
  readonly behaviour: Omit<Behaviour, "signal">;
  /** Where the server's files are. */
  readonly folder: Folder;
  /** Is told of each look at the server. */
  readonly watch?: (sample: Sample, deeds: Deeds) => void;
}

/** What came of it. */
export interface SoakReport {
  /** What is wrong, one sentence each; none is well. */
  readonly faults: readonly string[];
  /** What members did. */
  readonly deeds: Deeds;
  /** Lines of the log, and how often members were shown one. */
  readonly lines: number;
  readonly deliveries: number;
  /** Before anybody came; the greatest after the first minute and at the end; when all were gone. */
  readonly empty: Sample;
  readonly early: Sample;
  readonly late: Sample;
  readonly after: Sample;
}

/** What a server takes now. @param start When it was started, as `performance.now` has it. */
async function sample(
  { pid }: Server,
  start: number,
  members: number,
): Promise<Sample> {
  // Deno itself reads nothing below /proc unless it may do everything.
  const [status, open] = await Promise.all([
    run("cat", `/proc/${pid}/status`),
    run("ls", `/proc/${pid}/fd`),
  ]);
  const memory = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) * 1_024;
  const threads = Number(/^Threads:\s*(\d+)/m.exec(status)?.[1]);
  const descriptors = open.trim().split("\n").length;
  const at = Math.round(performance.now() - start);
  return { at, memory, descriptors, threads, members };
}

/** The greatest of each; for memory the least, since what is not collected yet is no growth. */
function summary(samples: readonly Sample[]): Sample {
  const most = (of: (sample: Sample) => number) => Math.max(...samples.map(of));
  return {
    at: most(({ at }) => at),
    memory: Math.min(...samples.map(({ memory }) => memory)),
    descriptors: most(({ descriptors }) => descriptors),
    threads: most(({ threads }) => threads),
    members: most(({ members }) => members),
  };
}

/** Runs it. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { folder, duration, settling, window, period } = options;
  const start = performance.now();
  await using server = await Server.open(folder, {
    args: ["--log-size", "0", "--max-clients", String(options.members)],
    deadline: duration + SPARE_TIME,
  });
  const ledger = new Ledger();
  const deeds = noDeeds();
  const stopping = new AbortController();
  const behaviour = { ...options.behaviour, signal: stopping.signal };
  const invite = parseInvite(server.invite);
  const empty = await sample(server, start, 0);
  const members = Array.from(
    { length: options.members },
    (_, at) => new Member(`m${at}`, invite, ledger, deeds, behaviour),
  );
  const living = members.map((member) => member.live());
  const failed = Promise.all(living).catch((error) => {
    ledger.fault(`A member failed: ${error.stack}`);
    stopping.abort();
  });

  const samples: Sample[] = [];
  for (let end = false; !end && !stopping.signal.aborted;) {
    await pause(period, stopping.signal);
    const inside = members.filter(({ inside }) => inside).length;
    const now = await sample(server, start, inside);
    options.watch?.(now, deeds);
    samples.push(now);
    end = now.at > duration;
  }
  stopping.abort();
  await failed;
  const after = await emptied(server, start, empty);
  server.kill("SIGTERM");
  const code = await server.finished();
  if (code !== 0) ledger.fault(`The server ended with ${code}`);
  const lines = ledger.compare(
    await Deno.readTextFile(folder.file("chat.log")),
  );
  const within = (from: number) =>
    samples.filter(({ at }) => at >= from && at < from + window);
  const early = summary(within(settling));
  const late = summary(within(duration - window));
  const faults = [...ledger.faults, ...growth(empty, early, late, after)];
  const { deliveries } = ledger;
  return { faults, deeds, lines, deliveries, empty, early, late, after };
}

/** Waits until the server has let go of everybody's connections, or has had the time to. */
async function emptied(
  server: Server,
  start: number,
  empty: Sample,
): Promise<Sample> {
  const never = new AbortController().signal;
  const end = performance.now() + EMPTYING_TIME;
  for (;;) {
    const now = await sample(server, start, 0);
    const most = empty.descriptors + DESCRIPTOR_SLACK;
    if (now.descriptors <= most || performance.now() > end) return now;
    await pause(100, never);
  }
}

function growth(
  empty: Sample,
  early: Sample,
  late: Sample,
  after: Sample,
): string[] {
  const faults: string[] = [];
  const check = (what: string, is: number, most: number) => {
    if (!(is <= most)) faults.push(`${what}: ${is}, and the most is ${most}`);
  };
  const memory = early.memory * MEMORY_FACTOR + MEMORY_SLACK;
  check("Memory at the end", late.memory, Math.round(memory));
  // Each member has one, and one more while its old connection isn't over.
  const extra = Math.max(16, early.members);
  check("Descriptors at the end", late.descriptors, early.descriptors + extra);
  const open = empty.descriptors + DESCRIPTOR_SLACK;
  check("Descriptors when all were gone", after.descriptors, open);
  check("Threads at the end", late.threads, early.threads + THREAD_SLACK);
  return faults;
}
