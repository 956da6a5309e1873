/**
 * Texts that would deceive a reader or command a terminal, and what no terminal may be shown.
 *
 * @module
 */

import type { News, RoomNews } from "../../src/client/view.ts";

/** CSI, OSC 8 and 52, C1, line breaks, bidi, zero width, tags, fillers, DEL, lone surrogates. */
export const ATTACKS: readonly string[] = [
  "\x1b[2J\x1b[31mred",
  "\x1b]8;;http://192.0.2.1/\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]52;c;aGk=\x07",
  "\x9b31m \x9d52;c;aGk=\x9c \x90q\x9c \x85",
  "a\rb\nc\td\x0b\x0c\b\0\x7f",
  "\u2028 \u2029 \u202egnp.exe\u202c \u2066x\u2069 \u200e\u061c",
  "ze\u200bro \u200c\u200d\u2060\ufeff \u00ad \ufe0f \u{e0100}",
  "\u{e0041}\u{e0001} \u034f\u115f\u3164\u2800 \ud800 \udfff \u{10ffff} \ue000",
];
/** What may not reach a terminal. */
export const DANGEROUS: RegExp =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

const KINDS = [
  "joined",
  "left",
  "said",
  "acted",
  "replied",
  "offered",
  "edited",
  "deleted",
  "reacted",
  "renamed",
  "sealed",
  "ruled",
] as const;
const FILE_STATES = ["begun", "taking", "waiting", "taken", "failed"] as const;

/** Every kind of news, with a text wherever the server or another member may have put it. */
export function newsWith(text: string): News[] {
  const who = { name: text, person: text };
  const one = { ...who, seq: 1, at: 0, own: false, past: false, to: 1, text };
  const lines = KINDS.map((type): RoomNews => ({ ...one, type, quoted: one }));
  const changed = { edited: true, deleted: false, reactions: [one] };
  const warning = { ...who, type: "warning", line: 41 } as const;
  const warnings = [
    { ...warning, reason: "seen-differs" },
    { ...warning, reason: "seen-differs", line: null },
    { ...warning, reason: "back-wrong" },
  ];
  const entered = {
    ...one,
    type: "entered",
    address: text,
    others: 1,
    earlier: 0,
    waiting: 0,
  } as const;
  const mail = { ...one, type: "private", to: who } as const;
  const refused = { type: "refused", text, detail: text } as const;
  const file = {
    type: "file",
    offer: 1,
    name: text,
    size: 9,
    got: 1,
    path: text,
    reason: text,
  } as const;
  const invited = {
    type: "invited",
    link: "chat://a",
    uses: 1,
    until: null,
    note: text,
  } as const;
  const disconnected = { type: "disconnected", next: text } as const;
  return [
    { ...entered, again: false },
    { ...entered, again: true, moved: true },
    ...lines,
    ...lines.map((line) => ({ ...line, changed, doubted: true } as const)),
    ...lines.map((line) => ({
      ...line,
      changed: { ...changed, deleted: true },
    })),
    ...warnings,
    mail,
    { ...mail, state: "waiting" },
    { ...mail, state: "waiting", own: true },
    { type: "private-unread", ...who, own: false, reason: "old" },
    { type: "found", words: text, lines, more: true },
    { type: "found", words: text, lines: warnings, more: false },
    { type: "found", words: text, lines: [], more: false },
    { type: "away-message", ...who, text, own: false },
    { ...refused, reason: text },
    { ...refused, reason: "name-taken" },
    { type: "lost", text },
    ...FILE_STATES.map((state) => ({ ...file, state })),
    { ...file, state: "taken", reason: "" },
    { type: "taken", offer: 1, file: text, ...who, own: false },
    invited,
    { ...invited, web: "https://a" },
    { ...disconnected, reason: text, seconds: 1 },
    { ...disconnected, reason: `again: ${text}`, seconds: 0 },
  ];
}
