/**
 * What stands between a session and the client's user: a terminal with the person's settings and history,
 * plain lines, or JSON.
 *
 * @module
 */

import type { Actions, NumberKind } from "./actions.ts";
import { configFolder } from "./config_folder.ts";
import type { Values } from "./flags.ts";
import { Ignored } from "./ignored.ts";
import { JsonView } from "./pipe/json_view.ts";
import type { PipeOptions } from "./pipe/pipe_view.ts";
import { PlainView } from "./pipe/plain_view.ts";
import { interpretRequest, type RequestContext } from "./pipe/requests.ts";
import { featuresOf, rebreaks } from "./terminal/features.ts";
import { InputHistory } from "./terminal/input_history.ts";
import { interpret } from "./terminal/interpret.ts";
import { folderEntries } from "./terminal/path_completion.ts";
import { Settings } from "./terminal/settings.ts";
import { TtyView } from "./terminal/tty.ts";
import type { Present, View } from "./view.ts";
import { reasonOf } from "../base/error_reason.ts";
import { mayStop } from "../base/program.ts";

/** Does what a line asks for. @returns The text to say, null for none. */
export type Interpret = (line: string) => Promise<string | null>;

/** A view, and what is made of the lines that are typed there. */
export interface Frontend {
  /** What shows news. */
  readonly view: View;
  /** Whether a person reads and types at a terminal. */
  readonly isInteractive: boolean;
  /** Gives what the lines are interpreted with. */
  readonly interpreter: (actions: Actions) => Interpret;
  /** To be called at the end. */
  readonly close: () => Promise<void>;
}

/** Whether the program runs in a terminal, so that a person can be asked. */
export function isTerminal(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/** The front end for the flags, and for where the program runs. */
export async function openFrontend(values: Values): Promise<Frontend> {
  if (values.json) return jsonFrontend();
  if (!isTerminal()) return plainFrontend();
  const colour = !values["no-color"] && (Deno.env.get("NO_COLOR") ?? "") === "";
  return await terminalFrontend(await configFolder(), colour);
}

/** Standard input, which is taken over, output and error. */
function pipes(): PipeOptions {
  return {
    input: Deno.stdin.readable,
    output: Deno.stdout,
    errors: Deno.stderr,
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
        members: (present) => view.members(present),
        digits: (name, verification) => view.digits(name, verification),
        ignoring: (members) => view.ignoring(members),
        error: (message, line) => view.error(message, line),
      };
      return (line) => interpretRequest(line, context);
    },
    close: () => Promise.resolve(view.close()),
  };
}

/** For a pipe: every line is a text. */
function plainFrontend(): Frontend {
  const view = new PlainView(pipes());
  return {
    view,
    isInteractive: false,
    interpreter: () => (line) => Promise.resolve(line),
    close: () => Promise.resolve(view.close()),
  };
}

/**
 * For a person at a terminal: every line is a command, or a text.
 * @param folder Where the person's settings, and what was typed, are kept. @param colour Whether to use colours.
 */
async function terminalFrontend(
  folder: string,
  colour: boolean,
): Promise<Frontend> {
  const notes: string[] = []; // what goes wrong before there is a view
  let note: (text: string) => void = (text) => notes.push(text);
  const settings = await Settings.load(`${folder}/settings`, (it) => note(it));
  const size = Number(settings.get("history"));
  const file = `${folder}/history`;
  const history = await InputHistory.load(file, size, (it) => note(it));
  const ignored = await Ignored.load(`${folder}/ignored`, (it) => note(it));
  const home = Deno.env.get("HOME");
  let who: () => readonly Present[] = () => [];
  let numbers: (kind: NumberKind) => readonly number[] = () => [];
  const view = new TtyView({
    stops: mayStop(),
    now: Date.now,
    colour,
    features: featuresOf((variable) => Deno.env.get(variable)),
    rebreaks: rebreaks((variable) => Deno.env.get(variable)),
    settings,
    history,
    ignored,
    names: () => who().map(({ name }) => name),
    numbers: (kind) => numbers(kind),
    entries: (folder) => folderEntries(folder, home),
  });
  const screen: View = view;
  const clear = () => screen.clear?.();
  note = (text) => view.note(text);
  notes.forEach(note);
  const save = async (path: string) => {
    note(await view.scrollback.save(path).catch(reasonOf));
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
    close: async () => {
      view.close();
      await settings.kept;
      await ignored.kept;
      await history.close();
    },
  };
}
