/**
 * Tests that need a real browser.
 *
 * @module
 */

import { closeChromium, hasChromium } from "./chromium.ts";
import { Profiles } from "./profile.ts";

Deno.test.afterAll(closeChromium);

/**
 * A test that needs a browser; ignored where there is none, and its name says so.
 *
 * Deno's watch for what a test leaves behind is off: the browser goes on from one test to the next, and its pipes and
 * the driver's timers with it. It is closed when the file's tests are over.
 * @param obstacle Why it can't run even with a browser; empty for nothing.
 */
export function browserTest(
  name: string,
  fn: (profiles: Profiles) => Promise<void>,
  obstacle = "",
): void {
  const reason = !hasChromium
    ? "no Chromium here; install it to run this"
    : obstacle;
  const ignore = reason !== "";
  Deno.test({
    name: ignore ? `${name} (ignored: ${reason})` : name,
    ignore,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using profiles = new Profiles();
      await profiles.run(fn);
    },
  });
}
