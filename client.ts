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
import { DocumentFile } from "./src/base/document_file.ts";
import { parseFlags } from "./src/base/flags.ts";
import { reasonOf } from "./src/base/error_reason.ts";
import { print } from "./src/base/output.ts";
import { sentence } from "./src/base/sentence.ts";
import { within } from "./src/base/timing.ts";
import { type Actions, actionsOf } from "./src/client/actions.ts";
import { requireName } from "./src/client/ask.ts";
import {
  configFolder,
  optionalConfigFolder,
} from "./src/client/config_folder.ts";
import { Known } from "./src/client/known.ts";
import type { Destination } from "./src/client/destination.ts";
import { direct } from "./src/client/direct.ts";
import { endAtFaults, explain } from "./src/client/explain.ts";
import { DiskFiles } from "./src/client/files/disk_files.ts";
import { Transfers } from "./src/client/files/transfers.ts";
import { firstRun, isFirstRun } from "./src/client/first_run.ts";
import {
  FLAGS,
  GONE,
  information,
  shownHistory,
  type Values,
} from "./src/client/flags.ts";
import type { Frontend } from "./src/client/frontend.ts";
import {
  askDestination,
  findDestination,
  givenPlace,
} from "./src/client/given_place.ts";
import { SeenFile } from "./src/client/mail/seen_file.ts";
import { SeenHere } from "./src/client/mail/seen.ts";
import { Identities } from "./src/client/identities.ts";
import { isAtTerminal, openFrontend } from "./src/client/open_frontend.ts";
import {
  type Renamed,
  renamedFrom,
  renamedSentence,
  withPresentName,
} from "./src/client/own_names.ts";
import { ProxyFault } from "./src/client/proxy_fault.ts";
import { roomFolder } from "./src/client/sealed/room_folder.ts";
import {
  Session,
  type SessionOptions,
  type Who,
} from "./src/client/session.ts";
import {
  canAsk,
  isToFound,
  isToGoOn,
  linesAfterName,
  nameOf,
} from "./src/client/terminal_questions.ts";
import type { TypedView } from "./src/client/view.ts";
import {
  identitiesIn,
  IdentityFile,
  namesIn,
  type OwnNames,
} from "./src/keys/identity.ts";
import { addressesOf, parsePlace } from "./src/keys/invite.ts";
import { FOUNDING_ID } from "./src/sealed/membership.ts";

/** How long what was noted may take to be in its files when the client ends, ms: no disk keeps it from ending. */
const KEEPING_TIME = 5_000;
/** How long what was typed last may take to be done when a person ends the input, ms. */
const FINISHING_TIME = 1_000;

/** What a client goes into a room with. */
interface Company {
  readonly values: Values;
  readonly destination: Destination;
  /** The name that was given, or typed. */
  readonly name: string;
  /** Whether it was the first line of an input that nobody types. */
  readonly isNamedByInput: boolean;
  /** What this machine's identities are called, the latest first. */
  readonly names: () => Promise<readonly OwnNames[]>;
  /** Opens a connection to the server at an address. */
  readonly dialling: SessionOptions["dial"];
  /** How many earlier lines are shown. */
  readonly history: number;
  readonly identities: Identities;
  readonly known: Known;
  /** Where a person's own files are, if anywhere. */
  readonly folder: string | undefined;
  readonly frontend: Frontend;
  /** Says how the client leaves at a signal from here on. */
  readonly leaveBy: (leave: () => void) => void;
}

async function main(args: readonly string[]): Promise<number> {
  let json = false;
  let giveBack = () => {}; // what the client has taken over, as the terminal
  endAtFaults((error) => {
    giveBack();
    Deno.exit(explain(error, json));
  });
  try {
    const home = Deno.env.get("HOME");
    const options = { positionals: 4, gone: GONE, home };
    const { values, positionals: place } = parseFlags(args, FLAGS, options);
    json = values.json;
    if (values.export || values.import) {
      // Loaded only if wanted, which is seldom.
      const { carryIn, carryOut } = await import("./src/client/carry.ts");
      await (values.export ? carryOut : carryIn)(values);
      return 0;
    }
    const text = information(values);
    if (text === undefined) {
      return await chat(values, place, (view) => giveBack = () => view.close());
    }
    print(text);
    return 0;
  } catch (error) {
    return explain(error, json);
  }
}

/**
 * Finds out where to go and as whom, and stays there until the client leaves.
 * @param opened Is told of the view, which may have taken the terminal over. @returns The exit code.
 */
async function chat(
  values: Values,
  place: readonly string[],
  opened: (view: TypedView) => void,
): Promise<number> {
  const notes: string[] = []; // what goes wrong before there is a view
  let note: (text: string) => void = (text) => notes.push(text);
  // What is wrong with the command is told before anything else is.
  const history = shownHistory(values, isAtTerminal(values));
  const name = values.name === undefined ? null : requireName(values.name);
  const dialling = await dialler(values.proxy);
  const given = await givenPlace(place, values.link); // before the front end takes standard input over
  const own = values.identity === undefined
    ? await configFolder()
    : await optionalConfigFolder(isAtTerminal(values) ? note : () => {});
  const known = await Known.load(
    own === undefined ? undefined : new DocumentFile(`${own}/known`),
    (text) => note(text),
  );
  const found = await findDestination(given, known);
  const folder = `${own}/identities`; // which isn't used where there is none: then the identity was given
  const ownIdentity = values.identity === undefined
    ? undefined
    : await IdentityFile.open(values.identity);
  const identities = new Identities(identitiesIn(folder), ownIdentity);
  const names = async () => ownIdentity?.names ?? await namesIn(folder);

  const frontend = await openFrontend(values, own);
  const { view, isInteractive } = frontend;
  opened(view);
  let leave = () => view.close(); // a question has no answer then
  for (const signal of frontend.signals) {
    Deno.addSignalListener(signal, () => leave());
  }
  note = (text) => view.note(text);
  notes.forEach(note);
  try {
    if (isInteractive && own !== undefined && await isFirstRun(folder)) {
      note(firstRun(folder, Deno.env.get("HOME")));
    }
    const destination = found ?? await askDestination(view, known);
    if (!destination) return 0;
    const [usual] = name === null && canAsk() ? await names() : [];
    const called = name ?? await nameOf(view, usual?.name);
    if (called === null) return withoutName();
    return await stay({
      values,
      destination,
      name: called,
      isNamedByInput: name === null && !canAsk(),
      names,
      dialling,
      history,
      identities,
      known,
      folder: own,
      frontend,
      leaveBy: (how) => leave = how,
    });
  } finally {
    await within(KEEPING_TIME, frontend.close());
  }
}

/** Joins a room and stays until the client leaves. @returns The exit code. */
async function stay(company: Company): Promise<number> {
  const { values, destination, history, identities, known, frontend, folder } =
    company;
  const { address, others, handshake, proven, invite } = destination;
  const { view } = frontend;
  const isFounded = invite?.id === FOUNDING_ID &&
    known.sealedRoom(invite.serverKey) !== undefined;
  let noted = Promise.resolve(); // once the identity's file has the name
  const home = Deno.env.get("HOME");
  using seen = folder === undefined
    ? new SeenHere()
    : SeenFile.load(`${folder}/private`, (text) => view.note(text));
  const transfers = new Transfers({
    view,
    files: new DiskFiles({ folder: values.downloads, home }),
  });
  const proxy = new ProxyFault(company.dialling);
  const session: Session = new Session({
    address,
    others,
    who: await identities.forName(company.name),
    dial: (address) => proxy.dial(address),
    handshake,
    comesAsMember: isFounded,
    proven,
    known,
    view,
    history,
    seen,
    files: transfers,
    sealing: {
      invite,
      stores: folder === undefined ? undefined : roomFolder(`${folder}/rooms`),
      makesInvite: values.found
        ? "always"
        : invite?.id === FOUNDING_ID && !isFounded
        ? "if none is open"
        : "never",
      founds: values.found ? undefined : () => isToFound(view),
      confirm: (question) => isToGoOn(view, question),
    },
    placesIn,
    named: (name) => {
      noted = noted.then(() => identities.named(name))
        .catch((error) => view.note(reasonOf(error)));
    },
    askName: async (refusal) =>
      await askAnotherName(view, identities, refusal, await renamed()),
  });
  const renamed = async () =>
    renamedFrom(session.conversation.name, await company.names());
  company.leaveBy(() => session.leave());
  const staying = session.run(); // shows what happens, and comes back after a loss
  const typing = converse(
    session,
    actionsOf(session, transfers, known),
    transfers,
    company,
  );
  leaveAtEnd(session, typing, frontend);
  // The stay goes on after the end of the input, until what was said has gone out.
  const all = typing.then(() => staying);
  let code: number | undefined;
  try {
    await Promise.race([staying, all, frontend.failed]);
  } catch (error) {
    // The others are told that it leaves, for whatever reason.
    session.leave();
    await staying.catch(() => {}); // for the same reason
    view.close(); // gives a terminal back
    const place = known.serverAt(address) && address;
    const why = withPresentName(
      proxy.insteadOf(error),
      await renamed().catch(() => undefined), // the error is told in any case
      place,
    );
    code = explain(why, values.json);
  } finally {
    session.conversation.showLost(); // once it is said why
    // Who has been in, however briefly, is the same person the next time, and knows the room.
    const kept = [noted, known.kept, session.kept()];
    await within(KEEPING_TIME, Promise.all(kept));
  }
  const failed = session.conversation.failedAny ||
    frontend.view.failedAny === true;
  return code ?? (failed && !frontend.isInteractive ? 1 : 0);
}

/**
 * How connections are opened: through a proxy where one is named.
 * @param flag What `--proxy` says. @throws {UsageError} for one that is no proxy.
 */
async function dialler(flag?: string): Promise<SessionOptions["dial"]> {
  const variable = Deno.env.get("all_proxy") || Deno.env.get("ALL_PROXY"); // in curl's order
  if (!flag && !variable) return direct;
  // Loaded only if wanted: most clients don't need it.
  const { dialThrough } = await import("./src/client/proxy/dial_proxy.ts");
  return dialThrough(flag, variable ?? "", direct);
}

/** Does and says what is typed, line by line, until the input ends. */
async function converse(
  session: Session,
  actions: Actions,
  transfers: Transfers,
  { frontend, name, isNamedByInput, history }: Company,
): Promise<void> {
  const { view, interpreter, isInteractive } = frontend;
  const interpret = interpreter(actions);
  const isIn = async () => {
    await session.conversation.inRoom();
    return session.conversation.hasBegun;
  };
  const lines = isNamedByInput
    ? linesAfterName(view, name, async () => history === 0 && await isIn())
    : view.lines();
  for await (const line of lines) {
    const text = await interpret(line);
    if (text !== null) await session.say(text);
  }
  if (!isInteractive) {
    // Of what a program was told to do, nothing is left half done.
    await session.conversation.settled();
    await transfers.settled();
  }
  session.leave();
}

/** Has the client leave soon after a person has ended the input, even where a line can't be done or said now. */
async function leaveAtEnd(
  session: Session,
  typing: Promise<void>,
  { ended }: Frontend,
): Promise<void> {
  await ended;
  await within(FINISHING_TIME, typing.catch(() => {})); // which `stay` is told
  session.leave();
}

/** Asks for another name than one that the server refuses; null if there is nobody to ask, or nobody who answers. */
async function askAnotherName(
  view: TypedView,
  identities: Identities,
  refusal: string,
  renamed?: Renamed,
): Promise<Who | null> {
  if (!canAsk()) return null;
  view.note(sentence(refusal));
  if (renamed) view.note(sentence(renamedSentence(renamed)));
  const name = await nameOf(view, renamed?.now);
  return name === null ? null : await identities.forName(name);
}

/** The addresses of a list, `HOST:PORT,…`, as they are written; none where it is none. */
function placesIn(list: string): string[] {
  try {
    return addressesOf(parsePlace(list));
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** There is no name. @returns The exit code: whoever was asked has left. */
function withoutName(): number {
  if (canAsk()) return 0;
  throw new RangeError("No name was given on the first line, nor by --name");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
