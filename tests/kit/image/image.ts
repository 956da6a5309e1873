/**
 * The image of `deploy/Dockerfile`, without a container runtime: its folders are built as the Dockerfile says, on the
 * Deno and the C library that are here in place of those of Deno's images, and run in namespaces of their own, as a
 * runtime runs them. For the superuser of a Linux.
 *
 *     Dockerfile ──▶ a folder for each stage ──▶ the last one, read-only, is the root folder of process 1;
 *                    (RUN: chroot, no network)   with it a volume, /proc, two devices, a network of its own
 *
 * @module
 */

import { type Ended, run, runToEnd, succeeds } from "../command.ts";
import { cacheFolder, Program } from "../program.ts";
import { assert } from "../assert.ts";
import { type Instruction, parseDockerfile, type Stage } from "./dockerfile.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;
/** Where Deno's images have what they fetch, and the path on which programs are found. */
const BASE = { DENO_DIR: "/deno-dir", PATH: "/usr/local/bin:/usr/bin:/bin" };
/** Packages that were fetched before stand there, so that nothing needs a network. */
const PACKAGES = `${BASE.DENO_DIR}/npm`;
/** Where Deno is while an image is built, on a system that is this machine's. */
const BUILD_DENO = "/deno";
const DEVICES = ["/dev/null", "/dev/urandom"];
/** Folders of this machine's system. */
const SYSTEM = ["bin", "lib", "lib64", "usr"];

const UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork"];

/** Why none can be built and run here, undefined if one can. */
export const imageObstacle: string | undefined = await findObstacle();

async function findObstacle(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "namespaces of Linux";
  for (const name of ["unshare", "nsenter", "setpriv", "ldd", "ip"]) {
    if (!await succeeds("sh", "-c", `command -v ${name}`)) return `no ${name}`;
  }
  const inner = "unshare --root=/ --setgid=54321 --setuid=54321 true";
  const made = await succeeds(
    ...UNSHARE,
    "sh",
    "-ec",
    `mount -t proc proc /proc; ${inner}`,
  );
  return made ? undefined : "no right to make namespaces";
}

/**
 * Shell: makes a folder the root of mounts that vanish with their namespace.
 * $root: the folder, $deno: Deno outside and $denoAt: inside, $packages: those outside.
 */
const MOUNT = `
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
for device in ${
  DEVICES.join(" ")
}; do mount --bind "$device" "$root$device"; done
mount --bind "$deno" "$root$denoAt"
mount --bind "$packages" "$root${PACKAGES}"
mount -o remount,bind,ro "$root${PACKAGES}"
`;

/** Shell: runs a command of a stage, with this machine's system. Without a network. */
const BUILD = `${MOUNT}
for folder in ${
  SYSTEM.join(" ")
}; do mount --bind "/$folder" "$root/$folder"; done
exec env -i DENO_DIR=${BASE.DENO_DIR} PATH=${BUILD_DENO}:/usr/bin:/bin unshare --root="$root" --wd="$workdir" sh -ec "$1"
`;

/** Shell: runs what a container is to run, $1 and so on. */
const RUN = `${MOUNT}
mount --bind "$volume" "$root$volumeAt"
mount -o remount,bind,ro "$root"
ip link set lo up
exec setpriv --no-new-privs env -i $variables unshare --root="$root" --wd="$workdir" --setgid="$uid" --setuid="$uid" "$@"
`;

/** What the last stage says of containers. */
interface Settings {
  variables: Readonly<Record<string, string>>;
  /** The working folder. */
  folder: string;
  entry: readonly string[];
  /** What follows `entry` where nothing else is said. */
  args: readonly string[];
  /** The command that succeeds while a container is well. */
  health: readonly string[];
  /** UID:GID. */
  user: string;
  volume: string;
}

/** The image. */
export class Image {
  readonly #root: string;

  private constructor(root: string, readonly settings: Settings) {
    this.#root = root;
  }

  /** Builds it. @param folder The path of an empty folder, in which it stays. */
  static async build(folder: string): Promise<Image> {
    const text = await Deno.readTextFile(`${PROJECT}deploy/Dockerfile`);
    const stages = parseDockerfile(text);
    let settings: Settings | undefined;
    let root = "";
    for (const [index, stage] of stages.entries()) {
      root = `${folder}/${stage.name ?? index}`;
      settings = await buildStage(stage, root, (name) => `${folder}/${name}`);
    }
    assert(settings, "the Dockerfile has no stage");
    await addLibraries(root);
    return new Image(root, settings);
  }

  /** The path outside of something in it. */
  path(inside: string): string {
    return `${this.#root}${inside}`;
  }

  /**
   * Starts a container.
   * @param volume The path of a folder that is the user's. @param uid The user, whom nobody knows, and the group.
   * @param words What it runs, where not what the image says.
   */
  async start(
    volume: string,
    uid: number,
    words: readonly string[] = [
      ...this.settings.entry,
      ...this.settings.args,
    ],
  ): Promise<Container> {
    const { folder, variables } = this.settings;
    const env = {
      ...await mountVariables(this.#root, "/bin/deno"),
      volume,
      volumeAt: this.settings.volume,
      workdir: folder,
      uid: String(uid),
      variables: Object.entries(variables).map((it) => it.join("=")).join(" "),
    };
    const command = [...UNSHARE, "--ipc", "--kill-child", "sh", "-euc", RUN];
    return new Container([...command, "sh", ...words], env, uid, variables);
  }
}

/** What runs in an image. */
export class Container extends Program {
  readonly #uid: number;
  readonly #variables: Readonly<Record<string, string>>;

  /** Starts it. */
  constructor(
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    uid: number,
    variables: Readonly<Record<string, string>>,
  ) {
    super(words, { env });
    this.#uid = uid;
    this.#variables = variables;
  }

  /** The number outside of its process 1, once it has that. */
  async first(): Promise<number> {
    const { pid } = this;
    const path = `/proc/${pid}/task/${pid}/children`;
    const first = (await run("cat", path)).trim(); // Deno itself may not, without all permissions
    assert(first !== "", "it has not begun");
    return Number(first);
  }

  /** Sends its process 1 a signal. */
  async signal(signal: Deno.Signal): Promise<void> {
    Deno.kill(await this.first(), signal);
  }

  /** Ends it at once, if it runs. That of `unshare` wouldn't: who has become another user outlives it. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.signal("SIGKILL").catch(() => {}); // it has ended, or isn't that user yet
    await super[Symbol.asyncDispose]();
  }

  /** Runs one more command in it to its end. */
  async execute(...words: readonly string[]): Promise<Ended> {
    const spaces = ["--mount", "--pid", "--net", "--ipc", "--root", "--wd"];
    const user = [`--setgid=${this.#uid}`, `--setuid=${this.#uid}`];
    const variables = Object.entries(this.#variables).map((it) => it.join("="));
    return await runToEnd([
      ...["env", "-i", ...variables, "setpriv", "--no-new-privs"],
      ...["nsenter", `--target=${await this.first()}`, ...spaces, ...user],
      ...words,
    ]);
  }

  /** What stands in front of a command outside that is to run in its network. */
  async networkPrefix(): Promise<readonly string[]> {
    return ["nsenter", `--net=/proc/${await this.first()}/ns/net`];
  }
}

/** Builds a stage. @param others Where other stages are, by name. */
async function buildStage(
  { instructions }: Stage,
  root: string,
  others: (name: string) => string,
): Promise<Settings> {
  const settings: Settings = {
    variables: BASE,
    folder: "/",
    entry: [],
    args: [],
    health: [],
    user: "0:0",
    volume: "",
  };
  await addSystem(root);
  for (const instruction of instructions) {
    await carryOut(instruction, root, settings, others);
  }
  return settings;
}

async function carryOut(
  instruction: Instruction,
  root: string,
  settings: Settings,
  others: (name: string) => string,
): Promise<void> {
  switch (instruction.kind) {
    case "WORKDIR":
      settings.folder = instruction.text;
      return await Deno.mkdir(root + instruction.text, { recursive: true });
    case "ENV":
      settings.variables = { ...settings.variables, ...instruction.variables };
      return;
    case "COPY": {
      const { from, owner, sources, target } = instruction;
      const base = from === undefined ? PROJECT : `${others(from)}/`;
      const inside = target.startsWith("/")
        ? target
        : `${settings.folder}/${target}`;
      return await copy(sources.map((it) => base + it), root + inside, owner);
    }
    case "RUN": {
      const env = {
        ...await mountVariables(root, `${BUILD_DENO}/deno`),
        workdir: settings.folder,
      };
      const words = [...UNSHARE, "sh", "-euc", BUILD, "sh"];
      const ended = await runToEnd([...words, instruction.command], { env });
      if (ended.code === 0) return;
      throw new Error(`Cannot run "${instruction.command}": ${ended.stderr}`);
    }
    case "ENTRYPOINT":
      settings.entry = instruction.words;
      return;
    case "CMD":
      settings.args = instruction.words;
      return;
    case "HEALTHCHECK":
      settings.health = instruction.words;
      return;
    case "USER":
      settings.user = instruction.text;
      return;
    case "VOLUME":
      settings.volume = instruction.text;
      return;
    case "EXPOSE":
      return;
  }
}

/** Copies as COPY does: of a folder what is in it, of several files each by its name. */
async function copy(
  sources: readonly string[],
  target: string,
  owner: string | undefined,
): Promise<void> {
  for (const source of sources) {
    const { isDirectory } = await Deno.stat(source);
    assert(isDirectory || target.endsWith("/"), `${target} is no folder`);
    await Deno.mkdir(target, { recursive: true });
    const from = isDirectory ? `${source}/.` : source;
    await run("cp", "-RPp", from, target);
  }
  if (owner !== undefined) await run("chown", "-R", owner, target);
}

async function mountVariables(
  root: string,
  denoAt: string,
): Promise<Record<string, string>> {
  const packages = `${await cacheFolder()}/npm`;
  return { root, deno: Deno.execPath(), denoAt, packages };
}

/** Makes places for what is mounted, in the first stage and in the last. */
async function addSystem(root: string): Promise<void> {
  const folders = [...SYSTEM, "proc", "dev", "tmp", BUILD_DENO, PACKAGES];
  for (const folder of folders) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  for (const file of [...DEVICES, `${BUILD_DENO}/deno`, "/bin/deno"]) {
    await Deno.writeTextFile(root + file, "");
  }
}

/** Adds the libraries that Deno needs, as the image has them without a system around them. */
async function addLibraries(root: string): Promise<void> {
  const listed = await run("ldd", Deno.execPath());
  for (const [path] of listed.matchAll(/\/\S+/g)) {
    const folder = root + path.replace(/[^/]*$/, "");
    await Deno.mkdir(folder, { recursive: true });
    await run("cp", "-L", path, folder);
  }
}
