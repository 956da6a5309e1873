/**
 * Who imports whom: the folders are the map, and imports point one way. Held against what Deno itself knows of the
 * modules, types included.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import testsConfig from "../deno.json" with { type: "json" };
import { assert, assertEquals } from "../kit/assert.ts";
import { runToEnd } from "../kit/command.ts";
import { filesBelow } from "../kit/folder.ts";

const root = new URL("../../", import.meta.url);

/** The parts of the house, and whose modules each may import, beside its own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "server.ts": [
    "src/sealed",
    "crypto_utils.ts",
    "src/base",
    "src/crypto",
    "src/keys",
    "src/log",
    "src/protocol",
    "src/sealed",
    "src/server",
  ],
  "client.ts": [
    "src/sealed",
    "crypto_utils.ts",
    "src/base",
    "src/crypto",
    "src/client",
    "src/keys",
    "src/protocol",
    "src/sealed",
  ],
  "crypto_utils.ts": [],
  "src/base": ["deno.json"],
  "src/crypto": ["crypto_utils.ts"],
  "src/protocol": ["crypto_utils.ts", "src/base", "src/crypto"],
  "src/sealed": ["crypto_utils.ts", "src/base", "src/crypto", "src/protocol"],
  "src/log": ["crypto_utils.ts", "src/base", "src/protocol"],
  "src/keys": ["crypto_utils.ts", "src/base", "src/crypto"],
  "src/server": [
    "crypto_utils.ts",
    "src/base",
    "src/crypto",
    "src/keys",
    "src/log",
    "src/protocol",
    "src/sealed",
  ],
  "src/web": [
    "crypto_utils.ts",
    "src/base",
    "src/client",
    "src/crypto",
    "src/keys",
    "src/protocol",
    "src/sealed",
  ],
  "src/client": [
    "crypto_utils.ts",
    "src/base",
    "src/crypto",
    "src/keys",
    "src/protocol",
    "src/sealed",
  ],
};

/** What alone knows NATS. */
const NATS = "src/server/nats/";

/** What must run in a browser, too. */
const PORTABLE = [
  "src/web",
  "crypto_utils.ts",
  "src/crypto",
  "src/protocol",
  "src/sealed",
];

/** Modules by their paths from the root, with what each imports: paths, `npm:` and `node:` names. */
type Imports = ReadonlyMap<string, readonly string[]>;

/** What an import is; nothing where `deno.json` doesn't name its package. */
interface Found {
  readonly specifier?: string;
}

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      /** As it is written. */
      readonly specifier: string;
      readonly code?: Found;
      readonly type?: Found;
      /** Whether it is loaded only when it is asked for. */
      readonly isDynamic?: boolean;
    }[];
  }[];
}

/** A local module's path from the root; anything else as it is. */
function pathOf(specifier: string): string {
  return specifier.startsWith(root.href)
    ? specifier.slice(root.href.length)
    : specifier;
}

async function deno(...args: string[]): Promise<string> {
  const words = [Deno.execPath(), ...args];
  const { code, stdout, stderr } = await runToEnd(words, { cwd: root });
  assertEquals(code, 0, stderr);
  return stdout;
}

/** All modules that some can reach. */
async function importsOf(roots: readonly string[]): Promise<Imports> {
  const imports = new Map<string, string[]>();
  for (const path of roots) {
    if (imports.has(path)) continue; // reached from another
    const { modules }: Info = JSON.parse(await deno("info", "--json", path));
    for (const { specifier, dependencies = [] } of modules) {
      const found = dependencies.flatMap(({ code, type, ...written }) =>
        [code, type].flatMap((it) => {
          if (it === undefined) return [];
          assert(
            it.specifier !== undefined,
            `${
              pathOf(specifier)
            } imports ${written.specifier}, which isn't in deno.json`,
          );
          return [pathOf(it.specifier)];
        })
      );
      imports.set(pathOf(specifier), [...new Set(found)]);
    }
  }
  return imports;
}

/** The modules of `src`, as paths from the root. */
async function modulesOfSrc(): Promise<string[]> {
  const files = await Array.fromAsync(filesBelow(new URL("src/", root)));
  return files.map(({ href }) => pathOf(href))
    .filter((path) => /\.tsx?$/.test(path));
}

/** The part of the house that a module is in. */
function partOf(path: string): string {
  return path.startsWith("src/") ? path.split("/").slice(0, 2).join("/") : path;
}

/** Every import that is not permitted, as "from -> to". */
function strangeImports(imports: Imports): string[] {
  const strange: string[] = [];
  for (const [from, all] of imports) {
    const part = partOf(from);
    const allowed = MAY_IMPORT[part] ??
      (part.startsWith("src/") ? [] : undefined);
    if (!allowed) continue;
    for (const to of all) {
      const isOwn = partOf(to) === part;
      const isPackage = to.startsWith("npm:") &&
        (!to.startsWith("npm:@nats-io/") || from.startsWith(NATS));
      const isRuntime = to.startsWith("node:") && !PORTABLE.includes(part);
      if (isOwn || isPackage || isRuntime || allowed.includes(partOf(to))) {
        continue;
      }
      strange.push(`${from} -> ${to}`);
    }
  }
  return strange;
}

/** A way round from a module to itself; undefined if there is none. */
function findCycle(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, above: string[]): string[] | undefined => {
    if (above.includes(path)) return [...above, path];
    if (done.has(path)) return undefined;
    for (const to of imports.get(path) ?? []) {
      const cycle = visit(to, [...above, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of imports.keys()) {
    const cycle = visit(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** What runs by itself; a worker is started by its address, which is no import. */
const PROGRAMS = [
  "server.ts",
  "client.ts",
  "src/web/main.tsx",
  "src/server/handshakes/worker.ts",
];

Deno.test("imports point one way: programs, server or client, log, protocol, crypto", async () => {
  const all = await modulesOfSrc();
  const imports = await importsOf([...PROGRAMS, ...all]);
  assert(imports.size > 80, `${imports.size} modules`);
  assertEquals(all.filter((path) => /^src\/[^/]+\.ts$/.test(path)), []);
  assertEquals(strangeImports(imports), []);
  assertEquals(findCycle(imports), undefined);
});

/** What other programs import. */
const EXPORTS = Object.values(config.exports).map((it) => it.slice(2));

Deno.test("every module of src is part of a program, or of what others import", async () => {
  const reached = await importsOf([...PROGRAMS, ...EXPORTS]);
  const all = await modulesOfSrc();
  assertEquals(all.filter((path) => !reached.has(path)), []);
});

/** The package of a specifier, with its version: `npm:/@noble/hashes@2.4.0/sha2.js` is of `@noble/hashes@2.4.0`. */
function packageOf(specifier: string): string | undefined {
  return /^npm:\/?((?:@[^/]+\/)?[^/]+)/.exec(specifier)?.[1];
}

/** The packages in a lock file, which is JSON under another name. @param path From the root. */
async function lockedIn(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(new URL(path, root))).npm;
}

/** The packages of some specifiers, each once. */
function packagesOf(specifiers: Iterable<string>): string[] {
  const all = Array.from(specifiers, packageOf);
  return [...new Set(all.filter((it) => it !== undefined))].sort();
}

Deno.test("deno.json names the packages that programs and the page import, and no others, which each first start would fetch", async () => {
  const imports = await importsOf([...PROGRAMS, ...EXPORTS]);
  const imported = packagesOf([...imports.values()].flat());
  assert(imported.length > 10, imported.join());
  assertEquals(packagesOf(Object.values(config.imports)), imported);
});

Deno.test("tests/deno.json names other packages, and has the same settings and versions", async () => {
  const theirs = Object.keys(testsConfig.imports);
  assertEquals(theirs.filter((name) => name in config.imports), []);
  for (const key of ["unstable", "compilerOptions", "test"] as const) {
    assertEquals(testsConfig[key], config[key]);
  }
  const locked = await lockedIn("tests/deno.lock");
  const programs = Object.entries(await lockedIn("deno.lock"));
  assert(programs.length > 10, `${programs.length} packages`);
  for (const [name, its] of programs) assertEquals(locked[name], its, name);
});

/** What a program can load, and what it loads at its start: paths, `npm:` and `node:` names. */
async function loadedBy(
  program: string,
): Promise<{ all: string[]; atStart: string[] }> {
  const { modules }: Info = JSON.parse(await deno("info", "--json", program));
  const loaded = new Set([new URL(program, root).href]);
  for (const each of loaded) { // a set hands out what is added meanwhile
    const module = modules.find(({ specifier }) => specifier === each);
    for (const { code, isDynamic } of module?.dependencies ?? []) {
      if (code?.specifier && !isDynamic) loaded.add(code.specifier);
    }
  }
  assert(loaded.size > 80, `${loaded.size} modules`);
  const all = modules.map(({ specifier }) => pathOf(specifier));
  return { all, atStart: [...loaded].map(pathOf) };
}

Deno.test("a server loads nothing of NATS unless it is asked to", async () => {
  const { all, atStart } = await loadedBy("server.ts");
  const isNats = (path: string) => /npm:.*@nats-io/.test(path);
  assert(all.some(isNats), "nothing loads it at all");
  assertEquals(atStart.filter(isNats), []);
});

Deno.test("a client loads the front end that it needs, sealed rooms only in one, and of Node's nothing but paths", async () => {
  const { all, atStart } = await loadedBy("client.ts");
  for (
    const late of [
      "src/client/terminal/terminal_view.ts",
      "src/client/pipe/pipe_view.ts",
      "src/client/sealed/sealed_link.ts",
    ]
  ) {
    assert(all.includes(late), `nothing loads ${late} at all`);
    assert(!atStart.includes(late), `${late} is loaded at once`);
  }
  const ofNode = atStart.filter((path) => path.startsWith("node:"));
  assertEquals(ofNode.sort(), ["node:path", "node:url"]);
});

Deno.test("an import that is not permitted is found, and so is a cycle", () => {
  const broken = (from: string, to: string) =>
    strangeImports(new Map([[from, [to]]]));
  for (
    const [from, to] of [
      ["src/client/session.ts", "src/server/room.ts"],
      ["src/client/link.ts", "src/log/chat_log.ts"],
      ["src/server/room.ts", "src/client/view.ts"],
      ["src/log/file.ts", "src/server/room.ts"],
      ["src/protocol/events.ts", "src/log/file.ts"],
      ["src/crypto/noise.ts", "src/protocol/events.ts"],
      ["src/crypto/noise.ts", "node:crypto"],
      ["src/protocol/channel.ts", "node:net"],
      ["src/protocol/events.ts", "src/sealed/private_message.ts"],
      ["src/sealed/private_message.ts", "src/client/session.ts"],
      ["src/sealed/private_message.ts", "src/server/room.ts"],
      ["src/sealed/private_message.ts", "node:crypto"],
      ["src/base/std.ts", "src/protocol/events.ts"],
      ["crypto_utils.ts", "src/crypto/noise.ts"],
      ["crypto_utils.ts", "node:crypto"],
      ["server.ts", "src/client/session.ts"],
      ["client.ts", "src/log/chat_log.ts"],
      ["client.ts", "server.ts"],
      ["client.ts", "src/web/app.ts"],
      ["src/client/session.ts", "src/web/app.ts"],
      ["src/server/web/page.ts", "src/web/app.ts"],
      ["src/web/app.ts", "src/server/room.ts"],
      ["src/web/app.ts", "src/log/chat_log.ts"],
      ["src/web/app.ts", "node:path"],
      ["src/server/room.ts", "npm:@nats-io/jetstream@3.4.0"],
    ] as const
  ) assertEquals(broken(from, to), [`${from} -> ${to}`]);
  assertEquals(broken("src/client/terminal/tty.ts", "node:process"), []);
  const circle = new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]]);
  assertEquals(findCycle(circle), ["a", "b", "c", "b"]);
});
