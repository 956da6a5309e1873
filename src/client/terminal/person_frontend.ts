/**
 * The front end for a person at a terminal, with what that person keeps between runs: settings, what was typed, who is
 * ignored.
 *
 * @module
 */

import type { NumberKind } from "../actions.ts";
import type { Values } from "../flags.ts";
import { type Frontend, NEVER } from "../frontend.ts";
import { Ignored } from "../ignored.ts";
import type { Present, TypedView } from "../view.ts";
import { DocumentFile } from "../../base/document_file.ts";
import { reasonOf } from "../../base/error_reason.ts";
import { givenPath } from "../../base/paths.ts";
import { mayStop } from "../../base/program.ts";
import { interpret } from "./commands.ts";
import type { DumbOptions, DumbView } from "./dumb_view.ts";
import { featuresOf, rebreaks } from "./features.ts";
import { InputHistory } from "./input_history.ts";
import { folderEntries } from "./path_completion.ts";
import { Settings } from "./settings.ts";
import { terminalSize, TtyView } from "./tty.ts";

const isWindows = Deno.build.os === "windows"; // which sends Ctrl-C alone

/** At a terminal Ctrl-C may only drop what was typed: the view has it for itself. Ctrl-\ is SIGQUIT. */
const TERMINAL_SIGNALS: readonly Deno.Signal[] = isWindows
  ? ["SIGINT"]
  : ["SIGTERM", "SIGHUP", "SIGQUIT"];
/** Without escape sequences the system has Ctrl-C. */
const DUMB_SIGNALS: readonly Deno.Signal[] = ["SIGINT", ...TERMINAL_SIGNALS];
/** The width of a terminal that doesn't tell, cells. */
const USUAL_COLUMNS = 80;

/** For a person at a terminal: every line is a command, or a text. @param folder As for `openFrontend`. */
export async function personFrontend(
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
  const view = isDumb() ? await dumbView(shared) : new TtyView({
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
    ...("failed" in view
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

/** The view for a terminal that takes no escape sequences, which is rare: loaded only there. */
async function dumbView(
  shared: Pick<DumbOptions, "now" | "settings" | "ignored">,
): Promise<DumbView> {
  const { DumbView } = await import("./dumb_view.ts");
  const { ownPipes } = await import("../pipe/own_pipes.ts");
  const columns = () => terminalSize().columns || USUAL_COLUMNS;
  return new DumbView({ ...shared, ...ownPipes(), columns });
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
