/**
 * What a person is told who can't use NATS, by what its library says.
 *
 * @module
 */

import { JetStreamApiError, JetStreamError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { StreamError } from "../../../../src/server/cluster/wire.ts";
import {
  connectError,
  isNotReady,
  isStorageRefused,
  streamError,
} from "../../../../src/server/nats/nats_errors.ts";
import type { NatsOptions } from "../../../../src/server/nats/nats_options.ts";
import { assertEquals, assertMatch } from "../../../kit/assert.ts";

const URL = "nats://a.example:4222";

function options(details: Partial<NatsOptions> = {}): NatsOptions {
  return {
    urls: [URL],
    login: { kind: "none" },
    tls: undefined,
    replicas: 3,
    ...details,
  };
}

/** What JetStream refuses something with. */
function refused(code: number, description = "so it is"): JetStreamApiError {
  return new JetStreamApiError({ code: 503, err_code: code, description });
}

function coded(code: string, message = ""): Error {
  return Object.assign(new Error(message), { code });
}

/** As its own class, which the library doesn't give out. */
const notEnabled = Object.assign(new Error("x"), {
  name: "JetStreamNotEnabled",
});
const CREDS = { login: { kind: "creds", path: "c", text: "" } } as const;
const TOKEN = { login: { kind: "token", token: "t" } } as const;
const TLS = { tls: {} };
const CA = { tls: { ca: "x" } };
const wrong = new errors.AuthorizationError("Authorization Violation");
const expired = new errors.UserAuthenticationExpiredError("expired");
const OWN_CA = /^If its certificate is of your own authority/;
const NAMED_CA = /^Look whether --nats-ca names the authority/;
const START = /^Start nats-server there/;

Deno.test("why there is no connection to NATS is said, with what to do about it", () => {
  for (
    const [error, details, why, advice] of [
      [wrong, {}, "it wants a login", /^Give it by --nats-creds FILE/],
      [expired, {}, "it wants a login", /^Give it/],
      [wrong, CREDS, "it refuses the login", /whether --nats-creds names/],
      [expired, TOKEN, "it refuses the login", /whether --nats-login names/],
      [
        new Error("server does not support 'tls'"),
        TLS,
        "it doesn't offer TLS",
        /^Leave out tls/,
      ],
      [
        coded("ECONNRESET", "read"),
        TLS,
        "its TLS fails: it ends the handshake",
        OWN_CA,
      ],
      [coded("EPIPE"), CA, "its TLS fails: it ends the handshake", NAMED_CA],
      [coded("EPERM"), TLS, "its TLS fails: it ends the handshake", OWN_CA],
      [coded("ECONNRESET", "read"), {}, "the connection was reset", START],
      [coded("XEPIPE", "odd"), TLS, "odd", START],
      [coded("EPIPEX", "odd"), TLS, "odd", START],
      ...[
        "unknown issuer",
        "invalid peer Certificate",
        "self-signed",
        "tlsv13 alert",
        "an SSL error",
        "handshake failure",
      ].map((said) =>
        [new Error(said), {}, `its TLS fails: ${said}`, OWN_CA] as const
      ),
      [
        new Error("unexpected response from server"),
        {},
        "what answers there is not NATS",
        /^Correct --nats$/,
      ],
      [
        new SyntaxError("no JSON"),
        {},
        "what answers there is not NATS",
        /^Correct --nats$/,
      ],
      [coded("ENOTFOUND", "x"), {}, "the name is unknown", /the system's DNS/],
      [coded("EAI_AGAIN", "x"), {}, "the name is unknown", /the system's DNS/],
      [new errors.TimeoutError(), {}, "nothing answers in time", START],
      [coded("OTHER"), {}, "it ends the connection", START],
      [new Error("something else"), {}, "something else", START],
      [undefined, {}, "undefined", START],
    ] as const
  ) {
    const told = connectError(URL, options(details), error);
    assertEquals(told.message, `Cannot use NATS at "${URL}": ${why}`);
    assertMatch(told.advice, advice);
    assertEquals(told.cause, error);
  }
});

Deno.test("why the room's stream can't be had is said, with what to do about it", () => {
  const permission = new errors.PermissionViolationError(
    "Permissions Violation",
    "publish",
    "$JS.API.INFO",
  );
  const noReplicas = "it can't keep 3 copies (so it is)";
  const noPlace = "it has no place for the room's stream (so it is)";
  for (
    const [error, why, advice] of [
      [refused(10_039), "it has no JetStream", /with -js/],
      [refused(10_076), "it has no JetStream", /with -js/],
      [notEnabled, "it has no JetStream", /with -js/],
      [new JetStreamError("not enabled"), "it has no JetStream", /with -js/],
      [new JetStreamError("something"), "something", /^Look at/],
      [new Error("not enabled"), "not enabled", /^Look at/],
      [refused(10_005), noReplicas, /^Give --nats-replicas/],
      [refused(10_074), noReplicas, /^Give --nats-replicas/],
      ...[10_002, 10_023, 10_028, 10_047].map((code) =>
        [refused(code), noPlace, /^Raise max_file_store/] as const
      ),
      [permission, `it doesn't allow publish "$JS.API.INFO"`, /^Allow that/],
      [
        new errors.TimeoutError(),
        "its JetStream doesn't answer in time",
        /most of its servers/,
      ],
      [refused(1, "an odd one"), "an odd one", /^Look at nats-server's log/],
      ["a text", "a text", /^Look at/],
    ] as const
  ) {
    const wrapped = new errors.RequestError("asked", { cause: error });
    for (const given of [error, wrapped]) {
      const told = streamError(URL, options(), given);
      const start = `Cannot keep the room in NATS at "${URL}": `;
      assertEquals(told.message, `${start}${why}`);
      assertMatch(told.advice, advice);
      assertEquals(told.cause, error);
    }
  }
  const bare = streamError(URL, options(), new errors.RequestError("asked"));
  assertMatch(bare.message, /: asked$/);
});

Deno.test("NATS that only starts is told from one that refuses", () => {
  const unheard = new errors.NoRespondersError("x");
  const wrap = (cause: unknown) => new Error("wrapped", { cause });
  for (
    const [error, is] of [
      [refused(10_005), true],
      [refused(10_008), true],
      [refused(10_039), false],
      [new StreamError("lost"), true],
      [new errors.TimeoutError(), true],
      [unheard, true],
      [wrap(wrap(unheard)), true],
      [wrap(new Error("other")), false],
      [new Error("other"), false],
      [undefined, false],
      [{ cause: unheard }, false],
    ] as const
  ) assertEquals(isNotReady(error), is, String(error));
});

Deno.test("a stream was refused for its size where JetStream says that there is no place", () => {
  for (const code of [10_002, 10_023, 10_028, 10_047]) {
    assertEquals(isStorageRefused(refused(code)), true);
  }
  assertEquals(isStorageRefused(refused(10_005)), false);
  assertEquals(isStorageRefused({ code: 10_002 }), false);
});
