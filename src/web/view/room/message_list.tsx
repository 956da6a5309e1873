/**
 * The messages: a window over all rows, which moves as one scrolls, and stays at what is being read.
 *
 * Where it is scrolled to is kept as an anchor: the end, or a row with its distance from the upper edge. Whatever
 * changes in the list, the anchor stays where it was.
 *
 * @module
 */

import type { VNode } from "preact";
import {
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "preact/hooks";
import type { Row } from "../../rows.ts";
import { ListScroll } from "./list_scroll.ts";
import { PendingRows } from "./pending_rows.tsx";
import { Icon } from "./icons.tsx";
import { RowView } from "./row_view.tsx";
import type { RoomUi } from "./room_ui.ts";
import { goesOn } from "./grouping.ts";
import { moveFocus } from "./list_focus.ts";

/** The list of all that stands in the room. */
export function MessageList({ ui }: { ui: RoomUi }): VNode {
  const { room } = ui;
  const [, draw] = useReducer((count: number) => count + 1, 0);
  const place = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState("");
  const activate = (target: EventTarget | null) => {
    const key = rowOf(target)?.dataset["key"];
    if (key !== undefined) setActive(key);
  };
  const scroll = useMemo(() => new ListScroll(ui, () => draw(undefined)), [ui]);
  const list = scroll.window;
  list.take(room.rows.value);
  const pending = room.pending.value;
  useEffect(
    () => place.current ? scroll.attach(place.current) : undefined,
    [scroll],
  );
  useLayoutEffect(() => scroll.settle());
  useEffect(() => ui.target.subscribe((target) => scroll.aim(target)), [
    scroll,
  ]);
  const newest = Math.max(0, ...pending.map(({ id }) => id));
  const said = useRef(0); // the newest line of this person's so far
  useEffect(() => {
    if (newest > said.current) scroll.toEnd();
    said.current = Math.max(said.current, newest);
  }, [newest]);
  return (
    <div class="list-frame">
      <div
        class="list"
        ref={place}
        role="log"
        aria-label="Messages"
        aria-live="off"
        tabIndex={0}
        onKeyDown={(event) => moveFocus(event, ui)}
        onPointerOver={(event) => activate(event.target)}
        onFocusIn={(event) => {
          activate(event.target);
          enter(event);
        }}
        onClick={(event) => focusRow(event.target)}
      >
        <ListStart ui={ui} isAtStart={!list.hasAbove} />
        <ol class="rows">
          {rowViews(ui, list.shown, list.before, active)}
          {!list.hasBelow && <PendingRows ui={ui} rows={pending} />}
        </ol>
      </div>
      <ToEnd ui={ui} scroll={scroll} isAtEnd={list.isAtEnd} />
    </div>
  );
}

function rowViews(
  ui: RoomUi,
  rows: readonly Row[],
  before: Row | undefined,
  active: string,
): VNode[] {
  let previous = before;
  return rows.map((row) => {
    const isFirst = !goesOn(previous, row);
    previous = row;
    return (
      <RowView
        key={row.key}
        ui={ui}
        row={row}
        isFirst={isFirst}
        isActive={row.key === active}
      />
    );
  });
}

/** By the keyboard one comes into the list itself first, not to a link somewhere in it. */
function enter(
  { currentTarget, target, relatedTarget }: FocusEvent,
): void {
  const list = currentTarget as HTMLElement;
  const isFromOutside = relatedTarget instanceof Node &&
    !list.contains(relatedTarget);
  const isByKey = target instanceof Element &&
    target.matches("a:focus-visible, button:focus-visible, pre:focus-visible");
  if (isFromOutside && isByKey) list.focus({ preventScroll: true });
}

/** The row in which something is. */
function rowOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element
    ? target.closest<HTMLElement>("li[tabindex]")
    : null;
}

/** A tap on a message shows what can be done with it, unless it is for something in it, or selects words. */
function focusRow(target: EventTarget | null): void {
  const isOther = target instanceof Element && target.closest("button, a");
  if (!isOther && getSelection()?.isCollapsed !== false) {
    rowOf(target)?.focus({ preventScroll: true });
  }
}

/** What stands above the first row. */
function ListStart(
  { ui: { room }, isAtStart }: { ui: RoomUi; isAtStart: boolean },
): VNode | null {
  if (!isAtStart) return null;
  if (room.hasOlder.value) {
    return (
      <p class="list-start">
        {room.isLoading.value ? "Loading earlier messages…" : ""}
      </p>
    );
  }
  return (
    <p class="list-start">
      {room.first > 1
        ? "What was said before is not shown: you came later, or it is no longer kept."
        : "This is the beginning."}
    </p>
  );
}

/** Leads to the end, and says how much is unread there. */
function ToEnd(
  { ui: { room }, scroll, isAtEnd }: {
    ui: RoomUi;
    scroll: ListScroll;
    isAtEnd: boolean;
  },
): VNode | null {
  const unread = room.unread.value;
  if (isAtEnd) return null;
  const words = unread > 0 ? `${unread} new` : "Latest";
  return (
    <button
      type="button"
      class={`to-end ${unread > 0 ? "has-unread" : ""}`}
      onClick={() => scroll.toEnd()}
    >
      <Icon name="down" /> {words}
    </button>
  );
}
