/**
 * What tests need of Deno, for those that run inside a page: `Deno.test()` keeps them, and the page runs them.
 *
 * @module
 */

import { NotInPageError } from "./not_in_page.ts";

/** How a test ended. */
export interface InPageResult {
  /** The test's name. */
  readonly name: string;
  /** "passed"; "ignored", by itself or because it needs what a page hasn't got; else what went wrong. */
  readonly outcome: string;
}

interface Kept {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: () => void | Promise<void>;
}

const kept: Kept[] = [];

function test(first: string | Kept, fn?: () => void | Promise<void>): void {
  kept.push(
    typeof first !== "string" ? first : { name: first, fn: fn ?? (() => {}) },
  );
}

async function outcomeOf({ ignore, fn }: Kept): Promise<string> {
  if (ignore) return "ignored";
  try {
    await fn();
    return "passed";
  } catch (error) {
    if (error instanceof NotInPageError) return "ignored";
    // Not every browser's stack begins with what went wrong.
    return error instanceof Error ? `${error}\n${error.stack}` : `${error}`;
  }
}

/** Runs all of them, one after the other. */
export async function runTests(): Promise<InPageResult[]> {
  const results: InPageResult[] = [];
  for (const it of kept) {
    results.push({ name: it.name, outcome: await outcomeOf(it) });
  }
  return results;
}

Object.assign(globalThis, { Deno: { test } });
