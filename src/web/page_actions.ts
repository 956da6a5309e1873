/**
 * What a person can ask for in the page: the session's actions, with files as browsers have them.
 *
 * @module
 */

import type { Actions } from "../client/actions.ts";
import type { Ignored } from "../client/ignored.ts";
import { formatWebLink } from "../keys/web_link.ts";
import type { FileShelf } from "./platform/file_shelf.ts";
import type { RoomModel } from "./room_model.ts";
import type { Saving } from "./saving.ts";
import type { PageActions } from "./stage.ts";
import { Typed } from "./typed.ts";

/** What the request for older lines is called, so that a person's own search doesn't end it. */
const OLDER = "older";

/** What the actions are made of. */
export interface PageActionsOptions {
  /** The session's. */
  readonly actions: Actions<File>;
  /** What shows the room. */
  readonly room: RoomModel;
  /** Where files are. */
  readonly shelf: FileShelf;
  /** What saves them. */
  readonly saving: Saving;
  /** Whom the person doesn't want to read. */
  readonly ignored: Ignored;
  /** Where the room is. */
  readonly origin: string;
}

/** What says something in a room. */
type Saying = Pick<Actions<File>, "say" | "act" | "reply" | "write">;

/** The same, of which each line stands in the room from the moment on at which it is said. */
function sayingIn(
  room: RoomModel,
  { say, act, reply, write, find }: Saying & Pick<Actions<File>, "find">,
): Saying {
  return {
    say: (text) => say(text, room.sending(text)),
    act: (text) => act(text, room.sending(text)),
    reply: (to, text) => reply(to, text, room.sending(text, to)),
    write: (to, text) => {
      const whom = find(to); // else who types it is told that there is nobody
      return write(to, text, whom && room.sending(text, null, whom));
    },
  };
}

/** The actions of a stay. */
export function pageActions(options: PageActionsOptions): PageActions {
  const { actions, room, shelf, saving, ignored, origin } = options;
  const offerOf = (seq: number) => room.message(seq)?.offer ?? undefined;
  const save = (seq: number) => saving.want(seq, offerOf(seq));
  const typed = new Typed({
    ...actions,
    ...sayingIn(room, actions),
    get: save, // who types it wants the file
    ignored,
    note: (text) => room.note(text),
  });
  return {
    ...actions,
    ignored,
    run: (line) => typed.run(line),
    sendFile: (file) => actions.send(file),
    save,
    picture: async (seq) => {
      const offer = offerOf(seq);
      return offer && await shelf.picture(offer);
    },
    largePicture: async (seq) => {
      const offer = offerOf(seq);
      return offer && await shelf.largePicture(offer);
    },
    older: () => {
      const { connected } = room.standing.value;
      if (!connected || room.isLoading.value) return;
      room.loading();
      actions.older(room.first, OLDER);
    },
    webLink: (link) => formatWebLink(link, origin),
  };
}
