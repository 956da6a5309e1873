/**
 * Tests of the view for pipes, with streams that are arrays.
 *
 * @module
 */

import type { News, RoomNews } from "../../../../src/client/view.ts";
import { JsonView } from "../../../../src/client/pipe/json_view.ts";
import type { Sink } from "../../../../src/client/pipe/pipe_view.ts";
import { OutputError } from "../../../../src/base/output.ts";
import { FileError } from "../../../../src/base/private_file.ts";
import { PlainView } from "../../../../src/client/pipe/plain_view.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../../../kit/assert.ts";
import { ATTACKS, DANGEROUS, newsWith } from "../../../kit/hostile_texts.ts";
import { diskError } from "../../../kit/full_disk.ts";

/** A stream of these pieces; text is UTF-8. */
function inputOf(...pieces: (string | Uint8Array<ArrayBuffer>)[]) {
  return ReadableStream.from(
    pieces.map((piece) =>
      typeof piece === "string" ? new TextEncoder().encode(piece) : piece
    ),
  );
}

/** A sink that remembers, and takes at most so many bytes at once. */
class Memory implements Sink {
  readonly #bytes: number[] = [];
  readonly #atOnce: number;

  constructor(atOnce = Infinity) {
    this.#atOnce = atOnce;
  }

  get text(): string {
    return new TextDecoder().decode(new Uint8Array(this.#bytes));
  }

  writeSync(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.#atOnce);
    this.#bytes.push(...taken);
    return taken.length;
  }
}

/** The streams of a view. */
function streams(input = inputOf()) {
  const asOnPipes = { isTyped: false, isWatched: false };
  return { input, output: new Memory(), errors: new Memory(), ...asOnPipes };
}

const at = Date.UTC(2026, 10, 23, 17, 5, 54, 120);

function roomNews(
  type: RoomNews["type"],
  name: string,
  text: string,
  to: number | null = null,
): RoomNews {
  const person = "k3df9q2mx7ta41cz";
  return {
    type,
    seq: 88,
    at,
    name,
    person,
    text,
    own: true,
    past: false,
    to,
  };
}

const entered: News = {
  type: "entered",
  address: "192.0.2.7:5000",
  name: "cron",
  others: 2,
  seq: 88,
  at,
  person: "k3df9q2mx7ta41cz",
  earlier: 12,
  again: false,
  waiting: 0,
};

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  return await Array.fromAsync(lines);
}

Deno.test("PlainView writes the room's events to stdout, a line each", () => {
  const options = streams();
  const view = new PlainView(options);
  view.show(roomNews("joined", "ana", ""));
  view.show(roomNews("said", "ana", "hello ½ 日本 😀"));
  view.show(roomNews("acted", "ana", "waves"));
  view.show(roomNews("replied", "ana", "two\nlines", 7));
  view.show(roomNews("sealed", "ana", "3.TG9y"));
  view.show(roomNews("ruled", "ana", "keys {} TG9y"));
  view.show(roomNews("ruled", "ana", "\x1b[2J {} TG9y"));
  view.show(roomNews("renamed", "ana", "anna"));
  view.show(roomNews("left", "ana", "lost"));
  const lines = [roomNews("said", "ana", "found")];
  view.show({ type: "found", words: "", lines, more: false });
  const wrong = { type: "warning", line: 4, reason: "text-wrong" } as const;
  const warning = { ...wrong, name: "ana", person: "k3df9q2mx7ta41cz" };
  view.show({ type: "found", words: "", lines: [warning], more: false });
  assertEquals(
    options.output.text.replaceAll("2026-11-23T17:05:54.120Z ", ""),
    "ana joined\n" +
      "ana: hello ½ 日本 😀\n" +
      "* ana waves\n" +
      "ana to 7: two\\nlines\n" +
      "ana: (sealed: it cannot be read here)\n" +
      "ana changed the key of the room\n" +
      "ana ruled the room\n" +
      "ana is now anna\n" +
      "ana left (connection lost)\n" +
      "ana: found\n",
  );
  assertEquals(
    options.errors.text,
    "WARNING: line 4, as from ana, is not shown: what is sealed in it cannot be read\n",
  );
});

Deno.test("PlainView writes what is about the program to stderr, and its joining for a person alone", () => {
  const quiet = streams();
  const unwatched = new PlainView(quiet);
  unwatched.show(entered);
  unwatched.greet("Topic: rehearsal");
  assertEquals(quiet.errors.text + quiet.output.text, "");
  const options = { ...streams(), isWatched: true };
  const view = new PlainView(options);
  view.show(entered);
  view.show({
    type: "refused",
    text: "😀".repeat(99),
    reason: "text-too-long",
    detail: "",
  });
  view.show({ type: "disconnected", reason: "lost", seconds: 1.3 });
  view.show({ ...entered, again: true });
  const person = "k3df9q2mx7ta41cz";
  for (const text of ["lunch", ""]) {
    view.show({
      type: "away-message",
      name: "ana",
      person,
      text,
      own: false,
    });
  }
  view.greet("Topic: rehearsal");
  view.note("one\ntwo");
  assertEquals(
    options.errors.text,
    `Joined 192.0.2.7:5000 as cron\n` +
      `Not sent: "${"😀".repeat(40)}…": A message has at most 4096 bytes\n` +
      `Not connected: connection lost. Trying again in 2 s\n` +
      `Back in 192.0.2.7:5000 as cron\n` +
      `ana is away: lunch\nana is back\n` +
      `Topic: rehearsal\n` +
      `one\ntwo\n`,
  );
  assertEquals(options.output.text, "");
});

Deno.test("PlainView repeats what this program says to a person who typed it, and to no other", () => {
  for (const isTyped of [true, false]) {
    const options = { ...streams(), isTyped };
    const view = new PlainView(options);
    view.show({ ...roomNews("said", "ana", "here"), mine: true });
    view.show(roomNews("said", "ana", "by another client"));
    const texts = options.output.text.match(/(?<=ana: ).*/g) ?? [];
    assertEquals(
      texts,
      isTyped ? ["here", "by another client"] : [
        "by another client",
      ],
    );
  }
});

Deno.test("PlainView shows attacks as escapes, wherever they stand, and no line as several", () => {
  for (const attack of ATTACKS) {
    const options = { ...streams(), isWatched: true };
    const view = new PlainView(options);
    let lines = 0;
    for (const news of newsWith(attack)) {
      const { output, errors } = options;
      const before = output.text.length + errors.text.length;
      view.show(news);
      const { length } = output.text + errors.text;
      const several = news.type === "found"
        ? news.lines.length
        : news.type === "invited" && news.web !== undefined
        ? 2
        : 1;
      if (length > before) lines += several;
    }
    view.note(attack);
    lines += attack.split("\n").length;
    const shown = options.output.text + options.errors.text;
    assertEquals(shown.split("\n").length, lines + 1);
    assert(!DANGEROUS.test(shown.replaceAll("\n", "")), JSON.stringify(shown));
  }
});

Deno.test("PipeView writes on where a sink takes a part or would block", () => {
  const output = new Memory(7);
  let refusals = 3;
  const sink: Sink = {
    writeSync(bytes) {
      if (refusals-- > 0) throw new Deno.errors.WouldBlock("full");
      return output.writeSync(bytes);
    },
  };
  const view = new PlainView({ ...streams(), output: sink });
  view.show(roomNews("said", "ana", "0123456789"));
  assertEquals(output.text, "2026-11-23T17:05:54.120Z ana: 0123456789\n");
});

Deno.test("PipeView.lines() ends when nobody reads the output any more", async () => {
  // This input never ends by itself.
  const input = new ReadableStream<Uint8Array<ArrayBuffer>>();
  const sink: Sink = {
    writeSync() {
      throw new Deno.errors.BrokenPipe("gone");
    },
  };
  const view = new JsonView({ ...streams(input), output: sink });
  const lines = all(view.lines());
  view.show(entered);
  view.note("this isn't written");
  assertEquals(await lines, []);
});

Deno.test("PipeView ends, and says why, when the output takes no more", async () => {
  let written = 0;
  const sink: Sink = {
    writeSync() {
      written++;
      throw diskError("ENOSPC");
    },
  };
  // This input never ends by itself.
  const input = new ReadableStream<Uint8Array<ArrayBuffer>>();
  const view = new JsonView({ ...streams(input), output: sink });
  const lines = all(view.lines());
  view.note("one");
  view.note("two");
  await assertRejects(
    () => view.failed,
    OutputError,
    "Cannot write to standard output: the disk is full",
  );
  assertEquals(await lines, []);
  assertEquals(written, 1);
});

Deno.test("PlainView goes on where stderr takes no more", async () => {
  const errors: Sink = {
    writeSync() {
      throw diskError("ENOSPC");
    },
  };
  const options = { ...streams(inputOf("hello\n")), errors };
  const view = new PlainView(options);
  view.note("nobody reads this");
  view.show(roomNews("said", "ben", "hello"));
  assertStringIncludes(options.output.text, "ben: hello");
  assertEquals(await all(view.lines()), ["hello"]);
});

Deno.test("PipeView says why the input can't be read", async () => {
  const input = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull() {
      throw Object.assign(new Error("os error"), { code: "EISDIR" });
    },
  });
  await assertRejects(
    () => all(new PlainView(streams(input)).lines()),
    FileError,
    "Cannot read standard input: it is a folder",
  );
});

Deno.test("PipeView asks who types the input, away from the output", async () => {
  const questions = new Memory();
  const options = { ...streams(inputOf("ana\n")), questions };
  const view = new PlainView(options);
  assertEquals(await view.ask("Enter your name: "), "ana");
  assertEquals(await view.ask("Again: "), null);
  assertEquals(questions.text, "Enter your name: Again: \n");
  assertEquals(options.output.text + options.errors.text, "");
});

Deno.test("PipeView.ask() takes an empty line for the answer that it offers", async () => {
  const view = new PlainView(streams(inputOf("  \n\nhello\n")));
  assertEquals(await view.ask("Enter your name [ana]: ", "ana"), "ana");
  assertEquals(await all(view.lines()), ["hello"]);
});

Deno.test("PipeView.close() reads no more, and what is told after it is written all the same", async () => {
  const options = streams(inputOf("hello\n"));
  const view = new PlainView(options);
  view.close();
  view.show({ type: "lost", text: "last words" });
  assertEquals(await all(view.lines()), []);
  assertEquals(options.errors.text, "May not have been sent: last words\n");
});

Deno.test("PipeView.ask() takes the first line, and lines() the others", async () => {
  const options = streams(inputOf("\n", "cr", "on\r\none\n", "\n  \ntwo\nend"));
  const view = new PlainView(options);
  assertEquals(await view.ask("Enter your name: "), "cron");
  assertEquals(await all(view.lines()), ["one", "two", "end"]);
  assertEquals(await view.ask("Enter your name: "), null);
  assertEquals(options.output.text + options.errors.text, "");
});

Deno.test("PipeView.lines() are the same however the input is cut", async () => {
  const whole = new TextEncoder().encode("ü日\r\n😀 two\n\nlast");
  const expected = ["ü日", "😀 two", "last"];
  const pieces = [...whole].map((byte) => new Uint8Array([byte]));
  const half = whole.length / 2;
  for (
    const input of [
      inputOf(whole),
      inputOf(whole.slice(0, half), whole.slice(half)),
      inputOf(...pieces),
    ]
  ) {
    assertEquals(await all(new PlainView(streams(input)).lines()), expected);
  }
});

Deno.test("PipeView.lines() replaces bytes that are no UTF-8", async () => {
  const view = new PlainView(streams(inputOf(new Uint8Array([97, 0xff, 98]))));
  assertEquals(await all(view.lines()), ["a\ufffdb"]);
});

Deno.test("PipeView.lines() cuts a line that is too long for any message", async () => {
  const chunk = "x".repeat(50_000);
  const input = inputOf(chunk, chunk, chunk, "\nshort\n", chunk, "\n");
  const lengths = (await all(new PlainView(streams(input)).lines()))
    .map((line) => line.length);
  assertEquals(lengths, [65_536, 5, 50_000]);
});

Deno.test("PipeView.lines() ends after close()", async () => {
  const view = new PlainView(
    streams(new ReadableStream<Uint8Array<ArrayBuffer>>()),
  );
  const lines = all(view.lines());
  view.close();
  assertEquals(await lines, []);
});

Deno.test("PlainView writes private messages in a form that nothing else has, and to stderr what isn't shown", () => {
  const all = streams();
  const view = new PlainView(all);
  const letter = {
    type: "private",
    at,
    name: "ana",
    person: "key",
    to: { name: "cron", person: "own" },
    text: "at six\nor seven",
    own: false,
  } as const;
  view.show(letter);
  view.show({ ...letter, own: true, state: "waiting" });
  view.show({
    type: "private-unread",
    name: "ana",
    person: "key",
    own: false,
    reason: "altered",
  });
  const time = "2026-11-23T17:05:54.120Z";
  assertEquals(all.output.text.split("\n"), [
    `${time} ana to cron alone: at six\\nor seven`,
    `${time} ana to cron alone: at six\\nor seven (kept until cron is back, at most 7 days)`,
    "",
  ]);
  assertEquals(
    all.errors.text,
    "A private message from ana is not shown: it was altered, or is not theirs\n",
  );
});

Deno.test("PlainView has a line for each of an invite's links, says what is to be done if it leads to its own machine, and prints a founder's alone", () => {
  const news = { type: "invited", uses: 1, until: null, note: "" };
  const shown = (link: string, founding: boolean, web?: string) => {
    const { output, errors, ...rest } = streams();
    new PlainView({ output, errors, ...rest })
      .show({ ...news, link, founding, ...web && { web } } as News);
    return [output.text, errors.text.split("\n")];
  };
  const local = "chat://127.0.0.1:5000/#key";
  const [, [said, hint = ""] = []] = shown(local, false);
  assertEquals(said, `Invite: ${local}`);
  assertStringIncludes(hint, "That link works on this machine alone");
  const far = "chat://192.0.2.7:5000/#key";
  assertEquals(shown(far, false), ["", [`Invite: ${far}`, ""]]);
  const web = "https://chat.example/#key";
  assertEquals(shown(far, false, web), [
    "",
    [`Invite: ${far}`, `In a browser: ${web}`, ""],
  ]);
  assertEquals(shown(local, true), [`${local}\n`, [""]]);
});
