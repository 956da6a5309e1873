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

Deno.test("notes are told at once, nobody can be asked, and the coming in is told", async () => {
  const notes: string[] = [];
  const waiting = new WaitingNews((text) => void notes.push(text));
  waiting.note("hi");
  waiting.stand();
  assertEquals([notes, await waiting.ask()], [["hi"], null]);
  let isIn = false;
  waiting.entered.then(() => isIn = true);
  waiting.show(news("1"));
  await Promise.resolve();
  assertEquals(isIn, false);
  waiting.show({ type: "entered" } as News);
  await waiting.entered;
});

Deno.test("who waits for news is told as soon as there are any, and when there are no more", async () => {
  const waiting = new WaitingNews(() => {});
  const reader = waiting.read();
  const turns = async () => {
    for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  };
  const first = reader.next();
  await turns();
  waiting.show(news("1"));
  assertEquals((await first).value, news("1"));
  const last = reader.next();
  await turns();
  waiting.end();
  assertEquals((await last).done, true);
});
