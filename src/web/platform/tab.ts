/**
 * What a browser keeps of one tab, for when the page is loaded again there, and no longer than the tab is open.
 *
 * @module
 */

/** What is kept: where the tab was and as whom, its link until it has been in, and what was being typed. */
export type TabKey = "draft" | "link" | "name" | "place";

/** The part of a browser's storage that is used. */
export type TabStorage = Pick<Storage, "getItem" | "removeItem" | "setItem">;

const PREFIX = "encrypted-chat-";

/** A tab. Where the browser keeps nothing, it is there until the page is closed. */
export class Tab {
  readonly #storage: TabStorage | undefined;
  readonly #memory = new Map<string, string>();

  /** Takes up what is kept. @param storage Default: the browser's. */
  constructor(storage: TabStorage | undefined = browserStorage()) {
    this.#storage = storage;
  }

  /** What is kept; empty for nothing. */
  get(key: TabKey): string {
    return this.#memory.get(key) ?? this.#storage?.getItem(PREFIX + key) ?? "";
  }

  /** Keeps something; an empty text is nothing. */
  set(key: TabKey, value: string): void {
    this.#memory.set(key, value);
    try {
      if (value === "") this.#storage?.removeItem(PREFIX + key);
      else this.#storage?.setItem(PREFIX + key, value);
    } catch {
      // It is full: the memory has it as long as the page is open.
    }
  }
}

function browserStorage(): TabStorage | undefined {
  try {
    return globalThis.sessionStorage;
  } catch {
    return undefined; // the person has forbidden it
  }
}
