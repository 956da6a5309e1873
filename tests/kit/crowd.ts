/**
 * Many members of a room on several servers: the client's own session without its terminal, in this process, so that
 * there can be a hundred. All that they are shown is held against each other's and, in the end, the logs.
 *
 * @module
 */

import type { JoinError } from "../../src/client/join_error.ts";
import { Session } from "../../src/client/session.ts";
import type { News, RoomNews, View } from "../../src/client/view.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import { admissionKey, parseInvite } from "../../src/keys/invite.ts";
import { Ledger } from "../long/soak/ledger.ts";
import { assert, assertEquals } from "./assert.ts";
import { assertTyped, type Cluster } from "./cluster.ts";
import "./crypto_idle.ts";
import { newIdentity } from "./people.ts";
import { Watch } from "./watch.ts";

/** Lines of a member that may be under way in a storm: so few that servers have time for something else. */
const MAX_UNDER_WAY = 5;
/** Lines that are seen before something happens in a storm, and after it. */
const SEEN = 200;
/** How long it may take until all is as before after something has happened, ms. */
const RECOVERY_TIME = 120_000;

/** How somebody comes. */
export interface RoamerOptions {
  readonly name: string;
  /** The number of the server to which it goes first. */
  readonly at: number;
  /** Whether it goes to the other servers when it loses one. Default: it does. */
  readonly roams?: boolean;
  /** Who it is. Default: somebody new. */
  readonly identity?: Identity;
  /** The link whose id and secret it has. Default: the standing link. */
  readonly link?: string;
  /** Whether it may be refused. Default: that is a fault. */
  readonly mayFail?: boolean;
}

/** A connection that was lost. */
export interface Loss {
  /** The server's number. */
  readonly at: number;
  readonly last: number;
  readonly reason: string;
}

/** A member. */
export class Roamer implements View {
  /** What it has said, in order, and how much of it it was shown. */
  readonly typed: string[] = [];
  seen = 0;
  /** The number of the last line that it was shown. */
  last = 0;
  /** Whether it is in the room, as far as it knows. */
  inside = false;
  /** Each time that it lost its server: which one, why, and the last line that it had been shown by then. */
  readonly losses: Loss[] = [];
  /** What it said, or names that it wanted, that were refused. */
  readonly refused: string[] = [];
  /** Why it isn't let in, or was sent away for good. */
  refusal: string | undefined;
  /** What it was told besides lines, newest last. */
  readonly notes: string[] = [];
  /** The number of the server to which it went last. */
  at: number;
  readonly name: string;
  readonly session: Session;
  /** Resolves when it has left. */
  readonly ended: Promise<void>;
  readonly #crowd: Crowd;
  readonly #entrances = new Set<number>();
  #shown: number | undefined; // the last line in its order
  #heard: (line: RoomNews) => void = () => {}; // what waits for a line

  constructor(
    crowd: Crowd,
    options: RoamerOptions,
    identity: Identity,
  ) {
    const { name, at, roams = true, link, mayFail = false } = options;
    this.#crowd = crowd;
    this.name = name;
    this.at = at;
    const { id: inviteId, secret } = link === undefined
      ? crowd.cluster.parts
      : parseInvite(link);
    const { nodes } = crowd.cluster;
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const [address = "", ...later] = [
      ...addresses.slice(at),
      ...addresses.slice(0, at),
    ];
    this.session = new Session({
      address,
      others: roams ? later : [],
      who: { identity, name },
      dial: (address) => {
        this.at = addresses.indexOf(address);
        const { port } = crowd.cluster.node(this.at);
        return Deno.connect({ hostname: "127.0.0.1", port });
      },
      handshake: {
        inviteId,
        inviteKey: admissionKey(secret),
        checkServer: () => {},
      },
      view: this,
      askName: () => Promise.resolve(null),
    });
    this.ended = this.session.run().catch((error: JoinError) => {
      this.refusal = error.message;
      if (!mayFail) crowd.ledger.fault(`${name} is out: ${error.message}`);
      crowd.changed();
    });
  }

  /** Says so many lines, which are numbered. @param more What stands in each behind that. */
  async talk(count: number, more = ""): Promise<void> {
    for (; count > 0; count--) {
      const text = `${this.name} ${this.typed.length}${more}`;
      this.typed.push(text);
      this.#crowd.ledger.settle(text);
      await this.session.say(text);
    }
  }

  /** Waits until it is shown a line that fits. */
  async told(fits: (news: RoomNews) => boolean): Promise<void> {
    let isHeard = false;
    this.#heard = (line) => isHeard ||= fits(line);
    await this.#crowd.until(`${this.name} is told`, () => isHeard);
  }

  show(news: News): void {
    this.#take(news);
    this.#crowd.changed();
  }

  #take(news: News): void {
    const { ledger } = this.#crowd;
    if (news.type === "entered") {
      this.inside = true;
      this.#entrances.add(news.seq);
      this.last = Math.max(this.last, news.seq);
    } else if (news.type === "disconnected") {
      this.inside = false;
      const { at, last } = this;
      this.losses.push({ at, last, reason: news.reason });
    } else if (news.type === "refused") {
      this.refused.push(news.text);
      if (/^(name|private)-/.test(news.reason)) return;
      ledger.fault(`${this.name} was refused "${news.text}": ${news.reason}`);
    } else if (news.type === "history-differs") {
      ledger.fault(`${this.name} finds that history differs from ${news.from}`);
    } else if ("past" in news) {
      this.#follow(news);
      this.last = Math.max(this.last, news.seq);
      if (news.mine === true && news.type === "said") this.seen++;
    } else this.notes.push(news.type);
  }

  /** Every number comes once, in order and without a gap, but for its own joinings, of which it was told before. */
  #follow(line: RoomNews): void {
    const { ledger } = this.#crowd;
    ledger.show(line);
    this.#heard(line);
    let next = this.#shown === undefined
      ? Math.min(line.seq, ...this.#entrances)
      : this.#shown + 1;
    while (next < line.seq && this.#entrances.has(next)) next++;
    if (next !== line.seq) {
      ledger.fault(`${this.name} shows ${line.seq} instead of ${next}`);
    }
    this.#shown = line.seq;
  }

  stand(): void {}

  note(text: string): void {
    this.notes.push(text);
    this.#crowd.changed();
  }

  ask(): Promise<null> {
    return Promise.resolve(null);
  }
}

/** The members. */
export class Crowd implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly members: Roamer[] = [];
  readonly #watches = new Set<Watch>();

  constructor(readonly cluster: Cluster) {}

  /** To be called whenever one was shown something. */
  changed(): void {
    for (const watch of this.#watches) watch.changed();
  }

  /** Somebody comes in, to stay. */
  async join(options: RoamerOptions): Promise<Roamer> {
    const member = await this.visit(options);
    this.members.push(member);
    return member;
  }

  /** Somebody comes in who isn't waited for later, or is refused. */
  async visit(options: RoamerOptions): Promise<Roamer> {
    const identity = options.identity ?? await newIdentity();
    const visitor = new Roamer(this, options, identity);
    await this.until(
      `${options.name} is in`,
      () => visitor.inside || visitor.refusal !== undefined,
      RECOVERY_TIME,
    );
    return visitor;
  }

  /**
   * Some come in the same instant, who may all be refused. Those that are refused are no members.
   * @returns Those who got in.
   */
  async race(...options: RoamerOptions[]): Promise<Roamer[]> {
    const identities = await Promise.all(
      options.map(({ identity }) => identity ?? newIdentity()),
    );
    const all = options.map((each, at) => {
      const identity = identities[at];
      assert(identity);
      return new Roamer(this, { ...each, mayFail: true }, identity);
    });
    const isKnown = ({ inside, refusal }: Roamer) => inside || refusal;
    await this.until("each is in or refused", () => all.every(isKnown));
    const winners = all.filter(({ inside }) => inside);
    this.members.push(...winners);
    return winners;
  }

  /**
   * All members talk without end; something happens; they go on until everybody is back and has been shown more, and
   * have then said all.
   */
  async storm(happens: () => Promise<void>, seen = SEEN): Promise<void> {
    let isOver = false;
    const talking = this.members.map(async (member) => {
      const isFree = () =>
        isOver || member.typed.length - member.seen < MAX_UNDER_WAY;
      while (!isOver) {
        await member.talk(1);
        await this.until(`${member.name} talks on`, isFree, RECOVERY_TIME);
      }
    });
    try {
      const before = this.last + seen;
      await this.until("talk", () => this.last >= before);
      await happens();
      const after = this.last + seen;
      await this.until(
        "everybody is back",
        () => this.members.every((it) => it.inside && it.last >= after),
        RECOVERY_TIME,
      );
    } finally {
      isOver = true;
      this.changed();
      await Promise.all(talking);
    }
  }

  /** Somebody leaves, and everybody else is told. */
  async leave(member: Roamer): Promise<void> {
    member.session.leave();
    await member.ended;
    this.members.splice(this.members.indexOf(member), 1);
  }

  /** So many come in at each server, all together: `s0m0`, `s0m1` … */
  async gather(each: number, servers = this.cluster.nodes): Promise<Roamer[]> {
    const all = servers.flatMap((node) =>
      Array.from({ length: each }, (_, nth) => {
        const at = this.cluster.nodes.indexOf(node);
        return this.join({ name: `s${at}m${nth}`, at });
      })
    );
    return await Promise.all(all);
  }

  /** Waits until something holds. @param deadline How long, ms. */
  async until(
    what: string,
    holds: () => boolean,
    deadline = 60_000,
  ): Promise<void> {
    using watch = new Watch(() => this.report, () => {}, deadline);
    this.#watches.add(watch);
    try {
      await watch.until(what, () => {
        assertEquals(this.ledger.faults, []);
        return holds() || undefined;
      });
    } finally {
      this.#watches.delete(watch);
    }
  }

  /** How each is doing, and what the servers say. */
  get report(): string {
    const members = this.members.map((it) =>
      `${it.name} at ${it.at}: ${
        it.inside ? "inside" : "outside"
      }, line ${it.last}, typed ${it.typed.length}, seen ${it.seen}, ` +
      `lost ${it.losses.length} (${it.losses.at(-1)?.reason ?? ""}) ` +
      it.notes.slice(-3).join("; ")
    );
    const servers = this.cluster.nodes.map((node, at) =>
      `server ${at}:\n${node.server.transcript}`
    );
    return [...members, ...servers].join("\n");
  }

  /** The number of the last line that anybody was shown. */
  get last(): number {
    return Math.max(0, ...this.members.map(({ last }) => last));
  }

  /** Waits until everybody is inside, and was shown all that anybody has said. */
  async settled(deadline?: number): Promise<void> {
    const { members } = this;
    await this.until(
      "everybody sees everything",
      () =>
        members.every(({ inside, seen, typed }) =>
          inside && seen === typed.length
        ) && members.every(({ last }) => last === this.last),
      deadline,
    );
  }

  /**
   * Waits until all is said and seen, and fails unless everybody was shown the same as all logs have: each sender's
   * lines once and in their order, nothing else.
   * @returns The log.
   */
  async check(deadline?: number): Promise<string> {
    await this.settled(deadline);
    const log = await this.cluster.agreedLog(this.last);
    this.ledger.compare(log);
    assertEquals(this.ledger.faults, []);
    assertTyped(log, new Map(this.members.map((it) => [it.name, it.typed])));
    return log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session } of this.members) session.leave();
    await Promise.all(this.members.map(({ ended }) => ended));
  }
}
