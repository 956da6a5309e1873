/**
 * A server as a process of its own, and members that use it for a while: what it takes of the system at the
 * end must be what it took after the first minute, and all that was shown must be in its log.
 *
 * @module
 */

import { parseInvite } from "../../../src/keys/invite.ts";
import { taskArguments } from "../../kit/harness.ts";
import { Ledger } from "./ledger.ts";
import {
  type Behaviour,
  type Deeds,
  Member,
  noDeeds,
  pause,
} from "./member.ts";

/** How much memory may have grown by the end: this factor, and so many bytes. */
const MEMORY_FACTOR = 1.25;
const MEMORY_SLACK = 48 * 1_048_576;
/** Descriptors that may be open when everybody is gone, beyond those before anybody came. */
const DESCRIPTOR_SLACK = 4;
/** Threads that may have come. */
const THREAD_SLACK = 8;
/** How long the server may take to notice that everybody is gone, ms. */
const EMPTYING_TIME = 15_000;

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
  readonly folder: string;
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

/** The server's process. */
class ServerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #start = performance.now();
  readonly #reading: Promise<void>;
  readonly #greeted = Promise.withResolvers<string>();
  /** What it wrote to its standard error. */
  complaints = "";

  constructor(folder: string, members: number) {
    const limit = ["--max-clients", String(members)];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...taskArguments("server"),
        ...["--host", "127.0.0.1", "--port", "0", "--log-size", "0", ...limit],
      ],
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const decode = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
      stream.pipeThrough(new TextDecoderStream());
    const complaining = (async () => {
      for await (const piece of decode(this.#child.stderr)) {
        this.complaints = (this.complaints + piece).slice(-10_000);
      }
    })();
    let greeting = "";
    for await (const piece of decode(this.#child.stdout)) {
      greeting = (greeting + piece).slice(-10_000);
      const link = /'(chat:\/\/[^']+)'[\s\S]*Ctrl-C/.exec(greeting)?.[1];
      if (link !== undefined) this.#greeted.resolve(link);
    }
    await complaining;
    this.#greeted.reject(new Error(`No server: ${this.complaints}`));
  }

  /** The link that it printed. */
  invite(): Promise<string> {
    return this.#greeted.promise;
  }

  /** Ends it. @returns Its exit code. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    const { code } = await this.#child.status;
    await this.#reading;
    this.#greeted.promise.catch(() => {}); // it has been told by now, or not asked for
    return code;
  }

  /** What it takes now. */
  async sample(members: number): Promise<Sample> {
    // Deno itself reads nothing below /proc unless it may do everything.
    const folder = `/proc/${this.#child.pid}`;
    const [status, open] = await Promise.all([
      output("cat", `${folder}/status`),
      output("ls", `${folder}/fd`),
    ]);
    const memory = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) * 1_024;
    const threads = Number(/^Threads:\s*(\d+)/m.exec(status)?.[1]);
    const descriptors = open.trim().split("\n").length;
    const at = Math.round(performance.now() - this.#start);
    return { at, memory, descriptors, threads, members };
  }
}

async function output(program: string, path: string): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: [path] }).output();
  return new TextDecoder().decode(stdout);
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
  const server = new ServerProcess(folder, options.members);
  const ledger = new Ledger();
  const deeds = noDeeds();
  const stopping = new AbortController();
  const behaviour = { ...options.behaviour, signal: stopping.signal };
  const invite = parseInvite(await server.invite());
  const empty = await server.sample(0);
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
    const sample = await server.sample(inside);
    options.watch?.(sample, deeds);
    samples.push(sample);
    end = sample.at > duration;
  }
  stopping.abort();
  await failed;
  const after = await emptied(server, empty);
  const code = await server.stop();
  if (code !== 0) ledger.fault(`The server ended with ${code}`);
  const lines = ledger.compare(await Deno.readTextFile(`${folder}/chat.log`));
  const within = (from: number) =>
    samples.filter(({ at }) => at >= from && at < from + window);
  const early = summary(within(settling));
  const late = summary(within(duration - window));
  const faults = [...ledger.faults, ...growth(empty, early, late, after)];
  const { deliveries } = ledger;
  return { faults, deeds, lines, deliveries, empty, early, late, after };
}

/** Waits until the server has let go of everybody's connections, or has had the time to. */
async function emptied(server: ServerProcess, empty: Sample): Promise<Sample> {
  const never = new AbortController().signal;
  const start = performance.now();
  for (;;) {
    const sample = await server.sample(0);
    const { descriptors } = sample;
    if (descriptors <= empty.descriptors + DESCRIPTOR_SLACK) return sample;
    if (performance.now() - start > EMPTYING_TIME) return sample;
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
