/**
 * What a client keeps of a sealed room: the control lines that it has checked, how far it had seen the log, the
 * content keys that it had, the members' last numbers, the notes of its own invites, and when it changed the key last. A
 * line for each, with a checksum, appended; what a crash cuts off, or what else is damaged, is left out and fetched again.
 *
 *     CHECKSUM {"control":{"seq","at","person","text"},"digest"}
 *     CHECKSUM {"last":NUMBER,"control":NUMBER}       of the last line, and of the last control line then
 *     CHECKSUM {"epoch":NUMBER,"key"}
 *     CHECKSUM {"stays":[["PERSON.STAY",{"seq","n"}], …]}
 *     CHECKSUM {"invite":NUMBER,"note"}
 *     CHECKSUM {"rekeyed":ms since 1970}
 *
 * @module
 */

import {
  type Bytes,
  equalBytes,
  fromBase64url,
  sha256,
  toBase64url,
} from "../../../crypto_utils.ts";
import { reasonOf } from "../../base/error_reason.ts";
import {
  type ControlEntry,
  ControlRecord,
} from "../../sealed/control_record.ts";
import type { HadKey } from "../../sealed/room_keys.ts";
import { type StayEnd, StayNumbers } from "../../sealed/stay_numbers.ts";

/** Characters of a checksum. */
const CHECK_LENGTH = 16;

/** Where one room is kept. */
export interface RoomStore {
  /** All of it; undefined for nothing yet. */
  read(): Promise<string | undefined>;
  /** Puts a text in its place. */
  write(text: string): Promise<void>;
  /** Adds a line. */
  append(line: string): Promise<void>;
}

/** Where rooms are kept. @param room The room's id, base64url. */
export type RoomStores = (room: string) => RoomStore;

/** What a line says. */
type Note = Readonly<Record<string, unknown>>;

/** How far the log was seen: the number of the last line, and of the last control line then. */
interface Last {
  readonly last: number;
  readonly control: number;
}

/** What is kept of a room. */
export class RoomFile {
  #store: RoomStore | undefined;
  readonly #note: (text: string) => void;
  /** The control lines. */
  readonly record: ControlRecord = new ControlRecord();
  /** The members' last numbers. */
  stays: StayNumbers = new StayNumbers();
  readonly #notes = new Map<number, string>(); // of own invites, by number
  readonly #keys = new Map<number, Bytes>(); // by epoch
  #last: Last = { last: 0, control: 0 };
  #lastKept = 0; // of it, in the file
  #rekeyed = 0; // ms since 1970
  #isBroken = false; // it can't be written
  /** Settles when all is in the file; never rejects. */
  kept: Promise<void> = Promise.resolve();

  /** Keeps nothing until its place is known. @param note Told what can't be read or kept. */
  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /**
   * What is kept of a room.
   * @param stores Where rooms are kept; undefined: nowhere. @param room The room's id, base64url.
   * @param note Told what can't be read or kept.
   */
  static async load(
    stores: RoomStores | undefined,
    room: string,
    note: (text: string) => void,
  ): Promise<RoomFile> {
    const file = new RoomFile(note);
    if (!stores) return file;
    const store = stores(room);
    file.#store = store;
    try {
      const text = await store.read();
      if (text !== undefined) await file.#adopt(store, text);
    } catch (error) {
      file.#fail(error);
    }
    return file;
  }

  /** Keeps from here on what is known of a room that the client has come into. @param stores As for `load`. */
  keepIn(stores: RoomStores | undefined, room: string): void {
    if (!stores || this.#store) return;
    this.#store = stores(room);
    this.#rewrite();
  }

  /** Writes the file anew. */
  #rewrite(): void {
    const text = this.#summary().join(""); // as it is now: what comes after it is appended
    this.#keep((store) => store.write(text));
  }

  #append(line: string): void {
    this.#keep((store) => store.append(line));
  }

  #keep(act: (store: RoomStore) => Promise<void>): void {
    const store = this.#store;
    if (!store) return;
    this.kept = this.kept.then(async () => {
      if (this.#isBroken) return;
      try {
        await act(store);
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** Forgets all of it: the server's copy counts. */
  async forget(): Promise<RoomFile> {
    await this.kept;
    const file = new RoomFile(this.#note);
    file.#store = this.#store;
    file.#rewrite();
    await file.kept;
    return file;
  }

  /** Takes over what a file says. One that is damaged, or says things twice, is written anew. */
  async #adopt(store: RoomStore, text: string): Promise<void> {
    const lines = text.split("\n");
    const rest = lines.pop() ?? ""; // no line yet, where its writer was interrupted
    let isNew = rest === "";
    let adopted = 0;
    for (const line of lines) {
      const note = parse(line);
      if (!note || !this.#take(note)) isNew = false;
      else adopted++;
    }
    const summary = this.#summary();
    if (isNew && adopted <= 2 * summary.length + 8) return;
    await store.write(summary.join(""));
  }

  /** @returns Whether it is of any use. */
  #take(note: Note): boolean {
    const { control, digest, stays, invite, rekeyed, last, epoch, key } = note;
    if (isObject(control) && typeof digest === "string") {
      const { seq, at, person, text } = control;
      if (typeof seq !== "number" || typeof at !== "number") return false;
      if (typeof person !== "string" || typeof text !== "string") return false;
      if (this.record.find(seq)) return true; // by another client of this machine
      return this.record.adopt({ seq, at, person, text }, digest);
    }
    if (isNumber(last) && isNumber(control)) {
      // What another client of this machine saw counts only if its control lines are in the file, too.
      if (control <= this.record.membership.seq) this.#see({ last, control });
      return true;
    }
    if (isNumber(epoch) && isKey(key)) {
      this.#keys.set(epoch, fromBase64url(key));
      return true;
    }
    if (Array.isArray(stays)) {
      const ends = stays.filter(isStayEnd);
      this.stays = new StayNumbers(newest([...this.stays.all, ...ends]));
      return ends.length === stays.length;
    }
    if (typeof invite === "number" && typeof note["note"] === "string") {
      this.#notes.set(invite, note["note"]);
      return true;
    }
    if (typeof rekeyed !== "number") return false;
    this.#rekeyed = Math.max(this.#rekeyed, rekeyed);
    return true;
  }

  /** All that counts, as lines. */
  #summary(): string[] {
    return [
      ...this.record.entries.map((entry) => this.#controlLine(entry)),
      format({ ...this.#last }),
      ...this.keys.map(keyLine),
      format({ stays: this.stays.all }),
      ...[...this.#notes].map(([invite, note]) => format({ invite, note })),
      format({ rekeyed: this.#rekeyed }),
    ];
  }

  /** A control line was followed. */
  followed(entry: ControlEntry): void {
    this.#append(this.#controlLine(entry));
  }

  #controlLine({ seq, at, person, text }: ControlEntry): string {
    const control = { seq, at, person, text };
    const digest = this.record.digestAt(seq) ?? new Uint8Array(0);
    return format({ control, digest: toBase64url(digest) });
  }

  /** The number of the last line that was there: no control line can come below it that this client doesn't have. */
  get last(): number {
    return this.#last.last;
  }

  /** All lines up to one have come. */
  saw(last: number): void {
    this.#see({ last, control: this.record.membership.seq });
  }

  #see(seen: Last): void {
    if (seen.last > this.#last.last) this.#last = seen;
  }

  /** History counts as it is now. @param last The number of its last line. */
  restart(last: number): void {
    this.#last = { last, control: this.record.membership.seq };
    this.#lastKept = last;
    this.#rewrite();
  }

  /** The content keys that this client had. */
  get keys(): HadKey[] {
    return [...this.#keys].map(([e, key]) => ({ e, key }));
  }

  /** A content key has come: whatever a later one leads back to, this client has it. */
  hadKey(had: HadKey): void {
    const { e, key } = had;
    const known = this.#keys.get(e);
    if (known && equalBytes(known, key)) return;
    this.#keys.set(e, key);
    this.#append(keyLine(had));
  }

  /** Writes down how far this client has seen the log, and the members' last numbers. */
  keep(): void {
    const stays = this.stays.takeChanged();
    if (stays.length > 0) this.#append(format({ stays }));
    if (this.#last.last === this.#lastKept) return;
    this.#lastKept = this.#last.last;
    this.#append(format({ ...this.#last }));
  }

  /** What an invite of this client's is for; undefined for another one's. */
  noteOf(invite: number): string | undefined {
    return this.#notes.get(invite);
  }

  /** An invite was made here. */
  invited(invite: number, note: string): void {
    this.#notes.set(invite, note);
    this.#append(format({ invite, note }));
  }

  /** When this client changed the key by itself last, ms since 1970; 0: never. */
  get rekeyedAt(): number {
    return this.#rekeyed;
  }

  /** The key is being changed. @param at ms since 1970. */
  rekeyed(at: number): void {
    this.#rekeyed = at;
    this.#append(format({ rekeyed: at }));
  }

  #fail(error: unknown): void {
    this.#isBroken = true;
    this.#note(
      `${reasonOf(error)}. What this client knows of the room is not saved`,
    );
  }
}

function keyLine({ e, key }: HadKey): string {
  return format({ epoch: e, key: toBase64url(key) });
}

function format(note: Note): string {
  const json = JSON.stringify(note);
  return `${checksum(json)} ${json}\n`;
}

/** What a line says; undefined for a damaged one. */
function parse(line: string): Note | undefined {
  const json = line.slice(CHECK_LENGTH + 1);
  if (line.slice(0, CHECK_LENGTH) !== checksum(json)) return undefined;
  const value: unknown = JSON.parse(json);
  return isObject(value) ? value : undefined;
}

function checksum(json: string): string {
  const digest = sha256(new TextEncoder().encode(json));
  return toBase64url(digest).slice(0, CHECK_LENGTH);
}

function isKey(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{43}$/.test(value);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isObject(value: unknown): value is Note {
  return typeof value === "object" && value !== null;
}

function isStayEnd(value: unknown): value is [string, StayEnd] {
  if (!Array.isArray(value) || typeof value[0] !== "string") return false;
  const end: unknown = value[1];
  return isObject(end) && Number.isSafeInteger(end["seq"]) &&
    Number.isSafeInteger(end["n"]);
}

/** Of each stay the end with the highest number: two clients of a machine may have written in turn. */
function newest(
  ends: readonly (readonly [string, StayEnd])[],
): [string, StayEnd][] {
  const all = new Map<string, StayEnd>();
  for (const [stay, end] of ends) {
    const known = all.get(stay);
    all.delete(stay);
    all.set(stay, known && known.seq > end.seq ? known : end);
  }
  return [...all];
}
