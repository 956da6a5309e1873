/**
 * The load process: takes a job from its first argument, does it, and writes what it has to say and what it found to
 * stdout, a line of JSON each.
 *
 * @module
 */

import { TextLineStream } from "../../src/base/std.ts";
import { parseInvite } from "../../src/keys/invite.ts";
import { print } from "../../src/base/output.ts";
import type { Audience } from "./audience.ts";
import { Crowd } from "./crowd.ts";
import type { Dialogue, Job, ReturnJob, RoomJob, Word } from "./job.ts";
import { Measurement } from "./measure.ts";
import { measureReturn } from "./return.ts";
import { SealedCrowd } from "./sealed_crowd.ts";
import { PeerCrowd } from "../peers/crowd.ts";
import { flood } from "../strangers/flood.ts";

async function audience(
  { place, joinsAtOnce }: RoomJob | ReturnJob,
): Promise<Audience> {
  if (!("invite" in place)) return new PeerCrowd(place.kind, place.port);
  const sealed = place.kind === "sealed"
    ? await SealedCrowd.create()
    : undefined;
  const { invite, webPort } = place;
  return await Crowd.create(parseInvite(invite), joinsAtOnce, sealed, webPort);
}

/** Does a job. @returns What it found. */
async function work(job: Job, dialogue: Dialogue): Promise<unknown> {
  if (job.kind !== "room" && job.kind !== "return") {
    return await flood(job, dialogue);
  }
  const crowd = await audience(job);
  const findings = job.kind === "room"
    ? await new Measurement(crowd, job).run()
    : crowd instanceof Crowd
    ? await measureReturn(crowd, job, dialogue)
    : undefined;
  crowd.close();
  return findings;
}

/** What is said by stdin and stdout. */
class Stdio implements Dialogue {
  readonly #lines = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();

  tell(word: Word): void {
    print(`${JSON.stringify(word)}\n`);
  }

  async hear(): Promise<string | undefined> {
    return (await this.#lines.read()).value;
  }
}

if (import.meta.main) {
  const dialogue = new Stdio();
  const findings = await work(JSON.parse(Deno.args[0] ?? ""), dialogue);
  dialogue.tell({ kind: "over", findings });
  Deno.exit(0); // connections that the server hasn't closed yet would keep it
}
