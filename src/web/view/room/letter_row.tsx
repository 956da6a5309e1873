/**
 * A private message: in words and not only in a colour, so that nobody answers where everybody reads it.
 *
 * @module
 */

import type { VNode } from "preact";
import { escapeText } from "../../../base/safe_text.ts";
import type { Letter } from "../../rows.ts";
import { Icon } from "./icons.tsx";
import { MessageText } from "./message_text.tsx";
import { dayName } from "../kit/moments.ts";
import { Moment } from "./moment.tsx";
import type { RoomUi } from "./room_ui.ts";

/** A private message, to or from this person. */
export function LetterRow(
  { ui, letter }: { ui: RoomUi; letter: Letter },
): VNode {
  const { key, own, at, name, to, text, isKept, person } = letter;
  const other = own ? to : { name, person };
  const [from, whom] = own ? ["You", to.name] : [name, "you"];
  const day = dayName(at, Date.now());
  return (
    <li
      class={`message is-first is-private ${own ? "is-own" : ""}`}
      data-key={key}
      tabIndex={-1}
    >
      <div class="bubble">
        <div class="byline">
          <Icon name="lock" />
          <span>Private:</span>
          <bdi class="name">{escapeText(from)}</bdi>
          <span>to</span>
          <bdi class="name">{escapeText(whom)}</bdi>
        </div>
        <MessageText text={text} />
        <span class="stamp">
          {day !== "Today" && `${day} `}
          <Moment ui={ui} at={at} />
        </span>
        {isKept && (
          <p class="remark">
            Kept until <bdi>{escapeText(to.name)}</bdi> is back, at most 7 days
          </p>
        )}
      </div>
      <div class="tools" role="group" aria-label="Message">
        <button
          type="button"
          class="tool"
          aria-label="Answer in private"
          title="Answer in private"
          onClick={() => ui.box.write(other)}
        >
          <Icon name="reply" />
        </button>
      </div>
    </li>
  );
}
