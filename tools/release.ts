/**
 * Makes what is released: for each system an archive with both executables, and the archives' digests in `SHA256SUMS`,
 * as `sha256sum --check` reads them.
 *
 *     for each target: compile ──▶ encrypted-chat-VERSION-TARGET/ ──▶ tar ──▶ dist/release/….tar.gz ──▶ SHA256SUMS
 *
 *     deno task release [--output FOLDER]
 *
 * Exit codes: 0 all are made, 1 some could not be, 2 wrong usage.
 *
 * @module
 */

import { hex } from "@scure/base";
import config from "../deno.json" with { type: "json" };
import { sha256 } from "../crypto_utils.ts";
import { reasonOf } from "../src/base/error_reason.ts";
import type { FlagValues } from "../src/base/flags.ts";
import { complain, print } from "../src/base/output.ts";
import { sentence } from "../src/base/sentence.ts";
import { root } from "./bundle.ts";
import { compileBoth, TARGETS } from "./compile.ts";
import { OTHERS_LICENCES, othersLicences } from "./pack.ts";
import { runTool } from "./run_tool.ts";

const FLAGS = [
  {
    name: "output",
    kind: "string",
    value: "FOLDER",
    default: "dist/release",
    help: "Put the archives there",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

const ABOUT =
  "Makes an archive of both single executables for each system, and SHA256SUMS. For each system, Deno downloads from its own site what it embeds.";

/** With what archives begin. */
const NAME = "encrypted-chat";

/** What stands beside the executables as it is. */
const COPIED = ["LICENSE", "CHANGELOG.md"];

/** Makes both executables in a folder, for a system. @throws {Error} where they can't be made. */
export type Compile = (folder: string, target: string) => Promise<void>;

/** A system for which there is no archive. */
export interface Missing {
  /** Which. */
  readonly target: string;
  /** Why. */
  readonly reason: string;
}

/**
 * Makes the archives of all systems, and their digests.
 * @param output The folder for them; those of an earlier release go.
 * @param made Is told the path of each.
 * @returns For which systems there is none.
 */
export async function release(
  output: string,
  compile: Compile,
  made: (path: string) => void,
): Promise<Missing[]> {
  await Deno.mkdir(output, { recursive: true });
  for await (const { name } of Deno.readDir(output)) {
    if (!name.startsWith(NAME)) continue; // somebody else's
    await Deno.remove(`${output}/${name}`, { recursive: true });
  }
  const licences = await othersLicences();
  const missing: Missing[] = [];
  let sums = "";
  for (const target of TARGETS) {
    const name = `${NAME}-${config.version}-${target}`;
    const folder = `${output}/${name}`;
    await Deno.mkdir(folder);
    try {
      await compile(folder, target);
      for (const file of COPIED) {
        await Deno.copyFile(new URL(file, root), `${folder}/${file}`);
      }
      await Deno.writeTextFile(`${folder}/${OTHERS_LICENCES}`, licences);
      const archive = `${name}.tar.gz`;
      await tar(output, archive, name);
      const digest = sha256(await Deno.readFile(`${output}/${archive}`));
      sums += `${hex.encode(digest)}  ${archive}\n`;
      made(`${output}/${archive}`);
    } catch (error) {
      missing.push({ target, reason: reasonOf(error) });
    }
    await Deno.remove(folder, { recursive: true });
  }
  await Deno.writeTextFile(`${output}/SHA256SUMS`, sums);
  return missing;
}

/** Packs a folder by the system's `tar`, which all five have. */
async function tar(where: string, archive: string, name: string) {
  const { success, stderr } = await new Deno.Command("tar", {
    args: ["-czf", archive, name],
    cwd: where,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
}

async function main({ output }: FlagValues<typeof FLAGS>): Promise<number> {
  const made = (path: string) => print(`Made ${path}\n`);
  const missing = await release(output, compileBoth, made);
  for (const { target, reason } of missing) {
    complain(`${sentence(`Cannot make ${target}: ${reason}`)}\n`);
  }
  return missing.length === 0 ? 0 : 1;
}

const TOOL = { task: "release", about: ABOUT, flags: FLAGS };
if (import.meta.main) Deno.exit(await runTool(TOOL, main));
