/**
 * Bundles modules by esbuild, with the packages that `deno.json` and `tests/deno.json` name and no others, as they are
 * locked: the same sources give the same bytes on any machine.
 *
 *     entry points ──▶ own files, from the disk ──────▶ one file for each, or with chunks that they share
 *                 └──▶ packages, from Deno's cache ──┘
 *
 * @module
 */

import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path/posix";
import * as esbuild from "esbuild";
import config from "../deno.json" with { type: "json" };

/** The root of the sources. */
export const root: URL = new URL("../", import.meta.url);

/** What names the packages: those of `deno.json`, and for bundles of tests theirs. */
const CONFIG = "tests/deno.json";

/** Where Deno keeps the packages that the lock file names, by name. @param module Any that imports some. */
async function packageFolders(module: string): Promise<Map<string, string>> {
  const { stdout, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--quiet", "--json", "--config", CONFIG, module],
    cwd: root,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { npmPackages } = JSON.parse(new TextDecoder().decode(stdout)) as {
    npmPackages: Record<string, { name: string; localPath: string }>;
  };
  return new Map(
    Object.values(npmPackages).map(({ name, localPath }) => [name, localPath]),
  );
}

/** Makes a folder in which packages are found by their names, as esbuild looks for them. */
async function linkPackages(
  folder: string,
  packages: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [name, path] of packages) {
    const link = `${folder}/node_modules/${name}`;
    await Deno.mkdir(link.slice(0, link.lastIndexOf("/")), { recursive: true });
    await Deno.symlink(path, link, { type: "junction" });
  }
}

/**
 * The namespace of this repository's files, by their paths from the root: of those in it esbuild asks no
 * `package.json`.
 */
export const OWN = "own";
/** Marks what is resolved for a plugin that has asked for it. */
const ASKED = Symbol("asked");

/**
 * Imports are what `deno.json`, `tests/deno.json` and their lock files say, and nothing else: what happens to stand in a
 * folder above this one (packages, `package.json`, `tsconfig.json`) neither gets into the page nor changes it.
 * @param folder Where packages are linked. @param names Those that stand for others.
 */
function pinned(
  folder: string,
  names: Readonly<Record<string, string>>,
): esbuild.Plugin {
  const linked = `${folder}/node_modules/`;
  return {
    name: "pinned",
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, ...args }) => {
        if (args.namespace !== OWN) return undefined; // a package finds its own files
        return { path: join(dirname(args.importer), path), namespace: OWN };
      });
      build.onLoad({ filter: /./, namespace: OWN }, async ({ path }) => ({
        contents: await Deno.readTextFile(new URL(path, root)),
        loader: "default",
      }));
      build.onResolve({ filter: /^[^./#]/ }, async ({ path, ...args }) => {
        if (args.pluginData === ASKED) return undefined;
        if (args.kind === "entry-point") return { path, namespace: OWN };
        const name = names[path] ?? path;
        if (name.startsWith("./")) {
          return { path: name.slice(2), namespace: OWN };
        }
        const found = await build.resolve(name, {
          kind: args.kind,
          importer: args.importer,
          resolveDir: folder,
          pluginData: ASKED,
        });
        if (found.path.startsWith(linked)) return found;
        return { errors: [{ text: `${path} is no package of deno.json's` }] };
      });
    },
  };
}

/** The namespace of what takes the place of a runtime's own module that is asked for by `require`. */
const REQUIRED = "required";

/** The runtime's own modules stay outside, for programs; what packages `require` of them is imported, as modules can. */
const builtins: esbuild.Plugin = {
  name: "builtins",
  setup({ initialOptions, onResolve, onLoad }) {
    if (initialOptions.platform !== "node") return;
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const name = path.replace(/^(node:)?/, "node:");
      return kind === "require-call"
        ? { path: name, namespace: REQUIRED }
        : { path: name, external: true };
    });
    onLoad({ filter: /./, namespace: REQUIRED }, ({ path }) => ({
      contents: `export * from "${path}"; export { default } from "${path}";`,
    }));
  },
};

/** The names in `deno.json` that stand for a package of another name, as esbuild takes them. */
function renamedPackages(): Record<string, string> {
  const entries = Object.entries(config.imports).map(([name, target]) =>
    [name, target.replace(/^npm:(@?[^@]+)@[^/]+/, "$1")] as const
  );
  return Object.fromEntries(entries.filter(([name, path]) => name !== path));
}

/** Of `deno.json`, programs need their version alone. */
export const versionAlone: esbuild.Plugin = {
  name: "version alone",
  setup({ onLoad }) {
    onLoad({ filter: /^deno\.json$/, namespace: OWN }, () => ({
      contents: JSON.stringify({ version: config.version }),
      loader: "json",
    }));
  },
};

/** What is bundled, and how. */
export interface BundleOptions
  extends
    Omit<esbuild.BuildOptions, "entryPoints" | "alias" | "write" | "metafile"> {
  /** The modules, by the names of what becomes of them, without ending; paths from the root. */
  readonly entryPoints: Readonly<Record<string, string>>;
  /** Modules that stand for others, by the others' names. */
  readonly alias?: Readonly<Record<string, string>> | undefined;
}

/** What has become of the modules. */
export interface Bundle {
  /** The files' contents, by their paths from the folder in which they belong. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** The folders of the packages of which something is in them, by the packages' names. */
  readonly packages: ReadonlyMap<string, string>;
}

/** Bundles modules with all that they import. */
export async function bundle(
  { entryPoints, alias, plugins = [], ...options }: BundleOptions,
): Promise<Bundle> {
  const folder = await Deno.makeTempDir();
  try {
    const [first = ""] = Object.values(entryPoints);
    const packages = await packageFolders(first);
    await linkPackages(folder, packages);
    const names = { ...renamedPackages(), ...alias };
    const { outputFiles, metafile } = await esbuild.build({
      absWorkingDir: folder,
      preserveSymlinks: true, // or it would matter where Deno's cache is
      entryPoints,
      outdir: folder, // which nothing is written to
      tsconfigRaw: {},
      bundle: true,
      charset: "utf8",
      legalComments: "none",
      logLevel: "warning",
      ...options,
      write: false,
      metafile: true,
      plugins: [...plugins, builtins, pinned(folder, names)],
    });
    const inputs = Object.keys(metafile.inputs);
    const isIn = (name: string) =>
      inputs.some((it) => it.startsWith(`node_modules/${name}/`));
    return {
      files: new Map(
        outputFiles.map(({ path, contents }) =>
          [relative(folder, path), new Uint8Array(contents)] as const
        ),
      ),
      packages: new Map([...packages].filter(([name]) => isIn(name))),
    };
  } finally {
    await esbuild.stop();
    await Deno.remove(folder, { recursive: true });
  }
}
