/**
 * What happens to the people of a room: `chat.people` has a line for each.
 *
 * @module
 */

/** Something that happened. Ids of persons are full ones; times are ms since 1970. */
export type Happening =
  | {
    /** A person joined for the first time. */
    readonly kind: "person";
    readonly id: string;
    /** 1,344 bytes in base64url. */
    readonly card: string;
    /** The person may read what came after this event. */
    readonly from: number;
    /** By which invite it came. */
    readonly invite: number;
    readonly at: number;
  }
  | {
    /** A name is a person's. */
    readonly kind: "name";
    readonly person: string;
    readonly name: string;
    readonly since: number;
  }
  | {
    /** A name is nobody's any more. */
    readonly kind: "released";
    readonly name: string;
  }
  | {
    /** A person was there. */
    readonly kind: "there";
    readonly person: string;
    readonly at: number;
  }
  | {
    /** An invite was made. */
    readonly kind: "invite";
    readonly id: number;
    /** What it proves in a handshake, 32 bytes in base64url. */
    readonly key: string;
    readonly uses: number;
    /** When it ends; null: never. */
    readonly until: number | null;
    readonly note: string;
    /** The full id of who made it; empty: the server's owner. */
    readonly by: string;
    /** The words of a spoken code; empty: it is a link. */
    readonly code: string;
    readonly at: number;
  }
  | {
    /** A person came by an invite. */
    readonly kind: "used";
    readonly invite: number;
    readonly person: string;
  }
  | {
    /** An invite opens the room to nobody any more. */
    readonly kind: "revoked";
    readonly invite: number;
  }
  | {
    /** A spoken code was guessed wrong. */
    readonly kind: "guessed";
    readonly invite: number;
    /** Which guess it was, at random: of one that is told twice, as of several servers, one counts. */
    readonly guess: string;
  }
  | {
    /** A person may not come in. */
    readonly kind: "banned";
    readonly person: string;
    /** Until when; null: for good. */
    readonly until: number | null;
    readonly by: string;
    readonly at: number;
  }
  | {
    /** It may again. */
    readonly kind: "unbanned";
    readonly person: string;
  }
  | {
    /** A person is an operator, or no longer. */
    readonly kind: "operator";
    readonly person: string;
    readonly is: boolean;
  }
  | {
    /** What the room has set, as far as it is another: its topic, and the seconds between two messages of a member. */
    readonly kind: "room";
    readonly topic?: string;
    readonly slow?: number;
  };

/** All kinds, as a file of them may have. */
export const HAPPENING_KINDS: Readonly<Record<Happening["kind"], true>> = {
  person: true,
  name: true,
  released: true,
  there: true,
  invite: true,
  used: true,
  revoked: true,
  guessed: true,
  banned: true,
  unbanned: true,
  operator: true,
  room: true,
};

/** A happening of one kind, or of some. */
export type HappeningOf<K extends Happening["kind"]> = Extract<
  Happening,
  { readonly kind: K }
>;

/**
 * What happens by itself, at one server of those that share a room: the others must be told. What is left out follows
 * from what members do, which all servers carry out.
 */
const APART: ReadonlySet<string> = new Set<Happening["kind"]>([
  "invite",
  "revoked",
  "guessed",
  "banned",
  "unbanned",
  "operator",
  "room",
]);

/** Whether something happens by itself, and not with what members do. */
export function isApart({ kind }: Happening): boolean {
  return APART.has(kind);
}
