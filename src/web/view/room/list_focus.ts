/**
 * The list by keyboard: arrows go from row to row, and within one; Enter opens its menu; Escape leads back to the box.
 *
 * @module
 */

import type { RoomUi } from "./room_ui.ts";

const ROWS = "li[tabindex]";
const WITHIN = "button, a[href]";

/** Does what a key in the list means. */
export function moveFocus(event: KeyboardEvent, ui: RoomUi): void {
  const list = event.currentTarget as HTMLElement;
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const row = target.closest<HTMLElement>(ROWS);
  const next = nextFocus(event.key, list, row, target);
  if (next) {
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Escape") ui.box.focus();
  else if (event.key === "Enter" && row === target) openMenu(row, ui);
  else return;
  event.preventDefault();
}

/** What a key leads to. @param row The one in which the focus is. */
function nextFocus(
  key: string,
  list: HTMLElement,
  row: HTMLElement | null,
  target: HTMLElement,
): HTMLElement | undefined {
  const rows = [...list.querySelectorAll<HTMLElement>(ROWS)];
  const at = row ? rows.indexOf(row) : rows.length;
  switch (key) {
    case "ArrowUp":
      return rows[Math.max(0, at - 1)];
    case "ArrowDown":
      return row ? rows[Math.min(rows.length - 1, at + 1)] : undefined;
    case "Home":
      return rows[0];
    case "End":
      return rows.at(-1);
    case "ArrowRight":
    case "ArrowLeft": {
      if (!row) return undefined;
      const stops = [row, ...row.querySelectorAll<HTMLElement>(WITHIN)];
      const step = key === "ArrowRight" ? 1 : -1;
      return stops.at((stops.indexOf(target) + step) % stops.length);
    }
    default:
      return undefined;
  }
}

function openMenu(row: HTMLElement, ui: RoomUi): void {
  const message = ui.room.message(Number(row.dataset["seq"]));
  if (!message || message.deleted) return;
  const at = row.getBoundingClientRect();
  ui.menu.value = { message, at, opener: row, isForReaction: false };
}
