/**
 * Where the page is on its way into a room, and what can be done once it is there: the seam between the page's program
 * and its view.
 *
 *     place ──▶ name ──▶ joining ──▶ room ──▶ over
 *       ▲        ▲          │                   │
 *       │        └─ refused ┘                   │
 *       └───────────────── again ───────────────┘
 *
 * @module
 */

import type { Actions } from "../client/actions.ts";
import type { Ignored } from "../client/ignored.ts";
import type { RoomModel } from "./room_model.ts";

/** A room that was entered from here before. */
export interface RememberedRoom {
  /** Where it is, as an origin: `https://chat.example`. */
  readonly place: string;
  /** When this browser was there last, ms since 1970; undefined where that isn't known. */
  readonly last: number | undefined;
  /** Whether it is sealed. */
  readonly sealed: boolean;
}

/** Somebody's own identity, as far as others may see it. */
export interface OwnIdentity {
  /** The short id of its person, 16 characters. */
  readonly person: string;
  /** The name that it last went by; undefined for one that was brought here and not yet used. */
  readonly name: string | undefined;
  /** When it was used last, ms since 1970; 0: never here. */
  readonly at: number;
}

/** Where the page is. */
export type Stage =
  /** What is kept is being read. */
  | { readonly at: "starting" }
  /** This browser has no encryption here. */
  | {
    readonly at: "insecure";
    readonly origin: string;
    /** The room's link, as it stood in the address bar; empty for none. */
    readonly link: string;
    /** Whether the browser is too old, rather than that the page came over plain HTTP. */
    readonly isOld: boolean;
  }
  /** Asks for a link. */
  | {
    readonly at: "place";
    /** Why the last link can't be used; empty for none. */
    readonly error: string;
    /** The rooms to choose from, the latest first. */
    readonly rooms: readonly RememberedRoom[];
  }
  /** Asks for a name. */
  | {
    readonly at: "name";
    /** Where the room is. */
    readonly place: string;
    /** Names of identities here, the latest first. */
    readonly names: readonly string[];
    /** What stands in the field at first. */
    readonly name: string;
    /** Why the last name can't be used; empty for none. */
    readonly error: string;
    /** Whether the room is sealed. */
    readonly sealed: boolean;
  }
  /** Is on its way in. The model may ask questions already, and has what was noted. */
  | {
    readonly at: "joining";
    readonly place: string;
    readonly room: RoomModel;
  }
  /** The room is sealed and this page came from its own server, which could have altered it. */
  | {
    readonly at: "sealed-here";
    /** Where the page is offered as a file. */
    readonly saveFrom: string;
    /** The room's link, to open with that file. */
    readonly link: string;
  }
  /** Is in the room, or comes back to it. */
  | {
    readonly at: "room";
    readonly place: string;
    readonly room: RoomModel;
    readonly actions: PageActions;
  }
  /** The stay has ended. */
  | {
    readonly at: "over";
    readonly message: string;
    /** What to do; empty for nothing. */
    readonly advice: string;
    /** What was typed and may not have been sent, oldest first. */
    readonly lost: readonly string[];
  };

/** A picture from the room, small enough to be shown. */
export interface Picture {
  /** A `blob:` URL of exactly its type. */
  readonly url: string;
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
}

/** What a person can ask for in the room. What goes wrong is shown as news or as a note, never thrown. */
export interface PageActions extends Omit<Actions, "older" | "send"> {
  /** Whom the person doesn't want to read. */
  readonly ignored: Ignored;
  /** Does what was typed: carries a command out, or says the text. Lines are taken in turn. */
  run(line: string): Promise<void>;
  /** Offers a file to the room; resolves when it is offered. */
  sendFile(file: File): Promise<void>;
  /** Takes an offered file, if it isn't here yet, and saves it among the browser's downloads. */
  save(offer: number): void;
  /**
   * The picture that an offered file is, to be shown small; undefined where it isn't one, or is not here yet. Changes
   * when `files` of the room's model does.
   */
  picture(offer: number): Promise<Picture | undefined>;
  /** The same picture, to be shown large; who asks for it revokes its URL. */
  largePicture(offer: number): Promise<Picture | undefined>;
  /** Asks for lines above the first that is known; they come as `older` news of the room's model. */
  older(): void;
  /** The web link that belongs to a `chat://` link of this room. */
  webLink(link: string): string;
}
