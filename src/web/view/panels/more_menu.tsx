/**
 * The menu of the panels that have no button of their own.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { moveInMenu } from "../kit/menu_keys.ts";
import type { OpenPanel, PanelName } from "./open_panel.ts";

const ENTRIES: readonly (readonly [name: PanelName, label: string])[] = [
  ["invite", "Invite"],
  ["files", "Files"],
  ["identity", "Identity"],
  ["settings", "Settings"],
  ["help", "Keys and commands"],
  ["about", "About"],
];

/** What the menu is made of. */
export interface MoreMenuProps {
  /** Where a panel is opened. */
  readonly panels: OpenPanel;
  /** Leaves the room. */
  readonly onLeave: () => void;
}

/** A button, and the menu that it opens. */
export function MoreMenu({ panels, onLeave }: MoreMenuProps): JSX.Element {
  const isOpen = useSignal(false);
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => isOpen.value = false;
  const choose = (deed: () => void) => () => {
    close();
    button.current?.focus(); // where the focus returns to from a panel
    deed();
  };
  useLayoutEffect(() => {
    menu.current?.querySelector("button")?.focus();
  }, [isOpen.value]);
  return (
    <div
      class="panel-menu"
      onFocusOut={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) close();
      }}
    >
      <button
        type="button"
        class="button-quiet"
        ref={button}
        aria-label="Menu"
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        aria-controls={id}
        onClick={() => isOpen.value = !isOpen.value}
      >
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
          <circle cx="10" cy="4" r="1" />
          <circle cx="10" cy="10" r="1" />
          <circle cx="10" cy="16" r="1" />
        </svg>
      </button>
      {isOpen.value && (
        <div
          id={id}
          ref={menu}
          role="menu"
          aria-label="Menu"
          class="panel-menu-list"
          onKeyDown={(event) =>
            moveInMenu(event, () => {
              close();
              button.current?.focus();
            })}
        >
          {ENTRIES.map(([name, label]) => (
            <button
              key={name}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={choose(() => panels.show(name))}
            >
              {label}
            </button>
          ))}
          <button
            type="button"
            role="menuitem"
            tabIndex={-1}
            onClick={choose(onLeave)}
          >
            Leave the room
          </button>
        </div>
      )}
    </div>
  );
}
