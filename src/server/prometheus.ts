/**
 * Figures in Prometheus' text format (version 0.0.4). Ours because the library for it, prom-client, can't be
 * compiled into an executable by Deno 2.6.
 *
 * @module
 */

import type { Count, Distribution } from "./measures.ts";

/** The format's media type. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Kind = "counter" | "gauge" | "histogram";

/** A named list of figures. */
export class Exposition {
  readonly #prefix: string;
  readonly #families: (() => string)[] = [];

  /** Without figures. @param prefix What every name begins with. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Something that only grows; with a label, a figure for each of its values. */
  count(name: string, help: string, label?: string): Count {
    const amounts = new Map<string, number>();
    if (label === undefined) amounts.set("", 0);
    this.#add(
      "counter",
      name,
      help,
      (full) =>
        [...amounts].map(([value, amount]) => {
          const labels = value === "" ? "" : `{${label}=${quoted(value)}}`;
          return `${full}${labels} ${amount}`;
        }),
    );
    return {
      add: (amount = 1, value = "") =>
        void amounts.set(value, (amounts.get(value) ?? 0) + amount),
    };
  }

  /** Something that is looked up when somebody asks. */
  level(name: string, help: string, look: () => number): void {
    this.#add("gauge", name, help, (full) => [`${full} ${look()}`]);
  }

  /** Something that only grows, and is looked up when somebody asks. */
  total(name: string, help: string, look: () => number): void {
    this.#add("counter", name, help, (full) => [`${full} ${look()}`]);
  }

  /** Something whose values are spread. @param bounds Of the buckets, growing. */
  distribution(
    name: string,
    help: string,
    bounds: readonly number[],
  ): Distribution {
    const buckets = bounds.map((bound) => ({ bound, count: 0 }));
    let count = 0;
    let sum = 0;
    this.#add("histogram", name, help, (full) => [
      ...buckets.map((it) => `${full}_bucket{le="${it.bound}"} ${it.count}`),
      `${full}_bucket{le="+Inf"} ${count}`,
      `${full}_sum ${sum}`,
      `${full}_count ${count}`,
    ]);
    return {
      observe: (value) => {
        count++;
        sum += value;
        for (const bucket of buckets) if (value <= bucket.bound) bucket.count++;
      },
    };
  }

  /** All figures as they are now. */
  text(): string {
    return this.#families.map((family) => family()).join("");
  }

  #add(
    kind: Kind,
    name: string,
    help: string,
    lines: (full: string) => string[],
  ): void {
    const full = this.#prefix + name;
    const head = [`# HELP ${full} ${help}`, `# TYPE ${full} ${kind}`];
    this.#families.push(() =>
      [...head, ...lines(full)].map((line) => `${line}\n`).join("")
    );
  }
}

function quoted(text: string): string {
  return JSON.stringify(text); // the same escapes, for what stands in labels here
}
