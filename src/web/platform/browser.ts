/**
 * What the page's program needs of the browser around it; tests have others.
 *
 * @module
 */

import type { Stream } from "../../protocol/record_reader.ts";
import { Database } from "./database.ts";
import { saveFile } from "./files.ts";
import type { PageLocation } from "./place.ts";
import { dial } from "../../client/web_socket.ts";
import { Tab } from "./tab.ts";

/** What a page finds out about its browser, and asks of it. */
export interface Browser {
  /** Where the page is. */
  readonly here: PageLocation;
  /** What stands behind the "#" of its address now, without it; empty for nothing. */
  fragment(): string;
  /** Whether it can encrypt here: browsers refuse it to pages that came over plain HTTP. */
  readonly isSecure: boolean;
  /** Whether it has all that the page uses. */
  readonly isCurrent: boolean;
  /** What is kept of the tab. */
  readonly tab: Tab;
  /** Opens what is kept of this page. @throws {Error} where nothing is. */
  openDatabase(): Promise<Database>;
  /** Opens a connection. @throws {Error} if that can't be done. */
  dial(url: string): Promise<Stream>;
  /** Takes the fragment out of the address bar, and of the tab's history. */
  hideFragment(): void;
  /** Goes to another page. */
  visit(url: string): void;
  /** Saves a file among the downloads. @param name As others wrote it. */
  save(file: Blob, name: string): void;
  /** Asks that what is kept isn't thrown away when the disk gets full. */
  persist(): void;
  /** Tells what happens to the page, from now on. */
  watch(happenings: Happenings): void;
}

/** What happens to a page. */
export interface Happenings {
  /** It is shown again, or the network is there again. */
  readonly back: () => void;
  /** Its address has another fragment: a link was opened in its tab. */
  readonly linked: () => void;
  /** It is hidden, and may never be shown again. */
  readonly hidden: () => void;
  /** It is about to be closed. @returns Whether the person is asked first. */
  readonly closing: () => boolean;
  /** Something failed that nobody waits for. */
  readonly fault: (error: unknown) => void;
}

/** The browser in which this runs. */
export function thisBrowser(): Browser {
  const { location, history, navigator, isSecureContext } = globalThis;
  return {
    here: location,
    fragment: () => location.hash.slice(1),
    isSecure: isSecureContext && globalThis.crypto.subtle !== undefined,
    isCurrent: "toBase64" in Uint8Array.prototype &&
      "withResolvers" in Promise && "groupBy" in Map,
    tab: new Tab(),
    openDatabase: () => Database.open(),
    dial: (url) => dial(url),
    hideFragment: () =>
      history.replaceState(null, "", location.pathname + location.search),
    visit: (url) => location.assign(url),
    save: saveFile,
    persist: () => {
      // Without it all works the same, until the browser needs the place.
      navigator.storage?.persist?.().catch(() => {});
    },
    watch,
  };
}

function watch({ back, linked, hidden, closing, fault }: Happenings): void {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") back();
    else hidden();
  });
  addEventListener("online", back);
  addEventListener("hashchange", linked);
  addEventListener("pageshow", (event) => {
    if (event instanceof PageTransitionEvent && event.persisted) back();
  });
  addEventListener("pagehide", hidden);
  addEventListener("beforeunload", (event) => {
    if (closing()) event.preventDefault();
  });
  addEventListener("unhandledrejection", (event) => fault(event.reason));
  addEventListener("error", ({ error }) => {
    if (error) fault(error); // else it is a warning of the browser's, about how the page is laid out
  });
}
