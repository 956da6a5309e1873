/**
 * Asking for what shall not be seen, nor stand in the output: the question goes to stderr, and nothing shows of the
 * answer.
 *
 * @module
 */

import { firstLine } from "../base/first_line.ts";
import { complain } from "../base/output.ts";

const [BACKSPACE, CTRL_C, CTRL_D, DELETE, ENTER, LINE_FEED] =
  "\b\x03\x04\x7f\r\n";

/** What ends the program, and its exit codes then, which are a shell's; Windows has no such signals. */
const ENDINGS: readonly (readonly [Deno.Signal, number])[] =
  Deno.build.os === "windows"
    ? []
    : [["SIGHUP", 129], ["SIGQUIT", 131], ["SIGTERM", 143]];

/** Asks for a line that shows as it is typed; the next line of standard input where that is no terminal. */
export async function askLine(question: string): Promise<string> {
  if (Deno.stdin.isTerminal()) complain(question);
  return await firstLine("-");
}

/**
 * Asks for a line that isn't shown; the next line of standard input where that is no terminal.
 * @throws {RangeError} if the person leaves instead, by Ctrl-C or Ctrl-D.
 */
export async function askSecret(question: string): Promise<string> {
  if (!Deno.stdin.isTerminal()) return await firstLine("-");
  complain(question);
  const giveBack = () => {
    Deno.stdin.setRaw(false);
    complain("\n");
  };
  const endings = ENDINGS.map(([signal, code]) => {
    const end = () => {
      giveBack();
      Deno.exit(code);
    };
    return { signal, end };
  });
  for (const { signal, end } of endings) Deno.addSignalListener(signal, end);
  Deno.stdin.setRaw(true);
  try {
    return await readKeys();
  } finally {
    giveBack();
    for (const { signal, end } of endings) {
      Deno.removeSignalListener(signal, end);
    }
  }
}

/** What is typed until Enter, in a terminal whose own editing is off. */
async function readKeys(): Promise<string> {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(1); // not a key more than the answer
  let typed: string[] = [];
  while (await Deno.stdin.read(bytes) !== null) {
    for (const key of decoder.decode(bytes, { stream: true })) {
      if (key === ENTER || key === LINE_FEED) return typed.join("");
      if (key === CTRL_C || key === CTRL_D) throw unanswered();
      if (key === BACKSPACE || key === DELETE) typed = typed.slice(0, -1);
      else typed.push(key);
    }
  }
  throw unanswered();
}

function unanswered(): RangeError {
  return new RangeError("Nothing was done: no passphrase was given");
}
