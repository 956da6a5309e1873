/**
 * The file that says which programs may speak in the room, and under which name: a line for each token. It is read again
 * whenever it has changed, so that a token is given, replaced or taken back while the server runs.
 *
 *     # NAME TOKEN
 *     backup 6ePcVJ1rjXvHxHgQxn3DnVn8LhVvTLzG4g2uQ0F0m8c
 *
 * The file alone has tokens: what is compared, here and by others, are digests, and no error repeats a line.
 *
 * @module
 */

import {
  type Bytes,
  labelledDigest,
  randomBytes,
  toBase64url,
} from "../../../crypto_utils.ts";
import {
  createPrivate,
  FileError,
  readPrivateSync,
} from "../../base/private_file.ts";
import { type Name, parseName } from "../../protocol/names.ts";
import { REFUSALS } from "../../protocol/reasons.ts";
import { diagnostics } from "../diagnostics.ts";
import { FileWatch, goneError } from "../file_watch.ts";

/** Bytes of a token that is made here. */
const TOKEN_SIZE = 32;
/** The name of the first token. */
const FIRST_NAME = "http";
/** What the file begins with that is made here. */
const HEADING =
  "# NAME TOKEN: who has the token speaks in the room under that name, and reads along.\n";
/** What a bearer token may be (RFC 6750, section 2.1), long enough not to be guessed. */
const TOKEN = /^[\w.~+/-]{32,256}=*$/;

const logger = diagnostics("http");
const encoder = new TextEncoder();

/** A token, as far as it is kept. */
export interface Token {
  /** Under which name it speaks. */
  readonly name: Name;
  /** What it is compared by, 32 bytes. */
  readonly digest: Bytes;
}

/** What stands for a token, 32 bytes. */
export function digestOfToken(token: string): Bytes {
  return labelledDigest("http token", encoder.encode(token));
}

/** The tokens of a file. */
export class TokenFile implements Disposable {
  readonly #path: string;
  readonly #changed: () => void;
  #tokens: readonly Token[];
  readonly #watch: FileWatch;

  private constructor(
    path: string,
    tokens: readonly Token[],
    changed: () => void,
  ) {
    this.#path = path;
    this.#tokens = tokens;
    this.#changed = changed;
    const going = "The server goes on with the tokens that it has";
    this.#watch = new FileWatch(path, () => this.#read(), going);
  }

  /**
   * The tokens in a file, which is made with one token if it is missing.
   * @param onMade Is told the file's path if it was made. @param changed Is told when other tokens count.
   * @throws {FileError} for a file that says something else, that others can read, or that can't be made.
   */
  static async open(
    path: string,
    onMade: (path: string) => void,
    changed: () => void,
  ): Promise<TokenFile> {
    let text = readPrivateSync(path);
    if (text === undefined) {
      const token = toBase64url(randomBytes(TOKEN_SIZE));
      text = `${HEADING}${FIRST_NAME} ${token}\n`;
      if (await createPrivate(path, text)) onMade(path);
      else text = readPrivateSync(path) ?? "";
    }
    return new TokenFile(path, parseTokens(path, text), changed);
  }

  /** Whether there is such a file, and it can be used. @throws {FileError} if it is there and can't. */
  static check(path: string): boolean {
    const text = readPrivateSync(path);
    if (text !== undefined) parseTokens(path, text);
    return text !== undefined;
  }

  /** Looks at the file no more. */
  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  /** All that count now. */
  get tokens(): readonly Token[] {
    return this.#tokens;
  }

  /** The token of a digest, 32 bytes; undefined if none counts. How long that takes tells nothing of any. */
  find(digest: Bytes): Token | undefined {
    let found: Token | undefined;
    for (const token of this.#tokens) {
      let difference = 0;
      for (const [at, byte] of token.digest.entries()) {
        difference |= byte ^ (digest[at] ?? 0);
      }
      if (difference === 0) found = token;
    }
    return found;
  }

  /** Looks at once whether the file has changed. */
  look(): void {
    this.#watch.look();
  }

  #read(): void {
    const text = readPrivateSync(this.#path);
    if (text === undefined) throw goneError(this.#path);
    const before = this.#tokens;
    this.#tokens = parseTokens(this.#path, text);
    const isSame = before.length === this.#tokens.length &&
      this.#tokens.every(({ digest, name }) =>
        this.#find(before, digest) === name.shown
      );
    if (isSame) return;
    logger.info("{file} has other tokens now", { file: this.#path });
    this.#changed();
  }

  #find(tokens: readonly Token[], digest: Bytes): string | undefined {
    const hex = digest.toHex();
    return tokens.find((it) => it.digest.toHex() === hex)?.name.shown;
  }
}

/** The tokens that a file's text says. @param path What errors call it. @throws {FileError} */
export function parseTokens(path: string, text: string): readonly Token[] {
  const tokens = new Map<string, Token>(); // by digest
  const names = new Map<string, string>(); // by folded name
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "" || line.startsWith("#")) continue;
    const wrong = (why: string) =>
      new FileError(`Cannot use "${path}": line ${index + 1} ${why}`);
    const [shown = "", token = "", ...more] = words;
    if (more.length > 0 || !TOKEN.test(token)) {
      throw wrong("isn't a name and a token of at least 32 letters and digits");
    }
    const name = parseName(shown);
    if (typeof name === "string") {
      throw wrong(`has no name that can be used: ${REFUSALS[name]}`);
    }
    const small = name.shown.toLowerCase();
    if ((names.get(name.folded) ?? small) !== small) {
      throw wrong("has a name that looks like another one");
    }
    names.set(name.folded, small);
    const digest = digestOfToken(token);
    const other = tokens.get(digest.toHex());
    if (other && other.name.folded !== name.folded) {
      throw wrong("has the token of another name");
    }
    tokens.set(digest.toHex(), { name, digest });
  }
  return [...tokens.values()];
}
