/**
 * What a person is told when a program can't go on.
 *
 * @module
 */

import { AdvisedError } from "../../../src/base/advised_error.ts";
import { explanation } from "../../../src/base/explanation.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { fileError } from "../../../src/base/private_file.ts";
import { LogError } from "../../../src/log/file.ts";
import { assertEquals } from "../../kit/assert.ts";

Deno.test("explanation() says what happened, and what to do where that is known", () => {
  const cause = new Error("the disk is full");
  const cases: readonly [unknown, string][] = [
    [
      new UsageError("There is no flag --x"),
      "There is no flag --x. See --help.",
    ],
    [
      new AdvisedError("Port 5000 is in use", "Choose another"),
      "Port 5000 is in use.\nChoose another.",
    ],
    [fileError("read", "a", cause), 'Cannot read "a": the disk is full.'],
    [new LogError("write", "b", cause), 'Cannot write "b": the disk is full.'],
    [new RangeError("The port is too large"), "The port is too large."],
  ];
  for (const [error, words] of cases) {
    for (const program of ["client", "server"] as const) {
      assertEquals(explanation(error, program), words);
    }
  }
});

Deno.test("explanation() names the program with the fault, and escapes what the error says", () => {
  const error = new TypeError("\x1b[2J");
  for (const program of ["client", "server"] as const) {
    assertEquals(
      explanation(error, program),
      `The ${program} has a fault and cannot go on: TypeError: \\u001b[2J.`,
    );
  }
});
