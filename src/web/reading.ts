/**
 * What a person has read: how much is unread, and from where on.
 *
 * @module
 */

/** Counts what comes while nobody looks. */
export class Reading {
  #isLooking = true;
  #unread = 0;
  #newFrom: string | undefined;
  #upTo = 0;

  /** Whether this person sees what comes. */
  get isLooking(): boolean {
    return this.#isLooking;
  }

  /** How many messages are unread. */
  get unread(): number {
    return this.#unread;
  }

  /** The key of the row before which the mark stands; undefined for none. */
  get newFrom(): string | undefined {
    return this.#newFrom;
  }

  /** The number of the last line that was seen. */
  get upTo(): number {
    return this.#upTo;
  }

  /** This person sees what comes from now on, or doesn't. @param last The number of the last line. */
  look(isLooking: boolean, last: number): void {
    this.saw(last);
    this.#isLooking = isLooking;
    if (isLooking) this.#unread = 0;
  }

  /** A line of that number is there; seen, if anybody looks. */
  saw(last: number): void {
    if (this.#isLooking) this.#upTo = last;
  }

  /** Somebody else has said something. @param key Of its row. */
  came(key: string): void {
    if (this.#isLooking) return;
    if (this.#unread === 0) this.#newFrom = key;
    this.#unread++;
  }

  /** Something of others was missed, and is there now. @param isFirst Whether nothing before it was. */
  missed(key: string, isFirst: boolean): void {
    if (isFirst) this.#newFrom = key;
    if (!this.#isLooking) this.#unread++;
  }

  /** This person says something: what stands above is read, if anybody looks. */
  spoke(): void {
    if (this.#unread === 0) this.#newFrom = undefined;
  }
}
