/**
 * A sealed room of real programs beside its model: what is done to the one is done to the other, and what the programs
 * show is held against the model.
 *
 * @module
 */

import { fullId } from "../../src/crypto/person_id.ts";
import { identityOf } from "../../src/crypto/identity.ts";
import { parseInvite } from "../../src/keys/invite.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import type { JsonClient, Shown } from "./client.ts";
import {
  type ModelInvite,
  type ModelLine,
  type ModelPerson,
  RoomModel,
  type Ruling,
  type SaidKind,
} from "./room_model.ts";
import { SealedPersons, type SealedPersonsOptions } from "./sealed_persons.ts";

/** The five persons; the first founds the room, and the next is its second keeper. */
export const PERSONS = ["ana", "bob", "cy", "dan", "eve"];

/** How each kind of line is asked for. */
const REQUESTS: Readonly<Record<SaidKind, string>> = {
  said: "say",
  acted: "act",
  replied: "reply",
  edited: "edit",
  deleted: "delete",
  reacted: "react",
};
const isSaid = (type: string): type is SaidKind => type in REQUESTS;

/** What a client of a member says that lacks a key: an honest server always has it. */
const KEY_MISSING = /^The room's key has not come yet/;

/** How far what a client shows was looked at. */
interface Looked {
  /** Of what it has shown. */
  upTo: number;
  /** The lines that it has shown as said, so that it shows none twice. */
  readonly lines: Set<ModelLine>;
  /** Whether it should say that its history differs. */
  mayDiffer?: boolean;
}

/** The room. */
export class ModelledRoom implements AsyncDisposable {
  readonly model = new RoomModel(PERSONS);
  readonly real: SealedPersons;
  /** To whom the hostile server shows something else at the moment: warnings are as they should be. */
  victim: string | undefined;
  /** Told of every step, as it begins. */
  readonly watch: (step: string) => void;
  /** From which line of the model on a member's client must have shown all. */
  readonly #from = new Map<string, number>();
  readonly #looked = new Map<JsonClient, Looked>();
  readonly #ids = new Map<string, string>(); // the model's names by short ids
  readonly #inviteIds = new Set<string>(); // full ids
  readonly #autoChanged = new Set<string>(); // keepers that have changed the key for used links' sake: once a day
  /** Lines of which a client may warn for good, since it was told others under these numbers: first and last. */
  readonly #doubts: { id: string; first: number; last: number }[] = [];
  /** Whose clients have accepted another history, and may not have written that down yet. */
  readonly #accepted = new Set<string>();
  readonly #coming = new Set<string>(); // who is about to become a member
  readonly #givenOthers = new Set<string>(); // full ids to which keys were sealed
  readonly #faults: string[] = []; // that were seen on the way
  #isDue = false; // whether a link was used up since the key was changed

  private constructor(real: SealedPersons, watch: (step: string) => void) {
    this.real = real;
    this.watch = watch;
    for (const [id, person] of real.persons) this.#ids.set(person.key, id);
    for (const id of PERSONS) {
      real.hostile.up.set(id, ({ event }) => {
        if (event.kind === "wrap") this.#given(event.to);
        return [event];
      });
    }
  }

  /** A room with the first three persons, of whom two are keepers. */
  static async found(
    options: SealedPersonsOptions,
    watch: (step: string) => void = () => {},
  ): Promise<ModelledRoom> {
    const real = await SealedPersons.found(PERSONS, options);
    const room = new ModelledRoom(real, watch);
    try {
      const { model } = room;
      await room.#begin("ana");
      const [first] = model.invites;
      assert(first);
      for (const id of ["bob", "cy"]) await room.join(id, first);
      await room.rule("ana", { what: "keeper", whom: "bob" });
      await room.settle();
      return room;
    } catch (error) {
      await real[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.real[Symbol.asyncDispose]();
  }

  /** Notes for whom a client sealed a key: nobody but members, those about to become one, and invites. */
  #given(to: string): void {
    for (const [id, { identity }] of this.real.persons) {
      if (fullId(identity.id) !== to) continue;
      const isRight = this.#coming.has(id) ||
        this.model.person(id).standing === "member";
      if (!isRight) this.#faults.push(`a key was sealed to ${id}`);
      return;
    }
    this.#givenOthers.add(to);
  }

  #called(id: string): string {
    return this.model.person(id).name;
  }

  /** Looks at a client from its beginning. */
  async #begin(id: string): Promise<void> {
    const client = this.real.client(id);
    const mayDiffer = this.#accepted.has(id);
    this.#looked.set(client, { upTo: 0, lines: new Set(), mayDiffer });
    this.#from.set(id, 0);
    await client.isIn();
    await client.shows("current");
    // The founder's client makes an invite for the others where none is open.
    for (const { link } of client.all("invite")) {
      if (link !== undefined) await this.#made({ link, left: 100 });
    }
  }

  async #made(invite: ModelInvite): Promise<void> {
    const { id } = await identityOf(parseInvite(invite.link).secret);
    this.#inviteIds.add(fullId(id));
    this.model.invites.push(invite);
  }

  // ── What is done ─────────────────────────────────────────────────────────────────────────────────────

  /** Somebody says something. @returns The line, when its own client has shown it. */
  async say(
    id: string,
    kind: SaidKind = "said",
    to?: ModelLine,
    text = kind === "deleted" ? "" : this.model.freshWords(),
  ): Promise<ModelLine> {
    const client = this.real.client(id);
    const { length } = client.shown;
    const type = REQUESTS[kind];
    await client.type(JSON.stringify({ type, text, to: to?.seq }));
    const { seq } = await client.until(
      `${id} says ${kind} ${text}`,
      () =>
        client.shown.slice(length).find((it) =>
          it.type === kind && it.own && it.to === to?.seq &&
          (kind === "deleted" || it.text === text)
        ),
    );
    assert(seq !== undefined);
    const isDoubted = this.victim === id;
    // Who is shown other lines counts them otherwise.
    const { lag } = this.real.hostile.seat(id);
    const line = { kind, by: id, text, to, seq: seq + lag, isDoubted };
    return this.model.said(line);
  }

  /** Somebody takes another name. */
  async rename(id: string, name: string): Promise<void> {
    const answers = await this.real.ask(id, { type: "rename", name });
    assert(!answers.some(({ type }) => type === "error"), inspectable(answers));
    this.model.person(id).name = name;
    this.real.person(id).called = name;
  }

  /** A keeper makes an invite. */
  async invite(by: string, uses: number): Promise<ModelInvite> {
    const link = await this.real.invite(by, uses);
    const invite = { link, left: uses };
    await this.#made(invite);
    return invite;
  }

  /** Somebody becomes a member. */
  async join(id: string, invite: ModelInvite): Promise<void> {
    this.#coming.add(id);
    const person = this.real.person(id);
    const others = this.model.here.filter((it) => it.id !== this.victim).map(
      (it) => {
        const client = this.real.client(it.id);
        return { client, length: client.shown.length };
      },
    );
    await person.start(invite.link);
    await this.#begin(id);
    // A key that is changed by who hasn't heard of it yet would come a moment later.
    for (const { client, length } of others) {
      const isTold = ({ type, key }: Shown) =>
        type === "joined" && key === person.key;
      await client.until(
        `${id} has come`,
        () => client.shown.slice(length).some(isTold) || undefined,
      );
    }
    this.#coming.delete(id);
    this.model.joined(id, invite);
    if (invite.left > 0) return;
    this.#isDue = true;
    const [first] = this.model.keepersHere;
    if (first) await this.#changesKeyIfDue(first.id);
  }

  /** Somebody's client can't come in. @param link Default: the one by which it came. */
  async isTurnedAway(id: string, link?: string): Promise<void> {
    const person = this.real.person(id);
    const client = await person.start(link);
    const code = await client.finished();
    assertEquals(client.entrances, [], `${id} came in`);
    assertEquals(code, 1);
    await person.kill();
  }

  /** A keeper's client changes the key by itself where a link was used up. */
  async #changesKeyIfDue(id: string): Promise<void> {
    if (!this.#isDue || this.#autoChanged.has(id)) return;
    this.#autoChanged.add(id);
    this.#isDue = false;
    const client = this.real.client(id);
    const { epoch } = this.model;
    await client.until(
      `${id} changes the key`,
      () => this.#changes(client) > epoch ? true : undefined,
    );
    this.model.epoch++;
  }

  /** How many changes of the key a client has shown. */
  #changes(client: JsonClient): number {
    return new Set(
      client.all("ruled").flatMap(({ verb, seq }) =>
        verb === "keys" ? [seq] : []
      ),
    ).size;
  }

  /** A keeper changes who belongs to the room. */
  async rule(by: string, ruling: Ruling): Promise<void> {
    const { what, whom } = ruling;
    const may = this.model.mayRule(by, ruling);
    const answers = await this.real.ask(by, {
      type: what,
      name: this.#called(whom),
    });
    const isRefused = answers.some(({ type }) => type === "error");
    assertEquals(
      isRefused,
      !may,
      `${by} ${what} ${whom}: ${inspectable(answers)}`,
    );
    if (may) await this.#ruled(ruling);
  }

  async #ruled(ruling: Ruling): Promise<void> {
    const wasHere = this.model.person(ruling.whom).isHere;
    this.model.ruled(ruling);
    this.#isDue = false;
    if (wasHere && !this.model.person(ruling.whom).isHere) {
      const client = this.real.client(ruling.whom);
      assertEquals(await client.finished(), 1);
      this.#look(ruling.whom, client);
      await this.real.person(ruling.whom).kill();
    }
  }

  /** Two keepers do something in the same instant. */
  async together(
    ...both: readonly (readonly [string, Ruling])[]
  ): Promise<void> {
    const changes = await Promise.all(both.map(async ([by, ruling]) => {
      const { what, whom } = ruling;
      const client = this.real.client(by);
      const { length } = client.shown;
      await this.real.ask(by, { type: what, name: this.#called(whom) });
      // None where the other one did the same before it.
      const change = client.shown.slice(length).find((it) =>
        it.verb === "keys" && this.#ids.get(it.key ?? "") === by
      );
      return change ? [{ seq: change.seq ?? 0, ruling }] : [];
    }));
    const inOrder = changes.flat().toSorted((a, b) => a.seq - b.seq);
    for (const { ruling } of inOrder) await this.#ruled(ruling);
  }

  /** Somebody leaves, as people do. */
  async leave(id: string): Promise<void> {
    const client = this.real.client(id);
    await client.type(JSON.stringify({ type: "quit" }));
    await client.finished();
    this.#accepted.delete(id);
    await this.#gone(id);
  }

  /** Somebody's client is killed. */
  async kill(id: string): Promise<void> {
    await this.#gone(id);
  }

  async #gone(id: string): Promise<void> {
    const person = this.real.person(id);
    const client = person.here;
    await person.kill();
    this.#look(id, client);
    this.model.person(id).isHere = false;
  }

  /** Somebody comes back. @param link Default: the one by which it came last. */
  async comeBack(id: string, link?: string): Promise<void> {
    await this.real.person(id).start(link);
    await this.#begin(id);
    this.model.person(id).isHere = true;
    if (this.model.keepers.includes(id)) await this.#changesKeyIfDue(id);
  }

  /** Whether no keeper would change the key by itself if all came back at once. */
  get isQuiet(): boolean {
    return !this.#isDue ||
      this.model.keepersHere.every(({ id }) => this.#autoChanged.has(id));
  }

  /** The server is killed, and starts again. */
  async restartServer(between: () => Promise<void> = async () => {}) {
    const times = this.model.here.map(({ id }) =>
      this.real.client(id).entrances.length
    );
    await this.real.killServer();
    await between();
    await this.real.startServer();
    await Promise.all(this.model.here.map(async ({ id }, at) => {
      await this.real.client(id).isIn((times[at] ?? 0) + 1);
    }));
  }

  /** Yesterday's files of the server are put back: what was said since is lost, and all who saw it learn from where on. */
  async putBack(say: () => Promise<void>): Promise<void> {
    const files = await this.real.backUp();
    const { length } = this.model.lines;
    await say();
    const lost = this.model.lines.slice(length);
    const [first] = lost;
    assert(first);
    this.look();
    const from = this.model.here.map(({ id }) =>
      this.real.client(id).shown.length
    );
    await this.restartServer(() => this.real.putBack(files));
    for (const line of lost) line.isLost = true;
    await Promise.all(this.model.here.map(async ({ id }, at) => {
      const client = this.real.client(id);
      const shown = () => client.shown.slice(from[at]);
      const differs = await client.until(
        `${id} learns that its history differs`,
        () => shown().find(({ type }) => type === "history-differs"),
      );
      assertEquals(differs.from, first.seq);
      await this.real.ask(id, { type: "accept" });
      this.#accepted.add(id);
      const looked = this.#looked.get(client);
      assert(looked);
      // All is told again, from the first line on.
      looked.lines.clear();
      looked.mayDiffer = true;
      this.#look(id, client);
      looked.mayDiffer = false;
    }));
  }

  // ── What a hostile server has done ───────────────────────────────────────────────────────────────────

  /** Waits until the victim has warned of a line. */
  async warns(seq: number): Promise<Shown> {
    assert(this.victim !== undefined);
    const client = this.real.client(this.victim);
    const told = await client.until(
      `${this.victim} warns of line ${seq}`,
      () =>
        client.shown.slice(this.#victimFrom).find((it) =>
          it.seq === seq && (it.type === "warning" || isSaid(it.type))
        ),
    );
    assertEquals(
      told.type,
      "warning",
      `${this.victim} believes ${inspectable(told)}`,
    );
    return told;
  }
  #victimFrom = 0;

  /** From here on somebody is shown something else. */
  deceive(victim: string): void {
    this.victim = victim;
    this.#victimFrom = this.real.client(victim).shown.length;
    const first = this.real.hostile.seat(victim).last + 1;
    this.#doubts.push({ id: victim, first, last: Infinity });
  }

  /** Somebody comes back, and is shown something else of what was said meanwhile. */
  async comeBackDeceived(victim: string): Promise<void> {
    this.victim = victim;
    this.#victimFrom = 0;
    const first = this.real.hostile.seat(victim).last;
    this.#doubts.push({ id: victim, first, last: Infinity });
    await this.comeBack(victim);
  }

  /** The victim is shown the truth again, and finds out from where on it was not. */
  async undeceive(isNoticed = true): Promise<void> {
    const { victim } = this;
    assert(victim !== undefined);
    const { hostile } = this.real;
    const client = this.real.client(victim);
    hostile.down.delete(victim);
    const times = client.entrances.length;
    hostile.cut(victim);
    await client.isIn(times + 1);
    const isCurrent = () =>
      client.all("current").length > times ? true : undefined;
    await client.until("what was missed", isCurrent);
    if (isNoticed) {
      await client.until(
        `${victim} learns that its history differs`,
        () =>
          client.shown.slice(this.#victimFrom).find(({ type }) =>
            type === "history-differs"
          ),
      );
      await this.real.ask(victim, { type: "accept" });
      this.#accepted.add(victim);
    }
    this.#look(victim, client);
    this.victim = undefined;
    const doubt = this.#doubts.at(-1);
    if (doubt) doubt.last = hostile.seat(victim).last;
    this.#from.set(victim, this.model.lines.length);
    if (this.model.keepers.includes(victim)) {
      await this.#changesKeyIfDue(victim);
    }
  }

  /**
   * The victim is shown the truth again, by which a control line was kept from it: then its client goes no further
   * without a person who says so, who is played here.
   */
  async isPutOff(seq: number): Promise<void> {
    const { victim } = this;
    assert(victim !== undefined);
    const person = this.real.person(victim);
    const client = person.here;
    const { hostile } = this.real;
    hostile.down.delete(victim);
    hostile.cut(victim);
    assertEquals(await client.finished(), 1);
    const [error] = client.all("error").slice(-1);
    assertStringIncludes(error?.message ?? "", `control line ${seq} `);
    await this.#gone(victim);
    await person.forget();
    const kept = this.#doubts.filter(({ id }) => id !== victim);
    this.#doubts.splice(0, Infinity, ...kept);
    this.victim = undefined;
    await this.comeBack(victim, this.real.link);
  }

  // ── What the programs show ───────────────────────────────────────────────────────────────────────────

  /** Somebody says something, and all who are there have shown it and all before it, and nothing that is false. */
  async settle(speaker?: string): Promise<void> {
    const there = this.model.here.filter(({ id }) => id !== this.victim);
    const [first] = there;
    const by = speaker ?? first?.id;
    if (by === undefined) return;
    // Who was deceived may have shown another line of that number before.
    const clients = there.map(({ id }) => this.real.client(id));
    const before = clients.map(({ shown }) => shown.length);
    const { seq } = await this.say(by);
    await Promise.all(clients.map(async (client, at) => {
      await client.until(
        `${there[at]?.id} hears line ${seq}`,
        () =>
          client.shown.slice(before[at])
            .some((it) => it.seq === seq && isHeard(it)) || undefined,
      );
    }));
    this.look();
    for (const person of there) this.#checkAllShown(person);
    const strange = [...this.#givenOthers].filter((it) =>
      !this.#inviteIds.has(it)
    );
    assertEquals(strange, [], "keys were sealed to strangers");
    assertEquals(this.#faults, []);
    assertEquals(this.real.hostile.faults, []);
  }

  /** Looks at what all have shown. */
  look(): void {
    for (const { id } of this.model.here) this.#look(id, this.real.client(id));
  }

  #look(id: string, client: JsonClient): void {
    const looked = this.#looked.get(client);
    assert(looked);
    const { shown } = client;
    for (const it of shown.slice(looked.upTo)) this.#check(id, it, looked);
    looked.upTo = shown.length;
  }

  #check(id: string, it: Shown, { lines, mayDiffer }: Looked): void {
    const { type, seq, name, text = "", to } = it;
    const isVictim = id === this.victim;
    const by = this.#ids.get(it.key ?? "");
    const told = `${id} is shown ${inspectable(it)}`;
    if (isSaid(type)) {
      const line = {
        kind: type,
        by,
        name,
        text,
        seq,
        to,
        isPast: it.past === true,
      };
      const falsehood = this.model.falsehood(id, line, !isVictim);
      assertEquals(falsehood, undefined, told);
      const said = this.model.find(line);
      assert(said && !lines.has(said), `${told}, again`);
      lines.add(said);
      return;
    }
    if (type === "joined" || type === "renamed" || type === "ruled") {
      assert(by !== undefined, told);
    }
    if (isVictim) return;
    const isOfDoubted =
      this.model.lines.some((line) => line.isDoubted && line.seq === seq) ||
      this.#doubts.some((it) =>
        it.id === id && seq !== undefined && it.first <= seq && seq <= it.last
      );
    assert(type !== "warning" || isOfDoubted, told);
    assert(type !== "history-differs" || mayDiffer, told);
    assert(type !== "note" || !KEY_MISSING.test(text), told);
  }

  #checkAllShown({ id }: ModelPerson): void {
    const { shown } = this.real.client(id);
    const heard = new Set(shown.filter(isHeard).map(({ seq }) => seq));
    const past = new Set(
      shown.filter((it) => it.past === true).map(({ seq }) => seq),
    );
    for (const line of this.model.lines.slice(this.#from.get(id))) {
      const isToldWithOther = line.to !== undefined && past.has(line.to.seq);
      if (heard.has(line.seq) || isToldWithOther || line.isLost) continue;
      throw new Error(`${id} is not shown ${inspectable(line)}`);
    }
  }

  /** All who are there agree on the last line, and on who is there. */
  async checkAgreement(): Promise<void> {
    await this.settle();
    const { seq } = this.model.lines.at(-1) ?? {};
    const names = this.model.here.map(({ name }) => name).toSorted();
    const digits = new Set<string | undefined>();
    for (const { id } of this.model.here) {
      const [agreed] = await this.real.ask(id, { type: "agree", seq });
      digits.add(agreed?.digits);
      const [who] = await this.real.ask(id, { type: "who" });
      assertEquals(who?.members?.map(({ name }) => name).toSorted(), names);
    }
    assertEquals(digits.size, Math.min(1, names.length));
  }
}

/** Whether something that a client has shown is what became of a line that somebody said. */
function isHeard({ type }: Shown): boolean {
  return isSaid(type) || type === "warning";
}

function inspectable(value: unknown): string {
  return JSON.stringify(value, (key, it) => key === "to" ? it?.seq ?? it : it);
}
