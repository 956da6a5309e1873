/**
 * What the benchmark shows: a table for people, and one object for programs. Knows nothing of how the figures
 * came about.
 *
 * @module
 */

import type { Figures, Spread } from "./figures.ts";

const HEADINGS = [
  "members",
  "what",
  "median",
  "min – max",
  "server CPU",
  "load CPU",
];

function amount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 3);
}

function range({ min, max }: Spread): string {
  return `${amount(min)} – ${amount(max)}`;
}

function share(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}

function row(
  members: number,
  what: string,
  value: Spread,
  [server, load]: readonly Spread[] = [],
): string[] {
  return [
    `${members}`,
    what,
    amount(value.median),
    range(value),
    server ? share(server.median) : "",
    load ? share(load.median) : "",
  ];
}

function rows(figures: Figures): string[][] {
  const { members, saturated, hundredTalkers: talkers } = figures;
  const joining = [figures.joinServerCpu, figures.joinLoadCpu];
  const lines = [
    row(members, "joins / s", figures.joinsPerSecond, joining),
    row(members, "KiB for each member", figures.kibPerMember),
    row(members, "lone message, ms until all have it", figures.loneMs),
    row(members, "lone message, ms of server CPU", figures.loneServerMs),
  ];
  const flows = [["saturated", saturated], ["100 talkers", talkers]] as const;
  for (const [name, flow] of flows) {
    if (!flow) continue;
    const shares = [flow.serverCpu, flow.loadCpu];
    const { deliveriesPerSecond: rate, serverUsPerDelivery: cost } = flow;
    lines.push(
      row(members, `${name}, deliveries / s`, rate, shares),
      row(members, `${name}, server µs / delivery`, cost),
    );
  }
  return lines;
}

/** The figures as a table, with a line for each, ended by a line break. */
export function table(
  listening: Spread,
  all: readonly Figures[],
): string {
  const cells = [
    HEADINGS,
    row(0, "server listens after, ms", listening),
    ...all.flatMap(rows),
  ];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0))
  );
  const padded = cells.map((line) =>
    line.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 1 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
  padded.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return `${padded.join("\n")}\n`;
}

/** The few figures by which two versions are compared; null for what wasn't measured. */
export function summary(all: readonly Figures[]) {
  const of = (members: number) => all.find((it) => it.members === members);
  const largest = all.at(-1);
  const rounded = (value: number | undefined, digits: number) =>
    value === undefined ? null : Number(value.toFixed(digits));
  const rate = (flow: Figures["hundredTalkers"]) =>
    rounded(flow?.deliveriesPerSecond.median, 0);
  return {
    saturated_100: rate(of(100)?.saturated),
    saturated_1000: rate(of(1_000)?.saturated),
    hundred_talkers_1000: rate(of(1_000)?.hundredTalkers),
    lone_100_ms: rounded(of(100)?.loneMs.median, 3),
    lone_1000_ms: rounded(of(1_000)?.loneMs.median, 3),
    joins_per_second: rounded(of(1_000)?.joinsPerSecond.median, 0),
    kib_per_member: rounded(largest?.kibPerMember.median, 1),
  };
}
