/**
 * The page's program, as `client.ts` is the terminal's: it finds out where to go and as whom, and stays there until the
 * person leaves.
 *
 *     address bar, form or memory ──▶ place ──▶ name, identity ──▶ Stay ──▶ RoomModel
 *
 * @module
 */

import { effect, signal } from "@preact/signals";
import { type Bytes, equalBytes } from "../../crypto_utils.ts";
import { AdvisedError } from "../base/advised_error.ts";
import { reasonOf } from "../base/error_reason.ts";
import { escapeText } from "../base/safe_text.ts";
import { UsageError } from "../base/usage_error.ts";
import { byInvite, byKey, type Destination } from "../client/destination.ts";
import { requireName } from "../client/ask.ts";
import { JoinError } from "../client/join_error.ts";
import type { Known } from "../client/known.ts";
import type { Who } from "../client/session.ts";
import { fullId, shortId } from "../crypto/person_id.ts";
import { exportIdentity, importIdentity } from "../keys/exported_identity.ts";
import { formatInvite } from "../keys/invite.ts";
import { formatWebLink } from "../keys/web_link.ts";
import { isSealedInvite } from "../sealed/membership.ts";
import { type Browser, thisBrowser } from "./platform/browser.ts";
import { type Keeping, openKeeping } from "./platform/keeping.ts";
import { isFrom, isServed, type Place, readPlace } from "./platform/place.ts";
import type { RoomModelOptions } from "./room_model.ts";
import type { OwnIdentity, RememberedRoom, Stage } from "./stage.ts";
import { Stay } from "./stay.ts";
import type { Watched } from "./watched.ts";

/** How often it is written down how far a person has read, at most, ms. */
const READ_EVERY = 5_000;

/** How many different faults of the page are told. */
const MAX_FAULTS = 5;
const FAULT_ADVICE = "Load the page again; what you are is kept";

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
  readonly stage: Watched<Stage> = signal<Stage>({ at: "starting" });
  /** The identities that are kept here, the latest first. */
  readonly identities: Watched<readonly OwnIdentity[]> = signal([]);
  /** Whether what is found out is kept for the next time; false where the browser keeps nothing. */
  readonly isKept: Watched<boolean> = signal(true);
  /** What there was to tell before there was a room, such as what can't be kept; oldest first. */
  readonly notes: Watched<readonly string[]> = signal([]);

  readonly #browser: Browser;
  readonly #model: RoomModelOptions;
  #keeping: Keeping | undefined; // once it is open
  #place: Place | undefined; // where the person wants to go
  #who: Who | undefined; // as whom they came, or tried to, last
  #stay: Stay | undefined;
  readonly #faults = new Set<string>(); // that were told
  #naming: ((who: Who | null) => void) | undefined; // while the server has refused a name

  /** A page that does nothing before `start`. */
  constructor({ browser = thisBrowser(), model = {} }: AppOptions = {}) {
    this.#browser = browser;
    this.#model = model;
  }

  /** Reads what is kept, and goes where the address bar says, or where this tab was. */
  async start(): Promise<void> {
    const { here, isSecure, isCurrent, tab } = this.#browser;
    if (!isSecure || !isCurrent) {
      const link = this.#takeLink() || tab.get("link");
      tab.set("link", link);
      const { origin } = here;
      this.stage.value = { at: "insecure", origin, isOld: isSecure, link };
      return;
    }
    this.#browser.watch({
      back: () => this.#stay?.hurry(),
      linked: () => this.#followLink(),
      hidden: () => this.#keepAll(),
      closing: () => this.isUnsent,
      fault: (error) => this.#tellFault(error),
    });
    const keeping = await openKeeping(
      this.#browser,
      (text) => this.#note(text),
    );
    this.#keeping = keeping;
    this.isKept.value = keeping.isKept;
    await this.#listIdentities();
    const link = this.#takeLink() || tab.get("link");
    const place = tab.get("place");
    if (link !== "") this.goTo(link);
    else if (place !== "") await this.#comeBack(place);
    else if (isServed(here) && keeping.known.serverAt(here.origin)) {
      this.goTo(here.origin);
    } else this.#askPlace();
  }

  /** The link that stands in the address bar, which then stands there no longer; empty for none. */
  #takeLink(): string {
    const fragment = this.#browser.fragment();
    if (fragment === "") return "";
    this.#browser.hideFragment();
    const { here } = this.#browser;
    // A page from a file may have a whole link there. One from a server never leads away from it by that: whoever
    // follows a link to a server that they trust would be somewhere else.
    const isWhole = !isServed(here) && fragment.includes("://");
    return isWhole ? fragment : `${here.origin}/#${fragment}`;
  }

  /** Goes where a link leads that was opened in this tab, unless the person is in that room, or would lose something. */
  #followLink(): void {
    const link = this.#takeLink();
    if (link === "" || !this.#keeping) return;
    const obstacle = this.#stay && this.#obstacleTo(link);
    if (obstacle === undefined) {
      this.#dropStay();
      this.goTo(link);
    } else if (obstacle !== "") this.#note(obstacle);
  }

  /** Why a link doesn't lead out of the room; empty where it leads into it, undefined where nothing is in the way. */
  #obstacleTo(link: string): string | undefined {
    const key = this.#place && this.#serverKey(this.#place);
    try {
      const { invite } = readPlace(link, this.#browser.here);
      if (key && invite && equalBytes(key, invite.serverKey)) return "";
    } catch (error) {
      return `Cannot follow the link that was opened here: ${reasonOf(error)}`;
    }
    return this.isUnsent
      ? "The link that was opened here leads to another room, and what you typed is not sent yet: open it again later, or in another tab"
      : undefined;
  }

  /** Goes on where this tab was before it was loaded again. */
  async #comeBack(place: string): Promise<void> {
    this.goTo(place);
    const name = this.#browser.tab.get("name");
    if (name !== "" && this.stage.value.at === "name") await this.join(name);
  }

  // ── Where to ─────────────────────────────────────────────────────────────────────────────────────────

  /** Goes where a link, or the origin of a room that was entered before, says. */
  goTo(text: string): void {
    const { here, tab } = this.#browser;
    const known = this.#keeping?.known;
    if (!known) return;
    let place: Place;
    try {
      place = readPlace(text, here);
      const isElsewhere = isServed(here) && place.origin !== here.origin;
      // A page that came from a server may talk to no other; the other one has its own page.
      if (isElsewhere) return this.#browser.visit(linkOf(place));
      destinationOf(place, known); // which says whether one can go there
    } catch (error) {
      const isTyped = error instanceof SyntaxError ||
        error instanceof UsageError;
      if (!isTyped) throw error;
      return this.#askPlace(error.message);
    }
    this.#place = place;
    const link = linkOf(place);
    tab.set("link", place.invite ? link : "");
    const { origin } = place;
    if (this.#isSealed(place) && isFrom(origin, here)) {
      const saveFrom = `${origin}/chat.html`;
      this.stage.value = { at: "sealed-here", saveFrom, link };
    } else this.#askName(place);
  }

  #askPlace(error = ""): void {
    this.#place = undefined;
    const rooms = this.#rooms;
    this.stage.value = { at: "place", error, rooms };
  }

  get #rooms(): RememberedRoom[] {
    const rooms = this.#keeping?.known.rooms ?? [];
    return rooms.map(({ address, ...rest }) => ({ place: address, ...rest }));
  }

  /** Whether the room of a place is sealed, as far as its link or the memory says. */
  #isSealed(place: Place): boolean {
    if (isSealedInvite(place.invite?.id ?? 0)) return true;
    const key = this.#serverKey(place);
    return key !== undefined && this.#isKnownSealed(key);
  }

  #isKnownSealed(serverKey: Bytes): boolean {
    return this.#keeping?.known.sealedRoom(serverKey) !== undefined;
  }

  /** The key of a place's server, as far as it is known. */
  #serverKey({ origin, invite }: Place): Bytes | undefined {
    return invite?.serverKey ?? this.#keeping?.known.serverAt(origin);
  }

  // ── As whom ──────────────────────────────────────────────────────────────────────────────────────────

  /** Asks for a name. @param name What stands in the field. @param error Why the last one can't be used. */
  #askName(place: Place, name = this.#likelyName(place), error = ""): void {
    const names = this.#names;
    const sealed = this.#isSealed(place);
    const { origin } = place;
    this.stage.value = {
      at: "name",
      place: origin,
      names,
      name,
      error,
      sealed,
    };
  }

  get #names(): string[] {
    return this.identities.value.flatMap(({ name }) => name ?? []);
  }

  /** The name that the person had there last, or elsewhere. */
  #likelyName(place: Place): string {
    const key = this.#serverKey(place);
    const visit = key && this.#keeping?.visits.of(key);
    return visit?.name ?? this.#who?.name ?? this.#names[0] ?? "";
  }

  /** Goes into the room under a name; what is wrong with it is told by the stage. */
  async join(typed: string): Promise<void> {
    const place = this.#place;
    const keeping = this.#keeping;
    const stage = this.stage.value;
    if (!place || !keeping || stage.at !== "name") return;
    const isElsewhere = () => this.stage.value !== stage; // or asked for twice
    let who: Who;
    try {
      who = await keeping.identities.forName(requireName(typed));
    } catch (error) {
      if (isElsewhere()) return;
      return this.#askName(place, typed, reasonOf(error));
    }
    if (isElsewhere()) return;
    this.#who = who;
    const answer = this.#naming;
    this.#naming = undefined;
    if (!answer) return void this.#enter(place, keeping, who); // which tells all by the stage
    this.#showJoining(place);
    answer(who);
  }

  /** Asks for another name than one that the server refuses; null if the person gives up. */
  #askAnother(
    place: Place,
    name: string,
    refusal: string,
  ): Promise<Who | null> {
    this.#askName(place, name, refusal);
    return new Promise((resolve) => this.#naming = resolve);
  }

  async #listIdentities(): Promise<void> {
    this.identities.value = await this.#keeping?.table.all() ?? [];
  }

  /**
   * An identity as a text under a passphrase, as `--export` makes it.
   * @param person Its short id. Default: that of who is in the room, or was last.
   * @throws {RangeError} for a short passphrase, and where there is none.
   */
  async exportIdentity(passphrase: string, person?: string): Promise<string> {
    const own = this.#who && shortId(fullId(this.#who.identity.id));
    const wanted = person ?? own ?? this.identities.value[0]?.person ?? "";
    const entry = await this.#keeping?.table.of(wanted);
    if (!entry) throw new RangeError("There is no identity here yet");
    return await exportIdentity(entry.seed, passphrase);
  }

  /**
   * Takes an identity over that was exported elsewhere; then it is the one of that name.
   * @throws {RangeError} | {UsageError} for what can't be read or opened, and a name that can't be one: a sentence for a person.
   */
  async importIdentity(
    text: string,
    passphrase: string,
    name: string,
  ): Promise<void> {
    const shown = requireName(name);
    const seed = await importIdentity(text, passphrase);
    const entry = await this.#keeping?.table.create(seed);
    await entry?.setName(shown);
    await this.#listIdentities();
    const place = this.#place;
    if (place && this.stage.value.at === "name") this.#askName(place, shown);
  }

  // ── Inside ───────────────────────────────────────────────────────────────────────────────────────────

  /** Goes in, and stays until the person leaves. Never rejects. */
  async #enter(place: Place, keeping: Keeping, who: Who): Promise<void> {
    const key = this.#serverKey(place);
    const { read } = key ? keeping.visits.of(key) : {};
    const stay = new Stay({
      destination: this.#guarded(place, keeping),
      who,
      keeping,
      browser: this.#browser,
      model: {
        ...this.#model,
        ...(read === undefined ? {} : { readUpTo: read }),
      },
      named: (name) => this.#named(place, name),
      askName: (name, refusal) => this.#askAnother(place, name, refusal),
    });
    this.#stay = stay;
    this.#showJoining(place);
    this.#showEntered(place, stay);
    try {
      await stay.run();
      this.#end(stay, "You left the room", "");
    } catch (error) {
      if (error instanceof AdvisedError) {
        this.#end(stay, error.message, error.advice);
      } else {
        const fault = escapeText(String(error));
        const message = `The page has a fault and cannot go on: ${fault}`;
        this.#end(stay, message, FAULT_ADVICE);
      }
    }
  }

  /** The way to a place, which ends where a page finds itself before a sealed room whose server it came from. */
  #guarded(place: Place, { known }: Keeping): Destination {
    const destination = destinationOf(place, known);
    const { handshake } = destination;
    return {
      ...destination,
      handshake: {
        ...handshake,
        checkServer: (key, at) => {
          handshake.checkServer(key, at);
          const isHere = isFrom(place.origin, this.#browser.here);
          if (!isHere || !this.#isKnownSealed(key)) return;
          throw new JoinError(
            "This room is sealed, and this page came from its own server, which could have altered it to read the room",
            `Save ${place.origin}/chat.html from a computer that you trust, and open the room with that file`,
          );
        },
      },
    };
  }

  #showJoining({ origin }: Place): void {
    const room = this.#stay?.room;
    if (room) this.stage.value = { at: "joining", place: origin, room };
  }

  /** Shows the room once the person is in. Never rejects. */
  async #showEntered(place: Place, stay: Stay): Promise<void> {
    await stay.inRoom();
    if (!stay.hasBegun || this.#stay !== stay) return;
    const { tab } = this.#browser;
    const { room, actions } = stay;
    const { origin } = place;
    tab.set("link", "");
    tab.set("place", origin);
    this.#browser.persist();
    this.stage.value = { at: "room", place: origin, room, actions };
    this.#keepRead(stay);
  }

  /** The person is in under a name, and will be the same one by it the next time. */
  #named(place: Place, name: string): void {
    const keeping = this.#keeping;
    const key = this.#serverKey(place);
    this.#browser.tab.set("name", name);
    if (!keeping) return;
    if (key) keeping.visits.remember(key, { name });
    this.#noteName(keeping, name)
      .catch((error) =>
        this.#note(`This browser does not keep your name: ${reasonOf(error)}`)
      );
  }

  async #noteName(keeping: Keeping, name: string): Promise<void> {
    const who = this.#who;
    await keeping.identities.named(name);
    if (who) await keeping.table.used(shortId(fullId(who.identity.id)));
    await this.#listIdentities();
  }

  // ── How far the person has read ──────────────────────────────────────────────────────────────────────

  /** Writes down how far the person has read, while they are in the room. */
  #keepRead(stay: Stay): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      if (stay.room.readUpTo.value > 0) {
        timer ??= setTimeout(() => {
          timer = undefined;
          this.#noteRead();
        }, READ_EVERY);
      }
    });
    stay.ended.then(() => {
      stop();
      clearTimeout(timer);
    });
  }

  /** Keeps what is known by now: a page that is hidden may never be shown again. */
  #keepAll(): void {
    this.#noteRead();
    this.#keeping?.known.keep();
  }

  #noteRead(): void {
    const read = this.#stay?.room.readUpTo.value ?? 0;
    const key = this.#place && this.#serverKey(this.#place);
    if (read > 0 && key) this.#keeping?.visits.remember(key, { read });
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────

  #end(stay: Stay, message: string, advice: string): void {
    if (this.#stay !== stay) return;
    this.#noteRead();
    this.#stay = undefined;
    this.#browser.tab.set("place", "");
    const { lost } = stay;
    this.stage.value = { at: "over", message, advice, lost };
  }

  /** Something in the page has a fault. What else there is goes on: most of them are of a part of the view alone. */
  #tellFault(error: unknown): void {
    const fault = escapeText(String(error));
    if (this.#faults.has(fault) || this.#faults.size >= MAX_FAULTS) return;
    this.#faults.add(fault);
    this.#note(
      `The page has a fault: ${fault}. If something doesn't work now, load the page again`,
    );
  }

  /** One step back: from "over" to the name, from all others to the place. */
  again(): void {
    const place = this.#place;
    const isOver = this.stage.value.at === "over";
    this.#dropStay();
    if (isOver && place) this.#askName(place);
    else this.#askPlace();
  }

  /** Leaves where the person is, for another place. */
  #dropStay(): void {
    const stay = this.#stay;
    if (stay) this.#noteRead();
    this.#stay = undefined; // its end is no news
    this.#answerNaming(null);
    stay?.leave();
    this.#browser.tab.set("place", "");
  }

  /** Leaves the room, or gives up coming in. */
  leave(): void {
    this.#answerNaming(null);
    this.#stay?.leave();
  }

  #answerNaming(who: Who | null): void {
    this.#naming?.(who);
    this.#naming = undefined;
  }

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
    const room = this.#stay?.room;
    if (room) room.note(text);
    else this.notes.value = [...this.notes.value, text];
  }
}

/** The way to a place. @throws {UsageError} where nothing lets the person in. */
function destinationOf(
  { origin, invite }: Place,
  known: Known,
): Destination {
  return invite ? byInvite(invite, origin) : byKey(known, origin);
}

/** The link to a place. */
function linkOf({ origin, invite }: Place): string {
  return invite ? formatWebLink(formatInvite(invite), origin) : origin;
}
