/**
 * A real server that is killed again and again, or stopped and continued, while real clients talk without end.
 * Everybody must have been shown one and the same order, and the log must have every line once.
 *
 * @module
 */

import { type Network, SERVER_ADDRESS } from "../../kit/network/network.ts";
import { Ledger } from "../soak/ledger.ts";
import { type Surroundings, Talker } from "./talker.ts";
import { Watch } from "../../kit/watch.ts";
import { type Folder, freePort } from "../../kit/folder.ts";
import { Server } from "../../kit/server.ts";

/** How many more lines are seen before the next kill, at the most: from a few who came back to the full storm. */
const MOST_LINES = 1_500;
/** How long everybody may take to come back after a stop or a cut, ms: repetitions come ever further apart. */
const RETURN_TIME = 240_000;
/** How long a server may live, ms: longer than any storm. */
const LIFETIME = 3_600_000;

/** What happens in a storm. */
export interface StormOptions {
  /** Where the server's files, and the clients', are. */
  readonly folder: Folder;
  /** How many clients talk. */
  readonly clients: number;
  /** How often the server ends, and by what. */
  readonly kills: number;
  readonly signal: "SIGKILL" | "SIGTERM";
  /** How long the server, and how long a client, is stopped before it is continued, ms; 0 for never. */
  readonly stop?: number;
  readonly stopClient?: number;
  /** Between the server and the clients; where there is none, this machine's own. */
  readonly network?: Network | undefined;
  /** How long the network is cut, ms; 0 for never. */
  readonly cut?: number;
  /** Is told how far it is. */
  readonly watch?: (report: string) => void;
}

/** What came of it. */
export interface StormReport {
  /** What is wrong, one sentence each; none is well. */
  readonly faults: readonly string[];
  /** Lines of the log, of them what was typed, and how often all clients together were shown one. */
  readonly lines: number;
  readonly typed: number;
  readonly deliveries: number;
  /** In how many kills lines were under way; how often clients lost their server. */
  readonly interrupted: number;
  readonly losses: number;
  /** How many notices of a mended log the servers gave at their starts. */
  readonly mended: number;
}

/** A storm under way. */
class Storm {
  readonly ledger = new Ledger();
  readonly talkers: Talker[] = [];
  interrupted = 0;
  mended = 0;
  readonly #options: StormOptions;
  readonly #port = freePort();
  readonly #watches = new Set<Watch>();
  #server: Server | undefined;
  #log = ""; // its whole lines, at the last kill

  constructor(options: StormOptions) {
    this.#options = options;
  }

  get server(): Server {
    if (!this.#server) throw new Error("There is no server");
    return this.#server;
  }

  /** The greatest number that anybody was shown. */
  get last(): number {
    return Math.max(...this.talkers.map(({ last }) => last));
  }

  /** Starts the server, and takes what it says about its log. */
  async serve(): Promise<void> {
    const { folder, network } = this.#options;
    // All clients come from one address, again and again.
    const host = network
      ? ["--host", SERVER_ADDRESS, "--new-per-address", "1000000"]
      : [];
    this.#server = await Server.open(folder, {
      port: this.#port,
      args: [...host, "--rate", "0", "--log-size", "0"],
      deadline: LIFETIME,
      prefix: network?.serverPrefix,
    });
    this.mended += this.#server.stderr.length;
  }

  /** Starts everybody, and waits until they are in. */
  async gather(stack: AsyncDisposableStack): Promise<void> {
    const { folder, clients, network } = this.#options;
    const around: Surroundings = {
      invite: this.server.invite,
      folder: folder.path,
      prefix: network?.clientPrefix,
      ledger: this.ledger,
      onShown: () => this.#watches.forEach((watch) => watch.changed()),
    };
    for (let at = 0; at < clients; at++) {
      const talker = await Talker.start(`client${at}`, around);
      this.talkers.push(stack.use(talker));
    }
    await this.#until("all in", () => this.#all(({ inside }) => inside));
  }

  /** Lets everybody talk; ends when everybody was told to stop. */
  async talk(): Promise<void> {
    try {
      await Promise.all(this.talkers.map((talker) => talker.talk()));
    } catch (error) {
      this.#fault(`A client took no more lines: ${error}`);
    }
  }

  /**
   * Ends the server among random lines, and looks whether any was shown that the log hasn't got.
   * @param full Whether that waits until everybody is back; else it may be while many are on their way in.
   */
  async kill(full: boolean): Promise<void> {
    const { signal, folder } = this.#options;
    if (full) await this.#until("all back", () => this.#all((it) => it.inside));
    const last = this.last;
    const count = 1 + Math.floor(Math.random() * MOST_LINES);
    await this.#until(`${count} more lines`, () => this.last >= last + count);
    const inside = this.talkers.filter((talker) => talker.inside);
    const losses = inside.map((talker) => talker.losses);
    this.server.kill(signal);
    const code = await this.server.finished();
    if (signal === "SIGTERM" && code !== 0) {
      this.#fault(`It ended with ${code}`);
    }
    await this.#until(
      "the loss seen",
      () => inside.every((talker, at) => talker.losses > (losses[at] ?? 0)),
    );
    if (signal === "SIGTERM") {
      for (const { reason } of inside) {
        if (reason !== "server stopped") this.#fault(`One was told: ${reason}`);
      }
    }
    if (this.talkers.some(({ typed, seen }) => typed > seen)) {
      this.interrupted++;
    }
    await this.close();
    const text = await Deno.readTextFile(folder.file("chat.log"));
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (signal === "SIGTERM" && whole !== text) this.#fault("A torn line");
    this.#compare(whole);
  }

  /** Holds the log against what it was before, and what was shown by now. */
  #compare(log: string): void {
    if (!log.startsWith(this.#log)) this.#fault("The log has lost lines");
    this.#log = log;
    const lines = log.split("\n").length - 1;
    if (this.last <= lines) return;
    this.#fault(`Line ${this.last} was shown when the log had ${lines}`);
  }

  /** Stops a process for a while. */
  async freeze(
    process: { kill(signal: Deno.Signal): void },
    ms: number,
  ): Promise<void> {
    process.kill("SIGSTOP");
    await pass(ms);
    process.kill("SIGCONT");
    await this.#allBack();
  }

  /** Cuts the network for a while. */
  async cut(network: Network, ms: number): Promise<void> {
    await network.cut();
    await pass(ms);
    await network.mend();
    await this.#allBack();
  }

  async #allBack(): Promise<void> {
    const last = this.last;
    await this.#until(
      "all back",
      () => this.#all(({ inside, last: own }) => inside && own > last),
      RETURN_TIME,
    );
  }

  /** Lets everybody say what is typed, and leave. */
  async disperse(talking: Promise<void>): Promise<void> {
    for (const talker of this.talkers) talker.stop();
    await talking;
    // Everybody sees everything before the first one leaves.
    await this.#until(
      "all said",
      () =>
        this.#all(({ typed, seen }) => typed === seen) &&
        this.#all(({ last }) => last === this.last),
    );
    for (const talker of this.talkers) {
      const code = await talker.finish();
      if (code === 0 && talker.complaints === "") continue;
      this.#fault(`A client ended with ${code}: ${talker.complaints}`);
    }
  }

  /** Compares everything. */
  async compare(): Promise<number> {
    const { folder } = this.#options;
    const log = await Deno.readTextFile(folder.file("chat.log"));
    this.#compare(log);
    return this.ledger.compare(log);
  }

  /** Ends the server's process. */
  async close(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  #all(is: (talker: Talker) => boolean): boolean {
    return this.talkers.every(is);
  }

  #fault(what: string): void {
    this.ledger.fault(what);
  }

  async #until(
    what: string,
    is: () => boolean,
    deadline?: number,
  ): Promise<void> {
    const report = () =>
      this.talkers.map(({ inside, last, typed, seen, reason, complaints }) =>
        `inside ${inside}, at ${last}, typed ${typed}, seen ${seen}; ${reason} ${complaints}`
      ).join("\n");
    using watch = new Watch(report, () => {}, deadline);
    this.#watches.add(watch);
    try {
      await watch.until(what, () => is() ? true : undefined);
    } finally {
      this.#watches.delete(watch);
    }
  }
}

async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs one. */
export async function storm(options: StormOptions): Promise<StormReport> {
  const { kills, stop = 0, stopClient = 0, network, cut = 0, watch } = options;
  const storm = new Storm(options);
  const { ledger, talkers } = storm;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => storm.close());
  await storm.serve();
  await storm.gather(stack);
  const talking = storm.talk();
  for (let kill = 1; kill <= kills; kill++) {
    await storm.kill(kill % 2 === 0);
    await storm.serve();
    watch?.(`${kill} kills, ${storm.last} lines`);
  }
  if (stop > 0) {
    await storm.freeze(storm.server, stop);
    watch?.(`The server was stopped, ${storm.last} lines`);
  }
  const [first] = talkers;
  if (first && stopClient > 0) {
    await storm.freeze(first, stopClient);
    watch?.(`A client was stopped, ${storm.last} lines`);
  }
  if (network && cut > 0) {
    await storm.cut(network, cut);
    watch?.(`The network was cut, ${storm.last} lines`);
  }
  await storm.disperse(talking);
  const lines = await storm.compare();
  const sum = (of: (talker: Talker) => number) =>
    talkers.reduce((total, talker) => total + of(talker), 0);
  const { interrupted, mended } = storm;
  return {
    faults: ledger.faults,
    lines,
    typed: sum(({ typed }) => typed),
    deliveries: ledger.deliveries,
    interrupted,
    losses: sum(({ losses }) => losses),
    mended,
  };
}
