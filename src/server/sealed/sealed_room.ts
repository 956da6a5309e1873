/**
 * What the server of a sealed room knows: who is a member by the control lines, which epoch it is, and what it keeps for
 * clients without being able to read it.
 *
 *     rule, enter ──▶ take, in a batch ──▶ keep: chat.control ──▶ chat.log ──▶ happened
 *                          └────────────── undo, where a file can't be written ◀──┘
 *
 * @module
 */

import {
  type Bytes,
  fromBase64url,
  toBase64url,
} from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { FileError } from "../../base/private_file.ts";
import { escapeText } from "../../base/safe_text.ts";
import { admissionKey } from "../../keys/invite.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import type { NewEntry } from "../../protocol/line.ts";
import type { Refusal } from "../../protocol/reasons.ts";
import { type ControlLine, parseControl } from "../../sealed/control_line.ts";
import { follow, FOUNDING_ID, Membership } from "../../sealed/membership.ts";
import type { Undo } from "../people/reversible.ts";
import { ControlLines, type ControlPiece } from "./control_lines.ts";
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
  readonly #lines = new ControlLines(); // those of the batch that is being logged among them
  readonly #wraps = new Map<string, Wrap>(); // the newest, by recipient
  readonly #admissions = new Map<number, Admission>(); // by the invite's number
  readonly #digests = new Map<number, Bytes>(); // of all control lines up to each, by its number
  #membership = Membership.NONE; // as everybody was told
  #next = Membership.NONE; // with the batch that is under way
  #unkept: Kept[] = []; // of that
  #isKept = false; // whether that is in the file, or half of it
  #takenOver = 0; // lines that the log alone had

  private constructor(file: ControlFile, roomKey: Bytes) {
    this.#file = file;
    this.#foundingKey = admissionKey(roomKey);
  }

  /**
   * The room of a file, held against the log: what a crash left in one of them alone is taken over or dropped.
   * @param roomKey The founding link's secret, 32 bytes. @param made Is told the file's path if it was made.
   * @throws {FileError} | {LogError} | {AdvisedError} where the two are of different rooms, or times.
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
      await room.#load(path, log);
      return room;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  async #load(path: string, log: ChatLog): Promise<void> {
    const all = this.#file.load();
    const ruled = all.flatMap((it) => it.kind === "ruled" ? [it.entry] : []);
    const ahead = await unlogged(path, ruled, log);
    if (ahead) this.#file.drop(ahead.seq);
    const at = all.findIndex((it) => it.kind === "ruled" && it.entry === ahead);
    const kept = at < 0 ? all : all.slice(0, at);
    for (const it of kept) {
      if (it.kind !== "ruled" || await this.#follow(it.entry)) continue;
      throw new FileError(
        `Cannot use "${path}": its control line ${it.entry.seq} isn't one that may be said there`,
      );
    }
    await this.#takeOver(log);
    for (const it of kept) this.#note(it);
    this.#tidy();
  }

  /** What the log has and the file doesn't, as after a backup of the file was put back. */
  async #takeOver(log: ChatLog): Promise<void> {
    const known = this.#lines.all.length;
    for await (const entries of log.past(this.#membership.seq, log.head)) {
      for (const entry of entries) {
        // One that may not be said is by somebody who writes in the log by hand.
        if (entry.what !== "ruled") continue;
        await this.#follow({ ...entry, what: "ruled" });
      }
    }
    const taken = this.#lines.all.slice(known);
    this.#file.add(taken.map((entry) => ({ kind: "ruled", entry })));
    this.#takenOver = taken.length;
  }

  /** @returns Whether that could be said. */
  async #follow(entry: RuledEntry): Promise<boolean> {
    const line = parseControl(entry.text);
    const next = await follow(this.#membership, line, entry);
    if (!next) return false;
    this.#membership = this.#next = next;
    this.#lines.add(entry);
    this.#digests.set(entry.seq, next.digest);
    return true;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** The founding link has another secret, 32 bytes. */
  setFoundingSecret(roomKey: Bytes): void {
    this.#foundingKey = admissionKey(roomKey);
  }

  /** What was repaired in the file, one sentence each. */
  get notices(): string[] {
    const { notice } = this.#file;
    const count = this.#takenOver;
    return [
      ...notice === undefined ? [] : [notice],
      ...count === 0 ? [] : [
        `The log had ${count} control ${
          count === 1 ? "line" : "lines"
        } that the file of control lines lacked, and has them still; members whose sealed keys are lost ask the keepers for them`,
      ],
    ];
  }

  /** Who is a member, and what else the control lines come to that everybody was told of. */
  get membership(): Membership {
    return this.#membership;
  }

  /** What they come to with those of the batch that is under way. */
  get next(): Membership {
    return this.#next;
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

  /** All control lines. */
  get lines(): readonly RuledEntry[] {
    return this.#lines.all;
  }

  /**
   * The next control lines after one number, and up to another that is in the log; undefined where there are none.
   * Default: up to the last that everybody was told.
   */
  nextLines(
    after: number,
    upTo: number = this.#membership.seq,
  ): ControlPiece | undefined {
    return this.#lines.next(after, upTo);
  }

  /** The digest of the control lines up to the one of that number, base64url; "" where none has it. */
  digestAt(seq: number): string {
    const digest = this.#digests.get(seq);
    return digest ? toBase64url(digest) : "";
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
    { wraps: staged, admission }: Staged,
  ): Said | Refusal {
    const before = this.#next;
    const { at, person } = entry;
    const next = before.next(line, { seq, at, person });
    if (typeof next === "string") return next;
    const { control } = line;
    const isInvite = control.verb === "invite";
    if (isInvite && admission?.invite !== control.invite) {
      return "control-wrong";
    }
    const isRecipient = recipientsOf(next, at);
    // A keeper that removes itself still gives the others the key with which it goes.
    const wraps = [...staged.values()].filter((wrap) =>
      wrap.e === next.epoch && isRecipient(wrap.to) &&
      (mayGive(before, wrap) || mayGive(next, wrap))
    );
    const undo = this.#add(
      { kind: "ruled", entry: { ...entry, what: "ruled", seq, to: null } },
      ...wraps.map((wrap): Kept => ({ kind: "wrap", wrap })),
      ...isInvite && admission
        ? [{ kind: "admission" as const, admission }]
        : [],
    );
    this.#next = next;
    this.#digests.set(seq, next.digest);
    return {
      undo: () => {
        this.#next = before;
        this.#digests.delete(seq);
        undo();
      },
      wraps,
    };
  }

  /**
   * Takes a content key of the present epoch into a batch: a keeper's for anybody, a member's for itself.
   * @returns What takes it back; undefined for one that isn't taken.
   */
  give(wrap: Wrap, at: number): Undo | undefined {
    const next = this.#next;
    const isRight = wrap.e === next.epoch && mayGive(next, wrap) &&
      recipientsOf(next, at)(wrap.to);
    return isRight ? this.#add({ kind: "wrap", wrap }) : undefined;
  }

  #add(...kept: readonly Kept[]): Undo {
    const { length } = this.#unkept;
    this.#unkept.push(...kept);
    return () => void (this.#unkept.length = length);
  }

  /** Writes down what the batch that is under way brings. @throws {FileError} if that fails. */
  keep(): void {
    this.#isKept = this.#unkept.length > 0;
    this.#file.add(this.#unkept);
    for (const it of this.#unkept) {
      if (it.kind === "ruled") this.#lines.add(it.entry);
    }
  }

  /** What was kept last has not happened: the log can't be written. To be called before it is undone. */
  drop(): void {
    const first = this.#unkept.find((it) => it.kind === "ruled");
    if (this.#isKept && first?.kind === "ruled") {
      this.#file.drop(first.entry.seq);
      this.#lines.drop(first.entry.seq);
    }
    this.#isKept = false;
  }

  /** What was kept last has happened. */
  settle(): void {
    this.#isKept = false;
    const { epoch } = this.#membership;
    this.#membership = this.#next;
    for (const it of this.#unkept.splice(0)) this.#note(it);
    if (this.#membership.epoch === epoch || !this.#forget()) this.#tidy();
  }

  #note(it: Kept): void {
    if (it.kind === "wrap") this.#wraps.set(it.wrap.to, it.wrap);
    if (it.kind === "admission") {
      this.#admissions.set(it.admission.invite, it.admission);
    }
  }

  /**
   * Forgets what nobody needs any more, in the file too: from here on a link that has let somebody in opens nothing that
   * the disk has. @returns Whether there was something.
   */
  #forget(): boolean {
    const at = Date.now();
    const isRecipient = recipientsOf(this.#membership, at);
    const gone = [...this.#wraps.keys()].filter((to) => !isRecipient(to));
    for (const to of gone) this.#wraps.delete(to);
    for (const number of this.#admissions.keys()) {
      if (!this.#membership.isOpen(number, at)) this.#admissions.delete(number);
    }
    if (gone.length > 0) this.#file.rewrite(this.#all);
    return gone.length > 0;
  }

  #tidy(): void {
    if (!this.#file.isStale(this.#count) || this.#forget()) return;
    this.#file.rewrite(this.#all);
  }

  get #all(): Kept[] {
    return [
      ...this.#lines.all.map((entry): Kept => ({ kind: "ruled", entry })),
      ...[...this.#wraps.values()].map((wrap): Kept => ({
        kind: "wrap",
        wrap,
      })),
      ...[...this.#admissions.values()].map((admission): Kept => ({
        kind: "admission",
        admission,
      })),
    ];
  }

  get #count(): number {
    return this.#lines.all.length + this.#wraps.size + this.#admissions.size;
  }
}

/** The names of a room's keepers, for people. */
export function keeperNames(membership: Membership): string {
  const names = membership.keepers.flatMap((id) =>
    membership.member(id)?.name ?? []
  );
  return names.map((name) => escapeText(name)).join(", ");
}

/** Says who is to have the content key, by full ids: members, and open invites. */
function recipientsOf(
  membership: Membership,
  at: number,
): (id: string) => boolean {
  const invites = new Set(membership.openInvites(at).map(({ id }) => id));
  return (id) => invites.has(id) || membership.member(id) !== undefined;
}

/** Keepers give everybody the key, others themselves alone. */
function mayGive(membership: Membership, { by, to }: Wrap): boolean {
  return by === to || membership.isKeeper(by);
}

/**
 * The first of the control lines that the log lacks, since a crash came between the two files: then they are all of one
 * batch, and the last. Undefined where it lacks none.
 * @throws {AdvisedError} for a log that isn't the file's.
 */
async function unlogged(
  path: string,
  ruled: readonly RuledEntry[],
  log: ChatLog,
): Promise<RuledEntry | undefined> {
  const ahead = ruled.filter(({ seq }) => seq > log.head);
  const [first] = ahead;
  const last = ruled.at(ruled.length - ahead.length - 1);
  const isOneBatch = ahead.every(({ at }) => at === first?.at);
  if (isOneBatch && (!last || await hasEntry(log, last))) return first;
  const { seq = 0 } = ruled.at(-1) ?? {};
  throw new AdvisedError(
    `The log does not belong to ${path}, which has control lines up to event ${seq}: it is another one, older, or was changed`,
    `Put the right one back. If it is lost, begin another: a file with the one line "# continues at event ${
      seq + 1
    }"`,
  );
}

async function hasEntry(log: ChatLog, entry: RuledEntry): Promise<boolean> {
  for await (const [found] of log.past(entry.seq - 1, entry.seq)) {
    return found?.what === "ruled" && found.text === entry.text;
  }
  return true; // deleted with an old log
}
