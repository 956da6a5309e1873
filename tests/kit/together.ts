/**
 * Tests that wait more than they work, for programs or for what nobody can hurry: all at once, as steps of one test.
 *
 *     const test = together("NATS that is slow");
 *     test("is waited for", async () => { … });
 *     test("is left in the end", async () => { … });
 *
 * @module
 */

/** What a step is called, and what it does. */
type Step = readonly [name: string, fn: () => Promise<void>];

/**
 * A test of which all steps run together; what they leave behind is looked at when all are over.
 * @param obstacle Why it can't run; it is ignored then, and its name says so.
 * @returns Adds a step.
 */
export function together(
  name: string,
  obstacle?: string,
): (...step: Step) => void {
  const steps: Step[] = [];
  const ignore = obstacle !== undefined;
  Deno.test({
    name: ignore ? `${name} (ignored: ${obstacle})` : name,
    ignore,
    async fn(test) {
      const sanitizers = {
        sanitizeOps: false,
        sanitizeResources: false,
        sanitizeExit: false,
      };
      await Promise.all(
        steps.map(([name, fn]) => test.step({ name, fn, ...sanitizers })),
      );
    },
  });
  return (...step) => void steps.push(step);
}
