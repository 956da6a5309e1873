/**
 * A room is sealed at all its servers, or at none.
 *
 * @module
 */

import { assertEquals } from "../kit/assert.ts";
import { Cluster } from "../kit/cluster.ts";

const SEALED = { args: ["--sealed"] };

for (
  const [said, special] of [
    ["it is a sealed one, and this server was started for an open one", {
      0: SEALED,
    }],
    ["it is an open one, and this server was started for a sealed one", {
      1: SEALED,
    }],
  ] as const
) {
  Deno.test(`server of another kind is not let into a room: ${said}`, async () => {
    await using cluster = await Cluster.make({ special });
    await (await cluster.add()).start();
    const other = await (await cluster.add()).launch();
    assertEquals(await other.finished(), 1, other.transcript);
    await other.line(new RegExp(`Cannot take part in the room: ${said}`));
    assertEquals(other.stdout, []);
  });

  Deno.test(`server that was in a room stops when it is started for another kind: ${said}`, async () => {
    await using cluster = await Cluster.make();
    const node = await cluster.add();
    const [first, then] = "0" in special
      ? [SEALED.args, []]
      : [[], SEALED.args];
    await node.start(...first);
    await node.end();
    // It says by itself that there is a sealed room.
    if (first.length > 0) await Deno.remove(node.folder.file("chat.control"));
    const other = await node.launch(...then);
    assertEquals(await other.finished(), 1, other.transcript);
    await other.line(new RegExp(`Cannot take part in the room: ${said}`));
  });
}
