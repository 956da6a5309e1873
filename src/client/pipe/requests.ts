/**
 * What a program can ask for, as lines of JSON: one table, a row each, that a person's commands correspond to.
 * What a request may do is in the context that it is given.
 *
 * @module
 */

import { type Actions, HISTORY_COUNT, type Verification } from "../actions.ts";
import type { Ignored, Somebody } from "../ignored.ts";
import { parseName } from "../../protocol/names.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Present } from "../view.ts";
import { REFUSALS } from "../../protocol/reasons.ts";

/** What a request may do, and how it is answered. */
export interface RequestContext extends Actions {
  /** Whom the program doesn't want to read. */
  readonly ignored: Ignored;
  /** Answers with who is in the room. */
  members(present: readonly Present[]): void;
  /** Answers with what to compare with somebody. */
  digits(name: string, verification: Verification): void;
  /** Answers with who is ignored. */
  ignoring(members: readonly Somebody[]): void;
  /** Answers that a line can't be understood, or done. */
  error(message: string, line: string): void;
}

/** The fields of a request. */
type Request = Readonly<Record<string, unknown>>;
type Field = "text" | "name" | "words" | "path" | "note" | Count;
type Count = "to" | "count" | "offer" | "invite" | "uses" | "days" | "seconds";

/** A row of the table. */
interface Row {
  /** The fields that must be there. */
  readonly needs: readonly Field[];
  /** The fields that may be there. */
  readonly may?: readonly Field[];
  /** Does it. @returns What is to be said, if anything is. */
  readonly run: (
    context: RequestContext,
    request: Request,
  ) => string | void | Promise<void>;
}

const REQUESTS: Readonly<Record<string, Row>> = {
  say: { needs: ["text"], run: (_context, { text }) => String(text) },
  act: {
    needs: ["text"],
    run: ({ act }, { text }) => act(String(text)),
  },
  reply: {
    needs: ["to", "text"],
    run: ({ reply }, { to, text }) => reply(Number(to), String(text)),
  },
  edit: {
    needs: ["to", "text"],
    run: ({ edit }, { to, text }) => edit(Number(to), String(text)),
  },
  delete: {
    needs: ["to"],
    run: (context, { to }) => context.delete(Number(to)),
  },
  react: {
    needs: ["to"],
    may: ["text"],
    run: ({ react }, { to, text }) => react(Number(to), String(text ?? "")),
  },
  rename: { needs: ["name"], run: rename },
  away: {
    needs: [],
    may: ["text"],
    run: ({ away }, { text }) => away(String(text ?? "")),
  },
  history: {
    needs: [],
    may: ["count"],
    run: ({ history }, { count }) => history(Number(count ?? HISTORY_COUNT)),
  },
  search: {
    needs: ["words"],
    run: ({ search }, { words }) => search(String(words)),
  },
  send: {
    needs: ["path"],
    run: ({ send }, { path }) => send(String(path)),
  },
  get: {
    needs: ["offer"],
    run: ({ get }, { offer }) => get(Number(offer)),
  },
  drop: {
    needs: ["offer"],
    run: ({ drop }, { offer }) => drop(Number(offer)),
  },
  who: {
    needs: [],
    run: ({ members, who }) => members(who()),
  },
  release: { needs: [], run: ({ release }) => release() },
  verify: { needs: ["name"], run: verify },
  invite: {
    needs: [],
    may: ["note", "uses", "days"],
    run: ({ operate }, { note = "", uses = 1, days = 7 }) =>
      operate("invite", String(days), String(note), Number(uses)),
  },
  invites: { needs: [], run: ({ operate }) => operate("invites") },
  revoke: {
    needs: ["invite"],
    run: ({ operate }, { invite }) => operate("revoke", String(invite)),
  },
  kick: about("kick"),
  ban: {
    needs: ["name"],
    may: ["days"],
    run: ({ operate }, { name, days = 0 }) =>
      operate("ban", String(name), "", Number(days)),
  },
  unban: about("unban"),
  bans: { needs: [], run: ({ operate }) => operate("bans") },
  op: about("op"),
  deop: about("deop"),
  topic: {
    needs: ["text"],
    run: ({ operate }, { text }) => operate("topic", "", String(text)),
  },
  slow: {
    needs: ["seconds"],
    run: ({ operate }, { seconds }) => operate("slow", "", "", Number(seconds)),
  },
  ignore: { needs: [], may: ["name"], run: ignore },
  unignore: { needs: ["name"], run: unignore },
  quit: {
    needs: [],
    may: ["text"],
    run: ({ quit }, { text }) =>
      text === undefined ? quit() : quit(String(text)),
  },
};

const COUNTS: readonly Field[] = [
  "to",
  "count",
  "offer",
  "invite",
  "uses",
  "days",
  "seconds",
];

/** A request of operators' about somebody. */
function about(what: "kick" | "unban" | "op" | "deop"): Row {
  return {
    needs: ["name"],
    run: ({ operate }, { name }) => operate(what, String(name)),
  };
}

/** The types of request that there are. */
export const REQUEST_TYPES: readonly string[] = Object.keys(REQUESTS);

/**
 * Does what a line of the input asks for. A line that doesn't begin with a brace is a text, as on any pipe.
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
    context.error("Cannot read a request: it is no JSON", line);
    return null;
  }
  const { type } = request;
  const row = typeof type === "string" && Object.hasOwn(REQUESTS, type)
    ? REQUESTS[type]
    : undefined;
  const wrong = row ? wrongField(row, request) : unknownType(type);
  if (row && wrong === undefined) {
    return await row.run(context, request) ?? null;
  }
  context.error(`Cannot do a request: ${wrong}`, line);
  return null;
}

function unknownType(type: unknown): string {
  if (typeof type !== "string") return "it has no type";
  return `there is no type ${JSON.stringify(type)}` +
    didYouMean(type, REQUEST_TYPES);
}

/** What is wrong with the fields of a request; undefined if nothing is. Fields that aren't known don't count. */
function wrongField(
  { needs, may = [] }: Row,
  request: Request,
): string | undefined {
  for (const field of [...needs, ...may]) {
    const value = request[field];
    if (value === undefined && may.includes(field)) continue;
    const counts = COUNTS.includes(field);
    const least = field === "seconds" ? 0 : 1;
    if (counts && !(Number.isSafeInteger(value) && Number(value) >= least)) {
      return `"${field}" is a whole number above ${least - 1}`;
    }
    if (!counts && typeof value !== "string") return `"${field}" is a string`;
  }
  return undefined;
}

function rename({ rename, error }: RequestContext, request: Request): void {
  const name = parseName(String(request.name));
  if (typeof name === "string") error(REFUSALS[name], JSON.stringify(request));
  else rename(name.shown);
}

function verify(context: RequestContext, request: Request): void {
  const found = context.verification(String(request.name));
  if (!found) return nobody(context, request);
  if (found === "yourself") {
    return context.error("That is you", JSON.stringify(request));
  }
  context.digits(String(request.name), found);
}

function ignore(context: RequestContext, request: Request): void {
  const { find, isSelf, who, ignored, ignoring } = context;
  const { name } = request;
  const person = name === undefined ? undefined : find(String(name));
  if (name !== undefined && !person) return nobody(context, request);
  if (person && isSelf(person)) {
    const self = JSON.stringify(name);
    return context.error(
      `Cannot ignore ${self}: that is you`,
      JSON.stringify(request),
    );
  }
  if (person) ignored.add(person);
  ignoring(ignored.members(who()));
}

function unignore(context: RequestContext, request: Request): void {
  const { who, ignored, ignoring } = context;
  const known = ignored.find(String(request.name), who());
  if (!known) return nobody(context, request);
  ignored.remove(known);
  ignoring(ignored.members(who()));
}

function nobody({ error }: RequestContext, request: Request): void {
  const name = JSON.stringify(request.name);
  error(`Nobody is called ${name}`, JSON.stringify(request));
}
