/**
 * News that wait for a program.
 *
 * @module
 */

import type { News } from "../../../src/client/view.ts";
import { MAX_WAITING, WaitingNews } from "../../../src/client/waiting_news.ts";
import { assertEquals } from "../../kit/assert.ts";

const news = (text: string): News => ({ type: "lost", text });

Deno.test("news are read in their order, whether they came before or come meanwhile, until the end", async () => {
  const waiting = new WaitingNews(() => {});
  waiting.show(news("1"));
  waiting.show(news("2"));
  const read: News[] = [];
  for await (const piece of waiting.read()) {
    read.push(piece);
    if (read.length === 1) waiting.show(news("3"));
    if (read.length === 3) {
      queueMicrotask(() => {
        waiting.show(news("4"));
        waiting.end();
      });
    }
  }
  assertEquals(read, ["1", "2", "3", "4"].map(news));
});

Deno.test("of news that nobody reads the latest are kept, and the others counted", async () => {
  const waiting = new WaitingNews(() => {});
  for (let at = 0; at < MAX_WAITING + 3; at++) waiting.show(news(`${at}`));
  waiting.end();
  assertEquals(waiting.dropped, 3);
  const read = await Array.fromAsync(waiting.read());
  assertEquals(read.length, MAX_WAITING);
  assertEquals([read.at(0), read.at(-1)], [
    news("3"),
    news(`${MAX_WAITING + 2}`),
  ]);
});
