/**
 * Why a program's request isn't done: the status, and the sentence that it is answered with.
 *
 * @module
 */

import {
  type Goodbye,
  GOODBYES,
  reasonWords,
  type Refusal,
} from "../../protocol/reasons.ts";
import type { Refused } from "../batch.ts";

/** How soon a program is to try again where nothing says when, seconds. */
const SOON = 1;
const LATER = 10;

/** A request that isn't done. */
export class RequestError extends Error {
  /** The numbers of messages of the same request that were said all the same. */
  said: readonly number[] = [];
  /** Fields of the answer's head. */
  fields: Readonly<Record<string, string>> = {};

  /**
   * Says why.
   * @param status As HTTP has it. @param message A sentence, without a full stop.
   * @param retryAfter When it may be tried again, seconds; undefined: not as it is.
   * @param reason A key of `REFUSALS`, where it is one.
   */
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter?: number,
    readonly reason?: Refusal,
  ) {
    super(message);
  }
}

/** As members are refused. @param slow Seconds between two lines of a member. */
export function refusedError(
  { reason, detail }: Refused,
  slow: number,
): RequestError {
  const [status, retryAfter] = statusOf(reason, slow);
  return new RequestError(
    status,
    reasonWords(reason, detail),
    retryAfter,
    reason,
  );
}

function statusOf(reason: Refusal, slow: number): [number, number?] {
  switch (reason) {
    case "text-empty":
    case "text-too-long":
      return [400];
    case "name-taken":
    case "person-twin":
      return [409];
    case "too-soon":
      return [429, Math.max(slow, SOON)];
    case "too-often-here":
      return [429, LATER];
    case "room-full":
    case "log-failed":
    case "log-unreadable":
      return [503, LATER];
    default:
      return [403];
  }
}

/**
 * The program's place in the room has ended.
 * @param isSaying Whether something was under way that may be in the log later, or at the room's other servers.
 */
export function endedError(ended: Goodbye, isSaying: boolean): RequestError {
  if (ended === "removed") {
    return refusedError({ reason: "removed", detail: "" }, 0);
  }
  const why = GOODBYES[ended];
  const said = isSaying ? "; what was to be said may be said all the same" : "";
  return new RequestError(
    503,
    `The room cannot take it now: ${why}${said}`,
    SOON,
  );
}
