/**
 * The page's program without a page: its browser is the test's, which goes to a server over TCP.
 *
 * @module
 */

import { effect } from "@preact/signals";
import { formatAddress, parseInvite } from "../../src/keys/invite.ts";
import { App } from "../../src/web/app.ts";
import type { Browser, Happenings } from "../../src/web/platform/browser.ts";
import type { Database } from "../../src/web/platform/database.ts";
import type { PageLocation } from "../../src/web/platform/place.ts";
import { Tab, type TabStorage } from "../../src/web/platform/tab.ts";
import type { RoomModel } from "../../src/web/room_model.ts";
import type { Watched } from "../../src/web/watched.ts";
import type { PageActions, Stage } from "../../src/web/stage.ts";
import "./crypto_idle.ts";
import { Tabs } from "./indexed_database.ts";

/** A stage of that kind. */
export type StageAt<At extends Stage["at"]> = Extract<Stage, { at: At }>;

/** A page that came from a file. */
export const FROM_DISK: PageLocation = {
  hostname: "",
  origin: "null",
  protocol: "file:",
};

/** A page that came from a server. */
export function servedFrom(origin: string): PageLocation {
  const { hostname, protocol } = new URL(origin);
  return { hostname, origin, protocol };
}

/** What a browser keeps of a tab. */
class MemoryStorage implements TabStorage {
  readonly #values: Map<string, string>;

  constructor(values: Iterable<readonly [string, string]> = []) {
    this.#values = new Map(values);
  }

  /** It as it is now. */
  copy(): MemoryStorage {
    return new MemoryStorage(this.#values);
  }

  getItem(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#values.set(key, value);
  }

  removeItem(key: string): void {
    this.#values.delete(key);
  }
}

/** The browser of a person, in which several tabs can be open. */
export class TestBrowser implements AsyncDisposable {
  readonly #tabs = new Tabs();
  readonly #pages: TestPage[] = [];

  /** @param keeps Whether it keeps anything. */
  constructor(readonly keeps = true) {}

  /** Opens what pages keep here. */
  openDatabase(): Promise<Database> {
    if (this.keeps) return this.#tabs.open();
    return Promise.reject(new Error("storage is off"));
  }

  /** Opens the page in a new tab. @param link A web link; the page came from there unless `here` says otherwise. */
  async open(link: string, options: PageOptions = {}): Promise<TestPage> {
    const page = new TestPage(this, link, new MemoryStorage(), options);
    this.#pages.push(page);
    await page.app.start();
    return page;
  }

  /** Loads a tab's page again, without its person leaving. */
  async reload(page: TestPage): Promise<TestPage> {
    const { address, options } = page;
    const storage = page.storage.copy();
    page.cut();
    await page.close();
    const again = new TestPage(this, address, storage, options);
    this.#pages.push(again);
    await again.app.start();
    return again;
  }

  /** Closes all tabs. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const page of this.#pages) await page.close();
    this.#tabs[Symbol.dispose]();
  }
}

/** How a page is opened. */
export interface PageOptions {
  /** Where it came from. Default: the origin of its link. */
  readonly here?: PageLocation;
  /** What browsers refuse to pages that came over plain HTTP. */
  readonly isSecure?: boolean;
  /** Where connections go in place of the link's own port. */
  readonly port?: number;
}

/** A tab with the page. */
export class TestPage {
  /** The page's program. */
  readonly app: App;
  /** What stands in the address bar. */
  address: string;
  /** Where else it went. */
  readonly visited: string[] = [];
  /** The files that it saved. */
  readonly saved: { readonly file: Blob; readonly name: string }[] = [];
  /** What the page is told of. */
  happenings: Happenings | undefined;
  readonly #connections = new Set<Deno.TcpConn>();

  constructor(
    browser: TestBrowser,
    link: string,
    readonly storage: MemoryStorage,
    readonly options: PageOptions,
  ) {
    this.address = link;
    const { here = servedFrom(new URL(link).origin), isSecure = true } =
      options;
    const own: Browser = {
      here,
      fragment: () => new URL(this.address).hash.slice(1),
      isSecure,
      isCurrent: true,
      tab: new Tab(storage),
      openDatabase: () => browser.openDatabase(),
      dial: (url) => this.#dial(url),
      hideFragment: () => this.address = this.address.replace(/#.*/, ""),
      visit: (url) => void this.visited.push(url),
      save: (file, name) => void this.saved.push({ file, name }),
      persist: () => {},
      watch: (happenings) => this.happenings = happenings,
    };
    this.app = new App({ browser: own, model: { later: queueMicrotask } });
  }

  async #dial(url: string): Promise<Deno.TcpConn> {
    const { hostname, port } = new URL(url);
    const to = this.options.port ?? Number(port);
    const conn = await Deno.connect({ hostname, port: to });
    this.#connections.add(conn);
    return conn;
  }

  /** Resolves when the page is at a stage of that kind. @param is What else it is. Default: nothing. */
  async at<At extends Stage["at"]>(
    at: At,
    is: (stage: StageAt<At>) => boolean = () => true,
  ): Promise<StageAt<At>> {
    const isThere = (stage: Stage): stage is StageAt<At> =>
      stage.at === at && is(stage as StageAt<At>);
    const stage = await when(this.app.stage, isThere);
    return stage as StageAt<At>;
  }

  /** Goes in under a name. @returns The room. */
  async enter(
    name: string,
  ): Promise<{ room: RoomModel; actions: PageActions }> {
    await this.at("name");
    await this.app.join(name);
    return await this.at("room");
  }

  /** Its connections are lost. */
  cut(): void {
    for (const conn of this.#connections) {
      try {
        conn.close();
      } catch {
        // It was closed already.
      }
    }
    this.#connections.clear();
  }

  /** Closes the tab. */
  async close(): Promise<void> {
    const { at } = this.app.stage.value;
    if (at !== "room" && at !== "joining") return;
    this.app.leave();
    await this.at("over");
  }
}

/** The web link of a standing link, at the port where the test's browser finds its server. */
export function webLinkOf(link: string): string {
  const { host, port } = parseInvite(link);
  const fragment = link.slice(link.indexOf("#"));
  return `http://${formatAddress(host, port)}/${fragment}`;
}

/** Resolves when a room shows a message of that text. */
export async function shows(room: RoomModel, text: string): Promise<void> {
  await when(
    room.rows,
    (rows) => rows.some((row) => "text" in row && row.text === text),
  );
}

/** What a signal has once that is something, or is as wanted. */
export function when<T>(
  signal: Watched<T>,
  is: (value: NonNullable<T>) => boolean = () => true,
): Promise<NonNullable<T>> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      const { value } = signal;
      if (value === null || value === undefined || !is(value)) return;
      resolve(value);
      queueMicrotask(() => stop());
    });
  });
}
