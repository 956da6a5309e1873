/**
 * `deno task fuzz`: fuzzes for as long as it is told, watches that it goes on, and says what came of it.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { complain, print } from "../../../src/base/output.ts";
import { Folder } from "../../kit/folder.ts";
import { runTask } from "../../kit/task.ts";
import type { Failure, Tally } from "./fuzzer.ts";
import type { Order } from "./worker.ts";

const FLAGS = [
  {
    name: "seconds",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: 1_000_000,
    default: 60,
    help: "Go on for so long",
  },
  {
    name: "seed",
    kind: "integer",
    value: "NUMBER",
    min: 0,
    max: 2 ** 31,
    help: "Make the same inputs as the run that had this seed",
  },
  {
    name: "parser",
    kind: "string",
    value: "NAME",
    help: "Try this one only; a name that there isn't shows all",
  },
] as const;

/** What one case may take, ms: one that takes more hangs. */
const MAX_SILENCE = 20_000;
/** How often that is looked at, ms. */
const LOOK_PERIOD = 1_000;
/** How much the heap may grow between the first tenth and the last: this factor, and so many bytes. */
const HEAP_FACTOR = 1.2;
const HEAP_SLACK = 8 * 1_048_576;
/** The largest input, and the numbers before it in the shared memory, bytes. */
const SHARED_SIZE = 12 + 65_536;

type Message =
  | { kind: "names"; names: string[] }
  | { kind: "tallies"; tallies: Tally[]; heaps: number[] }
  | { kind: "end"; failure: Failure | undefined };

/** Runs the worker to its end, or until it hangs. */
class Run {
  readonly #order: Order;
  readonly #worker: Worker;
  readonly #end = Promise.withResolvers<number>();
  readonly #timer: ReturnType<typeof setInterval>;
  #tallies: Tally[] = [];
  #heaps: number[] = [];
  #lastCount = -1;
  #silence = 0;

  constructor(order: Order) {
    this.#order = order;
    const url = new URL("./worker.ts", import.meta.url);
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#told(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail({ where: "the thread", error: event.message, input: "" });
    };
    this.#worker.postMessage(order);
    this.#timer = setInterval(() => this.#look(), LOOK_PERIOD);
  }

  /** @returns The exit code. */
  async finished(): Promise<number> {
    const code = await this.#end.promise;
    clearInterval(this.#timer);
    this.#worker.terminate();
    return code;
  }

  #look(): void {
    const [count = 0, size = 0] = new Int32Array(this.#order.shared, 0, 3);
    this.#silence = count === this.#lastCount ? this.#silence + LOOK_PERIOD : 0;
    this.#lastCount = count;
    if (this.#silence < MAX_SILENCE) return;
    const input = new Uint8Array(this.#order.shared, 12, size).slice().toHex();
    this.#fail({ where: "a hang", error: "It doesn't come back", input });
  }

  #told(message: Message): void {
    if (message.kind === "names") {
      complain(`There are: ${message.names.join(" ")}\n`);
      this.#end.resolve(2);
    } else if (message.kind === "tallies") {
      ({ tallies: this.#tallies, heaps: this.#heaps } = message);
    } else if (message.failure) {
      this.#fail(message.failure);
    } else {
      this.#end.resolve(this.#report());
    }
  }

  #fail({ where, error, input }: Failure): void {
    this.#report();
    const path = `fuzz-${this.#order.seed}.txt`;
    const text = `${where}\nseed ${this.#order.seed}\n${error}\n\n${input}\n`;
    Deno.writeTextFileSync(path, text);
    complain(`\nFailed: ${text.slice(0, 4_000)}\nIt is in ${path}\n`);
    this.#end.resolve(1);
  }

  /** @returns The exit code. */
  #report(): number {
    let [cases, time] = [0, 0];
    for (const tally of this.#tallies) {
      const rate = Math.round(tally.cases / tally.time * 1_000);
      print(
        `${tally.name.padEnd(18)} ${String(tally.cases).padStart(10)} cases ` +
          `${String(rate).padStart(8)}/s ${
            String(tally.outcomes).padStart(4)
          } outcomes\n`,
      );
      cases += tally.cases;
      time += tally.time;
    }
    const [first = 0] = this.#heaps;
    const last = this.#heaps.at(-1) ?? 0;
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    const rate = Math.round(cases / Math.max(1, time) * 1_000);
    print(
      `${cases} cases, ${rate}/s, seed ${this.#order.seed}; ` +
        `heap ${mb(first)} after a tenth, ${mb(last)} at the end\n`,
    );
    if (last <= first * HEAP_FACTOR + HEAP_SLACK) return 0;
    complain("The heap has grown\n");
    return 1;
  }
}

async function main(): Promise<number> {
  const { values } = parseFlags(Deno.args, FLAGS, { positionals: 0 });
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  const { seconds, parser, seed = random >>> 1 } = values;
  await using temporary = await Folder.make();
  const shared = new SharedArrayBuffer(SHARED_SIZE);
  print(`Fuzzing for ${seconds} s with seed ${seed}\n`);
  const folder = temporary.path;
  const run = new Run({ seed, seconds, parser, folder, shared });
  return await run.finished();
}

await runTask(main);
