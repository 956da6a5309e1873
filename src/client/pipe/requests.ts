/**
 * What a program can ask for, as lines of JSON: one table, a row each, that a person's commands correspond to.
 * What a request may do is in the context that it is given.
 *
 * @module
 */

import { type Actions, HISTORY_COUNT, type Verification } from "../actions.ts";
import type { Ignored } from "../ignored.ts";
import type { Somebody } from "../person.ts";
import { parseName } from "../../protocol/names.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Present, RequestId } from "../view.ts";
import type { ErrorFields } from "./error_line.ts";
import { REFUSALS } from "../../protocol/reasons.ts";

/** What a request may do, and how it is answered. */
export interface RequestContext extends Actions {
  /** Whom the program doesn't want to read. */
  readonly ignored: Ignored;
  /** Answers with who is in the room. */
  members(
    present: readonly Present[],
    keepers: readonly Somebody[] | undefined,
    id?: RequestId,
  ): void;
  /** Answers with what to compare with somebody. */
  digits(name: string, verification: Verification, id?: RequestId): void;
  /** Answers with who is ignored. */
  ignoring(members: readonly Somebody[], id?: RequestId): void;
  /** Answers that a line can't be understood, or done. */
  error(message: string, about: ErrorFields): void;
}

/** The fields that are numbers; all others are texts. */
const COUNTS = [
  "to",
  "seq",
  "count",
  "offer",
  "invite",
  "uses",
  "days",
  "seconds",
] as const;

/** The fields of a request. */
type Request = Readonly<Record<string, unknown>> & { readonly id?: RequestId };
type Field = "text" | "name" | "words" | "path" | "note" | Count;
type Count = typeof COUNTS[number];

/** A row of the table. */
interface Row {
  /** The fields that must be there. */
  readonly needs: readonly Field[];
  /** The fields that may be there. */
  readonly may?: readonly Field[];
  /** Which of them are texts, though they are numbers in other requests. */
  readonly texts?: readonly Count[];
  /** Whether it is kept for when the client has come into the room; any other waits until then. */
  readonly isKept?: boolean;
  /** Does it. */
  readonly run: (
    context: RequestContext,
    request: Request,
  ) => void | Promise<void>;
}

const REQUESTS: Readonly<Record<string, Row>> = {
  say: {
    needs: ["text"],
    isKept: true,
    run: ({ say }, { text, id }) => say(String(text), id),
  },
  act: {
    needs: ["text"],
    isKept: true,
    run: ({ act }, { text, id }) => act(String(text), id),
  },
  reply: {
    needs: ["to", "text"],
    isKept: true,
    run: ({ reply }, { to, text, id }) => reply(Number(to), String(text), id),
  },
  edit: {
    needs: ["to", "text"],
    isKept: true,
    run: ({ edit }, { to, text, id }) => edit(Number(to), String(text), id),
  },
  delete: {
    needs: ["to"],
    isKept: true,
    run: (context, { to, id }) => context.delete(Number(to), id),
  },
  react: {
    needs: ["to"],
    may: ["text"],
    isKept: true,
    run: ({ react }, { to, text, id }) =>
      react(Number(to), String(text ?? ""), id),
  },
  private: {
    needs: ["to", "text"],
    texts: ["to"],
    isKept: true,
    run: ({ write }, { to, text, id }) => write(String(to), String(text), id),
  },
  rename: { needs: ["name"], run: rename },
  away: {
    needs: [],
    may: ["text"],
    run: ({ away }, { text, id }) => away(String(text ?? ""), id),
  },
  history: {
    needs: [],
    may: ["count"],
    run: ({ history }, { count, id }) =>
      history(Number(count ?? HISTORY_COUNT), id),
  },
  agree: {
    needs: [],
    may: ["seq"],
    run: ({ agree }, { seq, id }) =>
      agree(seq === undefined ? undefined : Number(seq), id),
  },
  accept: { needs: [], run: ({ accept }, { id }) => accept(id) },
  search: {
    needs: ["words"],
    run: ({ search }, { words, id }) => search(String(words), id),
  },
  send: {
    needs: ["path"],
    run: ({ send }, { path, id }) => send(String(path), id),
  },
  get: {
    needs: ["offer"],
    run: ({ get }, { offer, id }) => get(Number(offer), id),
  },
  drop: {
    needs: ["offer"],
    run: ({ drop }, { offer, id }) => drop(Number(offer), id),
  },
  who: {
    needs: [],
    run: ({ members, who, keepers }, { id }) => members(who(), keepers(), id),
  },
  release: { needs: [], run: ({ release }, { id }) => release(id) },
  verify: { needs: ["name"], run: verify },
  invite: {
    needs: [],
    may: ["note", "uses", "days"],
    run: ({ operate }, { note = "", uses = 1, days = 7, id }) =>
      operate("invite", String(days), String(note), Number(uses), id),
  },
  invites: { needs: [], run: wish("invites") },
  revoke: {
    needs: ["invite"],
    run: ({ operate }, { invite, id }) =>
      operate("revoke", String(invite), "", 0, id),
  },
  kick: about("kick"),
  ban: {
    needs: ["name"],
    may: ["days"],
    run: ({ operate }, { name, days = 0, id }) =>
      operate("ban", String(name), "", Number(days), id),
  },
  unban: about("unban"),
  bans: { needs: [], run: wish("bans") },
  op: about("op"),
  deop: about("deop"),
  keeper: about("keeper"),
  topic: {
    needs: ["text"],
    run: ({ operate }, { text, id }) =>
      operate("topic", "", String(text), 0, id),
  },
  slow: {
    needs: ["seconds"],
    run: ({ operate }, { seconds, id }) =>
      operate("slow", "", "", Number(seconds), id),
  },
  ignore: { needs: [], may: ["name"], run: ignore },
  unignore: { needs: ["name"], run: unignore },
  quit: {
    needs: [],
    may: ["text"],
    isKept: true,
    run: ({ quit }, { text }) =>
      text === undefined ? quit() : quit(String(text)),
  },
};

/** A request of operators' or keepers' about somebody. */
function about(what: "kick" | "unban" | "op" | "deop" | "keeper"): Row {
  return {
    needs: ["name"],
    run: ({ operate }, { name, id }) => operate(what, String(name), "", 0, id),
  };
}

/** A request of operators' that takes nothing. */
function wish(what: "invites" | "bans"): Row["run"] {
  return ({ operate }, { id }) => operate(what, "", "", 0, id);
}

/** The types of request that there are. */
export const REQUEST_TYPES: readonly string[] = Object.keys(REQUESTS);

/**
 * Does what a line of the input asks for, once the client has come into the room. A line that doesn't begin with a brace is a
 * text, as on any pipe.
 * @returns The text to send, null if there is none.
 */
export async function interpretRequest(
  line: string,
  context: RequestContext,
): Promise<string | null> {
  if (!line.trimStart().startsWith("{")) return line;
  let request: Request;
  try {
    request = JSON.parse(line);
  } catch {
    context.error("Cannot read a request: it is no JSON", { line });
    return null;
  }
  const { type, id } = request;
  const row = typeof type === "string" && Object.hasOwn(REQUESTS, type)
    ? REQUESTS[type]
    : undefined;
  const wrong = row ? wrongField(row, request) : unknownType(type);
  if (!row || wrong !== undefined) {
    context.error(`Cannot do a request: ${wrong}`, {
      line,
      ...(isRequestId(id) ? { id } : {}),
    });
    return null;
  }
  if (!row.isKept) await context.inRoom();
  await row.run(context, request);
  return null;
}

/** What a request may be called. */
function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || Number.isSafeInteger(id);
}

function unknownType(type: unknown): string {
  if (typeof type !== "string") return "it has no type";
  return `there is no type ${JSON.stringify(type)}` +
    didYouMean(type, REQUEST_TYPES);
}

/** What is wrong with the fields of a request; undefined if nothing is. Fields that aren't known don't count. */
function wrongField(
  { needs, may = [], texts = [] }: Row,
  request: Request,
): string | undefined {
  const { id } = request;
  if (id !== undefined && !isRequestId(id)) {
    return '"id" is a string or a whole number';
  }
  for (const field of [...needs, ...may]) {
    const value = request[field];
    if (value === undefined && may.includes(field)) continue;
    const counts = (COUNTS as readonly Field[]).includes(field) &&
      !(texts as readonly Field[]).includes(field);
    const least = field === "seconds" ? 0 : 1;
    if (counts && !(Number.isSafeInteger(value) && Number(value) >= least)) {
      return `"${field}" is a whole number above ${least - 1}`;
    }
    if (!counts && typeof value !== "string") return `"${field}" is a string`;
  }
  return undefined;
}

function rename(context: RequestContext, request: Request): void {
  const name = parseName(String(request.name));
  if (typeof name === "string") refuse(context, request, REFUSALS[name]);
  else context.rename(name.shown, request.id);
}

function verify(context: RequestContext, request: Request): void {
  const found = context.verification(String(request.name));
  if (!found) return nobody(context, request);
  if (found === "yourself") {
    return refuse(context, request, "That is you");
  }
  context.digits(String(request.name), found, request.id);
}

function ignore(context: RequestContext, request: Request): void {
  const { find, isSelf, who, ignored, ignoring } = context;
  const { name } = request;
  const person = name === undefined ? undefined : find(String(name));
  if (name !== undefined && !person) return nobody(context, request);
  if (person && isSelf(person)) {
    const self = JSON.stringify(name);
    return refuse(context, request, `Cannot ignore ${self}: that is you`);
  }
  if (person) ignored.add(person);
  ignoring(ignored.members(who()), request.id);
}

function unignore(context: RequestContext, request: Request): void {
  const { who, ignored, ignoring } = context;
  const known = ignored.find(String(request.name), who());
  if (!known) return nobody(context, request);
  ignored.remove(known);
  ignoring(ignored.members(who()), request.id);
}

function nobody(context: RequestContext, request: Request): void {
  const name = JSON.stringify(request.name);
  refuse(context, request, `Nobody is called ${name}`);
}

function refuse(
  { error }: RequestContext,
  request: Request,
  message: string,
): void {
  error(message, { line: JSON.stringify(request), id: request.id });
}
