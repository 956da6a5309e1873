/**
 * Builds the npm package, in `dist/npm`: the programs as plain JavaScript, with all that they import, and the command
 * that starts them. Nothing is fetched when they start.
 *
 *     server.ts, client.ts, worker.ts ──▶ programs/*.js, with chunks for what is loaded only if wanted ──┐
 *     tools/npm/encrypted_chat.ts ──────▶ encrypted_chat.js, for Node ───────────────────────────────────┼──▶ dist/npm
 *     deno.json: version, tasks, permissions ──▶ package.json, and how each program is run ──────────────┘
 *
 *     deno task pack [--output FOLDER]
 *
 * @module
 */

import type { Plugin } from "esbuild";
import config from "../deno.json" with { type: "json" };
import type { FlagValues } from "../src/base/flags.ts";
import { print } from "../src/base/output.ts";
import { type Bundle, bundle, OWN, root, versionAlone } from "./bundle.ts";
import type { PackedTask } from "./npm/encrypted_chat.ts";
import { standaloneRun, USER_TASKS } from "./run_flags.ts";
import { runTool } from "./run_tool.ts";

const FLAGS = [
  {
    name: "output",
    kind: "string",
    value: "FOLDER",
    default: "dist/npm",
    help: "Build it there",
  },
  { name: "help", kind: "boolean", help: "Show this help" },
] as const;

const ABOUT = "Builds the npm package, from which npx runs the programs.";

/** What Deno is told beside what the tasks tell it: that it is to take nothing from elsewhere, and no other's settings. */
const SEALED_OFF = ["--no-config", "--no-lock", "--no-npm", "--no-remote"];

/** The programs, by their names in the package. */
const PROGRAMS = {
  server: "server.ts",
  client: "client.ts",
  worker: "src/server/handshakes/worker.ts",
};

/** The folder of the programs in the package. */
const FOLDER = "programs";

/** How a module finds a file by its own place. */
const OWN_PLACE = /new URL\(\s*"([^"]+)",\s*import\.meta\.url,?\s*\)/g;

/** Those files, from the module: what stands beside the programs in the package instead. */
const PLACES: Readonly<Record<string, string>> = {
  "../../../dist/chat.html": "./chat.html",
  "./worker.ts": "./worker.js",
};

/** What is in the package as it is: from where in the tree. */
const COPIED: Readonly<Record<string, string>> = {
  "LICENSE": "LICENSE",
  "CHANGELOG.md": "CHANGELOG.md",
  "README.md": "tools/npm/README.md",
  [`${FOLDER}/chat.html`]: "dist/chat.html",
  [`${FOLDER}/chat.html.br`]: "dist/chat.html.br",
};

/** Own modules as they are in the package: files stand elsewhere. */
const inPackage: Plugin = {
  name: "in package",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/, namespace: OWN }, async ({ path }) => {
      const source = await Deno.readTextFile(new URL(path, root));
      const contents = source.replaceAll(OWN_PLACE, (whole, place) => {
        const here = PLACES[place];
        if (here === undefined) throw new Error(`${path} needs ${place}`);
        return whole.replace(place, here);
      });
      return { contents, loader: "ts" };
    });
  },
};

/** The version of Deno that the package brings along: the one that the README names. */
async function denoVersion(): Promise<string> {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const [, version] = /\bdeno@(\d+\.\d+\.\d+)/.exec(readme) ?? [];
  if (version === undefined) throw new Error("README.md names no deno@…");
  return version;
}

/** What npm reads. */
async function manifest(): Promise<string> {
  const name = "encrypted-chat";
  const description = {
    name,
    version: config.version,
    description: "An encrypted group chat for people who run their own server",
    license: config.license,
    type: "module",
    bin: { [name]: "encrypted_chat.js" },
    dependencies: { deno: await denoVersion() },
    engines: { node: ">=20" },
    os: ["linux", "darwin", "win32"], // of Linux, with glibc: what npm can't be told of several systems
    cpu: ["x64", "arm64"],
  };
  return `${JSON.stringify(description, null, 2)}\n`;
}

/** What `deno task` says, and what npm says in its place: how the program was started. */
const BY_TASK = "INIT_CWD";
const BY_NPM = "npm_command";

/** How the command runs each program. */
function packedTasks(): Record<string, PackedTask> {
  return Object.fromEntries(USER_TASKS.map((task) => {
    const { flags, file, args } = standaloneRun(task);
    return [task, {
      flags: [
        ...flags.map((flag) => flag.replace(BY_TASK, BY_NPM)),
        ...SEALED_OFF,
      ],
      file: `./${FOLDER}/${file.replace(/\.ts$/, ".js")}`,
      args,
      about: config.tasks[task].description,
    }];
  }));
}

/** The licence that a package without its text names. */
async function namedLicence(folder: string): Promise<string> {
  const text = await Deno.readTextFile(`${folder}/package.json`);
  const { license } = JSON.parse(text) as { license?: string };
  if (license === undefined) throw new Error(`${folder} names no licence`);
  return `Under the licence "${license}", of which the package has no text.`;
}

/** The licences of the packages that are in the bundles. @param packages Their folders, by their names. */
async function licences(
  packages: ReadonlyMap<string, string>,
): Promise<string> {
  const texts: string[] = [];
  for (const [name, folder] of [...packages].sort()) {
    const files = await Array.fromAsync(Deno.readDir(folder), (it) => it.name);
    const file = files.find((it) => /^licen[cs]e(\.(md|txt))?$/i.test(it));
    const text = file === undefined
      ? await namedLicence(folder)
      : await Deno.readTextFile(`${folder}/${file}`);
    texts.push(`${name}\n${"=".repeat(name.length)}\n\n${text.trim()}\n`);
  }
  return texts.join("\n\n");
}

/** The programs as plain JavaScript. */
function bundlePrograms(): Promise<Bundle> {
  return bundle({
    entryPoints: PROGRAMS,
    format: "esm",
    splitting: true,
    platform: "node",
    conditions: ["deno"],
    target: "esnext",
    define: { IS_PACKED: "true" },
    plugins: [versionAlone, inPackage],
  });
}

/** The command as plain JavaScript, for Node. */
function bundleCommand(): Promise<Bundle> {
  return bundle({
    entryPoints: { encrypted_chat: "tools/npm/encrypted_chat.ts" },
    format: "esm",
    platform: "node",
    target: "node20",
    define: { TASKS: JSON.stringify(packedTasks()) },
    banner: { js: "#!/usr/bin/env node" },
    plugins: [versionAlone, inPackage],
  });
}

/** The file with the licences of all packages that are in the programs. */
export const OTHERS_LICENCES = "LICENSES-of-others.txt";

/** What stands in it. */
export async function othersLicences(): Promise<string> {
  return await licences((await bundlePrograms()).packages);
}

/** All files of the package, by their paths in it. */
async function packageFiles(): Promise<Map<string, string | Uint8Array>> {
  const files = new Map<string, string | Uint8Array>();
  for (const [path, from] of Object.entries(COPIED)) {
    files.set(path, await Deno.readFile(new URL(from, root)));
  }
  const programs = await bundlePrograms();
  const command = await bundleCommand();
  for (const [path, text] of programs.files) {
    files.set(`${FOLDER}/${path}`, text);
  }
  for (const [path, text] of command.files) files.set(path, text);
  const packages = new Map([...programs.packages, ...command.packages]);
  files.set(OTHERS_LICENCES, await licences(packages));
  files.set("package.json", await manifest());
  return files;
}

/** Builds the package into a folder; programs of an earlier one go, whose chunks had other names. */
async function pack(folder: string): Promise<void> {
  const files = await packageFiles();
  await Deno.remove(`${folder}/${FOLDER}`, { recursive: true }).catch(
    (error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    },
  );
  for (const [path, content] of files) {
    const whole = `${folder}/${path}`;
    await Deno.mkdir(whole.slice(0, whole.lastIndexOf("/")), {
      recursive: true,
    });
    if (typeof content === "string") await Deno.writeTextFile(whole, content);
    else await Deno.writeFile(whole, content);
  }
  const size = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  print(
    `Made ${folder}, ${Math.round(size / 1_000)} kB in ${files.size} files\n`,
  );
}

async function main({ output }: FlagValues<typeof FLAGS>): Promise<number> {
  await pack(output);
  return 0;
}

const TOOL = { task: "pack", about: ABOUT, flags: FLAGS };
if (import.meta.main) Deno.exit(await runTool(TOOL, main));
