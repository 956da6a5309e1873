/**
 * The protocol, for clients and tools of other makers: the handshake, records, events and lines, as `docs/protocol.md`
 * describes them.
 *
 * @module
 */

export * from "./channel.ts";
export * from "./handshake.ts";
export * from "./hello.ts";
export * from "./events.ts";
export * from "./records.ts";
export * from "./record_reader.ts";
export * from "./reasons.ts";
export * from "./names.ts";
export * from "./told_line.ts";
export {
  isAbout,
  isChange,
  isSent,
  isSpoken,
  type Line,
  type LineKind,
  type LogEntry,
  parseSentence,
  sentence,
} from "./line.ts";
