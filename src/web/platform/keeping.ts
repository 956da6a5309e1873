/**
 * All that is kept in the browser between visits.
 *
 * @module
 */

import { reasonOf } from "../../base/error_reason.ts";
import { Ignored } from "../../client/ignored.ts";
import { Identities } from "../../client/identities.ts";
import { Known } from "../../client/known.ts";
import { type Seen, SeenHere } from "../../client/mail/seen.ts";
import type { RoomStores } from "../../client/sealed/room_file.ts";
import type { Browser } from "./browser.ts";
import type { Database } from "./database.ts";
import { documentIn } from "./document_table.ts";
import { IdentityTable } from "./identity_table.ts";
import { roomTable } from "./room_table.ts";
import { SeenTable } from "./seen_table.ts";
import { Visits } from "./visits.ts";

/** What is kept. */
export interface Keeping {
  /** Whether it is there in later visits, too. */
  readonly isKept: boolean;
  /** The rooms that were entered. */
  readonly known: Known;
  /** Whom the person doesn't want to read. */
  readonly ignored: Ignored;
  /** Who the person is. */
  readonly identities: Identities;
  /** All that the person is, or was, here. */
  readonly table: IdentityTable;
  /** What is known of sealed rooms; undefined: it isn't kept. */
  readonly rooms: RoomStores | undefined;
  /** Which private messages were seen. */
  readonly seen: Seen;
  /** Visits to rooms. */
  readonly visits: Visits;
}

/** Opens all of it. @param note Told what can't be read or kept, now and later. */
export async function openKeeping(
  { openDatabase }: Pick<Browser, "openDatabase">,
  note: (text: string) => void,
): Promise<Keeping> {
  let database: Database | undefined;
  try {
    database = await openDatabase();
  } catch (error) {
    note(
      `This browser keeps nothing of this page: ${
        reasonOf(error)
      }. Once it is closed, you are somebody new here`,
    );
  }
  const table = new IdentityTable(database, note);
  return {
    isKept: database !== undefined,
    known: await Known.load(database && documentIn(database, "known"), note),
    ignored: database
      ? await Ignored.load(documentIn(database, "ignored"), note)
      : new Ignored(note),
    identities: new Identities(table),
    table,
    rooms: database && roomTable(database),
    seen: database ? await seenIn(database, note) : new SeenHere(),
    visits: await visitsIn(database, note),
  };
}

async function seenIn(
  database: Database,
  note: (text: string) => void,
): Promise<Seen> {
  try {
    return await SeenTable.load(database, note);
  } catch (error) {
    note(
      `This browser cannot tell which private messages you have seen: ${
        reasonOf(error)
      }. Some may come twice`,
    );
    return new SeenHere();
  }
}

async function visitsIn(
  database: Database | undefined,
  note: (text: string) => void,
): Promise<Visits> {
  try {
    return await Visits.load(database, note);
  } catch (error) {
    note(
      `This browser cannot tell how far you had read: ${reasonOf(error)}`,
    );
    return await Visits.load(undefined, note);
  }
}
