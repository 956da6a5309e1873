import { parseFlags } from "../../../../src/base/flags.ts";
import { FileError } from "../../../../src/base/file_error.ts";
import { UsageError } from "../../../../src/base/usage_error.ts";
import { FLAGS } from "../../../../src/server/flags.ts";
import {
  type NatsOptions,
  natsOptions,
} from "../../../../src/server/nats/nats_options.ts";
import { isOlder } from "../../../../src/server/nats/nats_connection.ts";
import { assert, assertEquals, assertRejects } from "../../../kit/assert.ts";
import { Folder } from "../../../kit/folder.ts";

function optionsOf(...args: string[]): Promise<NatsOptions | undefined> {
  return natsOptions(parseFlags(args, FLAGS, { positionals: 0 }).values);
}

async function refused(
  kind: typeof UsageError | typeof FileError,
  args: readonly string[],
  message: string,
): Promise<void> {
  await assertRejects(() => optionsOf(...args), kind, message);
}

Deno.test("without --nats there is no NATS, and no other flag of it", async () => {
  assertEquals(await optionsOf(), undefined);
  for (const flag of ["creds", "login", "ca", "cert", "key"]) {
    await refused(
      UsageError,
      [`--nats-${flag}`, "x"],
      `--nats-${flag} needs --nats, which is missing`,
    );
  }
  await refused(
    UsageError,
    ["--nats-replicas", "3"],
    "--nats-replicas needs --nats, which is missing",
  );
});

Deno.test("--nats is one URL or several, each with a port in the end", async () => {
  const urlsOf = async (text: string) =>
    (await optionsOf("--nats", text))?.urls;
  assertEquals(await urlsOf("nats://a.example:4223"), [
    "nats://a.example:4223",
  ]);
  assertEquals(await urlsOf("tls://a.example"), ["tls://a.example:4222"]);
  assertEquals(await urlsOf("a.example:4000"), ["nats://a.example:4000"]);
  assertEquals(await urlsOf("a.example, b.example "), [
    "nats://a.example:4222",
    "nats://b.example:4222",
  ]);
  assertEquals(await urlsOf("a.example, nats://[::1]:4222/"), [
    "nats://a.example:4222",
    "nats://[::1]:4222",
  ]);
  for (
    const wrong of [
      "http://a.example",
      "ws://a.example",
      "nats://",
      "nats://a.example/x",
      "nats://a.example/x/",
      "nats://a.example?x",
      "nats://a.example#x",
      "xnats://a.example",
      "natsx://a.example",
      "nats://a.example:x",
      "nats://a.example,",
      ",",
    ]
  ) await refused(UsageError, ["--nats", wrong], "it is nats://HOST:PORT");
});

Deno.test("a URL with a password is refused, and not repeated", async () => {
  const error = await assertRejects(
    () => optionsOf("--nats", "nats://ana:s3cret@a.example"),
    UsageError,
    "--nats-login",
  );
  assert(!error.message.includes("s3cret"), error.message);
});

Deno.test("TLS is asked for by tls:// or a certificate", async () => {
  await using folder = await Folder.make();
  const cert = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
  const key =
    "-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n";
  const certFile = await folder.write("c.pem", cert);
  const keyFile = await folder.write("k.pem", key);
  const nats = ["--nats", "nats://a.example"];
  assertEquals((await optionsOf(...nats))?.tls, undefined);
  assertEquals((await optionsOf("--nats", "tls://a.example"))?.tls, {});
  assertEquals((await optionsOf(...nats, "--nats-ca", certFile))?.tls, {
    ca: cert,
  });
  const both = ["--nats-cert", certFile, "--nats-key", keyFile];
  assertEquals((await optionsOf(...nats, ...both))?.tls, { cert, key });
  await refused(
    UsageError,
    [...nats, "--nats-cert", certFile],
    "--nats-cert needs --nats-key, which is missing",
  );
  await refused(
    UsageError,
    [...nats, "--nats-key", keyFile],
    "--nats-key needs --nats-cert, which is missing",
  );
  const oneOfTwo = ["--nats", "a.example,tls://b.example"];
  assertEquals((await optionsOf(...oneOfTwo))?.tls, {});
  const plain = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n";
  await folder.write("k.pem", plain);
  assertEquals((await optionsOf(...nats, ...both))?.tls, { cert, key: plain });
  await refused(
    FileError,
    [...nats, "--nats-cert", certFile, "--nats-key", certFile],
    "there is no -----BEGIN PRIVATE KEY----- in it",
  );
  await refused(
    FileError,
    [...nats, "--nats-ca", keyFile],
    "there is no -----BEGIN CERTIFICATE----- in it",
  );
});

Deno.test("a login is a user and a password, or a token, in a file that others can't read", async () => {
  await using folder = await Folder.make();
  const loginOf = async (text: string, mode?: number) => {
    const file = await folder.write("login", text, mode);
    const args = ["--nats", "a.example", "--nats-login", file];
    return (await optionsOf(...args))?.login;
  };
  assertEquals(await loginOf("ana:s3cret:x\n"), {
    kind: "user",
    user: "ana",
    password: "s3cret:x",
  });
  assertEquals(await loginOf("abc\n"), { kind: "token", token: "abc" });
  assertEquals(await loginOf(":x"), { kind: "user", user: "", password: "x" });
  const none = await optionsOf("--nats", "a.example");
  assertEquals(none?.login, { kind: "none" });
  for (const wrong of ["", "\n", "ana\ns3cret\n", "ana\rs3cret"]) {
    await assertRejects(() => loginOf(wrong), FileError, "it has one line");
  }
  if (Deno.build.os !== "windows") {
    await assertRejects(() => loginOf("abc", 0o644), FileError, "chmod 600");
  }
});

Deno.test("a credentials file must be one, be there, and be nobody else's", async () => {
  await using folder = await Folder.make();
  const creds = [
    "-----BEGIN NATS USER JWT-----",
    "x",
    "------END NATS USER JWT------",
    "-----BEGIN USER NKEY SEED-----",
    "y",
    "------END USER NKEY SEED------",
  ].join("\n");
  const path = await folder.write("chat.creds", creds);
  const nats = ["--nats", "a.example"];
  assertEquals((await optionsOf(...nats, "--nats-creds", path))?.login, {
    kind: "creds",
    path,
    text: creds,
  });
  const other = await folder.write("other", "x");
  const args = [...nats, "--nats-creds", other];
  await refused(FileError, args, "it is no credentials file of NATS");
  for (const half of [creds.replace("SEED", ""), creds.replace("JWT", "")]) {
    await folder.write("other", half);
    await refused(FileError, args, "it is no credentials file of NATS");
  }
  await refused(
    UsageError,
    [...args, "--nats-login", other],
    "exclude each other",
  );
  await refused(
    FileError,
    [...nats, "--nats-creds", folder.file("missing")],
    "there is no such file",
  );
  if (Deno.build.os === "windows") return;
  await Deno.chmod(path, 0o640);
  await refused(FileError, [...nats, "--nats-creds", path], "chmod 600");
});

Deno.test("replicas are 1, 3 or 5", async () => {
  const nats = ["--nats", "a.example"];
  assertEquals((await optionsOf(...nats))?.replicas, 1);
  assertEquals((await optionsOf(...nats, "--nats-replicas", "5"))?.replicas, 5);
  for (const wrong of ["2", "4"]) {
    await refused(
      UsageError,
      [...nats, "--nats-replicas", wrong],
      "it is 1, 3 or 5",
    );
  }
});

Deno.test("versions of NATS are compared by their numbers", () => {
  assert(isOlder("2.8.4", "2.9.10"));
  assert(isOlder("2.9.9", "2.9.10"));
  assert(isOlder("", "2.9.10"));
  for (
    const newer of ["2.9.10", "2.10.0", "2.9.10-beta.1", "3.0.0", "2.9.11"]
  ) {
    assert(!isOlder(newer, "2.9.10"), newer);
  }
});
