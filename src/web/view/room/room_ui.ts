/**
 * What the parts of the room have in common.
 *
 * @module
 */

import { signal } from "@preact/signals";
import type { App } from "../../app.ts";
import type { RoomModel } from "../../room_model.ts";
import type { Watched } from "../../watched.ts";
import type { Message } from "../../rows.ts";
import type { PageActions } from "../../stage.ts";
import { MessageBox } from "./message_box.ts";

/** How often older lines are asked for to find one that is to be shown. */
const MOST_PAGES = 20;

/** What the room takes of the page's settings. */
export interface RoomSettings {
  /** Whether hours go up to twelve; undefined: as the system has it. */
  readonly hour12: boolean | undefined;
}

/** A menu of a message that is open. */
export interface OpenMenu {
  /** The message. */
  readonly message: Message;
  /** Where it was asked for, pixels in the window; also where it goes back to. */
  readonly at: DOMRect;
  /** What it was opened by. */
  readonly opener: HTMLElement | null;
  /** Whether it begins with the reactions. */
  readonly isForReaction: boolean;
}

/** A room in a page: what is typed, which menu is open, what is to be shown. */
export class RoomUi {
  /** What stands in the room. */
  readonly room: RoomModel;
  /** What can be asked for. */
  readonly actions: PageActions;
  /** How the person likes it. */
  readonly settings: RoomSettings;
  /** Where messages are typed. */
  readonly box: MessageBox;
  /** The menu that is open. */
  readonly menu: Watched<OpenMenu | null> = signal(null);
  /** The number of the message that is to be shown, and how many times that was asked for. */
  readonly target: Watched<{ readonly seq: number } | null> = signal(null);
  #pages = 0; // that may still be asked for

  /** A room that has just been entered. */
  constructor(
    room: RoomModel,
    actions: PageActions,
    settings: RoomSettings,
    app: Pick<App, "draft">,
  ) {
    this.room = room;
    this.actions = actions;
    this.settings = settings;
    this.box = new MessageBox(room, actions, app);
  }

  /** Shows a message. @returns Whether it is known here; else it is not looked for. */
  goTo(seq: number): boolean {
    if (!this.room.message(seq)) return false;
    this.target.value = { seq };
    return true;
  }

  /** Shows a message, which may have to be asked for. */
  lookFor(seq: number): void {
    this.#pages = MOST_PAGES;
    this.target.value = { seq };
  }

  /** Asks for older lines to find one that is to be shown. @returns Whether there is hope. */
  searchOn(seq: number): boolean {
    const { first, hasOlder, isLoading } = this.room;
    if (isLoading.peek()) return true;
    if (seq >= first || !hasOlder.peek() || this.#pages === 0) return false;
    this.#pages--;
    this.actions.older();
    return true;
  }
}
