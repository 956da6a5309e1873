/**
 * What can be done with a message: a menu, and the choice of a reaction.
 *
 * @module
 */

import type { ComponentChildren, VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isEmoji, SHORT_NAMES } from "../../../protocol/reaction.ts";
import { moveInMenu } from "../kit/menu_keys.ts";
import { Icon, type IconName } from "./icons.tsx";
import type { OpenMenu, RoomUi } from "./room_ui.ts";

/** The menu that is open, if any is. */
export function MessageMenu({ ui }: { ui: RoomUi }): VNode | null {
  const menu = ui.menu.value;
  if (!menu) return null;
  const { message: { seq }, isForReaction } = menu;
  return (
    <Popup key={`${seq} ${isForReaction}`} ui={ui} menu={menu}>
      {isForReaction
        ? <Reacting ui={ui} menu={menu} />
        : <Choices ui={ui} menu={menu} />}
    </Popup>
  );
}

/** A surface at its opener, or at the bottom of a narrow screen, until one looks elsewhere. */
function Popup(
  { ui, menu, children }: {
    ui: RoomUi;
    menu: OpenMenu;
    children: ComponentChildren;
  },
): VNode {
  const place = useRef<HTMLDivElement>(null);
  const close = () => {
    ui.menu.value = null;
    goBack(menu);
  };
  useLayoutEffect(() => {
    const popup = place.current;
    if (!popup) return;
    const { width, height } = popup.getBoundingClientRect();
    const { at } = menu;
    const left = Math.min(at.left, innerWidth - width - 8);
    const below = at.bottom + 4;
    const top = below + height > innerHeight - 8 ? at.top - height - 4 : below;
    popup.style.left = `${Math.max(8, left)}px`;
    popup.style.top = `${Math.max(8, top)}px`;
    popup.querySelector<HTMLElement>("button")?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const elsewhere = (event: Event) => {
      if (!place.current?.contains(event.target as Node)) ui.menu.value = null;
    };
    const watch = new AbortController();
    const { signal } = watch;
    document.addEventListener("pointerdown", elsewhere, { signal });
    document.addEventListener("focusin", elsewhere, { signal });
    addEventListener("resize", () => ui.menu.value = null, { signal });
    return () => watch.abort();
  }, []);
  return (
    <div
      class="popup"
      ref={place}
      {...(menu.isForReaction
        ? { role: "dialog", "aria-label": "React" }
        : { role: "menu", "aria-label": "Message" })}
      onKeyDown={(event) => moveInMenu(event, close)}
    >
      {children}
    </div>
  );
}

/** Has the focus go back to where a menu was opened: to the message first, whose buttons are there only then. */
function goBack({ opener }: OpenMenu): void {
  opener?.closest("li")?.focus({ preventScroll: true });
  opener?.focus({ preventScroll: true });
}

function Choices({ ui, menu }: { ui: RoomUi; menu: OpenMenu }): VNode {
  const { message } = menu;
  const { text, own, offer, seq, person, name } = message;
  const [isSure, setSure] = useState(false);
  const done = (deed: () => void) => () => {
    ui.menu.value = null;
    deed();
  };
  const remove = () => {
    if (!isSure) return setSure(true);
    ui.menu.value = null;
    void ui.actions.delete(seq);
    ui.box.focus();
  };
  return (
    <>
      <Choice icon="reply" onClick={done(() => ui.box.reply(message))}>
        Reply
      </Choice>
      <Choice
        icon="react"
        onClick={() => ui.menu.value = { ...menu, isForReaction: true }}
      >
        React
      </Choice>
      {!own && (
        <Choice
          icon="lock"
          onClick={done(() => ui.box.write({ name, person }))}
        >
          Answer in private
        </Choice>
      )}
      <Choice
        icon="copy"
        onClick={done(() => {
          goBack(menu);
          void copy(text, ui);
        })}
      >
        Copy text
      </Choice>
      {own && !offer && (
        <Choice
          icon="edit"
          onClick={done(() => ui.box.edit(message))}
        >
          Edit
        </Choice>
      )}
      {own && (
        <Choice icon="remove" isDangerous onClick={remove}>
          {isSure ? "Delete for everybody?" : "Delete"}
        </Choice>
      )}
    </>
  );
}

function Choice(
  { icon, isDangerous = false, onClick, children }: {
    icon: IconName;
    isDangerous?: boolean;
    onClick: () => void;
    children: ComponentChildren;
  },
): VNode {
  return (
    <button
      type="button"
      role="menuitem"
      class={`choice ${isDangerous ? "is-dangerous" : ""}`}
      onClick={onClick}
    >
      <Icon name={icon} /> <span>{children}</span>
    </button>
  );
}

/** The choice of an emoji: some to press, any other to type. */
function Reacting({ ui, menu }: { ui: RoomUi; menu: OpenMenu }): VNode {
  const { seq, reactions } = menu.message;
  const self = ui.room.self.value;
  const own = reactions.find(({ person }) => person === self)?.text;
  const react = (emoji: string) => {
    ui.menu.value = null;
    goBack(menu);
    void ui.actions.react(seq, emoji === own ? "" : emoji);
  };
  return (
    <>
      <div class="emoji-choice">
        {Object.entries(SHORT_NAMES).map(([name, emoji]) => (
          <button
            key={name}
            type="button"
            class="emoji"
            aria-pressed={emoji === own}
            aria-label={`${emoji} ${name}`}
            title={name}
            onClick={() => react(emoji)}
          >
            {emoji}
          </button>
        ))}
      </div>
      <label class="emoji-other">
        Another emoji
        <input
          class="field"
          size={4}
          autocomplete="off"
          onInput={(event) => {
            const typed = event.currentTarget.value.trim();
            if (isEmoji(typed)) react(typed);
          }}
        />
      </label>
    </>
  );
}

async function copy(text: string, ui: RoomUi): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    ui.room.fail("The browser does not let this page copy: select the text");
  }
}
