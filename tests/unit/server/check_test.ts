/**
 * `--check`: what is said of a folder in which a server could start, and what keeps it from that.
 *
 * @module
 */

import { AdvisedError } from "../../../src/base/advised_error.ts";
import { FileError } from "../../../src/base/private_file.ts";
import { parseFlags } from "../../../src/base/flags.ts";
import { UsageError } from "../../../src/base/usage_error.ts";
import { KeyFile } from "../../../src/keys/key_file.ts";
import { takeLock } from "../../../src/log/lock.ts";
import { check } from "../../../src/server/check.ts";
import { FLAGS } from "../../../src/server/flags.ts";
import { Mailbox } from "../../../src/server/mailbox.ts";
import { assertEquals, assertRejects } from "../../kit/assert.ts";
import { Folder, freePort } from "../../kit/folder.ts";
import { openLog, saidUpTo, withMethod } from "../../kit/log_kit.ts";
import { openPeople } from "../../kit/people.ts";
import { writtenTo } from "../../kit/overhear.ts";

/** What is said of a folder, with its path and the ports left out. */
async function saidOf(folder: Folder, ...more: string[]): Promise<string[]> {
  const files = ["log", "key", "people"].flatMap((name) => {
    const flag = name === "key" ? "key-file" : name;
    const isGiven = more.some((arg) => arg.startsWith(`--${flag}=`));
    return isGiven ? [] : `--${flag}=${folder.file(`chat.${name}`)}`;
  });
  const hasPort = more.some((arg) => arg.startsWith("--port="));
  const port = hasPort ? [] : ["--port=0"];
  const args = ["--host=127.0.0.1", ...port, ...files, ...more];
  const { values } = parseFlags(args, FLAGS, { positionals: 0 });
  const text = await writtenTo("stdout", () => check(values));
  return text.split("\n").slice(0, -1).map((line) =>
    line.replaceAll(`${folder.path}/`, "").replace(/:[1-9]\d*/g, ":PORT")
  );
}

const unmade = (name: string) =>
  `${name} is not there yet; the server would make it`;
const usable = (name: string) => `${name} can be used`;
const FREE = "127.0.0.1:PORT is free";

Deno.test("check() says of an empty folder what a server would make, and makes nothing", async () => {
  await using folder = await Folder.make();
  assertEquals(await saidOf(folder), [
    unmade("chat.key"),
    unmade("chat.people"),
    FREE,
    unmade("chat.log"),
    unmade("chat.waiting"),
  ]);
  const all = await saidOf(
    folder,
    ...[
      "--http=0",
      `--metrics=127.0.0.1:${freePort()}`,
      "--web=0",
      "--keep=30d",
    ],
    ...["--sealed", "--proxy-protocol=10.0.0.1"],
  );
  assertEquals(all, [
    unmade("chat.key"),
    unmade("chat.people"),
    ...[FREE, FREE, FREE, FREE],
    unmade("chat.log"),
    unmade("chat.control"),
    unmade("chat.waiting"),
  ]);
  const tokens = await saidOf(folder, "--http=0");
  assertEquals(tokens.slice(2, 5), [FREE, FREE, unmade("chat.tokens")]);
  assertEquals(await folder.names(), []);
});

Deno.test("check() says of files that are there that they can be used, and leaves them as they are", async () => {
  await using folder = await Folder.make();
  await KeyFile.loadOrCreate(folder.file("chat.key"));
  openPeople(folder.file("chat.people"))[Symbol.dispose]();
  Mailbox.open(folder.file("chat.waiting"))[Symbol.dispose]();
  const token = "0123456789".repeat(4);
  await folder.write("chat.tokens", `backup ${token}\n`);
  const path = folder.file("chat.log");
  await (await openLog(path)).close();
  assertEquals(await saidOf(folder, "--http=0", "--keep=30d"), [
    usable("chat.key"),
    usable("chat.people"),
    ...[FREE, FREE],
    usable("chat.tokens"),
    "chat.log can be written; it is empty",
    "--keep would delete nothing now",
    usable("chat.waiting"),
  ]);
  {
    await using log = await openLog(path);
    await log.append(saidUpTo(3));
  }
  await Deno.writeTextFile(path, "2026-11-23T", { append: true });
  const before = await Deno.readTextFile(path);
  const said = await saidOf(folder, "--sealed");
  assertEquals(said.slice(3), [
    "chat.log can be written; it ends with event 3",
    "chat.control is not there: the server would make it from the log, if that is a sealed room's, without the sealed keys",
    "Its last line broke off after 11 bytes; the server would mend that",
    usable("chat.waiting"),
  ]);
  assertEquals(await Deno.readTextFile(path), before);
});

Deno.test("check() names what --keep would delete", async () => {
  await using folder = await Folder.make();
  const path = folder.file("chat.log");
  {
    await using log = await openLog(path, { maxSize: 1_000 });
    for (const entry of saidUpTo(40)) await log.append([entry]);
  }
  assertEquals(
    (await saidOf(folder, "--keep=1h"))[4],
    "--keep would delete events 1 to 40: chat.log.3 to chat.log.1",
  );
});

Deno.test("check() takes a key file that can't be written, which a server can do without, and none that can't be made", async () => {
  await using folder = await Folder.make();
  const path = folder.file("chat.key");
  const open = Deno.open;
  const readOnly = (...[name, options]: Parameters<typeof open>) =>
    options?.createNew && `${name}`.startsWith(path)
      ? Promise.reject(new Deno.errors.PermissionDenied())
      : open(name, options);
  await withMethod(Deno, "open", () => readOnly, async () => {
    await assertRejects(
      () => saidOf(folder),
      FileError,
      `Cannot create "${path}"`,
    );
    await Deno.writeTextFile(path, "damaged", { mode: 0o600 });
    await assertRejects(() => saidOf(folder), FileError, path);
  });
  await Deno.remove(path);
  await KeyFile.loadOrCreate(path);
  await withMethod(Deno, "open", () => readOnly, async () => {
    assertEquals(
      (await saidOf(folder))[0],
      "chat.key can be used, but not written: the server would not note its address there",
    );
  });
});

Deno.test("check() fails by what would keep a server from starting, and says what to do", async () => {
  await using folder = await Folder.make();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  for (
    const flag of [
      "port=",
      "web=127.0.0.1:",
      "http=127.0.0.1:",
      "metrics=127.0.0.1:",
    ]
  ) {
    await assertRejects(
      () => saidOf(folder, `--${flag}${port}`),
      AdvisedError,
      `Port ${port} is in use`,
    );
  }
  const wrong = [
    [["--proxy-protocol=x"], UsageError, "--proxy-protocol"],
    [["--address=x"], UsageError, "--address"],
    [["--http-tokens=/x"], UsageError, "--http-tokens needs --http"],
    [
      ["--http=0", `--http-tokens=${folder.file("a/b")}`],
      FileError,
      `Cannot create "${folder.file("a/b")}"`,
    ],
    [["--motd=/none"], FileError, "/none"],
    [["--nats=nats://127.0.0.1:1"], AdvisedError, "NATS"],
    [["--people=/none/chat.people"], FileError, "/none"],
  ] as const;
  for (const [args, kind, why] of wrong) {
    await assertRejects(() => saidOf(folder, ...args), kind, why);
  }
  using _lock = await takeLock(
    folder.file("chat.log"),
    "127.0.0.1:5000",
    () => {},
  );
  await assertRejects(
    () => saidOf(folder),
    AdvisedError,
    "is in use by the server on 127.0.0.1:5000",
  );
});
