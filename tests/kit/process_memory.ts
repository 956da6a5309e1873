/**
 * What is in a running process's memory.
 *
 * @module
 */

import type { Bytes } from "../../crypto_utils.ts";
import { holds } from "./bytes.ts";
import { output } from "./command.ts";

/** Writes all memory that a process can write to, as far as it can be read. */
const DUMP = `
while read -r range access rest; do
  case $access in rw*) ;; *) continue ;; esac
  from=$((0x\${range%-*}))
  dd if="/proc/$1/mem" bs=1M iflag=skip_bytes,count_bytes \
    skip=$from count=$((0x\${range#*-} - from)) 2>/dev/null
done <"/proc/$1/maps"
exit 0
`;

/** Opens the memory of a process that isn't its own child. */
const TRY =
  'sleep 9 & sh -c "head -c0 /proc/$!/mem"; code=$?; kill $!; exit $code';

/** Why nobody can look into another process's memory here; undefined if one can. */
export const unreadableMemory: string | undefined =
  await output("sh", "-c", TRY) === undefined
    ? "processes can't read each other's memory here"
    : undefined;

/** All that a process can write to in its memory, without zeros: so texts of two bytes a character read as others. */
export async function memoryOf(pid: number): Promise<Bytes> {
  const words = `(${DUMP}) | tr -d '\\000'`; // most of it is zeros
  const args = ["-c", words, "sh", String(pid)];
  const { stdout } = await new Deno.Command("sh", { args }).output();
  return stdout as Bytes;
}

/** Which of some secrets are in a process's memory. @param secrets By name. */
export async function inMemory(
  pid: number,
  secrets: ReadonlyMap<string, Bytes>,
): Promise<string[]> {
  const longest = Math.max(...[...secrets.values()].map((it) => it.length));
  const found = new Set<string>();
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", DUMP, "sh", String(pid)],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let rest: Bytes = new Uint8Array();
  for await (const piece of stdout) {
    const bytes = new Uint8Array(rest.length + piece.length);
    bytes.set(rest);
    bytes.set(piece, rest.length);
    for (const [name, secret] of secrets) {
      if (!found.has(name) && holds(bytes, secret)) found.add(name);
    }
    rest = bytes.slice(Math.max(0, bytes.length - longest + 1));
  }
  return [...found].sort();
}
