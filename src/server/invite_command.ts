/**
 * `deno task invite`: makes, lists and closes invites, whether or not the server runs: it looks at
 * what they have written whenever somebody comes.
 *
 *     invite [NOTE] [--uses 1] [--for 7d]      a link for one person, or some; NOTE may be several words, as for Dora
 *     invite --code                            a spoken code: one person, ten minutes
 *     invite list                              what is open
 *     invite revoke N                          closes one
 *
 * @module
 */

import { KEY_SIZE, randomBytes } from "../../crypto_utils.ts";
import { AdvisedError } from "../base/advised_error.ts";
import { type FlagValues, parseFlags } from "../base/flags.ts";
import { UsageError } from "../base/usage_error.ts";
import { helpText } from "../base/help.ts";
import { print } from "../base/output.ts";
import { clientCommand, inviteCommand } from "../base/program.ts";
import { LineFile } from "../base/line_file.ts";
import { isThere } from "../base/private_file.ts";
import { MAX_QR_SIZE, qrLines } from "../base/qr.ts";
import { formatInvite, formatPlace, type Place } from "../keys/invite.ts";
import { KeyFile } from "../keys/key_file.ts";
import {
  formatCode,
  MAX_CODE_NUMBER,
  randomCode,
} from "../keys/spoken_code.ts";
import { FOUNDING_ID } from "../sealed/membership.ts";
import { DEFAULT_KEY_FILE, DEFAULT_PEOPLE_FILE } from "./flags.ts";
import { reachableAddress, roomPlace, whyUnreachable } from "./addresses.ts";
import { inviteCommandFor, linkCommand, startCommand } from "./own_commands.ts";
import { bothLinks } from "./join_instructions.ts";
import { webLink } from "./web/web_links.ts";
import { MAX_NOTE } from "../protocol/reasons.ts";
import { describeInvite, MAX_USES, newInvite } from "./people/invites.ts";
import { People } from "./people/people.ts";
import type { Happening } from "./people/happening.ts";
import { keepersIn } from "./sealed/open_sealed.ts";

/** How long a spoken code lasts, ms. */
const CODE_TIME = 600_000;
/** The highest number of a spoken code while few are open: two digits are soon said. */
const FEW = 99;

const ABOUT = [
  "An encrypted group chat: invites. Makes a link for one person; NOTE says for whom.",
  "invite list shows those that are open; invite revoke N closes one.",
].join("\n");

/** The command's flags. */
const FLAGS = [
  {
    name: "uses",
    kind: "integer",
    value: "COUNT",
    min: 1,
    max: MAX_USES,
    default: 1,
    help: "How many persons it lets in",
  },
  {
    name: "for",
    kind: "string",
    value: "TIME",
    default: "7d",
    help: "How long it lasts: 30m, 12h, 7d; 0: without an end",
  },
  {
    name: "code",
    kind: "boolean",
    help: "Make a code to be read aloud instead: one person, ten minutes",
  },
  {
    name: "key-file",
    kind: "path",
    value: "FILE",
    default: DEFAULT_KEY_FILE,
    help: "File of the room's keys",
  },
  {
    name: "people",
    kind: "path",
    value: "FILE",
    default: DEFAULT_PEOPLE_FILE,
    help: "File of members and invites",
  },
  {
    name: "control",
    kind: "path",
    value: "FILE",
    help:
      "File of a sealed room, where there is one (default beside the key file: chat.control)",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

type Values = FlagValues<typeof FLAGS>;

/** Does what the arguments say. @throws {UsageError} | {AdvisedError} | {FileError} */
export async function invite(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseFlags(args, FLAGS, {
    positionals: Infinity, // a note may be several words
  });
  if (values.help) {
    const usage = `${inviteCommand()} [NOTE | list | revoke N] [FLAGS]`;
    return print(helpText(usage, ABOUT, FLAGS));
  }
  if (await isThere(controlOf(values))) throw await isSealed(values);
  const [first, ...rest] = positionals;
  const takes = first === "list" ? 0 : first === "revoke" ? 1 : Infinity;
  const surplus = rest[takes];
  if (surplus !== undefined) {
    throw new UsageError(`Unexpected argument ${JSON.stringify(surplus)}`);
  }
  if (first === "list") return await list(values);
  if (first === "revoke") return revoke(values, rest[0]);
  if (rest.length === 1 && /^\d+$/.test(rest[0] ?? "")) {
    const [word, typed] = [first, positionals.join(" ")].map((it) =>
      JSON.stringify(it)
    );
    throw new UsageError(
      `Unknown command ${word}; a note that ends with a number stands in quotes: ${typed}`,
    );
  }
  const note = noteOf(positionals);
  if (note.length > MAX_NOTE) {
    throw new UsageError(`A note has at most ${MAX_NOTE} characters`);
  }
  if (values.code) return await makeCode(values, note);
  await makeLink(values, note);
}

/** For whom an invite is, as `/invite` takes it in a client: `for Dora` is `Dora`. */
function noteOf(words: readonly string[]): string {
  return words.join(" ").replace(/^for\s+/i, "");
}

/** Where the control lines of a sealed room would be: the files of a room are beside one another. */
function controlOf({ control, "key-file": keyFile }: Values): string {
  return control ?? `${keyFile.replace(/\.key$/, "")}.control`;
}

/** Why no invite is made here for a sealed room, and who makes them. @throws {FileError} */
async function isSealed(values: Values): Promise<AdvisedError> {
  const control = controlOf(values);
  const keepers = await keepersIn(control);
  return new AdvisedError(
    "The room here is sealed: its keepers make invites, by their own clients",
    keepers !== undefined
      ? `Ask one of them for /invite: ${keepers}`
      : await isThere(control)
      ? `Nobody has created it yet: ${
        foundingCommand(values)
      } prints the link for that`
      : "Ask one of them for /invite",
  );
}

/** What prints the link by which a sealed room is founded. */
function foundingCommand(values: Values): string {
  const { "key-file": keyFile, control } = values;
  const isDefault = keyFile === DEFAULT_KEY_FILE;
  return linkCommand({
    "key-file": keyFile,
    control: isDefault ? control : controlOf(values),
  });
}

async function makeLink(values: Values, note: string): Promise<void> {
  const until = endOf(values.for);
  const { keyFile, place } = await serverOf(values);
  const secret = randomBytes(KEY_SIZE);
  const made = add(values, (people) => {
    const wish = { uses: values.uses, until, note, by: "" };
    return newInvite(
      wish,
      secret,
      (id) => people.access.inviteKey(id) !== undefined,
      Date.now(),
    );
  });
  const serverKey = keyFile.keys.keyPair.publicKey;
  const link = formatInvite({ ...place, serverKey, id: made.id, secret });
  if (!Deno.stdout.isTerminal()) {
    return printMade(values, made, bothLinks(keyFile, link));
  }
  const persons = values.uses === 1 ? "one person" : `${values.uses} persons`;
  const end = values.for === "0" ? "without an end" : `for ${values.for}`;
  const web = webLink(keyFile.keys, link);
  // The link last: the code is so high that it would push it off the screen.
  const lines = [
    ...(link.length > MAX_QR_SIZE ? [] : qrLines(link)),
    "",
    `Invite ${made.id}: lets in ${persons}, ${end}.`,
    "",
    `${clientCommand()} '${link}'`,
    ...(web === undefined ? [] : [`In a browser: ${web}`]),
    ...unreachable(keyFile),
    "",
  ];
  printMade(values, made, lines.join("\n"));
}

async function makeCode(values: Values, note: string): Promise<void> {
  const { keyFile, place } = await serverOf(values);
  const until = Date.now() + CODE_TIME;
  const made = add(values, (people) => {
    const codes = people.access.openInvites.map(({ code }) => code)
      .filter((code) => code !== "");
    const taken = new Set(codes.map((code) => parseInt(code)));
    if (taken.size >= MAX_CODE_NUMBER) {
      throw new AdvisedError(
        `There are ${MAX_CODE_NUMBER} open codes, and no number is left for another`,
        `Wait ten minutes, or close one that nobody needs: ${
          inviteCommandFor(values)
        } revoke N`,
      );
    }
    const most = taken.size < FEW / 2 ? FEW : MAX_CODE_NUMBER;
    let number: number;
    do number = 1 + Math.floor(Math.random() * most); while (taken.has(number));
    const code = formatCode(randomCode(number));
    const isTaken = (id: number) => people.access.inviteKey(id) !== undefined;
    const wish = { uses: 1, until, note, by: "" };
    return newInvite(wish, randomBytes(KEY_SIZE), isTaken, Date.now(), code);
  });
  const shown = `${formatPlace(place)} ${made.code}`;
  if (!Deno.stdout.isTerminal()) return printMade(values, made, `${shown}\n`);
  const lines = [
    "Read this to one person, who types it within ten minutes:",
    "",
    `    ${clientCommand()} ${shown}`,
    "",
    "Three wrong tries end it.",
    ...unreachable(keyFile),
    "",
  ];
  printMade(values, made, lines.join("\n"));
}

/** What is to be known of links to a server that no other machine can reach. */
function unreachable({ keys }: KeyFile): string[] {
  const { listening } = keys;
  return listening === undefined || reachableAddress(keys) !== undefined
    ? []
    : [
      "",
      `It works on this machine alone: ${
        whyUnreachable(listening)
      }. Where others find it all the same, start the server with --address HOST:PORT.`,
    ];
}

async function list({ people: path }: Values): Promise<void> {
  if (!await isThere(path)) return print("No invite is open.\n");
  using people = People.open(path, { mend: false });
  const lines = people.access.openInvites.map(describeInvite);
  print(lines.length === 0 ? "No invite is open.\n" : `${lines.join("\n")}\n`);
}

function revoke(values: Values, which: string | undefined): void {
  const where = `to see them: ${inviteCommandFor(values)} list`;
  if (which === undefined) {
    throw new UsageError(`The number of the invite is missing; ${where}`);
  }
  const id = /^\d+$/.test(which) ? Number(which) : NaN;
  add(values, (people) => {
    if (people.access.openInvites.some((it) => it.id === id)) {
      return revoked(id);
    }
    throw new UsageError(
      `There is no open invite ${JSON.stringify(which)}; ${where}`,
    );
  });
  print(`Invite ${id} opens the room to nobody any more.\n`);
}

function revoked(invite: number): Happening {
  return { kind: "revoked", invite };
}

/** Prints what was made, which opens the room to nobody if it can't be printed. @throws {OutputError} */
function printMade(
  values: Values,
  { id }: { readonly id: number },
  text: string,
): void {
  try {
    print(text);
  } catch (error) {
    add(values, () => revoked(id));
    throw error;
  }
}

/** Adds something to the file, while the server, if it runs, leaves it alone. */
function add<T extends Happening>(
  { people: path }: Values,
  make: (people: People) => T,
): T {
  for (;;) {
    using file = LineFile.open<T>(path);
    file.lock();
    try {
      if (!file.isInPlace) continue; // it was written anew while this waited
      using people = People.open(path);
      const made = make(people);
      file.add([made]);
      return made;
    } finally {
      file.unlock();
    }
  }
}

/** The server's keys, and where others find the room. @throws {AdvisedError} before it has ever listened, and for a sealed room. */
async function serverOf(
  values: Values,
): Promise<{ keyFile: KeyFile; place: Place }> {
  const { "key-file": path } = values;
  const keyFile = await KeyFile.load(path);
  const place = keyFile && roomPlace(keyFile.keys);
  if (!keyFile || !place) {
    throw new AdvisedError(
      `There is no ${path} of a server that has listened yet`,
      `Start the server once: ${startCommand(values)}`,
    );
  }
  if (keyFile.keys.inviteId === FOUNDING_ID) throw await isSealed(values);
  return { keyFile, place };
}

/** When an invite ends that lasts that long, ms since 1970; null: never. @throws {UsageError} */
function endOf(text: string): number | null {
  if (text === "0") return null;
  const [, count = "", unit = ""] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (Number(count) === 0) {
    throw new UsageError(
      `Cannot use --for ${JSON.stringify(text)}: it is like 30m, 12h or 7d`,
    );
  }
  const units = { m: 60_000, h: 3_600_000, d: 86_400_000 };
  return Date.now() + Number(count) * units[unit as keyof typeof units];
}
