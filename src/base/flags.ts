/**
 * Command line flags: one table gives what is accepted and the types of the values; `help.ts` makes the help text
 * of it.
 *
 * @module
 */

import { alternatives, didYouMean } from "./nearest.ts";
import { givenPath } from "./paths.ts";
import { parseArgs } from "./std.ts";
import { UsageError } from "./usage_error.ts";

/** One flag, a row of a program's table. */
export interface Flag {
  /** Without the two hyphens. */
  readonly name: string;
  /** What follows it: nothing, any text, the path of a file or folder, or a whole number. */
  readonly kind: "boolean" | "string" | "path" | "integer";
  /** What stands for the value in the help text, like PORT. */
  readonly value?: string;
  /** One sentence for the help text, without a full stop. */
  readonly help: string;
  /** The value if the flag isn't given. */
  readonly default?: string | number;
  /** The least an integer may be. */
  readonly min?: number;
  /** The most an integer may be. */
  readonly max?: number;
  /** All that a string may be. */
  readonly choices?: readonly string[];
}

/** A flag's value: as its kind says, and undefined if it may be left out and has no default. */
export type FlagValue<F extends Flag> = F["kind"] extends "boolean" ? boolean
  :
    | (F["kind"] extends "integer" ? number : string)
    | (F extends { readonly default: string | number } ? never : undefined);

/** The values by flag, typed by the table. */
export type FlagValues<T extends readonly Flag[]> = {
  readonly [F in T[number] as F["name"]]: FlagValue<F>;
};

/** What the user asked for. */
export interface ParsedFlags<T extends readonly Flag[]> {
  /** By flag. */
  readonly values: FlagValues<T>;
  /** The arguments that are no flags, in order. */
  readonly positionals: readonly string[];
}

/**
 * Reads a command line: `--flag value` or `--flag=value`, and nothing but positionals after `--`.
 * @param options `positionals` is how many arguments that are no flags are accepted; `gone` has flags of earlier
 * versions, and what took their place; `home` is what `~` stands for in paths. A path that is given counts from where
 * the user stands, a default from the working folder.
 * @throws {UsageError} for a flag or a value that isn't in the table, given twice or left out.
 *
 * @example
 * ```ts
 * import { parseFlags } from "./flags.ts";
 * const flags = [{ name: "port", kind: "integer", value: "PORT", help: "Listens here", default: 5000 }] as const;
 * const { values } = parseFlags(["--port", "5001"], flags, { positionals: 0 });
 * if (values.port !== 5001) throw new Error("not the same");
 * ```
 */
export function parseFlags<const T extends readonly Flag[]>(
  args: readonly string[],
  flags: T,
  options: {
    readonly positionals: number;
    readonly gone?: Readonly<Record<string, string>>;
    readonly home?: string | undefined;
  },
): ParsedFlags<T> {
  const names = flags.map((flag) => flag.name);
  const switches = flags.filter((flag) => flag.kind === "boolean")
    .map((flag) => flag.name);
  const parsed = parseArgs(sorted(args, flags), {
    boolean: switches,
    string: names.filter((name) => !switches.includes(name)),
    collect: names,
    unknown: (arg) => refuse(arg, names, options.gone ?? {}),
  });
  const positionals = parsed._.map(String);
  const surplus = positionals[options.positionals];
  if (surplus !== undefined) {
    throw new UsageError(`Unexpected argument ${quoted(surplus)}`);
  }
  const values = Object.fromEntries(
    flags.map((flag) => [
      flag.name,
      valueOf(flag, parsed[flag.name], options.home),
    ]),
  );
  return { values: values as FlagValues<T>, positionals };
}

/** In quotes, and without what stands after a "#": in an invite that is a key. */
function quoted(text: string): string {
  return JSON.stringify(text.replace(/#.+/s, "#…"));
}

/**
 * The flags first, their values joined to them, then `--` and the rest: so that the table says, and no
 * guess, which argument is a flag's value.
 */
function sorted(args: readonly string[], flags: readonly Flag[]): string[] {
  const named: string[] = [];
  const rest: string[] = [];
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  for (let index = 0; index < end; index++) {
    const arg = args[index] ?? "";
    const [name = ""] = arg.split("=", 1);
    const flag = flags.find((flag) => name === `--${flag.name}`);
    if (!arg.startsWith("-") || arg === "-") {
      rest.push(arg);
    } else if (flag?.kind === "boolean" && arg !== name) {
      throw new UsageError(`${name} takes no value`);
    } else if (flag && flag.kind !== "boolean" && arg === name) {
      const value = valueAfter(flag, args.slice(index + 1, end));
      if (value !== undefined) index++;
      named.push(`${arg}=${value ?? ""}`);
    } else {
      named.push(arg);
    }
  }
  return [...named, "--", ...rest, ...args.slice(end + 1)];
}

/** The argument after a flag, if it is no flag itself; a number may be below zero, to be refused as such. */
function valueAfter(flag: Flag, [next]: readonly string[]): string | undefined {
  const isNumber = flag.kind === "integer" && /^-\d/.test(next ?? "");
  return isNumber || next === "-" || !next?.startsWith("-") ? next : undefined;
}

function refuse(
  arg: string,
  names: readonly string[],
  gone: Readonly<Record<string, string>>,
): never {
  const [flag = ""] = arg.split("=", 1);
  const instead = gone[flag.slice(2)];
  if (instead !== undefined) {
    throw new UsageError(`There is no ${flag} any more: ${instead}`);
  }
  if (!flag.startsWith("--")) {
    throw new UsageError(
      `Unknown flag ${quoted(flag)}; flags begin with two hyphens`,
    );
  }
  throw new UsageError(
    `Unknown flag ${quoted(flag)}${didYouMean(flag.slice(2), names, "--")}`,
  );
}

/** What the table makes of a flag's values, of which there is one or none. */
function valueOf(flag: Flag, given: unknown, home?: string): unknown {
  const [value, second] = Array.isArray(given) ? given : [];
  if (second !== undefined) {
    throw new UsageError(`--${flag.name} is given twice`);
  }
  if (flag.kind === "boolean") return value === true;
  if (value === undefined) return flag.default;
  const text = String(value);
  if (text === "") throw new UsageError(`--${flag.name} needs a value`);
  if (flag.kind === "integer") return integer(flag, text);
  const isPath = flag.kind === "path" && text !== "-"; // which is standard input
  return isPath ? givenPath(text, home) : choice(flag, text);
}

function integer(flag: Flag, text: string): number {
  const { min = -Infinity, max = Infinity } = flag;
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = (flag.min === undefined ? "" : ` from ${min}`) +
    (flag.max === undefined ? "" : ` to ${max}`);
  throw new UsageError(
    `Cannot use --${flag.name} ${quoted(text)}: it is a whole number${range}`,
  );
}

function choice(flag: Flag, text: string): string {
  if (!flag.choices || flag.choices.includes(text)) return text;
  throw new UsageError(
    `Cannot use --${flag.name} ${quoted(text)}: it is ${
      alternatives(flag.choices)
    }`,
  );
}
