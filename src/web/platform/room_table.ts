/**
 * What a browser keeps of sealed rooms, in its database: some lines by the room and a number, in their order.
 *
 * @module
 */

import type { RoomStores } from "../../client/sealed/room_file.ts";
import type { Database, Table } from "./database.ts";

/** The numbers of a room. @param upTo Up to that one. Default: all. */
function rangeOf(room: string, upTo: number = Infinity): IDBKeyRange {
  return IDBKeyRange.bound([room, -Infinity], [room, upTo]);
}

/** The rooms of a database. */
export function roomTable(database: Database): RoomStores {
  return (room) => {
    let known = 0; // up to this number, all lines were read or written here
    return {
      async read() {
        const [keys, lines] = await Promise.all([
          database.read("rooms", (it) => it.getAllKeys(rangeOf(room))),
          database.read("rooms", (it) => it.getAll(rangeOf(room))),
        ]);
        known = keys.map(numberOf).at(-1) ?? 0;
        return lines.length === 0 ? undefined : lines.join("");
      },
      // What another tab has added meanwhile stays.
      write: (text) =>
        database.transact("rooms", (table) => {
          table.delete(rangeOf(room, known));
          table.put(text, [room, known]);
        }),
      append: (line) =>
        database.transact("rooms", (table) => {
          lastOf(table, room, (last) => {
            if (last === known) known++;
            table.put(line, [room, last + 1]);
          });
        }),
    };
  };
}

/** The number of a room's last lines; 0 for none. */
function lastOf(
  table: Table,
  room: string,
  found: (last: number) => void,
): void {
  const asked = table.openKeyCursor(rangeOf(room), "prev");
  asked.onsuccess = () => found(asked.result ? numberOf(asked.result.key) : 0);
}

function numberOf(key: IDBValidKey): number {
  return Array.isArray(key) ? Number(key[1]) : 0;
}
