/**
 * The page's program, as `client.ts` is the terminal's: it finds out where to go and as whom, and stays there until the
 * person leaves.
 *
 *     address bar, form or memory ──▶ place ──▶ name, identity ──▶ Session ──▶ RoomModel
 *
 * @module
 */

import { type Signal, signal } from "@preact/signals";
import type { OwnIdentity, Stage } from "./stage.ts";

/** The page's program. */
export class App {
  /** Where the page is. */
  readonly stage: Signal<Stage> = signal<Stage>({ at: "starting" });
  /** The identities that are kept here, the latest first. */
  readonly identities: Signal<readonly OwnIdentity[]> = signal([]);
  /** Whether what is found out is kept for the next time; false where the browser keeps nothing. */
  readonly isKept: Signal<boolean> = signal(true);

  /** Reads what is kept, and goes where the address bar says. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Goes where a link, or the origin of a room that was entered before, says. */
  goTo(_link: string): void {}

  /** Goes into the room under a name; what is wrong with it is told by the stage. */
  join(_name: string): Promise<void> {
    return Promise.resolve();
  }

  /** From "over", "name" or "joining": asks for a name again, or for a link. */
  again(): void {}

  /** Leaves the room, or gives up joining. */
  leave(): void {}

  /** Whether something that was typed isn't in the room's log yet, and would be lost if the page were closed now. */
  get isUnsent(): boolean {
    return false;
  }

  /** What was typed and not sent when the page was reloaded. */
  get draft(): string {
    return "";
  }

  /** Keeps what is typed in case that the page is reloaded. */
  set draft(_text: string) {}

  /**
   * An identity as a text under a passphrase, as `--export` makes it.
   * @param person Its short id. Default: that of who is in the room. @throws {RangeError} for a short passphrase.
   */
  exportIdentity(_passphrase: string, _person?: string): Promise<string> {
    return Promise.resolve("");
  }

  /**
   * Takes an identity over that was exported elsewhere.
   * @throws {RangeError} for what can't be read or opened, and a name that can't be one: a sentence for a person.
   */
  importIdentity(
    _text: string,
    _passphrase: string,
    _name: string,
  ): Promise<void> {
    return Promise.resolve();
  }
}
