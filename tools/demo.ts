/**
 * The demonstration: a real server and two real clients in a temporary folder, what each of them saw, what
 * crossed the network between them, and what the log holds. Knows the programs only by their command lines.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { formatInvite, parseInvite } from "../src/keys/invite.ts";
import { write } from "../src/base/program.ts";
import { TextLineStream } from "../src/base/std.ts";
import { padCells } from "../src/client/terminal/cells.ts";

/** What is said, by whom. */
const CONVERSATION = [
  ["Priyanka", "hello Abhii, what do you know about ciphers?"],
  ["Abhii", "everything, but how can I tell you here?"],
  ["Priyanka", "नमस्ते: nobody else can read this 🔐"],
  ["Abhii", "then let's talk"],
] as const;
/** How long the whole may take, ms. */
const DEADLINE = 30_000;
/** How many bytes of the network are shown, and how many in a row. */
const SHOWN_BYTES = 160;
const ROW = 16;
const COLUMN = 66;

/** The words of a task's command, as deno.json has it: the same program with the same permissions. */
function command(task: "server" | "client"): string[] {
  const program = new URL(`../${task}.ts`, import.meta.url).href;
  const [, run = "", ...words] = config.tasks[task].command.split(" ");
  const args = words.map((word) => word === `${task}.ts` ? program : word);
  return [run, "--quiet", ...args];
}

/** A program that runs, and the lines that it has written. */
class Running implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #changed = Promise.withResolvers<void>();

  constructor(task: "server" | "client", folder: string, args: string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [...command(task), ...args],
      cwd: folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = this.#readAll();
  }

  async #readAll(): Promise<void> {
    const { stdout, stderr } = this.#process;
    await Promise.all([this.#read(stdout), this.#read(stderr)]);
    this.#changed.reject(new Error("Cannot go on: a program has ended"));
    this.#changed.promise.catch(() => {}); // nobody may be waiting for more
  }

  async #read(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const lines = output
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      this.lines.push(line);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers<void>();
    }
  }

  /** The first line that holds the text, once it is there. */
  async line(text: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
      await this.#changed.promise;
    }
  }

  /** Types a line. */
  async type(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Ends the input, as Ctrl-D does, and waits for the program's end. */
  async finish(): Promise<void> {
    await this.#input.close();
    await this.#process.status;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
    await this.#reading;
  }
}

/** A wire tap: passes everything on to the server, and keeps a copy of what it sends. */
class Tap implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #port: number;
  /** Every byte so far, in both directions. */
  readonly pieces: Uint8Array[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#run().catch(() => {}); // it ends when the tap is closed
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #run(): Promise<void> {
    for await (const client of this.#listener) {
      const address = { hostname: "127.0.0.1", port: this.#port };
      const server = await Deno.connect(address);
      client.setNoDelay(true);
      server.setNoDelay(true);
      for (const [from, to] of [[client, server], [server, client]] as const) {
        // One direction's end is the connection's end; the programs themselves say why.
        from.readable.pipeThrough(this.#copy()).pipeTo(to.writable)
          .catch(() => {});
      }
    }
  }

  #copy(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    return new TransformStream({
      transform: (piece, controller) => {
        this.pieces.push(piece.slice());
        controller.enqueue(piece);
      },
    });
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

function heading(text: string): string {
  return `\n── ${text} ${"─".repeat(Math.max(0, 126 - text.length))}\n`;
}

function sideBySide(left: readonly string[], right: readonly string[]) {
  const rows = Math.max(left.length, right.length);
  return Array.from({ length: rows }, (_, at) => {
    const [a = "", b = ""] = [left[at], right[at]];
    return `${padCells(a, COLUMN)}  ${b}\n`;
  }).join("");
}

/** Without the date, which is the same all over. */
function shortened(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^[\d-]+T([\d:]+)\.\d+Z/, "$1"));
}

function dump(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = bytes.subarray(at, at + ROW);
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, "0"));
    const shown = [...row].map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."
    );
    text += `${at.toString(16).padStart(6, "0")}  ${
      hex.join(" ").padEnd(ROW * 3)
    } ${shown.join("")}\n`;
  }
  return text;
}

/** How many of the words that were said stand in the bytes as they are. */
function readableWords(bytes: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(bytes);
  const words = CONVERSATION.flatMap(([name, said]) => [name, said]);
  return words.filter((word) => {
    const encoded = new TextEncoder().encode(word);
    return text.includes(new TextDecoder("latin1").decode(encoded));
  }).length;
}

async function demonstrate(folder: string): Promise<void> {
  await using server = new Running("server", folder, ["--port", "0"]);
  const link = /chat:\/\/[^']+/.exec(await server.line("from elsewhere"))?.[0];
  if (link === undefined) throw new Error("Cannot find the server's link");
  const invite = parseInvite(link);
  using tap = new Tap(invite.port);
  const tapped = { ...invite, host: "127.0.0.1", port: tap.port };
  const client = (name: string) => {
    const identity = `${folder}/${name}`;
    const args = [formatInvite(tapped), "--name", name, "--identity", identity];
    return new Running("client", folder, args);
  };
  await using priyanka = client("Priyanka");
  await priyanka.line("as Priyanka");
  await using abhii = client("Abhii");
  await priyanka.line("Abhii joined");
  for (const [name, text] of CONVERSATION) {
    await (name === "Abhii" ? abhii : priyanka).type(text);
    await Promise.all([priyanka.line(text), abhii.line(text)]);
  }
  await abhii.finish();
  await priyanka.line("Abhii left");
  await priyanka.finish();

  const bytes = new Uint8Array(
    await new Blob(
      tap.pieces.map((piece) => new Uint8Array(piece)),
    ).arrayBuffer(),
  );
  const log = await Deno.readTextFile(`${folder}/chat.log`);
  write(heading("what Priyanka saw, and what Abhii saw"));
  write(sideBySide(shortened(priyanka.lines), shortened(abhii.lines)));
  write(heading(`the last of the ${bytes.length} bytes on the network`));
  write(dump(bytes.subarray(-SHOWN_BYTES)));
  write(
    `Of ${CONVERSATION.length * 2} names and messages, ${
      readableWords(bytes)
    } can be read there.\n`,
  );
  write(heading("chat.log, on the server"));
  write(log);
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "chat-demo-" });
  const timer = setTimeout(() => {
    write("Cannot finish the demonstration in time\n", Deno.stderr);
    Deno.exit(1);
  }, DEADLINE);
  try {
    await demonstrate(folder);
  } finally {
    clearTimeout(timer);
    await Deno.remove(folder, { recursive: true });
  }
}
