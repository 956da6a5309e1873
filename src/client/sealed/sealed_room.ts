/**
 * A sealed room as one client knows it, across connections: its control lines, the content keys that this client has, and
 * what of the lines that come is to be believed.
 *
 *     ruled ──▶ follow ──▶ record, keys
 *     sealed ──▶ open, many at a time ──▶ judge, in order ──▶ shown as said, kept until its key comes, or a warning
 *
 * @module
 */

import { toBase64url } from "../../../crypto_utils.ts";
import { keepNewest } from "../../base/keep_newest.ts";
import type { Identity } from "../../crypto/identity.ts";
import type { Event } from "../../protocol/events.ts";
import {
  isChange,
  isSpoken,
  type LogEntry,
  mayChange,
} from "../../protocol/line.ts";
import type { Membership, SealedMember } from "../../sealed/membership.ts";
import type { Seen } from "../../sealed/sealed_line.ts";
import type { HeardLine } from "../../protocol/changes.ts";
import type { Past, Self } from "../link.ts";
import { controlSentence } from "../../sealed/control_words.ts";
import type { ControlRecord, Followed } from "../../sealed/control_record.ts";
import { type Opened, Opener } from "../../sealed/opener.ts";
import { RoomFile, type RoomStores } from "./room_file.ts";
import { RoomKeys } from "../../sealed/room_keys.ts";
import { Sealer } from "./sealer.ts";
import type { StayNumbers } from "../../sealed/stay_numbers.ts";
import { shownPresence } from "../../sealed/unsigned.ts";
import type { Warning, WarningReason } from "../../sealed/warnings.ts";

/** Lines that are kept until their key comes, the newest. */
const MAX_LOCKED = 2_048;
/** Lines whose sender is remembered, the newest. */
const MAX_SAID = 16_384;
/** Lines after which the members' last numbers are written down. */
const KEEP_AFTER = 512;

/** What a client knows of the chain of all lines. */
export interface ChainSeam {
  /** The last line that this client had, and the chain's value there. */
  readonly seen: Seen;
  /**
   * Whether the one who said a line had seen another history; undefined where this client can't say.
   * @param seen What that one had seen last. @param line The number of the line.
   */
  seenDiffers(seen: Seen, line: number): boolean | undefined;
  /** The client will come in with those lines, which `seenDiffers` is to know; left out where no chain is followed. */
  foresee?(past: Past): void;
  /**
   * What the server says now of the past isn't what this client saw; left out as that.
   * @param from The first line of which that is known.
   */
  doubt?(from: number): void;
}

/** For who follows no chain. */
export const NO_CHAIN: ChainSeam = {
  seen: { seq: 0, value: new Uint8Array(32) },
  seenDiffers: () => undefined,
};

/** What a sealed room is opened with. */
export interface SealedRoomOptions {
  /** As whom the client comes. */
  readonly identity: Identity;
  /** The same, as it joins. */
  readonly self: Self;
  /** Where rooms are kept; undefined: nowhere. */
  readonly stores: RoomStores | undefined;
  /** The room's id, base64url, where this client has been in it before. */
  readonly known: string | undefined;
  /** Told what can't be read or kept. */
  readonly note: (text: string) => void;
  /** Default: none. */
  readonly chain?: ChainSeam;
}

/** What is to be made of a line: it is shown, or warned of. */
export type Verdict =
  | { readonly line: HeardLine }
  | { readonly warning: Warning };

/** The content keys that a client has of a room, and keeps. */
function keysOf(identity: Identity, file: RoomFile): RoomKeys {
  const keys = new RoomKeys((key) => file.hadKey(key));
  keys.addRecipient(identity);
  for (const key of file.keys) keys.adopt(key, file.record.membership);
  return keys;
}

/** What became of a control line that is new. */
export interface FollowedNow {
  /** What it came to. */
  readonly followed: Followed;
  /** The wrap that came for it, and was of no use. */
  readonly wrong: Event<"wrapped"> | undefined;
}

/** A sealed room. */
export class SealedRoom {
  readonly #options: SealedRoomOptions;
  #keys: RoomKeys;
  /** What seals this client's lines. */
  readonly sealer: Sealer;
  #file: RoomFile;
  #opener: Opener;
  readonly #said = new Map<number, LogEntry>(); // by number: what was said, without its words
  readonly #locked = new Map<number, LogEntry>(); // by number
  readonly #unproven = new Set<number>(); // epochs of which it isn't known whether they lead back
  #unkept = 0; // lines since the members' last numbers were written down

  /** What this client knows of a room, if it knows any of it. */
  static async open(options: SealedRoomOptions): Promise<SealedRoom> {
    const { stores, known, note } = options;
    const file = known === undefined
      ? new RoomFile(note)
      : await RoomFile.load(stores, known, note);
    return new SealedRoom(options, file);
  }

  private constructor(options: SealedRoomOptions, file: RoomFile) {
    const { identity, self } = options;
    this.#options = options;
    this.#file = file;
    this.#keys = keysOf(identity, file);
    this.#opener = new Opener(file.record, this.#keys);
    this.sealer = new Sealer(identity, self.stay);
  }

  /** The content keys. */
  get keys(): RoomKeys {
    return this.#keys;
  }

  /** As whom the client comes. */
  get identity(): Identity {
    return this.#options.identity;
  }

  /** The same, as it joins. */
  get self(): Self {
    return this.#options.self;
  }

  /** The room's id, base64url, where this client has been in it before. */
  get known(): string | undefined {
    return this.#options.known;
  }

  /** What is kept of it. */
  get file(): RoomFile {
    return this.#file;
  }

  /** Its control lines. */
  get record(): ControlRecord {
    return this.#file.record;
  }

  /** What they come to. */
  get membership(): Membership {
    return this.record.membership;
  }

  /** This client's person as a member; undefined while it is none. */
  get own(): SealedMember | undefined {
    return this.membership.member(this.self.id);
  }

  /** Whether this client's person is a keeper. */
  get isKeeper(): boolean {
    return this.membership.isKeeper(this.self.id);
  }

  /** What this client knows of the chain of all lines. */
  get seam(): ChainSeam {
    return this.#options.chain ?? NO_CHAIN;
  }

  /** The last line that this client had. */
  get seen(): Seen {
    return this.seam.seen;
  }

  /** The client comes in with those lines, which are to be opened. */
  foresee(past: Past): void {
    this.#options.chain?.foresee?.(past);
  }

  /** The client is in: from here on, what it knows is kept. */
  entered(): void {
    const { room } = this.membership;
    if (room) this.#file.keepIn(this.#options.stores, toBase64url(room));
  }

  /** Writes down what isn't written yet. */
  keep(): void {
    this.#unkept = 0;
    this.#file.keep();
  }

  /**
   * Believes the server's control lines from the first on, not those that this client knows. Its keys are of a history
   * that is given up: none of them is used again unless it comes again.
   */
  async forget(): Promise<void> {
    this.#file = await this.#file.forget();
    this.#keys = keysOf(this.identity, this.#file);
    this.#opener = new Opener(this.record, this.#keys);
    this.#said.clear();
    this.#locked.clear();
    this.#unproven.clear();
  }

  /** History was accepted as it is now. @param last The number of its last line. */
  restart(last: number): void {
    this.endBy(last);
    this.#file.restart(last);
  }

  /** The log ends earlier than was seen: its later lines are none any more. @param last The number of its last line. */
  endBy(last: number): void {
    this.#file.stays.endBy(last);
    for (const seq of this.#said.keys()) if (seq > last) this.#said.delete(seq);
  }

  // ── Control lines ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Follows the next control line.
   * @returns What it came to, and a wrap that came for it and was of no use; or why it may not be said.
   */
  async follow(entry: LogEntry): Promise<FollowedNow | WarningReason> {
    if (entry.seq <= this.#file.last) return "control-late";
    const followed = await this.record.follow(entry);
    if (!followed) return "control-wrong";
    this.#file.followed(entry);
    const { after, before } = followed;
    if (after.epoch === before.epoch) return { followed, wrong: undefined };
    this.#unproven.add(after.epoch);
    return { followed, wrong: await this.#keys.begun(after.epoch, after) };
  }

  /**
   * Which keys that have come don't lead back to those before them, as the keepers who made them should have seen to. Each
   * is told once.
   */
  async brokenBacks(): Promise<Warning[]> {
    const { membership, terms } = this.record;
    const broken: Warning[] = [];
    for (const e of [...this.#unproven].sort((a, b) => a - b)) {
      const leadsBack = await this.#keys.leadsBack(e, membership);
      if (leadsBack === undefined) continue;
      this.#unproven.delete(e);
      const line = this.record.find(terms.epochStart(e) ?? 0);
      if (leadsBack || !line) continue;
      const { seq, person } = line;
      const name = terms.before(person, seq)?.name ?? person;
      broken.push({ line: seq, name, person, reason: "back-wrong" });
    }
    return broken;
  }

  #told(line: LogEntry): HeardLine {
    const { person, seq } = line;
    const { terms } = this.record;
    const { name } = terms.at(person, seq + 1) ?? terms.at(person, seq) ?? line;
    return { ...line, name, told: controlSentence(line, this.record) };
  }

  // ── Lines ────────────────────────────────────────────────────────────────────────────────────────────

  /** Opens a line, if it is sealed. Many may be under way, between two control lines. */
  async open(line: LogEntry): Promise<Opened | undefined> {
    return line.what === "sealed" ? await this.#opener.open(line) : undefined;
  }

  /**
   * What is to be made of a line, in order.
   * @param opened As `open` gave it. @param pass The stays of those that were judged in the same look at the past.
   */
  judge(
    line: LogEntry,
    opened: Opened | undefined,
    pass: StayNumbers,
  ): Verdict {
    if (!opened) return this.#presence(line);
    if (opened.state === "wrong") return this.#wrong(line, opened.reason);
    const { stays } = this.#file;
    if (!stays.fits(line) || !pass.fits(line)) {
      return this.#wrong(line, "number-repeated");
    }
    stays.note(line);
    pass.note(line);
    if (++this.#unkept >= KEEP_AFTER) this.keep();
    if (opened.state === "locked") {
      keepNewest(this.#locked.set(line.seq, line), MAX_LOCKED);
      return { line: opened.line };
    }
    return this.#believe(opened.line, opened.seen);
  }

  #believe(line: LogEntry, seen: Seen): Verdict {
    const { person, seq, stay } = line;
    const isMine = person === this.self.person && stay === this.self.stay;
    const differs = !isMine && this.seam.seenDiffers(seen, seq);
    if (differs) return this.#wrong(line, "seen-differs");
    const about = isChange(line) ? this.#said.get(line.to) : undefined;
    if (isChange(line)) {
      const isNothing = line.to >= seq || about && !mayChange(line, about);
      if (isNothing) return this.#wrong(line, "change-wrong");
    }
    if (isSpoken(line.what)) {
      keepNewest(this.#said.set(seq, { ...line, text: "" }), MAX_SAID);
    }
    // The server isn't asked for a line that somebody changes: it would learn that this one changes it.
    const mayBeOthers = changesWords(line) && !about && !isMine;
    const isUnchecked = differs === undefined || mayBeOthers;
    return { line: isUnchecked ? { ...line, unchecked: true } : line };
  }

  /** Who comes, goes or has another name must be a member under the name that is told. */
  #presence(line: LogEntry): Verdict {
    return this.record.terms.fitsPresence(line)
      ? { line: shownPresence(line) }
      : this.#wrong(line, "presence-wrong");
  }

  /** The lines whose key has come meanwhile, in order. */
  async unlock(): Promise<Verdict[]> {
    const lines = [...this.#locked.values()].sort((a, b) => a.seq - b.seq);
    const verdicts: Verdict[] = [];
    for (const line of lines) {
      const opened = await this.open(line);
      if (opened?.state === "locked") continue;
      this.#locked.delete(line.seq);
      if (opened?.state === "wrong") {
        verdicts.push(this.#wrong(line, opened.reason));
      } else if (opened) {
        verdicts.push(this.#believe(opened.line, opened.seen));
      }
    }
    return verdicts;
  }

  #wrong(line: LogEntry, reason: WarningReason): Verdict {
    const { seq, person } = line;
    const name = this.record.terms.before(person, seq)?.name ?? line.name;
    return { warning: { line: seq, name, person, reason } };
  }

  /** What is made of a control line. @param wrong Why it may not be said; undefined for one that was followed. */
  judgeControl(line: LogEntry, wrong: WarningReason | undefined): Verdict {
    return wrong ? this.#wrong(line, wrong) : { line: this.#told(line) };
  }

  /** All lines up to one have come, and were taken. */
  saw(seq: number): void {
    this.#file.saw(seq);
  }
}

/** Whether a line would take or change the words of another, which only who said that one may do. */
function changesWords({ what }: LogEntry): boolean {
  return what === "edited" || what === "deleted";
}
