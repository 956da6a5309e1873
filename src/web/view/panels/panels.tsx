/**
 * What can be opened beside the room.
 *
 * @module
 */

import type { JSX } from "preact";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { Dialog } from "../kit/dialog.tsx";
import { AboutPanel } from "./about_panel.tsx";
import { FilesPanel } from "./files_panel.tsx";
import { HelpPanel } from "./help_panel.tsx";
import { IdentityPanel } from "./identity_panel.tsx";
import { InvitePanel } from "./invite_panel.tsx";
import type { PanelName } from "./open_panel.ts";
import type { PanelProps } from "./panel_props.ts";
import { SearchPanel } from "./search_panel.tsx";
import { SettingsPanel } from "./settings_panel.tsx";
import { VerifyPanel } from "./verify_panel.tsx";
import { WhoPanel } from "./who_panel.tsx";

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
  const { panels, room } = props;
  const { name } = panels;
  const found = room.found.value;
  useEffect(() => {
    // What was searched for by a command has no other place.
    if (found && panels.name === null) panels.show("search");
  }, [found]);
  useLayoutEffect(() => { // as soon as it can be seen
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
