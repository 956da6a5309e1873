/**
 * `--check`: whether a server could start here. Looks at keys, ports and log, and changes nothing.
 *
 * @module
 */

import { write } from "../base/program.ts";
import { type Address, formatAddress } from "../keys/invite.ts";
import { KeyFile } from "../keys/key_file.ts";
import { checkLog } from "../log/check.ts";
import { metricsAddress, type Values } from "./flags.ts";
import { PeopleFile } from "./people_file.ts";
import {
  explainLock,
  metricsError,
  portError,
  type StartError,
} from "./start_error.ts";

/**
 * Says what a server would find.
 * @throws {StartError} | {FileError} | {LogError} | {UsageError} for what would keep it from starting.
 */
export async function check(values: Values): Promise<void> {
  const { host, port, log: path, "key-file": keyPath } = values;
  write(
    await KeyFile.load(keyPath)
      ? `${keyPath} can be used\n`
      : `${keyPath} is not there yet; the server would make it\n`,
  );
  const { people } = values;
  write(
    await PeopleFile.check(people)
      ? `${people} can be used\n`
      : `${people} is not there yet; the server would make it\n`,
  );
  using _held = tryPort({ host, port }, portError);
  const metrics = metricsAddress(values);
  if (metrics) tryPort(metrics, metricsError).close();
  const { exists, last, broken } = await checkLog(path)
    .catch((error) => explainLock(path, error));
  const end = last === 0 ? "it is empty" : `it ends with event ${last}`;
  if (!exists) write(`${path} is not there yet; the server would make it\n`);
  else write(`${path} can be written; ${end}\n`);
  if (broken > 0) {
    write(
      `Its last line broke off after ${broken} bytes; the server would mend that\n`,
    );
  }
}

function tryPort(
  address: Address,
  explain: (address: Address, error: unknown) => StartError,
): Deno.TcpListener {
  const { host: hostname, port } = address;
  try {
    const listener = Deno.listen({ hostname, port });
    const { hostname: host, port: taken } = listener.addr;
    write(`${formatAddress(host, taken)} is free\n`);
    return listener;
  } catch (error) {
    throw explain(address, error);
  }
}
