/**
 * A terminal view on a screen that is read back.
 *
 * @module
 */

import type { News, RoomNews } from "../../src/client/view.ts";
import {
  type TerminalOptions,
  TerminalView,
} from "../../src/client/terminal/terminal_view.ts";
import { Screen } from "./screen.ts";

/** Noon of a Monday, UTC. */
export const NOON = Date.UTC(2026, 10, 23, 12);

export const HOUR = 3_600_000;

/** Waits that pass when a test says so. */
export class Waits {
  readonly #callbacks = new Map<() => void, number>();
  /** How many have begun. */
  started = 0;

  /** How long those are, ms, that go on. */
  get open(): number[] {
    return [...this.#callbacks.values()];
  }

  /** Begins a wait. */
  readonly later = (callback: () => void, ms: number) => {
    this.started++;
    this.#callbacks.set(callback, ms);
    return () => void this.#callbacks.delete(callback);
  };

  /** All of them are over. */
  pass(): void {
    const callbacks = [...this.#callbacks.keys()];
    this.#callbacks.clear();
    for (const callback of callbacks) callback();
  }
}

/** A view on a screen, with what presses its keys. */
export function open(
  columns = 60,
  options: Partial<TerminalOptions> = {},
  screen: Screen = new Screen(columns),
) {
  const waits = new Waits();
  const over = Promise.withResolvers<void>();
  const output = {
    columns,
    rows: Number.isFinite(screen.height) ? screen.height : 24,
    gone: over.promise,
    write: (text: string) => screen.write(text),
  };
  const view = new TerminalView({
    output,
    now: () => NOON,
    zone: "UTC",
    colour: false,
    later: waits.later,
    ...options,
  });
  const press = (keys: string) => {
    view.received(new TextEncoder().encode(keys));
  };
  /** Gives the terminal another size, as its window's edge does. */
  const resize = (columns: number, rows = output.rows) => {
    Object.assign(output, { columns, rows });
    screen.resize(columns, Number.isFinite(screen.height) ? rows : Infinity);
    view.resized();
  };
  return {
    view,
    screen,
    press,
    waits,
    resize,
    output,
    /** The terminal takes nothing more. */
    hangUp: over.resolve,
    [Symbol.dispose]: () => view.close(),
  };
}

/** What was shown is written in a microtask. */
export async function written(): Promise<void> {
  await Promise.resolve();
}

export function event(
  type: RoomNews["type"],
  name: string,
  text = "",
  at = NOON,
  more: Partial<RoomNews> = {},
): RoomNews {
  const person = `key of ${name}`;
  const own = name === "ana";
  const rest = { own, past: false, to: null, ...more };
  return { type, seq: 1, at, name, person, text, ...rest };
}

export function entered(more: Partial<News & { type: "entered" }> = {}): News {
  return {
    type: "entered",
    address: "192.0.2.7:5000",
    name: "ana",
    others: 2,
    seq: 88,
    at: NOON,
    person: "k3df9q2mx7ta41cz",
    earlier: 0,
    again: false,
    waiting: 0,
    ...more,
  };
}

export const HERE = { name: "ana", connected: true, members: 1, waiting: 0 };

export const DISCONNECTED = {
  name: "ana",
  connected: false,
  members: 0,
  waiting: 0,
};

/** CSI, OSC 8 and 52, C1, line breaks, bidi, zero width, a flood of marks, what shows as nothing. */
export const ATTACKS = [
  "\x1b[2J\x1b[31mred",
  "\x1b]8;;http://192.0.2.1/\x1b\\link\x1b]8;;\x1b\\",
  "\x1b]52;c;aGk=\x07",
  "\x9b31m \x9d52;c;aGk=\x9c \x85",
  "a\rb\nc\td\b\x7f",
  "\u2028\u2029 \u202egnp.exe \u2066x\u2069",
  "ze\u200bro\u200d \u200e",
  "e" + "\u0301".repeat(40),
  "\u{e0041}\u{e0001} \u034f\u115f\u3164\u2800 \ud800 \u{10ffff} \ue000",
];

export const PASTE = "\x1b[200~one\r\ntwo\nthree\n\x1b[201~";
