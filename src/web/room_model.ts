/**
 * The room as a page shows it: news become signals, which change together at most once a frame.
 *
 *     news ──▶ RoomRows ──▶ layout ──▶ rows     ▶ the list of messages
 *         └──▶ standing, present, files, found … ▶ what is around it
 *
 * @module
 */

import { batch, signal } from "@preact/signals";
import { Activity } from "../client/activity.ts";
import { Ignored } from "../client/ignored.ts";
import {
  awaySentence,
  disconnectedSentence,
  type NewsOf,
  refusalSentence,
  takenSentence,
  WARNING_ADVICE,
} from "../client/sentences.ts";
import type { Somebody } from "../client/person.ts";
import type {
  FileNews,
  News,
  Present,
  RequestId,
  RoomNews,
  Standing,
  View,
} from "../client/view.ts";
import { escapeLines } from "../base/safe_text.ts";
import { Layout } from "./layout.ts";
import { Mentions } from "./mentions.ts";
import { noteOf } from "./news_notes.ts";
import { onFrame } from "./on_frame.ts";
import { PendingLines } from "./pending_lines.ts";
import { Reading } from "./reading.ts";
import { RoomRows } from "./room_rows.ts";
import { isLine, type Message, type Pending, type Row } from "./rows.ts";
import type { Watched } from "./watched.ts";

/** What a room is shown with. */
export interface RoomModelOptions {
  /** Whom this person doesn't want to read. Default: nobody. */
  readonly ignored?: Ignored;
  /** Words that count as mentions, as the terminal's setting has them. Default: none. */
  readonly words?: () => string;
  /** Whose comings and goings are shown, as the terminal's setting has it. Default: "active". */
  readonly joins?: () => string;
  /** The time, ms since 1970. Default: the machine's. */
  readonly now?: () => number;
  /** Has something done soon, once however often it is asked for meanwhile. Default: before the next frame. */
  readonly later?: (task: () => void) => void;
  /** The number of the line up to which this person has read in earlier visits. Default: all from before. */
  readonly readUpTo?: number;
  /** Is told of all news but those of ignored persons, and whether this person is meant by them. */
  readonly told?: (news: News, isMention: boolean) => void;
}

/** What else a model asks of the session. */
export interface RoomSource {
  /** Who is in the room. */
  who(): readonly Present[];
  /** What the room is about; empty for nothing. */
  topic(): string;
}

/** A question, to be answered once; null for no answer. */
export interface Question {
  /** It, as it is to be shown. */
  readonly text: string;
  /** Answers it. */
  readonly answer: (answer: string | null) => void;
}

/** What was found of the words that were searched for. */
export type Found = NewsOf<"found">;

const NOT_YET: Standing = {
  name: "",
  connected: false,
  members: 0,
  waiting: 0,
};

/** A room, for a page. */
export class RoomModel implements View {
  /** All that stands in the room. */
  readonly rows: Watched<readonly Row[]> = signal([]);
  /** What was said here and isn't in the log yet, in order. */
  readonly pending: Watched<readonly Pending[]> = signal([]);
  /** Where the client stands. */
  readonly standing: Watched<Standing> = signal(NOT_YET);
  /** How the room is called: `HOST:PORT`, or what the page is told for it. */
  readonly address: Watched<string> = signal("");
  /** When the next attempt to connect is, ms since 1970; null while connected. */
  readonly nextAttempt: Watched<number | null> = signal(null);
  /** The short id of this client's person; empty before it is in. */
  readonly self: Watched<string> = signal("");
  /** Who is in the room. */
  readonly present: Watched<readonly Present[]> = signal([]);
  /** What it is about; empty for nothing. */
  readonly topic: Watched<string> = signal("");
  /** What this program asks. */
  readonly question: Watched<Question | null> = signal(null);
  /** How many messages of others came since this person looked. */
  readonly unread: Watched<number> = signal(0);
  /** How files go that are being taken, by the number of their offer. */
  readonly files: Watched<ReadonlyMap<number, FileNews>> = signal(new Map());
  /** What was searched for last. */
  readonly found: Watched<Found | null> = signal(null);
  /** The invite that was made last. */
  readonly invited: Watched<NewsOf<"invited"> | null> = signal(null);
  /** What to compare with others, last. */
  readonly agreement: Watched<NewsOf<"agreement"> | null> = signal(null);
  /** Whether the server may have older lines than the first that is known. */
  readonly hasOlder: Watched<boolean> = signal(false);
  /** Whether older ones are on their way. */
  readonly isLoading: Watched<boolean> = signal(false);
  /** The number of the last line that this person has seen. */
  readonly readUpTo: Watched<number> = signal(0);

  /** How one leaves a question here. */
  readonly leaving = "Close this question to leave.";
  /** See `View`. */
  readonly copying = "Identity, in the menu, copies yours";

  readonly #options: RoomModelOptions;
  readonly #rows: RoomRows;
  readonly #now: () => number;
  readonly #ignored: Ignored;
  readonly #mentions: Mentions;
  readonly #reading = new Reading();
  readonly #pending = new PendingLines();
  #source: RoomSource | undefined;
  #standing = NOT_YET;
  #files: ReadonlyMap<number, FileNews> = new Map();
  #lostFor = ""; // why the connection is gone
  #isAdvised = false; // what to do about a warning
  readonly #layout = new Layout();
  #isDue = false; // whether the signals will change

  /** A room before the client is in. */
  constructor(options: RoomModelOptions = {}) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#ignored = options.ignored ?? new Ignored();
    this.#mentions = new Mentions(options.words);
    const get = () => options.joins?.() ?? "active";
    this.#rows = new RoomRows({
      activity: new Activity({ get }, () => this.#standing.members),
      mentions: this.#mentions,
      pending: this.#pending,
      reading: this.#reading,
      now: this.#now,
      readUpTo: options.readUpTo ?? Infinity,
    });
  }

  /** Asks the session for what news don't tell, from now on. */
  follow(source: RoomSource): void {
    this.#source = source;
    this.refresh();
  }

  /** The message of a number, as it is by now, if it is known here. */
  message(seq: number): Message | undefined {
    return this.#rows.message(seq);
  }

  /** Finds where this person is meant in a text. */
  get meant(): RegExp | undefined {
    return this.#mentions.pattern;
  }

  /** The number of the first line that is known: older ones are those before it. 0: none is known. */
  get first(): number {
    return this.#rows.first;
  }

  /** Something has changed that the rows depend on, as who is ignored. */
  refresh(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    (this.#options.later ?? onFrame)(() => {
      this.#isDue = false;
      this.#publish();
    });
  }

  // ── What the person does ─────────────────────────────────────────────────────────────────────────────

  /** This person sees what comes from now on, or doesn't: the page is hidden, or scrolled up. */
  look(isLooking: boolean): void {
    if (isLooking === this.#reading.isLooking) return;
    this.#reading.look(isLooking, this.#rows.last);
    this.refresh();
  }

  /**
   * Has a line stand there that is being said.
   * @param to The message that it answers, else null. @param whom To whom alone it is, null for all.
   * @returns What its request is to be called.
   */
  sending(
    text: string,
    to: number | null = null,
    whom: Somebody | null = null,
  ): number {
    this.#reading.spoke();
    this.refresh();
    return this.#pending.add(text, to, whom, this.#now());
  }

  /** Takes away a line that was refused. */
  dismiss(id: number): void {
    this.#pending.remove(id);
    this.refresh();
  }

  /** Older lines have been asked for. */
  loading(): void {
    this.isLoading.value = true;
  }

  // ── What the session tells ───────────────────────────────────────────────────────────────────────────

  /** Shows a piece of news, unless it comes from somebody who is ignored. */
  show(news: News): void {
    const wanted = this.#ignored.filter(news);
    this.refresh();
    if (isLine(news)) this.#rows.line(news, wanted !== null);
    else if (news.type === "found" && news.words === "") this.#tell(news);
    else if (wanted && !isLine(wanted)) this.#tell(wanted);
    if (wanted) this.#options.told?.(wanted, this.#mentions.isIn(wanted));
  }

  /** Shows where the client stands. */
  stand(standing: Standing): void {
    this.#standing = standing;
    this.#mentions.named(standing.name);
    this.refresh();
  }

  /** Tells something that is about this program. */
  note(text: string): void {
    this.#rows.note(escapeLines(text));
    this.refresh();
  }

  /** Tells that something that was asked for can't be done. @param id The request. */
  fail(message: string, id?: RequestId): void {
    this.isLoading.value = false; // if it was that, it is asked for again
    const text = escapeLines(message);
    if (!this.#pending.refuse(id, text)) this.#rows.note(text, "warning");
    this.refresh();
  }

  /** Asks a question, one at a time. */
  ask(text: string): Promise<string | null> {
    return new Promise((resolve) => {
      const answer = (answer: string | null) => {
        this.question.value = null;
        resolve(answer);
      };
      this.question.value = { text, answer };
    });
  }

  /** Takes the question away that is open. */
  close(): void {
    this.question.value?.answer(null);
  }

  // ── News ─────────────────────────────────────────────────────────────────────────────────────────────

  #tell(news: Exclude<News, RoomNews>): void {
    if (news.type !== "entered") this.#rows.arrive();
    switch (news.type) {
      case "entered":
        return this.#entered(news);
      case "disconnected":
        return this.#disconnected(news);
      case "private":
        return this.#rows.letter(news);
      case "found":
        return this.#foundLines(news);
      case "away-message":
        return this.#rows.aside(news, awaySentence(news));
      case "taken":
        return this.#rows.aside(news, takenSentence(news));
      default:
        return this.#noted(news);
    }
  }

  /** News that stand as a note, unless they are shown elsewhere. */
  #noted(news: Exclude<News, RoomNews>): void {
    if (news.type === "refused") {
      if (this.#pending.refuse(news.id, refusalSentence(news))) return;
    }
    if (news.type === "invited") this.invited.value = news;
    if (news.type === "agreement") this.agreement.value = news;
    if (news.type === "file") {
      this.#files = new Map(this.#files).set(news.offer, news);
      if (this.#rows.message(news.offer)) return; // which shows how it goes
    }
    const { text = "", tone } = noteOf(news) ?? {};
    if (text === "") return;
    this.#rows.note(text, tone);
    if (news.type !== "warning" || this.#isAdvised) return;
    this.#isAdvised = true;
    this.#rows.note(WARNING_ADVICE, "warning");
  }

  /** What was asked for from the history is a part of it; what was searched for stands elsewhere. */
  #foundLines(news: Found): void {
    if (news.words !== "") {
      this.found.value = news;
      return;
    }
    this.isLoading.value = false;
    this.#rows.older(news);
  }

  #entered(news: NewsOf<"entered">): void {
    this.#rows.entered(news);
    this.#lostFor = "";
    this.#mentions.named(news.name);
    this.nextAttempt.value = null;
    this.address.value = news.address;
    this.self.value = news.person;
  }

  #disconnected(news: NewsOf<"disconnected">): void {
    this.nextAttempt.value = this.#now() + news.seconds * 1_000;
    // Attempts go on until one succeeds; only what is new is worth a line.
    if (news.reason === this.#lostFor) return;
    this.#lostFor = news.reason;
    this.#rows.note(disconnectedSentence(news), "warning");
  }

  /** Has the signals say how it is. */
  #publish(): void {
    this.#rows.trim();
    const ignored = new Set(
      this.#ignored.members().map(({ person }) => person),
    );
    batch(() => {
      this.rows.value = this.#layout.of(
        this.#rows.all,
        ignored,
        this.#reading.newFrom,
      );
      this.pending.value = this.#pending.all;
      this.standing.value = this.#standing;
      this.files.value = this.#files;
      this.unread.value = this.#reading.unread;
      this.hasOlder.value = this.#rows.hasOlder;
      if (this.#source) {
        this.present.value = this.#source.who();
        this.topic.value = this.#source.topic();
      }
      this.#reading.saw(this.#rows.last);
      this.readUpTo.value = this.#reading.upTo;
    });
  }
}
