/**
 * What is made of text that others wrote: names, invites, addresses, log lines, flags, and all that is shown.
 *
 * @module
 */

import fc from "fast-check";
import { type Bytes, randomBytes } from "../../../crypto_utils.ts";
import { parseFlags } from "../../../src/base/flags.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import {
  type Address,
  addressesOf,
  formatAddress,
  formatInvite,
  type Invite,
  MAX_ADDRESSES,
  parseAddress,
  parseInvite,
  placeAt,
} from "../../../src/keys/invite.ts";
import { networkOf } from "../../../src/server/rate_limits.ts";
import {
  formatEntry,
  MAX_LINE_SIZE,
  parseEntry,
  readEntry,
} from "../../../src/log/line_format.ts";
import {
  formatOffer,
  isFileName,
  parseOffer,
  safeFileName,
} from "../../../src/protocol/offer.ts";
import { formatCode, parseCode } from "../../../src/keys/spoken_code.ts";
import { parseName } from "../../../src/protocol/names.ts";
import type { News } from "../../../src/client/view.ts";
import { JsonView } from "../../../src/client/pipe/json_view.ts";
import { PlainView } from "../../../src/client/pipe/plain_view.ts";
import { FLAGS } from "../../../src/server/flags.ts";
import { TerminalView } from "../../../src/client/terminal/terminal_view.ts";
import {
  escapeLine,
  escapeText,
  quote,
  unescapeLine,
} from "../../../src/base/safe_text.ts";
import {
  anyText,
  bytesOf,
  goodText,
  hold,
  outcomeOf,
  property,
  same,
  type Target,
  textOf,
} from "./target.ts";
import { GOODBYES, REFUSALS } from "../../../src/protocol/reasons.ts";

/** What text is made of that somebody means ill with. */
const NASTY = [
  "\x1b[2J",
  "\x1b]0;x\x07",
  "\u009b1m",
  "\u202e",
  "\u200d",
  "\ufe0f",
  "1\ufe0f\u20e3",
  "\u{1f469}\u200d\u{1f52c}",
  "\u{1f3fd}",
  "\u0301".repeat(9),
  "\u2800",
  "\u3164",
  "\u{e0061}",
  "\u{10ffff}",
  "\r",
  "\n",
  "\t",
  "\\",
  "\\u{10ffff}",
  "\\u{110000}",
  "\\ud83d\\ude00",
  "\\n",
  '"',
  "__proto__",
  "constructor",
  "ﷺ",
  "İ",
  "ß",
  "\u0345",
  "ﬁ",
];

// ── What may be shown ──────────────────────────────────────────────────────────────────────────────────

const safe = /^[ -~]*$/;
const dangerous =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const emoji = /^\p{Emoji}$/u;
const picture = /^(?!\p{Cn})\p{Extended_Pictographic}$/u;
const modifier = /^\p{Emoji_Modifier}$/u;
const tooManyMarks = /\p{M}{9}/u;

/** Throws for a character that deceives or commands, written down a second time and without lookbehinds. */
export function mustBeHarmless(text: string): void {
  if (safe.test(text)) return;
  for (const { 0: char, index } of text.matchAll(dangerous)) {
    const before = [...text.slice(Math.max(0, index - 8), index)];
    const [after = ""] = text.slice(index + char.length);
    const next = String.fromCodePoint(
      text.codePointAt(index + char.length) ?? 0,
    );
    const fine = after !== "" && char === "\u200d"
      ? isJoined(before) && picture.test(next)
      : char === "\ufe0f" && emoji.test(before.at(-1) ?? "");
    const code = char.codePointAt(0)?.toString(16);
    hold(fine, `U+${code} comes out, of ${JSON.stringify(text)}`);
  }
  hold(!tooManyMarks.test(text), `marks come out: ${JSON.stringify(text)}`);
}

function isJoined(before: string[]): boolean {
  if (before.at(-1) === "\ufe0f") before.pop();
  if (picture.test(before.at(-1) ?? "")) return true;
  return modifier.test(before.pop() ?? "") && picture.test(before.at(-1) ?? "");
}

function checkText(text: string): void {
  const shown = escapeText(text);
  mustBeHarmless(shown);
  mustBeHarmless(quote(text));
  hold(shown.length <= text.length * 9, "an escape is too long");
  const line = escapeLine(text);
  hold(!/[\p{Cc}\u2028\u2029]/u.test(line), "a line breaks");
  hold(unescapeLine(line) === text, "escapeLine() can't be undone");
}

/** `escapeText`, `escapeLine` and `unescapeLine`. */
export function escapes(): Target {
  return {
    name: "escapes",
    share: 4,
    seeds: ["hello", "a\\b\\n", ...NASTY].map(bytesOf),
    words: NASTY,
    check(input) {
      const text = textOf(input);
      checkText(text);
      try {
        checkText(unescapeLine(text));
        return "unescaped";
      } catch (error) {
        return outcomeOf(error, SyntaxError);
      }
    },
    properties: [property("what is shown is harmless", [anyText()], checkText)],
  };
}

/** `parseCode`. */
export function codes(): Target {
  return {
    name: "codes",
    share: 1,
    seeds: ["7-crossover-clockwork", "999 Aardvark  adroitness"].map(bytesOf),
    words: ["-", " ", "\u2013", "0", "1000", "tolerance", "\u212a"],
    check(input) {
      const text = textOf(input);
      try {
        const code = parseCode(text);
        same(parseCode(formatCode(code)), code, "a code is another's");
        return "code";
      } catch (error) {
        return outcomeOf(error, SyntaxError);
      }
    },
    properties: [],
  };
}

// ── Files ──────────────────────────────────────────────────────────────────────────────────────────────

function checkFileName(name: string): void {
  const saved = safeFileName(name);
  hold(isFileName(saved), `a file is saved as ${JSON.stringify(saved)}`);
  hold(!/^[.\s-]|[.\s]$|[/\\:*?"<>|]/u.test(saved), "a file's name means more");
  hold(new TextEncoder().encode(saved).length <= 200, "a name is too long");
  mustBeHarmless(saved);
  same(safeFileName(saved), saved, "a safe name is made safe");
}

/** `parseOffer` and `safeFileName`. */
export function offers(): Target {
  const made = (name: string) =>
    formatOffer({ name, size: 7, digest: "0".repeat(64) });
  return {
    name: "offers",
    share: 5,
    seeds: ["hut.jpg", "../a", ...NASTY].map(made).map(bytesOf),
    words: [...NASTY, "../", "..\\", ".", " ", "con.", "-", ":", " bytes"],
    check(input) {
      const text = textOf(input);
      checkFileName(text);
      const offer = parseOffer(text);
      if (!offer) return "no offer";
      same(formatOffer(offer), text, "an offer is written differently");
      checkFileName(offer.name);
      return "offer";
    },
    properties: [
      property("a file's name is harmless", [anyText()], checkFileName),
    ],
  };
}

// ── Names ──────────────────────────────────────────────────────────────────────────────────────────────

function checkName(text: string): string {
  const name = parseName(text);
  if (typeof name === "string") {
    hold(Object.hasOwn(REFUSALS, name), `no such refusal: ${name}`);
    return name;
  }
  const { shown } = name;
  const size = [...shown].length;
  hold(size >= 1 && size <= 32, `a name of ${size} characters`);
  hold(!/[\s:\p{C}]/u.test(shown), "a name has a space, colon or control");
  hold(escapeText(shown) === shown, "a name has to be escaped");
  same(parseName(shown), name, "a name's own form is another name");
  hold(parseName(shown.normalize("NFD")) !== "name-mixed", "mixed by NFD");
  return `name of ${size}`;
}

/** `parseName`. */
export function names(): Target {
  return {
    name: "names",
    share: 5,
    seeds: [
      "Abhii",
      "Priyanka",
      "Ο",
      "имя",
      "名前",
      "a.b-c_d",
      "é\u0301",
      ...NASTY,
    ]
      .map(bytesOf),
    words: [...NASTY, "А", "ο", "ʼ", "ー", "ロ", "ي", "٣", "߀", "१", "Ꭺ"],
    check: (input) => checkName(textOf(input)),
    properties: [
      property("parseName() gives names that can be shown", [anyText(40)], (
        text,
      ) => void checkName(text)),
    ],
  };
}

// ── Invites and addresses ──────────────────────────────────────────────────────────────────────────────

function checkInvite(text: string): string {
  let invite: Invite;
  try {
    invite = parseInvite(text);
  } catch (error) {
    const outcome = outcomeOf(error, SyntaxError);
    const { message } = error as SyntaxError;
    const secret = text.slice(text.indexOf("#") + 1);
    hold(message.length < 160, "the error is too long");
    hold(
      secret.length < 20 || !message.includes(secret.slice(0, 20)),
      "the error tells the key",
    );
    return outcome;
  }
  hold(invite.secret.length === 32 && invite.serverKey.length === 32, "a key");
  const { others = [] } = invite;
  for (const { port } of [invite, ...others]) {
    hold(port >= 1 && port <= 65_535, `port ${port}`);
  }
  hold(new Set(addressesOf(invite)).size === others.length + 1, "twice");
  same(parseInvite(formatInvite(invite)), invite, "the invite changes");
  return `invite ${invite.host.length} ${others.length}`;
}

function checkAddress(text: string): string {
  try {
    const { host, port } = parseAddress(text);
    mustBeHarmless(host);
    same(parseAddress(formatAddress(host, port)), { host, port }, "address");
    return `address ${host.length}`;
  } catch (error) {
    return outcomeOf(error, SyntaxError);
  }
}

const addresses = fc.record<Address>({
  host: fc.oneof(fc.domain(), fc.ipV4()),
  port: fc.integer({ min: 1, max: 65_535 }),
});

const invites = fc.record({
  addresses: fc.array(addresses, { minLength: 1, maxLength: MAX_ADDRESSES }),
  serverKey: fc.uint8Array({ minLength: 32, maxLength: 32 }) as fc.Arbitrary<
    Bytes
  >,
  id: fc.integer({ min: 0, max: 0xffff_ffff }),
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }) as fc.Arbitrary<
    Bytes
  >,
});

/** `parseInvite`. */
export function invite(): Target {
  const keys = { serverKey: randomBytes(32), secret: randomBytes(32) };
  const links = ["127.0.0.1", "chat.example", "::1"].map((host, id) =>
    formatInvite({ host, port: 5000, id, ...keys })
  );
  const others = ["::1", "chat.example"].map((host) => ({ host, port: 443 }));
  links.push(formatInvite({ host: "a", port: 1, others, id: 0, ...keys }));
  return {
    name: "invite",
    share: 2,
    seeds: [...links, ` "${links[0]}/" `].map(bytesOf),
    words: [
      "chat://",
      "#",
      "/",
      "[::1]",
      ":0",
      ":65536",
      "@",
      "%41",
      "xn--",
      "=",
      ",",
      ",b:1",
    ],
    check: (input) => checkInvite(textOf(input)),
    properties: [
      property("parseInvite() reads what formatInvite() writes", [invites], (
        wanted,
      ) => {
        const { addresses: [first, ...more], ...secrets } = wanted;
        if (!first) return;
        const [low, ...rest] = [first, ...more].map(({ host, port }) => ({
          host: host.toLowerCase(),
          port,
        }));
        const invite = { ...placeAt(low ?? first, rest), ...secrets };
        same(parseInvite(formatInvite(invite)), invite, "the invite changes");
      }),
      property("parseInvite() throws nothing but SyntaxError", [anyText()], (
        text,
      ) => void checkInvite(`chat://${text}`)),
    ],
  };
}

/** `parseAddress` and `networkOf`. */
export function address(): Target {
  return {
    name: "address",
    share: 3,
    seeds: [
      "127.0.0.1:1",
      "[::1]:5000",
      "chat.example:65535",
      "bücher.example:2",
    ]
      .map(bytesOf),
    words: [
      "[",
      "]",
      "::",
      ":",
      ".",
      "0x7f",
      "%25",
      "xn--",
      "００",
      "1e3",
      "\u00ad",
    ],
    check(input) {
      const text = textOf(input);
      networkOf(text);
      return checkAddress(text);
    },
    properties: [
      property("parseAddress() throws nothing but SyntaxError", [anyText()], (
        text,
      ) => void checkAddress(`${text}:80`)),
      property("networkOf() makes one network of an IPv6 address's ways", [
        fc.ipV6(),
      ], (text) => {
        const [host] = [new URL(`http://[${text}]`).hostname.slice(1, -1)];
        hold(networkOf(host).endsWith("/64") || host.includes("."), host);
      }),
    ],
  };
}

// ── Log lines ──────────────────────────────────────────────────────────────────────────────────────────

function checkLine(line: string): string {
  const entry = parseEntry(line, 7);
  if (entry === null) return "no entry";
  hold(Number.isSafeInteger(entry.n) && entry.n >= 0, `n is ${entry.n}`);
  const again = formatEntry(entry);
  hold(!again.includes("\n"), "an entry has two lines");
  same(parseEntry(again, 7), entry, "the entry changes");
  return `${entry.what} ${entry.text.length}`;
}

const entries = fc.record({
  at: fc.integer({ min: -8.64e15, max: 8.64e15 }),
  person: fc.stringMatching(/^[0-9a-hjkmnp-tv-z]{16}$/),
  stay: fc.stringMatching(/^[A-Za-z0-9_-]{11}$/),
  n: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  name: anyText(16).filter((name) => name !== ""),
  text: anyText(),
});

/** `parseEntry`, `readEntry` and `formatEntry`. */
export function logLines(): Target {
  const start = "2026-11-23T17:06:07.004Z k3df9q2mx7ta41cz.Yk3xQ0p1a2c.1 | ";
  return {
    name: "log",
    share: 4,
    seeds: [
      "Abhii: Kaise ho bro",
      "Priyanka joined the chat",
      "Abhii left the chat",
      "Abhii left the chat (connection lost)",
      "\\u{1f469}x: a\\\\b\\n\\u001b[2J",
    ].map((words) => bytesOf(start + words)),
    words: [
      ...NASTY,
      start,
      ": ",
      " left the chat",
      " (",
      ")",
      "+275760-09-13",
    ],
    check(input) {
      const entry = readEntry(input, 7);
      hold(entry === null || input.length <= MAX_LINE_SIZE, "a line too long");
      return checkLine(textOf(input));
    },
    properties: [
      property("parseEntry() reads what was said", [entries], (entry) => {
        const what = "said" as const;
        const line = formatEntry({ ...entry, what });
        const read = parseEntry(line, 1);
        same(read, { ...read, ...entry, what }, "the entry changes");
        same(readEntry(bytesOf(line), 1), read, "its bytes are another entry");
      }),
      property("parseEntry() reads who left, and why", [
        entries,
        fc.constantFrom(...Object.keys(GOODBYES)),
      ], (entry, text) => {
        const read = parseEntry(
          formatEntry({ ...entry, what: "left", text }),
          1,
        );
        same(read, { ...read, ...entry, what: "left", text }, "it changes");
      }),
    ],
  };
}

// ── Flags ──────────────────────────────────────────────────────────────────────────────────────────────

const SECRET = "S3cretS3cretS3cret";

function checkFlags(args: readonly string[]): string {
  try {
    const { values, positionals } = parseFlags(args, FLAGS, { positionals: 1 });
    hold(positionals.length <= 1, "too many positionals");
    hold(Object.keys(values).length === FLAGS.length, "another flag");
    hold(values.port >= 0 && values.port <= 65_535, `port ${values.port}`);
    hold(Number.isSafeInteger(values.history), `history ${values.history}`);
    return `flags ${positionals.length}`;
  } catch (error) {
    const { message } = error as Error;
    // What stands before a "#" is repeated, since in an invite that is the address.
    const hidden = args.every((arg) => !arg.split("#", 1)[0]?.includes(SECRET));
    hold(!hidden || !message.includes(SECRET), `it tells the key: ${message}`);
    return outcomeOf(error, UsageError);
  }
}

/** `parseFlags`, with the server's table. */
export function flags(): Target {
  const link = `chat://127.0.0.1:1/#${SECRET}`;
  const words = FLAGS.flatMap(({ name }) => [`\n--${name}`, `\n--${name}=`]);
  return {
    name: "flags",
    share: 1,
    seeds: [`--port\n5\n${link}`, "--link", `--port=${link}`, "--\n-x"]
      .map(bytesOf),
    words: [...words, "\n", "=", "-", "--no-", `\n${link}`, "__proto__", "1e3"],
    check: (input) => checkFlags(textOf(input).split("\n")),
    properties: [
      property("parseFlags() throws nothing but UsageError", [
        fc.array(fc.oneof(
          anyText(8),
          fc.constantFrom(...FLAGS.map(({ name }) => `--${name}`)),
          anyText(4).map((text) => `--${text}`),
        )),
      ], (args) => void checkFlags(args)),
    ],
  };
}

// ── Views ──────────────────────────────────────────────────────────────────────────────────────────────

/** A sink that remembers what it was given since it was last asked. */
class Memory {
  #text = "";
  readonly #decoder = new TextDecoder();

  writeSync(bytes: Uint8Array): number {
    this.#text += this.#decoder.decode(bytes);
    return bytes.length;
  }

  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

const TIMES = { min: -8.64e15, max: 8.64e15 };
const numbers = fc.nat({ max: Number.MAX_SAFE_INTEGER });
/** News as a hostile server could have them shown. */
const anyNews: fc.Arbitrary<News> = fc.oneof(
  fc.record({
    type: fc.constantFrom("joined" as const, "left" as const, "said" as const),
    seq: numbers,
    at: fc.integer(TIMES),
    name: goodText(256),
    person: goodText(256),
    text: goodText(4_096),
    to: fc.constant(null),
    own: fc.boolean(),
    past: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("entered" as const),
    address: anyText(16),
    name: goodText(32),
    others: numbers,
    seq: numbers,
    at: fc.integer(TIMES),
    person: fc.constant("k3df9q2mx7ta41cz"),
    earlier: numbers,
    again: fc.boolean(),
    waiting: numbers,
  }),
  fc.record({
    type: fc.constant("refused" as const),
    text: anyText(),
    reason: goodText(256),
    detail: goodText(256),
  }),
  fc.record({
    type: fc.constant("disconnected" as const),
    reason: anyText(),
    seconds: fc.nat(),
  }),
);

function said(text: string): News {
  const [name = "", ...rest] = text.split("\n");
  return {
    type: "said",
    seq: 1,
    at: 0,
    name,
    person: "k3df9q2mx7ta41cz",
    text: rest.join("\n"),
    to: null,
    own: false,
    past: false,
  };
}

function pipeStreams() {
  const [output, errors] = [new Memory(), new Memory()];
  const input = new ReadableStream<Uint8Array<ArrayBuffer>>();
  return { input, output, errors };
}

function oneLine(text: string): string {
  hold(text.endsWith("\n"), "a line has no end");
  const line = text.slice(0, -1);
  mustBeHarmless(line);
  return line;
}

/** The plain view and the JSON view. */
export function pipes(): Target {
  const plainStreams = pipeStreams();
  const jsonStreams = pipeStreams();
  const plain = new PlainView({
    ...plainStreams,
    isTyped: true,
    isWatched: true,
  });
  const json = new JsonView(jsonStreams);
  const show = (news: News) => {
    plain.show(news);
    const printed = plainStreams.output.take() + plainStreams.errors.take();
    // Who came and went before, a pipe is told only after a lost connection.
    const isOldMove = "past" in news && news.past &&
      (news.type === "joined" || news.type === "left");
    if (!isOldMove || printed !== "") oneLine(printed);
    json.show(news);
    const shown = JSON.parse(oneLine(jsonStreams.output.take()));
    hold(shown.v === 1, "no version");
    const { name, text, seq, reason } = news as unknown as Record<
      string,
      unknown
    >;
    if (name !== undefined) same(shown.name, name, "the name changes");
    if (seq !== undefined) same(shown.seq, seq, "the number changes");
    if (reason !== undefined) same(shown.reason, reason, "the reason changes");
    const textField = news.type === "left" ? shown.reason : shown.text;
    if (textField !== undefined) same(textField, text, "the text changes");
  };
  const note = (text: string) => {
    plain.note(text);
    const lines = plainStreams.errors.take().split("\n");
    hold(lines.length === text.split("\n").length + 1, "lines were lost");
    lines.forEach(mustBeHarmless);
    json.note(text);
    same(JSON.parse(oneLine(jsonStreams.output.take())).text, text, "the note");
  };
  return {
    name: "pipes",
    share: 2,
    seeds: ["Abhii\nhello", ...NASTY.map((it) => `${it}\n${it}`)].map(bytesOf),
    words: NASTY,
    check(input) {
      const text = textOf(input);
      show(said(text));
      note(text);
      return "shown";
    },
    properties: [
      property(
        "the plain and the JSON view show news harmlessly",
        [anyNews],
        show,
      ),
      property("the plain and the JSON view show notes", [anyText()], note),
    ],
  };
}

/** The terminal view: between what moves the cursor, all must be harmless. */
export function terminal(): Target {
  let written = "";
  const output = {
    columns: 80,
    rows: 24,
    gone: new Promise<void>(() => {}),
    write: (text: string) => void (written += text),
  };
  const take = () => {
    const text = written;
    written = "";
    return text;
  };
  let view: TerminalView | undefined;
  let frame: [string, string] = ["", ""];
  const flush = () => new Promise<void>((done) => queueMicrotask(done));
  const open = async () => {
    const now = () => 0;
    view = new TerminalView({ output, now, zone: "UTC", colour: false });
    take();
    view.note("mark");
    await flush();
    const [before = "", after = ""] = take().split("mark\r\n");
    frame = [before, after];
    return view;
  };
  const show = async (news: News | string) => {
    const shown = view ?? await open();
    if (typeof news === "string") shown.note(news);
    else shown.show(news);
    await flush();
    const taken = take();
    // The bell, for whoever is mentioned.
    const text = taken.startsWith("\x07") ? taken.slice(1) : taken;
    if (text === "") return; // nothing new to tell
    const [before, after] = frame;
    hold(text.startsWith(before) && text.endsWith(after), "another frame");
    const middle = text.slice(before.length, text.length - after.length);
    hold(middle.endsWith("\r\n"), "a line has no end");
    middle.slice(0, -2).split("\r\n").forEach(mustBeHarmless);
  };
  return {
    name: "terminal",
    share: 2,
    seeds: ["Abhii\nhello", ...NASTY.map((it) => `${it}\n${it}`)].map(bytesOf),
    words: NASTY,
    async check(input) {
      const text = textOf(input);
      await show(said(text));
      await show(text);
      return "shown";
    },
    properties: [{
      name: "the terminal view shows news harmlessly",
      run: (parameters) =>
        fc.check(fc.asyncProperty(anyNews, show), parameters),
    }],
    close() {
      view?.close();
      return Promise.resolve();
    },
  };
}
