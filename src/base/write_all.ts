/**
 * Writing all of some bytes, to what may take less at a time.
 *
 * @module
 */

const NOTHING_TAKEN = "nothing more is taken";
/** How long to wait, ms, before writing again to a pipe that is full and won't block. */
const FULL_PIPE_PAUSE = 5;

/**
 * Writes all bytes.
 * @throws {Error} if nothing is taken at all, so that nobody waits for ever; and what the writer throws.
 */
export async function writeAll(
  writer: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const count = await writer.write(bytes.subarray(written));
    if (count === 0) throw new Error(NOTHING_TAKEN);
    written += count;
  }
}

/**
 * Writes all bytes, at once. To a file this is twenty times cheaper than `writeAll`, for which a thread of its
 * own must be woken.
 * @param full Is told of an error, and returns if the writer is to be tried again.
 * @throws as `writeAll`.
 */
export function writeAllSync(
  writer: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
  full: (error: unknown) => void = (error) => {
    throw error;
  },
): void {
  for (let written = 0; written < bytes.length;) {
    let count: number;
    try {
      count = writer.writeSync(bytes.subarray(written));
    } catch (error) {
      full(error);
      continue;
    }
    if (count === 0) throw new Error(NOTHING_TAKEN);
    written += count;
  }
}

/** For `writeAllSync`: waits for a pipe that its other end made non-blocking and reads slowly. @throws any other error. */
export function waitIfFull(error: unknown): void {
  if (!(error instanceof Deno.errors.WouldBlock)) throw error;
  Atomics.wait(
    new Int32Array(new SharedArrayBuffer(4)),
    0,
    0,
    FULL_PIPE_PAUSE,
  );
}
