/**
 * The measurements: what is done with an audience, and between which two looks at the clock.
 *
 * @module
 */

import type { Audience, Voice } from "./audience.ts";
import { pause } from "../../src/base/timing.ts";
import { median } from "./figures.ts";
import { type Findings, type Flow, type RoomJob, TALKERS } from "./job.ts";
import { ownCpu, type Usage, usageOf } from "./usage.ts";

/** Messages that the sender of a saturated room has out. */
const WINDOW = 256;

/**
 * How long nobody speaks before a lone message, ms. A server that has just been busy is up to twice as fast as one that
 * rested, and the checking of our members' records lets it rest, where nothing of other servers' is to be checked.
 */
const LONE_PAUSE = 5;

/** Processor time so far, seconds. */
interface Times {
  readonly at: number;
  readonly server: number;
  readonly nats: number;
  readonly load: number;
}

/** How long a message takes until all members have it, ms. */
export async function loneMessage(
  crowd: Audience,
  speaker: Voice,
): Promise<number> {
  await pause(LONE_PAUSE);
  const send = await speaker.prepare();
  const all = crowd.received + crowd.size;
  crowd.holding = true;
  const start = performance.now();
  send();
  await crowd.until(() => crowd.received >= all, true);
  const time = performance.now() - start;
  await crowd.check();
  return time;
}

/** What is measured when. */
export class Measurement {
  readonly #crowd: Audience;
  readonly #job: RoomJob;

  /** Measures with an audience that nobody has joined yet. */
  constructor(crowd: Audience, job: RoomJob) {
    this.#crowd = crowd;
    this.#job = job;
  }

  /** Everything, in the order of its own table. */
  async run(): Promise<Findings> {
    const joining = await this.#join();
    const speaker = await this.#crowd.admitSpeaker();
    const { saturates } = this.#job;
    const saturated = saturates ? await this.#flows([speaker], WINDOW) : [];
    const lone = await this.#lone(speaker); // by now the server's code is as fast as it gets
    const talkers = saturates ? this.#crowd.talkers(TALKERS) : [];
    return {
      members: this.#crowd.size,
      values: { ...joining, ...lone },
      saturated,
      hundredTalkers: talkers.length > 0 ? await this.#flows(talkers, 1) : [],
    };
  }

  async #times(): Promise<Times> {
    const { natsPid } = this.#job;
    const { cpu: server } = await this.#servers();
    const nats = natsPid === undefined ? 0 : (await usageOf(natsPid)).cpu;
    return { at: performance.now(), server, nats, load: ownCpu() };
  }

  /** What all servers together have used. */
  async #servers(): Promise<Usage> {
    const all = await Promise.all(this.#job.pids.map(usageOf));
    return {
      cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
      memory: all.reduce((sum, { memory }) => sum + memory, 0),
    };
  }

  async #memory(): Promise<number> {
    await this.#pause(this.#job.settleTime);
    return (await this.#servers()).memory;
  }

  /** Lets time pass, with the crowd awake. */
  async #pause(time: number): Promise<void> {
    const end = performance.now() + time;
    await this.#crowd.until(() => performance.now() >= end);
  }

  async #join() {
    const { members, warmupMembers } = this.#job;
    const { memory: empty } = await this.#servers();
    await this.#crowd.admit(1); // alone, so that it receives every record that there is
    await this.#crowd.prepare(warmupMembers - 1);
    await this.#crowd.admit(warmupMembers - 1);
    const few = await this.#memory();
    const count = members - warmupMembers;
    await this.#crowd.prepare(count);
    const before = await this.#times();
    await this.#crowd.admit(count);
    // The last byte that anybody received, rather than the moment at which we knew that it was the last.
    const seconds = (this.#crowd.network.lastArrival - before.at) / 1_000;
    const after = await this.#times();
    const all = await this.#memory();
    return {
      joinsPerSecond: count / seconds,
      joinServerCpu: (after.server - before.server) / seconds,
      joinNatsCpu: (after.nats - before.nats) / seconds,
      joinLoadCpu: (after.load - before.load) / seconds,
      kibPerMember: (all - few) / count / 1_024,
      kibPerMemberFromEmpty: (all - empty) / members / 1_024,
    };
  }

  async #lone(speaker: Voice) {
    const { loneMessages, loneWarmup } = this.#job;
    for (let at = 0; at < loneWarmup; at++) {
      await loneMessage(this.#crowd, speaker);
    }
    const times: number[] = [];
    const before = await this.#times();
    for (let at = 0; at < loneMessages; at++) {
      times.push(await loneMessage(this.#crowd, speaker));
    }
    const { server, nats } = await this.#times();
    return {
      loneMs: median(times),
      loneServerMs: (server - before.server) * 1_000 / loneMessages,
      loneNatsMs: (nats - before.nats) * 1_000 / loneMessages,
    };
  }

  /** Lets members talk, each with so many messages out, which go out again as they come back. */
  async #flows(
    speakers: readonly Voice[],
    window: number,
  ): Promise<Flow[]> {
    const crowd = this.#crowd;
    let talking = true;
    let out = 0;
    const say = (speaker: Voice, count: number) => {
      out += count;
      crowd.track(speaker.say(count));
    };
    for (const speaker of speakers) {
      speaker.onBack = (count) => {
        out -= count;
        if (talking) say(speaker, count);
      };
      say(speaker, window);
    }
    await this.#pause(this.#job.warmupTime);
    const flows: Flow[] = [];
    for (let at = 0; at < this.#job.windows; at++) {
      flows.push(await this.#flow());
    }
    talking = false;
    await crowd.until(() => out === 0);
    await crowd.settle();
    return flows;
  }

  async #flow(): Promise<Flow> {
    const crowd = this.#crowd;
    const before = await this.#times();
    const from = crowd.tally();
    await this.#pause(this.#job.windowTime);
    const to = crowd.tally();
    const seconds = (performance.now() - before.at) / 1_000;
    const after = await this.#times();
    const deliveries = await to() - await from();
    const server = after.server - before.server;
    return {
      deliveriesPerSecond: deliveries / seconds,
      serverUsPerDelivery: server * 1e6 / deliveries,
      serverCpu: server / seconds,
      natsCpu: (after.nats - before.nats) / seconds,
      loadCpu: (after.load - before.load) / seconds,
    };
  }
}
