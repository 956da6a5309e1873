/**
 * What both ports do with every connection.
 *
 * @module
 */

import {
  DIRECT,
  type Entrance,
  type Peer,
} from "../../../src/server/entrance.ts";
import { Page } from "../../../src/server/web/page.ts";
import { WebEntrance } from "../../../src/server/web/web_entrance.ts";
import { assertEquals } from "../../kit/assert.ts";
import { streamPair } from "../../kit/memory_stream.ts";

/** What the system is told of connections that come by an entrance, and what is read from them meanwhile. */
async function opening(entrance: Entrance): Promise<unknown[]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.closeWrite();
  using peer = await listener.accept();
  const steps: unknown[] = [];
  const setNoDelay = peer.setNoDelay.bind(peer);
  peer.setNoDelay = (value) => {
    steps.push(value);
    setNoDelay(value);
  };
  const read = peer.read.bind(peer);
  peer.read = (bytes) => {
    steps.push("read");
    return read(bytes);
  };
  await entrance.open(peer).catch(() => {}); // nobody says anything
  return steps;
}

Deno.test("DIRECT has records sent at once, not after the one before is acknowledged, where that can be set", async () => {
  assertEquals(await opening(DIRECT), [true]);
  const [peer] = streamPair();
  assertEquals(await DIRECT.open(peer as unknown as Peer), peer);
});

Deno.test("WebEntrance has records sent at once, from the answer to the request on", async () => {
  const entrance = new WebEntrance(await Page.load(), false);
  assertEquals(await opening(entrance), [true, "read"]);
});
