/**
 * What a server writes to its key file while it runs, and what it says where that can't be written.
 *
 * @module
 */

import { FileError } from "../../../src/base/private_file.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import {
  noteAddress,
  noteServers,
  warnUnwritten,
} from "../../../src/server/server_keys.ts";
import { assertEquals, assertRejects, assertThrows } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { withMethod } from "../../kit/log_kit.ts";
import { overhear } from "../../kit/overhear.ts";

const listening = { host: "192.0.2.7", port: 5000 };
const place = { listening, address: undefined, web: undefined, inviteId: 0 };
const servers = [{ host: "192.0.2.8", port: 5000 }];

Deno.test("noteAddress() and noteServers() write down where the server and its siblings are", async () => {
  await using folder = await Folder.make();
  const path = folder.file("chat.key");
  const { keyFile } = await KeyFile.loadOrCreate(path);
  await noteAddress(keyFile, place);
  await noteServers(keyFile, servers);
  const { keys } = await KeyFile.load(path) ?? {};
  assertEquals([keys?.listening, keys?.servers], [listening, servers]);
});

Deno.test("noteAddress() and noteServers() say what follows where the key file can't be written, and throw what else is wrong", async () => {
  await using folder = await Folder.make();
  const { keyFile } = await KeyFile.loadOrCreate(folder.file("chat.key"));
  const failing = async (error: Error, body: () => Promise<unknown>) => {
    const fail = () => () => Promise.reject(error);
    await withMethod(
      keyFile,
      "setListening",
      fail,
      () => withMethod(keyFile, "setServers", fail, body),
    );
  };
  const heard = await overhear(
    "warning",
    () =>
      failing(new FileError("It is read-only"), async () => {
        await noteAddress(keyFile, place);
        await noteServers(keyFile, servers);
      }),
  );
  assertEquals(heard, [
    "warning server: It is read-only. Clients and invites have the address that stands there, not 192.0.2.7:5000",
    "warning server: It is read-only. Links that are made by commands here lack the room's other servers",
  ]);
  await failing(new Error("a fault"), async () => {
    await assertRejects(() => noteAddress(keyFile, place), Error, "a fault");
    await assertRejects(() => noteServers(keyFile, servers), Error, "a fault");
  });
  assertThrows(() => warnUnwritten("a fault", ""));
});
