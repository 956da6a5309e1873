/**
 * What `deploy/` has for those who run a server: the container's image, built and run without a container runtime; the
 * Compose files, read; the systemd unit, as systemd judges it.
 *
 * @module
 */

// @ts-types="../kit/types/yaml.d.ts"
import { parse } from "@std/yaml/parse";
import { parseFlags } from "../../src/base/flags.ts";
import { FLAGS } from "../../src/server/flags.ts";
import { WebPort } from "../../src/server/web/web_port.ts";
import { Proxies } from "../../src/server/proxies.ts";
import { assert, assertEquals, assertMatch } from "../kit/assert.ts";
import { JsonClient } from "../kit/client.ts";
import { output, run, runToEnd, succeeds } from "../kit/command.ts";
import { Folder } from "../kit/folder.ts";
import { parseDockerfile } from "../kit/image/dockerfile.ts";
import { type Container, Image, imageObstacle } from "../kit/image/image.ts";
import { testUnless } from "../kit/system.ts";

const deploy = new URL("../../deploy/", import.meta.url);
const root = new URL("../../", import.meta.url);

function read(name: string): Promise<string> {
  return Deno.readTextFile(new URL(name, deploy));
}

/** The names of all files that servers write, in the sources: beside the log, or as flags have them by default. */
async function serverFiles(): Promise<string[]> {
  const names = FLAGS.flatMap((flag) =>
    flag.kind === "path" && "default" in flag ? [flag.default] : []
  );
  const found = await run(
    "grep",
    "-rhoE",
    'besideLog\\([^()]*, "[a-z]+"',
    new URL("src", root).pathname,
  );
  const beside = found.matchAll(/"([a-z]+)"/g);
  return [
    ...new Set([...names, ...Array.from(beside, ([, it]) => `chat.${it}`)]),
  ].sort();
}

Deno.test("the image has the tested Deno, and a place in the volume for every file that a server writes", async () => {
  const stages = parseDockerfile(await read("Dockerfile"));
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const [, version = "none"] = /deno@(\d+\.\d+\.\d+)/.exec(readme) ?? [];
  assertEquals(stages.map(({ image }) => image), [
    `denoland/deno:${version}`,
    `denoland/deno:distroless-${version}`,
  ]);
  const commands = stages.flatMap(({ instructions }) =>
    instructions.flatMap((it) => it.kind === "RUN" ? [it.command] : [])
  );
  const [, names = ""] = /for name in ([a-z ]+);/.exec(commands.join()) ?? [];
  const placed = names.split(" ").map((name) => `chat.${name}`).sort();
  assertEquals(placed, await serverFiles());
});

/** What these tests look at in a Compose file. */
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs?: Readonly<Record<string, { readonly content: string }>>;
}

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly networks?: {
    readonly default?: { readonly "ipv4_address": string };
  };
  readonly "read_only": boolean;
  readonly "cap_drop": readonly string[];
  readonly "security_opt": readonly string[];
}

/** A Compose file, with a name for what the environment gives. */
async function compose(name: string): Promise<Compose> {
  const text = (await read(name)).replace(
    /\$\{CHAT_HOST(:\?[^}]*)?\}/g,
    "chat.example.org",
  );
  assert(!text.includes("$"), "another variable");
  return parse(text) as Compose;
}

/** The flags of the servers in it, by the server's name. */
function serversIn({ services }: Compose) {
  return Object.entries(services).filter(([, it]) => it.build).map(
    ([name, service]) => {
      const { command = [] } = service;
      const { values } = parseFlags(command, FLAGS, { positionals: 0 });
      return { name, service, values };
    },
  );
}

for (const name of ["compose.yaml", "compose-cluster.yaml"]) {
  Deno.test(`deploy/${name} confines every container, and gives servers flags that they have`, async () => {
    const file = await compose(name);
    for (const [name, service] of Object.entries(file.services)) {
      const { volumes, image } = service;
      assertEquals(service.read_only, true, name);
      assertEquals(service.cap_drop, ["ALL"], name);
      assertEquals(service.security_opt, ["no-new-privileges:true"], name);
      if (!service.build) assertMatch(image, /^[a-z]+:\d+\.\d+\.\d+$/, name);
      for (const volume of volumes) {
        assert(volume.split(":", 1).join() in file.volumes, volume);
      }
    }
    const stages = parseDockerfile(await read("Dockerfile"));
    const health = stages.at(-1)?.instructions.find((it) =>
      it.kind === "HEALTHCHECK"
    );
    for (const { name, service, values } of serversIn(file)) {
      assertEquals(service.build, {
        context: "..",
        dockerfile: "deploy/Dockerfile",
      });
      assert(service.volumes.includes(`${name}:/data`), name);
      assertEquals(service.ports?.map((it) => Number(it.split(":")[1])), [
        values.port,
      ]);
      assertEquals(
        values.address,
        `chat.example.org:${service.ports?.[0]?.split(":", 1)}`,
      );
      assert(
        health?.words.join(" ").includes(`http://${values.metrics}/healthz`),
        values.metrics,
      );
    }
  });
}

Deno.test("Caddy in deploy/compose.yaml passes on to the page's port, and says for whom", async () => {
  const file = await compose("compose.yaml");
  const [{ values } = { values: undefined }] = serversIn(file);
  assert(values);
  const caddyfile = file.configs?.Caddyfile?.content ?? "";
  assertMatch(caddyfile, /^chat\.example\.org \{\n/);
  assert(caddyfile.includes(`reverse_proxy chat:${values.web} {`), caddyfile);
  assert(caddyfile.includes("proxy_protocol v2"), caddyfile);
  assertEquals(values["web-url"], "https://chat.example.org");
  const proxy = values["proxy-protocol"] ?? "";
  assertEquals(proxy, file.services.caddy?.networks?.default?.ipv4_address);
  assert(Proxies.of(values, proxy).has(proxy));
  using port = await WebPort.prepare(values, values.web ?? "");
  assertEquals(port.origin, values["web-url"]);
});

Deno.test("servers of deploy/compose-cluster.yaml have the first one's key, and can't change it", async () => {
  const servers = serversIn(await compose("compose-cluster.yaml"));
  const [first, ...others] = servers;
  assertEquals(others.length, 2);
  assertEquals(first?.values["key-file"], "chat.key");
  for (const { service, values } of others) {
    assertEquals(values["key-file"], "/first/chat.key");
    assert(service.volumes.includes(`${first?.name}:/first:ro`));
    assertEquals(values.nats, first?.values.nats);
  }
});

/** JavaScript that tries to write into folders, and prints in which it could. */
const WRITER = `const could = [];
for (const folder of ["/", "/app", "/app/src", "/deno-dir", "/tmp", "/bin", "/dev", "/data"]) {
  try { Deno.writeTextFileSync(folder + "/written", ""); could.push(folder); } catch {}
}
console.log(could.join());`;

/** JavaScript that gets the web page, and prints whether there is one. */
const GETTER = `console.log((await fetch("http://127.0.0.1:8080/")).status);`;

/** The words that run JavaScript in a container. */
function script(text: string, permission: string): string[] {
  const url = `data:text/javascript;base64,${btoa(text)}`;
  return ["deno", "run", "--quiet", permission, url];
}

/** What a command in a container prints, which must end well and say nothing else. */
async function printed(
  container: Container,
  words: readonly string[],
): Promise<string> {
  const { code, stdout, stderr } = await container.execute(...words);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

testUnless(
  imageObstacle,
  "the image serves a room as process 1, as a user whom nobody knows, without a home and on a read-only root",
  async () => {
    await using folder = await Folder.make();
    const image = await Image.build(folder.file("image"));
    const { entry, args, health } = image.settings;
    const volume = folder.file("volume");
    await Deno.mkdir(volume, { mode: 0o700 });
    const uid = 20_000 + Math.floor(Math.random() * 10_000);
    await run("chown", `${uid}:${uid}`, volume);
    const serve = async () => {
      const words = [...entry, ...args, "--web=8080"];
      const container = await image.start(volume, uid, words);
      await container.line(/^Ctrl-C stops the server\.$/);
      return container;
    };
    const linkOf = async (container: Container) => {
      const links = await printed(container, [...entry, "--link"]);
      return links.split("\n", 1).join();
    };

    await using nobody = await image.start(volume, uid, health);
    assertEquals(await nobody.finished(), 1, nobody.transcript); // where no server is

    await using container = await serve();
    assertEquals(await printed(container, health), "");
    const invite = await linkOf(container);
    const prefix = await container.networkPrefix();
    await using ana = await JsonClient.join({ invite, name: "ana", prefix });
    const inviting = ["deno", "task", "--quiet", "invite", "ben"];
    const [forBen] = (await printed(container, inviting)).split("\n");
    assert(forBen && forBen !== invite);
    await using ben = await JsonClient.join({
      invite: forBen,
      prefix,
      name: "ben",
    });
    await ana.type("hello");
    await ben.shows("said", { name: "ana", text: "hello" });
    const page = script(GETTER, "--allow-net=127.0.0.1:8080");
    assertEquals(await printed(container, page), "200\n");
    const writer = script(WRITER, "--allow-write");
    assertEquals(await printed(container, writer), "/data\n");
    await container.signal("SIGHUP");
    await container.line(/Opened chat\.log again at SIGHUP$/);

    await container.signal("SIGTERM");
    await ana.shows("away", { reason: "server stopped" });
    assertEquals(await container.finished(), 0, container.transcript);
    const key = await Deno.readTextFile(`${volume}/chat.key`);
    const log = await Deno.readTextFile(`${volume}/chat.log`);
    assertMatch(log, / \| ana: hello\n/);

    await using again = await serve();
    assertEquals(await linkOf(again), invite);
    await again.signal("SIGINT");
    assertEquals(await again.finished(), 0, again.transcript);
    assertEquals(await Deno.readTextFile(`${volume}/chat.key`), key);
    assertEquals(await Deno.readTextFile(`${volume}/chat.log`), log);
  },
);

const UNIT = new URL("encrypted-chat.service", deploy).pathname;
/** The most of systemd's exposure, from 0 to 10, that the unit may have. */
const MAX_EXPOSURE = 1.1;

const analyzer = await succeeds("systemd-analyze", "--version")
  ? undefined
  : "no systemd-analyze";

testUnless(analyzer, "systemd finds nothing wrong with the unit", async () => {
  await using folder = await Folder.make();
  // The executable is missing here.
  const text = (await read("encrypted-chat.service")).replace(
    "/usr/local/bin/chat-server",
    "/bin/true",
  );
  const path = await folder.write("encrypted-chat.service", text, 0o644);
  const { code, stdout, stderr } = await runToEnd([
    "systemd-analyze",
    "verify",
    path,
  ]);
  assertEquals({ code, said: stdout + stderr }, { code: 0, said: "" });
});

testUnless(
  analyzer,
  `systemd finds the unit confined: an exposure of ${MAX_EXPOSURE} at the most`,
  async () => {
    const words = [
      "systemd-analyze",
      "security",
      "--no-pager",
      "--offline=true",
    ];
    const judged = await output(...words, UNIT) ?? "";
    const [, exposure] = /Overall exposure level .*: ([\d.]+) /.exec(judged) ??
      [];
    assert(exposure !== undefined && Number(exposure) <= MAX_EXPOSURE, judged);
  },
);
