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
import { FileError } from "../../base/private_file.ts";
import { escapeText } from "../../base/safe_text.ts";
import { admissionKey } from "../../keys/invite.ts";
import type { ChatLog } from "../../log/chat_log.ts";
import type { NewEntry } from "../../protocol/line.ts";
import type { Refusal } from "../../protocol/reasons.ts";
import {
  type Control,
  type ControlLine,
  parseControl,
} from "../../sealed/control_line.ts";
import { follow, FOUNDING_ID, Membership } from "../../sealed/membership.ts";
import type { Undo } from "../people/reversible.ts";
import { firstUnlogged, requireSame } from "./beside_log.ts";
import { ClockWatch } from "./clock_watch.ts";
import {
  ControlLines,
  type ControlPiece,
  type Sharing,
} from "./control_lines.ts";
import {
  type Admission,
  ControlFile,
  type Kept,
  type RuledEntry,
  type Wrap,
} from "./control_file.ts";
import { KeyTurns } from "./key_turns.ts";
import { Keepings, mayGive, recipientsOf } from "./keepings.ts";

/** What comes with a control line, from the same connection. */
export interface Staged {
  /** Content keys, by the full id of the recipient. */
  readonly wraps: ReadonlyMap<string, Wrap>;
  /** What the server is to know of an invite. */
  readonly admission: Admission | undefined;
}

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
  readonly #keepings = new Keepings();
  readonly #digests = new Map<number, Bytes>(); // of all control lines up to each, by its number
  readonly #epochs = new Map<number, number>(); // from each of them on, by its number, in their order
  #membership = Membership.NONE; // as everybody was told
  #next = Membership.NONE; // with the batch that is under way
  #unkept: Kept[] = []; // of that
  #isKept = false; // whether that is in the file, or half of it
  readonly #notices: string[] = [];
  readonly #now: () => number;
  readonly #clock: ClockWatch;
  readonly #turns = new KeyTurns();

  private constructor(file: ControlFile, roomKey: Bytes, now?: () => number) {
    this.#file = file;
    this.#foundingKey = admissionKey(roomKey);
    this.#now = now ?? (() => Date.now());
    this.#clock = new ClockWatch(now ? undefined : Date.now());
  }

  /**
   * The room of a file, held against the log: what a crash left in one of them alone is taken over or dropped.
   * @param roomKey The founding link's secret, 32 bytes. @param made Is told the file's path if it was made.
   * @param now The time of a room that other servers share, ms since 1970. Default: this one's clock's.
   * @throws {FileError} | {LogError} | {AdvisedError} where the two are of different rooms, or times.
   */
  static async open(
    path: string,
    roomKey: Bytes,
    log: ChatLog,
    made: (path: string) => void,
    now?: () => number,
  ): Promise<SealedRoom> {
    const file = ControlFile.open(path, made);
    try {
      const room = new SealedRoom(file, roomKey, now);
      await room.#load(path, log, now !== undefined);
      return room;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  /** @param isShared Whether other servers share the room: what the log lacks comes from one of them. */
  async #load(path: string, log: ChatLog, isShared: boolean): Promise<void> {
    const { kept: all, logged } = this.#file.load();
    const ruled = all.flatMap((it) => it.kind === "ruled" ? [it.entry] : []);
    const marked = ruled.filter(({ seq }) => seq <= logged);
    await requireSame(path, marked, log);
    const first = await firstUnlogged(ruled, logged, log);
    if (first) this.#file.drop(first.seq);
    const at = all.findIndex((it) => it.kind === "ruled" && it.entry === first);
    const kept = at < 0 ? all : all.slice(0, at);
    for (const it of kept) {
      if (it.kind !== "ruled" || await this.#follow(it.entry)) continue;
      throw new FileError(
        `Cannot use "${path}": its control line ${it.entry.seq} isn't one that may be said there`,
      );
    }
    if (!isShared) await this.#goOn(path, log);
    await this.#takeOver(path, log);
    const { seq } = this.#membership;
    if (seq > logged) this.#file.log(seq);
    for (const it of kept) this.#keepings.add(it);
    this.#tidy();
  }

  /** Where the log lacks control lines that members were told, as an older one does, it goes on after these. */
  async #goOn(path: string, log: ChatLog): Promise<void> {
    const { head } = log;
    const { seq } = this.#membership;
    if (seq <= head) return;
    await log.goOnAfter(seq);
    this.#notices.push(
      `The log ends with event ${head}, and members were told of event ${seq} by ${path}: an older log was put back, or its end is lost. It goes on with event ${
        seq + 1
      } in another file`,
    );
  }

  /** What the log has and the file doesn't, as after a backup of the file was put back. */
  async #takeOver(path: string, log: ChatLog): Promise<void> {
    const known = this.#lines.all.length;
    let strange = 0;
    for await (const entries of log.past(this.#membership.seq, log.head)) {
      for (const entry of entries) {
        if (entry.what !== "ruled") continue;
        const isRight = await this.#follow({ ...entry, what: "ruled" });
        if (!isRight) strange++;
      }
    }
    const taken = this.#lines.all.slice(known);
    this.#file.add(taken.map((entry) => ({ kind: "ruled", entry })));
    if (taken.length > 0) {
      this.#notices.push(
        `${path} lacked ${
          linesOf(taken.length)
        } that the log has: an older one was put back. It has them now; members whose sealed keys are lost ask the keepers for them`,
      );
    }
    if (strange > 0) {
      this.#notices.push(
        `The log has ${
          linesOf(strange)
        } that can't have been said after those in ${path}: some before are lost, or somebody wrote in the log. They don't count`,
      );
    }
  }

  /** @returns Whether that could be said. */
  async #follow(entry: RuledEntry): Promise<boolean> {
    const line = parseControl(entry.text);
    const next = await follow(this.#membership, line, entry);
    if (!next) return false;
    this.#membership = this.#next = next;
    this.#lines.add(entry);
    this.#note(next);
    return true;
  }

  /** Notes what the control lines come to with the last of them. */
  #note({ seq, digest, epoch }: Membership): void {
    this.#digests.set(seq, digest);
    this.#epochs.set(seq, epoch);
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** The founding link has another secret, 32 bytes. */
  setFoundingSecret(roomKey: Bytes): void {
    this.#foundingKey = admissionKey(roomKey);
  }

  /** What was found and mended when it was opened, one sentence each. */
  get notices(): string[] {
    const { notice } = this.#file;
    return [...notice === undefined ? [] : [notice], ...this.#notices];
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
    const key = this.#keepings.admission(number)?.key;
    return key === undefined ? undefined : fromBase64url(key);
  }

  /** Whether somebody may become a member by an invite now. */
  isOpen(number: number): boolean {
    return number === FOUNDING_ID
      ? !this.isFounded
      : this.#membership.isOpen(number, this.#now());
  }

  /** Whether somebody is to have the content key now: a member, or who comes by an open invite. @param id Full id. */
  isRecipient(id: string): boolean {
    return this.#membership.member(id) !== undefined ||
      this.#membership.openInvites(this.#now()).some((it) => it.id === id);
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
    share: Sharing,
    after: number,
    upTo: number = this.#membership.seq,
  ): ControlPiece | undefined {
    return this.#lines.next(share, after, upTo);
  }

  /** The digest of the control lines up to the one of that number, base64url; "" where none has it. */
  digestAt(seq: number): string {
    const digest = this.#digests.get(seq);
    return digest ? toBase64url(digest) : "";
  }

  /** The newest content key for a person or an invite, by its full id. */
  wrapFor(id: string): Wrap | undefined {
    return this.#keepings.wrapFor(id);
  }

  /** The newest content key for who comes by an invite. */
  wrapForInvite(number: number): Wrap | undefined {
    const invite = this.#membership.invites.get(number);
    return invite && this.#keepings.wrapFor(invite.id);
  }

  /** The blob of an invite, or "". */
  blobOf(number: number): string {
    return this.#keepings.admission(number)?.blob ?? "";
  }

  // ── What happens ─────────────────────────────────────────────────────────────────────────────────────

  /** The epoch of a line of the log, whatever came after it. @param seq Its number. */
  epochOf(seq: number): number {
    if (seq > this.#next.seq) return this.#next.epoch;
    let { epoch } = Membership.NONE;
    for (const [since, it] of this.#epochs) if (since < seq) epoch = it;
    return epoch;
  }

  /** Whether a control line was said under that number. */
  wasSaid({ text }: ControlLine, seq: number): boolean {
    return seq <= this.#membership.seq &&
      this.#lines.all.some((it) => it.seq === seq && it.text === text);
  }

  /**
   * Takes a control line into a batch. Its signatures are checked already.
   * @param entry As it will stand in the log.
   * @param isDecided Whether a server of those that share the room has decided that it is said: the clock, how often the key
   * is changed and how a name is written count no more. One that a crash left here is said already.
   */
  take(
    line: ControlLine,
    entry: NewEntry,
    seq: number,
    { wraps: staged, admission }: Staged,
    isDecided: boolean,
  ): Said | Refusal {
    if (isDecided && this.wasSaid(line, seq)) {
      return { undo: () => {}, wraps: [] };
    }
    const before = this.#next;
    const { at, person } = entry;
    if (!isDecided && !this.#clock.isRight(at)) return "clock-wrong";
    const place = { seq, at, person };
    const next = isDecided
      ? before.after(line, place)
      : before.next(line, place);
    if (typeof next === "string") return next;
    const { control } = line;
    const isInvite = control.verb === "invite";
    if (isInvite) {
      if (admission?.invite !== control.invite) return "control-wrong";
      // Without the key, as when another keeper has just changed it, its link would open nothing.
      const { id = "" } = next.invites.get(control.invite) ?? {};
      if (staged.get(id)?.e !== next.epoch) return "keys-late";
    }
    const turn = this.#turn(control, at, isDecided);
    if (!turn) return "keys-again";
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
    this.#note(next);
    return {
      undo: () => {
        this.#next = before;
        this.#digests.delete(seq);
        this.#epochs.delete(seq);
        turn();
        undo();
      },
      wraps,
    };
  }

  /** Counts a change of the key, if a line is one. @returns What takes it back; undefined where the line is to wait. */
  #turn(control: Control, at: number, isDecided: boolean): Undo | undefined {
    if (!isInTheWay(control, this.#next)) return () => {};
    return isDecided ? this.#turns.count(at) : this.#turns.take(at);
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
    const { epoch, seq } = this.#membership;
    this.#membership = this.#next;
    if (this.#next.seq > seq) this.#file.log(this.#next.seq);
    for (const it of this.#unkept.splice(0)) this.#keepings.add(it);
    if (this.#membership.epoch === epoch || !this.#forget()) this.#tidy();
  }

  /**
   * Forgets what nobody needs any more, in the file too: from here on a link that has let somebody in opens nothing that
   * the disk has. @returns Whether there was something.
   */
  #forget(): boolean {
    const { at = 0 } = this.#lines.all.at(-1) ?? {}; // not the clock's, which may be wrong for a moment
    const isLess = this.#keepings.forget(this.#membership, at);
    if (isLess) this.#rewrite();
    return isLess;
  }

  #tidy(): void {
    const count = this.#lines.all.length + this.#keepings.size + 1;
    if (this.#file.isStale(count) && !this.#forget()) this.#rewrite();
  }

  #rewrite(): void {
    this.#file.rewrite(this.state());
  }

  // ── Servers that share the room ──────────────────────────────────────────────────────────────────────

  /** All that counts. */
  state(): Kept[] {
    return [
      ...this.#lines.all.map((entry): Kept => ({ kind: "ruled", entry })),
      ...this.#keepings.all,
      { kind: "logged", seq: this.#membership.seq },
    ];
  }

  /**
   * Puts the state of another server, whose log has the control lines, in the place of all that is here. Nobody may be in.
   * @throws {FileError} for one that can't be, and if it can't be written: then nothing has changed.
   */
  async takeOver(state: readonly Kept[]): Promise<void> {
    const ruled = state.flatMap((it) => it.kind === "ruled" ? [it.entry] : []);
    const steps = await followAll(ruled);
    this.#file.replace(state);
    this.#lines.clear();
    this.#digests.clear();
    this.#epochs.clear();
    this.#keepings.clear();
    this.#unkept = [];
    this.#isKept = false;
    this.#membership = this.#next = steps.at(-1) ?? Membership.NONE;
    for (const entry of ruled) this.#lines.add(entry);
    for (const step of steps) this.#note(step);
    for (const it of state) this.#keepings.add(it);
  }
}

/** What control lines come to, one after the other. @throws {FileError} for one that may not be said there. */
async function followAll(ruled: readonly RuledEntry[]): Promise<Membership[]> {
  const steps: Membership[] = [];
  let membership = Membership.NONE;
  for (const entry of ruled) {
    const next = await follow(membership, parseControl(entry.text), entry);
    if (!next) {
      throw new FileError(
        `Cannot take over what another server has of the room: its control line ${entry.seq} isn't one that may be said there`,
      );
    }
    steps.push(membership = next);
  }
  return steps;
}

/** Whether a line may make another keeper's late, and removes nobody. */
function isInTheWay(control: Control, { keepers }: Membership): boolean {
  return control.verb === "keys" && control.removed.length === 0 &&
    keepers.length > 1;
}

/** The names of a room's keepers, for people. */
export function keeperNames(membership: Membership): string {
  const names = membership.keepers.flatMap((id) =>
    membership.member(id)?.name ?? []
  );
  return names.map((name) => escapeText(name)).join(", ");
}

function linesOf(count: number): string {
  return `${count} control ${count === 1 ? "line" : "lines"}`;
}
