/**
 * Where the lines of one file are: counts them, and keeps a place for every 256 KiB from which to read.
 *
 * @module
 */

/** One place is kept for this many bytes: 4,000 of them for a file of 1 GB. */
const STRETCH_SIZE = 262_144;
/** What ends a line. */
export const LINE_BREAK = 10;

/** The beginning of a line in a file. */
export interface Place {
  /** The number of the line before. */
  readonly before: number;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
}

/** Some whole lines of a file, in a row. */
export interface Stretch extends Place {
  /** Bytes, with the last line break: about 256 KiB where lines are ours. */
  readonly size: number;
}

/** Where lines are in a file: counts the line breaks of all that it holds, in order. */
export class LineIndex {
  readonly #start: Place;
  #last: number;
  #end: number;
  #size: number;
  /** Behind the start, in order. */
  readonly #places: Place[] = [];
  /** The end of a line from which on there is another place, bytes. */
  #next: number;

  /** An index of the lines that begin at a place. */
  constructor(start: Place) {
    this.#start = start;
    this.#last = start.before;
    this.#end = start.offset;
    this.#size = start.offset;
    this.#next = start.offset + STRETCH_SIZE;
  }

  /** The number of the last whole line. */
  get last(): number {
    return this.#last;
  }

  /** Where the last whole line ends, bytes. */
  get end(): number {
    return this.#end;
  }

  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void {
    let at = bytes.indexOf(LINE_BREAK);
    for (; at >= 0; at = bytes.indexOf(LINE_BREAK, at + 1)) {
      this.#end = this.#size + at + 1;
      this.#last++;
      if (this.#end < this.#next) continue;
      this.#places.push({ before: this.#last, offset: this.#end });
      this.#next = this.#end + STRETCH_SIZE;
    }
    this.#size += bytes.length;
  }

  /** Forgets an unfinished last line. */
  cut(): void {
    this.#size = this.#end;
  }

  /** A place from which to read towards the line after `line`. */
  before(line: number): Place {
    return this.#places.findLast(({ before }) => before <= line) ?? this.#start;
  }

  /** All lines before the line `line`, and some after, the last stretch first. */
  *back(line: number): Generator<Stretch> {
    let end = this.#end;
    for (const place of [this.#start, ...this.#places].reverse()) {
      const size = end - place.offset;
      if (size > 0 && place.before + 1 < line) yield { ...place, size };
      end = place.offset;
    }
  }
}
