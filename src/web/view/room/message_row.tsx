/**
 * A message: who said it, what it answers, what it says, what became of it, and what can be done with it.
 *
 * @module
 */

import type { VNode } from "preact";
import { escapeText } from "../../../base/safe_text.ts";
import { DELETED } from "../../../protocol/told_line.ts";
import type { Message } from "../../rows.ts";
import { FileCard } from "../files/file_card.tsx";
import { Icon } from "./icons.tsx";
import { MessageText } from "./message_text.tsx";
import { nameColour } from "./name_colour.ts";
import { Reactions } from "./reactions.tsx";
import { Moment } from "./moment.tsx";
import type { RoomUi } from "./room_ui.ts";
import { shortened } from "./shortened.ts";

/** What a message is shown with. */
export interface MessageProps {
  /** What the parts of the room have in common. */
  readonly ui: RoomUi;
  /** It. */
  readonly message: Message;
  /** Whether it begins what its person says. */
  readonly isFirst: boolean;
  /** Whether its buttons are there. */
  readonly isActive: boolean;
}

const DOUBT = "The history may not be what others saw";

/** A message. */
export function MessageRow(
  { ui, message, isFirst, isActive }: MessageProps,
): VNode {
  const { key, seq, own, form, deleted, isMention } = message;
  const classes = [
    "message",
    own ? "is-own" : "",
    isFirst ? "is-first" : "",
    form === "acted" ? "is-acted" : "",
    isMention ? "is-mention" : "",
  ].filter((name) => name !== "").join(" ");
  return (
    <li class={classes} data-key={key} data-seq={seq} tabIndex={-1}>
      <div class="bubble">
        <Byline message={message} isFirst={isFirst} />
        <Quoted ui={ui} message={message} />
        <Content ui={ui} message={message} />
        <span class="stamp">
          {message.edited && !deleted && <span>edited</span>}{" "}
          <Moment ui={ui} at={message.at} />
        </span>
      </div>
      <Reactions ui={ui} message={message} />
      {isActive && !deleted && <Tools ui={ui} message={message} />}
    </li>
  );
}

/** The name; for those who don't see where and in which colour a message stands, in each. */
function Byline(
  { message, isFirst }: { message: Message; isFirst: boolean },
): VNode {
  const { own, name, person, form, isMention, isDoubted } = message;
  const isShown = isFirst && !own || form === "acted";
  return (
    <div class={isShown ? "byline" : "visually-hidden"}>
      {isDoubted && (
        <span class="doubt" title={DOUBT}>
          ⚠<span class="visually-hidden">{DOUBT}.</span>
        </span>
      )}
      {own && form !== "acted"
        ? <span>You</span>
        : (
          <bdi class={`name name-${nameColour(person)}`}>
            {escapeText(name)}
          </bdi>
        )}
      {isMention && <span class="visually-hidden">(mentions you)</span>}
      {form !== "acted" && <span class="visually-hidden">:</span>}
    </div>
  );
}

function Quoted(
  { ui, message }: { ui: RoomUi; message: Message },
): VNode | null {
  const { to, quoted } = message;
  if (to === null) return null;
  const text = quoted?.text === "" ? DELETED : quoted?.text ?? "";
  return (
    <button
      type="button"
      class={`quoted name-${nameColour(quoted?.person ?? "")}`}
      tabIndex={-1}
      onClick={() => ui.lookFor(to)}
    >
      <span class="visually-hidden">Answers</span>
      {quoted
        ? (
          <>
            <bdi class="name">{escapeText(quoted.name)}</bdi>
            <bdi class="quoted-text">{shortened(text)}</bdi>
          </>
        )
        : <span class="quoted-text">an earlier message</span>}
    </button>
  );
}

function Content({ ui, message }: { ui: RoomUi; message: Message }): VNode {
  const { text, deleted, offer, seq, own, isMention } = message;
  if (deleted) return <span class="message-text is-deleted">{DELETED}</span>;
  if (offer) {
    const news = ui.room.files.value.get(seq);
    const { actions } = ui;
    return (
      <FileCard
        offer={offer}
        seq={seq}
        own={own}
        news={news}
        actions={actions}
      />
    );
  }
  const meant = isMention ? ui.room.meant : undefined;
  return <MessageText text={text} meant={meant} />;
}

function Tools({ ui, message }: { ui: RoomUi; message: Message }): VNode {
  const open = (event: MouseEvent, isForReaction: boolean) => {
    const opener = event.currentTarget as HTMLElement;
    const at = opener.getBoundingClientRect();
    ui.menu.value = { message, at, opener, isForReaction };
  };
  return (
    <div class="tools" role="group" aria-label="Message">
      <Tool name="React" icon="react" onClick={(event) => open(event, true)} />
      <Tool name="Reply" icon="reply" onClick={() => ui.box.reply(message)} />
      <Tool name="More" icon="more" onClick={(event) => open(event, false)} />
    </div>
  );
}

/** A button with a sign. */
function Tool(
  { name, icon, onClick }: {
    name: string;
    icon: "react" | "reply" | "more";
    onClick: (event: MouseEvent) => void;
  },
): VNode {
  const hasPopup = icon !== "reply";
  return (
    <button
      type="button"
      class="tool"
      aria-label={name}
      title={name}
      {...(hasPopup
        ? { "aria-haspopup": icon === "more" ? "menu" : "dialog" }
        : {})}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
