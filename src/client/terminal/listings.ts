/**
 * The lists that `/help` and `/set` show, as lines for a terminal of any width.
 *
 * @module
 */

import { rangeOf, SETTINGS, type Settings } from "./settings.ts";
import { table } from "./table.ts";

/** What `/help` tells of a command. */
export interface Listed {
  /** How it is typed. */
  readonly usage: string;
  /** What it does. */
  readonly help: string;
}

/** The commands, a row for each. @param columns The width of the terminal, cells. Default: endless. */
export function commandLines(
  commands: readonly Listed[],
  columns = Infinity,
): string[] {
  return table(commands.map(({ usage, help }) => [usage, help]), columns);
}

/** The settings with their values, a row for each. @param columns As for `commandLines`. */
export function settingLines(settings: Settings, columns = Infinity): string[] {
  const rows = SETTINGS.map((setting) =>
    [
      `${setting.key} ${settings.get(setting.key)}`,
      `${setting.help} (${rangeOf(setting)})`,
    ] as const
  );
  return table(rows, columns);
}
