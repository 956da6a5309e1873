/**
 * Builds the web page into one file, `dist/chat.html`: script and style stand in it, and its policy lets nothing else
 * run. The same sources give the same bytes on any machine. Beside it goes what servers send, the same file packed by Brotli.
 *
 *     deno task page [--output FILE]
 *
 * @module
 */

import { brotliCompressSync } from "node:zlib";
import { base64, hex } from "@scure/base";
import type { Plugin } from "esbuild";
import { minify } from "terser";
import {
  bundle as bundleModules,
  type BundleOptions,
  OWN,
  root,
  versionAlone,
} from "./bundle.ts";
import config from "../deno.json" with { type: "json" };
import { sha256 } from "../crypto_utils.ts";
import type { FlagValues } from "../src/base/flags.ts";
import { print } from "../src/base/output.ts";
import { runTool } from "./run_tool.ts";

const FLAGS = [
  {
    name: "output",
    kind: "string",
    value: "FILE",
    default: "dist/chat.html",
    help: "Write it there",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

const ABOUT = "Builds the web page into one file and prints its SHA-256.";

/** Browsers that have all that the page needs: Ed25519 and X25519 in `crypto.subtle`. */
const TARGET = ["chrome137", "firefox130", "safari18"];

/** Between two characters of the table of confusables below, and between a character and what it looks like. */
const NEXT = "\n";
const LIKE = "\t";

/**
 * The table of confusables as a module: each character by its distance from the one before, and what it looks like. So
 * the page takes 1.7 kB less, packed, than with the table as it is.
 */
function confusablesModule(table: Readonly<Record<string, string>>): string {
  const rows = Object.entries(table).flatMap(([like, characters]) =>
    Array.from(characters, (it) => [it.codePointAt(0) ?? 0, like] as const)
  ).sort(([one], [other]) => one - other);
  if (new Set(rows.map(([code]) => code)).size < rows.length) {
    throw new Error("A character stands twice in the table of confusables");
  }
  let before = 0;
  const text = rows.map(([code, like]) => {
    const distance = code - before;
    before = code;
    return `${distance === 1 ? "" : distance.toString(36)}${LIKE}${like}`;
  }).join(NEXT);
  return `const table = {};
    let code = 0;
    for (const row of ${JSON.stringify(text)}.split(${JSON.stringify(NEXT)})) {
      const [distance, like] = row.split(${JSON.stringify(LIKE)});
      code += distance === "" ? 1 : parseInt(distance, 36);
      table[like] = (table[like] ?? "") + String.fromCodePoint(code);
    }
    export default table;`;
}

/**
 * A module that loads others when it needs them, so that it loads them at once: the page is one file, in which they
 * stand anyway. By esbuild's own way it would take 2 kB more, packed.
 */
function importsAtOnce(text: string): string {
  const imports: string[] = [];
  const rest = text.replaceAll(
    /await import\((".+?")\)/g,
    (_, path) => `later${imports.push(path)}`,
  );
  const each = (path: string, at: number) =>
    `import * as later${at + 1} from ${path};`;
  return imports.map(each).join("") + rest;
}

/** What the page needs of modules that it shares with programs is less than what stands in them. */
const leaner: Plugin = {
  name: "leaner",
  setup({ onLoad }) {
    // Spoken codes are for terminals: the page comes by links and by its person's key.
    onLoad(
      { filter: /^src\/protocol\/code_run\.ts$/, namespace: OWN },
      () => ({ contents: "" }),
    );
    onLoad(
      { filter: /^src\/client\/session\.ts$/, namespace: OWN },
      async ({ path }) => ({
        contents: importsAtOnce(await Deno.readTextFile(new URL(path, root))),
        loader: "ts",
      }),
    );
    onLoad(
      { filter: /\/confusables\.json$/, namespace: OWN },
      async ({ path }) => ({
        contents: confusablesModule(
          JSON.parse(await Deno.readTextFile(new URL(path, root))),
        ),
        loader: "js",
      }),
    );
  },
};

/**
 * Bundles a module, with all that it imports, for a browser.
 * @param module Its path from the root: TypeScript, TSX or CSS.
 * @param options What differs from the page's own: its format, or modules that stand for others.
 * @returns The minified text.
 */
export async function bundle(
  module: string,
  options: Pick<BundleOptions, "alias" | "format" | "plugins"> = {},
): Promise<string> {
  const { files } = await bundleModules({
    entryPoints: { page: module },
    minify: true,
    format: "iife",
    platform: "browser",
    define: { IS_PACKED: "false", "Deno.build.standalone": "false" },
    target: TARGET,
    jsx: "automatic",
    jsxImportSource: config.compilerOptions.jsxImportSource,
    ...options,
  });
  const [output] = files.values();
  if (!output) throw new Error(`Nothing came of ${module}`);
  return new TextDecoder().decode(output);
}

/** A script in fewer characters than esbuild makes of it: six percent less, once it is compressed. */
async function press(script: string): Promise<string> {
  const { code } = await minify(script, {
    ecma: 2020,
    toplevel: true,
    compress: { passes: 4, inline: 1 }, // what is inlined further is longer, once it is compressed
  });
  if (code === undefined) throw new Error("Nothing came of the script");
  return code;
}

/** A source for a policy: the digest of a script or style (CSP Level 3, section 2.3.1). */
function digestSource(text: string): string {
  return `'sha256-${base64.encode(sha256(new TextEncoder().encode(text)))}'`;
}

/** The page around a script and a style. Neither can end its element early. */
function assemble(template: string, script: string, style: string): string {
  // In a script these letters stand in strings and patterns alone, where a backslash changes nothing.
  const safe = script.replaceAll(/<(?=\/script|!--)/gi, "\\x3C");
  if (/<\/style/i.test(style)) throw new Error("The style would end early");
  const policy = [
    "default-src 'none'",
    `script-src ${digestSource(safe)}`,
    `style-src ${digestSource(style)}`,
    "connect-src ws: wss:",
    "img-src blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const meta =
    `<meta http-equiv="content-security-policy" content="${policy}">`;
  const parts: Readonly<Record<string, string>> = {
    "<!-- policy -->": meta,
    "<!-- style -->": `<style>${style}</style>`,
    "<!-- script -->": `<script>${safe}</script>`,
  };
  return template.replaceAll(/<!-- \w+ -->/g, (place) => parts[place] ?? place);
}

/** The whole page, as it goes into its file. */
export async function buildPage(): Promise<string> {
  const template = await Deno.readTextFile(new URL("src/web/chat.html", root));
  const script = await bundle("src/web/main.tsx", {
    plugins: [versionAlone, leaner],
  });
  const style = await bundle("src/web/style/chat.css");
  return assemble(template, await press(script), style.trimEnd());
}

async function main({ output }: FlagValues<typeof FLAGS>): Promise<number> {
  const page = new TextEncoder().encode(await buildPage());
  const folder = output.slice(0, output.lastIndexOf("/") + 1);
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(output, page);
  const packed = brotliCompressSync(page); // at its best, which takes half a second
  await Deno.writeFile(`${output}.br`, packed);
  const kilobytes = ({ length }: Uint8Array) => Math.round(length / 1_000);
  print(
    `Made ${output}, ${kilobytes(page)} kB; packed, ${kilobytes(packed)} kB\n`,
  );
  print(`SHA-256: ${hex.encode(sha256(page))}\n`);
  return 0;
}

const TOOL = { task: "page", about: ABOUT, flags: FLAGS };
if (import.meta.main) Deno.exit(await runTool(TOOL, main));
