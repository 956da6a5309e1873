/**
 * What a person can ask for in the page: the session's actions, with files as browsers have them.
 *
 * @module
 */

import type { Actions } from "../client/actions.ts";
import type { Ignored } from "../client/ignored.ts";
import type { Session } from "../client/session.ts";
import type { RoomModel } from "./room_model.ts";
import type { PageActions } from "./stage.ts";
import { formatWebLink } from "../keys/web_link.ts";

/** What the actions are made of. */
export interface PageActionsOptions {
  readonly actions: Actions;
  readonly session: Session;
  readonly room: RoomModel;
  readonly ignored: Ignored;
  /** Where the room is. */
  readonly origin: string;
}

/** The actions of a stay. */
export function pageActions(
  { actions, session, ignored, origin }: PageActionsOptions,
): PageActions {
  return {
    ...actions,
    ignored,
    run: (line) => session.say(line),
    sendFile: () => Promise.resolve(),
    save: () => {},
    picture: () => Promise.resolve(undefined),
    older: () => {},
    webLink: (link) => formatWebLink(link, origin),
  };
}
