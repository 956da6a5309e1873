/**
 * Firefox for the tests, where it is installed, by WebDriver BiDi: just what a few tests need. (playwright-core can't
 * drive Debian's: it asks for commands of the protocol that only newer ones have.)
 *
 * @module
 */

import { assert, assertEquals } from "./assert.ts";
import { findProgram } from "./chromium.ts";
import { Folder } from "./folder.ts";
import { Program } from "./program.ts";

/** How long a page may take to be as it should, ms, on a machine that is busy. */
const DEADLINE = 30_000;
/** Between two looks at a page, ms. */
const PAUSE = 50;
/** WebDriver's letter for the Enter key. */
const ENTER = "\uE007";

const program = findProgram(["firefox-esr", "firefox"]);

/** What a browser keeps to itself while tests run: it asks nobody for anything. */
const PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  "app.normandy.enabled": false,
  "app.update.auto": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.enabled": false,
};

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly error?: string;
  readonly message?: string;
  readonly result?: unknown;
  readonly params?: unknown;
}

/** A browser with one page. */
export class Firefox implements AsyncDisposable {
  /** Errors in its console, and exceptions that nobody caught. */
  readonly problems: string[] = [];
  readonly #things: AsyncDisposableStack;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #last = 0;
  #page = "";

  private constructor(things: AsyncDisposableStack, socket: WebSocket) {
    this.#things = things;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)));
    socket.onclose = () => {
      for (const answer of this.#waiting.values()) {
        answer({ error: "closed", message: "The browser has ended" });
      }
    };
  }

  /** Starts one, with a profile of its own. */
  static async start(): Promise<Firefox> {
    await using things = new AsyncDisposableStack();
    const folder = things.use(await Folder.make());
    const lines = Object.entries(PREFERENCES).map(([name, value]) =>
      `user_pref("${name}", ${JSON.stringify(value)});\n`
    );
    await folder.write("user.js", lines.join(""));
    const words = [
      ...[program ?? "", "--headless", "--remote-debugging-port", "0"],
      ...["--profile", folder.path, "--no-remote", "about:blank"],
    ];
    const browser = things.use(
      new Program(words, { cwd: folder.path, env: { HOME: folder.path } }),
    );
    const [, address] = await browser.line(/listening on (ws:\S+)$/);
    const socket = new WebSocket(`${address}/session`);
    await new Promise((done, fail) => {
      socket.onopen = done;
      socket.onerror = fail;
    });
    const firefox = new Firefox(things.move(), socket);
    await firefox.#begin();
    return firefox;
  }

  async #begin(): Promise<void> {
    await this.#ask("session.new", { capabilities: {} });
    await this.#ask("session.subscribe", { events: ["log.entryAdded"] });
    const tree = await this.#ask("browsingContext.getTree", {}) as {
      readonly contexts: readonly { readonly context: string }[];
    };
    this.#page = tree.contexts[0]?.context ?? "";
  }

  /** Opens an address, and waits until it is loaded. */
  async open(url: string): Promise<void> {
    await this.#ask("browsingContext.navigate", {
      context: this.#page,
      url,
      wait: "complete",
    });
  }

  /** Loads the page again, and waits until it is loaded. */
  async reload(): Promise<void> {
    const context = this.#page;
    await this.#ask("browsingContext.reload", { context, wait: "complete" });
  }

  /** What an expression comes to in the page, as JSON carries it; promises are waited for. */
  async evaluate(expression: string): Promise<unknown> {
    const reply = await this.#ask("script.evaluate", {
      expression: `(async () => JSON.stringify(await (${expression})))()`,
      target: { context: this.#page },
      awaitPromise: true,
    }) as {
      readonly result?: { readonly value?: string };
      readonly exceptionDetails?: { readonly text: string };
    };
    const { result, exceptionDetails } = reply;
    assertEquals(exceptionDetails?.text, undefined);
    return result?.value === undefined ? undefined : JSON.parse(result.value);
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    for (const end = Date.now() + DEADLINE; Date.now() < end;) {
      if (await this.evaluate(`Boolean(${expression})`)) return;
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    const shown = await this.evaluate("document.body.innerText");
    throw new Error(
      `It should be so: ${expression}\nThe page shows:\n${shown}`,
    );
  }

  /** Types a text, and Enter, to what a selector finds first, once it is there. */
  async line(selector: string, text: string): Promise<void> {
    await this.until(`(() => {
      const field = document.querySelector(${JSON.stringify(selector)});
      field?.focus();
      return field && document.activeElement === field;
    })()`);
    const actions = [...text, ENTER].flatMap((value) =>
      ["keyDown", "keyUp"].map((type) => ({ type, value }))
    );
    await this.#ask("input.performActions", {
      context: this.#page,
      actions: [{ type: "key", id: "keyboard", actions }],
    });
  }

  async #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#last;
    const reply = await new Promise<Reply>((done) => {
      this.#waiting.set(id, done);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    assert(!reply.error, `${method}: ${reply.error}: ${reply.message}`);
    return reply.result;
  }

  #take(reply: Reply): void {
    if (reply.id !== undefined) {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    } else if (reply.method === "log.entryAdded") {
      const { level, text } = reply.params as Readonly<Record<string, string>>;
      if (level === "error") this.problems.push(text ?? "");
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask("browser.close", {}).catch(() => {}); // its process is ended below in any case
    this.#socket.close();
    await this.#things[Symbol.asyncDispose]();
  }
}

/** A test that needs Firefox; ignored where there is none, and its name says so. */
export function firefoxTest(
  name: string,
  fn: (firefox: Firefox) => Promise<void>,
): void {
  const ignore = program === undefined;
  const reason = ignore ? " (ignored: no Firefox here)" : "";
  Deno.test({
    name: `${name}${reason}`,
    ignore,
    async fn() {
      await using firefox = await Firefox.start();
      await fn(firefox);
      assertEquals(firefox.problems, []);
    },
  });
}
