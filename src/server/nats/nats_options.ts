/**
 * What the flags say about NATS: where it is, and what it is shown and asked for. Loads nothing of NATS's own.
 *
 * @module
 */

import { FileError, readPrivate, readText } from "../../base/private_file.ts";
import { UsageError } from "../../base/usage_error.ts";
import type { Values } from "../flags.ts";

/** A PEM file's most, characters. */
const MAX_PEM_SIZE = 1_048_576;
/** The flags that say more about what `--nats` names. */
const DETAILS = [
  "nats-creds",
  "nats-login",
  "nats-ca",
  "nats-cert",
  "nats-key",
  "nats-replicas",
] as const;

/** Who a server is to NATS. */
export type NatsLogin =
  | { readonly kind: "none" }
  /** A credentials file. NATS's own tools renew it, so it is read anew for every connection. */
  | { readonly kind: "creds"; readonly path: string; readonly text: string }
  | { readonly kind: "user"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

/** How a server uses NATS. */
export interface NatsOptions {
  /** Where it is: `nats://HOST:PORT` or `tls://HOST:PORT`, in the order in which they are tried. */
  readonly urls: readonly string[];
  /** Who it is there. */
  readonly login: NatsLogin;
  /** Undefined where TLS is used only if NATS asks for it. All are PEM. */
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
  } | undefined;
  /** How many servers of NATS keep the stream, where it is made. */
  readonly replicas: number;
}

/**
 * Reads what the flags say and name.
 * @returns Undefined without `--nats`. @throws {UsageError} | {FileError}
 */
export async function natsOptions(
  values: Values,
): Promise<NatsOptions | undefined> {
  const { nats } = values;
  if (nats === undefined) {
    const stray = DETAILS.find((flag) => values[flag] !== undefined);
    if (stray === undefined) return undefined;
    throw new UsageError(`--${stray} needs --nats, which is missing`);
  }
  const urls = nats.split(",").map(natsUrl);
  return {
    urls,
    login: await login(values),
    tls: await tls(values, urls),
    replicas: replicas(values["nats-replicas"]),
  };
}

/** A URL with its port. @throws {UsageError} Doesn't repeat what may have a password in it. */
function natsUrl(text: string): string {
  if (text.includes("@")) {
    throw new UsageError(
      "Cannot use --nats with a user, password or token in the URL: others can read a command line; put it into a file and name that by --nats-login",
    );
  }
  const given = text.trim();
  const url = URL.parse(given.includes("://") ? given : `nats://${given}`);
  const isPlain = url && /^(nats|tls):$/.test(url.protocol) &&
    url.hostname !== "" && /^\/?$/.test(url.pathname) &&
    url.search === "" && url.hash === "";
  if (!isPlain) {
    throw new UsageError(
      `Cannot use --nats ${
        JSON.stringify(given)
      }: it is nats://HOST:PORT or tls://HOST:PORT, or several with commas between them`,
    );
  }
  return `${url.protocol}//${url.hostname}:${url.port || "4222"}`;
}

/** @throws {UsageError} | {FileError} */
async function login(values: Values): Promise<NatsLogin> {
  const creds = values["nats-creds"];
  const path = values["nats-login"];
  if (creds !== undefined && path !== undefined) {
    throw new UsageError("--nats-creds and --nats-login exclude each other");
  }
  if (creds !== undefined) {
    const text = await secret(creds);
    const has = (what: string) => text.includes(`-----BEGIN ${what}-----`);
    if (!has("NATS USER JWT") || !has("USER NKEY SEED")) {
      throw new FileError(
        `Cannot use "${creds}": it is no credentials file of NATS, as "nsc generate creds" writes it`,
      );
    }
    return { kind: "creds", path: creds, text };
  }
  if (path === undefined) return { kind: "none" };
  const text = (await secret(path)).trim();
  if (text === "" || /[\r\n]/.test(text)) {
    throw new FileError(
      `Cannot use "${path}": it has one line, user:password or a token`,
    );
  }
  const colon = text.indexOf(":");
  return colon < 0 ? { kind: "token", token: text } : {
    kind: "user",
    user: text.slice(0, colon),
    password: text.slice(colon + 1),
  };
}

/** The text of a file that only its owner may read. @throws {FileError} */
async function secret(path: string): Promise<string> {
  const text = await readPrivate(path);
  if (text !== undefined) return text;
  throw new FileError(`Cannot read "${path}": there is no such file or folder`);
}

/** @throws {UsageError} | {FileError} */
async function tls(
  values: Values,
  urls: readonly string[],
): Promise<NatsOptions["tls"]> {
  const { "nats-ca": ca, "nats-cert": cert, "nats-key": key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    const [there, missing] = cert === undefined
      ? ["key", "cert"]
      : ["cert", "key"];
    throw new UsageError(
      `--nats-${there} needs --nats-${missing}, which is missing`,
    );
  }
  const isAsked = urls.some((url) => url.startsWith("tls:"));
  if (!isAsked && ca === undefined && cert === undefined) return undefined;
  return {
    ...(ca === undefined ? {} : { ca: await pem(ca, "CERTIFICATE") }),
    ...(cert === undefined ? {} : { cert: await pem(cert, "CERTIFICATE") }),
    ...(key === undefined ? {} : { key: await pem(key, "PRIVATE KEY") }),
  };
}

/** The text of a PEM file. @param what It has at least one of this. @throws {FileError} */
async function pem(path: string, what: string): Promise<string> {
  const text = await readText(path, MAX_PEM_SIZE);
  if (new RegExp(`-----BEGIN ([A-Z]+ )?${what}-----`).test(text)) return text;
  throw new FileError(
    `Cannot use "${path}": there is no -----BEGIN ${what}----- in it`,
  );
}

/** @throws {UsageError} */
function replicas(given: number | undefined): number {
  if (given === undefined || given % 2 === 1) return given ?? 1;
  throw new UsageError(
    `Cannot use --nats-replicas "${given}": it is 1, 3 or 5`,
  );
}
