/**
 * Accounts of NATS for tests: an operator, one account with JetStream, and a user of it with a credentials file, as
 * NATS's tool nsc makes them (JWTs that are signed by NKeys).
 *
 * @module
 */

import { nkeys } from "@nats-io/transport-node";

type KeyPair = ReturnType<typeof nkeys.createUser>;

const encoder = new TextEncoder();
const NO_LIMITS = {
  ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1 },
  ...{ wildcards: true, conn: -1, leaf: -1 },
};

/** An account, and what NATS must be told so that it knows it. */
export class NatsAccount {
  readonly #operator = nkeys.createOperator();
  readonly #system = nkeys.createAccount();
  readonly #account = nkeys.createAccount();

  /** For `nats.conf`. */
  get config(): string {
    const [operator, system, account] = [
      this.#operator,
      this.#system,
      this.#account,
    ];
    const storage = ["mem_storage", "disk_storage", "streams", "consumer"];
    const limits = {
      ...NO_LIMITS,
      ...Object.fromEntries(storage.map((what) => [what, -1])),
    };
    const jwtOf = (pair: KeyPair, what: object) => jwt(operator, pair, what);
    const own = jwtOf(operator, { type: "operator" });
    const id = system.getPublicKey();
    return [
      `operator: ${own}`,
      `system_account: ${id}`,
      "resolver: MEMORY",
      "resolver_preload: {",
      `${id}: ${jwtOf(system, { type: "account", limits: NO_LIMITS })}`,
      `${account.getPublicKey()}: ${
        jwtOf(account, { type: "account", limits })
      }`,
      "}",
    ].join("\n");
  }

  /** The credentials file of a new user. */
  credentials(): string {
    const user = nkeys.createUser();
    const all = { type: "user", pub: {}, sub: {} };
    const token = jwt(this.#account, user, {
      ...all,
      ...{ subs: -1, data: -1, payload: -1 },
    });
    const seed = new TextDecoder().decode(user.getSeed());
    return block("NATS USER JWT", token) + block("USER NKEY SEED", seed);
  }
}

function jwt(issuer: KeyPair, subject: KeyPair, what: object): string {
  const part = (value: Uint8Array) =>
    value.toBase64({ alphabet: "base64url", omitPadding: true });
  const json = (value: object) => part(encoder.encode(JSON.stringify(value)));
  const signed = [
    json({ typ: "JWT", alg: "ed25519-nkey" }),
    json({
      jti: crypto.randomUUID(),
      iat: 1_700_000_000,
      iss: issuer.getPublicKey(),
      sub: subject.getPublicKey(),
      name: "test",
      nats: { ...what, version: 2 },
    }),
  ].join(".");
  return `${signed}.${part(issuer.sign(encoder.encode(signed)))}`;
}

function block(label: string, text: string): string {
  return `-----BEGIN ${label}-----\n${text}\n------END ${label}------\n\n`;
}
