/**
 * Links to the web page, by where a server listens.
 *
 * @module
 */

import { importKeyPair } from "../../../../src/crypto/x25519.ts";
import type { RoomKeys } from "../../../../src/keys/key_file.ts";
import {
  webLines,
  webLink,
  webLinksOf,
} from "../../../../src/server/web/web_links.ts";
import { outsideAddress } from "../../../../src/server/addresses.ts";
import { assertEquals, assertMatch } from "../../../kit/assert.ts";

const LINK = "chat://192.0.2.7:5000/#key";

async function keysWith(web: string | undefined): Promise<RoomKeys> {
  const secret = new Uint8Array(32).fill(7);
  const keyPair = await importKeyPair(secret);
  const listening = { host: "192.0.2.7", port: 5000 };
  const own = { listening, address: undefined, servers: [] };
  return { keyPair, roomKey: secret, ...own, web, inviteId: 0 };
}

const table: readonly (readonly [string, string | undefined, string])[] = [
  // What it is, what is printed for browsers, and the link that is sent.
  [
    "http://127.0.0.1:8080",
    "In a browser here: http://localhost:8080/#key",
    "http://localhost:8080/#key",
  ],
  [
    "http://[::1]:8080",
    "In a browser here: http://localhost:8080/#key",
    "http://localhost:8080/#key",
  ],
  ["http://192.0.2.7:8080", undefined, "http://192.0.2.7:8080/#key"],
  ["http://[2001:db8::7]:8080", undefined, "http://[2001:db8::7]:8080/#key"],
  [
    "http://[2001:db8:0:1::7]:8080",
    undefined,
    "http://[2001:db8:0:1::7]:8080/#key",
  ],
  [
    "https://chat.example.org",
    "In a browser:      https://chat.example.org/#key",
    "https://chat.example.org/#key",
  ],
  [
    "https://chat.example.org:8443",
    "In a browser:      https://chat.example.org:8443/#key",
    "https://chat.example.org:8443/#key",
  ],
  [
    "https://127.0.0.1:8443",
    "In a browser here: https://127.0.0.1:8443/#key",
    "https://127.0.0.1:8443/#key",
  ],
  [
    "https://localhost:8443",
    "In a browser here: https://localhost:8443/#key",
    "https://localhost:8443/#key",
  ],
];

for (const [web, line, link] of table) {
  Deno.test(`links to the page of ${web} lead there`, async () => {
    const keys = await keysWith(web);
    assertEquals(webLink(keys, LINK), link);
    assertEquals(webLinksOf(keys, LINK), [link]);
    const hints = {
      link: LINK,
      source: "SOURCE",
      isSealed: false,
      width: 19,
    };
    const { links, notes } = webLines(keys, hints);
    assertEquals(links, line === undefined ? [] : [line]);
    const isPlain = web.startsWith("http:") && line === undefined;
    assertEquals(notes.length > 0, isPlain, "what plain HTTP can't is said");
  });
}

Deno.test("links that may not be shown are named, and the page's place is", async () => {
  const keys = await keysWith("https://chat.example.org");
  const hints = {
    link: false,
    source: "the link that COMMAND prints",
    isSealed: false,
    width: 14,
  } as const;
  assertEquals(webLines(keys, hints).links, [
    "In a browser: https://chat.example.org/ (newcomers: the link that COMMAND prints)",
  ]);
});

Deno.test("a server on every address has a link for this machine, and one for others", async () => {
  const { here, others } = {
    here: "http://localhost:8080/#key",
    others: /^http:\/\/(?!localhost)[^/]+:8080\/#key$/,
  };
  const keys = await keysWith("http://0.0.0.0:8080");
  const [first, second = "", ...more] = webLinksOf(keys, LINK);
  assertEquals([first, more], [here, []]);
  if (outsideAddress({ host: "0.0.0.0", port: 8080 })) {
    assertMatch(second, others);
    assertEquals(webLink(keys, LINK), second, "an invite is for somebody else");
  }
});

Deno.test("page over plain HTTP is for this machine, and what others have to do is said", async () => {
  const keys = await keysWith("http://192.0.2.7:8080");
  const hints = { link: LINK, source: "SOURCE", isSealed: false, width: 19 };
  assertEquals(webLines(keys, hints), {
    links: [],
    notes: [
      "",
      "Browsers on other machines need HTTPS (--web-cert), or to save http://192.0.2.7:8080/chat.html,",
      "open that file, and give it SOURCE.",
    ],
    isReachable: false,
  });
  const here = webLines(await keysWith("http://127.0.0.1:8080"), hints);
  assertEquals([here.notes, here.isReachable], [[], false]);
  const secure = webLines(await keysWith("https://192.0.2.7"), hints);
  assertEquals([secure.notes, secure.isReachable], [[], true]);
});

Deno.test("sealed room's page is to be saved and opened from there, with the link where it may be shown", async () => {
  const notes = [
    "A page that this server delivers refuses to work: who delivers it could read the room.",
  ];
  const hints = { source: "SOURCE", isSealed: true, width: 14 };
  const keys = await keysWith("https://chat.example.org");
  const file = "https://chat.example.org/chat.html";
  assertEquals(webLines(keys, { ...hints, link: undefined }), {
    links: [`In a browser: save ${file}, and open that file`],
    notes,
    isReachable: true,
  });
  for (
    const [link, told] of [
      [LINK, "https://chat.example.org/#key"],
      [false, "SOURCE"],
    ] as const
  ) {
    assertEquals(webLines(keys, { ...hints, link }).links, [
      `In a browser: save ${file}, open that file, and give it`,
      `              ${told}`,
    ]);
  }
  const here = await keysWith("http://127.0.0.1:8080");
  const lines = webLines(here, { ...hints, link: undefined });
  assertEquals(lines, {
    links: [
      "In a browser: save http://localhost:8080/chat.html, and open that file",
    ],
    notes,
    isReachable: false,
  });
});

Deno.test("server without a page has no links to it", async () => {
  const keys = await keysWith(undefined);
  assertEquals(webLink(keys, LINK), undefined);
  const hints = { link: LINK, source: "SOURCE", isSealed: true, width: 14 };
  assertEquals(webLines(keys, hints), {
    links: [],
    notes: [],
    isReachable: false,
  });
  assertEquals(webLinksOf(keys, LINK), []);
});
