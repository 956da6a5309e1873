/**
 * A copy of the programs with a fault put in on purpose, in a temporary folder: so that a test can show that it would
 * find it. No switch for it is in the programs themselves.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { Folder } from "./folder.ts";

/** All that the programs are run from. */
const PARTS = [
  "client.ts",
  "server.ts",
  "crypto_utils.ts",
  "deno.json",
  "deno.lock",
  "src",
];

/** A fault. */
export interface Fault {
  /** The file in which it is. */
  readonly file: string;
  /** What stands there, exactly once. */
  readonly right: string;
  /** What is put there. */
  readonly wrong: string;
}

/** A copy of the programs. */
export class FaultyCopy implements AsyncDisposable {
  private constructor(readonly folder: Folder) {}

  /** Makes one. @throws {AssertionError} if the right text isn't there: then the fault is to be put in otherwise. */
  static async make({ file, right, wrong }: Fault): Promise<FaultyCopy> {
    const copy = new FaultyCopy(await Folder.make());
    try {
      for (const part of PARTS) {
        const from = new URL(`../../${part}`, import.meta.url);
        await copyAll(from.pathname, copy.folder.file(part));
      }
      const path = copy.folder.file(file);
      const parts = (await Deno.readTextFile(path)).split(right);
      assertEquals(parts.length, 2, `${file} hasn't exactly once: ${right}`);
      await Deno.writeTextFile(path, parts.join(wrong));
      return copy;
    } catch (error) {
      await copy[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where it is, to start programs from. */
  get root(): URL {
    return new URL(`file://${this.folder.path}/`);
  }

  /** Removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

async function copyAll(from: string, to: string): Promise<void> {
  const { isDirectory } = await Deno.stat(from);
  if (!isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) {
    await copyAll(`${from}/${name}`, `${to}/${name}`);
  }
}
