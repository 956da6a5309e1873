/**
 * Two networks in namespaces of their own, and a line between them that can be slow, lose packets, and be cut. For
 * the superuser of a Linux with `ip` and /dev/net/tun.
 *
 * @module
 */

import { run } from "../command.ts";
import { Process } from "../process.ts";
import { Notify } from "../../../src/base/notify.ts";

/** The addresses: of the side that serves, and of the other, which may have either. */
export const SERVER_ADDRESS = "10.77.0.1";
export const CLIENT_ADDRESS = "10.77.0.2";
export const OTHER_ADDRESS = "10.77.0.3";

/** How good the line is. */
export interface LineQuality {
  /** From one side to the other, ms. */
  readonly delay?: number;
  /** How many packets of a hundred are lost. */
  readonly loss?: number;
}

const ip = (...args: string[]): Promise<string> => run("ip", ...args);

let made = 0;

/** Both sides, and the line. */
export class Network implements AsyncDisposable {
  /** What stands in front of a command that is to run on this side. */
  readonly serverPrefix: readonly string[];
  readonly clientPrefix: readonly string[];
  readonly #sides: readonly [server: string, client: string];
  readonly #link: Process;
  readonly #more = new Notify();
  #lines = 0; // that the line's process has written

  private constructor(sides: readonly [string, string], quality: LineQuality) {
    this.#sides = sides;
    const prefix = (side: string) => ["ip", "netns", "exec", side];
    this.serverPrefix = prefix(sides[0]);
    this.clientPrefix = prefix(sides[1]);
    const { delay = 0, loss = 0 } = quality;
    const program = new URL("link.ts", import.meta.url).href;
    this.#link = new Process([
      ...[Deno.execPath(), "run", "--no-prompt", "--allow-ffi", program],
      ...[...sides, String(delay), String(loss)],
    ], { stdout: (piece) => this.#count(piece), stderr: "inherit" });
  }

  /** Makes a line that is ready. */
  static async make(quality: LineQuality = {}): Promise<Network> {
    const own = `${Deno.pid}n${++made}`; // interfaces are called so as well, which takes 15 characters at the most
    const sides = [`chat${own}s`, `chat${own}c`] as const;
    const network = new Network(sides, quality);
    try {
      for (const side of sides) await ip("netns", "add", side);
      await network.#written(1); // "ready"
      await network.#raise(sides[0], SERVER_ADDRESS);
      await network.#raise(sides[1], CLIENT_ADDRESS);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Why none can be made here; undefined if one can. */
  static async obstacle(): Promise<string | undefined> {
    try {
      await using _network = await Network.make();
      return undefined;
    } catch {
      return "needs the right to make network namespaces";
    }
  }

  async #raise(side: string, address: string): Promise<void> {
    await ip("link", "set", side, "netns", side);
    await ip("-n", side, "address", "add", `${address}/24`, "dev", side);
    await ip("-n", side, "link", "set", side, "up");
    await ip("-n", side, "link", "set", "lo", "up");
  }

  #count(piece: string | null): void {
    // When it has ended, nobody need wait.
    this.#lines += piece === null ? Infinity : piece.split("\n").length - 1;
    this.#more.notify();
  }

  async #written(lines: number): Promise<void> {
    while (this.#lines < lines) await this.#more.wait();
    if (this.#lines === Infinity) throw new Error("The line has ended");
  }

  /** Cuts the line; everything is lost from now on. */
  async cut(): Promise<void> {
    await this.#link.write("cut\n");
  }

  /** Resolves when so many packets more were lost in a cut. */
  async lost(packets: number): Promise<void> {
    await this.#written(this.#lines + packets);
  }

  /** Mends the line. */
  async mend(): Promise<void> {
    await this.#link.write("mend\n");
  }

  /** Gives the clients' side its other address, as on a move from one network to another. */
  async move(): Promise<void> {
    const [, side] = this.#sides;
    await ip("-n", side, "address", "flush", "dev", side);
    await ip("-n", side, "address", "add", `${OTHER_ADDRESS}/24`, "dev", side);
  }

  /** Has the clients' side give up on lost packets after so many repetitions, instead of a quarter of an hour. */
  async loseHeartAfter(repetitions: number): Promise<void> {
    const file = "/proc/sys/net/ipv4/tcp_retries2";
    const [, side] = this.#sides;
    const write = `echo ${repetitions} > ${file}`;
    await ip("netns", "exec", side, "sh", "-c", write);
  }

  /** Ends it, and removes both sides. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.endInput().catch(() => {}); // it may have ended by itself
    await this.#link.ended;
    for (const side of this.#sides) {
      await ip("netns", "delete", side).catch(() => {}); // where it wasn't made
    }
  }
}
