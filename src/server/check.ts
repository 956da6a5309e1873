/**
 * `--check`: whether a server could start here. Looks at keys, ports, log and NATS, and changes nothing.
 *
 * @module
 */

import type { AdvisedError } from "../base/advised_error.ts";
import { print } from "../base/output.ts";
import { type Kinds, LineFile } from "../base/line_file.ts";
import { fileError, requireWritableFolder } from "../base/private_file.ts";
import { type Address, formatAddress } from "../keys/invite.ts";
import { KeyFile } from "../keys/key_file.ts";
import { checkLog } from "../log/check.ts";
import { dueOf, type Keep, namesOf, rangeOf } from "../log/due_files.ts";
import { limitsOf } from "./limits.ts";
import {
  controlFile,
  httpAddress,
  metricsAddress,
  ownAddress,
  tokenFile,
  type Values,
} from "./flags.ts";
import { requireUnheld } from "./held_files.ts";
import { LETTER_KINDS } from "./letters.ts";
import { waitingFile } from "./mailbox.ts";
import { type NatsOptions, natsOptions } from "./nats/nats_options.ts";
import { HAPPENING_KINDS } from "./people/happening.ts";
import { prepare } from "./prepare.ts";
import { controlState } from "./sealed/open_sealed.ts";
import {
  explainLock,
  httpError,
  metricsError,
  portError,
} from "./start_error.ts";

/**
 * Says what a server would find, and what it would have to write.
 * @throws {AdvisedError} | {FileError} | {UsageError} for what would keep it from starting.
 */
export async function check(values: Values): Promise<void> {
  const { host, port, log: path } = values;
  await prepare(values);
  await checkProxies(values);
  const nats = await natsOptions(values);
  if (nats) print(await natsState(nats, values["key-file"]));
  print(await keyState(values["key-file"]));
  print(await fileState(values.people, HAPPENING_KINDS));
  using _held = await tryPort(
    { host, port },
    (_address, error) => portError(values, error),
  );
  if (values.web !== undefined) await checkWeb(values, values.web);
  const metrics = metricsAddress(values);
  ownAddress(values); // says so where that is none
  if (metrics) (await tryPort(metrics, metricsError)).close();
  await checkHttp(values);
  const { exists, last, broken } = await requireUnheld(values)
    .then(() => checkLog(path))
    .catch((error) => explainLock(values, error));
  const end = last === 0 ? "it is empty" : `it ends with event ${last}`;
  if (!exists) print(`${path} is not there yet; the server would make it\n`);
  else print(`${path} can be written; ${end}\n`);
  const { keep } = limitsOf(values);
  if (keep && exists) print(await retentionState(path, keep));
  if (values.sealed) print(await controlState(controlFile(values), last > 0));
  if (broken > 0) {
    print(
      `Its last line broke off after ${broken} bytes; the server would mend that\n`,
    );
  }
  print(await fileState(waitingFile(path), LETTER_KINDS));
}

/** @throws {UsageError} for proxies that can't be told. */
async function checkProxies(values: Values): Promise<void> {
  const list = values["proxy-protocol"];
  if (list !== undefined) {
    (await import("./proxies.ts")).Proxies.of(values, list);
  }
}

/** What of a log would be deleted. @throws {LogError} if it can't be read. */
async function retentionState(path: string, keep: Keep): Promise<string> {
  const due = await dueOf(path, keep);
  if (due.length === 0) return "--keep would delete nothing now\n";
  return `--keep would delete ${rangeOf(due)}: ${namesOf(due)}\n`;
}

/** What there is of a file of lines. @throws {FileError} if it can't be used, or made. */
async function fileState(path: string, kinds: Kinds): Promise<string> {
  return await LineFile.check(path, kinds)
    ? `${path} can be used\n`
    : `${path} is not there yet; the server would make it\n`;
}

/** What there is of a key file. @throws {FileError} if it can't be used, or made. */
async function keyState(path: string): Promise<string> {
  const isThere = await KeyFile.load(path) !== undefined;
  const obstacle = await requireWritableFolder(path).then(
    () => undefined,
    (cause) => fileError(isThere ? "write" : "create", path, cause),
  );
  if (!isThere && obstacle) throw obstacle;
  if (!isThere) return `${path} is not there yet; the server would make it\n`;
  return obstacle
    ? `${path} can be used, but not written: the server would not note its address there\n`
    : `${path} can be used\n`;
}

/**
 * Whether NATS can be used, and for the room, if its key is there already.
 * @throws {AdvisedError} if not. @throws {FileError} for the key file.
 */
async function natsState(
  options: NatsOptions,
  keyPath: string,
): Promise<string> {
  const { checkNats } = await import("./nats/nats_wire.ts");
  const { ClusterKeys } = await import("./cluster/keys.ts");
  const keyFile = await KeyFile.load(keyPath);
  const keys = keyFile && await ClusterKeys.create(
    keyFile.clusterSecret,
    keyFile.keys.keyPair.publicKey,
  );
  const { url, stream } = await checkNats(options, keys?.room);
  const which = stream === undefined ? "" : `The room's stream is ${stream}\n`;
  return `NATS at ${url} can be used\n${which}`;
}

/** Looks at the page, the certificate and the port for browsers. @throws as `WebPort`. */
async function checkWeb(values: Values, port: string): Promise<void> {
  const { WebPort } = await import("./web/web_port.ts");
  using web = await WebPort.prepare(values, port);
  web.listen();
  print(`${web.listening} is free\n`);
}

/** Looks at the port for programs, and at their tokens. @throws as `HttpPort`. */
async function checkHttp(values: Values): Promise<void> {
  const address = httpAddress(values);
  if (!address) return;
  (await tryPort(address, httpError)).close();
  if (values.sealed) return;
  const { TokenFile } = await import("./http/token_file.ts");
  const path = tokenFile(values);
  if (TokenFile.check(path)) return print(`${path} can be used\n`);
  await requireWritableFolder(path)
    .catch((cause) => Promise.reject(fileError("create", path, cause)));
  print(`${path} is not there yet; the server would make it\n`);
}

async function tryPort(
  address: Address,
  explain: (
    address: Address,
    error: unknown,
  ) => AdvisedError | Promise<AdvisedError>,
): Promise<Deno.TcpListener> {
  const { host: hostname, port } = address;
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    throw await explain(address, error);
  }
  const { hostname: host, port: taken } = listener.addr;
  print(`${formatAddress(host, taken)} is free\n`);
  return listener;
}
