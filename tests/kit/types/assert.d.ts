/**
 * The signatures of `@std/assert`'s functions, which the npm package leaves out. Declares and runs nothing.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- as in `@std/assert` itself: a constructor takes any arguments

/** Passes if the expression is truthy. */
export function assert(expr: unknown, msg?: string): asserts expr;

/** Passes if the two values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void;

/** Passes if the text matches the expression. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void;

/** Passes if the text contains the other. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void;

/** Passes if the function throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Passes if the function throws an error of the class, whose message includes the text; returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): E;

/** Passes if the function returns a promise that rejects; resolves to the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Passes if the promise rejects with an error of the class, whose message includes the text; resolves to it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: abstract new (...args: any[]) => E,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
