/**
 * Seeing that a key file has another room key.
 *
 * @module
 */

import type { Bytes } from "../../../crypto_utils.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { KeyWatch } from "../../../src/server/key_watch.ts";
import { assertEquals } from "../../kit/assert.ts";
import { inFolder } from "../../kit/folder.ts";
import { ManualClock } from "../../kit/memory_stream.ts";

Deno.test("KeyWatch.look() takes over at once what another process has written, and goes on where the file is gone", () =>
  inFolder(async (folder) => {
    const path = `${folder}/chat.key`;
    const { keyFile } = await KeyFile.loadOrCreate(path);
    const seen: Bytes[] = [];
    const { roomKey } = keyFile.keys;
    using clock = new ManualClock();
    using watch = new KeyWatch(path, roomKey, (fresh) => seen.push(fresh));
    watch.look();
    assertEquals(seen, []);
    const other = await KeyFile.load(path);
    for (let count = 1; count <= 3; count++) {
      await other?.rotate();
      watch.look();
      watch.look();
      assertEquals(seen.length, count);
      assertEquals(seen.at(-1), other?.keys.roomKey);
    }
    await Deno.rename(path, `${path}.away`);
    watch.look();
    await Deno.rename(`${path}.away`, path);
    watch.look();
    assertEquals(seen.length, 3);
    assertEquals(clock.pending, 1);
    watch[Symbol.dispose]();
    assertEquals(clock.pending, 0, "it looks no more");
  }));
