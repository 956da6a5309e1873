/**
 * Which room it is, who is there, and whether the page is connected.
 *
 * @module
 */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { counted } from "../../../client/sentences.ts";
import { escapeText } from "../../../base/safe_text.ts";
import { placeName } from "../kit/place_name.ts";
import { MoreMenu } from "../panels/more_menu.tsx";
import type { OpenPanel } from "../panels/open_panel.ts";
import { Icon } from "./icons.tsx";
import type { RoomUi } from "./room_ui.ts";

/** What the header is shown with. */
export interface RoomHeaderProps {
  /** What the parts of the room have in common. */
  readonly ui: RoomUi;
  /** Where panels are opened. */
  readonly panels: OpenPanel;
  /** Leaves the room. */
  readonly onLeave: () => void;
}

/** The header. */
export function RoomHeader({ ui, panels, onLeave }: RoomHeaderProps): VNode {
  const { address, standing, topic } = ui.room;
  const { members, sealed, name, connected } = standing.value;
  return (
    <header class="room-header">
      <div class="room-title">
        <h1>
          <bdi>{escapeText(placeName(address.value))}</bdi>
          {topic.value !== "" && (
            <bdi class="topic" title={escapeText(topic.value)}>
              {escapeText(topic.value)}
            </bdi>
          )}
        </h1>
        <p class="room-state">
          <Connection ui={ui} />
          {sealed && (
            <span class="badge" title="The server cannot read what is said">
              <Icon name="lock" /> Sealed
            </span>
          )}
          <span class="soft">
            as <bdi>{escapeText(name)}</bdi>
          </span>
        </p>
      </div>
      <button
        type="button"
        class="button-quiet"
        aria-label={connected ? `${members} here: show who` : "Who is here"}
        title="Who is here"
        onClick={() => panels.show("who")}
      >
        <Icon name="people" /> {connected && members}
      </button>
      <button
        type="button"
        class="button-quiet"
        aria-label="Search"
        title="Search"
        onClick={() => panels.show("search")}
      >
        <Icon name="search" />
      </button>
      <MoreMenu panels={panels} onLeave={onLeave} />
    </header>
  );
}

/** The state of the connection in a few words; what is on its way is told once that takes a while. */
function Connection({ ui }: { ui: RoomUi }): VNode {
  const { connected, waiting } = ui.room.standing.value;
  const isSlow = useDelayed(connected && waiting > 0, PATIENCE);
  const words = !connected
    ? "Not connected"
    : isSlow
    ? `Sending ${waiting}`
    : "Connected";
  return (
    <span
      class={`connection ${connected ? "is-connected" : ""}`}
      role="status"
    >
      {words}
    </span>
  );
}

/** How long a line may be under way before it is told that it is, ms. */
const PATIENCE = 1_000;

/** Whether something has been so for a while. @param after ms. */
function useDelayed(isSo: boolean, after: number): boolean {
  const [isLong, set] = useState(false);
  useEffect(() => {
    if (!isSo) return set(false);
    const timer = setTimeout(() => set(true), after);
    return () => clearTimeout(timer);
  }, [isSo]);
  return isSo && isLong;
}

/** What is to be known above the messages: that the connection is lost, or the history in doubt. */
export function Banners({ ui }: { ui: RoomUi }): VNode {
  const { connected, waiting, differs } = ui.room.standing.value;
  const next = ui.room.nextAttempt.value;
  return (
    <>
      {!connected && (
        <div class="banner banner-warning">
          <Icon name="warning" />
          <p>
            Not connected; what you type is kept
            {waiting > 0 && `: ${counted(waiting, "message")} waiting`}.{" "}
            {next !== null && <Countdown to={next} />}
          </p>
        </div>
      )}
      {differs && (
        <div class="banner banner-danger" role="alert">
          <Icon name="warning" />
          <p>
            History is not what you saw: a restored backup, or tampering. Ask
            the server's owner why before you go on.
          </p>
          <button
            type="button"
            class="button"
            onClick={() => ui.actions.accept()}
          >
            Go on
          </button>
        </div>
      )}
    </>
  );
}

/** How long it is until the next attempt. @param to ms since 1970. */
function Countdown({ to }: { to: number }): VNode {
  const [now, tick] = useState(Date.now());
  useEffect(() => {
    tick(Date.now());
    const timer = setInterval(() => tick(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [to]);
  const seconds = Math.max(0, Math.ceil((to - now) / 1_000));
  return (
    <span>
      {seconds > 0 ? `Trying again in ${seconds}\u00a0s.` : "Trying now…"}
    </span>
  );
}
