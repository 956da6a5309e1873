import { UsageError } from "../../../../src/base/usage_error.ts";
import {
  parseExceptions,
  parseProxy,
} from "../../../../src/client/proxy/proxy_setting.ts";
import { assert, assertEquals, assertThrows } from "../../../kit/assert.ts";

Deno.test("parseProxy() reads the proxy's address, and who one is", () => {
  const login = { user: "ana", password: "s:e@c/r%t ü" };
  const all = [
    ["socks5://127.0.0.1:9050", { host: "127.0.0.1", port: 9050 }],
    ["socks5h://Proxy.Example:1080", { host: "proxy.example", port: 1080 }],
    ["SOCKS5://[::1]:9050/", { host: "::1", port: 9050 }],
    ["socks5://[2001:db8:0::1]", { host: "2001:db8::1", port: 1080 }],
    ["socks5://localhost", { host: "localhost", port: 1080 }],
    [
      "socks5://ana:s:e@c%2Fr%25t%20%C3%BC@localhost:1",
      { host: "localhost", port: 1, login },
    ],
  ] as const;
  for (const [text, proxy] of all) assertEquals(parseProxy(text, ""), proxy);
  const longest = { user: "ü".repeat(127) + "u", password: "p".repeat(255) };
  const { user, password } = longest;
  const text = `socks5://${encodeURIComponent(user)}:${password}@localhost`;
  assertEquals(parseProxy(text, "").login, longest);
});

Deno.test("parseProxy() refuses all else, and repeats nothing of it", () => {
  const all = [
    ...["", "socks5://", "127.0.0.1:9050", "http://secret@127.0.0.1:3128"],
    ...["socks4://127.0.0.1:1080", "socks5://secret@127.0.0.1:1080"],
    ...["socks5://:secret@127.0.0.1:1080", "socks5://ana:@127.0.0.1"],
    ...["socks5://ana:secret@", "socks5://ana:secret@127.0.0.1:0"],
    ...["socks5://ana:secret@127.0.0.1:65536", "socks5://127.0.0.1:1/secret"],
    ...["socks5://::1:1080", "socks5://ana:secret%@127.0.0.1"],
    ...["secret socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080 secret"],
    `socks5://ana:${"s".repeat(256)}@127.0.0.1`,
    `socks5://ana:${"secret".repeat(43)}@127.0.0.1`,
    `socks5://${"ü".repeat(128)}:secret@127.0.0.1`,
  ];
  for (const text of all) {
    const error = assertThrows(
      () => parseProxy(text, "ALL_PROXY"),
      UsageError,
      "Cannot use ALL_PROXY: a proxy is socks5://HOST:PORT or",
    );
    assert(!String(error).includes("secret"), text);
  }
});

Deno.test("parseExceptions() has this machine itself, and what a list names", () => {
  const list =
    "example.org, .Example.net *.example.com\t10.0.0.0/8,,[::2] 1.2.3.4";
  const exceptions = parseExceptions(list);
  const past = [
    ...["localhost", "127.0.0.1", "127.9.9.9", "::1", "10.1.2.3", "::2"],
    ...["1.2.3.4", "example.org", "a.b.example.org", "example.net"],
    ...["a.example.net", "a.example.com"],
  ];
  const through = [
    ...["example", "org", "notexample.org", "example.org.evil", "11.0.0.1"],
    ...["1.2.3.5", "::3", "0.0.0.0", "localhost.example", "elsewhere."],
  ];
  const has = (host: string) => exceptions.has({ host, port: 1 });
  assertEquals(past.filter((it) => !has(it)), []);
  assertEquals(through.filter(has), []);
});

Deno.test("parseExceptions() of an empty list has this machine alone, and of * all", () => {
  const host = "chat.example.org";
  assert(!parseExceptions("").has({ host, port: 5000 }));
  assert(!parseExceptions("").has({ host: "elsewhere.", port: 5000 }));
  assert(parseExceptions("").has({ host: "localhost", port: 5000 }));
  assert(parseExceptions("*").has({ host, port: 5000 }));
});
