/**
 * A server that isn't honest about what was said, in an open room: it changes, drops, repeats and reorders lines, shows
 * members different histories, and hides that. And what only looks like that: logs that were moved, deleted, emptied.
 *
 * @module
 */

import { Known } from "../../src/client/known.ts";
import { chainEvent } from "../../src/protocol/chain.ts";
import type { Event } from "../../src/protocol/events.ts";
import {
  type LogEntry,
  pastEntry,
  pastEvent,
} from "../../src/protocol/line.ts";
import { fullId } from "../../src/crypto/person_id.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import { assert, assertEquals, assertStringIncludes } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { numbered, said, saidUpTo, valueFor } from "../kit/log_kit.ts";
import { newIdentity } from "../kit/people.ts";
import { runLog, Server } from "../kit/server.ts";
import { CLIENT, Setup, type Visit } from "../kit/session_setup.ts";
import { visit } from "../kit/visit.ts";

/** What a client that is told nothing to begin after is told of the past. */
const SHOWN = 10;

/** What else a server does. */
interface Deeds {
  /** It tells no values. */
  readonly silent?: boolean;
}

/** A server of the test's own: what it tells one client follows from its lines alone. */
class Teller implements AsyncDisposable {
  readonly #visit: Visit;
  readonly #deeds: Deeds;
  readonly #running: Promise<void>;
  #pong = () => {};
  #telling: Promise<void> = Promise.resolve();
  /** What it has, with what was said since. */
  lines: readonly LogEntry[];

  private constructor(
    visit: Visit,
    lines: readonly LogEntry[],
    deeds: Deeds,
  ) {
    this.#visit = visit;
    this.lines = lines;
    this.#deeds = deeds;
    this.#running = this.#answer().catch(() => {}); // the end
  }

  /** Lets a client in, as the next line. */
  static async admit(
    visit: Visit,
    lines: readonly LogEntry[],
    { person, deeds = {} }: {
      readonly person?: string;
      readonly deeds?: Deeds;
    } = {},
  ): Promise<Teller> {
    const { seq: last = 0 } = lines.at(-1) ?? {};
    visit.person = person ?? visit.person;
    const { after } = await visit.next("join");
    const start = after !== null && after <= last
      ? after
      : Math.max(0, last - SHOWN);
    const value = deeds.silent ? undefined : valueFor(lines, start);
    await visit.tell(chainEvent(start, value));
    const seq = last + 1;
    const told = lines.filter((line) => line.seq > start).map(pastEvent);
    const joining = { ...visit.past(seq, 0, ""), what: "joined" };
    await visit.admit(seq, ...told);
    return new Teller(visit, [...lines, pastEntry(joining)], deeds);
  }

  /** Has somebody say something. */
  async say(text: string): Promise<void> {
    const { seq } = this.lines.at(-1) ?? { seq: 0 };
    const ben = this.#visit.past(seq + 1, seq, text);
    await this.#visit.broadcast(ben.seq, { kind: "said", id: 1, n: seq, text });
    this.lines = [...this.lines, { ...pastEntry(ben), at: 2_000 }];
  }

  /** Resolves when the client has taken all that it was told. */
  async heard(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pong = resolve;
    await this.#tell({ kind: "ping" });
    await promise;
  }

  async #answer(): Promise<void> {
    const { silent } = this.#deeds;
    const value = (seq: number) =>
      silent ? undefined : valueFor(this.lines, seq);
    for (;;) {
      const event = await this.#visit.next<Event["kind"]>([
        "agree",
        "page",
        "ping",
        "pong",
      ]);
      const { seq: last = 0 } = this.lines.at(-1) ?? {};
      if (event.kind === "agree") {
        const { id, seq } = event;
        const { value: text } = chainEvent(
          seq,
          seq <= last ? value(seq) : undefined,
        );
        await this.#tell({ kind: "agreed", id, seq, value: text });
      } else if (event.kind === "page") {
        const { id, before, count } = event;
        const after = Math.max(0, before - 1 - count);
        const lines = this.lines
          .filter(({ seq }) => seq > after && seq < before);
        await this.#tell(
          chainEvent(after, value(after)),
          ...lines.map(pastEvent),
          { kind: "paged", id, more: after > 0 },
        );
      } else if (event.kind === "pong") this.#pong();
      else await this.#tell({ kind: "pong" });
    }
  }

  /** One thing after the other: records have their order. */
  async #tell(...events: Event[]): Promise<void> {
    this.#telling = this.#telling.then(() => this.#visit.tell(...events));
    await this.#telling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#visit.end();
    await this.#running;
  }
}

/** The history as it is: others say things. */
const HISTORY = numbered(saidUpTo(40));

/** The ways to lie about it, from line 31 on: what is told in its place. */
const LIES: Readonly<
  Record<string, (lines: readonly LogEntry[]) => LogEntry[]>
> = {
  "changes a word": (lines) =>
    lines.map((it) => it.seq === 31 ? { ...it, text: "text thirty-one" } : it),
  "changes who said it": (lines) =>
    lines.map((it) => it.seq === 31 ? { ...it, name: "Abhi" } : it),
  "drops a line": (lines) => numbered(lines.filter(({ seq }) => seq !== 31)),
  "repeats a line": (lines) =>
    numbered(lines.flatMap((it) => it.seq === 30 ? [it, it] : [it])),
  "reorders two": (lines) => {
    const [a, b] = [lines[30], lines[31]];
    assert(a && b);
    return numbered(lines.with(30, b).with(31, a));
  },
  "puts in a line": (lines) =>
    numbered(
      lines.toSpliced(30, 0, { ...said(99, "put in"), seq: 0, to: null }),
    ),
};

/** A person's client: its memory outlives its runs. */
class Member {
  readonly known: Promise<Known> = Known.load(undefined, () => {});
  readonly identity: Identity;

  constructor(identity = CLIENT) {
    this.identity = identity;
  }

  /** A run of it. */
  async setup(): Promise<Setup> {
    const who = { identity: this.identity, name: "ana" };
    return new Setup({ known: await this.known, who });
  }

  get person(): string {
    return fullId(this.identity.id);
  }
}

/** Ends a run, and the server's part in it. */
async function end(setup: Setup, teller: Teller, running: Promise<void>) {
  await teller.heard(); // nothing is under way any more
  setup.session.leave();
  await teller[Symbol.asyncDispose]();
  await running;
}

const differences = ({ view }: Setup) =>
  view.of("history-differs").map(({ from, exact }) => ({ from, exact }));

for (const [lie, told] of Object.entries(LIES)) {
  Deno.test(`server that ${lie} which a client saw is found out, with the first line that differs, until that is accepted`, async () => {
    const member = new Member();
    await using setup = await member.setup();
    const { session, view } = setup;
    const running = session.run();
    // All lines are seen, the last of them as they are said.
    const first = await Teller.admit(
      await setup.accept(),
      HISTORY.slice(0, 29),
    );
    await view.until("entered");
    for (const { text } of HISTORY.slice(30)) await first.say(text);
    await view.until("said", SHOWN + 9);
    const truth = first.lines;
    await first[Symbol.asyncDispose]();
    const second = await Teller.admit(await setup.acceptAgain(), told(truth));
    await view.until("history-differs");
    assertEquals(differences(setup), [{ from: 31, exact: true }]);
    assertEquals(view.standing?.differs, true);
    // Everything goes on, marked.
    await second.say("and on");
    while (view.of("said").at(-1)?.text !== "and on") {
      await view.until("said", view.of("said").length);
    }
    assertEquals(view.of("said").at(-1)?.doubted, true);
    await end(setup, second, running);

    let { lines } = second;
    // A later run has only the last value to compare, and warns each time; after /accept no more.
    for (const accepts of [false, true]) {
      await using later = await member.setup();
      const running = later.session.run();
      const teller = await Teller.admit(await later.accept(), lines);
      await later.view.until("history-differs");
      assertEquals(differences(later), [{ from: truth.length, exact: false }]);
      if (accepts) {
        later.session.conversation.accept();
        assertEquals(later.view.standing?.differs, undefined);
        ({ lines } = teller);
      }
      await end(later, teller, running);
    }
    await using last = await member.setup();
    const lastRun = last.session.run();
    const teller = await Teller.admit(await last.accept(), lines);
    await last.view.until("current");
    await teller.say("peace");
    while (last.view.of("said").at(-1)?.text !== "peace") {
      await last.view.until("said", last.view.of("said").length);
    }
    await end(last, teller, lastRun);
    assertEquals(differences(last), []);
  });
}

Deno.test("server that leaves lines out which the client is told for the first time is warned of", async () => {
  const member = new Member();
  await using setup = await member.setup();
  const running = setup.session.run();
  const some = HISTORY.filter(({ seq }) => seq < 33 || seq > 35);
  const teller = await Teller.admit(await setup.accept(), some);
  await setup.view.until("current");
  const [note] = setup.view.notes;
  assert(note);
  assertStringIncludes(note, "does not show 3 of the lines 33 to 35");
  assertStringIncludes(note, "WARNING");
  await end(setup, teller, running);
});

Deno.test("server that tells nothing of what it told before is warned of, in this run and in later ones", async () => {
  const member = new Member();
  await using setup = await member.setup();
  const running = setup.session.run();
  const first = await Teller.admit(await setup.accept(), HISTORY);
  await setup.view.until("current");
  await first[Symbol.asyncDispose]();
  const lines = LIES["changes a word"]?.(first.lines) ?? [];
  const deeds = { silent: true };
  const hides = await Teller.admit(await setup.acceptAgain(), lines, { deeds });
  await setup.view.until("current", 1);
  await untilUntold(setup, hides);
  assertEquals(setup.view.standing?.differs, true);
  await end(setup, hides, running);
  await using later = await member.setup();
  const laterRun = later.session.run();
  const again = await Teller.admit(await later.accept(), lines, { deeds });
  await later.view.until("current");
  await untilUntold(later, again);
  await end(later, again, laterRun);
});

/** Lets time pass until the client says that it is told nothing any more. */
async function untilUntold({ clock, view }: Setup, teller: Teller) {
  while (!view.of("history-differs").at(-1)?.untold) {
    clock.advance(1_000);
    await teller.heard();
  }
}

/** What two members compare. */
function digitsOf({ session, view }: Setup, seq: number): string | undefined {
  const before = view.of("agreement").length;
  session.conversation.agree(seq);
  return view.of("agreement")[before]?.digits;
}

Deno.test("two members who are shown the same lines have the same digits, and others for every line from the first on that one was shown otherwise", async () => {
  const people = await Promise.all([newIdentity(), newIdentity()]);
  const views = people.map((it) => new Member(it));
  const told = [HISTORY, LIES["reorders two"]?.(HISTORY) ?? []];
  const start = async (member: Member, at: number) => {
    const setup = await member.setup();
    const running = setup.session.run();
    const { person } = member;
    const visit = await setup.accept();
    const teller = await Teller.admit(visit, told[at] ?? [], { person });
    await setup.view.until("current");
    return { setup, running, teller };
  };
  const runs = [];
  for (const [at, member] of views.entries()) {
    runs.push(await start(member, at));
  }
  const [ana, ben] = runs;
  assert(ana && ben);
  assertEquals([differences(ana.setup), differences(ben.setup)], [[], []]);
  for (let seq = HISTORY.length - SHOWN; seq <= HISTORY.length; seq++) {
    const [one, other] = [digitsOf(ana.setup, seq), digitsOf(ben.setup, seq)];
    assert(one && other);
    assertEquals(one === other, seq < 31, `line ${seq}`);
  }
  // The last clock first: each gives back what it found.
  for (const { setup, teller, running } of runs.reverse()) {
    await end(setup, teller, running);
    await setup[Symbol.asyncDispose]();
  }
});

// ── What only looks like that ──────────────────────────────────────────────────────────────────────────────

/** What somebody does to a log while the server runs, or between two runs. */
interface Deed {
  readonly running?: (server: Server) => Promise<void>;
  readonly stopped?: (folder: Folder) => Promise<void>;
  /** Whether lines are gone that were seen. */
  readonly loses: boolean;
}

/** Moves a log away, as its owner does to rotate it. */
async function move(server: Server, name: string): Promise<void> {
  const { folder } = server;
  const opened = () =>
    [...server.stdout, ...server.stderr]
      .filter((line) => line.includes("Opened chat.log again")).length;
  const before = opened();
  await Deno.rename(folder.file("chat.log"), folder.file(name));
  server.kill("SIGHUP");
  await server.until("another log", () => opened() > before || undefined);
}

const DEEDS: Readonly<Record<string, Deed>> = {
  "lost chat.log.chain": {
    stopped: (folder) => Deno.remove(folder.file("chat.log.chain")),
    loses: false,
  },
  "moved its log": {
    running: (server) => move(server, "chat.log.1"),
    loses: false,
  },
  "moved its log, and deleted it": {
    running: (server) => move(server, "chat.log.1"),
    stopped: (folder) => Deno.remove(folder.file("chat.log.1")),
    loses: true,
  },
  "copied its log and emptied it": {
    running: async ({ folder }) => {
      const path = folder.file("chat.log");
      await Deno.copyFile(path, folder.file("chat.log.1"));
      await Deno.truncate(path);
    },
    loses: false,
  },
  "emptied its log without a copy": {
    running: ({ folder }) => Deno.truncate(folder.file("chat.log")),
    loses: true,
  },
};

for (const [deed, { running, stopped, loses }] of Object.entries(DEEDS)) {
  Deno.test(`server that ${deed} warns nobody of another history`, async () => {
    await using folder = await Folder.make();
    await using home = await Folder.make();
    const first = await Server.open(folder);
    await using _first = first;
    const { invite, port } = first;
    const ana = { invite, name: "ana", home: home.path };
    await using ben = await JsonClient.join({ invite, name: "ben" });
    // Enough for a value to be noted.
    const texts = Array.from({ length: 1_100 }, (_, n) => `text ${n}`);
    await ben.type(...texts);
    await ben.shows("said", { text: "text 1099" });
    assertEquals(await visit(ana), { differs: 0, notes: [] });
    await running?.(first);
    await ben.type("after that");
    await ben.shows("said", { text: "after that" });
    first.kill("SIGTERM");
    await first.finished();
    await stopped?.(folder);
    await using _second = await Server.open(folder, { port });
    await ben.isIn(2);
    await ben.type("and on");
    await ben.shows("said", { text: "and on" });
    const { differs, notes } = await visit(ana);
    assertEquals(differs, 0);
    assertEquals(notes.length, loses ? 1 : 0, notes.join());
    if (loses) assertStringIncludes(notes[0] ?? "", "begins later by now");
    assertEquals(ben.all("history-differs"), []);
  });
}

Deno.test("members, and the log's owner with `log --agree`, read the same digits for each line, through rotated files", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" }); // 1
  await using ben = await JsonClient.join({ invite, name: "ben" }); // 2
  for (const [file, text] of ["three", "four", "five"].entries()) {
    await ana.type(text);
    await ben.shows("said", { text });
    await ana.shows("said", { text });
    for (let age = file; age > 0; age--) {
      const [from, to] = [age, age + 1].map((it) => `chat.log.${it}`);
      await Deno.rename(folder.file(from ?? ""), folder.file(to ?? ""));
    }
    await move(server, "chat.log.1");
  }
  await ben.type("six");
  await ana.shows("said", { text: "six", seq: 6 });
  await ben.shows("said", { text: "six", seq: 6 });
  assertEquals((await folder.names()).filter((it) => /log\.\d$/.test(it)), [
    "chat.log.1",
    "chat.log.2",
    "chat.log.3",
  ]);
  for (let seq = 2; seq <= 6; seq++) {
    const request = JSON.stringify({ type: "agree", seq, id: `line ${seq}` });
    await ana.type(request);
    await ben.type(request);
    const { digits } = await ana.shows("agreement", { id: `line ${seq}` });
    const other = await ben.shows("agreement", { id: `line ${seq}` });
    assert(digits);
    assertEquals(other.digits, digits);
    const { code, stdout } = await runLog(folder, "--agree", String(seq));
    assertEquals(code, 0);
    assertEquals(stdout, [`History up to line ${seq}: ${digits}`]);
  }
});
