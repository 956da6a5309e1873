/**
 * Which key does what to the text being typed: readline's keys, as its emacs mode has them.
 *
 * @module
 */

import type { EditBuffer } from "./edit_buffer.ts";

/** Changes a text, or where its cursor stands. */
export type Edit = (buffer: EditBuffer) => void;

const LEFT: Edit = (buffer) => buffer.left();
const RIGHT: Edit = (buffer) => buffer.right();
const WORD_LEFT: Edit = (buffer) => buffer.wordLeft();
const WORD_RIGHT: Edit = (buffer) => buffer.wordRight();
const HOME: Edit = (buffer) => buffer.home();
const END: Edit = (buffer) => buffer.end();
const BACKSPACE: Edit = (buffer) => buffer.backspace();
const DELETE: Edit = (buffer) => buffer.delete();
const KILL_WORD_LEFT: Edit = (buffer) => buffer.killWordLeft();
const KILL_WORD_RIGHT: Edit = (buffer) => buffer.killWordRight();
const UNDO: Edit = (buffer) => buffer.undo();

/** What keys do that change nothing but text and cursor, by their names. */
export const EDITING_KEYS: ReadonlyMap<string, Edit> = new Map([
  ["left", LEFT],
  ["ctrl-b", LEFT],
  ["right", RIGHT],
  ["ctrl-f", RIGHT],
  ["ctrl-left", WORD_LEFT],
  ["alt-left", WORD_LEFT],
  ["alt-b", WORD_LEFT],
  ["ctrl-right", WORD_RIGHT],
  ["alt-right", WORD_RIGHT],
  ["alt-f", WORD_RIGHT],
  ["home", HOME],
  ["ctrl-a", HOME],
  ["end", END],
  ["ctrl-e", END],
  ["backspace", BACKSPACE],
  ["ctrl-h", BACKSPACE],
  ["delete", DELETE],
  ["ctrl-k", (buffer) => buffer.killToEnd()],
  ["ctrl-u", (buffer) => buffer.killToStart()],
  ["ctrl-w", (buffer) => buffer.killBlankWord()],
  ["alt-backspace", KILL_WORD_LEFT],
  ["alt-ctrl-h", KILL_WORD_LEFT],
  ["ctrl-backspace", KILL_WORD_LEFT],
  ["alt-d", KILL_WORD_RIGHT],
  ["alt-delete", KILL_WORD_RIGHT],
  ["ctrl-delete", KILL_WORD_RIGHT],
  ["ctrl-y", (buffer) => buffer.yank()],
  ["alt-y", (buffer) => buffer.yankOlder()],
  ["ctrl-t", (buffer) => buffer.transpose()],
  ["alt-t", (buffer) => buffer.transposeWords()],
  ["alt-u", (buffer) => buffer.upperCase()],
  ["alt-l", (buffer) => buffer.lowerCase()],
  ["alt-c", (buffer) => buffer.capitalize()],
  ["ctrl-_", UNDO],
  ["ctrl-/", UNDO],
]);
