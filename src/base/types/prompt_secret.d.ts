/**
 * The signature of `@std/cli/prompt-secret`, which the npm package leaves out. Declares and runs nothing.
 *
 * @module
 */

/** How `promptSecret` shows what is typed. */
export interface PromptSecretOptions {
  /** Stands for each character; none if empty. Default: "*". */
  mask?: string;
  /** Whether to wipe the line afterwards. */
  clear?: boolean;
}

/** Asks on the terminal without showing the answer; null where standard input is no terminal. */
export function promptSecret(
  message?: string,
  options?: PromptSecretOptions,
): string | null;
