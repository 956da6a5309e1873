/**
 * The room: what was said in it, and where one says something.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { TargetedKeyboardEvent, VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { App } from "../../app.ts";
import type { RoomModel } from "../../room_model.ts";
import type { PageSettings } from "../../settings.ts";
import type { PageActions } from "../../stage.ts";
import { OpenPanel } from "../panels/open_panel.ts";
import { Panels } from "../panels/panels.tsx";
import { QuestionDialog } from "../start/question_dialog.tsx";
import { Announcer } from "./announcer.tsx";
import { Composer } from "./composer.tsx";
import { MessageList } from "./message_list.tsx";
import { MessageMenu } from "./message_menu.tsx";
import { Banners, RoomHeader } from "./room_header.tsx";
import { RoomUi } from "./room_ui.ts";

/** What a room is shown with. */
export interface RoomProps {
  /** What stands in it. */
  readonly room: RoomModel;
  /** What can be asked for. */
  readonly actions: PageActions;
  /** The page's program. */
  readonly app: Pick<
    App,
    | "draft"
    | "leave"
    | "identities"
    | "exportIdentity"
    | "importIdentity"
    | "isKept"
  >;
  /** How the person likes it. */
  readonly settings: PageSettings;
}

/** The room. */
export function Room({ room, actions, app, settings }: RoomProps): VNode {
  const ui = useMemo(
    () => new RoomUi(room, actions, settings, app),
    [room, actions],
  );
  const panels = useMemo(() => new OpenPanel(), []);
  const isDropping = useSignal(false);
  useVisibleHeight();
  return (
    <div
      class={`room ${isDropping.value ? "is-dropping" : ""}`}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        isDropping.value = true;
      }}
      onDragLeave={(event) => {
        const to = event.relatedTarget as Node | null;
        if (!event.currentTarget.contains(to)) isDropping.value = false;
      }}
      onDrop={(event) => {
        isDropping.value = false;
        const files = event.dataTransfer?.files ?? [];
        if (files.length === 0) return;
        event.preventDefault();
        ui.box.attach(files);
      }}
      onKeyDown={typeAnywhere}
    >
      <RoomHeader ui={ui} panels={panels} onLeave={() => app.leave()} />
      <main class="room-main">
        <Banners ui={ui} />
        <MessageList ui={ui} />
        <Composer ui={ui} />
        <MessageMenu ui={ui} />
      </main>
      <Announcer room={room} />
      <Panels
        panels={panels}
        room={room}
        actions={actions}
        app={app}
        settings={settings}
        compose={(text) => ui.box.compose(text)}
        goTo={(seq) => ui.goTo(seq)}
      />
      <QuestionDialog room={room} />
    </div>
  );
}

/** A letter that is typed in the list of messages goes into the box. */
function typeAnywhere(event: TargetedKeyboardEvent<HTMLElement>): void {
  const { key, target, currentTarget, ctrlKey, metaKey, altKey } = event;
  const isLetter = [...key].length === 1 && key !== " ";
  if (!isLetter || ctrlKey || metaKey || altKey) return;
  if (!(target instanceof Element) || !target.closest(".list")) return;
  currentTarget.querySelector<HTMLElement>(".box")?.focus();
}

/** Keeps the room as high as what is seen of the window, also above a keyboard on the screen. */
function useVisibleHeight(): void {
  useEffect(() => {
    const { visualViewport: seen } = globalThis;
    if (!seen) return;
    const fit = () => {
      if (seen.scale > 1) return; // enlarged by the person, who wants to see a part of it
      const { style } = document.documentElement;
      style.setProperty("--height", `${seen.height}px`);
      scrollTo(0, 0);
    };
    seen.addEventListener("resize", fit);
    return () => seen.removeEventListener("resize", fit);
  }, []);
}
