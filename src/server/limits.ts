/**
 * The limits of a server, from its flags.
 *
 * @module
 */

import { UsageError } from "../base/usage_error.ts";
import { type Keep, PARTS } from "../log/due_files.ts";
import type { Values } from "./flags.ts";
import type { HandshakeLimits } from "./handshake_limits.ts";
import type { Rates } from "./rate_limits.ts";

/** The unit of the ring's size, and of files', bytes. */
const MEBIBYTE = 1_048_576;
/** The unit of `--log-size`, bytes. */
const MEGABYTE = 1_000_000;
/** Connections beyond the members: handshakes, and those who still look for a name. */
const SPARE_CONNECTIONS = 512;
/** Default connections from one address: a household, or an office. */
const MAX_PER_ADDRESS = 64;
/** Default handshakes from one address in ten minutes: that office after a few restarts. */
const NEW_PER_ADDRESS = 256;
/**
 * How long after an admission the next ones are gathered, so that all are announced at once, ms: at least, for
 * each member who must be told, and at most. To tell one takes about 10 µs, so that a twentieth of the time goes
 * into it, and more in a room of over 2,500.
 */
const ADMISSION_PAUSE = 20;
const ADMISSION_PAUSE_PER_MEMBER = 0.2;
const MAX_ADMISSION_PAUSE = 500;

/** All limits of a server. A network is an IPv4 address, or the 64 bits that IPv6 gives everybody. */
export interface Limits {
  /** Members at a time. */
  readonly maxMembers: number;
  /** Past messages that a newcomer is shown. */
  readonly history: number;
  /** The ring's size: how far behind a slow member may be, bytes. */
  readonly ringSize: number;
  /** The size beyond which another log begins, bytes; 0 for never. */
  readonly logSize: number;
  /** How much of the log is kept; undefined: nine old files. */
  readonly keep: Keep | undefined;
  /** The largest file that is passed on, bytes. */
  readonly maxFileSize: number;
  /** Files that are passed on at a time. */
  readonly maxTransfers: number;
  /** Connections at a time, finished handshakes or not; more wait in the kernel's queue. */
  readonly maxConnections: number;
  /** Connections at a time from one network. */
  readonly maxPerNetwork: number;
  /** The same for this machine itself, behind which a proxy may have many. */
  readonly maxFromLoopback: number;
  /** Unfinished handshakes. */
  readonly handshakes: HandshakeLimits;
  /** A handshake whose peer's message is waited for this long, ms, is ended soon, however its bytes trickle in. */
  readonly handshakeTime: number;
  /** What each member may say. */
  readonly rates: Rates;
}

/** The units of `--keep`, ms or bytes. */
const AGES = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
} as const;
const SIZES = { MB: MEGABYTE, GB: 1_000 * MEGABYTE } as const;

/** How much of the log is kept, by `--keep`. @throws {UsageError} for what is neither an age nor a size. */
function keptBy({ keep, archive }: Values): Keep | undefined {
  if (keep === undefined) {
    if (archive === undefined) return undefined;
    throw new UsageError("--archive needs --keep, which is missing");
  }
  const [, digits = "", unit = ""] = /^(\d{1,6})([mhdw]|[MG]B)$/.exec(keep) ??
    [];
  const count = Number(digits);
  if (count === 0) {
    throw new UsageError(
      `Cannot use --keep ${
        JSON.stringify(keep)
      }: it is an age like 12h, 30d or 52w, or a size like 500MB or 1GB`,
    );
  }
  if (unit in SIZES) return { size: count * SIZES[unit as keyof typeof SIZES] };
  return { age: count * AGES[unit as keyof typeof AGES] };
}

/** The size beyond which another log begins, bytes; 0 for never. @param size By `--log-size`, the same. */
function logSize(size: number, keep: Keep | undefined): number {
  if (!keep || !("size" in keep)) return size;
  return Math.min(size || Infinity, keep.size / PARTS);
}

/** The limits that flags ask for. */
export function limitsOf(values: Values): Limits {
  const keep = keptBy(values);
  const maxConnections = values["max-connections"] ??
    values["max-clients"] + SPARE_CONNECTIONS;
  return {
    maxMembers: values["max-clients"],
    history: values.history,
    ringSize: values["ring-size"] * MEBIBYTE,
    logSize: logSize(values["log-size"] * MEGABYTE, keep),
    keep,
    maxFileSize: values["max-file"] * MEBIBYTE,
    maxTransfers: values["max-transfers"],
    maxConnections,
    maxPerNetwork: values["max-per-address"] ?? MAX_PER_ADDRESS,
    maxFromLoopback: values["max-per-address"] ?? Infinity,
    handshakes: {
      max: values["max-handshakes"],
      maxPerNetwork: values["max-handshakes-per-address"],
      newPerNetwork: values["new-per-address"] ?? NEW_PER_ADDRESS,
      countLoopback: values["new-per-address"] !== undefined,
      failedPerNetwork: values["failed-per-address"],
    },
    handshakeTime: values["handshake-time"] * 1_000,
    rates: {
      burst: values.burst,
      perSecond: values.rate,
      bytesPerMessage: values["bytes-per-message"],
    },
  };
}

/** How long after an admission the next ones are gathered, ms. @param members How many are in the room. */
export function admissionPause(members: number): number {
  return Math.min(
    Math.max(ADMISSION_PAUSE, members * ADMISSION_PAUSE_PER_MEMBER),
    MAX_ADMISSION_PAUSE,
  );
}
