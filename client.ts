/**
 * The client program: it connects to a server, shows what is said in the room there, and says what is typed.
 *
 *     deno task client [LINK | HOST:PORT [CODE]] [--name NAME] …
 *
 *     flags ──▶ link, front end, name, identity ──▶ Session: connects, listens, comes back after a loss ──▶ exit code
 *                                             └──▶ converse: a line is typed ──▶ interpreted ──▶ said
 *
 * Exit codes: 0 left, 1 could not join, was refused, or a line was, 2 wrong usage.
 *
 * @module
 */

import "./src/base/deno_version.ts"; // first of all
import { parseFlags, UsageError } from "./src/base/flags.ts";
import { reasonOf } from "./src/base/error_reason.ts";
import { sentence, write } from "./src/base/program.ts";
import { quote } from "./src/base/safe_text.ts";
import { type Actions, actionsOf } from "./src/client/actions.ts";
import { configFolder } from "./src/client/config_folder.ts";
import { Known } from "./src/client/known.ts";
import { findDestination, givenPlace } from "./src/client/destination.ts";
import { explain } from "./src/client/explain.ts";
import { Transfers } from "./src/client/files/transfers.ts";
import { firstRun, isFirstRun } from "./src/client/first_run.ts";
import { FLAGS, GONE, information, type Values } from "./src/client/flags.ts";
import {
  type Frontend,
  isTerminal,
  openFrontend,
} from "./src/client/frontend.ts";
import { Identities } from "./src/client/identities.ts";
import { Session, type Who } from "./src/client/session.ts";
import type { View } from "./src/client/view.ts";
import { type Address, formatAddress } from "./src/keys/invite.ts";
import { parseName } from "./src/protocol/names.ts";
import { REFUSALS } from "./src/protocol/reasons.ts";

async function main(args: readonly string[]): Promise<number> {
  let json = false;
  try {
    const parsed = parseFlags(args, FLAGS, { positionals: 4, gone: GONE });
    const { values, positionals: place } = parsed;
    json = values.json;
    if (values.export || values.import) {
      const folder = `${await configFolder()}/identities`;
      // Loaded only if wanted, which is seldom.
      const { carryIn, carryOut } = await import("./src/client/carry.ts");
      await (values.export ? carryOut : carryIn)(values, folder);
      return 0;
    }
    const text = information(values);
    if (text === undefined) return await chat(values, place);
    write(text);
    return 0;
  } catch (error) {
    return explain(error, json);
  }
}

/** Joins a room and stays until the client leaves. @returns The exit code. */
async function chat(
  values: Values,
  place: readonly string[],
): Promise<number> {
  const own = await configFolder();
  const folder = `${own}/identities`;
  const identities = new Identities(folder, values.identity);
  const given = await givenPlace(place, values.link); // before the front end takes standard input over

  const frontend = await openFrontend(values);
  const { view, isInteractive } = frontend;
  const home = Deno.env.get("HOME");
  try {
    if (isInteractive && await isFirstRun(folder)) {
      view.note(firstRun(folder, home));
    }
    const asked = isTerminal() ? view : undefined;
    const known = await Known.load(`${own}/known`, (it) => view.note(it));
    const destination = await findDestination(given, known, asked);
    if (!destination) return 0;
    const { host, port, handshake, proven } = destination;
    const name = await askName(view, values.name);
    if (name === null) return isTerminal() ? 0 : noName();

    let noted = Promise.resolve(); // once the identity's file has the name
    const transfers = new Transfers({ view, folder: values.downloads, home });
    const session = new Session({
      address: formatAddress(host, port),
      who: await identities.forName(name),
      dial: () => connect({ host, port }),
      handshake,
      proven,
      known,
      view,
      files: transfers,
      named: (name) => {
        noted = noted.then(() => identities.named(name))
          .catch((error) => view.note(reasonOf(error)));
      },
      askName: (refusal) => askAnotherName(view, identities, refusal),
    });
    leaveAtSignals(session, isInteractive);
    const staying = session.run(); // shows what happens, and comes back after a loss
    // The stay goes on after the end of the input, until what was said has gone out.
    const actions = actionsOf(session, transfers, known);
    const typing = converse(session, actions, transfers, frontend)
      .then(() => staying);
    await Promise.race([staying, typing])
      // Who has been in, however briefly, is the same person the next time, and knows the room.
      .finally(() => Promise.all([noted, known.kept]));
    return session.failedAny && !isInteractive ? 1 : 0;
  } finally {
    await frontend.close();
  }
}

/** Opens a connection to the server. */
async function connect({ host, port }: Address): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: host, port });
  conn.setNoDelay(true); // a line is short, and doesn't wait for the next one
  return conn;
}

/** Does and says what is typed, line by line, until the input ends. */
async function converse(
  session: Session,
  actions: Actions,
  transfers: Transfers,
  { view, interpreter, isInteractive }: Frontend,
): Promise<void> {
  const interpret = interpreter(actions);
  for await (const line of view.lines()) {
    const text = await interpret(line);
    if (text !== null) await session.say(text);
  }
  if (!isInteractive) {
    // Of what a program was told to do, nothing is left half done.
    await session.settled();
    await transfers.settled();
  }
  session.leave();
}

/** Asks for a name until there is one; null if the input ends. @param first The name that is given already. */
async function askName(view: View, first?: string): Promise<string | null> {
  for (let given = first ?? null;; given = null) {
    given ??= await view.ask("Enter your name: ");
    if (given === null) return null;
    const name = parseName(given);
    if (typeof name !== "string") return name.shown;
    const refusal = `Cannot go by ${quote(given)}: ${REFUSALS[name]}`;
    if (first !== undefined || !isTerminal()) throw new UsageError(refusal);
    view.note(REFUSALS[name]);
  }
}

/** Asks for another name than one that the server refuses; null if there is nobody to ask. */
async function askAnotherName(
  view: View,
  identities: Identities,
  refusal: string,
): Promise<Who | null> {
  if (!isTerminal()) return null;
  view.note(sentence(refusal));
  const name = await askName(view);
  return name === null ? null : await identities.forName(name);
}

function noName(): number {
  write("No name was given on the first line, nor by --name.\n", Deno.stderr);
  return 1;
}

/**
 * Ends the session from outside. A terminal's view has Ctrl-C for itself: it may only drop what was pasted.
 * On a pipe SIGHUP stays as it is, so that nohup can have it ignored.
 */
function leaveAtSignals(session: Session, isInteractive: boolean): void {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : isInteractive
    ? ["SIGTERM", "SIGHUP"]
    : ["SIGINT", "SIGTERM"];
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => session.leave());
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
