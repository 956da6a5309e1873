/**
 * The time of a row.
 *
 * @module
 */

import type { VNode } from "preact";
import { clockTime, fullTime } from "../kit/moments.ts";
import type { RoomUi } from "./room_ui.ts";

/** A time, in full where one looks for it. */
export function Moment({ ui, at }: { ui: RoomUi; at: number }): VNode {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={fullTime(at)}>
      {clockTime(at, ui.settings.hour12)}
    </time>
  );
}
