/**
 * The page's program, as `client.ts` is the terminal's: it finds out where to go and as whom, and stays there until the
 * person leaves.
 *
 *     address bar, form or memory ──▶ place ──▶ name, identity ──▶ Stay ──▶ RoomModel
 *
 * @module
 */

import { type Signal, signal } from "@preact/signals";
import { AdvisedError } from "../base/advised_error.ts";
import { reasonOf } from "../base/error_reason.ts";
import { quote } from "../base/safe_text.ts";
import type { Who } from "../client/session.ts";
import { foldedName, parseName } from "../protocol/names.ts";
import { REFUSALS } from "../protocol/reasons.ts";
import { isSealedInvite } from "../sealed/membership.ts";
import { type Browser, thisBrowser } from "./platform/browser.ts";
import { destinationOf } from "./platform/destination.ts";
import { type Keeping, openKeeping } from "./platform/keeping.ts";
import { isFrom, isServed, type Place, readPlace } from "./platform/place.ts";
import type { RoomModelOptions } from "./room_model.ts";
import type { OwnIdentity, RememberedRoom, Stage } from "./stage.ts";
import { Stay } from "./stay.ts";

/** What the page's program is made with. */
export interface AppOptions {
  /** Default: the one in which this runs. */
  readonly browser?: Browser;
  /** What a room is shown with. */
  readonly model?: RoomModelOptions;
}

/** The page's program. */
export class App {
  /** Where the page is. */
  readonly stage: Signal<Stage> = signal<Stage>({ at: "starting" });
  /** The identities that are kept here, the latest first. */
  readonly identities: Signal<readonly OwnIdentity[]> = signal([]);
  /** Whether what is found out is kept for the next time; false where the browser keeps nothing. */
  readonly isKept: Signal<boolean> = signal(true);
  /** What to tell of the browser's own, such as what can't be kept, the newest last. */
  readonly notes: Signal<readonly string[]> = signal([]);

  readonly #browser: Browser;
  readonly #model: RoomModelOptions;
  #keeping: Keeping | undefined;
  #place: Place | undefined;
  #link = ""; // by which the place was given, if it was
  #stay: Stay | undefined;
  #naming: ((who: Who | null) => void) | undefined; // while another name is asked for

  /** A page that does nothing before `start`. */
  constructor({ browser = thisBrowser(), model = {} }: AppOptions = {}) {
    this.#browser = browser;
    this.#model = model;
  }

  /** Reads what is kept, and goes where the address bar says, or where this tab was. */
  async start(): Promise<void> {
    const { here, isSecure, isCurrent, fragment, tab } = this.#browser;
    if (!isSecure || !isCurrent) {
      const origin = here.origin;
      this.stage.value = { at: "insecure", origin, isOld: isSecure };
      return;
    }
    const keeping = await openKeeping(
      this.#browser,
      (text) => this.#note(text),
    );
    this.#keeping = keeping;
    this.isKept.value = keeping.isKept;
    await this.#listIdentities();
    if (fragment !== "") {
      this.#browser.hideFragment();
      // A page from a file has the whole link there, or nothing that it could use.
      const isLink = fragment.includes(":");
      return this.goTo(isLink ? fragment : `${here.origin}/#${fragment}`);
    }
    const [link, place, name] = [
      tab.get("link"),
      tab.get("place"),
      tab.get("name"),
    ];
    if (link !== "") return this.goTo(link);
    if (place !== "" && name !== "") {
      this.goTo(place);
      if (this.stage.value.at === "name") await this.join(name);
      return;
    }
    const isKnown = isServed(here) && keeping.known.serverAt(here.origin);
    if (isKnown) this.goTo(here.origin);
    else this.#askPlace();
  }

  // ── Where to ─────────────────────────────────────────────────────────────────────────────────────────

  /** Goes where a link, or the origin of a room that was entered before, says. */
  goTo(text: string): void {
    const keeping = this.#keeping;
    const { here, tab } = this.#browser;
    if (!keeping) return;
    let place: Place;
    try {
      place = readPlace(text, here);
      destinationOf(place, keeping.known); // whether it leads anywhere
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.#askPlace(error.message);
    }
    const { origin, invite } = place;
    // A page from a server may go nowhere else; what it would go to is a page like it.
    if (isServed(here) && origin !== here.origin) {
      return this.#browser.visit(text.trim());
    }
    this.#place = place;
    this.#link = invite ? linkIn(text) : "";
    tab.set("link", this.#link);
    if (this.#isSealed(place) && isFrom(origin, here)) {
      const link = this.#link || origin;
      const saveFrom = `${origin}/chat.html`;
      this.stage.value = { at: "sealed-here", saveFrom, link };
    } else this.#askName(place);
  }

  #askPlace(error = ""): void {
    this.#place = undefined;
    const rooms = this.#keeping ? rememberedRooms(this.#keeping) : [];
    this.stage.value = { at: "place", error, rooms };
  }

  /** Whether the room of a place is sealed, as far as its link or the memory says. */
  #isSealed({ origin, invite }: Place): boolean {
    const known = this.#keeping?.known;
    const key = invite?.serverKey ?? known?.serverAt(origin);
    return isSealedInvite(invite?.id ?? 0) ||
      key !== undefined && known?.sealedRoom(key) !== undefined;
  }

  #askName(place: Place, name = this.#browser.tab.get("name"), error = "") {
    const names = this.identities.value.flatMap(({ name }) => name ?? []);
    this.stage.value = {
      at: "name",
      place: place.origin,
      names,
      name: name || (names[0] ?? ""),
      error,
      sealed: this.#isSealed(place),
    };
  }

  // ── As whom ──────────────────────────────────────────────────────────────────────────────────────────

  /** Goes into the room under a name; what is wrong with it is told by the stage. */
  async join(typed: string): Promise<void> {
    const place = this.#place;
    const keeping = this.#keeping;
    if (!place || !keeping || this.stage.value.at !== "name") return;
    const name = parseName(typed);
    if (typeof name === "string") {
      const error = `Cannot go by ${quote(typed)}: ${REFUSALS[name]}`;
      return this.#askName(place, typed, error);
    }
    const who = await this.#whoIs(name.shown);
    const naming = this.#naming;
    if (!naming) return await this.#enter(place, keeping, who);
    this.#naming = undefined;
    this.#showJoining(place);
    naming(who);
  }

  async #whoIs(name: string): Promise<Who> {
    const table = this.#keeping?.identities;
    if (!table) throw new Error("not started");
    const folded = foldedName(name);
    const known = await table.find((other) => foldedName(other) === folded);
    const entry = known ?? await table.create();
    this.#named = (shown) => entry.setName(shown);
    return { identity: entry.identity, name };
  }

  #named: (name: string) => Promise<void> = () => Promise.resolve();

  // ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

  /** Goes in, and stays until the person leaves. */
  async #enter(place: Place, keeping: Keeping, who: Who): Promise<void> {
    const { tab } = this.#browser;
    const stay = new Stay({
      destination: destinationOf(place, keeping.known),
      who,
      keeping,
      browser: this.#browser,
      model: this.#model,
      named: (name) => {
        tab.set("name", name);
        this.#named(name).then(() => this.#listIdentities())
          .catch((error) => stay.room.note(reasonOf(error)));
      },
      askName: (refusal) => this.#askAnother(place, refusal),
    });
    this.#stay = stay;
    this.#showJoining(place);
    stay.inRoom().then(() => {
      if (stay.hasBegun) this.#isIn(place, stay);
    });
    try {
      await stay.run();
      this.#end(stay, "You left the room", "");
    } catch (error) {
      if (error instanceof AdvisedError) {
        this.#end(stay, error.message, error.advice);
      } else {
        this.#end(
          stay,
          `The page has a fault and cannot go on: ${String(error)}`,
          "Load it again",
        );
      }
    }
  }

  #showJoining({ origin }: Place): void {
    const room = this.#stay?.room;
    if (room) this.stage.value = { at: "joining", place: origin, room };
  }

  #isIn({ origin }: Place, { room, actions }: Stay): void {
    const { tab } = this.#browser;
    tab.set("link", "");
    tab.set("place", origin);
    this.#browser.persist();
    this.stage.value = { at: "room", place: origin, room, actions };
  }

  /** Asks for another name than one that the server refuses; null if the person gives it up. */
  #askAnother(place: Place, refusal: string): Promise<Who | null> {
    this.#askName(place, undefined, refusal);
    return new Promise((resolve) => this.#naming = resolve);
  }

  #end(stay: Stay, message: string, advice: string): void {
    if (this.#stay !== stay) return;
    this.#stay = undefined;
    this.#browser.tab.set("place", "");
    const { lost } = stay;
    this.stage.value = { at: "over", message, advice, lost };
  }

  /** From "over", "name", "joining" or "sealed-here": one step back. */
  again(): void {
    const { at } = this.stage.value;
    const place = this.#place;
    if (at === "joining" || this.#naming) this.leave();
    if (at === "over" && place) this.#askName(place);
    else this.#askPlace();
  }

  /** Leaves the room, or gives up joining. */
  leave(): void {
    this.#naming?.(null);
    this.#naming = undefined;
    this.#stay?.leave();
  }

  /** The page is shown again, or the network is back: an attempt to come back needn't wait. */
  hurry(): void {}

  /** Whether something that was typed isn't in the room's log yet, and would be lost if the page were closed now. */
  get isUnsent(): boolean {
    return this.#stay?.isUnsent ?? false;
  }

  /** What was being typed, here or before the tab was loaded again. */
  get draft(): string {
    return this.#browser.tab.get("draft");
  }

  /** Keeps what is being typed in case that the tab is loaded again. */
  set draft(text: string) {
    this.#browser.tab.set("draft", text);
  }

  #note(text: string): void {
    this.notes.value = [...this.notes.value, text];
  }

  async #listIdentities(): Promise<void> {
    this.identities.value = await this.#keeping?.identities.all() ?? [];
  }
}

function rememberedRooms(_keeping: Keeping): RememberedRoom[] {
  return [];
}

function linkIn(text: string): string {
  return text.trim();
}
