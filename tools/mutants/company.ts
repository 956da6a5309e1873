/**
 * Runs the tests of one file in this process, as often as its standard input asks for, with one fault at a time:
 *
 *     {"tests": [3], "fault": "17", "limit": 900} ──▶ each test, until one fails ──▶ \x01{"ran": [{"why": …}], "isSpoilt": …}
 *
 * What is loaded has all faults in it, and the one that is on is a number in `__stryker__`. Tests are named by their
 * places in the file. One that failed is run once more without the fault: if it fails again, this process is no longer
 * what it was, and says so. A test that can't go on ends the process.
 *
 * @module
 */

import { print } from "../../src/base/output.ts";
import { SIGN } from "./runner.ts";

/** What is asked for. */
export interface Order {
  /** The tests, by their places in the file, in this order; none asks for all, one after the other, and what each reaches. */
  readonly tests?: readonly number[];
  /** The fault that is on. */
  readonly fault?: string;
  /** Whether it is on from the first module on. */
  readonly isEarly?: boolean;
  /** How often it may be met, where it may never end. */
  readonly limit?: number | undefined;
}

/** How one test went. */
export interface Ran {
  readonly name: string;
  /** ms */
  readonly took: number;
  /** Why it failed. */
  readonly why?: string;
}

/** What is answered. */
export interface Answer {
  /** The tests, in the order in which they ran: the last one may have failed. */
  readonly ran: readonly Ran[];
  /** How often each fault was met while no test ran, and by each test. */
  readonly reached?: Reached;
  /** Whether the process isn't what it was. */
  readonly isSpoilt: boolean;
}

/** How often faults were met. */
export interface Reached {
  readonly static: Readonly<Record<string, number>>;
  readonly perTest: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What the faults look at, by the names that the tool's instrumented code uses. */
interface Switch {
  activeMutant: string | null;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: Reached;
}

interface Test {
  readonly name: string;
  readonly run: (context: unknown) => unknown;
}

async function serve(): Promise<void> {
  const { setTimeout: later } = globalThis; // before any test has another
  const faults: Switch = { activeMutant: null };
  Object.assign(globalThis, { __stryker__: faults });
  let company: Company | undefined;
  for (const order of orders()) {
    if (order.isEarly) faults.activeMutant = order.fault ?? null;
    company ??= await Company.load(Deno.args[0] ?? "", faults, later);
    const answer = await company.run(order);
    print(`${SIGN}${JSON.stringify(answer)}\n`);
  }
  Deno.exit(0); // whatever tests have left open
}

/**
 * What is asked for, until there is no more. Waits for it outside of the event loop, in which nothing may be left while a
 * test waits for what can't happen any more: that ends the process, as it ends `deno test`, and needs no clock.
 */
function* orders(): Generator<Order> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  let rest = "";
  for (let read; (read = Deno.stdin.readSync(buffer)) !== null;) {
    rest += decoder.decode(buffer.subarray(0, read), { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

/** The tests of a file. */
class Company {
  readonly #faults: Switch;
  readonly #later: typeof setTimeout;
  readonly #tests: Test[] = [];
  readonly #hooks = { beforeEach: [], afterEach: [] } as Record<
    "beforeEach" | "afterEach",
    (() => unknown)[]
  >;
  /** Ends a test for which something failed that nobody waited for. */
  #fail: (error: unknown) => void = () => {};

  private constructor(faults: Switch, later: typeof setTimeout) {
    this.#faults = faults;
    this.#later = later;
  }

  static async load(
    path: string,
    faults: Switch,
    later: typeof setTimeout,
  ): Promise<Company> {
    const it = new Company(faults, later);
    const take = (...parts: readonly unknown[]) => it.#take(parts);
    const none = () => {};
    Object.defineProperty(Deno, "test", {
      value: Object.assign(take, {
        beforeEach: (hook: () => unknown) => it.#hooks.beforeEach.push(hook),
        afterEach: (hook: () => unknown) => it.#hooks.afterEach.push(hook),
        beforeAll: none,
        afterAll: none,
        ignore: none,
      }),
    });
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      it.#fail(event.reason);
    });
    addEventListener("error", (event) => {
      event.preventDefault();
      it.#fail(event.error);
    });
    await import(new URL(path, `file://${Deno.cwd()}/`).href);
    return it;
  }

  /** One test, by any of the ways in which `Deno.test` takes them. */
  #take(parts: readonly unknown[]): void {
    let name = "";
    let run: Test["run"] | undefined;
    let ignore = false;
    for (const part of parts) {
      if (typeof part === "string") name = part;
      else if (typeof part === "function") {
        run = part as Test["run"];
        name ||= part.name;
      } else {
        const given = part as Deno.TestDefinition;
        name = given.name ?? name;
        run = given.fn as Test["run"] ?? run;
        ignore = given.ignore ?? ignore;
      }
    }
    if (run && !ignore) this.#tests.push({ name, run });
  }

  async run({ tests, fault, limit }: Order): Promise<Answer> {
    const faults = this.#faults;
    const ran: Ran[] = [];
    const all = tests ?? this.#tests.keys();
    for (const index of all) {
      const test = this.#tests[index];
      if (!test) continue;
      faults.activeMutant = fault ?? null;
      faults.hitCount = limit === undefined ? undefined : 0;
      faults.hitLimit = limit;
      faults.currentTestId = `${Deno.args[0]}#${index}`;
      const result = await this.#try(test);
      faults.currentTestId = undefined;
      faults.activeMutant = null;
      ran.push(result);
      if (fault === undefined || result.why === undefined) continue;
      const isSpoilt = (await this.#try(test)).why !== undefined;
      return { ran, isSpoilt };
    }
    const reached = tests ? {} : { reached: faults.mutantCoverage };
    return { ran, ...reached, isSpoilt: false } as Answer;
  }

  async #try({ name, run }: Test): Promise<Ran> {
    const start = performance.now();
    const failed = new Promise<never>((_, reject) => this.#fail = reject);
    failed.catch(() => {});
    const whole = async () => {
      for (const hook of this.#hooks.beforeEach) await hook();
      await run({ name, step: () => Promise.reject(new Error("no steps")) });
      for (const hook of this.#hooks.afterEach) await hook();
      await new Promise((go) => this.#later(go)); // what nobody waited for fails now
    };
    try {
      await Promise.race([whole(), failed]);
    } catch (error) {
      const why = String(error instanceof Error ? error.message : error);
      return { name, took: performance.now() - start, why: why || "failed" };
    } finally {
      this.#fail = () => {};
    }
    return { name, took: performance.now() - start };
  }
}

if (import.meta.main) await serve();
