/**
 * The load process: takes a job from its first argument, does it, and writes what it has to say and what it found to
 * stdout, a line of JSON each.
 *
 * @module
 */

import { messageOf } from "../../src/base/error_reason.ts";
import { TextLineStream } from "../../src/base/std_streams.ts";
import { print } from "../../src/base/output.ts";
import { Crowd } from "./crowd.ts";
import type { Dialogue, Job, Word } from "./job.ts";
import { Measurement } from "./measure.ts";
import { measureReturn } from "./return.ts";
import { PeerCrowd } from "../peers/crowd.ts";
import { flood } from "../strangers/flood.ts";

/** Does a job. @returns What it found. */
async function work(job: Job, dialogue: Dialogue): Promise<unknown> {
  switch (job.kind) {
    case "room": {
      const { place } = job;
      const audience = "port" in place
        ? new PeerCrowd(place.kind, place.port)
        : await Crowd.at(place);
      return await new Measurement(audience, job).run();
    }
    case "return":
      return await measureReturn(await Crowd.at(job.place), job, dialogue);
    default:
      return await flood(job, dialogue);
  }
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
  try {
    const findings = await work(JSON.parse(Deno.args[0] ?? ""), dialogue);
    dialogue.tell({ kind: "over", findings });
  } catch (error) {
    dialogue.tell({ kind: "failed", why: messageOf(error) });
  }
  Deno.exit(0); // all connections end with it
}
