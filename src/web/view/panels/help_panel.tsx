/**
 * The keys, and what can be typed.
 *
 * @module
 */

import type { JSX } from "preact";
import { usage } from "../../../client/commands/command.ts";
import { PAGE_COMMANDS } from "../../commands.ts";
import type { PanelProps } from "./panels.tsx";

/** What a key does. */
const KEYS: readonly (readonly [keys: string, deed: string])[] = [
  ["Enter", "send"],
  ["Shift+Enter", "begin a new line"],
  ["Tab", "complete a name behind @, or a command"],
  ["Up, where nothing is typed", "change your last message"],
  ["Escape", "give up an answer or a change; close a panel"],
  ["Ctrl+K", "search"],
  ["Page Up, Page Down", "scroll"],
];

/** Two lists. */
export function HelpPanel(_props: PanelProps): JSX.Element {
  return (
    <>
      <h3>Keys</h3>
      <dl class="panel-keys">
        {KEYS.map(([keys, deed]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{deed}</dd>
          </div>
        ))}
      </dl>
      <h3>Commands</h3>
      <p class="panel-hint">
        Type them as a message. /help re explains /re. Two slashes send a text
        that begins with one.
      </p>
      <dl class="panel-keys">
        {PAGE_COMMANDS.all.map((row) => (
          <div key={row.name}>
            <dt>
              <code>{usage(row)}</code>
            </dt>
            <dd>{row.help}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
