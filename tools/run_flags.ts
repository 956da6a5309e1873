/**
 * How the tasks of `deno.json` run their programs, for what starts them without `deno task`: the single executables and
 * the npm package.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

/** The tasks that users run. */
export const USER_TASKS = ["server", "client", "invite", "log"] as const;

/** One of them. */
export type UserTask = (typeof USER_TASKS)[number];

/** How a task runs its program. */
export interface TaskRun {
  /** The options of `deno run`. */
  readonly flags: readonly string[];
  /** The program's file, from the root. */
  readonly file: string;
  /** The program's first arguments. */
  readonly args: readonly string[];
}

/** How a task runs its program, with its permissions by their name. */
export function taskRun(task: UserTask): TaskRun {
  const [deno, run, ...words] = config.tasks[task].command.split(" ");
  const index = words.findIndex((word) => !word.startsWith("-"));
  const file = words[index];
  if (deno !== "deno" || run !== "run" || file === undefined) {
    throw new Error(`The task "${task}" is not "deno run FLAGS FILE"`);
  }
  return { flags: words.slice(0, index), file, args: words.slice(index + 1) };
}

/** A set of permissions as `deno.json` has it: all of a kind, or these. */
type PermissionSet = Readonly<Record<string, true | readonly string[]>>;

/** The same for a Deno that reads no `deno.json`: each permission and unstable feature is an option of its own. */
export function standaloneRun(task: UserTask): TaskRun {
  const { flags, ...run } = taskRun(task);
  const sets = config.permissions as Readonly<Record<string, PermissionSet>>;
  const unstable = config.unstable.map((name) => `--unstable-${name}`);
  const spelt = flags.flatMap((flag) => {
    const [, name] = /^-P=(.+)$/.exec(flag) ?? [];
    if (name === undefined) return [flag];
    const set = sets[name];
    if (!set) throw new Error(`There are no permissions "${name}"`);
    return Object.entries(set).map(([kind, what]) =>
      `--allow-${kind}${what === true ? "" : `=${what.join(",")}`}`
    );
  });
  return { ...run, flags: [...spelt, ...unstable] };
}
