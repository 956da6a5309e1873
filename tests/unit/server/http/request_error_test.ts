/**
 * Why a program's request isn't done, by what the room says.
 *
 * @module
 */

import {
  endedError,
  refusedError,
  type RequestError,
} from "../../../../src/server/http/request_error.ts";
import { type Refusal, REFUSALS } from "../../../../src/protocol/reasons.ts";
import type { Refused } from "../../../../src/server/batch.ts";
import { assertEquals } from "../../../kit/assert.ts";

function of(error: RequestError) {
  const { status, message, retryAfter, reason, said, fields } = error;
  assertEquals([said, fields], [[], {}]);
  return { status, message, retryAfter, reason };
}

Deno.test("refusedError() has the status that a refusal is by HTTP, the words that members get, and when to try again", () => {
  const known: Partial<Record<Refusal, readonly [number, number?]>> = {
    "text-empty": [400],
    "text-too-long": [400],
    "name-taken": [409],
    "person-twin": [409],
    "too-soon": [429, 30],
    "too-often-here": [429, 10],
    "room-full": [503, 10],
    "log-failed": [503, 10],
    "log-unreadable": [503, 10],
  };
  for (const reason of Object.keys(REFUSALS) as Refusal[]) {
    const [status, retryAfter] = known[reason] ?? [403];
    assertEquals(of(refusedError({ reason, detail: "" } as Refused, 30)), {
      status,
      message: REFUSALS[reason],
      retryAfter,
      reason,
    });
  }
  const { retryAfter } = refusedError({ reason: "too-soon", detail: "" }, 0);
  assertEquals(retryAfter, 1, "slow mode may be over by now");
  const detail = "HTTP, who is here";
  const { message } = refusedError({ reason: "name-taken", detail }, 0);
  assertEquals(message, `${REFUSALS["name-taken"]}: ${detail}`);
});

Deno.test("endedError() tells a removal as such, and all else as what may pass; of what was being said, that it may be said", () => {
  for (const isSaying of [false, true]) {
    assertEquals(of(endedError("removed", isSaying)), {
      status: 403,
      message: REFUSALS.removed,
      retryAfter: undefined,
      reason: "removed",
    });
  }
  const stopped = "The room cannot take it now: server stopped";
  const told = { status: 503, retryAfter: 1, reason: undefined };
  assertEquals(of(endedError("stopped", false)), { ...told, message: stopped });
  assertEquals(of(endedError("stopped", true)), {
    ...told,
    message: `${stopped}; what was to be said may be said all the same`,
  });
});
