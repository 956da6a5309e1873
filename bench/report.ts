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
  type Machine,
  type RestartFigures,
  type SealedCosts,
  type Spread,
  spread,
  type StartFigures,
  type TypingFigures,
  type WebFigures,
} from "./load/figures.ts";
import { JOINS_AT_ONCE, type Settings } from "./load/job.ts";

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
  readonly typing?: TypingFigures;
  readonly clients?: readonly ClientFigures[];
  readonly costs?: Costs;
  readonly delays?: readonly Delays[];
  readonly sealedCosts?: SealedCosts;
}

/** The few figures by which two versions are compared; null for what wasn't measured. */
export type Summary = Readonly<Record<SummaryKey, number | null>>;

type SummaryKey =
  | "saturated_100"
  | "saturated_1000"
  | "hundred_talkers_1000"
  | "lone_100_ms"
  | "lone_1000_ms"
  | "joins_per_second"
  | "kib_per_member";

/** Our server's name in tables. */
export const OURS = "this chat";
/** Its name where the room is sealed. */
export const OURS_SEALED = "this chat, sealed";
/** Its name where its members have the page. */
const OURS_PAGE = "this chat, page";
/** Its name where members come by WebSockets. */
export const OURS_WEB = "this chat, web";

const BY_NATS = ", by NATS";

/** The name of so many servers of ours that share a room. */
export function oursShared(count: number): string {
  return `${count} server${count === 1 ? "" : "s"}${BY_NATS}`;
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

function row(
  place: readonly [server: string, members: number | ""],
  what: string,
  value: Spread,
  [server, load, nats]: readonly Spread[] = [],
): string[] {
  return [
    ...place.map(String),
    what,
    amount(value.median),
    range(value),
    `${value.count}`,
    server ? share(server.median) : "",
    load ? share(load.median) : "",
    nats && nats.max > 0 ? share(nats.median) : "",
  ];
}

function roomRows(figures: Figures): string[][] {
  const { server, saturated, hundredTalkers: talkers } = figures;
  const place = [server, figures.members] as const;
  const { joinServerCpu, joinLoadCpu, joinNatsCpu, loneNatsMs } = figures;
  const joining = [joinServerCpu, joinLoadCpu, joinNatsCpu];
  const lines = [
    row(place, "joins / s", figures.joinsPerSecond, joining),
    row(place, "KiB for each member", figures.kibPerMember),
    row(place, "lone message, ms until all have it", figures.loneMs),
    row(place, "lone message, ms of server CPU", figures.loneServerMs),
  ];
  if (loneNatsMs.max > 0) {
    lines.push(row(place, "lone message, ms of NATS's CPU", loneNatsMs));
  }
  const flows = [["saturated", saturated], ["100 talkers", talkers]] as const;
  for (const [name, flow] of flows) {
    if (!flow) continue;
    const shares = [flow.serverCpu, flow.loadCpu, flow.natsCpu];
    const { deliveriesPerSecond: rate, serverUsPerDelivery: cost } = flow;
    lines.push(
      row(place, `${name}, deliveries / s`, rate, shares),
      row(place, `${name}, server µs / delivery`, cost),
    );
  }
  return lines;
}

function otherRows(
  { listenMs, starts = [], clients = [] }: Report,
): string[][] {
  const place = [OURS, ""] as const;
  const lines: string[][] = [];
  if (listenMs) lines.push(row(place, "server listens after, ms", listenMs));
  for (const { logSize, listenMs: time, memoryMb } of starts) {
    const log = logSize === 0 ? "an empty log" : `a log of ${logSize / 1e9} GB`;
    lines.push(
      row(place, `with ${log} it listens after, ms`, time),
      row(place, `with ${log} it takes, MB`, memoryMb),
    );
  }
  for (const { kind, joinMs, lineMs, memoryMb } of clients) {
    const how = kind === "pipe" ? "by pipes" : "in a terminal";
    lines.push(
      row(place, `client is in after its start, ${how}, ms`, joinMs),
      row(place, `typed line to own screen, ${how}, ms`, lineMs),
      row(place, `client after 100,000 lines, ${how}, MB`, memoryMb),
    );
  }
  return lines;
}

function strangerRows({ costs, delays = [] }: Report): string[][] {
  const named: [string, number | undefined][] = [
    ["says nothing, KiB", costs?.waitingKib],
    ["stopped half-way through its handshake, KiB", costs?.halfwayKib],
    ["leaves at once, ms of server CPU", costs?.leavingMs],
    ["talks rubbish, ms of server CPU", costs?.garbageMs],
    ["has a wrong key, ms of server CPU", costs?.wrongKeyMs],
  ];
  const lines = named.flatMap(([what, value]) =>
    value === undefined
      ? []
      : [row([OURS, ""], `stranger that ${what}`, spread([value]))]
  );
  for (const it of delays) {
    const cpu = spread([it.serverCpu]);
    const all = { median: it.medianMs, min: it.p99Ms, max: it.maxMs };
    const place = [OURS, 100] as const;
    const what = `message, ms (99 % – most), meanwhile ${it.meanwhile}`;
    lines.push(row(place, what, { ...all, count: it.count }, [cpu]));
    if (it.strangersPerSecond === 0) continue;
    const rate = spread([it.strangersPerSecond]);
    lines.push(row(place, "strangers' connections / s meanwhile", rate));
  }
  return lines;
}

function pageRows(report: Report): string[][] {
  const times: [string, Spread | undefined][] = [
    ["link opened until the first message, ms", report.firstMs],
    ["page loaded again until the first message, ms", report.againMs],
    ["link opened until 10,000 messages are there, ms", report.historyMs],
    ["messages that a page keeps up with / s", report.perSecond],
  ];
  const memory: [string, Holdings | undefined][] = [
    ["10 messages", report.small],
    ["10,000 of history", report.long],
    ["40,000 said meanwhile", report.talked],
  ];
  const place = [OURS_PAGE, ""] as const;
  const megabytes = (bytes: number) => spread([bytes / 1e6]);
  return [
    ...times.flatMap(([what, value]) => value ? [row(place, what, value)] : []),
    ...memory.flatMap(([what, held]) =>
      held
        ? [
          row(place, `${what}, MB of JavaScript`, megabytes(held.heap)),
          row(place, `${what}, MB in all`, megabytes(held.process)),
        ]
        : []
    ),
  ];
}

function restartRows(figures: RestartFigures): string[][] {
  const { members, pauses, backMs, servedMs, troubles } = figures;
  const how = pauses ? "restart, clients' pauses" : "restart";
  const of = (what: string, value: Spread) =>
    row([OURS, members], `${how}, ms ${what}`, value);
  return [
    of("until all are back", backMs),
    of("until a message reached all", servedMs),
    of("of server CPU", figures.serverMs),
    of("of load CPU", figures.loadMs),
    ...Object.entries(troubles).map(([why, count]) =>
      row(
        [OURS, members],
        `${how}, dropped or refused: ${why}`,
        spread([count]),
      )
    ),
  ];
}

function sealedRows({ sealedCosts: costs }: Report): string[][] {
  if (!costs) return [];
  const { rekeys, linesPerSecond, lineBytes } = costs;
  const bytes = (size: number) => spread([size]);
  const what = "100-byte line in the log, bytes";
  return [
    ...rekeys.map(({ members, ms }) =>
      row([OURS_SEALED, members], "change of the key, ms of a keeper's", ms)
    ),
    row([OURS_SEALED, ""], "lines verified by a reader / s", linesPerSecond),
    row([OURS_SEALED, ""], what, bytes(lineBytes.sealed)),
    row([OURS, ""], what, bytes(lineBytes.open)),
  ];
}

/** The figures as a table, with a line for each, ended by a line break. */
export function table(report: Report): string {
  const { rooms = [] } = report;
  const rows = [
    ...rooms.flatMap(roomRows),
    ...sealedRows(report),
    ...otherRows(report),
    ...(report.restarts ?? []).flatMap(restartRows),
    ...strangerRows(report),
    ...pageRows(report),
  ];
  // The last column is for servers that share a room alone.
  const isShared = rows.some((line) => line.at(-1) !== "");
  const headings = isShared ? HEADINGS : HEADINGS.slice(0, -1);
  const cells = [headings, ...rows];
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

/** What one must know to believe the table. */
export function notes({ pinning, rooms = [] }: Report): string {
  const sockets = [...new Set(rooms.map((it) => it.sockets))].join(", ");
  const lines = [
    `${pinning[0]?.toUpperCase()}${pinning.slice(1)}.`,
    "Every message has 100 bytes, is sealed, signed and logged; CPU is a share of one processor.",
    "The server runs with its defaults, but for --max-clients, --rate 0 (no limit on one sender) and " +
    `--max-handshakes-per-address (${JOINS_AT_ONCE} join at a time).`,
    `The load reads its sockets by ${sockets}; every member compares every record, and 3 open all of them.`,
  ];
  const servers = new Set(rooms.map(({ server }) => server));
  if (servers.delete(OURS_SEALED)) {
    lines.push(
      "Sealed lines hold 100 bytes each; members check that they come in order, and don't open what is in them.",
    );
  }
  const shared = [...servers].filter((it) => it.endsWith(BY_NATS));
  if (shared.length > 0) {
    lines.push(
      "Of servers that share a room by NATS, CPU is what all of them take together; members are spread evenly over them.",
    );
  }
  for (const name of [OURS, OURS_WEB, ...shared]) servers.delete(name);
  if (servers.size > 0) {
    lines.push(
      "Other servers speak TLS; every member checks the number and size of every message, and 3 every byte.",
    );
  }
  return rooms.length > 0 ? `${lines.join("\n")}\n` : "";
}

/** The summary of what was found. */
export function summary(all: readonly Figures[]): Summary {
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
