/**
 * Programs that say something by HTTP in a room on several servers: a name is one person, whichever of them it comes by.
 *
 * @module
 */

import { assert, assertEquals } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { Cluster } from "../kit/cluster.ts";
import { freePort } from "../kit/folder.ts";
import { ask, EventStream } from "../kit/http.ts";

const TOKEN = "a-token-for-tests-with-43-letters-and-digits";
const files = { "chat.tokens": `backup ${TOKEN}\n` };

Deno.test("program says and reads by any server of the room, as the same person, and what comes again under a key is said once", async () => {
  const ports = [freePort(), freePort()] as const;
  const special = Object.fromEntries(
    ports.map((port, at) => [at, { args: ["--http", String(port)], files }]),
  );
  await using cluster = await Cluster.open(2, { special });
  const invite = cluster.invite(1);
  await using ana = await JsonClient.join({ invite, name: "ana" });
  const [first, second] = ports;
  await using stream = await EventStream.open(second, TOKEN);
  const key = { "idempotency-key": "one" };
  const asked = { token: TOKEN, body: "by the first", fields: key };
  const { said } = await ask(first, asked);
  await ana.shows("said", { text: "by the first", seq: said.seq ?? 0 });
  await stream.until(() => stream.texts.length === 1);
  assertEquals((await ask(second, asked)).said, said);
  const other = await ask(second, { token: TOKEN, body: "by the second" });
  await stream.until(() => stream.texts.length === 2);
  assertEquals(stream.texts, ["by the first", "by the second"]);
  assertEquals(stream.events.at(-1)?.id, other.said.seq);
  const [one, two] = stream.events.slice(-2).map(({ data }) => data["key"]);
  assertEquals(one, two);

  // While NATS is away nothing is said, and who waits is told in the end; its key keeps it from being said twice.
  await cluster.nats.kill();
  const late = ask(first, {
    token: TOKEN,
    body: "meanwhile",
    fields: { "idempotency-key": "two" },
  });
  await cluster.nats.run();
  let answer = await late;
  while (answer.status !== 200) {
    assertEquals(answer.status, 503, JSON.stringify(answer.said));
    answer = await ask(first, {
      token: TOKEN,
      body: "meanwhile",
      fields: { "idempotency-key": "two" },
    });
  }
  await ana.shows("said", { text: "meanwhile" });
  const log = await cluster.agreedLog(answer.said.seq ?? 0);
  assertEquals(log.match(/backup: meanwhile$/gm)?.length, 1);
  // One server ends: the person is still there by the other, and no line says that it left.
  await cluster.node(0).end();
  assertEquals(
    (await ask(second, { token: TOKEN, body: "still here" })).status,
    200,
  );
  await ana.shows("said", { text: "still here" });
  assert(!ana.all("left").some(({ name }) => name === "backup"));
});
