/**
 * The keys, and what can be typed.
 *
 * @module
 */

import type { JSX } from "preact";
import { ALL_COMMANDS } from "../../../client/terminal/commands.ts";
import { usage } from "../../../client/terminal/command.ts";
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

/** Commands of the terminal that a page has other ways for. */
const NOT_HERE: ReadonlySet<string> = new Set([
  "/bell",
  "/set",
  "/save",
  "/send",
]);

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
        {ALL_COMMANDS.filter(({ name }) => !NOT_HERE.has(name)).map((row) => (
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
