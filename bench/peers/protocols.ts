/**
 * What two other servers speak, as far as a room needs it: NATS' publish and subscribe, and IRC.
 *
 * @module
 */

import { type PeerKind, TEXT_SIZE } from "../load/job.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a line means to the one who reads it. */
export type Meaning =
  /** A message's text stands at its end. */
  | "message"
  /** The step of joining that was waited for is done. */
  | "done"
  /** The server asks for a sign of life. */
  | "ping"
  /** The server refuses something. */
  | "error"
  | "other";

/** One member's side of a protocol. */
export interface Protocol {
  /** Whether the server speaks first, in the clear, before TLS begins. */
  readonly greeted: boolean;
  /** What to send to come in, one step after the other; each is done when the server says so. */
  readonly steps: readonly string[];
  /** Says what a line means. */
  read(bytes: Uint8Array, start: number, end: number): Meaning;
  /** The answer to a ping that `read` has just seen. */
  readonly pong: string;
  /** A message's bytes. */
  say(text: string): string;
}

const code = (letter: string) => letter.charCodeAt(0);
const COLON = code(":");
const M = code("M");
const MINUS = code("-");
const O = code("O");
const P = code("P");
const R = code("R");
const SPACE = code(" ");

/** A subscriber of one subject, or, where it doesn't listen, one who publishes to it. */
class Nats implements Protocol {
  readonly greeted = true;
  readonly steps: readonly string[];
  readonly pong = "PONG\r\n";
  #text = false; // the next line is a message's text

  constructor(listens: boolean) {
    const subscribe = listens ? "SUB room 1\r\n" : "";
    this.steps = [`CONNECT {"verbose":false}\r\n${subscribe}PING\r\n`];
  }

  read(bytes: Uint8Array, start: number): Meaning {
    if (this.#text) {
      this.#text = false;
      return "message";
    }
    if (bytes[start] === M) {
      this.#text = true;
      return "other";
    }
    if (bytes[start] === MINUS) return "error";
    if (bytes[start] !== P) return "other"; // INFO, +OK
    return bytes[start + 1] === O ? "done" : "ping";
  }

  say(text: string): string {
    return `PUB room ${TEXT_SIZE}\r\n${text}\r\n`;
  }
}

/** Numbers of IRC's that end a step, and those from here on say what went wrong. */
const DONE = ["376", "422", "366"];
const FIRST_ERROR = 400;

/** A user in one channel. */
class Irc implements Protocol {
  readonly greeted = false;
  readonly steps: readonly string[];
  pong = "";

  constructor(name: string) {
    this.steps = [
      `NICK ${name}\r\nUSER ${name} 0 * :${name}\r\n`,
      "JOIN #room\r\n",
    ];
  }

  read(bytes: Uint8Array, start: number, end: number): Meaning {
    if (bytes[start] !== COLON) {
      const words = decoder.decode(bytes.subarray(start, end));
      if (!words.startsWith("PING")) {
        return words.startsWith("ERROR") ? "error" : "other";
      }
      this.pong = `PONG${words.slice("PING".length)}\r\n`;
      return "ping";
    }
    const command = bytes.indexOf(SPACE, start) + 1;
    // Two letters tell PRIVMSG from all else, for each of a million deliveries a second.
    if (bytes[command] === P && bytes[command + 1] === R) return "message";
    const number = decoder.decode(bytes.subarray(command, command + 3));
    if (DONE.includes(number)) return "done";
    return Number(number) >= FIRST_ERROR ? "error" : "other";
  }

  say(text: string): string {
    return `PRIVMSG #room :${text}\r\n`;
  }
}

/** One member's side of a peer's protocol. @param listens Whether it is to get what is said. */
export function protocol(
  kind: PeerKind,
  name: string,
  listens: boolean,
): Protocol {
  return kind === "nats" ? new Nats(listens) : new Irc(name);
}

/** The text as bytes. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
