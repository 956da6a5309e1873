/**
 * The client program: flags in, exit code out.
 *
 *     deno task client [INVITE] [--name NAME] …
 *
 * Exit codes: 0 left, 1 could not join, was refused, or a line was, 2 wrong usage.
 *
 * @module
 */

import type { KeyPair } from "./crypto_utils.ts";
import { quote } from "./src/colours.ts";
import { interpret } from "./src/commands.ts";
import {
  byInvite,
  byPassphrase,
  type Destination,
  dial,
} from "./src/destination.ts";
import { REFUSALS } from "./src/events.ts";
import { ensureFolder, FileError } from "./src/files.ts";
import { type FlagValues, helpText, parseFlags } from "./src/flags.ts";
import { UsageError } from "./src/flags.ts";
import { defaultConfigFolder, loadOrCreateIdentity } from "./src/identity.ts";
import { findLocalInvite, formatAddress, parseInvite } from "./src/invite.ts";
import { parseName } from "./src/names.ts";
import type { View } from "./src/news.ts";
import { passphraseFrom } from "./src/passphrase.ts";
import { JsonView, PlainView } from "./src/plain.ts";
import { clientCommand, sentence, VERSION, write } from "./src/program.ts";
import { JoinError, Session } from "./src/session.ts";
import { TerminalView } from "./src/terminal.ts";
import process from "node:process";

const KEY_FILE = "chat.key";

const FLAGS = [
  {
    name: "name",
    kind: "string",
    value: "NAME",
    help: "Go by this name; asked for where it is not given",
  },
  {
    name: "passphrase",
    kind: "optional",
    value: "FILE",
    help:
      "Join by a passphrase instead of an invite: asked for, or the first line of FILE (- for standard input)",
  },
  {
    name: "host",
    kind: "string",
    value: "HOST",
    help: "With --passphrase: the server's address (default 127.0.0.1)",
  },
  {
    name: "port",
    kind: "integer",
    value: "PORT",
    min: 1,
    max: 65_535,
    help: "With --passphrase: the server's port (default 5000)",
  },
  {
    name: "identity",
    kind: "string",
    value: "FILE",
    help:
      "Keep the key that members know you by in this file (default: identity in your configuration folder)",
  },
  {
    name: "known-servers",
    kind: "string",
    value: "FILE",
    help:
      "Keep the keys of servers joined by passphrase in this file (default: known_servers beside the identity)",
  },
  {
    name: "json",
    kind: "boolean",
    help: "Print one event a line, as JSON, for programs",
  },
  { name: "help", kind: "boolean", help: "Show this" },
  { name: "version", kind: "boolean", help: "Show the version" },
] as const;

type Values = FlagValues<typeof FLAGS>;

const ABOUT = [
  "An encrypted group chat: the client. An INVITE is the link that the server prints; on the server's own machine, in its folder, none is needed.",
  "On a pipe, every line of standard input is a message, the first one the name where --name is not given.",
].join("\n");

/** The folder of this person's own files, made where it isn't there. */
async function configFolder(): Promise<string> {
  const folder = defaultConfigFolder((name) => Deno.env.get(name));
  if (folder === undefined) {
    throw new UsageError("Cannot tell where your files are: give --identity");
  }
  await ensureFolder(folder);
  return folder;
}

async function invited(text: string | undefined): Promise<Destination> {
  if (text !== undefined) {
    try {
      return byInvite(parseInvite(text));
    } catch (error) {
      if (error instanceof SyntaxError) throw new UsageError(error.message);
      throw error;
    }
  }
  const local = await findLocalInvite(KEY_FILE);
  if (local) return byInvite(local);
  throw new UsageError(
    `No invite was given, and there is no ${KEY_FILE} of a server here: ${clientCommand()} 'chat://…'`,
  );
}

/** The server at --host and --port, which a person at a terminal may have to accept. */
async function known(
  values: Values,
  passphrase: string,
  keyPair: KeyPair,
  view: View,
): Promise<Destination> {
  const { host = "127.0.0.1", port = 5000 } = values;
  const path = values["known-servers"] ??
    `${await configFolder()}/known_servers`;
  const accept = async (where: string, fingerprint: string) => {
    view.note(`You have not joined ${where} before. Its fingerprint:`);
    view.note(`    ${fingerprint}`);
    const answer = await view.ask("Is that the server you mean? (yes/no) ");
    return answer?.trim().toLowerCase() === "yes";
  };
  const asked = isInteractive() ? accept : undefined;
  return await byPassphrase({ host, port }, passphrase, keyPair, path, asked);
}

function isInteractive(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

function viewFor({ json }: Values): View {
  if (isInteractive() && !json) {
    return new TerminalView({
      input: process.stdin,
      output: process.stdout,
      now: Date.now,
      colour: (Deno.env.get("NO_COLOR") ?? "") === "",
    });
  }
  const streams = {
    input: Deno.stdin.readable,
    output: Deno.stdout,
    errors: Deno.stderr,
  };
  return json ? new JsonView(streams) : new PlainView(streams);
}

/** Asks until the answer can be a name; null where the input ends. */
async function nameFor(view: View, first?: string): Promise<string | null> {
  for (let given = first ?? null;; given = null) {
    given ??= await view.ask("Enter your name: ");
    if (given === null) return null;
    const name = parseName(given);
    if (typeof name !== "string") return name.shown;
    const refusal = `Cannot go by ${quote(given)}: ${REFUSALS[name]}`;
    if (first !== undefined || !isInteractive()) throw new UsageError(refusal);
    view.note(REFUSALS[name]);
  }
}

/** Says what is typed, until the input ends. */
async function talk(session: Session, view: View): Promise<void> {
  const interactive = isInteractive();
  const context = {
    note: (text: string) => view.note(text),
    who: () => session.present,
    quit: () => session.leave(),
  };
  for await (const line of view.lines()) {
    const text = interactive ? interpret(line, context) : line;
    if (text !== null) await session.say(text);
  }
  // A pipe's lines are all to be in the log; a person who leaves has seen what is and what isn't.
  if (!interactive) await session.settled();
  session.leave();
}

async function chat(values: Values, invite?: string): Promise<number> {
  const { passphrase: source } = values;
  if (source === undefined && (values.host ?? values.port) !== undefined) {
    throw new UsageError("--host and --port belong to --passphrase");
  }
  if (source !== undefined && invite !== undefined) {
    throw new UsageError("Give an invite or --passphrase, not both");
  }
  // Before the view, which takes standard input over.
  const passphrase = source === undefined ? "" : await passphraseFrom(source);
  const path = values.identity ?? `${await configFolder()}/identity`;
  const { keyPair } = await loadOrCreateIdentity(path);
  const invitation = source === undefined ? await invited(invite) : undefined;

  const view = viewFor(values);
  try {
    const { host, port, handshake } = invitation ??
      await known(values, passphrase, keyPair, view);
    const name = await nameFor(view, values.name);
    if (name === null) return isInteractive() ? 0 : noName();
    const session = new Session({
      address: formatAddress(host, port),
      name,
      dial: () => dial({ host, port }),
      handshake: { ...handshake, keyPair },
      view,
      askName: (sentence) => {
        if (!isInteractive()) return Promise.resolve(null);
        view.note(sentence);
        return nameFor(view);
      },
    });
    for (const signal of stopSignals()) {
      Deno.addSignalListener(signal, () => session.leave());
    }
    await Promise.race([talk(session, view).then(never), session.run()]);
    if (isInteractive() && session.waiting > 0) {
      view.note(`${session.waiting} of your lines were not sent`);
    }
    return session.refusedAny && !isInteractive() ? 1 : 0;
  } finally {
    view.close();
  }
}

/** A promise that stays pending: what ends the program is the session. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function noName(): number {
  write("No name was given on the first line, nor by --name.\n", Deno.stderr);
  return 1;
}

function stopSignals(): Deno.Signal[] {
  return Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const parsed = parseFlags(args, FLAGS, { positionals: 1 });
    const { values, positionals: [invite] } = parsed;
    if (values.help) {
      write(helpText(`${clientCommand()} [INVITE] [FLAGS]`, ABOUT, FLAGS));
      return 0;
    }
    if (values.version) {
      write(`encrypted-chat ${VERSION}\n`);
      return 0;
    }
    return await chat(values, invite);
  } catch (error) {
    if (error instanceof UsageError) {
      write(`${sentence(error.message)} See --help.\n`, Deno.stderr);
      return 2;
    }
    if (error instanceof JoinError) {
      write(
        `${sentence(error.message)}\n${sentence(error.advice)}\n`,
        Deno.stderr,
      );
      return 1;
    }
    if (error instanceof FileError || error instanceof RangeError) {
      write(`${sentence(error.message)}\n`, Deno.stderr);
      return 1;
    }
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
