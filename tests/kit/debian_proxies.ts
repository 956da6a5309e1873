/**
 * Proxies of Debian's packages: microsocks, which speaks SOCKS5, and haproxy, which says whom it passes on.
 *
 * @module
 */

import { succeeds } from "./command.ts";
import { type Folder, freePort } from "./folder.ts";
import { Program } from "./program.ts";

/** Between two looks whether somebody listens, ms. */
const LOOK_PAUSE = 10;
/** The real one, also where a test's clock stands in its place. */
const { setTimeout: later } = globalThis;

/** Why there is no microsocks here; undefined if there is one. */
export const noMicrosocks: string | undefined =
  await succeeds("sh", "-c", "command -v microsocks")
    ? undefined
    : "microsocks is not installed";

/** Where Debian puts it, which isn't on every user's path. */
const HAPROXY = "/usr/sbin/haproxy";

/** Why there is no haproxy here; undefined if there is one. */
export const noHaproxy: string | undefined = await succeeds(HAPROXY, "-v")
  ? undefined
  : "haproxy is not installed";

/** A SOCKS5 proxy on this machine, which says on stderr where it connects to. */
export class SocksProxy extends Program {
  private constructor(readonly port: number, args: readonly string[]) {
    super(["microsocks", "-i", "127.0.0.1", "-p", String(port), ...args]);
  }

  /** Starts one. @param login What it asks for. Default: nothing. @param port Default: a free one. */
  static async start(
    login?: { readonly user: string; readonly password: string },
    port: number = freePort(),
  ): Promise<SocksProxy> {
    const args = login ? ["-u", login.user, "-P", login.password] : [];
    const proxy = new SocksProxy(port, args);
    const ended = proxy.finished().then((code) => {
      throw new Error(`microsocks ended with ${code}`);
    });
    await Promise.race([listens(port), ended]);
    ended.catch(() => {}); // when it is ended
    return proxy;
  }

  /** What `--proxy` takes. */
  get url(): string {
    return `socks5://127.0.0.1:${this.port}`;
  }

  /** Where it has connected to, as it was asked. */
  get targets(): string[] {
    return this.stderr.flatMap((line) =>
      /: connected to (.*)$/.exec(line)?.slice(1) ?? []
    );
  }

  /** Waits until it has connected to an address so many times. */
  async connectsTo(target: string, times = 1): Promise<void> {
    const count = () => this.targets.filter((it) => it === target).length;
    await this.until(
      `connection ${times} to ${target}`,
      () => count() >= times || undefined,
    );
  }
}

async function listens(port: number): Promise<void> {
  for (;;) {
    try {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      return conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((go) => later(go, LOOK_PAUSE));
    }
  }
}

/** Starts haproxy. @param text Its configuration. @param prefix A command that starts it, in front of its own. */
export async function startHaproxy(
  folder: Folder,
  text: string,
  prefix: readonly string[] = [],
): Promise<Program> {
  const file = await folder.write("haproxy.cfg", text);
  const program = new Program([...prefix, HAPROXY, "-W", "-f", file]);
  await program.line(/Loading success/);
  return program;
}
