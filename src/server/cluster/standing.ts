/**
 * How a server comes to the stream, and comes back to it: looks what the stream has, hears what the other servers have, and
 * does what beginning.ts decides.
 *
 *     find ──▶ here ──────────────────────────────────────────────▶ settled ── follows the stream
 *          ├─▶ takes over what it lacks from one that is settled ──▶    │
 *          ├─▶ begins the stream ──┐                                    │ a beginning, or the stream is lost
 *          └─▶ waits ──────────────┴─▶ meets the beginning ────────▶    ▼
 *                                                                      find
 *
 * @module
 */

import { randomBytes, toBase64url } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../base/advised_error.ts";
import { pause } from "../../base/timing.ts";
import {
  decide,
  type Decision,
  type Found,
  helps,
  isHere,
  meet,
  type Other,
  type Own,
} from "./beginning.ts";
import {
  catchUp,
  longerLog,
  otherLog,
  requireKind,
  SilentError,
  takeLines,
  valueAt,
} from "./catch_up.ts";
import type { Beginning } from "./entry.ts";
import { Heads, type Patience } from "./heads.ts";
import { digestOf, type Position } from "./position.ts";
import { NOBODY } from "./roster_record.ts";
import type { Siblings } from "./siblings.ts";
import { type Between, type RoomParts, StateServer } from "./state.ts";
import { type StreamEntry, StreamLostError, type Wire } from "./wire.ts";

/** Bytes of a stream's id. */
const STREAM_ID_SIZE = 16;
/** Streams of before that are remembered: somebody who has access to NATS may have kept what began them. */
const MAX_EARLIER = 256;

const PATIENCE: Patience = {
  asking: 500,
  strangers: 1_500,
  known: 10_000,
  start: 20_000,
};

/** Where a server goes on. */
export interface Footing {
  /** It follows the stream from that place on. */
  readonly from: number;
  /** By which the stream was made, for `Wire.follow`. */
  readonly made: string;
  /**
   * Whether its state was taken over from another server: all connections that it had are to be sent away, who is in is what
   * its position says, and it comes to the room anew.
   */
  readonly isFresh: boolean;
}

/** What coming to a stream hangs on. */
export interface StandingOptions {
  /** What leads to the stream. */
  readonly wire: Wire;
  /** The other servers. */
  readonly siblings: Siblings;
  /** What this server has of the room. */
  readonly parts: RoomParts;
  /** What is taken over is so between two batches. */
  readonly between: Between;
  /** Seals a beginning, and publishes it. @returns Its place. @throws {StreamError} */
  readonly publish: (beginning: Beginning) => Promise<number>;
  /** What an entry says, if it is a beginning that a server of the room has made. */
  readonly open: (entry: StreamEntry) => Promise<Beginning | undefined>;
  /** Is told, in one sentence each, what the owner is to know. @param isNew Whether this server was never in the stream: nothing is wrong. */
  readonly note: (sentence: string, isNew: boolean) => void;
  /** Default: as long as people wait. */
  readonly patience?: Patience;
}

/** Where a server stands to the stream. */
export class Standing {
  readonly #options: StandingOptions;
  readonly #patience: Patience;
  readonly #heads: Heads;
  #isSettled = false;
  #wasSettled = false;
  #isFresh = false; // since it settled last
  #waitsSince = 0; // 0: it doesn't
  #said = ""; // once

  /** Nothing is asked yet; others are told from now on what this server has. */
  constructor(options: StandingOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    const { siblings, parts, between } = options;
    new StateServer(siblings, parts, between, () => this.#isSettled);
    this.#heads = new Heads(siblings, this.#patience, () => this.#told);
  }

  /**
   * Finds where this server goes on: at its start, and whenever it was away from the stream. Nothing is to be carried out
   * meanwhile, but for `between`.
   * @throws {StreamError} where the stream can't be had; it is to be tried again once it can.
   * @throws {AdvisedError} where the server can't take part. @throws {FileError} where a file can't be written.
   */
  async find(): Promise<Footing> {
    this.#waitsSince = 0;
    for (;;) {
      const footing = await this.#step().catch((error) => {
        // Something has changed meanwhile: looks again.
        if (error instanceof SilentError) return undefined;
        if (error instanceof StreamLostError) return undefined;
        throw error;
      });
      if (footing) return footing;
    }
  }

  /**
   * A beginning has come out of the stream, at the place that it names: elsewhere it is void. To be called by who follows the
   * stream, once all before it is carried out, and not within the room's task.
   * @returns Where this server goes on. @throws as `find`.
   */
  async meet(entry: StreamEntry, beginning: Beginning): Promise<Footing> {
    const { siblings, parts } = this.#options;
    const { log } = parts;
    requireKind(parts, beginning.sealed);
    const isOwn = beginning.by === siblings.own;
    const agrees = await this.#agrees(beginning);
    const meeting = meet({ ...beginning, isOwn }, this.#own, agrees);
    this.#isSettled = false;
    if (meeting === "longer") throw longerLog(beginning.head, log.head);
    if (meeting === "other") throw await this.#otherLog(beginning);
    this.#say(
      `The room's stream begins anew with entry ${entry.seq}, after event ${beginning.head}`,
    );
    if (meeting === "go-on") await this.#take(entry, beginning);
    else await this.#takeOver();
    return await this.find();
  }

  /** What others are told that this server has. */
  get #told(): Omit<Other, "id"> {
    const { place, head } = this.#own;
    const { stream = "", begun = 0, place: last = 0 } = place ?? {};
    return { isSettled: this.#isSettled, stream, begun, place: last, head };
  }

  get #own(): Own {
    const { siblings, parts: { position, log } } = this.#options;
    return { id: siblings.own, place: position.place, head: log.head };
  }

  /** The number of the last control line of a sealed room; 0 for none. */
  get #ruled(): number {
    const mark = this.#options.parts.sealed?.state().at(-1);
    return mark?.kind === "logged" ? mark.seq : 0;
  }

  /** How many other servers there were when this one was there last; one that has started again since counts once. */
  get #companions(): number {
    const { roster: { servers }, own } =
      this.#options.parts.position.position ??
        { roster: NOBODY, own: "" };
    const others = new Set(servers.map(({ address }) => address));
    for (const { id, address } of servers) {
      if (id === own) others.delete(address);
    }
    return others.size;
  }

  // ── What this server does ────────────────────────────────────────────────────────────────────────────

  /** @returns Where it goes on; undefined where that is to be looked at again. */
  async #step(): Promise<Footing | undefined> {
    const { wire } = this.#options;
    const state = await wire.state();
    const { place } = this.#own;
    const entry = place && await wire.entry(place.place);
    const digest = entry && await digestOf(entry.data);
    const found: Found = { state, digest };
    if (place && isHere(place, found)) {
      requireKind(this.#options.parts, place.sealed);
      if (!await this.#complete(place)) return undefined;
      if (place.made !== state.made) this.#move({ made: state.made });
      return this.#settle({ from: place.place + 1, made: state.made });
    }
    this.#isSettled = false;
    const others = await this.#heads.ask(
      this.#companions,
      (it) => helps(place, found, it),
      // Who hasn't noticed the loss yet may still carry out what it had received, and tell its members of it.
      (it) => !it.isSettled || helps(place, found, it),
    );
    return await this.#do(decide(this.#own, found, others), state.made);
  }

  #settle(footing: Omit<Footing, "isFresh">): Footing {
    const isFresh = this.#isFresh;
    this.#isSettled = this.#wasSettled = true;
    this.#isFresh = false;
    this.#waitsSince = 0;
    this.#said = "";
    return { ...footing, isFresh };
  }

  async #do(decision: Decision, made: string): Promise<Footing | undefined> {
    switch (decision.kind) {
      case "go-on":
        return undefined; // what is so by now
      case "catch-up":
        this.#say(`${decision.why}: takes over what others have`);
        return await this.#catchUp(decision.of);
      case "join": {
        const { stream, begun, why, of } = decision;
        const footing = await this.#join(stream, begun);
        if (footing) return footing;
        this.#say(`${why}: takes over what others have`);
        return await this.#catchUp(of);
      }
      case "begin": {
        this.#say(
          `${decision.why}: begins it anew with the log of this server`,
        );
        const { place } = decision;
        const last = await this.#begin(place);
        return await this.#awaitBeginning(place, made, last);
      }
      case "await":
        this.#say(
          `${decision.why}: waits for the server with the longest log to begin it anew`,
        );
        return await this.#awaitBeginning(decision.place, made);
      case "wait":
        return await this.#wait(decision.why);
    }
  }

  /** Goes on after a beginning that has come meanwhile, if all before it is carried out here. */
  async #join(stream: string, begun: number): Promise<Footing | undefined> {
    const { wire, open } = this.#options;
    const entry = await wire.entry(begun);
    if (!entry) return undefined;
    const beginning = await open(entry);
    if (beginning?.stream !== stream || beginning.place !== begun) {
      return undefined;
    }
    const agrees = await this.#agrees(beginning);
    const meeting = meet({ ...beginning, isOwn: false }, this.#own, agrees);
    return meeting === "go-on" ? await this.meet(entry, beginning) : undefined;
  }

  /** Takes over all that a server has; then looks again. */
  async #catchUp(of: string): Promise<undefined> {
    const { siblings, parts, between } = this.#options;
    await catchUp(siblings, parts, between, of);
    this.#isFresh = true;
  }

  /** Takes over all from a server that has gone on from a beginning: of several since, from whichever there is. */
  async #takeOver(): Promise<void> {
    const { stream } = this.#own.place ?? {};
    const isRight = (it: Other) => it.isSettled && it.stream !== stream;
    while (!this.#isFresh) {
      const other = (await this.#heads.ask(this.#companions, isRight)).find(
        isRight,
      );
      if (!other) await this.#wait("This server lacks what came before that");
      else {
        await this.#catchUp(other.id).catch((error) => {
          if (!(error instanceof SilentError)) throw error; // else another one may answer
        });
      }
    }
  }

  /** Says what it waits for. Asking takes time, so nothing is done meanwhile. @throws {AdvisedError} at a start, at last. */
  #wait(why: string): Promise<undefined> {
    const now = performance.now();
    this.#waitsSince ||= now;
    if (!this.#wasSettled && now - this.#waitsSince > this.#patience.start) {
      throw new AdvisedError(
        `Cannot take part in the room: ${why[0]?.toLowerCase()}${
          why.slice(1)
        }, and no other server of the room answers`,
        "Start a server that has it first. If it is lost for good, remove the room's stream from NATS: the room then goes on with what this server has",
      );
    }
    this.#say(`${why}: waits for another server of the room`);
    return pause(this.#patience.asking).then(() => undefined);
  }

  /** Has the log have all that this server has carried out. @returns Whether it has. */
  async #complete(place: Omit<Position, "roster">): Promise<boolean> {
    const { siblings, parts: { log }, between } = this.#options;
    if (log.head >= place.head) return true;
    const why =
      `The log ends with event ${log.head}, and this server has carried out all up to event ${place.head}`;
    const hasLines = (it: Other) =>
      it.stream === place.stream && it.head >= place.head;
    const other = (await this.#heads.ask(this.#companions, hasLines)).find(
      hasLines,
    );
    if (other) {
      this.#say(`${why}: takes the lines over from another server`);
      await takeLines(siblings, log, between, other.id, place.head);
      return true;
    }
    if (this.#companions > 0) {
      await this.#wait(why);
      return false;
    }
    this.#say(
      `${why}: an older log was put back, or its end is lost. It goes on with event ${
        place.head + 1
      } in another file`,
    );
    await between(() => log.goOnAfter(place.head));
    return true;
  }

  // ── Beginnings ───────────────────────────────────────────────────────────────────────────────────────

  /** @returns Where the beginning stands: it counts if that is its place. */
  async #begin(at: number): Promise<number> {
    const { siblings, parts: { log, sealed }, between, publish } =
      this.#options;
    const { place } = this.#own;
    // Numbers that members were told aren't given again.
    const told = Math.max(place?.head ?? 0, this.#ruled);
    if (log.head < told) await between(() => log.goOnAfter(told));
    const { head } = log;
    return await publish({
      kind: "beginning",
      stream: toBase64url(randomBytes(STREAM_ID_SIZE)),
      place: at,
      sealed: sealed !== undefined,
      head,
      chain: head === 0 ? "" : toBase64url(await valueAt(log, head)),
      after: place
        ? { stream: place.stream, place: place.place, digest: place.digest }
        : null,
      by: siblings.own,
    });
  }

  /**
   * Follows the stream until it begins anew. @param last Where it has done so by then, or something else came before.
   * @returns Undefined where it doesn't, in time.
   */
  async #awaitBeginning(
    from: number,
    made: string,
    last = Infinity,
  ): Promise<Footing | undefined> {
    const { wire, open, parts: { position } } = this.#options;
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), this.#patience.known);
    try {
      for await (const entry of wire.follow(from, made, ending.signal)) {
        const beginning = await open(entry);
        // Else something came before it, or somebody has kept it.
        const isValid = beginning?.place === entry.seq &&
          !position.hasMet(beginning.stream);
        if (isValid) return await this.meet(entry, beginning);
        if (entry.seq >= last) return undefined;
      }
      return undefined;
    } finally {
      clearTimeout(timer);
      ending.abort();
    }
  }

  /** Whether the log agrees with a beginning; undefined where the log is shorter. */
  async #agrees({ head, chain }: Beginning): Promise<boolean | undefined> {
    const { log } = this.#options.parts;
    if (head === 0) return true;
    if (log.head < head) return undefined;
    return toBase64url(await valueAt(log, head)) === chain;
  }

  /** What is said where the log has other lines than a beginning. */
  async #otherLog({ by, head }: Beginning): Promise<unknown> {
    const { siblings, parts: { log }, between } = this.#options;
    try {
      await takeLines(siblings, log, between, by, head);
    } catch (error) {
      if (!(error instanceof SilentError)) return error;
    }
    return otherLog(head);
  }

  /** All before a beginning is carried out here. */
  async #take(
    entry: StreamEntry,
    { stream, sealed }: Beginning,
  ): Promise<void> {
    const { wire, parts: { position, log } } = this.#options;
    const { made } = await wire.state();
    const { own = "", time = 0, roster = NOBODY } = position.position ?? {};
    const { stream: last = [], earlier = [] } = position.place ?? {};
    const digest = await digestOf(entry.data);
    const place = entry.seq;
    const { head } = log;
    const base = place;
    position.replace({
      stream,
      made,
      sealed,
      earlier: [...earlier, last].flat().slice(-MAX_EARLIER),
      begun: place,
      place,
      digest,
      head,
      base,
      time: Math.max(time, entry.at),
      own,
      roster,
    });
  }

  #move(changed: Pick<Position, "made">): void {
    const { position } = this.#options.parts;
    const before = position.position;
    if (before) position.replace({ ...before, ...changed });
  }

  #say(sentence: string): void {
    if (sentence === this.#said) return;
    this.#said = sentence;
    this.#options.note(sentence, !this.#options.parts.position.place);
  }
}
