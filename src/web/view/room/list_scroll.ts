/**
 * Where the list of messages is scrolled to, and what follows from that: rows above and below it, older ones from the
 * server, and what counts as read.
 *
 * @module
 */

import type { RoomUi } from "./room_ui.ts";
import { RowWindow } from "./row_window.ts";

/** How near an edge of the window more rows are put there, pixels. */
const NEAR_EDGE = 1_500;
/** How near the end counts as being there, pixels. */
const NEAR_END = 32;
/** Where a message stands that is gone to: its distance from the upper edge, as a part of the list's height. */
const AIM = 0.3;

/** A row that stays where it is. */
interface Anchor {
  readonly key: string;
  /** Its distance from the list's upper edge, pixels. */
  readonly top: number;
}

/** The scrolling of a list. */
export class ListScroll {
  /** Which rows are in the page. */
  readonly window = new RowWindow();
  readonly #ui: RoomUi;
  readonly #draw: () => void;
  #place: HTMLElement | undefined;
  #anchor: Anchor | undefined;
  #top = 0; // where it was scrolled to when that was looked at last, pixels
  #askedBefore = 0; // the line before which older ones were asked for: once, until one scrolls
  #aim: number | undefined; // the number of the message that is to be shown

  /** At the end. @param draw Draws the list again. */
  constructor(ui: RoomUi, draw: () => void) {
    this.#ui = ui;
    this.#draw = draw;
  }

  /** Looks after an element, until what is returned is called. */
  attach(place: HTMLElement): () => void {
    this.#place = place;
    const watch = new AbortController();
    const { signal } = watch;
    const document = place.ownerDocument;
    const sizes = new ResizeObserver(() => this.settle());
    sizes.observe(place);
    for (const child of place.children) sizes.observe(child);
    const options = { signal, passive: true };
    place.addEventListener("scroll", () => this.#scrolled(), options);
    document.addEventListener("visibilitychange", () => this.#shown(), options);
    addEventListener("focus", () => this.#look(), options);
    addEventListener("blur", () => this.#look(), options);
    this.settle();
    this.#look();
    return () => {
      watch.abort();
      sizes.disconnect();
    };
  }

  /** Goes to the end, and stays there. */
  toEnd(): void {
    this.#aim = undefined;
    this.window.toEnd();
    this.#draw();
    this.#look();
  }

  /** Goes to a message, which may have to be asked for first. */
  aim(target: { readonly seq: number } | null): void {
    if (!target) return;
    this.#aim = target.seq;
    this.#draw();
  }

  /** After something has changed: what was read stays where it is. */
  settle(): void {
    const place = this.#place;
    if (!place) return;
    if (this.#aim !== undefined) return this.#takeAim(place, this.#aim);
    this.#follow(place);
    if (this.window.isAtEnd) place.scrollTop = place.scrollHeight;
    else this.#restore(place);
    this.#top = place.scrollTop;
    this.#fill(place);
  }

  /** Takes over where the person has scrolled to: the browser tells that late, and something may be drawn before. */
  #follow(place: HTMLElement): void {
    const moved = place.scrollTop - this.#top;
    // At the very end of what has become shorter it is the browser that has moved it.
    if (Math.abs(moved) < 1 || moved < 0 && belowOf(place) <= 1) return;
    if (!this.window.isAtEnd) {
      const { key, top } = this.#anchor ?? {};
      if (key === undefined || top === undefined) return;
      this.#anchor = { key, top: top - moved };
    } else if (moved < 0) {
      this.window.stay();
      this.#anchor = anchorOf(place);
      this.#draw(); // the button that leads to the end
      this.#look();
    }
  }

  #restore(place: HTMLElement): void {
    const { key, top } = this.#anchor ?? {};
    const row = key === undefined ? null : rowOf(place, key);
    if (!row || top === undefined) return;
    const moved = topOf(row, place) - top;
    if (Math.abs(moved) >= 1) place.scrollTop += moved;
  }

  #scrolled(): void {
    const place = this.#place;
    if (!place) return;
    const wasAtEnd = this.window.isAtEnd;
    // However little one scrolls up, one wants to stay there: what comes meanwhile would undo it.
    const isUp = place.scrollTop < this.#top && belowOf(place) > 1;
    if (!isUp && belowOf(place) <= NEAR_END) this.window.stick();
    else this.window.stay();
    if (this.window.isAtEnd !== wasAtEnd) this.#draw(); // the button that leads there
    this.#anchor = anchorOf(place);
    this.#top = place.scrollTop;
    this.#askedBefore = 0;
    this.#fill(place);
    this.#look();
  }

  /** Has enough rows above and below what is seen. */
  #fill(place: HTMLElement): void {
    const { room, actions } = this.#ui;
    const above = place.scrollTop;
    const below = belowOf(place);
    const { isAtEnd, hasAbove } = this.window;
    const margin = isAtEnd ? place.clientHeight / 2 : NEAR_EDGE;
    if (above < margin && hasAbove) {
      this.window.up();
    } else if (below < NEAR_EDGE && this.window.hasBelow) {
      this.window.down();
    } else {
      const isNearStart = above < NEAR_EDGE && !hasAbove;
      const wants = isNearStart && room.hasOlder.peek() &&
        room.standing.peek().connected && !room.isLoading.peek();
      if (!wants || this.#askedBefore === room.first) return;
      this.#askedBefore = room.first;
      actions.older();
      return;
    }
    this.#draw();
  }

  #takeAim(place: HTMLElement, seq: number): void {
    const key = `m${seq}`;
    if (!this.window.around(key)) {
      if (!this.#ui.searchOn(seq)) this.#aim = undefined;
      return;
    }
    const row = rowOf(place, key);
    if (!row) return this.#draw(); // it is in the window now
    this.#aim = undefined;
    place.scrollTop += topOf(row, place) - place.clientHeight * AIM;
    this.#anchor = anchorOf(place);
    this.#top = place.scrollTop;
    row.focus({ preventScroll: true });
    row.classList.remove("is-aimed");
    requestAnimationFrame(() => row.classList.add("is-aimed"));
    this.#fill(place);
  }

  /** The page is seen again, or no longer. */
  #shown(): void {
    const place = this.#place;
    const isSeen = document.visibilityState === "visible";
    if (place && isSeen && this.window.isAtEnd) this.#toUnread(place);
    this.#look();
  }

  /** Where more has come than fits, its beginning is shown. */
  #toUnread(place: HTMLElement): void {
    if (this.#ui.room.unread.peek() === 0) return;
    const shown = rowOf(place, "new");
    if (shown && topOf(shown, place) >= 0) return;
    if (!this.window.around("new")) return;
    this.#draw();
    requestAnimationFrame(() => {
      const mark = rowOf(place, "new");
      if (mark) place.scrollTop += topOf(mark, place) - NEAR_END;
    });
  }

  /** What comes is read where the end is seen. */
  #look(): void {
    const isSeen = document.visibilityState === "visible" &&
      document.hasFocus();
    this.#ui.room.look(isSeen && this.window.isAtEnd);
  }
}

/** What is below the part that is seen, pixels. */
function belowOf(place: HTMLElement): number {
  return place.scrollHeight - place.clientHeight - place.scrollTop;
}

function rowOf(place: HTMLElement, key: string): HTMLElement | null {
  return place.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}

function topOf(row: Element, place: HTMLElement): number {
  return row.getBoundingClientRect().top - place.getBoundingClientRect().top;
}

/** The first row of which anything is seen, other than days and marks, which come and go. */
function anchorOf(place: HTMLElement): Anchor | undefined {
  const rows = place.querySelectorAll<HTMLElement>("li[tabindex]");
  let [low, high] = [0, rows.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    const isAbove = row &&
      topOf(row, place) + row.getBoundingClientRect().height <= 0;
    if (isAbove) low = middle + 1;
    else high = middle;
  }
  const row = rows[low];
  const { key } = row?.dataset ?? {};
  return row && key !== undefined ? { key, top: topOf(row, place) } : undefined;
}
