/**
 * What the tool runs tests by: a process for each file of tests (company.ts), which stays for the faults to come.
 *
 *     no fault:  all files, a process for each ──▶ the time of each test, what each reaches ──▶ tests.json
 *     a fault:   the tests that reach it, those of its own folder first, then the quickest ──▶ which one noticed
 *
 * A fault for which a test runs far longer than without is "timeout", not "killed": nobody noticed, a clock did.
 *
 * @module
 */

import type {
  DryRunOptions,
  DryRunResult,
  MutantRunOptions,
  MutantRunResult,
  TestResult,
} from "@stryker-mutator/api/test-runner";
import { complain } from "../../src/base/output.ts";
import { filesBelow } from "../../tests/kit/folder.ts";
import type { Answer, Order, Reached } from "./company.ts";

/** What begins each answer of a process: all else is what tests print. */
export const SIGN = "\x01";
/** By what a process runs tests. */
const CONFIG = ["-c", "tests/deno.json", "-P=test"];
/** Processes that stay, for each of the tool's own. */
const MAX_STAYING = 40;
/** How long a test may take with a fault, ms: so many times as long as without, and some more. */
const TIMES_LONGER = 5;
const LONGER = 3_000;
/** The longest that the tests without a fault may take for one file, ms. */
const LONGEST = 200_000;
/** How many tests of other folders than the fault's own are run for one. */
const MAX_OTHERS = 60;
/** What the first run found, for the processes that come later; in the copy of the project. */
const FOUND = "tests.json";

interface Known {
  readonly path: string;
  readonly index: number;
  /** ms */
  readonly took: number;
}

/** A process that has the tests of one file. */
class Staying {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string) {
    const args = ["run", "-q", "--no-prompt", "--no-check", ...CONFIG];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...args, "tools/mutants/company.ts", path],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = answers(this.#child.stdout);
  }

  /**
   * Has tests run. @param most How long that may take, ms. @returns "late" if it takes longer, "gone" if the process has
   * ended.
   */
  async ask(order: Order, most: number): Promise<Answer | "late" | "gone"> {
    const text = `${JSON.stringify(order)}\n`;
    const gone = () => "gone" as const;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), most);
    });
    const answer = this.#writer.write(new TextEncoder().encode(text))
      .then(() => this.#lines.next())
      .then(
        ({ done, value }) => done ? gone() : JSON.parse(value) as Answer,
        gone,
      );
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process, whatever it does. */
  end(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    this.#writer.close().catch(() => {});
  }
}

async function* answers(
  bytes: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const at = line.indexOf(SIGN);
      if (at >= 0) yield line.slice(at + SIGN.length);
    }
  }
}

/** The tool's runner of tests. */
class DenoTestRunner {
  readonly #staying = new Map<string, Staying>(); // the one that was asked last is the last
  #known: ReadonlyMap<string, Known> | undefined;

  /** What it can do. */
  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true };
  }

  /** Runs all tests without a fault, or those of the files that are asked for. */
  async dryRun({ testFiles }: DryRunOptions): Promise<DryRunResult> {
    const here = `${Deno.cwd()}/`;
    const asked = new Set(testFiles?.map((it) => it.replace(here, "")));
    const all = await unitTests();
    const paths = asked.size > 0 ? all.filter((it) => asked.has(it)) : all;
    const tests: TestResult[] = [];
    const reached = { static: {}, perTest: {} };
    const known: [string, Known][] = [];
    const next = paths.values();
    const one = async () => {
      for (const path of next) {
        const company = new Staying(path);
        const answer = await company.ask({}, LONGEST);
        company.end();
        if (typeof answer === "string") throw new Error(`${path}: ${answer}`);
        for (const [index, { name, took, why }] of answer.ran.entries()) {
          const id = `${path}#${index}`;
          const what = { id, name, fileName: path, timeSpentMs: took };
          tests.push({ ...what, status: why === undefined ? 0 : 2 });
          if (why === undefined) known.push([id, { path, index, took }]);
          else complain(`Left out, as it fails now: ${path}: ${name}\n`);
        }
        add(reached, answer.reached);
      }
    };
    await Promise.all(
      Array.from({ length: navigator.hardwareConcurrency }, one),
    );
    await Deno.writeTextFile(FOUND, JSON.stringify(known));
    const result = { status: "complete", tests, mutantCoverage: reached };
    return result as unknown as DryRunResult;
  }

  /** Runs the tests that may notice a fault. */
  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, sandboxFileName, mutantActivation, hitLimit } =
      options;
    this.#known ??= new Map(JSON.parse(await Deno.readTextFile(FOUND)));
    const known = this.#known;
    const ids = options.testFilter ?? [...known.keys()];
    const all = ids.flatMap((id) => known.get(id) ?? []);
    const own = /\/src\/(.*)\/[^/]+$/.exec(sandboxFileName)?.[1] ?? "";
    const isOwn = ({ path }: Known) => path.startsWith(`tests/unit/${own}/`);
    const quickest = (tests: readonly Known[]) =>
      tests.toSorted((a, b) => a.took - b.took);
    const chosen = [
      ...quickest(all.filter(isOwn)),
      ...quickest(all.filter((it) => !isOwn(it))).slice(0, MAX_OTHERS),
    ];
    const isEarly = mutantActivation === "static";
    let count = 0;
    for (const [path, tests] of Map.groupBy(chosen, (it) => it.path)) {
      const order: Order = {
        tests: tests.map(({ index }) => index),
        fault: activeMutant.id,
        isEarly,
        limit: hitLimit,
      };
      const usual = tests.reduce((sum, { took }) => sum + took, 0);
      const most = TIMES_LONGER * usual + LONGER;
      const answer = await this.#ask(path, order, most);
      if (answer === "late") return of({ status: "timeout", reason: path });
      if (answer === "gone") {
        const failureMessage = "the process ended";
        const killedBy = [`${path}#${tests[0]?.index}`];
        count += tests.length;
        return of({
          status: "killed",
          killedBy,
          failureMessage,
          nrOfTests: count,
        });
      }
      count += answer.ran.length;
      const index = answer.ran.findIndex(({ why }) => why !== undefined);
      const failureMessage = answer.ran[index]?.why;
      if (failureMessage === undefined) continue;
      const killedBy = [`${path}#${tests[index]?.index}`];
      return of(
        failureMessage.startsWith("Stryker: Hit count")
          ? { status: "timeout", reason: failureMessage }
          : { status: "killed", killedBy, failureMessage, nrOfTests: count },
      );
    }
    return of({ status: "survived", nrOfTests: count });
  }

  async #ask(
    path: string,
    order: Order,
    most: number,
  ): Promise<Answer | "late" | "gone"> {
    const staying = order.isEarly ? undefined : this.#staying.get(path);
    const it = staying ?? new Staying(path);
    // How long a process takes to start on a busy machine says nothing of the tests.
    const start = staying
      ? undefined
      : await it.ask({ ...order, tests: [] }, LONGEST);
    const answer = typeof start === "string"
      ? start
      : await it.ask(order, most);
    this.#staying.delete(path);
    if (order.isEarly || typeof answer === "string" || answer.isSpoilt) {
      it.end();
    } else this.#staying.set(path, it);
    const [oldest] = this.#staying;
    if (oldest && this.#staying.size > MAX_STAYING) {
      this.#staying.delete(oldest[0]);
      oldest[1].end();
    }
    return answer;
  }

  /** Ends what stays. */
  dispose(): Promise<void> {
    for (const it of this.#staying.values()) it.end();
    return Promise.resolve();
  }
}

/** Its results as they are written, without its own enumerations. */
function of(result: Readonly<Record<string, unknown>>): MutantRunResult {
  return result as unknown as MutantRunResult;
}

/** The files of unit tests, but for those of benchmarks, which measure: paths from the copy's root. */
async function unitTests(): Promise<string[]> {
  const root = new URL(`file://${Deno.cwd()}/`);
  const files = await Array.fromAsync(filesBelow(new URL("tests/unit/", root)));
  return files.map(({ href }) => href.slice(root.href.length))
    .filter((path) => path.endsWith("_test.ts") && !/\/bench\//.test(path))
    .toSorted();
}

function add(
  sum: { static: Record<string, number>; perTest: Record<string, unknown> },
  more: Reached | undefined,
): void {
  for (const [fault, count] of Object.entries(more?.static ?? {})) {
    sum.static[fault] = (sum.static[fault] ?? 0) + count;
  }
  Object.assign(sum.perTest, more?.perTest);
}

/** What the tool takes from this module. */
export const strykerPlugins = [
  { kind: "TestRunner", name: "deno", injectableClass: DenoTestRunner },
];
