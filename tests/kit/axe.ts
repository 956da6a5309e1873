/**
 * axe: finds what keeps people from using a page.
 *
 * @module
 */

import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { assertEquals } from "./assert.ts";

/** What counts: all else is advice. */
const IMPACTS = ["serious", "critical"];

/** Fails if axe finds something serious in a page. @param where Which state of it, for the message. */
export async function assertUsable(page: Page, where: string): Promise<void> {
  // What fades in has other colours for a moment; what goes round for ever hasn't.
  await page.evaluate(() =>
    Promise.allSettled(
      document.getAnimations()
        .filter(({ effect }) =>
          effect?.getComputedTiming().endTime !== Infinity
        )
        .map(({ finished }) => finished),
    )
  );
  // By the debugger: the page's own policy lets no other script in.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe.source });
  await session.detach();
  const { violations } = await page.evaluate(
    "axe.run({ resultTypes: ['violations'] })",
  ) as AxeResults;
  const found = violations
    .filter(({ impact }) => IMPACTS.includes(impact ?? ""))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) =>
        `${where}: ${id}: ${html.slice(0, 200)}: ${failureSummary}`
      )
    );
  assertEquals(found, []);
}
