/**
 * Signs for buttons; what a button does is told by its name.
 *
 * @module
 */

import type { VNode } from "preact";

const PATHS = {
  send: "M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4",
  attach:
    "m20 11-8.4 8.4a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.700l-8.4 8.400a1.7 1.7 0 0 1-2.4-2.400L14.5 7",
  reply: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1",
  react:
    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M8.5 14.500a4.5 4.5 0 0 0 7 0M9 9.500v.5M15 9.500v.5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 20 20",
  people:
    "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M2.5 20a6.5 6.5 0 0 1 13 0M16 5.500a3.5 3.5 0 0 1 0 6.500M18 14.500a6.5 6.5 0 0 1 3.5 5.5",
  close: "M6 6l12 12M18 6 6 18",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  edit: "M4 20l1-4.500L16 4.500l3.5 3.500L8.5 19z",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  remove: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  check: "M5 12.5 10 17.5 19 7",
  warning: "M12 4 2.5 20h19zM12 10v4.500M12 17.500v.01",
  clock: "M12 3.500a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M12 8v4.500l3 2",
} as const;

/** The name of a sign. */
export type IconName = keyof typeof PATHS;

/** A sign, 20 pixels wide, in the colour of the text. */
export function Icon({ name }: { name: IconName }): VNode {
  return (
    <svg
      class={`icon icon-${name}`}
      viewBox="0 0 24 24"
      width="20"
      height="20"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
