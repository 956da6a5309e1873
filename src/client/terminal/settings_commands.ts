/**
 * What the commands do that are about settings.
 *
 * @module
 */

import { rangeOf, SETTINGS } from "./settings.ts";
import type { TerminalContext } from "./terminal_context.ts";

/** Changes a setting, or says what it may be. */
export function set(
  { note, settings }: TerminalContext,
  key: string,
  value: string,
): void {
  try {
    note(`${key} is now ${settings.set(key, value)}`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    note(error.message);
  }
}

/** Lists the settings with their values, a row for each. */
export function showSettings(
  { note, settings, table }: TerminalContext,
): void {
  const rows = SETTINGS.map((setting) =>
    [
      `${setting.key} ${settings.get(setting.key)}`,
      `${setting.help} (${rangeOf(setting)})`,
    ] as const
  );
  for (const line of table(rows)) note(line);
}
