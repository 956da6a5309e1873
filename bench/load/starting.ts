/**
 * How long the server takes to listen, and how much memory it takes: with an empty log, and with a log of 1 GB.
 *
 * @module
 */

import { spread, type StartFigures } from "./figures.ts";
import { type Pinning, ServerProcess } from "./processes.ts";
import { usageOf } from "./usage.ts";

/** How often each start is measured. */
const STARTS = 10;
const LARGE_STARTS = 3;
/** The large log, bytes, and a piece of it. */
const LARGE_SIZE = 1_000_000_000;
const PIECE_LINES = 10_000;

/** Lines that people might have written: about 115 bytes each, from three members in turn. */
function piece(): Uint8Array<ArrayBuffer> {
  const keys = ["3f9a1c02d417", "5b20aa91c3fe", "7b770c4388f2"];
  const lines = Array.from({ length: PIECE_LINES }, (_, n) => {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString();
    const key = keys[n % keys.length];
    return `${at} ${key}.${n} | member-${n}: the quick brown fox jumps over the lazy dog, and back\n`;
  });
  return new TextEncoder().encode(lines.join(""));
}

/** A log of at least so many bytes, in whole lines. */
function largeLog(size: number): ReadableStream<Uint8Array> {
  const bytes = piece();
  let written = 0;
  return new ReadableStream({
    pull(controller) {
      if (written >= size) return controller.close();
      controller.enqueue(bytes);
      written += bytes.length;
    },
  });
}

async function measure(
  starts: number,
  logSize: number,
  pins: Pinning,
  stop: AbortSignal,
): Promise<StartFigures> {
  const times: number[] = [];
  const memory: number[] = [];
  for (let at = 0; at < starts; at++) {
    const options = logSize > 0 ? { log: largeLog(logSize) } : {};
    const flags = ["--log-size", "0"]; // or a large log is put aside
    await using server = await ServerProcess.start(
      pins,
      flags,
      stop,
      options,
    );
    times.push(server.listenTime);
    memory.push((await usageOf(server.pid)).memory / 1e6);
  }
  return { logSize, listenMs: spread(times), memoryMb: spread(memory) };
}

/** Both kinds of start. The large log has just been written: the system has it in memory. */
export async function measureStarts(
  pins: Pinning,
  stop: AbortSignal,
): Promise<StartFigures[]> {
  return [
    await measure(STARTS, 0, pins, stop),
    await measure(LARGE_STARTS, LARGE_SIZE, pins, stop),
  ];
}
