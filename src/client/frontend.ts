/**
 * What stands between a session and the client's user: a terminal with the person's settings and history,
 * plain lines, or JSON.
 *
 * @module
 */

import type { Actions, NumberKind } from "./actions.ts";
import type { Values } from "./flags.ts";
import { Ignored } from "./ignored.ts";
import { JsonView } from "./pipe/json_view.ts";
import type { PipeOptions } from "./pipe/pipe_view.ts";
import { PlainView } from "./pipe/plain_view.ts";
import { interpretRequest, type RequestContext } from "./pipe/requests.ts";
import { DumbView } from "./terminal/dumb_view.ts";
import { featuresOf, rebreaks } from "./terminal/features.ts";
import { InputHistory } from "./terminal/input_history.ts";
import { interpret } from "./terminal/commands.ts";
import { folderEntries } from "./terminal/path_completion.ts";
import { Settings } from "./terminal/settings.ts";
import { TtyView } from "./terminal/tty.ts";
import { canAsk } from "./terminal_questions.ts";
import type { Present, TypedView } from "./view.ts";
import { DocumentFile } from "../base/document_file.ts";
import { reasonOf } from "../base/error_reason.ts";
import { givenPath } from "../base/paths.ts";
import { mayStop } from "../base/program.ts";

/** Does what a line asks for. @returns The text to say, null for none. */
export type Interpret = (line: string) => Promise<string | null>;

/** A view, and what is made of the lines that are typed there. */
export interface Frontend {
  /** What shows news. */
  readonly view: TypedView;
  /** Whether a person reads and types at a terminal. */
  readonly isInteractive: boolean;
  /** Gives what the lines are interpreted with. */
  readonly interpreter: (actions: Actions) => Interpret;
  /** The signals at which the client leaves. */
  readonly signals: readonly Deno.Signal[];
  /** Rejects when what is shown can't be shown any more. */
  readonly failed: Promise<never>;
  /** Resolves when a person has ended the input, whatever is still being done of it. */
  readonly ended: Promise<void>;
  /** To be called at the end. */
  readonly close: () => Promise<void>;
}

const isWindows = Deno.build.os === "windows"; // which sends Ctrl-C alone

/** On a pipe SIGHUP stays as it is, so that nohup can have it ignored. */
const PIPE_SIGNALS: readonly Deno.Signal[] = isWindows
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];
/** At a terminal Ctrl-C may only drop what was typed: the view has it for itself. */
const TERMINAL_SIGNALS: readonly Deno.Signal[] = isWindows
  ? ["SIGINT"]
  : ["SIGTERM", "SIGHUP"];
/** Without escape sequences the system has Ctrl-C. */
const DUMB_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** For what never happens. */
const NEVER = new Promise<never>(() => {});

/** Whether a person reads and types at a terminal. */
export function isAtTerminal({ json }: Values): boolean {
  return !json && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/**
 * The front end for the flags, and for where the program runs.
 * @param folder Where a person's settings, and what was typed, are kept; undefined: nowhere.
 */
export async function openFrontend(
  values: Values,
  folder: string | undefined,
): Promise<Frontend> {
  if (values.json) return jsonFrontend();
  if (!isAtTerminal(values)) return plainFrontend();
  return await personFrontend(values, folder);
}

/** Standard input, which is taken over, output and error. */
function pipes(): PipeOptions {
  return {
    input: Deno.stdin.readable,
    output: Deno.stdout,
    errors: Deno.stderr,
    questions: canAsk() ? Deno.stderr : undefined,
  };
}

/** For a program: every line is a request, or a text. */
function jsonFrontend(): Frontend {
  const view = new JsonView(pipes());
  return {
    view,
    isInteractive: false,
    interpreter: (actions) => {
      const context: RequestContext = {
        ...actions,
        ignored: view.ignored,
        members: (present, keepers, id) => view.members(present, keepers, id),
        digits: (name, verification, id) => view.digits(name, verification, id),
        ignoring: (members, id) => view.ignoring(members, id),
        error: (message, about) => view.error(message, about),
      };
      return (line) => interpretRequest(line, context);
    },
    signals: PIPE_SIGNALS,
    failed: view.failed,
    ended: NEVER,
    close: () => Promise.resolve(view.close()),
  };
}

/** For a pipe: every line is a text. */
function plainFrontend(): Frontend {
  const view = new PlainView({
    ...pipes(),
    isTyped: canAsk(),
    isWatched: Deno.stderr.isTerminal(),
  });
  return {
    view,
    isInteractive: false,
    interpreter: () => (line) => Promise.resolve(line),
    signals: PIPE_SIGNALS,
    failed: view.failed,
    ended: NEVER,
    close: () => Promise.resolve(view.close()),
  };
}

/** For a person at a terminal: every line is a command, or a text. @param folder As for `openFrontend`. */
async function personFrontend(
  values: Values,
  folder: string | undefined,
): Promise<Frontend> {
  const notes: string[] = []; // what goes wrong before there is a view
  let note: (text: string) => void = (text) => notes.push(text);
  const { settings, history, ignored } = await personFiles(
    folder,
    (text) => note(text),
  );
  const home = Deno.env.get("HOME");
  let who: () => readonly Present[] = () => [];
  let numbers: (kind: NumberKind) => readonly number[] = () => [];
  const shared = { now: Date.now, settings, ignored };
  const view = isDumb()
    ? new DumbView({ ...shared, ...pipes(), columns: terminalWidth })
    : new TtyView({
      ...shared,
      stops: mayStop(),
      features: featuresOf((variable) => Deno.env.get(variable)),
      rebreaks: rebreaks((variable) => Deno.env.get(variable)),
      colour: !values["no-color"] && (Deno.env.get("NO_COLOR") ?? "") === "",
      history,
      names: () => who().map(({ name }) => name),
      numbers: (kind) => numbers(kind),
      entries: (folder) => folderEntries(folder, home),
    });
  const screen: TypedView = view;
  const clear = () => screen.clear?.();
  note = (text) => view.note(text);
  notes.forEach(note);
  const save = async (path: string) => {
    note(await view.scrollback.save(givenPath(path, home)).catch(reasonOf));
  };
  return {
    view,
    isInteractive: true,
    interpreter: (actions) => {
      ({ who, numbers } = actions);
      const own = { ignored, settings, note, save, clear };
      const context = { ...actions, ...own, columns: () => view.columns };
      return (line) => interpret(line, context);
    },
    ...(view instanceof DumbView
      ? { signals: DUMB_SIGNALS, failed: view.failed, ended: NEVER }
      : { signals: TERMINAL_SIGNALS, failed: NEVER, ended: view.ended }),
    close: async () => {
      view.close();
      await settings.kept;
      await ignored.kept;
      await history.close();
    },
  };
}

/** What a person keeps between runs; where there is no folder, nothing is kept. */
async function personFiles(
  folder: string | undefined,
  note: (text: string) => void,
) {
  const settings = folder === undefined
    ? new Settings(note)
    : await Settings.load(`${folder}/settings`, note);
  const size = Number(settings.get("history"));
  if (folder === undefined) {
    const history = InputHistory.none(size);
    return { settings, history, ignored: new Ignored(note) };
  }
  return {
    settings,
    history: await InputHistory.load(`${folder}/history`, size, note),
    ignored: await Ignored.load(new DocumentFile(`${folder}/ignored`), note),
  };
}

/** Whether the terminal takes no escape sequences. */
function isDumb(): boolean {
  if (Deno.build.os === "windows") return false; // which has no such variable
  return ["", "dumb"].includes(Deno.env.get("TERM") ?? "");
}

/** The terminal's width, cells; where it has none to tell, as in an editor, that of most. */
function terminalWidth(): number {
  const usual = 80;
  try {
    return Deno.consoleSize().columns || usual;
  } catch {
    return usual; // it is no terminal that can be asked
  }
}
