/**
 * What flags come to: addresses, the files beside the log, and flags that need others.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import {
  controlFile,
  FLAGS,
  httpAddress,
  metricsAddress,
  ownAddress,
  portAddress,
  requireWeb,
  tokenFile,
  type Values,
} from "../../../src/server/flags.ts";
import { assertEquals, assertThrows } from "../../kit/assert.ts";

const valuesOf = (...args: string[]): Values =>
  parseFlags(args, FLAGS, { positionals: 0, home: "/home/ana" }).values;

Deno.test("portAddress() takes PORT, which is at the host, or HOST:PORT, and nothing else", () => {
  const taken = [
    ["0", "h", 0],
    ["8080", "h", 8080],
    ["65535", "h", 65_535],
    ["127.0.0.2:80", "127.0.0.2", 80],
    ["[::1]:80", "::1", 80],
    ["chat.example:80", "chat.example", 80],
  ] as const;
  for (const [text, host, port] of taken) {
    assertEquals(portAddress("web", text, "h"), { host, port }, text);
  }
  for (
    const text of [
      "",
      "x",
      "65536",
      "100000",
      "-1",
      "8080x",
      "80:x",
      "x8080",
      ":",
    ]
  ) {
    assertThrows(
      () => portAddress("web", text, "h"),
      UsageError,
      `Cannot use --web ${
        JSON.stringify(text)
      }: it is PORT or HOST:PORT, like `,
    );
  }
});

Deno.test("addresses are those that flags give, and none where they don't", () => {
  const none = valuesOf();
  const all = [httpAddress, metricsAddress, ownAddress];
  assertEquals(all.map((of) => of(none)), all.map(() => undefined));
  const at = (host: string, port: number) => ({ host, port });
  assertEquals(httpAddress(valuesOf("--http=80")), at("127.0.0.1", 80));
  const http = valuesOf("--http=[::]:80", "--http-tokens=/t");
  assertEquals(httpAddress(http), at("::", 80));
  assertThrows(
    () => httpAddress(valuesOf("--http-tokens=/t")),
    UsageError,
    "--http-tokens needs --http, which is missing",
  );
  const metrics = metricsAddress(valuesOf("--metrics=127.0.0.1:9464"));
  assertEquals(metrics, at("127.0.0.1", 9464));
  const own = ownAddress(valuesOf("--address=chat.example:5000"));
  assertEquals(own, at("chat.example", 5000));
  assertThrows(
    () => metricsAddress(valuesOf("--metrics=9464")),
    UsageError,
    'Cannot use --metrics "9464": it is HOST:PORT, like 127.0.0.1:9464',
  );
  assertThrows(
    () => ownAddress(valuesOf("--address=chat.example")),
    UsageError,
    'Cannot use --address "chat.example": it is HOST:PORT, like chat.example.org:5000',
  );
});

Deno.test("a sealed room's file and the tokens are beside the log, unless flags say where", () => {
  const beside = valuesOf("--log=/var/chat/room.log");
  assertEquals([controlFile(beside), tokenFile(beside)], [
    "/var/chat/room.control",
    "/var/chat/room.tokens",
  ]);
  const own = valuesOf("--log=/l", "--control=/c", "--http-tokens=/t");
  assertEquals([controlFile(own), tokenFile(own)], ["/c", "/t"]);
});

Deno.test("flags of the web page are refused where there is none", () => {
  for (const flag of ["web-cert", "web-key", "web-url"]) {
    const arg = `--${flag}=/x`;
    assertThrows(
      () => requireWeb(valuesOf(arg)),
      UsageError,
      `--${flag} needs --web, which is missing`,
    );
    requireWeb(valuesOf(arg, "--web=80"));
  }
  requireWeb(valuesOf());
});
