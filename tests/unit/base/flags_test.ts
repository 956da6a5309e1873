/**
 * Command lines against a table of flags, and the help text that the table gives.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { helpText } from "../../../src/base/help.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "../../kit/assert.ts";

const FLAGS = [
  {
    name: "port",
    kind: "integer",
    value: "PORT",
    help: "Listens on this port",
    default: 5000,
    min: 0,
    max: 65_535,
  },
  { name: "members", kind: "integer", help: "At most so many", min: 1 },
  { name: "name", kind: "string", value: "NAME", help: "Joins as NAME" },
  {
    name: "log-level",
    kind: "string",
    value: "LEVEL",
    help: "How much to tell on standard error",
    default: "info",
    choices: ["debug", "info", "warning", "error"],
  },
  { name: "json", kind: "boolean", help: "Writes one JSON object a line" },
  { name: "no-color", kind: "boolean", help: "Writes no colours" },
] as const;

const INVITE = "chat://192.0.2.7:5000/#c2VjcmV0";

function parse(...args: string[]) {
  return parseFlags(args, FLAGS, { positionals: 1 });
}

Deno.test("parseFlags() gives defaults where nothing is said", () => {
  assertEquals(parse(), {
    values: {
      port: 5000,
      members: undefined,
      name: undefined,
      "log-level": "info",
      json: false,
      "no-color": false,
    },
    positionals: [],
  });
});

Deno.test("parseFlags() types the values by the table", () => {
  const { values } = parse("--port", "80");
  const port: number = values.port;
  const name: string | undefined = values.name;
  const json: boolean = values.json;
  assertEquals([port, name, json], [80, undefined, false]);
});

Deno.test("parseFlags() reads --flag value and --flag=value alike", () => {
  for (const args of [["--name", "Ana=1"], ["--name=Ana=1"]]) {
    assertEquals(parse(...args).values.name, "Ana=1");
  }
  assertEquals(parse("--port=0").values.port, 0);
  assertEquals(parse("--name=-x").values.name, "-x");
  assertEquals(parse("--no-color").values["no-color"], true);
});

Deno.test("parseFlags() keeps values as they were typed", () => {
  assertEquals(parse("--name", "007").values.name, "007");
  assertEquals(parse("0x10").positionals, ["0x10"]);
});

Deno.test("parseFlags() gives no argument to a flag that takes none", () => {
  for (const word of ["true", "false", "x"]) {
    const { values, positionals } = parse("--json", word);
    assertEquals([values.json, positionals], [true, [word]]);
  }
});

Deno.test("parseFlags() says what took the place of a flag that is gone", () => {
  const gone = { passphrase: "use a code" };
  for (const args of [["--passphrase"], ["--passphrase=x", "y"]]) {
    const error = assertThrows(
      () => parseFlags(args, FLAGS, { positionals: 1, gone }),
      UsageError,
    );
    assertEquals(
      error.message,
      "There is no --passphrase any more: use a code",
    );
  }
});

Deno.test("parseFlags() takes everything after -- as it is", () => {
  const { values, positionals } = parse("--json", "--", "--port");
  assertEquals([values.json, positionals], [true, ["--port"]]);
});

Deno.test("parseFlags() says what is wrong with a command line", () => {
  const cases: [string[], string][] = [
    [["--prot", "80"], 'Unknown flag "--prot"; did you mean "--port"?'],
    [["--Json"], 'Unknown flag "--Json"; did you mean "--json"?'],
    [["--frobnicate=secret"], 'Unknown flag "--frobnicate"'],
    [["--no-json"], 'Unknown flag "--no-json"'],
    [["--port.x", "1"], 'Unknown flag "--port.x"; did you mean "--port"?'],
    [["--__proto__"], 'Unknown flag "--__proto__"'],
    [["-p", "80"], 'Unknown flag "-p"; flags begin with two hyphens'],
    [["-json"], 'Unknown flag "-json"; flags begin with two hyphens'],
    [["-xjson"], 'Unknown flag "-xjson"; flags begin with two hyphens'],
    [["---json"], 'Unknown flag "---json"; did you mean "--json"?'],
    [["--name"], "--name needs a value"],
    [["--name="], "--name needs a value"],
    [["--name", ""], "--name needs a value"],
    [["--name", "--json"], "--name needs a value"],
    [["--port", "--", "80"], "--port needs a value"],
    [["--port", "1", "--port=1"], "--port is given twice"],
    [["--json", "--json"], "--json is given twice"],
    [["--json=false"], "--json takes no value"],
    [
      ["--port", "70000"],
      'Cannot use --port "70000": it is a whole number from 0 to 65535',
    ],
    [
      ["--port=-1"],
      'Cannot use --port "-1": it is a whole number from 0 to 65535',
    ],
    [ // a value, though it begins with a hyphen
      ["--port", "-5"],
      'Cannot use --port "-5": it is a whole number from 0 to 65535',
    ],
    [
      ["--port", "0x50"],
      'Cannot use --port "0x50": it is a whole number from 0 to 65535',
    ],
    [
      ["--members", "1.5"],
      'Cannot use --members "1.5": it is a whole number from 1',
    ],
    [
      ["--log-level", "loud"],
      'Cannot use --log-level "loud": it is debug, info, warning or error',
    ],
    [["a", "b"], 'Unexpected argument "b"'],
    [["a", "--", "b"], 'Unexpected argument "b"'],
  ];
  for (const [args, message] of cases) {
    const error = assertThrows(() => parse(...args), UsageError);
    assertEquals(error.message, message);
  }
});

Deno.test("parseFlags() doesn't repeat an invite's key", () => {
  const error = assertThrows(() => parse("x", INVITE), UsageError);
  assertEquals(
    error.message,
    'Unexpected argument "chat://192.0.2.7:5000/#…"',
  );
});

Deno.test("helpText() has a row for every flag, in 80 columns", () => {
  const about = "Talks to a room on a server. ".repeat(6).trim();
  const text = helpText("client.ts [flags] [INVITE]", about, FLAGS);
  assert(text.split("\n").every((line) => line.length <= 80));
  for (const { name } of FLAGS) assertStringIncludes(text, `  --${name}`);
});

Deno.test("helpText() aligns, and names choices and defaults", () => {
  const text = helpText("server.ts [flags]", "Runs a room.", FLAGS.slice(3, 5));
  assertEquals(
    text,
    `\
Usage: server.ts [flags]

Runs a room.

Flags:
  --log-level LEVEL  How much to tell on standard error (debug, info, warning or
                     error; default info)
  --json             Writes one JSON object a line
`,
  );
});

Deno.test("helpText() puts the help of a wide flag below it", () => {
  const wide = "an-uncommonly-long-name-for-a-flag";
  const text = helpText("x", "y", [
    { name: "json", kind: "boolean", help: "Short" },
    { name: wide, kind: "boolean", help: "Long" },
  ]);
  assertStringIncludes(
    text,
    `\n  --json  Short\n  --${wide}\n          Long\n`,
  );
});
