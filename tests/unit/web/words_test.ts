/**
 * Tests of small things that the page's panels write and draw.
 *
 * @module
 */

import { encodeQR } from "qr";
import type { FileNews, RoomNews } from "../../../src/client/view.ts";
import type { Found } from "../../../src/web/room_model.ts";
import {
  fileState,
  isPictureName,
} from "../../../src/web/view/files/file_state.ts";
import {
  daysAgo,
  dayTime,
  idleFor,
} from "../../../src/web/view/kit/moments.ts";
import { placeName } from "../../../src/web/view/kit/place_name.ts";
import { modulesPath } from "../../../src/web/view/kit/qr_code.tsx";
import {
  olderBefore,
  withNewer,
} from "../../../src/web/view/panels/search_results.ts";
import { assertEquals } from "../../kit/assert.ts";

const MINUTE = 60_000;

Deno.test("placeName() is a room's host and port, as people say it", () => {
  assertEquals(placeName("https://chat.example"), "chat.example");
  assertEquals(placeName("http://192.0.2.7:8080"), "192.0.2.7:8080");
  assertEquals(placeName("http://[2001:db8::7]:8080"), "[2001:db8::7]:8080");
  assertEquals(placeName("no place"), "no place");
});

Deno.test("daysAgo() counts days, not hours", () => {
  const at = new Date(2026, 10, 23, 1).getTime();
  const late = new Date(2026, 10, 22, 23).getTime();
  assertEquals(daysAgo(late, at), "yesterday");
  assertEquals(daysAgo(at, at), "today");
  assertEquals(daysAgo(at + MINUTE, at), "today");
  assertEquals(daysAgo(new Date(2026, 10, 18).getTime(), at), "5 days ago");
});

Deno.test("dayTime() has the day where it isn't today", () => {
  const now = new Date(2026, 10, 23, 17, 5).getTime();
  const before = new Date(2026, 10, 20, 9, 30).getTime();
  assertEquals(dayTime(now, false, now), "17:05");
  assertEquals(dayTime(before, false, now), "Friday 20 November, 09:30");
});

Deno.test("idleFor() is in the greatest unit, rounded down", () => {
  assertEquals(idleFor(0, MINUTE - 1), "");
  assertEquals(idleFor(0, 3.9 * MINUTE), "3 min");
  assertEquals(idleFor(0, 150 * MINUTE), "2 h");
  assertEquals(idleFor(0, 49 * 60 * MINUTE), "2 d");
});

Deno.test("modulesPath() draws the dark modules and no others", () => {
  assertEquals(
    modulesPath([[true, true, false, true], [false, false, false, false]]),
    "M0 0h2v1h-2zM3 0h1v1h-1z",
  );
  const rows = encodeQR("http://192.0.2.7:8080/#q3Zk", "raw");
  const drawn = rows.map((row) => row.map(() => false));
  const runs = modulesPath(rows).matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g);
  for (const [_, x, y, width, back] of runs) {
    assertEquals(width, back);
    drawn[Number(y)]?.fill(true, Number(x), Number(x) + Number(width));
  }
  assertEquals(drawn, rows);
});

Deno.test("fileState() says how a file comes", () => {
  const offer = { size: 1_200_000 };
  const news = (state: FileNews["state"], more: Partial<FileNews> = {}) => ({
    type: "file",
    offer: 7,
    name: "hut.jpg",
    size: 1_200_000,
    got: 400_000,
    state,
    path: "",
    reason: "",
    ...more,
  } as const);
  assertEquals(fileState(offer, undefined, false), "1.2 MB");
  assertEquals(fileState(offer, undefined, true), "1.2 MB, offered by you");
  const shown = [
    news("taking"),
    news("waiting", { reason: "ana is away\u202e" }),
    news("taken"),
    news("failed", { dropped: true }),
    news("failed", { reason: "its bytes are not those that were offered" }),
  ].map((it) => fileState(offer, it, false));
  assertEquals(shown, [
    "400 kB of 1.2 MB",
    "400 kB of 1.2 MB, waiting: ana is away\\u202e",
    "1.2 MB, checksum verified",
    "400 kB of 1.2 MB, stopped",
    "Not downloaded: its bytes are not those that were offered",
  ]);
});

Deno.test("isPictureName() takes pictures that can be shown, and no SVG", () => {
  const names = ["a.png", "B.JPG", "c.jpeg", "d.gif", "e.webp"];
  assertEquals(names.filter(isPictureName), names);
  assertEquals(
    ["a.svg", "png", "a.png.exe", "a.html"].filter(isPictureName),
    [],
  );
});

Deno.test("a search goes on before the first line that was found, or before what was looked through", () => {
  const line = (seq: number) => ({ type: "said", seq } as RoomNews);
  const found = (lines: RoomNews[], more: boolean, backTo?: number): Found => ({
    ...{ type: "found", words: "hut", lines, more },
    ...(backTo === undefined ? {} : { backTo }),
  });
  const warning = { type: "warning", line: 7 } as Found["lines"][number];
  assertEquals(olderBefore(found([line(8), line(9)], true)), 8);
  assertEquals(olderBefore(found([line(8)], false)), undefined);
  assertEquals(olderBefore(found([line(8)], true, 5)), 5);
  assertEquals(
    olderBefore({ ...found([], true), lines: [warning, line(9)] }),
    9,
  );
  const newer = found([line(9)], true);
  const older = found([line(4)], false);
  assertEquals(withNewer(older, newer), found([line(4), line(9)], false));
  assertEquals(withNewer(older, { ...newer, words: "key" }), older);
  assertEquals(withNewer(older, null), older);
});
