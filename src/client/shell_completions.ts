/**
 * Completion of a program's flags by the shell, from the table of the flags.
 *
 * @module
 */

import type { Flag } from "../base/flags.ts";

/** The shells for which there is completion. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell for which there is completion. */
export type Shell = typeof SHELLS[number];

/**
 * A script for a shell, to be sourced, that completes a program's flags; every other argument is a file.
 * @param program The command's name, of letters, digits, hyphens and underscores.
 *
 * @example
 * ```ts
 * import { completionScript } from "./shell_completions.ts";
 * const flags = [{ name: "port", kind: "integer", value: "PORT", help: "Listens here" }] as const;
 * const script = completionScript("fish", "chat-server", flags);
 * if (!script.includes("-l port")) throw new Error("not there");
 * ```
 */
export function completionScript(
  shell: Shell,
  program: string,
  flags: readonly Flag[],
): string {
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
  return scripts[shell](program, flags);
}

/** In single quotes, in which no shell reads anything but the quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function takesFile({ kind }: Flag): boolean {
  return kind === "path";
}

function bashScript(program: string, flags: readonly Flag[]): string {
  const fn = `_${program.replaceAll("-", "_")}`;
  const names = flags.map(({ name }) => `--${name}`).join(" ");
  const files = flags.filter(takesFile).map(({ name }) => `--${name}`);
  const cases = flags.flatMap(({ name, choices }) =>
    choices
      ? [
        `    --${name}) COMPREPLY=($(compgen -W ${
          quoted(choices.join(" "))
        } -- "$word")); return ;;`,
      ]
      : []
  );
  if (files.length > 0) {
    cases.push(
      `    ${files.join("|")}) COMPREPLY=($(compgen -f -- "$word")); return ;;`,
    );
  }
  const others = flags.filter(({ kind, choices }) =>
    kind !== "boolean" && !choices
  ).filter((flag) => !takesFile(flag)).map(({ name }) => `--${name}`);
  if (others.length > 0) cases.push(`    ${others.join("|")}) return ;;`);
  return [
    `# Completion of ${program} for bash`,
    `${fn}() {`,
    `  local word=\${COMP_WORDS[COMP_CWORD]}`,
    `  COMPREPLY=()`,
    `  case \${COMP_WORDS[COMP_CWORD-1]} in`,
    ...cases,
    `  esac`,
    `  COMPREPLY=($(compgen -W ${quoted(names)} -- "$word"))`,
    `}`,
    `complete -o default -F ${fn} ${program}`,
    ``,
  ].join("\n");
}

function zshScript(program: string, flags: readonly Flag[]): string {
  const specs = flags.map((flag) => {
    const { name, kind, value = "VALUE", choices } = flag;
    const help = flag.help.replace(/[[\]\\]/g, String.raw`\$&`);
    const action = choices
      ? `(${choices.join(" ")})`
      : takesFile(flag)
      ? "_files"
      : "";
    const argument = kind === "boolean" ? "" : `:${value}:${action}`;
    const assigns = kind === "boolean" ? "" : "=";
    return `    ${quoted(`--${name}${assigns}[${help}]${argument}`)}`;
  });
  const fn = `_${program.replaceAll("-", "_")}`;
  return [
    `#compdef ${program}`,
    `${fn}() {`,
    `  local -a flags=(`,
    ...specs,
    `  )`,
    `  _arguments -s $flags '*:argument:_files'`,
    `}`,
    `compdef ${fn} ${program}`,
    ``,
  ].join("\n");
}

function fishScript(program: string, flags: readonly Flag[]): string {
  const rows = flags.map((flag) => {
    const { name, kind, choices } = flag;
    const argument = kind === "boolean"
      ? ""
      : choices
      ? ` -x -a ${fishQuoted(choices.join(" "))}`
      : takesFile(flag)
      ? " -r -F"
      : " -x";
    return `complete -c ${program} -l ${name}${argument} -d ${
      fishQuoted(flag.help)
    }`;
  });
  return [`# Completion of ${program} for fish`, ...rows, ``].join("\n");
}

/** In fish's single quotes, in which the backslash and the quote have a backslash before them. */
function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, String.raw`\$&`)}'`;
}
