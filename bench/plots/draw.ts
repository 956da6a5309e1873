/**
 * Draws how cost grows with a room: four plots, as SVG beside this file, from what `deno task bench --json` wrote.
 *
 *     deno task draw ../results/*.json
 *
 * This folder has a deno.json and a deno.lock of its own: what draws is ten times as much as all that the programs
 * use, and would be embedded in their single executables.
 *
 * @module
 */

import type { Report } from "../report.ts";
import type { Figures, Spread } from "../load/figures.ts";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const WIDTH = 420;
const HEIGHT = 260;
/** Readable on white and on black, and without telling red from green. */
const COLOURS = ["#0072b2", "#d55e00", "#cc79a7"];

/** One plot. */
interface Plot {
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  /** What is drawn of a room, with a line from `min` to `max`; undefined where it wasn't measured. */
  value(room: Figures): Spread | undefined;
}

const PLOTS: readonly Plot[] = [
  {
    file: "throughput",
    title: "Saturated room: deliveries a second",
    unit: "deliveries / s",
    value: (room) => room.saturated?.deliveriesPerSecond,
  },
  {
    file: "lone",
    title: "Lone message: time until all have it",
    unit: "ms",
    value: (room) => room.loneMs,
  },
  {
    file: "memory",
    title: "Server's memory for each member, from an empty one",
    unit: "KiB",
    value: (room) => room.kibPerMemberFromEmpty,
  },
  {
    file: "joins",
    title: "Time for one join into the room",
    unit: "ms",
    value: ({ joinsPerSecond: { median, min, max, count } }) => ({
      median: 1_000 / median,
      min: 1_000 / max,
      max: 1_000 / min,
      count,
    }),
  },
];

function specification(
  { title, unit, value }: Plot,
  rooms: readonly Figures[],
): TopLevelSpec {
  const servers = [...new Set(rooms.map(({ server }) => server))];
  const values = rooms.flatMap((room) => {
    const { members, server } = room;
    const found = value(room);
    return found ? [{ members, server, ...found }] : [];
  });
  const scale = { type: "log" } as const;
  const sizes = [...new Set(rooms.map(({ members }) => members))];
  const y = (field: string) => ({
    field,
    type: "quantitative" as const,
    scale,
    axis: { title: unit, format: "~s" },
  });
  return {
    title,
    width: WIDTH,
    height: HEIGHT,
    background: "white",
    data: { values },
    encoding: {
      x: {
        field: "members",
        type: "quantitative",
        scale,
        axis: { title: "members", values: sizes, format: ",d" },
      },
      color: {
        field: "server",
        type: "nominal",
        scale: { domain: servers, range: COLOURS },
        legend: { title: null },
      },
    },
    layer: [
      {
        mark: "rule",
        encoding: { y: y("min"), y2: { field: "max" } },
      },
      {
        mark: { type: "line", point: true },
        encoding: { y: y("median") },
      },
    ],
  };
}

async function draw(plot: Plot, rooms: readonly Figures[]): Promise<void> {
  const { spec } = compile(specification(plot, rooms));
  const svg = await new View(parse(spec), { renderer: "none" }).toSVG();
  await Deno.writeTextFile(`${plot.file}.svg`, `${svg}\n`);
}

async function roomsIn(path: string): Promise<readonly Figures[]> {
  const report: Report = JSON.parse(await Deno.readTextFile(path));
  return report.rooms ?? [];
}

if (import.meta.main) {
  const rooms = (await Promise.all(Deno.args.map(roomsIn))).flat()
    .toSorted((a, b) => a.members - b.members);
  if (rooms.length === 0) throw new Error("Cannot draw: no rooms were named");
  for (const plot of PLOTS) await draw(plot, rooms);
}
