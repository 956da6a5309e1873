/**
 * Diagnostics: what a program tells its owner, one line a record on standard error.
 *
 *     2026-11-23T17:05:54.120Z warning server: text
 *
 * @module
 */

import {
  configure,
  dispose,
  fromAsyncSink,
  getLogger,
  getTextFormatter,
  getThrottlingFilter,
  type LogRecord,
  sanitizeControlSequences,
} from "@logtape/logtape";
import { within } from "../base/timing.ts";
import { writeAll } from "../base/write_all.ts";

/** How much to tell, from most to nothing. */
export const LEVELS = ["debug", "info", "warning", "error", "off"] as const;

/** How a record is written: for people, or an object of JSON a line. */
export const FORMATS = ["text", "json"] as const;

/** The category under which all loggers are. */
const ROOT = "encrypted-chat";
/** Records that may wait for standard error; beyond that they are dropped. */
const MAX_WAITING = 1_000;
/**
 * Records of one kind, which is to say from one place in the source, that are written in a minute; of more,
 * their number. Strangers can bring about as many as they like, and must not fill the disk with them.
 */
const MAX_ALIKE = 10;
const ALIKE_PERIOD = 60_000;
const encoder = new TextEncoder();
/** How long `stopDiagnostics` waits for standard error, ms: a program must be able to end without it. */
const STOP_TIMEOUT = 500;

const formatText = getTextFormatter({
  timestamp: "rfc3339",
  level: "full",
  category: (category) => category.slice(1).join("."),
  value: (value, inspect) =>
    typeof value === "string" || value instanceof Error
      ? String(value) // of an error what it says, not where it was thrown
      : inspect(value),
  format: ({ timestamp, level, category, message }) =>
    `${timestamp} ${level} ${category}: ${message}`,
});

/** A record as an object, with the level by the name that the flag has for it, and the message as a person reads it. */
function formatJson(
  { timestamp, level, category, message, properties }: LogRecord,
): string {
  const words = message.map((part) =>
    typeof part === "string" || part instanceof Error
      ? String(part)
      : Deno.inspect(part)
  );
  const record = {
    "@timestamp": new Date(timestamp).toISOString(),
    level,
    message: words.join(""),
    logger: category.join("."),
    properties,
  };
  return `${JSON.stringify(record)}\n`;
}

/** A record as one line that no terminal obeys, whatever is in it. */
function lineOf(record: LogRecord, format: string): string {
  if (format === "json") return formatJson(record);
  const text = formatText(record).trimEnd();
  return sanitizeControlSequences(text, {
    sgr: "escape",
    newlines: "escape",
  }) + "\n";
}

/** Lets few records of a kind through; all of them at level debug. */
function throttle(): ((record: LogRecord) => boolean) & Disposable {
  const filter = getThrottlingFilter({
    limit: MAX_ALIKE,
    windowMs: ALIKE_PERIOD,
    clock: () => performance.now(), // the other one may be set back by a day
    summary: {
      // Comes with the next one that is written, or at the end.
      logger: {
        warning: (message, { suppressed }) =>
          diagnostics("diagnostics").warn(message, { suppressed }),
      },
      message: ({ lastRecord: { category } }) =>
        `And {suppressed} more like it from ${category.at(-1)}`,
    },
  });
  return Object.assign(
    (record: LogRecord) => record.level === "debug" || filter(record),
    { [Symbol.dispose]: () => filter[Symbol.dispose]() },
  );
}

let throttled: Disposable | undefined;

/**
 * Begins to write records; those from before are lost.
 * @param level One of `LEVELS`: the least important that is written. @param format One of `FORMATS`.
 * @throws {RangeError} for another.
 */
export async function startDiagnostics(
  level: string,
  format = "text",
): Promise<void> {
  const least = LEVELS.find((known) => known === level);
  if (least === undefined) {
    throw new RangeError(
      `Cannot log from "${level}": the levels are ${LEVELS.join(", ")}`,
    );
  }
  // One record is written at a time, in order, and nobody waits for it.
  const stderr = fromAsyncSink(
    (record) => writeAll(Deno.stderr, encoder.encode(lineOf(record, format))),
    {
      maxQueueSize: MAX_WAITING,
      overflow: "drop-newest",
    },
  );
  const few = throttle();
  throttled = few;
  await configure({
    reset: true,
    sinks: { stderr },
    filters: { few },
    loggers: [
      {
        category: ROOT,
        sinks: ["stderr"],
        filters: ["few"],
        lowestLevel: least === "off" ? null : least,
      },
      // What the library has to say of itself: that standard error can't be written to.
      { category: ["logtape", "meta"], sinks: [], lowestLevel: null },
    ],
  });
}

/** Says something at one level. */
export type Say = (
  message: string,
  properties?: Readonly<Record<string, unknown>>,
) => void;

/** Where one part of a program says what its owner should know. */
export interface Logger {
  /** For finding a fault. */
  readonly debug: Say;
  /** All is well. */
  readonly info: Say;
  /** Something is not, and the program goes on. */
  readonly warn: Say;
  /** Something failed that the owner has to see to. */
  readonly error: Say;
}

/**
 * The logger of one part of a program, at any time. Values go in as properties, as in
 * `logger.warn("No answer from {address}", { address })`, never into the message itself, where braces
 * mean something. What came from strangers is to be escaped before.
 */
export function diagnostics(name: string): Logger {
  const logger = getLogger([ROOT, name]);
  return {
    debug: (message, properties) => logger.debug(message, properties),
    info: (message, properties) => logger.info(message, properties),
    warn: (message, properties) => logger.warn(message, properties),
    error: (message, properties) => logger.error(message, properties),
  };
}

/** Waits until the records so far are written, 500 ms at most: what a program does last. */
export async function stopDiagnostics(): Promise<void> {
  throttled?.[Symbol.dispose](); // says what it has kept back, while that can still be written
  await within(STOP_TIMEOUT, dispose());
}
