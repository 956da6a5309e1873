/**
 * What every panel is given.
 *
 * @module
 */

import type { App } from "../../app.ts";
import type { RoomModel } from "../../room_model.ts";
import type { PageSettings } from "../../settings.ts";
import type { PageActions } from "../../stage.ts";
import type { OpenPanel } from "./open_panel.ts";

/** What the panels have in common. */
export interface PanelProps {
  /** Which of them is open. */
  readonly panels: OpenPanel;
  /** The room. */
  readonly room: RoomModel;
  /** What can be asked for in it. */
  readonly actions: PageActions;
  /** The page's program. */
  readonly app: Pick<
    App,
    "identities" | "exportIdentity" | "importIdentity" | "isKept"
  >;
  /** What the person has set. */
  readonly settings: PageSettings;
  /** Puts a text into the field for messages, and goes there. */
  readonly compose: (text: string) => void;
  /** Shows the row of a number. @returns False where it isn't loaded. */
  readonly goTo: (seq: number) => boolean;
}
