/**
 * Why something is not done, or ends: the codes that cross the network, and what people are told for each.
 *
 * @module
 */

/** The longest text of a message, bytes of UTF-8. */
export const MAX_TEXT_SIZE = 4_096;

/** The longest text of any line of the log, UTF-16 units: that of a sealed line, or of a control line. */
export const MAX_ENTRY_LENGTH = 6_144;

const encoder = new TextEncoder();

/** Why a line or a request to join was not taken. */
export const REFUSALS = {
  "name-invalid":
    "A name has 1 to 32 letters, digits, hyphens, underscores or dots",
  "name-mixed": "That name mixes letters of several scripts that look alike",
  "name-reserved": "That name is kept for the server itself",
  "name-taken": "That name is taken, or looks like one that is",
  "person-twin": "Another person has an id that looks the same",
  "card-wrong": "The card does not belong to this connection",
  "too-often-here": "You are here by as many connections as one person may be",
  removed: "You were removed from this room",
  "invite-used": "That invite was used up, has ended or was revoked",
  "text-empty": "A message needs some text",
  "text-too-long": `A message has at most ${MAX_TEXT_SIZE} bytes`,
  "room-full": "The room is full",
  "reply-unknown": "There is no message with that number",
  "change-not-yours": "You can change only what you have said yourself",
  "reaction-wrong": "A reaction is one emoji",
  "reaction-none": "You have not reacted to that message",
  "reaction-same": "You react to that message so already",
  "message-deleted": "That message was deleted",
  "file-too-large": "The file is larger than this server allows",
  "too-soon": "Slow mode: wait a little before the next message",
  "not-operator": "Only operators may do that",
  "nobody-known": "Nobody of that name or id has been here",
  "operation-wrong":
    "That cannot be done: no such open invite, or a number out of range",
  "operation-self": "You cannot remove or ban yourself; /quit leaves",
  "operator-last":
    "That is the last operator: make somebody else one first, with /op",
  "room-sealed":
    "This room is sealed: ask one of its keepers for a link, which says so",
  "not-sealed": "This room is not sealed",
  "control-wrong": "That cannot be said here, or not by you",
  "keepers-own": "In a sealed room keepers do that by their own clients",
  "topic-sealed": "A sealed room has no topic: the server could read it",
  "clock-wrong":
    "The server's clock has jumped by more than a day: tell its owner",
  "not-keeper": "Only keepers of the room may do that: ask one of them",
  "not-member": "That person is no member of this room",
  "member-already": "That person is a member already",
  "keys-late": "Another keeper changed the key in the same instant: try again",
  "keys-again": "The key was changed too often on end: try again in 10 seconds",
  "keeper-senior": "That person has been a keeper for longer than you",
  "invites-full": "As many invites are open as there can be: revoke one first",
  "person-barred": "You were banned from this room",
  "private-self": "You cannot write to yourself",
  "person-changed": "That name belongs to somebody else than before",
  "keys-wrong":
    "The server shows keys that are not theirs, so nothing was sent",
  "mailbox-full":
    "Too much waits for them already: try again when they are back",
  "mailbox-sender-full":
    "Too much of yours waits for people who are away: try again later",
  "mailbox-failed": "The server cannot keep private messages now",
  "person-banned": "They are banned from this room",
  "log-failed": "The server cannot write its log, so nothing is delivered",
  "log-unreadable": "The server cannot read its log now",
} as const;

/** A key of `REFUSALS`. */
export type Refusal = keyof typeof REFUSALS;

/** What an operator may ask for by `operate`. */
export const OPERATIONS = [
  "invite",
  "invites",
  "revoke",
  "kick",
  "ban",
  "unban",
  "bans",
  "op",
  "deop",
  "topic",
  "slow",
] as const;

/** The most days that an invite or a ban may last; 0 stands for no end. */
export const MAX_DAYS = 3_650;
/** The longest note of an invite, UTF-16 units. */
export const MAX_NOTE = 100;
/** The longest topic, UTF-16 units. */
export const MAX_TOPIC = 256;
/** The longest pause of slow mode, seconds. */
export const MAX_SLOW = 3_600;

/** One of `OPERATIONS`. */
export type Operation = typeof OPERATIONS[number];

/** Why an operation isn't done. */
export const OPERATION_REFUSALS: ReadonlySet<string> = new Set<Refusal>([
  "not-operator",
  "nobody-known",
  "operation-wrong",
  "operation-self",
  "operator-last",
  "topic-sealed",
  "clock-wrong",
  "control-wrong",
  "not-keeper",
  "not-member",
  "member-already",
  "keys-late",
  "keys-again",
  "keeper-senior",
  "invites-full",
  "person-barred",
]);

/** Why somebody is away, in a sealed room, where the server takes no words that it could read. */
export const PLAIN_AWAY = "away";

/** Why a piece of a file doesn't come. */
export const MISSING = {
  gone: "its sender is not here",
  busy: "the server is busy with other files",
  late: "no answer",
  changed: "the file has changed, or cannot be read",
  dropped: "it is no longer offered",
} as const;

/** A key of `MISSING`. */
export type Missing = keyof typeof MISSING;

/** Why somebody left, or why the server ends a connection. */
export const GOODBYES = {
  left: "left",
  lost: "connection lost",
  silent: "no sign of life for 35 s",
  slow: "too slow to follow",
  replaced: "joined again from elsewhere",
  stopped: "server stopped",
  misused: "broke the protocol",
  late: "did not join in time",
  removed: "removed by an operator",
  adrift: "the server was cut off from the room's other servers",
} as const;

/** A key of `GOODBYES`. */
export type Goodbye = keyof typeof GOODBYES;

/** Whether a reason for leaving is a key of `GOODBYES` rather than the member's own words. */
export function isGoodbye(reason: string): reason is Goodbye {
  return Object.hasOwn(GOODBYES, reason);
}

/** The words for a code in one of these tables, or the code itself if the table doesn't have it. */
export function wording(
  table: Readonly<Record<string, string>>,
  code: string,
): string {
  return Object.hasOwn(table, code) ? table[code] ?? code : code;
}

/**
 * Why something was refused, in words. @param reason A key of `REFUSALS`. @param detail What else there is to know of
 * it; empty for nothing.
 */
export function reasonWords(reason: string, detail: string): string {
  const words = wording(REFUSALS, reason);
  return detail === "" ? words : `${words}: ${detail}`;
}

/** What a refusal prevents, to be followed by the text in quotes. @param reason A key of `REFUSALS`. */
export function refusedDeed(reason: string): string {
  return reason.startsWith("name-") ? "Cannot go by" : "Not sent:";
}

/** Any character that shows: neither space nor control, nor what is drawn as nothing. */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Whether nothing of a text can be seen. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

/** Why a text can't be sent; undefined if it can. */
export function textRefusal(text: string): Refusal | undefined {
  if (isBlank(text)) return "text-empty";
  if (text.length * 3 <= MAX_TEXT_SIZE) return undefined; // three bytes a unit are the most in UTF-8
  return encoder.encode(text).length > MAX_TEXT_SIZE
    ? "text-too-long"
    : undefined;
}

/** Why a server ends a handshake: the codes of unsealed refusals. */
export const HANDSHAKE_REFUSALS: Readonly<Record<number, string>> = {
  1: "The server speaks another version of the protocol",
  2: "The link or code does not open this room",
  3: "The server has no room for another connection right now",
};

/** The codes of `HANDSHAKE_REFUSALS`. */
export const HandshakeRefusal = {
  version: 1,
  key: 2,
  busy: 3,
} as const;
