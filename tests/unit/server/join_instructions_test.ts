/**
 * What a server prints at its start and where it is asked for its link, for each kind of room and each way to serve it:
 * all that it tells people to do can be done.
 *
 * @module
 */

import { equalBytes } from "../../../crypto_utils.ts";
import { AdvisedError } from "../../../src/base/advised_error.ts";
import { parseFlags } from "../../../src/base/flags.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { ROOM_INVITE_ID } from "../../../src/keys/invite.ts";
import { FOUNDING_ID } from "../../../src/sealed/membership.ts";
import { FLAGS, type Values } from "../../../src/server/flags.ts";
import {
  bothLinks,
  joinInstructions,
  linkText,
  printLink,
} from "../../../src/server/join_instructions.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../kit/assert.ts";
import { Folder } from "../../kit/folder.ts";
import { printed } from "../../kit/printed.ts";
import { SealedServer } from "../../kit/sealed_members.ts";

const OUTSIDE = "192.0.2.7";

/** How a server is started. */
interface Start {
  /** Default: open. */
  readonly kind?: "invite-only" | "to be founded" | "founded" | undefined;
  /** Where it listens. Default: on this machine alone. */
  readonly host?: string;
  /** Where its page is. Default: nowhere. */
  readonly page?: string;
  /** Whether programs come by HTTP. */
  readonly isForPrograms?: boolean;
  /** Whether its files aren't the default ones. */
  readonly hasOwnFiles?: boolean;
  /** Whether it starts for the first time. */
  readonly isFirst?: boolean;
  /** Whether links may not be shown. */
  readonly isHidden?: boolean;
}

/** Where a server's files are. */
class Place implements AsyncDisposable {
  private constructor(
    readonly folder: Folder,
    /** The room's keys. */
    readonly keyFile: KeyFile,
  ) {}

  /** A folder with a key in it. */
  static async make(): Promise<Place> {
    const folder = await Folder.make();
    const { keyFile } = await KeyFile.loadOrCreate(folder.file("own.key"));
    return new Place(folder, keyFile);
  }

  /** Removes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.folder[Symbol.asyncDispose]();
  }

  /** A server's flags, as they are typed. */
  values(...typed: readonly string[]): Values {
    return parseFlags(typed, FLAGS, { positionals: 0 }).values;
  }

  /** The flags of the files in this folder. */
  get own(): string[] {
    const file = (name: string) => this.folder.file(`own.${name}`);
    return [
      ...["--log", file("log"), "--key-file", file("key")],
      ...["--people", file("people")],
    ];
  }

  /** Notes where the server listens. */
  async listen(
    host = "127.0.0.1",
    web?: string,
    inviteId = ROOM_INVITE_ID,
  ): Promise<void> {
    const listening = { host, port: 5000 };
    await this.keyFile.setListening({ listening, inviteId, web });
  }

  /** What a server says at a start, with its folder as OWN, and the part of links that is secret as SECRET. */
  async said(
    { kind, host, page, isForPrograms, hasOwnFiles, isFirst, isHidden }: Start,
  ): Promise<string> {
    const isSealed = kind === "founded" || kind === "to be founded";
    const values = this.values(
      ...kind === "invite-only" ? ["--invite-only"] : [],
      ...isSealed ? ["--sealed"] : [],
      ...hasOwnFiles ? this.own : [],
    );
    await this.listen(host, page, isSealed ? FOUNDING_ID : ROOM_INVITE_ID);
    const example = { name: "cron", url: "http://127.0.0.1:8081" };
    const text = joinInstructions(values, this.keyFile, isFirst ?? false, {
      sealed: isSealed
        ? { isFounded: kind === "founded", keeperNames: "ana" }
        : undefined,
      web: page,
      http: isForPrograms
        ? {
          listening: "127.0.0.1:8081",
          example: isSealed ? undefined : example,
        }
        : undefined,
      isShown: !isHidden,
    });
    return this.known(text);
  }

  /** A text without what is different each time. */
  known(text: string): string {
    return text.replaceAll(this.folder.path, "OWN")
      .replaceAll(/[\w-]{91}/g, "SECRET");
  }
}

function test(name: string, fn: (place: Place) => Promise<void>): void {
  Deno.test(name, async () => {
    await using place = await Place.make();
    await fn(place);
  });
}

const WARNING =
  "Everybody who has that link can come in: send it as you would a password.";
const FOUNDING =
  "Who opens that link first creates the room, and invites the others.";
const ALONE =
  "Nobody can join from elsewhere: the server listens on 127.0.0.1 alone.";
const PRINTS =
  "the link that deno task server --link --log OWN/own.log --key-file OWN/own.key prints";
const SEALED_NOTE =
  "A page that this server delivers refuses to work: who delivers it could read the room.";

/** What a server says. */
const SAID: readonly (readonly [Start, ...string[]])[] = [
  [
    { isFirst: true },
    "Made a room key: chat.key (readable by you alone)",
    "Listening on 127.0.0.1:5000, writing to chat.log",
    "",
    "To join on this machine:   deno task client",
    ALONE,
  ],
  [
    { host: OUTSIDE, isFirst: true },
    "Made a room key: chat.key (readable by you alone)",
    `Listening on ${OUTSIDE}:5000, writing to chat.log`,
    "",
    "To join on this machine:   deno task client",
    `To join from elsewhere:    deno task client 'chat://${OUTSIDE}:5000/#SECRET'`,
    "",
    WARNING,
  ],
  [
    { host: OUTSIDE, isFirst: true, isHidden: true, page: "https://a.example" },
    "Made a room key: chat.key (readable by you alone)",
    `Listening on ${OUTSIDE}:5000, for browsers on https://a.example, writing to chat.log`,
    "",
    "To join on this machine:   deno task client",
    "To join from elsewhere:    with the link that deno task server --link prints",
    "In a browser:              https://a.example/ (newcomers: the link that deno task server --link prints)",
    "",
    WARNING,
  ],
  [
    { hasOwnFiles: true, isFirst: true },
    "Made a room key: OWN/own.key (readable by you alone)",
    "Listening on 127.0.0.1:5000, writing to OWN/own.log",
    "",
    "To join on this machine:   deno task client 'chat://127.0.0.1:5000/#SECRET'",
    ALONE,
  ],
  [
    { host: OUTSIDE, hasOwnFiles: true, page: `http://${OUTSIDE}:8080` },
    `Listening on ${OUTSIDE}:5000, for browsers on http://${OUTSIDE}:8080, writing to OWN/own.log`,
    "",
    `To join from elsewhere:    with ${PRINTS}`,
    "",
    WARNING,
    "",
    `Browsers on other machines need HTTPS (--web-cert), or to save http://${OUTSIDE}:8080/chat.html,`,
    `open that file, and give it ${PRINTS}.`,
  ],
  [
    { page: "http://127.0.0.1:8080", isForPrograms: true },
    "Listening on 127.0.0.1:5000, for browsers on http://127.0.0.1:8080, for programs on 127.0.0.1:8081, writing to chat.log",
    "",
    "To join on this machine:   deno task client",
    "In a browser here:         http://localhost:8080/#SECRET",
    'For a program on this machine, here under the name "cron":',
    "    sed -n '/^cron /{s//Authorization: Bearer /p;q}' chat.tokens |",
    "        curl -sS -H @- --data 'Hello' http://127.0.0.1:8081/say",
    ALONE,
  ],
  [
    { page: "https://a.example" }, // which a proxy serves
    "Listening on 127.0.0.1:5000, for browsers on https://a.example, writing to chat.log",
    "",
    "To join on this machine:   deno task client",
    "In a browser:              https://a.example/#SECRET",
    "",
    WARNING,
    "Terminals on other machines can't join: the server listens on 127.0.0.1 alone.",
  ],
  [
    { kind: "invite-only", host: OUTSIDE, page: "https://a.example" },
    `Listening on ${OUTSIDE}:5000, for browsers on https://a.example, writing to chat.log`,
    "",
    "To let somebody in:        deno task invite",
    "In a browser:              https://a.example/ (newcomers: a link that deno task invite makes)",
  ],
  [
    { kind: "invite-only", hasOwnFiles: true },
    "Listening on 127.0.0.1:5000, writing to OWN/own.log",
    "",
    "To let somebody in:        deno task invite --key-file OWN/own.key --people OWN/own.people",
    ALONE,
  ],
  [
    {
      ...{ kind: "to be founded", host: OUTSIDE, isFirst: true },
      page: `http://${OUTSIDE}:8080`,
    },
    "Made a room key: chat.key (readable by you alone)",
    `Listening on ${OUTSIDE}:5000, for browsers on http://${OUTSIDE}:8080, writing to chat.log`,
    "",
    "A sealed room: this server won't be able to read what is said.",
    "To create it on this machine:  deno task client",
    `To create it from elsewhere:   deno task client 'chat://${OUTSIDE}:5000/#SECRET'`,
    `In a browser:                  save http://${OUTSIDE}:8080/chat.html, open that file, and give it`,
    `                               http://${OUTSIDE}:8080/#SECRET`,
    "",
    FOUNDING,
    SEALED_NOTE,
  ],
  [
    { kind: "to be founded", hasOwnFiles: true, isFirst: true, isHidden: true },
    "Made a room key: OWN/own.key (readable by you alone)",
    "Listening on 127.0.0.1:5000, writing to OWN/own.log",
    "",
    "A sealed room: this server won't be able to read what is said.",
    `To create it on this machine:  with ${PRINTS}`,
    "",
    FOUNDING,
    ALONE,
  ],
  [
    { kind: "founded", host: OUTSIDE, isForPrograms: true },
    `Listening on ${OUTSIDE}:5000, for programs on 127.0.0.1:8081, writing to chat.log`,
    "",
    "The room is sealed: this server can't read what is said.",
    "To let somebody in:        /invite, by a keeper: ana",
  ],
  [
    { kind: "founded", isFirst: true, page: `http://${OUTSIDE}:8080` },
    "Made a room key: chat.key (readable by you alone)",
    `Listening on 127.0.0.1:5000, for browsers on http://${OUTSIDE}:8080, writing to chat.log`,
    "",
    "The room is sealed: this server can't read what is said.",
    "To let somebody in:        /invite, by a keeper: ana",
    `In a browser:              save http://${OUTSIDE}:8080/chat.html, and open that file`,
    SEALED_NOTE,
    "Terminals on other machines can't join: the server listens on 127.0.0.1 alone.",
  ],
];

test("a server says at each start where it listens and how somebody gets in, and shows its link where it may alone", async (place) => {
  for (const [start, ...lines] of SAID) {
    const expected = [...lines, "Ctrl-C stops the server."].join("\n");
    assertEquals(await place.said(start), expected);
  }
});

test("a server that is to show links at a terminal alone shows none on a pipe", async (place) => {
  await place.listen(OUTSIDE);
  const values = place.values();
  const others = { sealed: undefined, web: undefined, http: undefined };
  for (const isTerminal of [true, false]) {
    const say = () => joinInstructions(values, place.keyFile, true, others);
    const { result } = await printed(say, isTerminal);
    assertEquals(/#[\w-]{91}/.test(result), isTerminal);
  }
});

test("the command that a server names for its link prints that, and those for browsers", async (place) => {
  for (const kind of [undefined, "to be founded"] as const) {
    const start = {
      kind,
      hasOwnFiles: true,
      host: OUTSIDE,
      page: "http://x:1",
    };
    const text = (await place.said(start)).replaceAll("OWN", place.folder.path);
    const [, flags = ""] = /deno task server (--link \S.*) prints/.exec(text) ??
      [];
    const values = place.values(...flags.split(" "));
    const link = place.keyFile.inviteFor(OUTSIDE, 5000);
    const [, secret = ""] = link.split("#");
    assertEquals(
      await linkText(values),
      [link, `http://x:1/#${secret}`, ""].join("\n"),
    );
    const { stdout } = await printed(() => printLink(values));
    assertEquals(stdout, await linkText(values));
  }
});

test("there is no link without a key, before a server has listened, in a room for the invited, and in a founded sealed room", async (place) => {
  const { own } = place;
  const refused = async (
    why: string,
    advice: string,
    ...typed: readonly string[]
  ) => {
    const values = place.values(...typed);
    const error = await assertRejects(() => linkText(values), AdvisedError);
    assertEquals(place.known(error.message), why);
    assertEquals(place.known(error.advice), advice);
  };
  const missing = place.folder.file("missing.key");
  await refused(
    "There is no OWN/missing.key yet",
    "Start a server, which makes it: deno task server --key-file OWN/missing.key",
    ...["--key-file", missing],
  );
  await refused(
    "There is no link yet: it holds the server's address",
    "Start the server once: deno task server --log OWN/own.log --key-file OWN/own.key --people OWN/own.people",
    ...own,
  );
  await place.listen();
  await refused(
    "There is no link with --invite-only",
    "Make an invite: deno task invite --key-file OWN/own.key --people OWN/own.people",
    ...own,
    "--invite-only",
  );
  const [server] = await SealedServer.founded();
  await using _server = server;
  await refused(
    "There is no link to a sealed room that is founded",
    "A keeper makes invites, with /invite: ana",
    ...own,
    ...["--control", `${server.setup.folder}/chat.control`],
  );
});

test("a new link is made where that is asked for, and said in a way that works where the server listens", async (place) => {
  const values = place.values(...place.own, "--rotate-key");
  const before = place.keyFile.keys.roomKey;
  const said = async () => place.known(await linkText(values));
  assertEquals(
    await said(),
    `The room has a new link. Once the server has run, deno task server --link --log OWN/own.log --key-file OWN/own.key prints it.\n`,
  );
  const path = place.folder.file("own.key");
  assert(!equalBytes(KeyFile.roomKey(path) ?? before, before));
  assertEquals(place.keyFile.keys.roomKey, before); // it is another process
  const heading = [
    "The room has a new link. The old one lets nobody in any more; members stay members.",
    "A running server takes the new one from now on.",
    "",
  ];
  await place.listen();
  assertEquals(
    await said(),
    [
      ...heading,
      "To join on this machine:   deno task client 'chat://127.0.0.1:5000/#SECRET'",
      "",
    ].join("\n"),
  );
  await place.listen(OUTSIDE, "https://a.example");
  assertEquals(
    await said(),
    [
      ...heading,
      `To join from elsewhere:    deno task client 'chat://${OUTSIDE}:5000/#SECRET'`,
      "In a browser:              https://a.example/#SECRET",
      "",
    ].join("\n"),
  );
});

test("bothLinks() is a link, and the same for browsers where the server serves them", async (place) => {
  const { keyFile } = place;
  await place.listen();
  const link = keyFile.inviteFor("127.0.0.1", 5000);
  assertEquals(bothLinks(keyFile, link), `${link}\n`);
  await place.listen(OUTSIDE, "https://a.example");
  const both = bothLinks(keyFile, link);
  assert(both.startsWith(`${link}\n`));
  assertMatch(both, /\nhttps:\/\/a\.example\/#[\w-]{91}\n$/);
});
