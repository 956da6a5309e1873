/**
 * Temporary folders, and free ports.
 *
 * @module
 */

/** Ports that are offered: below those that systems hand out by themselves, so that none is taken by chance. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
/** How often a folder is removed anew while something still comes into it. */
const MAX_REMOVALS = 100;
/** How long a file may take to be as it must, ms: so long only where something hangs. */
const FILE_TIME = 60_000;
/** How much of a file is told where it isn't as it must be, characters. */
const TOLD = 2_000;

/** A temporary folder, gone at the end. */
export class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Makes an empty one. */
  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "chat-test-" }));
  }

  /** The path of something in it. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a text that nobody else may read into it. @returns Its path. */
  async write(name: string, text: string, mode = 0o600): Promise<string> {
    const path = this.file(name);
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, mode);
    return path;
  }

  /**
   * Waits until the text of a file in it fits; one that is missing has none. @returns The text.
   * @throws {Error} if it doesn't in time.
   */
  async holds(
    name: string,
    fits: (text: string) => boolean,
  ): Promise<string> {
    using watcher = Deno.watchFs(this.path);
    const timer = setTimeout(() => watcher.close(), FILE_TIME);
    const read = () => Deno.readTextFile(this.file(name)).catch(() => "");
    let text = await read();
    try {
      if (fits(text)) return text;
      for await (const _change of watcher) {
        text = await read();
        if (fits(text)) return text;
      }
    } finally {
      clearTimeout(timer);
    }
    const lines = text.split("\n").length - 1;
    throw new Error(
      `${name} has ${lines} lines, and not what it must:\n${text.slice(-TOLD)}`,
    );
  }

  /** What is in it, in order. */
  async names(): Promise<string[]> {
    return await namesIn(this.path);
  }

  /** Removes it with all that is in it, also what a program that is just ending still writes. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let left = MAX_REMOVALS; left > 0; left--) {
      try {
        return await Deno.remove(this.path, { recursive: true });
      } catch (error) {
        const { code } = error as { readonly code?: string };
        if (left === 1 || code !== "ENOTEMPTY") throw error;
      }
    }
  }
}

/** The names of what is in a folder, in order. */
export async function namesIn(path: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.map(({ name }) => name).sort();
}

/** All files in a folder, and in those below it. */
export async function* filesBelow(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

/** What its owner and others may do with a file, like 0o600; 0 where the system doesn't say. */
export async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

const given = new Set<number>();

/** A port on which nothing listens, which the system gives to nobody who doesn't ask for it, and this function but once. */
export function freePort(): number {
  for (;;) {
    const span = LAST_PORT - FIRST_PORT + 1;
    const port = FIRST_PORT + Math.floor(Math.random() * span);
    if (given.has(port)) continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      given.add(port);
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Runs a test with an empty folder's path. */
export async function inFolder(
  test: (folder: string) => Promise<void>,
): Promise<void> {
  await using folder = await Folder.make();
  await test(folder.path);
}

/** A test with the path of a file that isn't there yet. @param file Its name. */
export function fileTest(
  file: string,
): (
  name: string,
  fn: (path: string) => Promise<void> | void,
  ignore?: boolean,
) => void {
  return (name, fn, ignore = false) =>
    Deno.test({
      name,
      ignore,
      fn: async () => {
        await using folder = await Folder.make();
        await fn(folder.file(file));
      },
    });
}
