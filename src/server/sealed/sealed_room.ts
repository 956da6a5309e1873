/**
 * What the server of a sealed room knows: who is a member by the control lines, which epoch it is, and what it keeps for
 * clients without being able to read it.
 *
 *     rule, enter ──▶ take, in a batch ──▶ keep: chat.control ──▶ chat.log ──▶ happened
 *                          └────────────── undo, where a file can't be written ◀──┘
 *
 * @module
 */

import { type Bytes, fromBase64url } from "../../../crypto_utils.ts";
import { escapeText } from "../../base/safe_text.ts";
import { admissionKey } from "../../keys/invite.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import type { NewEntry } from "../../protocol/line.ts";
import type { Refusal } from "../../protocol/reasons.ts";
import { type ControlLine, parseControl } from "../../sealed/control_line.ts";
import { follow, FOUNDING_ID, Membership } from "../../sealed/membership.ts";
import type { Undo } from "../people/reversible.ts";
import {
  type Admission,
  ControlFile,
  type Kept,
  type RuledEntry,
  type Wrap,
} from "./control_file.ts";

/** What comes with a control line, from the same connection. */
export interface Staged {
  /** Content keys, by the full id of the recipient. */
  readonly wraps: ReadonlyMap<string, Wrap>;
  /** What the server is to know of an invite. */
  readonly admission: Admission | undefined;
}

/** Nothing. */
export const NOTHING_STAGED: Staged = {
  wraps: new Map(),
  admission: undefined,
};

/** A control line that is said in a batch. */
export interface Said {
  /** What takes it back. */
  readonly undo: Undo;
  /** The content keys that came with it, to be passed on. */
  readonly wraps: readonly Wrap[];
}

/** A sealed room. */
export class SealedRoom implements Disposable {
  readonly #file: ControlFile;
  #foundingKey: Bytes;
  readonly #entries: RuledEntry[] = [];
  readonly #wraps = new Map<string, Wrap>(); // the newest, by recipient
  readonly #admissions = new Map<number, Admission>(); // by the invite's number
  #membership = Membership.NONE;
  #unkept: Kept[] = []; // of the batch that is under way
  #isKept = false; // whether that is in the file

  private constructor(file: ControlFile, roomKey: Bytes) {
    this.#file = file;
    this.#foundingKey = admissionKey(roomKey);
  }

  /**
   * The room of a file, held against the log: what a crash left in one of them alone is taken over or dropped.
   * @param roomKey The founding link's secret, 32 bytes. @param made Is told the file's path if it was made.
   * @throws {FileError} | {LogError}
   */
  static async open(
    path: string,
    roomKey: Bytes,
    log: ChatLog,
    made: (path: string) => void,
  ): Promise<SealedRoom> {
    const file = ControlFile.open(path, made);
    try {
      const room = new SealedRoom(file, roomKey);
      await room.#load(log);
      return room;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  async #load(log: ChatLog): Promise<void> {
    const kept = this.#file.load();
    const ruled = kept.flatMap((it) => it.kind === "ruled" ? [it.entry] : []);
    const last = ruled.at(-1);
    // Of what was under way at a crash, the log has the last word.
    const isLogged = !last || await hasEntry(log, last);
    if (!isLogged) ruled.pop();
    for (const entry of ruled) await this.#follow(entry);
    for await (const entries of log.past(this.#membership.seq, log.head)) {
      for (const entry of entries) {
        if (entry.what === "ruled") {
          await this.#follow({ ...entry, what: "ruled" });
        }
      }
    }
    for (const it of kept) {
      if (it.kind === "wrap") this.#noteWrap(it.wrap);
      if (it.kind === "admission") this.#noteAdmission(it.admission);
    }
    const isWhole = isLogged && this.#entries.length === ruled.length;
    if (!isWhole) this.#file.dropLast();
    this.#file.tidy(() => this.#all(), this.#count);
  }

  async #follow(entry: RuledEntry): Promise<void> {
    const line = parseControl(entry.text);
    const next = await follow(this.#membership, line, entry);
    if (!next) return; // somebody wrote in the log by hand
    this.#membership = next;
    this.#entries.push(entry);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** The founding link has another secret, 32 bytes. */
  setFoundingSecret(roomKey: Bytes): void {
    this.#foundingKey = admissionKey(roomKey);
  }

  /** What was repaired in the file. */
  get notice(): string | undefined {
    return this.#file.notice;
  }

  /** Who is a member, and what else the control lines come to. */
  get membership(): Membership {
    return this.#membership;
  }

  /** Whether the room is founded. */
  get isFounded(): boolean {
    return this.#membership.room !== undefined;
  }

  /** The keepers' names, for people. */
  get keeperNames(): string {
    return keeperNames(this.#membership);
  }

  // ── Who may come in ──────────────────────────────────────────────────────────────────────────────────

  /** What an invite proves in a handshake, 32 bytes; undefined where there is none of that number. */
  inviteKey(number: number): Bytes | undefined {
    if (number === FOUNDING_ID) {
      return this.isFounded ? undefined : this.#foundingKey;
    }
    const key = this.#admissions.get(number)?.key;
    return key === undefined ? undefined : fromBase64url(key);
  }

  /** Whether somebody may become a member by an invite now. */
  isOpen(number: number): boolean {
    return number === FOUNDING_ID
      ? !this.isFounded
      : this.#membership.isOpen(number, Date.now());
  }

  // ── What clients are told ────────────────────────────────────────────────────────────────────────────

  /** The control lines after one number, up to another. */
  entries(after: number, upTo = Infinity): RuledEntry[] {
    return this.#entries.filter(({ seq }) => seq > after && seq <= upTo);
  }

  /** The newest content key for a person or an invite, by its full id. */
  wrapFor(id: string): Wrap | undefined {
    return this.#wraps.get(id);
  }

  /** The newest content key for who comes by an invite. */
  wrapForInvite(number: number): Wrap | undefined {
    const invite = this.#membership.invites.get(number);
    return invite && this.#wraps.get(invite.id);
  }

  /** The blob of an invite, or "". */
  blobOf(number: number): string {
    return this.#admissions.get(number)?.blob ?? "";
  }

  // ── What happens ─────────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes a control line into a batch. Its signatures are checked already.
   * @param entry As it will stand in the log.
   */
  take(
    line: ControlLine,
    entry: NewEntry,
    seq: number,
    staged: Staged,
  ): Said | Refusal {
    const before = this.#membership;
    const { at, person } = entry;
    const next = before.next(line, { seq, at, person });
    if (typeof next === "string") return next;
    const { control } = line;
    const { admission } = staged;
    if (control.verb === "invite" && admission?.invite !== control.invite) {
      return "control-wrong";
    }
    const wraps = [...staged.wraps.values()].filter(({ to, e }) =>
      e === next.epoch && isRecipient(next, to, at)
    );
    const { length } = this.#unkept;
    const ruled: RuledEntry = { ...entry, what: "ruled", seq, to: null };
    this.#unkept.push(
      { kind: "ruled", entry: ruled },
      ...wraps.map((wrap): Kept => ({ kind: "wrap", wrap })),
      ...(control.verb === "invite" && admission
        ? [{ kind: "admission" as const, admission }]
        : []),
    );
    this.#membership = next;
    const undo = () => {
      this.#membership = before;
      this.#unkept.length = length;
    };
    return { undo, wraps };
  }

  /** Writes down what the batch that is under way brings. @throws {FileError} if that fails. */
  keep(): void {
    if (this.#unkept.length === 0) return;
    this.#isKept = true; // or half of it
    this.#file.add(this.#unkept, () => [...this.#all(), ...this.#unkept]);
  }

  /** What was kept last has not happened: the log can't be written. */
  drop(): void {
    if (this.#isKept) this.#file.dropLast();
    this.#isKept = false;
    this.#unkept = [];
  }

  /** What was kept last has happened. */
  settle(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    for (const it of this.#unkept.splice(0)) {
      if (it.kind === "ruled") this.#entries.push(it.entry);
      if (it.kind === "wrap") this.#noteWrap(it.wrap);
      if (it.kind === "admission") this.#noteAdmission(it.admission);
    }
    this.#file.tidy(() => this.#all(), this.#count);
  }

  /**
   * Keeps a content key of the present epoch. @param by The full id of who made it.
   * @returns Whether it may be passed on: a keeper's for anybody, a member's for itself.
   */
  give(wrap: Wrap): boolean {
    const { by, to, e } = wrap;
    const { epoch } = this.#membership;
    const mayGive = by === to || this.#membership.isKeeper(by);
    const isRight = e === epoch && mayGive &&
      isRecipient(this.#membership, to, Date.now());
    if (!isRight) return false;
    this.#noteWrap(wrap);
    this.#file.add([{ kind: "wrap", wrap }], () => this.#all());
    return true;
  }

  #noteWrap(wrap: Wrap): void {
    if (wrap.e > this.#membership.epoch) return; // of a change that a crash took back
    this.#wraps.set(wrap.to, wrap);
  }

  #noteAdmission(admission: Admission): void {
    const { invite } = admission;
    if (this.#membership.invites.has(invite)) {
      this.#admissions.set(invite, admission);
    }
  }

  /** All that counts. A link that lets in nobody any more opens nothing here. */
  #all(): Kept[] {
    const at = Date.now();
    const open = this.#membership.openInvites(at);
    const recipients = new Set(open.map(({ id }) => id));
    const numbers = new Set(open.map(({ number }) => number));
    const isIn = (to: string) =>
      recipients.has(to) || this.#membership.member(to) !== undefined;
    return [
      ...this.#entries.map((entry): Kept => ({ kind: "ruled", entry })),
      ...[...this.#wraps.values()].filter(({ to }) => isIn(to))
        .map((wrap): Kept => ({ kind: "wrap", wrap })),
      ...[...this.#admissions.values()]
        .filter(({ invite }) => numbers.has(invite))
        .map((admission): Kept => ({ kind: "admission", admission })),
    ];
  }

  get #count(): number {
    return this.#entries.length + this.#wraps.size + this.#admissions.size;
  }
}

/** The names of a room's keepers, for people. */
export function keeperNames(membership: Membership): string {
  const names = membership.keepers.flatMap((id) =>
    membership.member(id)?.name ?? []
  );
  return names.map((name) => escapeText(name)).join(", ");
}

/** Whether somebody is to have the content key: a member, or an open invite. */
function isRecipient(membership: Membership, id: string, at: number): boolean {
  if (membership.member(id)) return true;
  return membership.openInvites(at).some((it) => it.id === id);
}

async function hasEntry(log: ChatLog, entry: RuledEntry): Promise<boolean> {
  if (entry.seq > log.head) return false;
  for await (const [found] of log.past(entry.seq - 1, entry.seq)) {
    return found?.what === "ruled" && found.text === entry.text;
  }
  return true; // deleted with an old log
}
