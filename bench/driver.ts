/**
 * The load process: takes a job from its first argument, does it, and writes what it found to stdout. Knows
 * the server by its link and its process number only.
 *
 * @module
 */

import { parseInvite } from "../src/invite.ts";
import { write } from "../src/program.ts";
import { Crowd } from "./crowd.ts";
import type { Job } from "./job.ts";
import { Measurement } from "./measure.ts";

if (import.meta.main) {
  const job: Job = JSON.parse(Deno.args[0] ?? "");
  const crowd = await Crowd.create(parseInvite(job.invite));
  const findings = await new Measurement(crowd, job).run();
  crowd.close();
  write(`${JSON.stringify(findings)}\n`);
  Deno.exit(0); // connections that the server hasn't closed yet would keep it
}
