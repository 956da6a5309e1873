/**
 * Two well-known servers to compare with, each in a process and a temporary folder of its own, over TLS with a
 * certificate made for the occasion.
 *
 * @module
 */

import type { PeerKind } from "../load/job.ts";
import { pause } from "../../src/base/timing.ts";
import { run, succeeds } from "../../tests/kit/command.ts";
import { Folder, freePort } from "../../tests/kit/folder.ts";
import { Process } from "../../tests/kit/process.ts";
import type { Pinning, Target } from "../load/processes.ts";

/** How long a server may take to listen, and between two looks whether it does, ms. */
const START_TIME = 10_000;
const LISTEN_PAUSE = 20;

/** A server that may be installed. */
export interface Peer {
  readonly kind: PeerKind;
  /** What to start, wherever it is installed. */
  readonly program: string;
  /** Its arguments, which name `server.conf` in its folder. */
  args(folder: string): string[];
  /** What `server.conf` says. No limit on what is out may stop a member that is merely slow. */
  configuration(folder: string, port: number): string;
}

const NATS: Peer = {
  kind: "nats",
  program: "nats-server",
  args: (folder) => ["-c", `${folder}/server.conf`],
  configuration: (folder, port) => `
host: 127.0.0.1
port: ${port}
tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem" }
max_connections: 20000
max_pending: 512MB
write_deadline: "30s"
`,
};

/** Whether this is the superuser, as whom InspIRCd runs only when told so. */
function superuser(): boolean {
  return Deno.uid() === 0;
}

const INSPIRCD: Peer = {
  kind: "irc",
  program: "inspircd",
  args: (folder) => [
    "--config",
    `${folder}/server.conf`,
    "--nofork",
    ...(superuser() ? ["--runasroot"] : []),
  ],
  configuration: (folder, port) => `
<server name="irc.example" description="benchmark" network="benchmark">
<admin name="nobody" nick="nobody" email="nobody@irc.example">
<module name="ssl_gnutls">
<sslprofile name="own" provider="gnutls" certfile="${folder}/cert.pem" keyfile="${folder}/key.pem">
<bind address="127.0.0.1" port="${port}" type="clients" sslprofile="own">
<connect name="all" allow="*" limit="20000" localmax="20000" globalmax="20000"
  timeout="120" pingfreq="600" fakelag="no" threshold="1000000" commandrate="1000000"
  recvq="1M" softsendq="512M" hardsendq="512M" resolvehostnames="no" useident="no">
<performance softlimit="20000" somaxconn="1024" netbuffersize="65534" clonesonconnect="no">
<options defaultmodes="">
<path configdir="${folder}" datadir="${folder}" logdir="${folder}" runtimedir="${folder}">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="${folder}/server.log">
<pid file="${folder}/server.pid">
`,
};

/** What is installed, by the name and version to show. */
export async function installedPeers(): Promise<Map<string, Peer>> {
  const found = new Map<string, Peer>();
  for (const peer of [NATS, INSPIRCD]) {
    if (!await succeeds(peer.program, "--version")) continue;
    const version = /\d+(\.\d+)+/.exec(await run(peer.program, "--version"));
    const name = peer.kind === "irc" ? "InspIRCd" : peer.program;
    found.set(`${name} ${version?.[0] ?? ""}`.trim(), peer);
  }
  return found;
}

async function makeCertificate(folder: string): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const files = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`];
  const subject = ["-subj", "/CN=localhost", "-days", "2"];
  await run(
    "openssl",
    "req",
    "-x509",
    "-nodes",
    ...curve,
    ...files,
    ...subject,
  );
}

async function listens(port: number): Promise<boolean> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Starts a peer, in a process and a temporary folder of its own. @param signal Ends it at once. @throws {Error} if it doesn't come to listen. */
export async function startPeer(
  { server: prefix }: Pinning,
  peer: Peer,
  signal: AbortSignal,
): Promise<Target> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await Folder.make());
  const { path } = folder;
  const port = freePort();
  await makeCertificate(path);
  await folder.write("server.conf", peer.configuration(path, port));
  const words = [...prefix, peer.program, ...peer.args(path)];
  const start = performance.now();
  // InspIRCd leaves a core in its folder when it is ended.
  const { pid } = stack.use(new Process(words, { cwd: path, signal }));
  while (!await listens(port)) {
    if (performance.now() - start > START_TIME) {
      throw new Error(`Cannot measure ${peer.program}: it doesn't listen`);
    }
    await pause(LISTEN_PAUSE);
  }
  const listenTime = performance.now() - start;
  const started = stack.move();
  return {
    place: { kind: peer.kind, port },
    pids: [pid],
    listenTime,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
