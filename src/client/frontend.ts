/**
 * What stands between a session and whoever runs the client: a terminal with the person's settings and history,
 * plain lines, or JSON. Knows nothing of servers, and of flags only whether there are colours.
 *
 * @module
 */

import { Ignored } from "./ignored.ts";
import { InputHistory } from "./terminal/input_history.ts";
import { JsonView } from "./pipe/json_view.ts";
import type { Present, View } from "./view.ts";
import { type PipeOptions, PlainView } from "./pipe/plain_view.ts";
import { mayStop } from "../base/program.ts";
import type { Session } from "./session.ts";
import { Settings } from "./terminal/settings.ts";
import { converse, obey, relay } from "./actions.ts";
import type { Transfers } from "./files/transfers.ts";
import { TtyView } from "./terminal/tty.ts";

/** A view, and what is done with what comes in behind it. */
export interface Frontend {
  /** What shows news. */
  readonly view: View;
  /** Says, or does, what comes in, until it ends. */
  readonly run: (session: Session, transfers: Transfers) => Promise<void>;
  /** To be called at the end. */
  readonly close: () => Promise<void>;
}

/** Standard input, which is taken over, output and error. */
function pipes(): PipeOptions {
  return {
    input: Deno.stdin.readable,
    output: Deno.stdout,
    errors: Deno.stderr,
  };
}

/** For a program, in JSON. */
export function jsonFrontend(): Frontend {
  const view = new JsonView(pipes());
  return {
    view,
    run: (session, transfers) => obey(session, transfers, view),
    close: () => Promise.resolve(view.close()),
  };
}

/** For a pipe, in plain lines. */
export function plainFrontend(): Frontend {
  const view = new PlainView(pipes());
  return {
    view,
    run: (session) => relay(session, view),
    close: () => Promise.resolve(view.close()),
  };
}

/**
 * For a person at a terminal.
 * @param folder Where the person's settings, and what was typed, are kept. @param colour Whether to use colours.
 */
export async function terminalFrontend(
  folder: string,
  colour: boolean,
): Promise<Frontend> {
  const notes: string[] = []; // what goes wrong before there is a view
  let note: (text: string) => void = (text) => notes.push(text);
  const settings = await Settings.load(`${folder}/settings`, (it) => note(it));
  const size = Number(settings.get("history"));
  const file = `${folder}/history`;
  const history = await InputHistory.load(file, size, (it) => note(it));
  const ignored = new Ignored();
  let present: () => readonly Present[] = () => [];
  const view = new TtyView({
    stops: mayStop(),
    now: Date.now,
    colour,
    settings,
    history,
    ignored,
    names: () => present().map(({ name }) => name),
  });
  note = (text) => view.note(text);
  notes.forEach(note);
  return {
    view,
    run: (session, transfers) => {
      present = () => session.present;
      const desk = { settings, ignored, shown: view.scrollback };
      return converse(session, transfers, view, desk);
    },
    close: async () => {
      view.close();
      await settings.kept;
      await history.close();
    },
  };
}
