/**
 * What the web page takes in a browser: how soon it shows a message, how many it keeps up with, and its memory.
 *
 *     deno task browser [--json FILE]
 *
 * @module
 */

import { parseFlags } from "../../src/base/flags.ts";
import { helpText } from "../../src/base/help.ts";
import { print } from "../../src/base/output.ts";
import { exitCodeOf } from "../load/command.ts";
import type { Spread } from "../load/figures.ts";
import { machine } from "../load/machine.ts";
import { type Holdings, measure, type WebFigures } from "./measure.ts";

const JOB = { openings: 11, runs: 3, history: 10_000, talk: 40_000 };

const FLAGS = [
  { name: "json", kind: "string", value: "FILE", help: "Write all figures" },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

const HEADING = ["", "median", "min – max", "of"];

function row(what: string, { median, min, max, count }: Spread): string[] {
  const whole = (value: number) => value.toFixed(0);
  return [what, whole(median), `${whole(min)} – ${whole(max)}`, whole(count)];
}

function memoryRow(what: string, { heap, process }: Holdings): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return `${what}: ${megabytes(heap)} of JavaScript, ${
    megabytes(process)
  } in all\n`;
}

function table(figures: WebFigures): string {
  const rows = [
    HEADING,
    row("link opened until the first message, ms", figures.firstMs),
    row("page loaded again until the first message, ms", figures.againMs),
    row("link opened until 10,000 messages are there, ms", figures.historyMs),
    row("messages a second that a page keeps up with", figures.perSecond),
  ];
  const widths = HEADING.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0))
  );
  const lines = rows.map((cells) =>
    cells.map((cell, column) =>
      column === 0
        ? cell.padEnd(widths[column] ?? 0)
        : cell.padStart(widths[column] ?? 0)
    ).join("  ").trimEnd()
  );
  return `${
    lines.join("\n")
  }\n\nMemory of a page after its garbage is collected\n${
    memoryRow("  10 messages", figures.small)
  }${memoryRow("  10,000 of history", figures.long)}${
    memoryRow("  40,000 that were said meanwhile", figures.talked)
  }`;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseFlags(args, FLAGS, { positionals: 0 });
  if (values.help) {
    const about = "Measures the web page in Debian's Chromium.";
    return print(helpText("deno task browser [FLAGS]", about, FLAGS));
  }
  const figures = await measure(JOB);
  print(`Chromium ${figures.browser}, server and browser on one machine\n\n`);
  print(table(figures));
  if (values.json === undefined) return;
  const all = { machine: await machine(), ...figures };
  await Deno.writeTextFile(values.json, `${JSON.stringify(all, null, 2)}\n`);
}

if (import.meta.main) Deno.exit(await exitCodeOf(() => main(Deno.args)));
