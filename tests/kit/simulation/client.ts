/**
 * A client of a simulation: it says numbered lines, loses its connection, comes back by any server in the same stay, and
 * says again what it doesn't find. What it is told is held against what it was told before.
 *
 * @module
 */

import { ROOM_INVITE_ID } from "../../../src/keys/invite.ts";
import { sha256, toBase64url } from "../../../crypto_utils.ts";
import { identityOf, readCard } from "../../../src/crypto/identity.ts";
import { fullId, shortId } from "../../../src/crypto/person_id.ts";
import type { Event } from "../../../src/protocol/events.ts";
import type { LogEntry } from "../../../src/protocol/line.ts";
import { eventWords, pastEvent } from "../../../src/protocol/line.ts";
import type { Refused, Seat } from "../../../src/server/batch.ts";
import { NEAR } from "../../../src/server/history.ts";
import type { Candidate } from "../../../src/server/people/person.ts";
import { madeUpStay } from "../people.ts";
import { nameOf, TestGuest } from "../room_setup.ts";
import type { SimulatedServer } from "./server.ts";

/** A private message that nobody opens. */
const SEALED = "A".repeat(1_856);

/** What became of a line. */
export type Fate = "open" | "logged" | "refused";

/** A line that was said. */
export interface SaidLine {
  readonly n: number;
  readonly text: string;
  fate: Fate;
}

/** A line of the log, as somebody was told it. */
export type Told = Pick<LogEntry, "seq" | "what" | "n" | "text">;

/** A private message that was written. */
interface Written {
  readonly n: number;
  readonly to: string;
  /** What it was told of it: "" for nothing yet. */
  state: string;
}

/** One connection of it. */
interface Connection {
  readonly server: SimulatedServer;
  readonly guest: TestGuest;
  seat: Seat | undefined;
  /** Events that it has read. */
  read: number;
  /** The number of the next line. */
  next: number;
  isWelcome: boolean;
  isOver: boolean;
}

/** Who somebody is. */
export type Card = Pick<Candidate, "id" | "key" | "card">;

const cards = new Map<string, Promise<Card>>(); // making one takes a while

/** Who somebody is, by a word. */
export function cardOf(word: string): Promise<Card> {
  const made = cards.get(word) ?? makeCard(word);
  cards.set(word, made);
  return made;
}

async function makeCard(word: string): Promise<Card> {
  const identity = await identityOf(sha256(new TextEncoder().encode(word)));
  const { id, noiseKey } = readCard(identity.card);
  return {
    id: fullId(id),
    key: toBase64url(noiseKey),
    card: toBase64url(identity.card),
  };
}

/** A client. */
export class SimulatedClient {
  readonly stay: string;
  readonly lines: SaidLine[] = [];
  readonly letters: Written[] = [];
  /** All that it was told of the log, by all its connections. */
  readonly told: Told[] = [];
  /** What is wrong with that. */
  readonly wrong: string[] = [];
  /** The last line that it knows of; null: none. */
  last: number | null = null;
  /** Why it wasn't let in the last time. */
  refused: Refused["reason"] | undefined;
  connection: Connection | undefined;
  readonly #candidate: Omit<Candidate, "standing">;

  constructor(
    /** Whose it is. */
    readonly key: string,
    /** What tells it from the others of the same person. */
    readonly machine: number,
    public name: string,
    card: Card,
    invite = ROOM_INVITE_ID,
  ) {
    this.stay = madeUpStay(`${key} ${machine}`);
    this.#candidate = { ...card, invite };
  }

  get label(): string {
    return `${this.key}/${this.machine}`;
  }

  /** The full id of whom it is of. */
  get person(): string {
    return this.#candidate.id;
  }

  get invite(): number {
    return this.#candidate.invite;
  }

  get seat(): Seat | undefined {
    const { connection } = this;
    return connection?.isWelcome && !connection.isOver
      ? connection.seat
      : undefined;
  }

  /** What isn't known to be in the log, nor to be refused. */
  get open(): SaidLine[] {
    return this.lines.filter(({ fate }) => fate === "open");
  }

  /** Says some lines. */
  say(count: number): void {
    const { length: said } = this.lines;
    for (let n = said + 1; n <= said + count; n++) {
      this.lines.push({ n, text: `${this.label} says ${n}`, fate: "open" });
    }
    if (this.seat) this.#send(this.lines.slice(said));
  }

  #send(lines: readonly SaidLine[]): void {
    const { connection } = this;
    if (!connection?.seat || lines.length === 0) return;
    void connection.server.room.say(
      connection.seat,
      lines.map(({ n, text }) => ({ n, text })),
    );
  }

  /** Writes a private message. */
  write(to: SimulatedClient): void {
    const letter = { n: this.letters.length + 1, to: to.person, state: "" };
    this.letters.push(letter);
    if (this.seat) this.#post(letter);
  }

  #post(letter: Written): void {
    const { connection } = this;
    if (!connection?.seat) return;
    const { n, to } = letter;
    const { server, seat } = connection;
    if (!server.people.persons.find(to)) {
      letter.state = "nobody-known";
      return;
    }
    const posting = { from: this.person, stay: this.stay, n, to };
    const bytes = { data: SEALED, own: SEALED };
    server.room.post(seat, { ...posting, ...bytes }, (posted) => {
      if (!connection.isOver) letter.state = posted;
    });
  }

  /** Comes by a server. */
  async connect(server: SimulatedServer): Promise<void> {
    const { people, room, history, broadcaster } = server;
    const candidate: Candidate = {
      ...this.#candidate,
      standing: people.access.link.key,
    };
    const guest = new TestGuest(candidate, broadcaster.ring);
    const connection: Connection = {
      server,
      guest,
      seat: undefined,
      read: 0,
      next: 0,
      isWelcome: false,
      isOver: false,
    };
    this.connection = connection;
    const { last, stay } = this;
    if (last !== null && last > history.head) await room.caughtUp();
    const known = people.persons.find(this.person)?.from;
    const from = known ?? history.newcomerStart;
    let after = await history.start(last, from);
    connection.next = after + 1;
    const n = (this.open[0]?.n ?? this.lines.length + 1) - 1;
    const name = nameOf(this.name);
    while (!connection.isOver) {
      const refused = room.refusal({ candidate, name, stay });
      if (refused) return this.#turnAway(connection, refused);
      while (history.head - after > NEAR && !connection.isOver) {
        const { head } = history;
        for await (const piece of history.past(after, head)) {
          guest.tell(...piece.map(pastEvent));
        }
        after = head;
      }
      if (connection.isOver || guest.ended) return;
      if (!room.isUp) return guest.dismiss("adrift");
      const wish = { guest, candidate, name, stay, n, from, after };
      const admission = await room.join(wish);
      if (admission === "behind") continue;
      if ("reason" in admission) return this.#turnAway(connection, admission);
      connection.seat = admission;
      if (connection.isOver) return room.leave(admission, "lost");
      return;
    }
  }

  #turnAway(connection: Connection, refused: Refused): void {
    if (this.connection === connection) this.refused = refused.reason;
    this.#end(connection);
  }

  #end(connection: Connection): void {
    connection.isOver = true;
    void connection.guest.leave();
    const { server, seat } = connection;
    if (seat) server.mailbox.leave(this.person, connection.guest);
  }

  /** Its connection is gone. @param notices Whether the server notices at once; else after that time, ms. */
  drop(reason: string, notices = 0): void {
    const { connection } = this;
    if (!connection || connection.isOver) return;
    this.read();
    this.#end(connection);
    const { server, seat } = connection;
    if (!seat || server.isOver) return;
    if (notices === 0) server.room.leave(seat, reason);
    else {
      setTimeout(() => {
        if (!server.isOver) server.room.leave(seat, reason);
      }, notices);
    }
  }

  /** Reads what it was told. */
  read(): void {
    const { connection } = this;
    if (!connection) return;
    const { guest, server } = connection;
    if (guest.failure !== undefined) {
      this.wrong.push(`${this.label} can't read: ${guest.failure}`);
    }
    for (; connection.read < guest.events.length; connection.read++) {
      const event = guest.events[connection.read];
      if (event) this.#take(connection, event);
    }
    const [goodbye] = guest.goodbyes;
    if (goodbye === undefined || connection.isOver) return;
    this.#end(connection);
    this.refused = goodbye === "removed" ? "removed" : undefined;
    if (goodbye === "replaced") this.wrong.push(`${this.label} was replaced`);
    if (connection.seat && !server.isOver) {
      server.room.leave(connection.seat, goodbye);
    }
  }

  #seq = 0; // of the next line of a batch

  #take(connection: Connection, event: Event): void {
    switch (event.kind) {
      case "past": {
        const { seq, what, n, text } = event;
        return this.#learn(connection, { seq, what, n, text } as Told, event);
      }
      case "batch":
        this.#seq = event.seq;
        return;
      case "welcome":
        return this.#welcome(connection);
      case "refused":
        if (event.n !== null) this.#settle(event.n, "refused");
        return;
      case "letter":
        if (connection.seat && !connection.isOver) {
          connection.server.room.got(this.person, event.id);
        }
        return;
      case "joined":
      case "left":
      case "renamed":
      case "said": {
        const { what, text } = eventWords(event);
        const told = { seq: this.#seq++, what, n: event.n, text };
        this.#learn(connection, told, undefined);
      }
    }
  }

  #learn(
    connection: Connection,
    told: Told,
    past: Event<"past"> | undefined,
  ): void {
    const { seq, what, n, text } = told;
    if (seq !== connection.next) {
      this.wrong.push(
        `${this.label} was told line ${seq} where ${connection.next} comes next`,
      );
    }
    connection.next = seq + 1;
    this.last = seq;
    this.told.push(told);
    if (what !== "said") return;
    const isOwn = past
      ? past.person === shortId(this.person) && past.stay === this.stay
      : text.startsWith(`${this.label} says `);
    if (isOwn) this.#settle(n, "logged");
  }

  #settle(n: number, fate: Fate): void {
    const line = this.lines[n - 1];
    if (line?.fate === "open") line.fate = fate;
    else if (line && line.fate !== fate) {
      this.wrong.push(`${this.label}'s line ${n} is ${line.fate}, and ${fate}`);
    }
  }

  #welcome(connection: Connection): void {
    if (connection.isOver || !connection.seat) return;
    connection.isWelcome = true;
    this.refused = undefined;
    const { server, guest } = connection;
    server.mailbox.collect(this.person, guest, null, server.people.now());
    this.#send(this.open);
    for (const it of this.letters) if (it.state === "") this.#post(it);
  }
}
