/**
 * What a server prints at its start, for each kind of room and each way to serve it: all that it tells people to do can
 * be done.
 *
 * @module
 */

import { parseFlags } from "../../../src/base/flags.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { ROOM_INVITE_ID } from "../../../src/keys/invite.ts";
import { FOUNDING_ID } from "../../../src/sealed/membership.ts";
import { reachableAddress } from "../../../src/server/addresses.ts";
import { FLAGS, type Values } from "../../../src/server/flags.ts";
import {
  joinInstructions,
  linkText,
} from "../../../src/server/join_instructions.ts";
import {
  inviteCommandFor,
  linkCommand,
} from "../../../src/server/own_commands.ts";
import { assert } from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";

const KINDS = ["open", "invite-only", "to be founded", "founded"] as const;
const PAGES = [undefined, "http", "https"] as const;
const NO_OR_YES = [false, true];

/** How a server is started. */
interface Start {
  readonly kind: typeof KINDS[number];
  readonly page: typeof PAGES[number];
  readonly host: string;
  /** Whether programs come by HTTP. */
  readonly isForPrograms: boolean;
  /** Whether its files aren't the default ones. */
  readonly hasOwnFiles: boolean;
  /** Whether it starts for the first time. */
  readonly isFirst: boolean;
  /** Whether links may be shown. */
  readonly isShown: boolean;
}

/** All ways to start a server. */
function* starts(): Generator<Start> {
  for (const kind of KINDS) {
    for (const page of PAGES) {
      for (const host of ["0.0.0.0", "127.0.0.1"]) {
        for (const isForPrograms of NO_OR_YES) {
          for (const hasOwnFiles of NO_OR_YES) {
            for (const isFirst of NO_OR_YES) {
              for (const isShown of NO_OR_YES) {
                yield {
                  ...{ kind, page, host, isForPrograms },
                  ...{ hasOwnFiles, isFirst, isShown },
                };
              }
            }
          }
        }
      }
    }
  }
}

/** Where a server's files are. */
class Place implements AsyncDisposable {
  readonly #folder: Folder;
  /** The room's keys. */
  readonly keyFile: KeyFile;

  private constructor(folder: Folder, keyFile: KeyFile) {
    this.#folder = folder;
    this.keyFile = keyFile;
  }

  /** A folder with a key in it. */
  static async make(): Promise<Place> {
    const folder = await Folder.make();
    const { keyFile } = await KeyFile.loadOrCreate(folder.file("own.key"));
    return new Place(folder, keyFile);
  }

  /** Removes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#folder[Symbol.asyncDispose]();
  }

  /** The flags of a start. */
  flagsOf({ kind, page, host, isForPrograms, hasOwnFiles }: Start): Values {
    const file = (name: string) => this.#folder.file(name);
    const isSealed = kind === "founded" || kind === "to be founded";
    const { values } = parseFlags(
      [
        ...["--host", host],
        ...kind === "invite-only" ? ["--invite-only"] : [],
        ...isSealed ? ["--sealed"] : [],
        ...page === undefined ? [] : ["--web", "8080"],
        ...isForPrograms ? ["--http", "8081"] : [],
        ...hasOwnFiles
          ? [
            ...["--log", file("own.log"), "--key-file", file("own.key")],
            ...["--people", file("own.people")],
          ]
          : [],
      ],
      FLAGS,
      { positionals: 0 },
    );
    return values;
  }

  /** What a server says at a start. */
  async said(start: Start): Promise<string> {
    const { kind, page, host, isForPrograms, isFirst, isShown } = start;
    const values = this.flagsOf(start);
    const { sealed: isSealed } = values;
    const web = page && `${page}://${host}:8080`;
    await this.keyFile.setListening({
      listening: { host, port: 5000 },
      inviteId: isSealed ? FOUNDING_ID : ROOM_INVITE_ID,
      web,
    });
    const isFounded = kind === "founded";
    const example = { name: "cron", url: "http://127.0.0.1:8081" };
    return joinInstructions(values, this.keyFile, isFirst, {
      sealed: isSealed ? { isFounded, keeperNames: "ana" } : undefined,
      web,
      http: isForPrograms
        ? {
          listening: "127.0.0.1:8081",
          example: isSealed ? undefined : example,
        }
        : undefined,
      isShown,
    });
  }
}

Deno.test("all that a server tells people at its start can be done, whatever its flags are", async () => {
  await using place = await Place.make();
  for (const start of starts()) {
    const { kind, hasOwnFiles } = start;
    const values = place.flagsOf(start);
    const text = await place.said(start);
    const shown = `${JSON.stringify(start)}\n${text}`;
    const namesLink = text.includes("deno task server --link");
    const namesInvites = text.includes("deno task invite");
    assert(!namesInvites || kind === "invite-only", shown);
    if (namesInvites) assert(text.includes(inviteCommandFor(values)), shown);
    if (!namesLink) continue;
    assert(kind === "open" || kind === "to be founded", shown);
    const command = linkCommand(values);
    assert(text.includes(`${command} prints`), shown);
    if (!hasOwnFiles) continue; // the others would be where the tests are run
    const flags = command.split(" ").slice(3);
    const asked = parseFlags(flags, FLAGS, { positionals: 0 }).values;
    const [link = ""] = (await linkText(asked)).split("\n");
    assert(link.startsWith("chat://"), shown);
  }
});

Deno.test("a server says at each start how somebody gets in, also by each page that it serves", async () => {
  await using place = await Place.make();
  const WAYS: Record<Start["kind"], RegExp> = {
    "open": /deno task (client|server --link)/,
    "invite-only": /^To let somebody in: +deno task invite/m,
    "to be founded": /^To create it (on this machine|from elsewhere): /m,
    "founded": /^To let somebody in: +\/invite, by a keeper: ana$/m,
  };
  for (const start of starts()) {
    const { kind, page, isShown } = start;
    const text = await place.said(start);
    const shown = `${JSON.stringify(start)}\n${text}`;
    assert(WAYS[kind].test(text), shown);
    if (page === undefined) continue;
    const [rest = ""] = text.split(/^In a browser/m).slice(1);
    if (kind === "founded") assert(rest.includes("/chat.html"), shown);
    else if (kind === "invite-only") {
      assert(/a link that deno task invite\b.* makes/.test(rest), shown);
    } else if (isShown) {
      assert(/https?:\/\/\S+\/#[\w-]{91}\n/.test(rest), shown);
    } else {assert(
        /link that deno task server --link\b.* prints/.test(rest),
        shown,
      );}
  }
});

Deno.test("a server shows its link where it may alone, and with it whom it lets in", async () => {
  await using place = await Place.make();
  for (const start of starts()) {
    const { kind, isFirst, isShown, page } = start;
    const text = await place.said(start);
    const shown = `${JSON.stringify(start)}\n${text}`;
    const hasLink = kind === "open" || kind === "to be founded";
    const isThere = /#[\w-]{91}/.test(text);
    if (!hasLink || !isShown) assert(!isThere, shown);
    const isReachable = reachableAddress(place.keyFile.keys) !== undefined;
    const isNamed = isReachable || start.hasOwnFiles || page !== undefined;
    if (hasLink && isShown && isFirst && isNamed) assert(isThere, shown);
    const warns = text.includes("Everybody who has that link can come in");
    if (kind === "open" && isReachable) assert(warns, shown);
    if (kind !== "open") assert(!warns, shown);
  }
});
