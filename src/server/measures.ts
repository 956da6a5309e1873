/**
 * What the server counts of itself, as the parts that count see it.
 *
 * @module
 */

/** Something that only grows. */
export interface Count {
  /** Adds to it. Default: 1. @param label One of its labels, if it has any. */
  add(amount?: number, label?: string): void;
}

/** Something whose values are spread. */
export interface Distribution {
  /** Takes a value. */
  observe(value: number): void;
}

/** All that is counted. */
export interface Measures {
  /** Messages that were logged. */
  readonly messages: Count;
  /** Messages times the connections that they went to, of this server's. */
  readonly deliveries: Count;
  /** Bytes read after handshakes. */
  readonly receivedBytes: Count;
  /** Handshakes that didn't lead in, by reason. */
  readonly handshakesRefused: Count;
  /** Connections that ended after their handshake, by reason: keys of `GOODBYES`. */
  readonly departures: Count;
  /** Fresh epochs and ratchets, by which of the two. */
  readonly epochs: Count;
  /** Answers to requests of programs, by HTTP's status; a stream is answered when it begins. */
  readonly httpAnswers: Count;
  /** Events in a batch. */
  readonly batchSize: Distribution;
  /** The time of one write to the log, seconds. */
  readonly logWrite: Distribution;
}

/** What is counted where several servers share the room. */
export interface ClusterMeasures {
  /** Entries of the stream that were carried out. */
  readonly entries: Count;
  /** Entries that were not, by reason: a fault of `EntryError`, "repeated", or "void". */
  readonly skipped: Count;
  /** From proposing an entry until it comes out of the stream, seconds. */
  readonly proposing: Distribution;
}

const nowhere = { add() {}, observe() {} };

/** Counts nothing. */
export const UNMEASURED: Measures = {
  messages: nowhere,
  deliveries: nowhere,
  receivedBytes: nowhere,
  handshakesRefused: nowhere,
  departures: nowhere,
  epochs: nowhere,
  httpAnswers: nowhere,
  batchSize: nowhere,
  logWrite: nowhere,
};

/** Counts nothing of what servers share. */
export const UNMEASURED_CLUSTER: ClusterMeasures = {
  entries: nowhere,
  skipped: nowhere,
  proposing: nowhere,
};
