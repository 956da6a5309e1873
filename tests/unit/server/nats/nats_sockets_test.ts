/**
 * Errors of sockets for which nobody listens: those of NATS's connections end nothing, and all others do what they did.
 *
 * @module
 */

import { assertEquals } from "../../../kit/assert.ts";
import { withMethod } from "../../../kit/log_kit.ts";

type Sockets = typeof import("../../../../src/server/nats/nats_sockets.ts");

/** The module as in a program that has just started, and what it listens by. */
async function watched() {
  const path = "../../../../src/server/nats/nats_sockets.ts";
  const sockets: Sockets = await import(`${path}?${crypto.randomUUID()}`);
  const listeners: ((event: ErrorEvent) => void)[] = [];
  const add = (kind: string, listener: unknown) => {
    assertEquals(kind, "error");
    listeners.push(listener as typeof listeners[number]);
  };
  await withMethod(globalThis, "addEventListener", () => add as never, () => {
    sockets.watchSockets();
    sockets.watchSockets();
    return Promise.resolve();
  });
  assertEquals(listeners.length, 1);
  /** An error that nobody has caught. @returns Whether that is all that comes of it. */
  const raise = (error: unknown): boolean => {
    const event = new ErrorEvent("error", { error, cancelable: true });
    listeners[0]?.(event);
    return event.defaultPrevented;
  };
  return { raise, takeRefusal: sockets.takeRefusal };
}

function coded(code: unknown, syscall?: unknown): Error {
  return Object.assign(new Error("x"), { code, syscall });
}

Deno.test("errors of sockets end nothing, and what TLS has refused is told once", async () => {
  const { raise, takeRefusal } = await watched();
  for (const call of ["read", "write", "connect", "shutdown"]) {
    assertEquals(raise(coded("ECONNRESET", call)), true);
  }
  assertEquals(takeRefusal(), undefined);
  const [first, last] = [coded("ERR_TLS_X"), coded("ERR_SSL_Y")];
  assertEquals([raise(first), raise(last)], [true, true]);
  assertEquals([takeRefusal(), takeRefusal()], [last, undefined]);
});

Deno.test("other errors that nobody has caught are what they are", async () => {
  const { raise, takeRefusal } = await watched();
  for (
    const error of [
      "text",
      new Error("x"),
      coded("ECONNRESET"),
      coded("ECONNRESET", "open"),
      coded("ECONNRESET", "reader"),
      coded("ECONNRESET", "pread"),
      coded(5, "read"),
      coded("ERR_HTTP_X"),
      coded("X_ERR_TLS_X"),
      coded("ERR_TLSX"),
      { code: "ERR_TLS_X" },
      undefined,
    ]
  ) assertEquals(raise(error), false);
  assertEquals(takeRefusal(), undefined);
});
