/**
 * Profiles of a browser. Whatever their pages do that they must not is kept: an error in the console, an exception that
 * nobody catches, a request to anybody but the page's server.
 *
 * @module
 */

import type {
  BrowserContext,
  BrowserContextOptions,
  Page,
} from "playwright-core";
import { assertEquals } from "./assert.ts";
import { chromium } from "./chromium.ts";

/** How long a page may take to be as it should, ms, on a machine that is busy. */
const DEADLINE = 30_000;
/** How long a page may take to say what it shows when a test has failed, ms. */
const PATIENCE = 2_000;
/** How much of that is told, characters. */
const MAX_SHOWN = 1_500;

/** A profile of the browser: a person's, with its own storage, or a second person's on the same machine. */
export class Profile implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #problems: string[] = [];
  readonly #hosts = new Set<string>();
  readonly #excused: RegExp[] = [];

  private constructor(context: BrowserContext) {
    this.#context = context;
    context.setDefaultTimeout(DEADLINE);
    context.on("page", (page) => this.#watch(page));
    context.on("request", (request) => this.#asked(request.url()));
  }

  /** Makes one. */
  static async make(options: BrowserContextOptions): Promise<Profile> {
    return new Profile(await (await chromium()).newContext(options));
  }

  /** For what only the driver can. */
  get context(): BrowserContext {
    return this.#context;
  }

  /** Opens an address in a page of its own. Requests to its host are as they should be, and to no other. */
  async open(address: string): Promise<Page> {
    this.allow(new URL(address).host);
    const page = await this.#context.newPage();
    await page.goto(address);
    return page;
  }

  /** Allows requests to a server that isn't the page's own: `HOST:PORT`. */
  allow(host: string): void {
    this.#hosts.add(host);
  }

  /** Forgives problems of a kind, such as those of a server that was killed. */
  excuse(problem: RegExp): void {
    this.#excused.push(problem);
  }

  /** What pages did that they must not. */
  get problems(): string[] {
    return this.#problems.filter((problem) =>
      !this.#excused.some((it) => it.test(problem))
    );
  }

  /** What its pages show now, for the message of a failure. */
  async shown(): Promise<string[]> {
    return await Promise.all(
      this.#context.pages().map(async (page) => {
        const text = page.evaluate(() => document.body.innerText);
        // A page that hangs says nothing more.
        const late = new Promise<string>((done) =>
          setTimeout(() => done("(nothing: it hangs)"), PATIENCE)
        );
        const shown = await Promise.race([text.catch(String), late]);
        return `── ${page.url()}\n${shown.slice(-MAX_SHOWN)}`;
      }),
    );
  }

  #watch(page: Page): void {
    page.on("websocket", (socket) => this.#asked(socket.url()));
    page.on("pageerror", (error) => this.#problems.push(`thrown: ${error}`));
    page.on("dialog", async (dialog) => {
      this.#problems.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("console", (message) => {
      const type = message.type();
      if (type === "error" || type === "warning") {
        this.#problems.push(`${type}: ${message.text()}`);
      }
    });
  }

  #asked(address: string): void {
    const { protocol, host } = new URL(address);
    if (["blob:", "data:"].includes(protocol)) return;
    if (!this.#hosts.has(host)) this.#problems.push(`asked for ${address}`);
  }

  /** Closes its pages. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

/** The profiles of one test. */
export class Profiles implements AsyncDisposable {
  readonly #all: Profile[] = [];

  /** A new profile. */
  async make(options: BrowserContextOptions = {}): Promise<Profile> {
    const profile = await Profile.make(options);
    this.#all.push(profile);
    return profile;
  }

  /** Runs a test; fails as well if a page did what it must not, and says what pages show in any case. */
  async run(fn: (profiles: Profiles) => Promise<void>): Promise<void> {
    try {
      await fn(this);
      assertEquals(this.#all.flatMap(({ problems }) => problems), []);
    } catch (error) {
      const all = await Promise.all(this.#all.map((it) => it.shown()));
      const problems = this.#all.flatMap(({ problems }) => problems);
      const shown = [...all.flat(), ...problems].join("\n");
      throw new Error(`The pages show:\n${shown}`, { cause: error });
    }
  }

  /** Closes all pages. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const profile of this.#all) await profile[Symbol.asyncDispose]();
  }
}
