/**
 * A stay in one room: the session, and what goes with it.
 *
 * @module
 */

import { sentence } from "../base/sentence.ts";
import { askName } from "../client/ask.ts";
import { actionsOf } from "../client/actions.ts";
import type { Destination } from "../client/destination.ts";
import { Transfers } from "../client/files/transfers.ts";
import { FOUNDING, mayFound, mayGoOn } from "../client/sealed/founding.ts";
import { Session, type Who } from "../client/session.ts";
import { socketUrl } from "../keys/web_link.ts";
import { FOUNDING_ID } from "../sealed/membership.ts";
import type { News } from "../client/view.ts";
import { pageActions } from "./page_actions.ts";
import type { Browser } from "./platform/browser.ts";
import { FileShelf } from "./platform/file_shelf.ts";
import type { Keeping } from "./platform/keeping.ts";
import { PageFiles } from "./platform/page_files.ts";
import { RoomModel, type RoomModelOptions } from "./room_model.ts";
import { Saving } from "./saving.ts";
import type { PageActions } from "./stage.ts";

/** What a stay needs. */
export interface StayOptions {
  /** Where to go, and how to get in. */
  readonly destination: Destination;
  /** As whom. */
  readonly who: Who;
  /** What is kept between visits. */
  readonly keeping: Keeping;
  /** What opens connections, and saves files. */
  readonly browser: Pick<Browser, "dial" | "save">;
  /** What the room is shown with. */
  readonly model: RoomModelOptions;
  /** Is told of the name by which the person is in, and of every later one. */
  readonly named: (name: string) => void;
  /** Asks for another name than that before the person has been in; null for none. */
  readonly askName: (name: string, refusal: string) => Promise<Who | null>;
}

/** A stay. */
export class Stay {
  /** What is shown. */
  readonly room: RoomModel;
  /** What can be done. */
  readonly actions: PageActions;
  /** What was typed and may not have been sent, once the stay has ended. */
  readonly lost: string[] = [];
  readonly #session: Session;
  readonly #options: StayOptions;
  readonly #ending = Promise.withResolvers<void>();

  /** A stay that begins with `run`. */
  constructor(options: StayOptions) {
    this.#options = options;
    const { destination, who, keeping, browser, model, named } = options;
    const { address, handshake, proven, invite } = destination;
    const { known, seen, rooms, ignored } = keeping;
    let heard: (news: News) => void = () => {};
    const room = new RoomModel({
      ...model,
      ignored,
      told: (news, isMention) => {
        heard(news);
        model.told?.(news, isMention);
      },
    });
    const isFounded = invite?.id === FOUNDING_ID &&
      known.sealedRoom(invite.serverKey) !== undefined;
    const shelf = new FileShelf();
    const files = new PageFiles(shelf);
    const transfers = new Transfers({ view: room, files });
    const session = new Session({
      address,
      who,
      dial: () => browser.dial(socketUrl(address)),
      handshake,
      comesAsMember: isFounded,
      proven,
      known,
      view: room,
      seen,
      files: transfers,
      sealing: {
        invite,
        stores: rooms,
        makesInvite: invite?.id === FOUNDING_ID && !isFounded
          ? "if none is open"
          : "never",
        founds: () => {
          room.note(FOUNDING); // a page has room for it
          return mayFound(room);
        },
        confirm: (question) => mayGoOn(room, question),
      },
      named,
      askName: (refusal) => this.#askName(refusal),
    });
    this.room = room;
    this.#session = session;
    const actions = actionsOf(session, transfers, known);
    const saving = new Saving({ actions, shelf, save: browser.save });
    this.actions = pageActions({
      actions,
      room,
      shelf,
      saving,
      ignored,
      origin: address,
    });
    heard = (news) => {
      if (news.type === "lost") this.lost.push(news.text);
      if (news.type === "file") saving.heard(news);
    };
    room.follow(this.actions);
  }

  /**
   * Stays until the person leaves, or can't come back.
   * @throws {JoinError} if the client can't get in, or is sent away for good.
   */
  async run(): Promise<void> {
    try {
      await this.#session.run();
    } finally {
      this.#session.conversation.showLost();
      this.room.close();
      this.#ending.resolve();
      await Promise.all([
        this.#options.keeping.known.kept,
        this.#session.kept(),
      ]);
    }
  }

  /** Somebody looks again, or the network is back: doesn't wait any longer to come back, and finds a lost connection out. */
  hurry(): void {
    this.#session.hurry();
  }

  /** Resolves when the person has come into the room, or has left. */
  inRoom(): Promise<void> {
    return this.#session.conversation.inRoom();
  }

  /** Leaves, or gives up coming in. */
  leave(): void {
    this.#session.leave();
  }

  /** Resolves when the stay has ended. */
  get ended(): Promise<void> {
    return this.#ending.promise;
  }

  /** Whether it has led into the room. */
  get hasBegun(): boolean {
    return this.#session.conversation.hasBegun;
  }

  /** Whether something that was typed isn't in the room's log. */
  get isUnsent(): boolean {
    return this.room.standing.value.waiting > 0;
  }

  /** Asks for another name than one that the server refuses; null if the person doesn't choose any. */
  async #askName(refusal: string): Promise<Who | null> {
    const { room } = this;
    if (!this.hasBegun) {
      const { name } = room.standing.value;
      return await this.#options.askName(name, refusal);
    }
    room.note(sentence(refusal));
    const name = await askName(room, "Another name: ");
    return name === null
      ? null
      : await this.#options.keeping.identities.forName(name);
  }
}
