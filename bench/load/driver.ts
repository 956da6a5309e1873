/**
 * The load process: takes a job from its first argument, does it, and writes what it found to stdout.
 *
 * @module
 */

import { parseInvite } from "../../src/keys/invite.ts";
import { print } from "../../src/base/output.ts";
import type { Audience } from "./audience.ts";
import { Crowd } from "./crowd.ts";
import type { Job } from "./job.ts";
import { Measurement } from "./measure.ts";
import { SealedCrowd } from "./sealed_crowd.ts";
import { PeerCrowd } from "../peers/crowd.ts";

async function audience({ place, joinsAtOnce }: Job): Promise<Audience> {
  if (!("invite" in place)) return new PeerCrowd(place.kind, place.port);
  const sealed = place.kind === "sealed"
    ? await SealedCrowd.create()
    : undefined;
  const { invite, webPort } = place;
  return await Crowd.create(parseInvite(invite), joinsAtOnce, sealed, webPort);
}

if (import.meta.main) {
  const job: Job = JSON.parse(Deno.args[0] ?? "");
  const crowd = await audience(job);
  const findings = await new Measurement(crowd, job).run();
  crowd.close();
  print(`${JSON.stringify(findings)}\n`);
  Deno.exit(0); // connections that the server hasn't closed yet would keep it
}
