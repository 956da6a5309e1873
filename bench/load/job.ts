/**
 * What the load process is told and what it answers, both as JSON.
 *
 * @module
 */

/** The size of every message, bytes. */
export const TEXT_SIZE = 100;
/** How many members talk at once. */
export const TALKERS = 100;
/** Joins under way at a time, of the hundreds that there are when a server has started again. */
export const JOINS_AT_ONCE = 200;

/** Servers that can be measured at the same job. */
export type PeerKind = "nats" | "irc";

/** A room on this machine. */
export interface ChatPlace {
  /** Whether it is open, or sealed and to be founded. */
  readonly kind: "chat" | "sealed";
  /** Its `chat://` link. */
  readonly invite: string;
  /** The port for those who come by WebSockets, if they do. */
  readonly webPort?: number | undefined;
}

/** A room on this machine, or another server's port. */
export type Place =
  | ChatPlace
  | { readonly kind: PeerKind; readonly port: number };

/** What a load process is to do. */
export type Job = RoomJob | ReturnJob | Flood;

/** What a load process says, one line each, before its findings. */
export type Word =
  /** Everybody is in. */
  | { readonly kind: "in" }
  /** The first stranger's connection stands. */
  | { readonly kind: "begun" }
  /** All strangers stand where they stop: at their connection, or at the server's answer to their first message. */
  | { readonly kind: "waiting" }
  /** The job is done. */
  | { readonly kind: "over"; readonly findings: unknown }
  /** It can't be done. */
  | { readonly kind: "failed"; readonly why: string };

/** What a load process and the one that started it say to each other meanwhile. */
export interface Dialogue {
  /** Tells it something. */
  tell(word: Word): void;
  /** The next line that it says; undefined when it has said its last. */
  hear(): Promise<string | undefined>;
}

/** How a room is measured, whichever it is. */
export interface Settings {
  /** Lone messages, and how many go before them uncounted. */
  readonly loneMessages: number;
  readonly loneWarmup: number;
  /** Stretches of time in which deliveries are counted, how long each is, and the one before them, ms. */
  readonly windows: number;
  readonly windowTime: number;
  readonly warmupTime: number;
  /** How long the server has to settle before its memory is read, ms. */
  readonly settleTime: number;
}

/** What to measure in a room. */
export interface RoomJob extends Settings {
  readonly kind: "room";
  readonly place: Place;
  /** Those who receive. */
  readonly members: number;
  /** The server's process, or those of all servers of the room, for processor time and memory. */
  readonly pids: readonly number[];
  /** The process of nats-server, where servers share the room by it. */
  readonly natsPid?: number | undefined;
  /** Whether to measure busy rooms, too. */
  readonly saturates: boolean;
  /** Members of them that join before the clock runs. */
  readonly warmupMembers: number;
}

/** Deliveries in one stretch of time. CPU is a share of one processor; the servers' of all of them together. */
export interface Flow {
  readonly deliveriesPerSecond: number;
  /** The servers' processor time for one delivery, microseconds. */
  readonly serverUsPerDelivery: number;
  readonly serverCpu: number;
  readonly natsCpu: number;
  readonly loadCpu: number;
}

/** What one load found once. */
export interface RoomValues {
  readonly joinsPerSecond: number;
  readonly joinServerCpu: number;
  readonly joinNatsCpu: number;
  readonly joinLoadCpu: number;
  /** Growth of the server's memory for each member that joined after the warm-up, and for each at all, KiB. */
  readonly kibPerMember: number;
  readonly kibPerMemberFromEmpty: number;
  /** From sending one message until all members have it, ms: the median. */
  readonly loneMs: number;
  /** The servers' processor time for one of them, ms, and nats-server's. */
  readonly loneServerMs: number;
  readonly loneNatsMs: number;
}

/** What one load found. */
export interface Findings {
  readonly members: number;
  readonly values: RoomValues;
  /** Empty where that wasn't to be measured. */
  readonly saturated: readonly Flow[];
  /** Empty also if there are fewer members than talkers. */
  readonly hundredTalkers: readonly Flow[];
}

/** Members whose server ends and is started again. */
export interface ReturnJob {
  readonly kind: "return";
  readonly place: ChatPlace;
  readonly members: number;
  /** Whether they wait before they come back, as clients do; else they come as soon as the server listens. */
  readonly pauses: boolean;
}

/** How long it took, from when the server says that it listens. */
export interface ReturnValues {
  /** Until the last byte that anybody is told of the return of all, ms. */
  readonly backMs: number;
  /** With the time in which a message then reaches all, ms. */
  readonly servedMs: number;
  /** Processor time of the new server until all are back, its start included, and of the load, ms. */
  readonly serverMs: number;
  readonly loadMs: number;
}

/** What came of a return. */
export interface ReturnFindings {
  readonly values: ReturnValues;
  /** How often a connection was refused or dropped, by the reason. */
  readonly troubles: Readonly<Record<string, number>>;
}

/** What strangers are to do. */
export interface Flood {
  /**
   * "leave" closes at once, "wait" says nothing, "garbage" says what is no handshake, "hello" begins a handshake and
   * goes no further, "bad" ends it with bytes that open nothing, and "wrong-key" with a key that opens nothing.
   */
  readonly kind: "leave" | "wait" | "garbage" | "hello" | "bad" | "wrong-key";
  /** The server's. */
  readonly port: number;
  /** Connections at a time. */
  readonly atOnce: number;
  /** Connections in all; 0 for as many as there are until the end. */
  readonly total: number;
  /** Addresses that they come from, 127.0.1.1 and so on. */
  readonly addresses: number;
}
