/**
 * What can be opened beside the room.
 *
 * @module
 */

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { App } from "../../app.ts";
import type { RoomModel } from "../../room_model.ts";
import type { PageSettings } from "../../settings.ts";
import type { PageActions } from "../../stage.ts";
import { Dialog } from "../kit/dialog.tsx";
import { AboutPanel } from "./about_panel.tsx";
import { FilesPanel } from "./files_panel.tsx";
import { HelpPanel } from "./help_panel.tsx";
import { IdentityPanel } from "./identity_panel.tsx";
import { InvitePanel } from "./invite_panel.tsx";
import type { OpenPanel, PanelName } from "./open_panel.ts";
import { SearchPanel } from "./search_panel.tsx";
import { SettingsPanel } from "./settings_panel.tsx";
import { VerifyPanel } from "./verify_panel.tsx";
import { WhoPanel } from "./who_panel.tsx";

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

const TITLES: Readonly<Record<PanelName, string>> = {
  who: "Who is here",
  verify: "Verify",
  search: "Search",
  files: "Files",
  invite: "Invite",
  settings: "Settings",
  identity: "Identity",
  help: "Keys and commands",
  about: "About",
};

const VIEWS: Readonly<Record<PanelName, (props: PanelProps) => JSX.Element>> = {
  who: WhoPanel,
  verify: VerifyPanel,
  search: SearchPanel,
  files: FilesPanel,
  invite: InvitePanel,
  settings: SettingsPanel,
  identity: IdentityPanel,
  help: HelpPanel,
  about: AboutPanel,
};

/** The panel that is open, if one is. */
export function Panels(props: PanelProps): JSX.Element | null {
  const { panels } = props;
  const { name } = panels;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
      const isSearch = key === "k" && (ctrlKey || metaKey);
      if (!isSearch || altKey || shiftKey) return;
      event.preventDefault();
      panels.show("search");
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [panels]);
  if (name === null) return null;
  const View = VIEWS[name];
  return (
    <Dialog
      key={name}
      title={TITLES[name]}
      class="panel"
      onClose={() => panels.close()}
    >
      <View {...props} />
    </Dialog>
  );
}
