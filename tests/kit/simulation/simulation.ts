/**
 * A room on several servers in one process, with guests who talk and move, and all that can go wrong between them: what is
 * drawn from a seed happens, then everything is mended, and all must agree.
 *
 *     await using simulation = await Simulation.begin(seed, { servers: 3 });
 *     for (let step = 0; step < 200; step++) await simulation.step();
 *     await simulation.settle();      // throws what isn't as it should be
 *
 * What is drawn follows from the seed; when files and keys are ready does not, so a seed doesn't always lead to the same.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { FileError, fileError } from "../../../src/base/private_file.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { LogError } from "../../../src/log/file.ts";
import { EntrySealer } from "../../../src/server/cluster/entry.ts";
import type { StreamEntry } from "../../../src/server/cluster/wire.ts";
import { clusterKeys } from "../cluster_keys.ts";
import { Folder } from "../folder.ts";
import { type Fate, MemoryNats } from "../memory_wire.ts";
import { seededRandom } from "../memory_stream.ts";
import { nameOf } from "../room_setup.ts";
import { agreement } from "./agreement.ts";
import { cardOf, SimulatedClient } from "./client.ts";
import { failureOf, SimulatedServer } from "./server.ts";
import { SimulatedTime } from "./time.ts";

/** How long all may take to agree once nothing goes wrong any more, ms. */
const SETTLE_TIME = 240_000;
/** Names that several persons would like to have. */
const WANTED = ["Ada", "Bob", "Cy", "Dora"];
/** What operators do. */
const OPERATIONS = [
  "invite",
  "invite",
  "kick",
  "ban",
  "unban",
  "unban",
  "topic",
  "op",
];

/** What is simulated. */
export interface SimulationOptions {
  /** How many servers the room has. */
  readonly servers?: number;
  /** Whether the stream may lose entries that servers have carried out. */
  readonly losesEntries?: boolean;
  /** Is told what happens. */
  readonly watch?: (what: string) => void;
}

/** A place at which a server runs, or doesn't. */
interface Place {
  readonly name: string;
  folder: string;
  /** Whether it is being started or stopped. */
  isBusy: boolean;
  server: SimulatedServer | undefined;
}

/** Something that can happen. */
type Step = readonly [weight: number, run: (it: Simulation) => unknown];

/** A room on several servers. */
export class Simulation implements AsyncDisposable {
  readonly nats = new MemoryNats();
  readonly places: Place[] = [];
  readonly clients: SimulatedClient[] = [];
  /** Ids of invites that let one in. */
  readonly invites: number[] = [];
  /** Those that somebody may have come by. */
  readonly used: number[] = [];
  /** What went wrong, in words. */
  readonly wrong: string[] = [];
  /** Whether a server had to give up its log: what it alone had is lost. */
  hasLost = false;
  readonly #old: StreamEntry[] = []; // entries of the stream, also of before
  readonly #folder: Folder;
  readonly #time: SimulatedTime;
  readonly #options: SimulationOptions;
  readonly #random: (limit: number) => number;
  readonly #ending: Promise<void>[] = [];
  readonly #steps: readonly Step[];
  readonly #pause: number; // ms between two steps at the most, most often
  #isCalm = false;
  #trouble = 0; // of 100 entries, how many get lost or aren't answered
  #noise = 0; // of 100 messages, how many get lost or are repeated
  #lastKey = 0;
  #folders = 0;

  private constructor(
    folder: Folder,
    time: SimulatedTime,
    seed: number,
    options: SimulationOptions,
  ) {
    this.#folder = folder;
    this.#time = time;
    this.#options = options;
    this.#random = seededRandom(seed);
    // Each simulation has some kinds of step often, and some not at all.
    const steps = options.losesEntries ? [...STEPS, ...LOSSES] : STEPS;
    this.#steps = steps.map(([weight, run], at) => {
      return [weight * (at < LIFE ? 1 : this.draw(4)), run];
    });
    this.#pause = this.one([20, 80, 200]) ?? 0;
    this.nats.now = () => Date.now();
    this.nats.fate = () => this.#fate();
    this.nats.pass = (_, data) => this.#pass(data);
  }

  /** Starts the servers. */
  static async begin(
    seed: number,
    options: SimulationOptions = {},
  ): Promise<Simulation> {
    const folder = await Folder.make();
    await KeyFile.loadOrCreate(folder.file("chat.key"));
    const simulation = new Simulation(
      folder,
      new SimulatedTime(),
      seed,
      options,
    );
    try {
      await simulation.#begin(options.servers ?? 3);
      return simulation;
    } catch (error) {
      await simulation[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #begin(servers: number): Promise<void> {
    for (let i = 0; i < servers; i++) {
      const name = "abcdefgh"[i] ?? "z";
      const place: Place = {
        name,
        folder: this.#folder.file(`${name}-0`),
        isBusy: false,
        server: undefined,
      };
      this.#fill(place);
      this.places.push(place);
      this.start(place);
    }
    await this.#until(() => this.places.every(({ server }) => server?.isIn));
    for (let i = 0; i < 4; i++) await this.newcomer();
    const [first] = this.clients;
    const [{ server } = { server: undefined }] = this.places;
    if (!first || !server) return;
    void first.connect(server);
    await this.#until(() => first.seat !== undefined);
    const { seat } = first;
    if (seat) server.people.setOperator(seat.member.person, true);
    await this.pass(200);
  }

  /** Draws a number from 0 to below a limit. */
  draw(limit: number): number {
    return this.#random(limit);
  }

  /** Draws one of several. */
  one<T>(all: readonly T[]): T | undefined {
    return all[this.draw(all.length)];
  }

  /** Says what happens. */
  note(what: string): void {
    const seconds = (this.#time.now / 1_000).toFixed(3);
    this.#options.watch?.(`${seconds.padStart(9)} ${what}`);
  }

  /** Lets time pass, ms. */
  async pass(ms: number): Promise<void> {
    await this.#time.pass(ms);
    for (const client of this.clients) client.read();
    for (const entry of this.nats.entries.slice(-3)) {
      if (this.#old.at(-1) !== entry) this.#old.push(entry);
    }
  }

  async #until(isSo: () => boolean, patience = SETTLE_TIME): Promise<boolean> {
    for (const end = this.#time.now + patience; !isSo();) {
      if (this.#time.now > end || this.wrong.length > 0) return false;
      await this.pass(40);
    }
    return true;
  }

  // ── Servers ──────────────────────────────────────────────────────────────────────────────────────────

  /** Servers that let members in. */
  get open(): SimulatedServer[] {
    return this.places.flatMap(({ server }) => server?.isIn ? [server] : []);
  }

  /** A server starts from the files that it has. */
  start(place: Place): void {
    if (place.server || place.isBusy) return;
    this.note(`${place.name} starts`);
    place.isBusy = true;
    this.#run(place).catch((error) => {
      this.wrong.push(`${place.name}: ${error.stack}`);
    });
  }

  async #run(place: Place): Promise<void> {
    const { name, folder } = place;
    const address = `${name}.example:5000`;
    const server = await SimulatedServer.open(this.nats, folder, address)
      .finally(() => place.isBusy = false);
    place.server = server;
    server.failed.catch((error) => this.#fail(place, server, error));
    await server.enter().catch(() => {}); // `failed` says why
    if (server.isIn) this.note(`${name} is in`);
  }

  /** A server can't go on. */
  #fail(place: Place, server: SimulatedServer, error: unknown): void {
    if (server.isOver) return;
    const { why, isSaid } = failureOf(error);
    this.note(`${place.name} ends: ${why}`);
    const isAlone = why.includes("no other server of the room answers");
    const mayEnd = isSaid &&
      (isAlone || this.#options.losesEntries === true);
    if (!mayEnd) this.wrong.push(`${place.name} ended: ${why}`);
    this.#leave(place, server);
    place.isBusy = true; // its files are in use until it has ended
    void server.end().then(() => place.isBusy = false);
    if (!isSaid || isAlone) return;
    this.hasLost = true;
    place.isBusy = false;
    place.folder = this.#nextFolder(place);
    this.#fill(place);
  }

  /** An empty folder, but for the room's key. */
  #fill({ folder }: Place): void {
    Deno.mkdirSync(folder, { mode: 0o700 });
    Deno.copyFileSync(this.#folder.file("chat.key"), `${folder}/chat.key`);
  }

  /** A server crashes: what it has written is there, and nothing else of it. */
  crash(place: Place, when = "crashes"): void {
    const { server } = place;
    if (!server || server.isOver) return;
    this.note(`${place.name} ${when}`);
    const before = place.folder;
    place.folder = this.#nextFolder(place);
    copyFolder(before, place.folder);
    this.#leave(place, server);
  }

  #nextFolder({ name }: Place): string {
    return this.#folder.file(`${name}-${++this.#folders}`);
  }

  #leave(place: Place, server: SimulatedServer): void {
    place.server = undefined;
    server.crash();
    for (const client of this.clients) {
      if (client.connection?.server === server) client.drop("lost");
    }
    this.#ending.push(server.end());
  }

  /** A server stops, as with Ctrl-C. */
  stop(place: Place): void {
    const { server } = place;
    if (!server?.isIn) return;
    this.note(`${place.name} stops`);
    server.isIn = false;
    server.shared.leave();
    for (const { connection } of this.clients) {
      if (connection?.server !== server || connection.isOver) continue;
      connection.guest.dismiss("stopped");
    }
    for (const client of this.clients) client.read();
    place.isBusy = true;
    const ending = server.end().then(() => {
      place.isBusy = false;
      if (place.server === server) place.server = undefined;
    });
    this.#ending.push(ending);
  }

  // ── Persons ──────────────────────────────────────────────────────────────────────────────────────────

  /** Somebody new. */
  async newcomer(invite?: number): Promise<SimulatedClient> {
    const key = `p${++this.#lastKey}`;
    const name = `N${this.#lastKey}`;
    const card = await cardOf(key);
    const client = new SimulatedClient(key, 1, name, card, invite);
    this.clients.push(client);
    return client;
  }

  /** Somebody comes, or comes back, by a server. */
  arrive(client: SimulatedClient): void {
    const { connection } = client;
    if (connection && !connection.isOver) return;
    const server = this.one(this.open);
    if (!server || !server.room.isUp && !this.#isCalm) return;
    if (client.refused === "name-taken") {
      client.name = `${client.name}x`.slice(0, 20);
    }
    if (client.refused === "invite-used" || client.refused === "card-wrong") {
      return;
    }
    client.connect(server).catch((error) => {
      if (!server.isOver) this.wrong.push(`${client.label}: ${error.stack}`);
    });
  }

  /** Somebody would like another name. */
  rename(): void {
    const client = this.one(this.clients);
    const name = this.one([...WANTED, `M${this.draw(40)}`]) ?? "";
    if (!client?.seat) return;
    client.connection?.server.room.rename(client.seat, nameOf(name));
  }

  /** An operator does something. */
  operate(): void {
    const operator = this.clients.find(({ seat }) =>
      seat?.member.person.isOperator
    );
    const { seat, connection } = operator ?? {};
    if (!operator || !seat || !connection) return;
    const { server } = connection;
    const whom = this.one(this.clients);
    if (!whom || whom.key === operator.key) return;
    const what = this.one(OPERATIONS) ?? "topic";
    const count = what === "invite" ? 1 : 0;
    const text = what === "topic" ? `topic ${this.draw(100)}` : "";
    const person = server.people.persons.find(whom.person);
    const who = what === "invite" ? "0" : person?.short ?? "";
    this.note(`an operator does: ${what} ${whom.label}`);
    if (what === "unban" && whom.refused === "removed") {
      whom.refused = undefined;
    }
    server.operations.carryOut(seat, {
      kind: "operate",
      id: 1,
      what,
      who,
      text,
      count,
    }).then((outcome) => {
      if (typeof outcome === "string") return;
      for (const it of outcome) {
        if (it.kind === "invited" && what === "invite") {
          this.invites.push(it.id);
          this.used.push(it.id);
        }
      }
    }).catch((error) => {
      if (!server.isOver) this.wrong.push(`operation: ${error.stack}`);
    });
  }

  /** Some servers don't reach NATS for a while, ms. */
  cut(places: readonly Place[], ms: number): void {
    const servers = places.flatMap(({ server }) => server ?? []);
    this.note(`${places.map(({ name }) => name)} cut off for ${ms} ms`);
    for (const { wire } of servers) wire.cut();
    this.during(ms, () => {
      for (const { wire, isOver } of servers) if (!isOver) wire.join();
    });
  }

  /** An entry of another room comes into the stream. */
  async foreign(): Promise<void> {
    const sealer = new EntrySealer(await clusterKeys("another"));
    const { data } = await sealer.seal({
      kind: "proposal",
      stream: "",
      base: null,
      items: [["settings"]],
    });
    this.nats.add(data);
  }

  #fate(): Fate {
    if (this.draw(100) >= this.#trouble) return "taken";
    return this.draw(2) === 0 ? "unanswered" : "lost";
  }

  #pass(data: Bytes): readonly Bytes[] {
    if (this.draw(100) >= this.#noise) return [data];
    return this.draw(2) === 0 ? [] : [data, data];
  }

  // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────

  /** Something happens. */
  async step(): Promise<void> {
    const total = this.#steps.reduce((sum, [weight]) => sum + weight, 0);
    let at = this.draw(total);
    for (const [weight, run] of this.#steps) {
      at -= weight;
      if (at >= 0) continue;
      await run(this);
      break;
    }
    const isLong = this.draw(12) === 0;
    await this.pass(this.draw(isLong ? 6_000 : this.#pause));
  }

  /** A server has trouble for a while. @returns What ends it. */
  during(ms: number, end: () => void): void {
    setTimeout(() => end(), ms);
  }

  /** Entries and messages get lost for a while. */
  trouble(ms: number): void {
    this.#trouble = 40;
    this.#noise = 30;
    this.during(ms, () => void (this.#trouble = this.#noise = 0));
  }

  /** An entry that the stream has had before. */
  get oldEntry(): StreamEntry | undefined {
    return this.one(this.#old);
  }

  /** The place up to which every server has carried out the stream, as far as its files say. */
  get leastPlace(): number {
    return Math.min(...this.#places);
  }

  /** The place up to which one of them has. */
  get lastPlace(): number {
    return Math.max(...this.#places);
  }

  get #places(): number[] {
    return this.places.map(({ server }) => server?.position.place?.place ?? 0);
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────

  /** Mends everything, waits until nothing happens any more, and looks whether all agree. @throws {Error} */
  async settle(): Promise<void> {
    this.note("all is mended");
    this.#isCalm = true;
    this.#trouble = this.#noise = 0;
    let tick = 0;
    const isSettled = () => {
      if (tick++ % 10 === 0) {
        for (const { server } of this.places) {
          server?.wire.join();
          if (server) mendFiles(server);
        }
        for (const place of this.places) this.start(place);
        for (const client of this.clients) this.arrive(client);
      }
      return this.#unsettled().length === 0;
    };
    await this.#until(isSettled);
    const unsettled = this.#unsettled();
    if (unsettled.length > 0) {
      this.wrong.push(`It doesn't come to rest: ${unsettled.join("; ")}`);
    }
    for (const { room } of this.open) room.tellSettings(); // an entry more, with which all is written down
    await this.#until(isSettled);
    await this.pass(2_000);
    this.note("it rests");
    this.wrong.push(...this.clients.flatMap(({ wrong }) => wrong));
    if (unsettled.length === 0) this.wrong.push(...await agreement(this));
    if (this.wrong.length > 0) {
      throw new Error([...new Set(this.wrong)].slice(0, 30).join("\n"));
    }
  }

  /** Why it can't be looked yet whether all agree. */
  #unsettled(): string[] {
    const why: string[] = [];
    const { last } = this.nats.state;
    const ids = new Set(this.open.map(({ shared }) => shared.cluster.server));
    for (const { name, server } of this.places) {
      if (!server?.isIn) why.push(`${name} isn't in`);
      else {
        const { cluster } = server.shared;
        if (cluster.place !== last) {
          why.push(`${name} is at ${cluster.place} of ${last}`);
        }
        if (!cluster.isFree) why.push(`${name} is busy`);
        if (cluster.servers !== ids.size) {
          why.push(`${name} knows of ${cluster.servers} servers`);
        }
      }
    }
    for (const client of this.clients) {
      const { refused, open, label } = client;
      const isOut = refused === "removed" || refused === "invite-used";
      if (isOut) continue;
      if (!client.seat) why.push(`${label} isn't in (${refused})`);
      else if (open.length > 0) {
        why.push(`${label} has ${open.length} lines open`);
      }
      if (client.letters.some((it) => it.state === "")) {
        why.push(`${label} has letters open`);
      }
    }
    return why;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      for (const place of this.places) {
        if (place.server?.isOver === false) this.#leave(place, place.server);
      }
      let isEnded = false;
      const ending = Promise.allSettled(this.#ending);
      void ending.then(() => isEnded = true);
      await this.#until(() => isEnded, 60_000);
      await this.pass(100);
    } finally {
      this.#time[Symbol.dispose]();
      await this.#folder[Symbol.asyncDispose]();
    }
  }
}

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { mode: 0o700 });
  for (const { name, isFile } of Deno.readDirSync(from)) {
    if (isFile) Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

/** What of its files can't be written. */
function breakFiles(server: SimulatedServer, which: number): void {
  const full = new Deno.errors.WriteZero("the disk is full");
  if (which !== 1) {
    server.log.appendFrom = () =>
      Promise.reject(new LogError("write", "chat.log", full));
  }
  if (which !== 0) {
    server.position.carriedOut = () => {
      throw fileError("write", "chat.cluster", full);
    };
    server.people.journal.keep = () => {
      throw fileError("write", "chat.people", full);
    };
  }
}

/** They can be written again. */
function mendFiles({ log, position, people: { journal } }: SimulatedServer) {
  Reflect.deleteProperty(log, "appendFrom");
  Reflect.deleteProperty(position, "carriedOut");
  Reflect.deleteProperty(journal, "keep");
}

/** The server crashes when it next comes to a certain place. */
function arm(simulation: Simulation, place: Place, which: number): void {
  const { server } = place;
  if (!server) return;
  const { log, position, people: { journal } } = server;
  const crash = (where: string): void => {
    mendFiles(server);
    simulation.crash(place, `crashes ${where}`);
  };
  const gone = new FileError("It has crashed");
  if (which === 0) {
    position.carriedOut = () => {
      crash("before chat.cluster is written");
      throw gone;
    };
  } else if (which === 1) {
    const carriedOut = position.carriedOut.bind(position);
    position.carriedOut = (step) => {
      carriedOut(step);
      crash("after chat.cluster is written");
    };
  } else if (which === 2) {
    journal.keep = () => {
      if (journal.isKept) return;
      crash("before chat.people is written");
      throw gone;
    };
  } else {
    const appendFrom = log.appendFrom.bind(log);
    log.appendFrom = async (first, entries) => {
      await appendFrom(first, entries);
      crash("after chat.log is written");
    };
  }
}

/** The first steps, which are never left out. */
const LIFE = 2;

const STEPS: readonly Step[] = [
  [40, (it) => it.one(it.clients)?.say(1 + it.draw(4))],
  [20, (it) => {
    for (const client of it.clients) if (it.draw(2)) it.arrive(client);
  }],
  [3, async (it) => {
    if (it.clients.length < 14) it.arrive(await it.newcomer());
  }],
  [6, (it) => {
    const client = it.one(it.clients);
    it.note(`${client?.label} loses its connection`);
    client?.drop("lost", it.draw(2) * it.draw(30_000));
    if (client && it.draw(2)) it.arrive(client);
  }],
  [3, (it) => it.one(it.clients)?.drop("left")],
  [2, async (it) => { // another machine of a person
    const first = it.one(it.clients);
    const own = it.clients.filter(({ key }) => key === first?.key);
    if (!first || own.length > 2 || it.clients.length > 14) return;
    const { key, name, invite } = first;
    const card = await cardOf(key);
    const client = new SimulatedClient(key, own.length + 1, name, card, invite);
    it.clients.push(client);
    it.arrive(client);
  }],
  [6, (it) => it.rename()],
  [2, (it) => {
    const { seat, connection } = it.one(it.clients) ?? {};
    if (seat) connection?.server.room.release(seat, 1);
  }],
  [4, (it) => {
    const { seat, connection } = it.one(it.clients) ?? {};
    const text = it.one(["", "lunch", "tea"]) ?? "";
    if (seat) connection?.server.room.away(seat, text);
  }],
  [5, (it) => {
    const [from, to] = [it.one(it.clients), it.one(it.clients)];
    if (from && to && from.key !== to.key) from.write(to);
  }],
  [6, (it) => it.operate()],
  [3, async (it) => { // the last use of an invite
    const invite = it.invites.pop();
    if (invite === undefined) return;
    it.note(`several come by invite ${invite}`);
    for (let i = 0; i < 3; i++) it.arrive(await it.newcomer(invite));
  }],
  // ── What goes wrong ──
  [3, (it) => {
    const place = it.one(it.places);
    if (place) it.crash(place);
  }],
  [3, (it) => {
    const place = it.one(it.places);
    if (place) arm(it, place, it.draw(4));
  }],
  [1, (it) => {
    const place = it.one(it.places);
    if (place) it.stop(place);
  }],
  [8, (it) => {
    const place = it.one(it.places);
    if (place) it.start(place);
  }],
  [4, (it) => {
    const place = it.one(it.places);
    if (place) it.cut([place], it.draw(3) ? it.draw(2_000) : it.draw(15_000));
  }],
  [1, (it) => it.cut(it.places, it.draw(12_000))],
  [3, (it) => {
    it.note("entries and messages get lost");
    it.trouble(it.draw(4_000));
  }],
  [2, (it) => it.nats.forgetIds()],
  [3, (it) => {
    const { data } = it.oldEntry ?? {};
    if (data) it.nats.add(data);
  }],
  [1, (it) => it.nats.add(crypto.getRandomValues(new Uint8Array(40)))],
  [1, (it) => it.foreign()],
  [2, (it) => { // what all have is discarded, and sometimes more
    const below = it.draw(2) ? it.leastPlace : it.lastPlace - it.draw(20);
    it.note(`the stream is discarded below ${below}`);
    it.nats.discard(below);
  }],
  [3, (it) => {
    const server = it.one(it.open);
    if (!server) return;
    it.note("a disk is full");
    breakFiles(server, it.draw(3));
    it.during(it.draw(5_000), () => mendFiles(server));
  }],
  [2, (it) => {
    const server = it.one(it.open);
    if (!server) return;
    it.note("a disk is slow");
    const appendFrom = server.log.appendFrom.bind(server.log);
    server.log.appendFrom = async (first, entries) => {
      await new Promise<void>((done) => setTimeout(done, 500));
      await appendFrom(first, entries);
    };
    it.during(it.draw(8_000), () => mendFiles(server));
  }],
];

const LOSSES: readonly Step[] = [
  [2, (it) => {
    it.note("the stream is emptied");
    it.nats.makeAnew();
  }],
  [2, (it) => {
    const { entries } = it.nats;
    const kept = entries.slice(0, entries.length - it.draw(30));
    it.note(`the stream is put back to entry ${kept.at(-1)?.seq}`);
    it.nats.makeAnew(kept);
  }],
];
