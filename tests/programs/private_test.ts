/**
 * Private messages between real programs: who gets them, when, and how often; and that the server can't read them.
 *
 * @module
 */

import { assertEquals } from "../kit/assert.ts";
import { JsonClient, type Shown } from "../kit/client.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";

/** Writes to somebody alone. */
async function write(
  client: JsonClient,
  to: string,
  text: string,
  id?: number,
): Promise<void> {
  await client.type(JSON.stringify({ type: "private", to, text, id }));
}

/** What a client was shown of private messages: from whom, to whom, and the text. */
function privates(client: JsonClient): string[] {
  return (client.all("private") as unknown as Private[])
    .map(({ name, to, text }) => `${name} to ${to}: ${text}`);
}

type Private = Omit<Shown, "to"> & { readonly to: string };

Deno.test("private message goes to its recipient and to nobody else, and not into the log", async () => {
  await using folder = await Folder.make();
  await using server = await Server.open(folder);
  const { invite } = server;
  await using ana = await JsonClient.join({ invite, name: "ana" });
  await using ben = await JsonClient.join({ invite, name: "ben" });
  await using eve = await JsonClient.join({ invite, name: "eve" });
  await ana.shows("joined", { name: "eve" });
  await write(ana, "ben", "at six", 7);
  await ana.shows("private", { own: true, id: 7, state: "delivered" });
  await ben.shows("private", { name: "ana", text: "at six", own: false });
  await ben.type("hello all");
  await eve.shows("said", { text: "hello all" });
  assertEquals(privates(ana), ["ana to ben: at six"]);
  assertEquals(privates(ben), ["ana to ben: at six"]);
  assertEquals(privates(eve), []);
  assertEquals((await server.log()).map(({ what }) => what), [
    "joined",
    "joined",
    "joined",
    "said",
  ]);
});
