/**
 * Commands that are run to their end.
 *
 * @module
 */

/** How a command ended, and what it wrote. */
export interface Ended {
  /** Its exit code. */
  readonly code: number;
  /** What it wrote to stdout. */
  readonly stdout: string;
  /** What it wrote to stderr, unless that went elsewhere. */
  readonly stderr: string;
}

/** How a command is run. */
export interface RunOptions {
  /** Its input. Default: none. */
  readonly input?: string;
  /** The working folder. */
  readonly cwd?: string | URL;
  /** Variables of the environment, beside this process's own. */
  readonly env?: Record<string, string>;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
  /** Where stderr goes. Default: it is kept. */
  readonly stderr?: "inherit";
}

/**
 * Runs a command to its end.
 * @throws {Deno.errors.NotFound} if there is no such command.
 */
export async function runToEnd(
  words: readonly string[],
  { input, ...options }: RunOptions = {},
): Promise<Ended> {
  const [program = "", ...args] = words;
  const child = new Deno.Command(program, {
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...options,
    args,
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const ended = await child.output();
  const decoder = new TextDecoder();
  return {
    code: ended.code,
    stdout: decoder.decode(ended.stdout),
    stderr: options.stderr ? "" : decoder.decode(ended.stderr),
  };
}

/** What a command writes to stdout; undefined if it fails, or isn't there. */
export async function output(...words: string[]): Promise<string | undefined> {
  try {
    const { code, stdout } = await runToEnd(words);
    return code === 0 ? stdout : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What a command writes to stdout. @throws {Error} if it fails, with what it said. */
export async function run(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(words);
  if (code === 0) return stdout;
  throw new Error(`Cannot run "${words.join(" ")}": ${stderr.trim()}`);
}

/** Whether a command is there and ends well. */
export async function succeeds(...words: string[]): Promise<boolean> {
  return await output(...words) !== undefined;
}
