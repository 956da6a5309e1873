/**
 * The one sequence of broadcast records that every member must get: what the first who sees a record notes of it,
 * all others are held to.
 *
 * @module
 */

/** How many of a record's last bytes, which are the end of its signature, are compared. */
export const PRINT_SIZE = 6;

/**
 * One of a room's servers, as those members see it who came by it: each server seals under keys of its own, so what is the
 * same for all of its members is another sequence of bytes than at the other servers.
 */
export class Door {
  /** What its members are held to. */
  readonly sequence = new Sequence();
  /** How many came by it, the extra sender included. */
  everybody = 0;

  /** Nobody has come. @param port On this machine. */
  constructor(readonly port: number) {}
}

/** The records from the room's first on. */
export class Sequence {
  readonly #sizes: number[] = [];
  readonly #prints: number[] = [];
  readonly #indexes = new Map<number, number>(); // by print
  readonly #met: number[] = []; // how many members have got each record
  readonly #counts: (number | undefined)[] = []; // how many messages each record holds
  readonly #messages = [0]; // how many were said before each record, as far as that is known

  /** How many records have been seen. */
  get length(): number {
    return this.#sizes.length;
  }

  /** How many records, from the first on, have been opened by somebody. */
  get opened(): number {
    return this.#messages.length - 1;
  }

  /** Where a record stands, undefined if nobody has seen it. */
  find(print: number): number | undefined {
    return this.#indexes.get(print);
  }

  /**
   * Notes or checks the record at an index.
   * @param size The whole record, bytes. @param print Its last bytes, as a number.
   * @throws {Error} if another member got another record there.
   */
  meet(index: number, size: number, print: number): void {
    if (index === this.#sizes.length) {
      this.#sizes.push(size);
      this.#prints.push(print);
      this.#met.push(0);
      this.#indexes.set(print, index);
    } else if (this.#sizes[index] !== size || this.#prints[index] !== print) {
      throw new Error(`Cannot go on: record ${index} isn't the same for all`);
    }
    this.#met[index] = this.metBy(index) + 1;
  }

  /** How many members have got the record at an index. */
  metBy(index: number): number {
    return this.#met[index] ?? 0;
  }

  /**
   * Notes or checks how many messages the record at an index holds.
   * @returns Whether it was news. @throws {Error} if another member found another number.
   */
  open(index: number, messages: number): boolean {
    const known = this.#counts[index];
    if (known !== undefined && known !== messages) {
      throw new Error(`Cannot go on: record ${index} says different things`);
    }
    this.#counts[index] = messages;
    for (let count; (count = this.#counts[this.opened]) !== undefined;) {
      this.#messages.push(this.messagesBefore(this.opened) + count);
    }
    return known === undefined;
  }

  /** How many messages stand before the record at an index. @throws {RangeError} if nobody knows yet. */
  messagesBefore(index: number): number {
    const messages = this.#messages[index];
    if (messages === undefined) {
      throw new RangeError(`Cannot tell what stands before record ${index}`);
    }
    return messages;
  }
}
