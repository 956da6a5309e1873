/**
 * Every target, with a conversation recorded for those that need one. The one place that knows them all.
 *
 * @module
 */

import { concat } from "../../../crypto_utils.ts";
import { entries, items } from "./cluster_targets.ts";
import { identity, keyFile } from "./file_targets.ts";
import { hostileMember } from "./member_target.ts";
import {
  proxyHeaders,
  socksReplies,
  tokenFiles,
  tunnelledFrames,
} from "./proxy_targets.ts";
import {
  controlLines,
  sealedLines,
  sealedPieces,
  sealedWords,
  wraps,
} from "./sealed_targets.ts";
import type { Target } from "./target.ts";
import {
  address,
  codes,
  escapes,
  flags,
  invite,
  logLines,
  names,
  offers,
  pipes,
  terminal,
} from "./text_targets.ts";
import { browserFrames, programRequests, requestHeads } from "./web_targets.ts";
import {
  broadcasts,
  clientHandshake,
  direct,
  events,
  freshKeys,
  liveHandshake,
  recordConversation,
  records,
  serverHandshake,
} from "./wire_targets.ts";

/** All targets. @param folder Makes the folder where a log may be, for those that need one. */
export async function allTargets(
  folder: () => Promise<string>,
): Promise<Target[]> {
  const keys = await freshKeys();
  const recording = await recordConversation(keys);
  const { up, down } = recording;
  return [
    records([
      ...up.slice(0, 6),
      ...down.slice(0, 6),
      concat(...up.slice(2, 6)),
    ]),
    events(),
    serverHandshake(keys, recording),
    clientHandshake(keys, recording),
    liveHandshake(keys),
    await direct(keys),
    broadcasts(keys),
    requestHeads(),
    programRequests(),
    browserFrames(),
    tunnelledFrames(),
    socksReplies(),
    proxyHeaders(),
    tokenFiles(),
    hostileMember(keys, folder),
    escapes(),
    names(),
    offers(),
    invite(),
    address(),
    codes(),
    logLines(),
    flags(),
    pipes(),
    terminal(),
    keyFile(),
    identity(),
    await controlLines(),
    await sealedLines(),
    await sealedPieces(),
    await sealedWords(),
    await wraps(),
    await entries(),
    items(),
  ];
}
