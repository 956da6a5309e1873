import { AdvisedError } from "../../src/base/advised_error.ts";
import { checkNats, connectNats } from "../../src/server/nats/nats_wire.ts";
import type { NatsOptions } from "../../src/server/nats/nats_options.ts";
import { KeyFile } from "../../src/keys/key_file.ts";
import { ClusterKeys } from "../../src/server/cluster/keys.ts";
import { assert, assertEquals, assertRejects } from "../kit/assert.ts";
import { makeCertificate } from "../kit/certificate.ts";
import { Cluster } from "../kit/cluster.ts";
import { Crowd } from "../kit/crowd.ts";
import { Folder, freePort } from "../kit/folder.ts";
import { NatsServer } from "../kit/nats.ts";
import { runServer } from "../kit/server.ts";
import { NatsAccount } from "../kit/nats_account.ts";
import { plainOptions, ROOM, STREAM, TestWire, textsOf } from "../kit/wire.ts";

/** Options beside where NATS is. */
type Details = Partial<Omit<NatsOptions, "urls">>;

const PASSWORD = 'authorization { user: ana, password: "s3cret:x" }';
const LOGIN = { kind: "user", user: "ana", password: "s3cret:x" } as const;

async function refusal(
  url: string,
  details: Details,
): Promise<{ message: string; advice: string }> {
  const options = { ...plainOptions(url), ...details };
  return await assertRejects(() => connectNats(options, ROOM), AdvisedError);
}

/** A NATS of a configuration refuses a server, or that one NATS. @param why What is said after where NATS is. */
function refusalTest(
  name: string,
  config: string,
  details: Details,
  why: string,
  advice: RegExp,
): void {
  Deno.test(name, async () => {
    await using folder = await Folder.make();
    await using nats = await NatsServer.start(folder.path, { config });
    const refused = await refusal(nats.url, details);
    const [said = ""] = refused.message.split(nats.url).slice(1);
    assertEquals(said.replace(/try\.\w+/, "try.…"), `": ${why}`);
    assertEquals(advice.test(refused.advice), true, refused.advice);
  });
}

refusalTest(
  "a NATS that wants a login says so",
  PASSWORD,
  {},
  "it wants a login",
  /--nats-creds FILE/,
);
refusalTest(
  "a wrong password is refused",
  PASSWORD,
  { login: { ...LOGIN, password: "other" } },
  "it refuses the login",
  /--nats-login/,
);
refusalTest(
  "a wrong token is refused",
  'authorization { token: "abc" }',
  { login: { kind: "token", token: "abd" } },
  "it refuses the login",
  /--nats-login/,
);
refusalTest(
  "a NATS with small messages is refused",
  "max_payload: 65536",
  {},
  "a message may have at most 65536 bytes there",
  /max_payload/,
);
refusalTest(
  "a NATS without place is refused",
  "jetstream { max_file_store: 1MB }",
  {},
  "it has no place for the room's stream (insufficient storage resources available)",
  /max_file_store/,
);
refusalTest(
  "more copies than there are servers are refused",
  "",
  { replicas: 3 },
  "it can't keep 3 copies (replicas > 1 not supported in non-clustered mode)",
  /--nats-replicas/,
);
refusalTest(
  "a NATS without TLS is refused where TLS is asked for",
  "",
  { tls: {} },
  "it doesn't offer TLS",
  /tls:\/\//,
);
/** The least rights that a server needs to publish; `docs/operations.md` has the same. @param room Its name in NATS. */
function leastRights(room: string): string[] {
  const stream = `chat_${room}`;
  return [
    "$JS.API.INFO",
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.CREATE.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.>`,
    `$JS.API.CONSUMER.DELETE.${stream}.>`,
    `$JS.FC.${stream}.>`,
    `chat.${room}.>`,
  ];
}

/** A configuration with one user. */
function onlyAllowed(
  publish: readonly string[],
  subscribe: readonly string[],
): string {
  const list = (subjects: readonly string[]) => JSON.stringify(subjects);
  const rights = `publish: ${list(publish)}, subscribe: ${list(subscribe)}`;
  return `authorization { users: [ { user: ana, password: "s3cret:x", permissions: { ${rights} } } ] }`;
}

/** The least rights without those of which a text is the beginning. */
function rightsBut(start: string): string[] {
  return leastRights(ROOM).filter((it) => !it.startsWith(start));
}

for (
  const [publish, subscribe, missing] of [
    [
      leastRights(ROOM),
      ["_INBOX.>"],
      `subscription "chat.${ROOM}.m.try.…"`,
    ],
    [rightsBut("chat."), [">"], `publish "chat.${ROOM}.m.try.…"`],
    [
      [...rightsBut("chat."), `chat.${ROOM}.m.>`],
      [">"],
      `publish "chat.${ROOM}.entries"`,
    ],
    [rightsBut("$JS.FC"), [">"], `publish "$JS.FC.${STREAM}.try"`],
    [
      rightsBut("$JS.API.CONSUMER.CREATE"),
      [">"],
      `publish "$JS.API.CONSUMER.CREATE.${STREAM}"`,
    ],
    [
      rightsBut("$JS.API.STREAM.CREATE"),
      [">"],
      `publish "$JS.API.STREAM.CREATE.${STREAM}"`,
    ],
    [["nothing"], [">"], `publish "$JS.API.STREAM.INFO.${STREAM}"`],
  ] as const
) {
  refusalTest(
    `what NATS doesn't allow is named: ${missing}`,
    onlyAllowed(publish, subscribe),
    { login: LOGIN },
    `it doesn't allow ${missing}`,
    /subscribe to _INBOX/,
  );
}

Deno.test("--check names any right that is missing, and makes nothing", async () => {
  await using folder = await Folder.make();
  const rights = leastRights(ROOM)
    .filter((it) =>
      !it.startsWith("$JS.API.CONSUMER.CREATE.") || !it.endsWith(">")
    ); // of newer servers
  const users = [">", ...rights].map((missing, at) => {
    const publish = leastRights(ROOM).filter((it) => it !== missing);
    const subscribe = ["_INBOX.>", `chat.${ROOM}.>`];
    const permissions = `{ publish: ${JSON.stringify(publish)}, subscribe: ${
      JSON.stringify(subscribe)
    } }`;
    return `{ user: u${at}, password: "s3cret:x", permissions: ${permissions} }`;
  });
  await using nats = await NatsServer.start(folder.path, {
    config: `authorization { users: [ ${users.join(", ")} ] }`,
  });
  const check = (at: number) =>
    checkNats({
      ...plainOptions(nats.url),
      login: { ...LOGIN, user: `u${at}` },
    }, ROOM);
  assertEquals(await check(0), { url: nats.url, stream: STREAM });
  for (const [at, missing] of rights.entries()) {
    const { message } = await assertRejects(() => check(at + 1), AdvisedError);
    const start = missing.replace(/>$/, "");
    assert(message.includes(`it doesn't allow publish "${start}`), message);
  }
  await using one = await TestWire.open({
    ...plainOptions(nats.url),
    login: { ...LOGIN, user: "u0" },
  });
  assertEquals((await one.state()).last, 0);
});

Deno.test("servers need no more rights in NATS than are documented", async () => {
  const place = new URL("../../docs/operations.md", import.meta.url);
  const page = await Deno.readTextFile(place);
  const [, list = ""] = /publish: \{\s*allow: \[([^\]]*)\]/.exec(page) ?? [];
  const documented = Array.from(list.matchAll(/"(.*)"/g), ([, it]) => it);
  assertEquals(documented, leastRights("ROOM"));
  assert(page.includes('subscribe: { allow: [ "_INBOX.>", "chat.ROOM.>" ] }'));
  await using folder = await Folder.make();
  const login = await folder.write("login", "ana:s3cret:x\n");
  await Deno.chmod(login, 0o600);
  const port = freePort();
  const url = `nats://127.0.0.1:${port}`;
  await using cluster = await Cluster.make({
    url,
    args: ["--nats-login", login],
  });
  const first = await cluster.add();
  const { clusterSecret, keys } =
    (await KeyFile.loadOrCreate(first.folder.file("chat.key"))).keyFile;
  const { room } = await ClusterKeys.create(
    clusterSecret,
    keys.keyPair.publicKey,
  );
  await using nats = await NatsServer.start(folder.file("nats"), {
    port,
    config: onlyAllowed(leastRights(room), ["_INBOX.>", `chat.${room}.>`]),
  });
  const words = [
    "--check",
    "--port",
    "0",
    "--nats",
    url,
    "--nats-login",
    login,
  ];
  const { code, stdout } = await runServer(first.folder, words);
  assertEquals(code, 0);
  assertEquals(stdout.slice(0, 2), [
    `NATS at ${url} can be used`,
    `The room's stream is chat_${room}`,
  ]);
  await first.start();
  await cluster.grow(1);
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(1);
  await Promise.all(members.map((member) => member.talk(500)));
  await crowd.check();
  await cluster.node(1).end();
  await first.end();
  assertEquals(nats.output.filter((line) => /violation/i.test(line)), []);
});

Deno.test("a right that NATS takes away while a server runs is named once, and the server goes on when it has it again", async () => {
  await using folder = await Folder.make();
  const login = await folder.write("login", "ana:s3cret:x\n");
  await Deno.chmod(login, 0o600);
  const port = freePort();
  const run = (publish: readonly string[]) =>
    NatsServer.start(folder.file("nats"), {
      port,
      config: onlyAllowed(publish, [">"]),
    });
  const url = `nats://127.0.0.1:${port}`;
  await using all = await run([">"]);
  await using cluster = await Cluster.open(1, {
    url,
    args: ["--nats-login", login],
  });
  await using crowd = new Crowd(cluster);
  const members = await crowd.gather(1);
  await all.kill();
  await using less = await run([
    "$JS.API.STREAM.>",
    "$JS.API.CONSUMER.DELETE.>",
    "$JS.FC.>",
    "chat.>",
  ]);
  const { server } = cluster.node(0);
  await server.line(/doesn't allow publish \$JS\.API\.CONSUMER\.CREATE/);
  await less.line(/Publish Violation/, 3);
  await less.kill();
  await using _again = await run([">"]);
  await Promise.all(members.map((member) => member.talk(1)));
  await crowd.check();
  const said = server.stderr.filter((line) => line.includes("doesn't allow"));
  assertEquals(said.length, 1, said.join("\n"));
});

Deno.test("a NATS without JetStream is refused", async () => {
  await using folder = await Folder.make();
  await using nats = await NatsServer.start(folder.path, { jetstream: false });
  const { message, advice } = await refusal(nats.url, {});
  assertEquals(
    message,
    `Cannot keep the room in NATS at "${nats.url}": it has no JetStream`,
  );
  assertEquals(
    advice,
    "Start nats-server with -js, or let this account use JetStream",
  );
});

Deno.test("what is no NATS, no name and no server is told apart", async () => {
  const port = freePort();
  const said = async (url: string) => (await refusal(url, {})).message;
  assertEquals(
    await said(`nats://127.0.0.1:${port}`),
    `Cannot use NATS at "nats://127.0.0.1:${port}": connection refused`,
  );
  assertEquals(
    await said("nats://no-such-host.invalid:4222"),
    `Cannot use NATS at "nats://no-such-host.invalid:4222": the name is unknown`,
  );
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answering = (async () => {
    using connection = await listener.accept();
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"),
    );
    await connection.read(new Uint8Array(1)); // its end
  })();
  const url = `nats://127.0.0.1:${listener.addr.port}`;
  assertEquals(
    await said(url),
    `Cannot use NATS at "${url}": what answers there is not NATS`,
  );
  await answering;
});

Deno.test("an older nats-server is refused, and one that says nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `nats://127.0.0.1:${listener.addr.port}`;
  const info = '{"version":"2.8.4","proto":1,"max_payload":1048576}';
  const answering = (async () => {
    using old = await listener.accept();
    const say = (text: string) => old.write(new TextEncoder().encode(text));
    await say(`INFO ${info}\r\n`);
    await old.read(new Uint8Array(4_096));
    await say("PONG\r\n");
    while (await old.read(new Uint8Array(4_096)) !== null);
  })();
  const { message, advice } = await refusal(url, {});
  assertEquals(message, `Cannot use NATS at "${url}": its version is 2.8.4`);
  assertEquals(advice, "Run nats-server 2.9.10 or a newer one");
  await answering;
  const silent = listener.accept();
  assertEquals(
    (await refusal(url, {})).message,
    `Cannot use NATS at "${url}": nothing answers in time`,
  );
  (await silent).close();
});

Deno.test("a login is shown to NATS, also when the connection comes back", async () => {
  for (
    const [config, login] of [
      [PASSWORD, LOGIN],
      ['authorization { token: "abc" }', { kind: "token", token: "abc" }],
    ] as const
  ) {
    await using folder = await Folder.make();
    await using nats = await NatsServer.start(folder.path, { config });
    await using one = await TestWire.open({ ...plainOptions(nats.url), login });
    await one.add(["a"]);
    await nats.restart();
    await one.add(["b"]);
    assertEquals(textsOf(await one.take(2)), ["a", "b"]);
  }
});

Deno.test("a credentials file is read anew for each connection, and its last text serves while it is broken", async () => {
  await using folder = await Folder.make();
  const account = new NatsAccount();
  await using nats = await NatsServer.start(folder.file("nats"), {
    config: account.config,
  });
  const text = account.credentials();
  const path = await folder.write("chat.creds", text);
  const login = { kind: "creds", path, text } as const;
  await using one = await TestWire.open({ ...plainOptions(nats.url), login });
  await one.add(["a"]);
  for (const [id, now] of [["b", account.credentials()], ["c", "broken"]]) {
    await folder.write("chat.creds", now ?? "");
    await nats.restart();
    await one.add([id ?? ""]);
  }
  assertEquals((await one.state()).last, 3);
  const other = new NatsAccount().credentials();
  const { message } = await refusal(nats.url, {
    login: { kind: "creds", path: folder.file("missing"), text: other },
  });
  assertEquals(
    message,
    `Cannot use NATS at "${nats.url}": it refuses the login`,
  );
});

Deno.test("TLS goes by the certificate that is named, and shows the one that is asked for", async () => {
  await using folder = await Folder.make();
  const own = await makeCertificate("localhost");
  const other = await makeCertificate("localhost");
  const cert = await folder.write("cert.pem", own.cert);
  const key = await folder.write("key.pem", own.key);
  const ca = await folder.write("ca.pem", other.cert);
  await using nats = await NatsServer.start(folder.file("nats"), {
    config:
      `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "${ca}", verify: true }`,
  });
  const url = `tls://localhost:${nats.port}`;
  const shown = { cert: other.cert, key: other.key };
  await using one = await TestWire.open({
    ...plainOptions(url),
    tls: { ca: own.cert, ...shown },
  });
  await one.add(["a"]);
  await nats.restart();
  await one.add(["b"]);
  assertEquals(textsOf(await one.take(2)), ["a", "b"]);
  const said = async (tls: NonNullable<NatsOptions["tls"]>) =>
    (await refusal(url, { tls })).message.replace(/fails: .*/, "fails");
  const failed = `Cannot use NATS at "${url}": its TLS fails`;
  assertEquals(await said({ ca: other.cert, ...shown }), failed);
  assertEquals(await said(shown), failed);
  assertEquals(await said({ ca: own.cert }), failed);
});

Deno.test("of several addresses the first that answers is used, and the others later", async () => {
  await using folder = await Folder.make();
  await using first = new NatsServer(folder.file("first"));
  await using second = await NatsServer.start(folder.file("second"));
  await using one = await TestWire.open(`${first.url},${second.url}`);
  await one.add(["a"]);
  await first.run();
  await second.kill();
  const { last } = await one.state();
  assertEquals(last, 0, "the other one's stream");
});
