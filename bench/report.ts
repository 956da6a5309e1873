/**
 * What the benchmark shows: a table for people, and one object for programs.
 *
 * @module
 */

import {
  type ClientFigures,
  type Costs,
  type Delays,
  type Figures,
  type Holdings,
  type RestartFigures,
  type SealedCosts,
  type Spread,
  spread,
  type StartFigures,
  type WebFigures,
} from "./load/figures.ts";
import type { Settings } from "./load/job.ts";
import type { Machine } from "./load/machine.ts";

/** All that was found: what `--json` writes. */
export interface Report extends Partial<WebFigures> {
  readonly date: string;
  readonly version: string;
  readonly machine: Machine;
  readonly pinning: string;
  readonly settings: Settings;
  readonly summary: Summary;
  /** From the start of the process until it listens, ms. */
  readonly listenMs?: Spread;
  readonly rooms?: readonly Figures[];
  readonly starts?: readonly StartFigures[];
  readonly restarts?: readonly RestartFigures[];
  readonly clients?: readonly ClientFigures[];
  readonly costs?: Costs;
  readonly delays?: readonly Delays[];
  readonly sealedCosts?: SealedCosts;
}

/** The few figures by which two versions are compared; null for what wasn't measured. */
export type Summary = ReturnType<typeof summary>;

/** Our server's name in tables. */
export const OURS = "this chat";
/** Its name where the room is sealed. */
export const OURS_SEALED = "this chat, sealed";
/** Its name where its members have the page. */
const OURS_PAGE = "this chat, page";
/** Its name where members come by WebSockets. */
export const OURS_WEB = "this chat, web";

/** The name of so many servers of ours that share a room. */
export function oursShared(count: number): string {
  return `${count} server${count === 1 ? "" : "s"}, by NATS`;
}

const HEADINGS = [
  "server",
  "members",
  "what",
  "median",
  "min – max",
  "of",
  "server CPU",
  "load CPU",
  "NATS CPU",
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

/** A line of the table: what, its value, and shares of a processor, as the headings have them. */
type Line = readonly [
  what: string,
  value: Spread | number,
  shares?: readonly Spread[],
];

/** Lines for those of some values that were found, with what to call them. */
function lines<K extends string>(
  found:
    | { readonly [N in NoInfer<K>]?: Spread | number | undefined }
    | undefined,
  words: Readonly<Record<K, string>>,
): Line[] {
  const names = Object.keys(words) as K[];
  return names.flatMap((name): Line[] => {
    const value = found?.[name];
    return value === undefined ? [] : [[words[name], value]];
  });
}

/** Rows of the table about one server; members: how many, where it matters. */
function rows(
  server: string,
  members: number | "",
  all: readonly Line[],
): string[][] {
  return all.map(([what, found, shares = []]) => {
    const [cpu, load, nats] = shares;
    const value = typeof found === "number" ? spread([found]) : found;
    return [
      server,
      `${members}`,
      what,
      amount(value.median),
      range(value),
      `${value.count}`,
      cpu ? share(cpu.median) : "",
      load ? share(load.median) : "",
      nats && nats.max > 0 ? share(nats.median) : "",
    ];
  });
}

function roomRows(figures: Figures): string[][] {
  const { joinServerCpu, joinLoadCpu, joinNatsCpu, loneNatsMs } = figures;
  const shares = [joinServerCpu, joinLoadCpu, joinNatsCpu];
  const flows = [
    ["saturated", figures.saturated],
    ["100 talkers", figures.hundredTalkers],
  ] as const;
  const natsMs = loneNatsMs.max > 0 ? loneNatsMs : undefined;
  return rows(figures.server, figures.members, [
    ["joins / s", figures.joinsPerSecond, shares],
    ...lines({ ...figures, natsMs }, {
      kibPerMember: "KiB for each member",
      loneMs: "lone message, ms until all have it",
      loneServerMs: "lone message, ms of server CPU",
      natsMs: "lone message, ms of NATS's CPU",
    }),
    ...flows.flatMap(([name, flow]): Line[] => {
      if (!flow) return [];
      const { deliveriesPerSecond, serverCpu, loadCpu, natsCpu } = flow;
      const shares = [serverCpu, loadCpu, natsCpu];
      return [
        [`${name}, deliveries / s`, deliveriesPerSecond, shares],
        [`${name}, server µs / delivery`, flow.serverUsPerDelivery],
      ];
    }),
  ]);
}

function startLines(figures: StartFigures): Line[] {
  const { logSize } = figures;
  const log = logSize === 0 ? "an empty log" : `a log of ${logSize / 1e9} GB`;
  return lines(figures, {
    listenMs: `with ${log} it listens after, ms`,
    memoryMb: `with ${log} it takes, MB`,
  });
}

function clientLines(figures: ClientFigures): Line[] {
  const how = figures.kind === "pipe" ? "by pipes" : "in a terminal";
  return lines(figures, {
    joinMs: `client is in after its start, ${how}, ms`,
    lineMs: `typed line to own screen, ${how}, ms`,
    memoryMb: `client after 100,000 lines, ${how}, MB`,
  });
}

function restartRows(figures: RestartFigures): string[][] {
  const { members, pauses, troubles } = figures;
  const how = pauses ? "restart, clients' pauses" : "restart";
  return rows(OURS, members, [
    ...lines(figures, {
      backMs: `${how}, ms until all are back`,
      servedMs: `${how}, ms until a message reached all`,
      serverMs: `${how}, ms of server CPU`,
      loadMs: `${how}, ms of load CPU`,
    }),
    ...Object.entries(troubles).map(([why, count]): Line => {
      return [`${how}, dropped or refused: ${why}`, count];
    }),
  ]);
}

function sealedRows({ rekeys, lineBytes, ...costs }: SealedCosts): string[][] {
  const size = "100-byte line in the log, bytes";
  return [
    ...rekeys.flatMap(({ members, ms }) =>
      rows(OURS_SEALED, members, [["change of the key, ms of a keeper's", ms]])
    ),
    ...rows(OURS_SEALED, "", [
      ["lines verified by a reader / s", costs.linesPerSecond],
      [size, lineBytes.sealed],
    ]),
    ...rows(OURS, "", [[size, lineBytes.open]]),
  ];
}

function delayRows(delays: Delays): string[][] {
  const { meanwhile, strangersPerSecond: rate, count } = delays;
  const { medianMs: median, p99Ms: min, maxMs: max } = delays;
  const what = `message, ms (99 % – most), meanwhile ${meanwhile}`;
  const cpu = spread([delays.serverCpu]);
  return rows(OURS, 100, [
    [what, { median, min, max, count }, [cpu]],
    ...lines({ rate: rate === 0 ? undefined : rate }, {
      rate: "strangers' connections / s meanwhile",
    }),
  ]);
}

function pageLines(report: Report): Line[] {
  const memory = (what: string, held: Holdings | undefined): Line[] =>
    held
      ? [
        [`${what}, MB of JavaScript`, held.heap / 1e6],
        [`${what}, MB in all`, held.process / 1e6],
      ]
      : [];
  return [
    ...lines(report, {
      firstMs: "link opened until the first message, ms",
      againMs: "page loaded again until the first message, ms",
      historyMs: "link opened until 10,000 messages are there, ms",
      perSecond: "messages that a page keeps up with / s",
    }),
    ...memory("10 messages", report.small),
    ...memory("10,000 of history", report.long),
    ...memory("40,000 said meanwhile", report.talked),
  ];
}

/** The figures as a table, with a line for each, ended by a line break. */
export function table(report: Report): string {
  const { rooms = [], starts = [], clients = [], restarts = [] } = report;
  const { sealedCosts, delays = [] } = report;
  const all = [
    ...rooms.flatMap(roomRows),
    ...sealedCosts ? sealedRows(sealedCosts) : [],
    ...rows(OURS, "", [
      ...lines(report, { listenMs: "server listens after, ms" }),
      ...starts.flatMap(startLines),
      ...clients.flatMap(clientLines),
    ]),
    ...restarts.flatMap(restartRows),
    ...rows(
      OURS,
      "",
      lines(report.costs, {
        waitingKib: "stranger that says nothing, KiB",
        halfwayKib: "stranger that stopped half-way through its handshake, KiB",
        leavingMs: "stranger that leaves at once, ms of server CPU",
        garbageMs: "stranger that talks rubbish, ms of server CPU",
        wrongKeyMs: "stranger that has a wrong key, ms of server CPU",
      }),
    ),
    ...delays.flatMap(delayRows),
    ...rows(OURS_PAGE, "", pageLines(report)),
  ];
  // The last column is for servers that share a room alone.
  const isShared = all.some((line) => line.at(-1) !== "");
  const headings = isShared ? HEADINGS : HEADINGS.slice(0, -1);
  const cells = [headings, ...all];
  const widths = headings.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0))
  );
  const padded = cells.map((line) =>
    headings.map((_, column) => {
      const cell = line[column] ?? "";
      const width = widths[column] ?? 0;
      return column === 0 || column === 2
        ? cell.padEnd(width)
        : cell.padStart(width);
    }).join("  ").trimEnd()
  );
  padded.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return `${padded.join("\n")}\n`;
}

/** The summary of what was found. */
export function summary(all: readonly Figures[]) {
  const ours = all.filter(({ server }) => server === OURS);
  const of = (members: number) => ours.find((it) => it.members === members);
  const largest = ours.at(-1);
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
