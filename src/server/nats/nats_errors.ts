/**
 * What keeps a server from using NATS, each with what to do about it.
 *
 * @module
 */

import { JetStreamApiError, JetStreamError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { AdvisedError } from "../../base/advised_error.ts";
import { messageOf, reasonOf } from "../../base/error_reason.ts";
import { StreamError } from "../cluster/wire.ts";
import type { NatsOptions } from "./nats_options.ts";

/** What an account, or a server of NATS, says when it has no place for a stream (server/errors.json). */
const NO_STORAGE: ReadonlySet<number> = new Set([
  10_002, // resource limits exceeded for account
  10_023, // insufficient resources
  10_028, // storage resources exceeded for account
  10_047, // insufficient storage resources available
]);
/** It says this when it can't keep as many replicas: not clustered, no suitable peers. */
const NO_REPLICAS: ReadonlySet<number> = new Set([10_005, 10_074]);
/** JetStream is off for the account, or on the server. */
const NOT_ENABLED: ReadonlySet<number> = new Set([10_039, 10_076]);
/** A cluster has no leader yet, or hasn't heard of all its servers. */
const NOT_READY: ReadonlySet<number> = new Set([10_005, 10_008]);

const START = "Start nats-server there, or correct --nats";

/** Whether a stream was refused for the bytes that it asked for. */
export function isStorageRefused(error: unknown): boolean {
  return error instanceof JetStreamApiError && NO_STORAGE.has(error.code);
}

/** Why there is no connection. @param url Where NATS should be. */
export function connectError(
  url: string,
  { login, tls }: NatsOptions,
  error: unknown,
): AdvisedError {
  const failed = (why: string, advice: string) =>
    new AdvisedError(`Cannot use NATS at "${url}": ${why}`, advice, error);
  const message = messageOf(error);
  const code = String((error as { code?: unknown } | undefined)?.code);
  if (
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError
  ) {
    return login.kind === "none"
      ? failed(
        "it wants a login",
        "Give it by --nats-creds FILE, --nats-login FILE or --nats-cert FILE",
      )
      : failed(
        "it refuses the login",
        `Look whether --nats-${
          login.kind === "creds" ? "creds" : "login"
        } names the right file, and whether NATS knows that user`,
      );
  }
  const isBroken = tls && /^(EPERM|EPIPE|ECONNRESET)$/.test(code); // how the end of a handshake shows itself
  if (message.includes("does not support 'tls'")) {
    return failed(
      "it doesn't offer TLS",
      "Leave out tls:// and --nats-ca, or turn TLS on in nats-server's configuration",
    );
  }
  if (
    isBroken ||
    /certificate|issuer|self.signed|tls|ssl|handshake/i.test(message)
  ) {
    return failed(
      `its TLS fails: ${isBroken ? "it ends the handshake" : message}`,
      tls?.ca === undefined
        ? "If its certificate is of your own authority, name that one's by --nats-ca FILE"
        : "Look whether --nats-ca names the authority of its certificate, whether the certificate has that host in it, and whether NATS wants one by --nats-cert",
    );
  }
  if (/unexpected response/.test(message) || error instanceof SyntaxError) {
    return failed("what answers there is not NATS", "Correct --nats");
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return failed("the name is unknown", "Correct --nats, or the system's DNS");
  }
  if (error instanceof errors.TimeoutError) {
    return failed("nothing answers in time", START);
  }
  return failed(
    message === "" ? "it ends the connection" : reasonOf(error),
    START,
  );
}

/**
 * Whether the same may succeed a little later: the servers of a cluster that have just been started find each other first.
 * @param wrapped What the library says when JetStream was asked for something.
 */
export function isNotReady(wrapped: unknown): boolean {
  if (wrapped instanceof JetStreamApiError) return NOT_READY.has(wrapped.code);
  return wrapped instanceof StreamError || // the connection was lost meanwhile
    wrapped instanceof errors.TimeoutError || isUnheard(wrapped);
}

/** Whether nobody is there to answer, by any of the wrappings that the library has. */
function isUnheard(error: unknown): boolean {
  return error instanceof errors.NoRespondersError ||
    error instanceof Error && isUnheard(error.cause);
}

/** Why the stream can't be had. @param url Where NATS is. */
export function streamError(
  url: string,
  { replicas }: NatsOptions,
  wrapped: unknown,
): AdvisedError {
  const error = wrapped instanceof errors.RequestError && wrapped.cause
    ? wrapped.cause
    : wrapped;
  const failed = (why: string, advice: string) =>
    new AdvisedError(
      `Cannot keep the room in NATS at "${url}": ${why}`,
      advice,
      error,
    );
  const code = error instanceof JetStreamApiError ? error.code : 0;
  const why = messageOf(error);
  if (isNotEnabled(error)) {
    return failed(
      "it has no JetStream",
      "Start nats-server with -js, or let this account use JetStream",
    );
  }
  if (NO_REPLICAS.has(code)) {
    return failed(
      `it can't keep ${replicas} copies (${why})`,
      "Give --nats-replicas a number that is not above that of the cluster's servers that run",
    );
  }
  if (isStorageRefused(error)) {
    return failed(
      `it has no place for the room's stream (${why})`,
      "Raise max_file_store of its JetStream, or the storage of this account",
    );
  }
  if (error instanceof errors.PermissionViolationError) {
    return failed(
      `it doesn't allow ${error.operation} "${error.subject}"`,
      "Allow that user to publish to $JS.> and chat.>, and to subscribe to _INBOX.> and chat.>; docs/operations.md lists the least that it needs",
    );
  }
  if (error instanceof errors.TimeoutError) {
    return failed(
      "its JetStream doesn't answer in time",
      "If it is a cluster, look whether most of its servers run",
    );
  }
  return failed(
    why,
    "Look at nats-server's log, and at the stream",
  );
}

/** Whether it is said that there is no JetStream. */
function isNotEnabled(error: unknown): boolean {
  return error instanceof JetStreamApiError
    ? NOT_ENABLED.has(error.code)
    : error instanceof Error && error.name === "JetStreamNotEnabled" ||
      error instanceof JetStreamError && /not enabled/.test(error.message);
}
