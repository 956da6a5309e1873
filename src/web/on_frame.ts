/**
 * When a page shows what is new.
 *
 * @module
 */

/** How long a page that isn't painted waits, ms: a hidden one has no frames, and its title counts all the same. */
const HIDDEN_PAUSE = 200;

/** Does something before the next frame; soon, where there is none. */
export function onFrame(task: () => void): void {
  if (typeof requestAnimationFrame !== "function") return queueMicrotask(task);
  let isDone = false;
  const once = () => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    task();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, HIDDEN_PAUSE);
}
