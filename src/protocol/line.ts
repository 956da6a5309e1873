/**
 * Lines, what the room is made of: what a member sends, the entry that it becomes in the log, and every form in
 * which it travels or is told. All that depends on a line's kind stands here.
 *
 *     client                      server                          every member
 *     Line ── sayEvent ──▶ saidLine ──▶ NewEntry ── lineEvent ──▶ eventWords ──▶ LogEntry
 *                                          └── chat.log: sentence, parseSentence
 *                                   LogEntry ── pastEvent ──▶ pastEntry ──▶ LogEntry
 *
 * @module
 */

import { type Event, EventError, type Kind } from "./events.ts";
import { parseOffer } from "./offer.ts";
import { isEmoji } from "./reaction.ts";
import { GOODBYES, type Refusal, textRefusal, wording } from "./reasons.ts";

/** What somebody says, in whatever way, and how a client asks for it. */
const SPOKEN = {
  said: "say",
  acted: "act",
  replied: "reply",
  offered: "offer",
} as const satisfies Record<SpokenKind, Kind>;

/** What somebody does about something that was said, and how a client asks for it. */
const CHANGES = {
  edited: "edit",
  deleted: "delete",
  reacted: "react",
} as const satisfies Record<ChangeKind, Kind>;

/** Every line that a client sends, and how; in a sealed room it sends the others inside `sealed` ones. */
const SENT = { ...SPOKEN, ...CHANGES, sealed: "seal" } as const;

/** The kinds of line that somebody says. */
export type SpokenKind = "said" | "acted" | "replied" | "offered";

/**
 * The kinds of line that change one which was said before: its author gives it other words or takes it back, or
 * anybody reacts to it with an emoji. The line that they change stays in the log as it is.
 */
export type ChangeKind = "edited" | "deleted" | "reacted";

/** The kinds of line that a client sends. `sealed` is one of the others, which the server can't read. */
export type SentKind = SpokenKind | ChangeKind | "sealed";

/**
 * The twelve kinds of line. `acted` is said in the third person; `renamed` is a change of name; `ruled` is a control line,
 * by which a sealed room rules itself.
 */
export type LineKind =
  | SentKind
  | "ruled"
  | "joined"
  | "left"
  | "renamed";

const KINDS: ReadonlySet<string> = new Set<LineKind>([
  ...Object.keys(SENT) as SentKind[],
  "ruled",
  "joined",
  "left",
  "renamed",
]);

/** A line as a member sends it. */
export interface Line {
  /** The sender's own number, greater than that of the line before. */
  readonly n: number;
  /** Default: said. */
  readonly what?: SentKind;
  /** replied: the number of the entry that is answered; of a change: of the one that is changed; else null. */
  readonly to?: number | null;
  /**
   * At most 4,096 bytes of UTF-8; offered: as `formatOffer` makes it; reacted: an emoji, or "" for none any more;
   * deleted: ""; sealed: as `sealLine` makes it.
   */
  readonly text: string;
}

/** A line of the log. */
export interface LogEntry {
  /** The line's number in the file, from 1 on. */
  readonly seq: number;
  /** When, milliseconds since 1970. */
  readonly at: number;
  /** The short id of the member's person, 16 characters. */
  readonly person: string;
  /** The stay in which it was done, 8 bytes in base64url; with `person` and `n` it tells the line from all others. */
  readonly stay: string;
  /** The member's own number for it in that stay. */
  readonly n: number;
  /** What the member did. */
  readonly what: LineKind;
  /** The member's name; renamed: the one it had. */
  readonly name: string;
  /**
   * said, acted, replied: the text; edited: the new one; offered: as `formatOffer` makes it; reacted: an emoji, or ""
   * for none any more; sealed, ruled: as `sealLine` and `signControl` make it; renamed: the new name; left: a key of
   * `GOODBYES`, or the member's own words; joined, deleted: "".
   */
  readonly text: string;
  /** replied: the number of the entry that is answered; of a change: of the one that is changed; else null. */
  readonly to: number | null;
}

/** An entry before it has its number. `to` counts for what is about another line alone. */
export type NewEntry = Omit<LogEntry, "seq" | "to"> & {
  /** replied: the number of the entry that is answered; of a change: of the one that is changed. */
  readonly to?: number | null;
};

/** What a line tells, without who did it and when. */
export type Words = Pick<LogEntry, "what" | "text" | "to">;

/** Whether lines of a kind are something that somebody said, in whatever way. */
export function isSpoken(what: LineKind): what is SpokenKind {
  return Object.hasOwn(SPOKEN, what);
}

/** Whether lines of a kind are something that somebody said, or, being sealed, can be. */
export function mayBeSpoken(what: LineKind): boolean {
  return what === "sealed" || isSpoken(what);
}

/** Whether lines of a kind are sent by clients, rather than comings, goings and new names. */
export function isSent(what: LineKind): what is SentKind {
  return Object.hasOwn(SENT, what);
}

/** A line that changes another. */
export type Change = LogEntry & {
  readonly what: ChangeKind;
  readonly to: number;
};

/** Whether a line changes another. */
export function isChange(
  line: { readonly what: LineKind; readonly to?: number | null },
): line is Change {
  return Object.hasOwn(CHANGES, line.what);
}

/** Whether lines of a kind are about another, whose number is their `to`. */
export function isAbout(what: LineKind): what is ChangeKind | "replied" {
  return what === "replied" || Object.hasOwn(CHANGES, what);
}

/** Whether somebody may change a line so: everybody may react, and only its author edit or delete it. */
export function mayChange(
  { what, person }: Pick<LogEntry, "what" | "person">,
  line: LogEntry,
): boolean {
  if (!isSpoken(line.what)) return false;
  if (what === "reacted") return true;
  const isOfferEdited = what === "edited" && line.what === "offered";
  return line.person === person && !isOfferEdited;
}

/** Why the words of a line can't be said, whatever was said before; undefined if they can. */
export function wordsRefusal(
  { what, text }: Pick<LogEntry, "what" | "text">,
): Refusal | undefined {
  if (what === "deleted") return undefined;
  if (what !== "reacted") return textRefusal(text);
  return text === "" || isEmoji(text) ? undefined : "reaction-wrong";
}

/** The entry that a new one becomes under a number. */
export function numberEntry(entry: NewEntry, seq: number): LogEntry {
  return { ...entry, seq, to: isAbout(entry.what) ? entry.to ?? null : null };
}

// ── What a client says ─────────────────────────────────────────────────────────────────────────────────

/** How a client says a line to the server. */
export function sayEvent(
  line: Line,
): Event<
  "say" | "act" | "reply" | "offer" | "edit" | "delete" | "react" | "seal"
> {
  const { what = "said", n, text } = line;
  const to = line.to ?? 0;
  const kind = SENT[what];
  switch (kind) {
    case "reply":
    case "edit":
    case "react":
      return { kind, n, to, text };
    case "delete":
      return { kind, n, to };
    default:
      return { kind, n, text };
  }
}

const sentKinds = new Map<string, SentKind>(
  Object.entries(SENT).map(([what, kind]) => [kind, what as SentKind]),
);

/** The line that a client says by an event; undefined for an event that says nothing. */
export function saidLine(event: Event): Line | undefined {
  const what = sentKinds.get(event.kind);
  if (what === undefined) return undefined;
  const { n, to = null, text = "" } = event as Partial<Event<"reply">> & {
    readonly n: number;
  };
  return { n, what, to, text };
}

// ── What everybody is told ─────────────────────────────────────────────────────────────────────────────

/**
 * The event by which everybody is told of a line.
 * @param id The connection by which it was done. @param full The full id of its person.
 */
export function lineEvent(
  id: number,
  full: string,
  { what, n, name, person, stay, text, to }: Omit<NewEntry, "at">,
): Event {
  switch (what) {
    case "ruled": // perhaps by somebody whom the others don't know yet
      return { kind: what, person, name, stay, n, text };
    case "joined":
      return { kind: what, id, name, person: full, stay, n };
    case "left":
      return { kind: what, id, n, reason: text };
    case "renamed":
      return { kind: what, id, n, name: text };
    case "replied":
    case "edited":
    case "reacted":
      return { kind: what, id, n, to: to ?? 0, text };
    case "deleted":
      return { kind: what, id, n, to: to ?? 0 };
    default:
      return { kind: what, id, n, text };
  }
}

/** What an event tells of a line. @throws {EventError} for one that tells of none. */
export function eventWords(event: Event): Words {
  switch (event.kind) {
    case "joined":
      return { what: event.kind, text: "", to: null };
    case "left":
      return { what: event.kind, text: event.reason, to: null };
    case "renamed":
      return { what: event.kind, text: event.name, to: null };
    case "replied":
    case "edited":
    case "reacted":
      return { what: event.kind, text: event.text, to: event.to };
    case "deleted":
      return { what: event.kind, text: "", to: event.to };
    case "said":
    case "acted":
    case "offered":
    case "sealed":
    case "ruled":
      return { what: event.kind, text: event.text, to: null };
    default:
      throw new EventError(`Cannot take "${event.kind}" in a broadcast`);
  }
}

// ── What happened before ───────────────────────────────────────────────────────────────────────────────

/** An entry of the log as a client is told of it. */
export function pastEvent(entry: LogEntry): Event<"past"> {
  // Only a log that was written in by hand has half a surrogate pair; no client would take it.
  const text = entry.text.toWellFormed();
  return { kind: "past", ...entry, name: entry.name.toWellFormed(), text };
}

/** The entry that a client is told of. @throws {EventError} for a kind of line that there isn't. */
export function pastEntry(event: Event<"past">): LogEntry {
  const { kind: _kind, what, ...entry } = event;
  if (KINDS.has(what)) return { ...entry, what: what as LineKind };
  throw new EventError(`Cannot read a past line: it is "${what}"`);
}

// ── What people and programs read ──────────────────────────────────────────────────────────────────────

/** Makes names and words safe to show. */
export interface Escapes {
  /** For names. */
  readonly name: (text: string) => string;
  /** For all else that somebody wrote. */
  readonly words: (text: string) => string;
}

/**
 * A line as a sentence: `ann: hello`, `* ann waves`, `ann to 42: yes`, `ann offers hut.jpg (…)`, `ann edits 42: hi`,
 * `ann deletes 42`, `ann reacts to 42: 👍`, `ann reacts to 42 no more`, `ann seals 3.TG9y…`, `ann rules rename {…} …`, `ann
 * is now anna`, `ann joined`, `ann left (connection lost)`.
 * @param place Follows "joined" and "left", with a space before it.
 */
export function sentence(
  { what, name, text, to }: Omit<NewEntry, "at" | "person" | "stay" | "n">,
  escape: Escapes,
  place = "",
): string {
  const who = escape.name(name);
  switch (what) {
    case "said":
      return `${who}: ${escape.words(text)}`;
    case "acted":
      return `* ${who} ${escape.words(text)}`;
    case "replied":
      return `${who} to ${to}: ${escape.words(text)}`;
    case "offered":
      return `${who} offers ${escape.words(text)}`;
    case "edited":
      return `${who} edits ${to}: ${escape.words(text)}`;
    case "deleted":
      return `${who} deletes ${to}`;
    case "reacted":
      return text === ""
        ? `${who} reacts to ${to} no more`
        : `${who} reacts to ${to}: ${escape.words(text)}`;
    case "sealed":
      return `${who} seals ${escape.words(text)}`;
    case "ruled":
      return `${who} rules ${escape.words(text)}`;
    case "renamed":
      return `${who} is now ${escape.name(text)}`;
    case "joined":
      return `${who} joined${place}`;
    case "left":
      return text === "left"
        ? `${who} left${place}`
        : `${who} left${place} (${escape.words(wording(GOODBYES, text))})`;
  }
}

// Marked as pure: the page, which reads no log, goes without them.
const sentences: RegExp = /* @__PURE__ */ sentencePattern();
const goodbyes: Map<string, string> = /* @__PURE__ */ goodbyesByWords();

/** What follows a name begins with a colon or a space, and the word after the space tells the kinds apart. */
function sentencePattern(): RegExp {
  const number = String.raw`[1-9]\d{0,15}`;
  return new RegExp(
    String.raw`^(?:\* (?<actor>[^ :*]+) (?<acted>.*)|(?<name>[^ :*]+)(?:` +
      String.raw`: (?<said>.*)|` +
      String.raw` to (?<answers>${number}): (?<replied>.*)|` +
      String.raw` offers (?<offered>.*)|` +
      String.raw` edits (?<edits>${number}): (?<edited>.*)|` +
      String.raw` deletes (?<deleted>${number})|` +
      String.raw` reacts to (?<reacts>${number})(?<reacted>: .+| no more)|` +
      String.raw` seals (?<sealed>.*)|` +
      String.raw` rules (?<ruled>.*)|` +
      String.raw` is now (?<renamed>[^ :*]+)|` +
      String.raw`(?<joined> joined the chat)|` +
      String.raw`(?<left> left the chat(?: \((?<reason>.*)\))?)))$`,
    "u",
  );
}

function goodbyesByWords(): Map<string, string> {
  return new Map(
    Object.entries(GOODBYES).map(([reason, words]) => [words, reason]),
  );
}

/**
 * The line that a sentence tells, as `chat.log` has it: with " the chat" as the place, and with names in which
 * spaces, colons and asterisks are escaped. Null for a text that is no such sentence.
 * @param unescape Undoes the escapes; what it throws is thrown.
 */
export function parseSentence(
  text: string,
  unescape: (text: string) => string,
): Words & Pick<LogEntry, "name"> | null {
  const groups = sentences.exec(text)?.groups;
  if (!groups) return null;
  const what = [...KINDS].find((kind) =>
    groups[kind] !== undefined
  ) as LineKind;
  const name = unescape(groups["actor"] ?? groups["name"] ?? "");
  const { answers, edits, deleted, reacts } = groups;
  const number = answers ?? edits ?? deleted ?? reacts;
  const to = number === undefined ? null : Number(number);
  if (to !== null && !Number.isSafeInteger(to)) return null;
  const told = groups[what] ?? "";
  switch (what) {
    case "joined":
    case "deleted":
      return { what, name, text: "", to };
    case "reacted": {
      const emoji = told.startsWith(": ") ? told.slice(2) : "";
      return { what, name, text: unescape(emoji), to };
    }
    case "left":
      break;
    default:
      return { what, name, text: unescape(told), to };
  }
  const words = unescape(groups["reason"] ?? GOODBYES.left);
  return { what, name, text: goodbyes.get(words) ?? words, to };
}

/** What a program is told of a line beside its number, its time and its member; what was quoted comes from elsewhere. */
export function particulars(
  { what, text, to }: Words,
): Readonly<Record<string, unknown>> {
  switch (what) {
    case "joined":
      return {};
    case "left":
      return { reason: text };
    case "renamed":
      return { newName: text };
    case "replied":
    case "edited":
    case "reacted":
      return { text, to };
    case "deleted":
      return { to };
    case "offered": {
      const { name: file, size, digest: sha256 } = parseOffer(text) ?? {};
      return { file, size, sha256 };
    }
    case "sealed": // what can't be opened here is of no use to a program
      return {};
    case "ruled":
      return { verb: controlVerb(text) };
    default:
      return { text };
  }
}

/** What a control line does, by its first word: one of the verbs of `Controls`, or whatever else stands there. */
export function controlVerb(text: string): string {
  return /^[a-z]{1,16}(?= )/.exec(text)?.[0] ?? "";
}
