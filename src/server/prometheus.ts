/**
 * Figures in Prometheus' text format (version 0.0.4), and the same for OpenTelemetry. docs/design.md says why no
 * library writes that format here.
 *
 * @module
 */

import type { Count, Distribution } from "./measures.ts";
import type { Labels, Meter } from "./telemetry.ts";

/** The format's media type. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Kind = "counter" | "gauge";
/** What a figure is now, for each of its labels. */
type Sample = readonly [value: number, labels: Labels];

const NONE: Labels = {};

/** A named list of figures. */
export class Exposition {
  readonly #prefix: string;
  readonly #meter: Meter | undefined;
  readonly #families: (() => string)[] = [];

  /** Without figures. @param prefix What every name begins with. @param meter Is told them, too. */
  constructor(prefix: string, meter?: Meter) {
    this.#prefix = prefix;
    this.#meter = meter;
  }

  /** Something that only grows; with a label, a figure for each of its values. */
  count(name: string, help: string, label?: string): Count {
    const amounts = new Map<string, number>();
    if (label === undefined) amounts.set("", 0);
    this.#add(
      "counter",
      name,
      help,
      () =>
        [...amounts].map(([value, amount]): Sample => [
          amount,
          label === undefined ? NONE : { [label]: value },
        ]),
    );
    return {
      add: (amount = 1, value = "") =>
        void amounts.set(value, (amounts.get(value) ?? 0) + amount),
    };
  }

  /** Something that is looked up when somebody asks. */
  level(name: string, help: string, look: () => number): void {
    this.#add("gauge", name, help, () => [[look(), NONE]]);
  }

  /** Something that only grows, and is looked up when somebody asks. */
  total(name: string, help: string, look: () => number): void {
    this.#add("counter", name, help, () => [[look(), NONE]]);
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
    const full = this.#prefix + name;
    const lines = () => [
      ...buckets.map((it) => `${full}_bucket{le="${it.bound}"} ${it.count}`),
      `${full}_bucket{le="+Inf"} ${count}`,
      `${full}_sum ${sum}`,
      `${full}_count ${count}`,
    ];
    this.#families.push(() => family("histogram", full, help, lines()));
    const histogram = this.#meter?.createHistogram(full, {
      description: help,
      advice: { explicitBucketBoundaries: bounds },
    });
    return {
      observe: (value) => {
        count++;
        sum += value;
        histogram?.record(value);
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
    samples: () => readonly Sample[],
  ): void {
    const full = this.#prefix + name;
    const lines = () => samples().map((sample) => full + sampleText(sample));
    this.#families.push(() => family(kind, full, help, lines()));
    const options = { description: help };
    const observable = kind === "counter"
      ? this.#meter?.createObservableCounter(full, options)
      : this.#meter?.createObservableGauge(full, options);
    observable?.addCallback((observed) => {
      for (const sample of samples()) observed.observe(...sample);
    });
  }
}

function family(
  kind: Kind | "histogram",
  full: string,
  help: string,
  lines: readonly string[],
): string {
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${kind}`, ...lines]
    .map((line) => `${line}\n`).join("");
}

function sampleText([value, labels]: Sample): string {
  // JSON has the same escapes, for what stands in labels here.
  const [label] = Object.entries(labels)
    .map(([name, text]) => `{${name}=${JSON.stringify(text)}}`);
  return `${label ?? ""} ${value}`;
}
