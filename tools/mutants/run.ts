/**
 * Puts small faults into the code, one at a time, and tells which of them no unit test notices:
 *
 *         PLACE ──▶ StrykerJS: a copy of the project with all faults in it, each with a switch
 *                ──▶ runner.ts: all unit tests once without, then for each fault those that reach it
 *                ──▶ each fault that stayed, with file and line; how many of 100 were noticed
 *
 * Not counted as noticed is a fault with which a test only hangs.
 *
 * @module
 */

import { Stryker } from "@stryker-mutator/core";
import type { FlagValues } from "../../src/base/flags.ts";
import { print } from "../../src/base/output.ts";
import { runTool } from "../run_tool.ts";

const FLAGS = [
  {
    name: "at-once",
    kind: "integer",
    value: "COUNT",
    default: navigator.hardwareConcurrency,
    min: 1,
    help: "Faults that are tried at a time",
  },
  {
    name: "tests",
    kind: "string",
    value: "PLACE",
    help:
      "Run the tests of this folder or file alone: quicker, and fewer notice",
  },
  {
    name: "words",
    kind: "boolean",
    help: "Try other texts, too: most of them are sentences for people",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

const ABOUT =
  "Puts small faults into the code of PLACE, a folder, a file, lines of one as in src/log/file.ts:10-20, or a pattern like 'src/log/chain*.ts' (default: src), one at a time, and tells which of them no unit test notices.";

/** The longest that all unit tests may take without a fault, minutes. */
const FIRST_RUN = 15;
/** What is allowed a fault beside its tests' own time, ms: runner.ts has a limit for each, which comes first. */
const LONGEST = 300_000;
/** Where the copies are, while it runs. */
const COPIES = "dist/mutants";

/** How a fault ended, by the tool's words. */
type Ended = Awaited<ReturnType<Stryker["runMutationTest"]>>[number];

async function main(
  values: FlagValues<typeof FLAGS>,
  [place = "src"]: readonly string[],
): Promise<number> {
  const excluded = values.words ? [] : ["StringLiteral"];
  const found = await new Stryker({
    mutate: [filesOf(place)],
    testFiles: values.tests === undefined ? [] : [filesOf(values.tests)],
    testRunner: "deno",
    plugins: [new URL("runner.ts", import.meta.url).pathname],
    coverageAnalysis: "perTest",
    ignoreStatic: true,
    mutator: { excludedMutations: excluded, plugins: null },
    concurrency: values["at-once"],
    dryRunTimeoutMinutes: FIRST_RUN,
    timeoutMS: LONGEST,
    disableTypeChecks: false, // which nobody does in the copy
    tempDirName: COPIES,
    ignorePatterns: ["dist/release", "dist/npm"],
    reporters: ["progress-append-only"],
    allowConsoleColors: false,
  }).runMutationTest();
  print(report(found, place));
  return 0;
}

/** A pattern of the files of a place, or the place itself where it is a file, or lines of one. */
function filesOf(place: string): string {
  return /\.ts(:\d+-\d+)?$/.test(place) ? place : `${place}/**/*.ts`;
}

/** What is said in the end. */
function report(found: readonly Ended[], place: string): string {
  const tried = found.filter(({ status }) => status !== "Ignored");
  const of = (status: Ended["status"]) =>
    tried.filter((it) => it.status === status);
  const lines = [
    ...list("no test notices", of("Survived")),
    ...list("no test reaches", of("NoCoverage")),
    ...list("tests only hang", of("Timeout")),
  ];
  const byFile = [...Map.groupBy(tried, pathOf)];
  const files = byFile.length > 1 ? byFile : [];
  const sums = files.map(([path, faults]) => sum(path, faults)).toSorted();
  return `${lines.join("\n")}\n\n${[...sums, sum(place, tried)].join("\n")}\n`;
}

/** How many faults of a place ended in which way. */
function sum(place: string, tried: readonly Ended[]): string {
  const count = (status: Ended["status"]) =>
    tried.filter((it) => it.status === status).length;
  const noticed = count("Killed");
  const share = (100 * noticed / Math.max(1, tried.length)).toFixed(1);
  return `${place}: ${noticed} of ${tried.length} faults noticed (${share} %), ${
    count("Survived")
  } not, ${count("NoCoverage")} not reached, ${count("Timeout")} hang`;
}

function pathOf({ fileName }: Ended): string {
  return fileName.replace(`${Deno.cwd()}/`, "");
}

function list(title: string, faults: readonly Ended[]): string[] {
  return faults.map((fault) => {
    const { location, mutatorName, replacement } = fault;
    const { line, column } = location.start;
    const becomes = (replacement ?? "").replace(/\s+/g, " ").slice(0, 100);
    const what = `${mutatorName}, as ${becomes}`;
    return `${pathOf(fault)}:${line}:${column} ${title}: ${what}`;
  });
}

const TOOL = {
  task: "mutants",
  about: ABOUT,
  flags: FLAGS,
  positionals: ["PLACE"],
};
if (import.meta.main) Deno.exit(await runTool(TOOL, main));
