/**
 * Figures for OpenTelemetry, which Deno sends to a collector where the server's owner asks for that
 * (`OTEL_DENO_METRICS=true`). No line is among them, no name and no address.
 *
 * @module
 */

import { VERSION } from "../base/program.ts";

/** Labels of a figure, by their names. */
export type Labels = Readonly<Record<string, string>>;

/** Where one figure is told when OpenTelemetry asks for it. */
export interface Observed {
  /** Tells it. */
  observe(value: number, labels?: Labels): void;
}

/** A figure that OpenTelemetry asks for whenever it sends all of them. */
export interface Observable {
  /** Tells it by this. */
  addCallback(tell: (observed: Observed) => void): void;
}

/** What makes figures for OpenTelemetry: of its interface `Meter` what is needed here. */
export interface Meter {
  /** Something that only grows. */
  createObservableCounter(
    name: string,
    options: { readonly description: string },
  ): Observable;
  /** Something that grows and falls. */
  createObservableGauge(
    name: string,
    options: { readonly description: string },
  ): Observable;
  /** Something whose values are spread. */
  createHistogram(name: string, options: {
    readonly description: string;
    readonly advice: { readonly explicitBucketBoundaries: readonly number[] };
  }): { record(value: number): void };
}

/** Where OpenTelemetry's library for JavaScript looks for what a process has of it, and Deno puts its own. */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

/**
 * What makes figures, under this program's name; undefined where nobody wants them.
 *
 * Neither `Deno.telemetry` nor the variable tells that. Where OpenTelemetry is off, Deno 2.6 aborts the process when the
 * former is used; the latter needs a permission, and to a single executable only its value when that was compiled counts.
 */
export function meter(): Meter | undefined {
  const registry: {
    readonly metrics?: { getMeter(name: string, version: string): Meter };
  } | undefined = Reflect.get(globalThis, REGISTRY);
  return registry?.metrics?.getMeter("encrypted-chat", VERSION);
}
