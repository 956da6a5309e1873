/**
 * What is being typed for, where that isn't a message to all: an answer, an edit, a private message.
 *
 * @module
 */

import type { VNode } from "preact";
import { escapeText } from "../../../base/safe_text.ts";
import { Icon } from "./icons.tsx";
import type { Purpose } from "./message_box.ts";
import type { RoomUi } from "./room_ui.ts";
import { shortened } from "./shortened.ts";

/** The bar above the box; nothing for a message to all. */
export function PurposeBar({ ui }: { ui: RoomUi }): VNode | null {
  const purpose = ui.box.purpose.value;
  if (purpose.kind === "say") return null;
  const isPrivate = purpose.kind === "private";
  return (
    <div class={`purpose ${isPrivate ? "is-private" : ""}`}>
      <p role="status">
        <PurposeWords purpose={purpose} />
      </p>
      <button
        type="button"
        class="tool"
        aria-label="Cancel"
        title="Cancel (Escape)"
        onClick={() => {
          ui.box.cancel();
          ui.box.focus();
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

function PurposeWords({ purpose }: { purpose: Purpose }): VNode | null {
  switch (purpose.kind) {
    case "reply":
      return (
        <>
          <Icon name="reply" /> Reply to{" "}
          <bdi class="name">{escapeText(purpose.to.name)}</bdi>{" "}
          <bdi class="soft">{shortened(purpose.to.text)}</bdi>
        </>
      );
    case "edit":
      return (
        <>
          <Icon name="edit" /> Edit your message
        </>
      );
    case "private":
      return (
        <>
          <Icon name="lock" /> Private to{" "}
          <bdi class="name">{escapeText(purpose.to.name)}</bdi>: nobody else can
          read it
        </>
      );
    case "say":
      return null;
  }
}
