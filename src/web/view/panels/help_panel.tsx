/**
 * The keys, and what can be typed.
 *
 * @module
 */

import type { JSX } from "preact";
import { usage } from "../../../client/commands/command.ts";
import { PAGE_COMMANDS } from "../../commands.ts";
import type { PanelProps } from "./panel_props.ts";

/** What a key does. */
const KEYS: readonly (readonly [keys: string, deed: string])[] = [
  ["Enter", "send; on a touch screen, begin a new line"],
  ["Shift+Enter", "begin a new line"],
  ["Ctrl+Enter", "send, on a touch screen, too"],
  ["@, /", "offer names, commands: arrows choose, Tab or Enter takes"],
  ["Up, where nothing is typed", "change your last message"],
  ["Escape", "give up an answer or a change; close a panel; go to the box"],
  [
    "Shift+Tab twice, then Up, Down",
    "go to the messages, from one to the next",
  ],
  ["Left, Right", "go to a message's links and buttons"],
  ["Enter on a message", "answer, react, edit, delete, copy"],
  ["Ctrl+K, ⌘K", "search"],
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
