/**
 * A model of a sealed room: what must be so whatever the programs do, as plain data. It knows no cryptography, no protocol
 * and no files: who is a member and a keeper, which invites let somebody in, what was said in which order, and what each
 * member must, may and must never be shown.
 *
 * @module
 */

/** What somebody is to the room. */
export type Standing = "stranger" | "member" | "removed" | "barred";

/** Somebody, who keeps a name of the model's through all changes of name. */
export interface ModelPerson {
  /** The model's name. */
  readonly id: string;
  /** The name by which the others know it. */
  name: string;
  standing: Standing;
  /** Whether its client runs, and is in. */
  isHere: boolean;
}

/** An invite. */
export interface ModelInvite {
  readonly link: string;
  /** How many it lets in yet. */
  left: number;
}

/** How a line can be said. */
export type SaidKind =
  | "said"
  | "acted"
  | "replied"
  | "edited"
  | "deleted"
  | "reacted";

/** Something that was said. */
export interface ModelLine {
  readonly kind: SaidKind;
  /** By whom. */
  readonly by: string;
  /** Its words, which no other line has; "" for `deleted`. */
  readonly text: string;
  /** The line that it is about. */
  readonly to: ModelLine | undefined;
  /** Its number. */
  readonly seq: number;
  /** In which epoch it was said, counted from 0. */
  readonly epoch: number;
  /** Whether the server has lost it with a backup that was put back. */
  isLost?: boolean;
  /** Whether who said it was shown another history: then others may be warned of it instead. */
  readonly isDoubted: boolean;
}

/** What a program has shown of a line. */
export interface ShownLine {
  readonly kind: string;
  /** Who said it, by the model's name; undefined for nobody that the model knows. */
  readonly by: string | undefined;
  readonly name: string | undefined;
  readonly text: string;
  readonly seq: number | undefined;
  readonly to: number | undefined;
  /** Whether it is told with what was changed about it later. */
  readonly isPast: boolean;
}

/** A keeper's change of who belongs to the room. */
export type Ruling = {
  readonly what: "kick" | "ban" | "unban" | "keeper";
  readonly whom: string;
};

/** The room. */
export class RoomModel {
  readonly persons: Map<string, ModelPerson>;
  /** The keepers, the most senior first. */
  keepers: string[];
  /** All invites that were made and not ended by a removal. */
  invites: ModelInvite[] = [];
  /** All that was said, in order. */
  lines: ModelLine[] = [];
  /** How often the key was changed. */
  epoch = 0;
  /** From which epoch on those who were removed read nothing, by name. */
  readonly readsUpTo = new Map<string, number>();
  #words = 0;

  /** A room that the first of these persons has just founded. */
  constructor(ids: readonly string[]) {
    const [founder = ""] = ids;
    this.persons = new Map(ids.map((id): [string, ModelPerson] => {
      const isFounder = id === founder;
      const standing = isFounder ? "member" : "stranger";
      return [id, { id, name: id, standing, isHere: isFounder }];
    }));
    this.keepers = [founder];
  }

  /** Somebody. */
  person(id: string): ModelPerson {
    const person = this.persons.get(id);
    if (!person) throw new Error(`The model has no "${id}"`);
    return person;
  }

  /** Those of a standing. */
  those(...standings: readonly Standing[]): ModelPerson[] {
    return [...this.persons.values()].filter(({ standing }) =>
      standings.includes(standing)
    );
  }

  /** Members whose clients are in. */
  get here(): ModelPerson[] {
    return this.those("member").filter(({ isHere }) => isHere);
  }

  /** Keepers whose clients are in. */
  get keepersHere(): ModelPerson[] {
    return this.keepers.map((id) => this.person(id)).filter((it) => it.isHere);
  }

  /** Words that nobody has said. */
  freshWords(): string {
    return `words ${++this.#words}`;
  }

  /** An invite that lets somebody in. */
  get openInvites(): ModelInvite[] {
    return this.invites.filter(({ left }) => left > 0);
  }

  // ── What happens ─────────────────────────────────────────────────────────────────────────────────────

  /** Somebody came in by an invite. */
  joined(id: string, invite: ModelInvite): void {
    const person = this.person(id);
    person.standing = "member";
    person.isHere = true;
    invite.left--;
    this.readsUpTo.delete(id);
  }

  /** Whether a keeper may do that. */
  mayRule(by: string, { what, whom }: Ruling): boolean {
    if (!this.keepers.includes(by) || by === whom) return false;
    const { standing } = this.person(whom);
    const isSenior = this.keepers.includes(whom) &&
      this.keepers.indexOf(whom) < this.keepers.indexOf(by);
    switch (what) {
      case "kick":
        return standing === "member" && !isSenior;
      case "ban":
        return standing === "removed" || standing === "member" && !isSenior;
      case "unban":
        return standing === "barred";
      case "keeper":
        return standing === "member" && !this.keepers.includes(whom);
    }
  }

  /** A keeper did it: every one of these changes the key. */
  ruled({ what, whom }: Ruling): void {
    const person = this.person(whom);
    if (what === "keeper") this.keepers.push(whom);
    else if (what === "unban") person.standing = "removed";
    else {
      if (person.standing === "member") {
        this.invites = [];
        this.keepers = this.keepers.filter((id) => id !== whom);
        this.readsUpTo.set(whom, this.epoch);
        person.isHere = false;
      }
      person.standing = what === "ban" ? "barred" : "removed";
    }
    this.epoch++;
  }

  /** Something was said. */
  said(line: Omit<ModelLine, "epoch">): ModelLine {
    const said = { ...line, epoch: this.epoch };
    this.lines.push(said);
    return said;
  }

  /** Whether somebody may ever have been shown a line: a member sees all, others what was said while they were one. */
  mayRead(id: string, { epoch }: ModelLine): boolean {
    const { standing } = this.person(id);
    if (standing === "member") return true;
    return epoch <= (this.readsUpTo.get(id) ?? -1);
  }

  // ── What programs have shown ─────────────────────────────────────────────────────────────────────────

  /**
   * What is false in something that somebody was shown as said; undefined if nothing is.
   * @param reader Who was shown it. @param isNumbered Whether it must be under its own number.
   */
  falsehood(
    reader: string,
    shown: ShownLine,
    isNumbered = true,
  ): string | undefined {
    const line = this.find(shown);
    if (!line) return "nobody said that";
    if (!this.mayRead(reader, line)) return `${reader} must not read that`;
    if (isNumbered && line.seq !== shown.seq) {
      return `it was said as line ${line.seq}`;
    }
    return undefined;
  }

  /** The line that was shown. */
  find(shown: ShownLine): ModelLine | undefined {
    const alike = this.lines.filter((line) =>
      line.kind === shown.kind && line.by === shown.by &&
      line.to?.seq === shown.to && this.#isTextOf(line, shown)
    );
    return alike.find(({ seq }) => seq === shown.seq) ?? alike[0];
  }

  #isTextOf(line: ModelLine, { text, isPast, seq }: ShownLine): boolean {
    if (line.kind === "deleted") return line.seq === seq;
    if (line.text === text) return true;
    if (!isPast) return false;
    // Told together with what was changed about it later.
    return this.lines.some((it) =>
      it.to === line &&
      (it.kind === "deleted" && text === "" ||
        it.kind === "edited" && it.text === text)
    );
  }
}
