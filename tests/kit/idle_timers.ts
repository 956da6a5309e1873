/**
 * Timers that keep nothing alive, until they are disposed of: a test that waits for what only a timer would bring about
 * fails at once, where a real connection's would go on for ever.
 *
 * @module
 */

import { replaced } from "./replaced.ts";

type Start = (...args: Parameters<typeof setTimeout>) => number;

/** Has the timers that begin from here on keep nothing alive. Where several are open, they may end in any order. */
export function idleTimers(): Disposable {
  const stack = new DisposableStack();
  let isOver = false;
  stack.defer(() => isOver = true);
  for (const name of ["setTimeout", "setInterval"] as const) {
    const start = globalThis[name] as Start;
    const idle: Start = (...args) => {
      const id = start(...args);
      if (!isOver) Deno.unrefTimer(id); // else one that ended later has put this back
      return id;
    };
    stack.use(replaced(globalThis, name, idle));
  }
  return stack;
}
