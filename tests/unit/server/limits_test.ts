/**
 * Tests of `src/server/limits.ts`: what flags come to.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { FLAGS } from "../../../src/server/flags.ts";
import { admissionPause, limitsOf } from "../../../src/server/limits.ts";
import { assertEquals, assertThrows } from "../../kit/assert.ts";

/** The limits that command-line arguments ask for. */
function limits(...args: string[]) {
  return limitsOf(parseFlags(args, FLAGS, { positionals: 0 }).values);
}

Deno.test("limitsOf() has the limits that the documentation names where no flag is set", () => {
  assertEquals(limits(), {
    maxMembers: 10_000,
    history: 50,
    ringSize: 8_388_608,
    logSize: 100_000_000,
    keep: undefined,
    maxFileSize: 16_777_216,
    maxTransfers: 32,
    maxConnections: 10_512,
    maxPerNetwork: 64,
    maxFromLoopback: Infinity,
    handshakes: {
      max: 512,
      maxPerNetwork: 64,
      newPerNetwork: 256,
      countLoopback: false,
      failedPerNetwork: 5,
    },
    handshakeTime: 10_000,
    rates: { burst: 10_000, perSecond: 500, bytesPerMessage: 1_024 },
  });
});

Deno.test("limitsOf() takes each limit from its flag, in its unit, and counts this machine where an address's is set", () => {
  const args = {
    "max-clients": 11,
    history: 12,
    "ring-size": 13,
    "log-size": 14,
    "max-file": 15,
    "max-transfers": 16,
    "max-connections": 17,
    "max-per-address": 18,
    "max-handshakes": 19,
    "max-handshakes-per-address": 20,
    "new-per-address": 21,
    "failed-per-address": 22,
    "handshake-time": 23,
    burst: 24,
    rate: 25,
    "bytes-per-message": 64,
  };
  const words = Object.entries(args).flatMap(([name, it]) => [
    `--${name}`,
    `${it}`,
  ]);
  assertEquals(limits(...words), {
    maxMembers: 11,
    history: 12,
    ringSize: 13 * 1_048_576,
    logSize: 14_000_000,
    keep: undefined,
    maxFileSize: 15 * 1_048_576,
    maxTransfers: 16,
    maxConnections: 17,
    maxPerNetwork: 18,
    maxFromLoopback: 18,
    handshakes: {
      max: 19,
      maxPerNetwork: 20,
      newPerNetwork: 21,
      countLoopback: true,
      failedPerNetwork: 22,
    },
    handshakeTime: 23_000,
    rates: { burst: 24, perSecond: 25, bytesPerMessage: 64 },
  });
  assertEquals(limits("--max-clients", "9").maxConnections, 521);
});

Deno.test("limitsOf() takes --keep as an age or a size, and refuses anything else", () => {
  const kept = [
    ["30m", { age: 1_800_000 }],
    ["12h", { age: 43_200_000 }],
    ["30d", { age: 2_592_000_000 }],
    ["52w", { age: 31_449_600_000 }],
    ["999999h", { age: 3_599_996_400_000 }],
    ["500MB", { size: 500_000_000 }],
    ["2GB", { size: 2_000_000_000 }],
  ] as const;
  for (const [keep, expected] of kept) {
    assertEquals(limits("--keep", keep).keep, expected);
  }
  const wrong = ["0d", "0MB", "d", "30", "30D", "30 d", "1.5h", "1TB", "30dd"];
  for (const keep of [...wrong, "x30d", "1000000d", "50mb"]) {
    assertThrows(
      () => limits("--keep", keep),
      UsageError,
      `Cannot use --keep ${
        JSON.stringify(keep)
      }: it is an age like 12h, 30d or 52w, or a size like 500MB or 1GB`,
    );
  }
  assertThrows(
    () => limits("--archive", "old"),
    UsageError,
    "--archive needs --keep, which is missing",
  );
  assertEquals(limits("--archive", "old", "--keep", "1d").keep, {
    age: 86_400_000,
  });
});

Deno.test("limitsOf() has a file of the log no larger than a tenth of the size that is kept", () => {
  const logSize = (keep: string, size: string) =>
    limits("--keep", keep, "--log-size", size).logSize;
  assertEquals(logSize("500MB", "100"), 50_000_000);
  assertEquals(logSize("500MB", "0"), 50_000_000);
  assertEquals(logSize("500MB", "10"), 10_000_000);
  assertEquals([logSize("30d", "100"), logSize("30d", "0")], [100_000_000, 0]);
});

Deno.test("admissionPause() is longer the more there are to be told, within bounds", () => {
  const pauses = [0, 100, 101, 1_000, 2_500, 2_501, 10_000];
  assertEquals(
    pauses.map(admissionPause),
    [20, 20, 20.200000000000003, 200, 500, 500, 500],
  );
});
