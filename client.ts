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
import { ABOUT, FLAGS, type Values } from "./src/client/flags.ts";
import { completionScript, SHELLS } from "./src/client/shell_completions.ts";
import {
  byInvite,
  byPassphrase,
  type Destination,
  dial,
} from "./src/client/destination.ts";
import { ensureFolder, FileError } from "./src/base/private_file.ts";
import {
  type Frontend,
  jsonFrontend,
  plainFrontend,
  terminalFrontend,
} from "./src/client/frontend.ts";
import { parseFlags, UsageError } from "./src/base/flags.ts";
import { helpText } from "./src/base/help.ts";
import {
  defaultConfigFolder,
  loadOrCreateIdentity,
} from "./src/keys/identity.ts";
import { formatAddress, parseInvite } from "./src/keys/invite.ts";
import { findLocalInvite } from "./src/keys/key_file.ts";
import { JoinError } from "./src/client/join_error.ts";
import { errorLine } from "./src/client/pipe/json_view.ts";
import { parseName } from "./src/protocol/names.ts";
import type { View } from "./src/client/view.ts";
import { passphraseFrom } from "./src/keys/passphrase.ts";
import { clientCommand, sentence, VERSION, write } from "./src/base/program.ts";
import { Session } from "./src/client/session.ts";
import { Transfers } from "./src/client/files/transfers.ts";
import { REFUSALS } from "./src/protocol/reasons.ts";
import { quote } from "./src/base/safe_text.ts";

const KEY_FILE = "chat.key";

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

async function frontendFor(values: Values): Promise<Frontend> {
  if (values.json) return jsonFrontend();
  if (!isInteractive()) return plainFrontend();
  const colour = !values["no-color"] && (Deno.env.get("NO_COLOR") ?? "") === "";
  return await terminalFrontend(await configFolder(), colour);
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
  const { keyPair, created } = await loadOrCreateIdentity(path);
  const invitation = source === undefined ? await invited(invite) : undefined;

  const interactive = isInteractive() && !values.json;
  const frontend = await frontendFor(values);
  const { view } = frontend;
  try {
    if (created && interactive) view.note(firstRun(path));
    const { host, port, handshake } = invitation ??
      await known(values, passphrase, keyPair, view);
    const name = await nameFor(view, values.name);
    if (name === null) return isInteractive() ? 0 : noName();
    const transfers = new Transfers({
      view,
      folder: values.downloads,
      home: Deno.env.get("HOME"),
    });
    const session = new Session({
      address: formatAddress(host, port),
      name,
      dial: () => dial({ host, port }),
      handshake: { ...handshake, keyPair },
      view,
      files: transfers,
      askName: (sentence) => {
        if (!isInteractive()) return Promise.resolve(null);
        view.note(sentence);
        return nameFor(view);
      },
    });
    for (const signal of stopSignals(interactive)) {
      Deno.addSignalListener(signal, () => session.leave());
    }
    await Promise.race([
      frontend.run(session, transfers).then(never),
      session.run(),
    ]);
    return session.failedAny && !interactive ? 1 : 0;
  } finally {
    await frontend.close();
  }
}

/** What somebody is told who runs this for the first time. */
function firstRun(identity: string): string {
  const home = `${Deno.env.get("HOME")}/`;
  const path = identity.startsWith(home)
    ? `~/${identity.slice(home.length)}`
    : identity;
  return [
    "Welcome. What you type goes to everybody in the room, encrypted, on Enter.",
    `A key, by which others know you, was made: ${path}`,
    "Tab completes, the arrows bring back what you typed, /help tells the rest.",
  ].join("\n");
}

/** A promise that stays pending: what ends the program is the session. */
function never(): Promise<never> {
  return new Promise(() => {});
}

function noName(): number {
  write("No name was given on the first line, nor by --name.\n", Deno.stderr);
  return 1;
}

/**
 * What ends a client from outside. A terminal's view has Ctrl-C for itself: it may only drop what was pasted.
 * On a pipe SIGHUP stays as it is, so that nohup can have it ignored.
 */
function stopSignals(interactive: boolean): Deno.Signal[] {
  if (Deno.build.os === "windows") return ["SIGINT"];
  return interactive ? ["SIGTERM", "SIGHUP"] : ["SIGINT", "SIGTERM"];
}

async function main(args: readonly string[]): Promise<number> {
  let json = false;
  try {
    const parsed = parseFlags(args, FLAGS, { positionals: 1 });
    const { values, positionals: [invite] } = parsed;
    json = values.json;
    if (values.help) {
      write(helpText(`${clientCommand()} [INVITE] [FLAGS]`, ABOUT, FLAGS));
      return 0;
    }
    if (values.version) {
      write(`encrypted-chat ${VERSION}\n`);
      return 0;
    }
    if (values.completions !== undefined) {
      const shell = SHELLS.find((known) => known === values.completions);
      if (shell) write(completionScript(shell, "chat-client", FLAGS));
      return 0;
    }
    return await chat(values, invite);
  } catch (error) {
    if (json && error instanceof Error) tellProgram(error.message);
    return explain(error);
  }
}

/** Writes an event for whoever reads the others. */
function tellProgram(message: string): void {
  try {
    write(`${errorLine(message)}\n`);
  } catch (error) {
    // Nobody reads any more; a person at the terminal still may.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Says why the program can't go on. @returns The exit code. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    write(`${sentence(error.message)} See --help.\n`, Deno.stderr);
    return 2;
  }
  if (error instanceof JoinError) {
    const { message, advice } = error;
    write(`${sentence(message)}\n${sentence(advice)}\n`, Deno.stderr);
    return 1;
  }
  if (error instanceof FileError || error instanceof RangeError) {
    write(`${sentence(error.message)}\n`, Deno.stderr);
    return 1;
  }
  throw error;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
