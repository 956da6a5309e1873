/**
 * Where messages are typed.
 *
 *     Enter       sends; with Shift, and on a touch screen, it begins a new line
 *     Arrow up    edits the last message, if nothing is typed
 *     Escape      closes the suggestions, or ends an answer or an edit
 *     @, /        offer names and commands: arrows choose, Enter or Tab takes
 *
 * @module
 */

import type { VNode } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { escapeText } from "../../../base/safe_text.ts";
import { counted } from "../../../client/sentences.ts";
import { formatSize } from "../../../protocol/offer.ts";
import { MAX_TEXT_SIZE } from "../../../protocol/reasons.ts";
import { NO_OFFERS, type Offers, offersFor } from "./completion.ts";
import { Icon } from "./icons.tsx";
import { OffersList } from "./offers_list.tsx";
import { PurposeBar } from "./purpose_bar.tsx";
import type { RoomUi } from "./room_ui.ts";

/** The tallest that the box grows, as a part of the window's height. */
const MAX_HEIGHT = 0.4;

/** The box, what it is for, and what can be done with it. */
export function Composer({ ui }: { ui: RoomUi }): VNode {
  const { box, room, actions } = ui;
  const place = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const [offers, offer] = useState<Offers>(NO_OFFERS);
  const text = box.text.value;
  const summons = box.summons.value;

  useLayoutEffect(() => {
    if (place.current) fitHeight(place.current);
  }, [text]);
  // Before the next key is pressed: a letter that is typed at once belongs into the box.
  useLayoutEffect(() => {
    const area = place.current;
    if (!area || summons === 0 && isTouched()) return;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }, [summons]);

  const look = () => {
    const area = place.current;
    if (!area || area.selectionStart !== area.selectionEnd) {
      return offer(NO_OFFERS);
    }
    const before = area.value.slice(0, area.selectionStart);
    offer(offersFor(before, {
      names: () =>
        room.present.peek().filter(({ person }) => person !== room.self.peek())
          .map(({ name }) => name),
      numbers: actions.numbers,
      ignored: actions.ignored,
    }));
  };
  const take = (word: string) => {
    const area = place.current;
    if (!area) return;
    const start = area.selectionStart - offers.replaced.length;
    area.setRangeText(word, start, area.selectionStart, "end");
    box.type(area.value);
    look();
  };
  const send = () => {
    if (box.submit()) offer(NO_OFFERS);
    place.current?.focus();
  };
  const chosen = offers.words[offers.chosen];

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (offers.words.length > 0) {
      const isTaken = event.key === "Tab" || event.key === "Enter";
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step !== undefined) {
        event.preventDefault();
        const count = offers.words.length;
        const from = offers.chosen < 0 && step < 0 ? 0 : offers.chosen;
        return offer({ ...offers, chosen: (from + step + count) % count });
      }
      if (event.key === "Escape") {
        event.preventDefault();
        return offer(NO_OFFERS);
      }
      if (isTaken && !event.shiftKey && chosen !== undefined) {
        event.preventDefault();
        return take(chosen);
      }
    }
    if (event.key === "Escape" && box.cancel()) event.preventDefault();
    if (event.key === "ArrowUp" && box.text.value === "" && box.editLast()) {
      event.preventDefault();
    }
    const sends = event.key === "Enter" && !event.shiftKey &&
      (event.ctrlKey || !isTouched());
    if (sends) {
      event.preventDefault();
      send();
    }
  };

  const files = box.files.value;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <OffersList id={id} offers={offers} onChoose={take} />
      <PurposeBar ui={ui} />
      {files.length > 0 && <Files ui={ui} files={files} />}
      <Size ui={ui} id={`${id}-size`} />
      <div class="composer-row">
        <Attach ui={ui} />
        <textarea
          ref={place}
          class="box"
          rows={1}
          value={text}
          dir="auto"
          aria-label="Message"
          placeholder="Message"
          enterkeyhint={isTouched() ? "enter" : "send"}
          autocapitalize="sentences"
          autocomplete="off"
          aria-autocomplete="list"
          aria-haspopup="listbox"
          {...(box.size.value > 0 ? { "aria-describedby": `${id}-size` } : {})}
          {...(offers.words.length > 0 ? { "aria-controls": id } : {})}
          {...(chosen === undefined
            ? {}
            : { "aria-activedescendant": `${id}-${offers.chosen}` })}
          onInput={(event) => {
            box.type(event.currentTarget.value);
            look();
          }}
          onClick={look}
          onBlur={() => offer(NO_OFFERS)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const pasted = event.clipboardData?.files ?? [];
            if (pasted.length === 0) return;
            event.preventDefault();
            box.attach(pasted);
          }}
        />
        <button
          type="submit"
          class="send"
          aria-label="Send"
          title="Send"
          disabled={!box.isReady}
        >
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

/** Whether this is a touch screen, whose keyboard has no Shift-Enter. */
function isTouched(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

function fitHeight(area: HTMLTextAreaElement): void {
  const most = innerHeight * MAX_HEIGHT;
  const row = area.parentElement;
  // What is around it keeps its size meanwhile: the list above would be scrolled.
  if (row) row.style.minHeight = `${row.offsetHeight}px`;
  area.style.height = "auto";
  const needed = area.scrollHeight;
  area.style.height = `${Math.min(needed, most)}px`;
  area.style.overflowY = needed > most ? "auto" : "hidden";
  if (row) row.style.minHeight = "";
}

function Attach({ ui }: { ui: RoomUi }): VNode {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="attach"
        aria-label="Attach files"
        title="Attach files"
        onClick={() => chooser.current?.click()}
      >
        <Icon name="attach" />
      </button>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          ui.box.attach(event.currentTarget.files ?? []);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

/** The files that go with the message. */
function Files({ ui, files }: { ui: RoomUi; files: readonly File[] }): VNode {
  const { kind } = ui.box.purpose.value;
  const isApart = kind === "private" || kind === "edit";
  return (
    <div class="attached">
      <ul aria-label="Files to offer">
        {files.map((file) => (
          <li>
            <bdi>{escapeText(file.name)}</bdi>{" "}
            <span class="soft">{formatSize(file.size)}</span>
            <button
              type="button"
              class="tool"
              aria-label={`Do not offer ${escapeText(file.name)}`}
              onClick={() => ui.box.detach(file)}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      <p class="soft">
        {isApart
          ? "Files are offered to everybody: they wait for your next message to all."
          : `Everybody here can download ${
            files.length > 1 ? "them" : "it"
          } while you are here.`}
      </p>
    </div>
  );
}

/** How long the text is, once it is nearly as long as it may be. */
function Size(
  { ui: { box }, id }: { ui: RoomUi; id: string },
): VNode | null {
  const size = box.size.value;
  if (size === 0) return null;
  const left = MAX_TEXT_SIZE - size;
  return (
    <p id={id} class={`size ${left < 0 ? "is-too-long" : ""}`} role="status">
      {left < 0
        ? `Too long by ${
          counted(-left, "byte")
        }: a message has at most ${MAX_TEXT_SIZE}. Shorten it, or send it in parts.`
        : `${left} bytes left`}
    </p>
  );
}
