/**
 * The folder in which a client keeps what it knows of sealed rooms, a file for each, named by the room's id.
 *
 * @module
 */

import {
  ensureFolder,
  fileError,
  PRIVATE_FILE,
  readPrivate,
  writePrivate,
} from "../../base/private_file.ts";
import { writeAll } from "../../base/write_all.ts";
import type { RoomStores } from "./room_file.ts";

/** The files of a folder, which is made if it is missing. */
export function roomFolder(folder: string): RoomStores {
  return (room) => {
    const path = `${folder}/${room}`;
    return {
      async read() {
        await ensureFolder(folder);
        return await readPrivate(path);
      },
      async write(text) {
        await ensureFolder(folder);
        await writePrivate(path, text);
      },
      async append(line) {
        try {
          await append(path, line);
        } catch (error) {
          throw fileError("write", path, error);
        }
      },
    };
  };
}

async function append(path: string, line: string): Promise<void> {
  using file = await Deno.open(path, {
    append: true,
    create: true,
    mode: PRIVATE_FILE,
  });
  await writeAll(file, new TextEncoder().encode(line));
}
