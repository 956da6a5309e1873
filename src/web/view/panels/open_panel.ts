/**
 * Which panel is open beside the room.
 *
 * @module
 */

import { type Signal, signal } from "@preact/signals";

/** A panel. */
export type PanelName =
  | "who"
  | "verify"
  | "search"
  | "files"
  | "invite"
  | "settings"
  | "identity"
  | "help"
  | "about";

/** The panels, of which at most one is open. */
export class OpenPanel {
  readonly #name: Signal<PanelName | null> = signal(null);
  readonly #about: Signal<string> = signal("");

  /** The one that is open. */
  get name(): PanelName | null {
    return this.#name.value;
  }

  /** What it is about: for `verify` the short id of a person. */
  get about(): string {
    return this.#about.value;
  }

  /** Opens one, in place of another. */
  show(name: PanelName, about = ""): void {
    this.#about.value = about;
    this.#name.value = name;
  }

  /** Closes it. */
  close(): void {
    this.#name.value = null;
  }
}
