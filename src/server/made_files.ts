/**
 * The files that a start makes, which are gone again if it fails: a folder in which a server couldn't be started is as
 * it was before.
 *
 * @module
 */

/** Files that this process has made, and nobody has used yet. */
export class MadeFiles implements Disposable {
  readonly #sizes = new Map<string, number>(); // by path, when last looked at

  /** A file was made, or changed by the one who made it. */
  readonly add = (path: string): void => {
    this.#sizes.set(path, Deno.statSync(path).size);
  };

  /** The start has succeeded: they stay. */
  keep(): void {
    this.#sizes.clear();
  }

  /** Removes them, but for those that somebody else has added to. */
  [Symbol.dispose](): void {
    for (const [path, size] of this.#sizes) {
      try {
        if (Deno.statSync(path).size === size) Deno.removeSync(path);
      } catch {
        // Gone already, or not to be removed: what the start failed of is what is told.
      }
    }
  }
}
