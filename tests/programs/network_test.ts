/**
 * The programs over networks that are slow, lose packets, break, or give a client another address: whatever the
 * line does, each message arrives once, in one order. `deno task storm --cut 60` does so for a minute's cut.
 *
 * @module
 */

import { assertEquals } from "../kit/assert.ts";
import {
  type LineQuality,
  Network,
  SERVER_ADDRESS,
} from "../kit/network/network.ts";
import { Folder } from "../kit/folder.ts";
import { Server } from "../kit/server.ts";
import { JsonClient } from "../kit/client.ts";
import { assertFollows, assertSaid } from "../kit/expect.ts";
import { together } from "../kit/together.ts";

/** Lines that each says at a time. */
const LINES = 50;
/** Packets that a cut loses: all that is under way, and some of its repetitions, ever further apart. */
const LOST = 14;

/** A server on one side of a line, with ana, and ben on the other side. */
interface Scene {
  readonly network: Network;
  readonly server: Server;
  readonly ana: JsonClient;
  readonly ben: JsonClient;
}

const overLine = together(
  "programs over lines that aren't good",
  await Network.obstacle(),
);

function testOverLine(
  name: string,
  quality: LineQuality,
  test: (scene: Scene) => Promise<void>,
) {
  overLine(name, async () => {
    await using folder = await Folder.make();
    await using network = await Network.make(quality);
    const { serverPrefix: prefix, clientPrefix } = network;
    const args = ["--host", SERVER_ADDRESS];
    await using server = await Server.open(folder, { args, prefix });
    const { invite } = server;
    const near = { invite, name: "ana", prefix };
    await using ana = await JsonClient.join(near);
    const far = { invite, name: "ben", prefix: clientPrefix };
    await using ben = await JsonClient.join(far);
    await test({ network, server, ana, ben });
  });
}

const texts = (name: string, first = 0) =>
  Array.from({ length: LINES }, (_, at) => `${name} ${first + at}`);

/** Fails unless both have seen all that both said, and the log has it once. */
async function assertAllSaid({ server, ana, ben }: Scene, count: number) {
  for (const client of [ana, ben]) await client.showsTexts(2 * count);
  const log = await server.log();
  for (const name of ["ana", "ben"]) {
    const said = Array.from({ length: count }, (_, at) => `${name} ${at}`);
    assertSaid(log, name, said);
  }
  for (const client of [ana, ben]) assertFollows(client, log);
  const order = log.filter(({ what }) => what === "said");
  for (const client of [ana, ben]) {
    assertEquals(client.texts, order.map(({ text }) => text));
  }
}

testOverLine(
  "clients lose and double nothing over a line with 300 ms there and back that loses 10 % of all packets",
  { delay: 150, loss: 10 },
  async (scene) => {
    const { ana, ben } = scene;
    for (const [at, text] of texts("ben").slice(0, LINES / 5).entries()) {
      await ana.type(`ana ${at}`);
      await ben.shows("said", { text: `ana ${at}` });
      await ben.type(text);
      await ana.shows("said", { text });
    }
    await ana.type(...texts("ana").slice(LINES / 5));
    await ben.type(...texts("ben").slice(LINES / 5));
    await assertAllSaid(scene, LINES);
  },
);

testOverLine(
  "client goes on after a cut that its connection survives, and neither side has lost a line",
  {},
  async (scene) => {
    const { network, ana, ben } = scene;
    await ana.type(...texts("ana"));
    await ben.type(...texts("ben"));
    await ana.shows("said", { text: `ben ${LINES - 1}` });
    await network.cut();
    const lost = network.lost(LOST);
    await ana.type(...texts("ana", LINES));
    await ben.type(...texts("ben", LINES));
    await lost;
    await network.mend();
    await assertAllSaid(scene, 2 * LINES);
    assertEquals([ana.all("away"), ben.all("away")], [[], []]);
  },
);

testOverLine(
  "client comes back from another address, and neither side has lost a line",
  {},
  async (scene) => {
    const { network, ana, ben } = scene;
    await network.loseHeartAfter(3);
    await ana.type(...texts("ana"));
    await ben.type(...texts("ben"));
    await ana.shows("said", { text: `ben ${LINES - 1}` });
    await network.move();
    await ana.type(...texts("ana", LINES));
    await ben.type(...texts("ben", LINES));
    await ben.isIn(2);
    await assertAllSaid(scene, 2 * LINES);
  },
);
