/**
 * What is fuzzed, in general: bytes that a stranger could have sent, and a check that throws where a promise is
 * broken.
 *
 * @module
 */

import fc from "fast-check";
import type { Bytes } from "../../../crypto_utils.ts";

/** What fast-check says of a property that it tried. */
export interface Details {
  /** Whether it found an input for which the property doesn't hold. */
  readonly failed: boolean;
  /** How often it tried. */
  readonly numRuns: number;
  /** What was thrown. */
  readonly errorInstance: unknown;
  /** The smallest input for which it was thrown. */
  readonly counterexample: unknown;
}

/** A property that fast-check tries, with inputs that have a shape. */
export interface Property {
  /** What holds. */
  readonly name: string;
  /** Tries it so many times. */
  readonly run: (
    parameters: { seed: number; numRuns: number },
  ) => Details | Promise<Details>;
}

/** A parser, or something else that sees a stranger's bytes. */
export interface Target {
  /** As `--parser` calls it. */
  readonly name: string;
  /** How much of the time it gets, in proportion to others. */
  readonly share: number;
  /** Good inputs, from which bad ones are made. */
  readonly seeds: readonly Bytes[];
  /** Pieces that mean something to it. */
  readonly words: readonly string[];
  /**
   * Hands it an input. @returns What came of it, in a few words: an input with a new outcome is kept.
   * @throws whatever isn't documented, and for every broken promise.
   */
  readonly check: (input: Bytes) => string | Promise<string>;
  /** What holds for inputs that have a shape. */
  readonly properties: readonly Property[];
  /** Ends what the target keeps open. */
  readonly close?: () => Promise<void>;
}

/** A promise was broken. */
export class BrokenPromise extends Error {
  /** "BrokenPromise". */
  override readonly name = "BrokenPromise";
}

/** Throws unless something holds. */
export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new BrokenPromise(what);
}

/** Throws unless two values are the same as JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, ought] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== ought) throw new BrokenPromise(`${what}: ${is} is not ${ought}`);
}

type ErrorType = abstract new (...args: never[]) => Error;

/** The outcome that a documented error is. @throws the error, where it isn't one of the types. */
export function outcomeOf(
  error: unknown,
  ...types: readonly ErrorType[]
): string {
  const documented = types.find((type) => error instanceof type);
  if (!documented) throw error;
  // Without what it quotes, which differs each time.
  const { message } = error as Error;
  return `${documented.name}: ${message.replace(/"[^"]*"|\d+/g, "…")}`;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes as text; what is no UTF-8 becomes half a surrogate pair, which bytes can't say otherwise. */
export function textOf(input: Bytes): string {
  return decoder.decode(input).replaceAll("\ufffd", "\ud83d");
}

/** Text as bytes. */
export function bytesOf(text: string): Bytes {
  return encoder.encode(text);
}

/** A synchronous property of some arbitrary values. */
export function property<T extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  holds: (...values: T) => void,
): Property {
  const inner = fc.property<T>(...arbitraries, holds);
  return { name, run: (parameters) => fc.check(inner, parameters) };
}

/** An asynchronous property of some arbitrary values. */
export function asyncProperty<T extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  holds: (...values: T) => Promise<void>,
): Property {
  const inner = fc.asyncProperty<T>(...arbitraries, holds);
  return { name, run: (parameters) => fc.check(inner, parameters) };
}

/** Any text at all, with halves of surrogate pairs, controls, marks and what deceives. */
export function anyText(maxLength = 64): fc.Arbitrary<string> {
  const nasty = fc.constantFrom(
    ..."\u0000\u0007\n\r\t\u001b\u007f\u0085\u009b\u00ad\u034f\u061c\u115f\u200b\u200d\u202e\u2028\u2066\u2800",
    ..."\u3164\ufe0f\ufeff\ud800\udfff\u{1f469}\u{1f3fd}\u{e0001}\u{e0100}\u0301\u0489\\\"'{}#/: ()1",
  );
  const unit = fc.oneof(nasty, fc.string({ unit: "binary", maxLength: 4 }));
  return fc.array(unit, { maxLength }).map((units) => units.join(""));
}

/** Well-formed text of at most so many UTF-16 units. */
export function goodText(maxLength: number): fc.Arbitrary<string> {
  return anyText().map((text) => text.toWellFormed().slice(0, maxLength))
    .map((text) => text.toWellFormed());
}
