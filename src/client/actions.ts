/**
 * What is typed, or asked for by a program, and what it comes to in a session. Knows no connection, and of the
 * views only what they take in.
 *
 * @module
 */

import type { Asking } from "./asking.ts";
import { type CommandContext, interpret } from "./terminal/commands.ts";
import type { Ignored } from "./ignored.ts";
import type { JsonView } from "./pipe/json_view.ts";
import type { View } from "./view.ts";
import { reasonOf } from "../base/error_reason.ts";
import { interpretRequest, type RequestContext } from "./pipe/requests.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./terminal/settings.ts";
import type { Scrollback } from "./terminal/scrollback.ts";
import type { Transfers } from "./files/transfers.ts";

/** Lines that one search gives. */
const SEARCH_COUNT = 100;
/** The most lines that `/history` gives. */
const MAX_HISTORY = 200;

/** What a person at a terminal has beside the session. */
export interface Desk {
  /** What the person has set. */
  readonly settings: Settings;
  /** Whom the person doesn't want to read. */
  readonly ignored: Ignored;
  /** All that was shown. */
  readonly shown: Scrollback;
}

/** What both a person and a program can ask for. @param said Is given what has to be waited for. */
function asking(
  session: Session,
  transfers: Transfers,
  ignored: Ignored,
  said: (task: Promise<void>) => void,
): Asking {
  return {
    ignored,
    who: () => session.present,
    quit: (text) => session.leave(text),
    rename: (name) => session.rename(name),
    act: (text) => said(session.act(text)),
    reply: (to, text) => said(session.reply(to, text)),
    away: (text) => session.away(text),
    history: (count) => session.search("", Math.min(count, MAX_HISTORY)),
    search: (words) => session.search(words, SEARCH_COUNT),
    send: (path) => said(transfers.send(session, path)),
    get: (offer) => transfers.get(offer),
    drop: (offer) => transfers.drop(offer),
  };
}

/** Says what a person types, until the input ends. */
export async function converse(
  session: Session,
  transfers: Transfers,
  view: View,
  { settings, ignored, shown }: Desk,
): Promise<void> {
  let last: Promise<void> = Promise.resolve(); // what was said by a command, and waits for its place
  const context: CommandContext = {
    ...asking(session, transfers, ignored, (task) => last = task),
    note: (text) => view.note(text),
    settings,
    save: (path) => {
      last = shown.save(path).catch(reasonOf)
        .then((sentence) => view.note(sentence));
    },
  };
  for await (const line of view.lines()) {
    const text = interpret(line, context);
    await last;
    if (text !== null) await session.say(text);
  }
  session.leave();
}

/** Says what comes over a pipe, until it ends and all of it is in the log. */
export async function relay(session: Session, view: View): Promise<void> {
  for await (const line of view.lines()) await session.say(line);
  await session.settled();
  session.leave();
}

/** Does what a program asks for, until its input ends, all that it said is in the log and no file comes any more. */
export async function obey(
  session: Session,
  transfers: Transfers,
  view: JsonView,
): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const context: RequestContext = {
    ...asking(session, transfers, view.ignored, (task) => last = task),
    members: (present) => view.members(present),
    ignoring: (members) => view.ignoring(members),
    error: (message, line) => view.error(message, line),
  };
  for await (const line of view.lines()) {
    const text = interpretRequest(line, context);
    await last;
    if (text !== null) await session.say(text);
  }
  await session.settled();
  await transfers.settled();
  session.leave();
}
