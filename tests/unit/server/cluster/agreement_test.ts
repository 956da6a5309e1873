/**
 * Whether two servers have the same lines: what each of them is told, also where a log is counted late.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { Agreement } from "../../../../src/server/cluster/agreement.ts";
import type { Message } from "../../../../src/server/cluster/siblings.ts";
import { assert, assertEquals, assertMatch } from "../../../kit/assert.ts";
import { cryptoIdle } from "../../../kit/crypto_idle.ts";
import { DrivenClock } from "../../../kit/driven_clock.ts";
import { said } from "../../../kit/log_kit.ts";
import {
  type SharedServer,
  SharedServers,
} from "../../../kit/shared_servers.ts";
import { until } from "../../../kit/turns.ts";

/** A server that compares its log with others'. */
class Comparing implements Disposable {
  readonly agreement: Agreement;
  /** What its owner was told. */
  readonly notes: string[] = [];
  /** Resolves with why it can't be in the room. */
  readonly differs: Promise<unknown>;

  constructor(readonly server: SharedServer) {
    const { log, siblings } = server.has;
    const note = (sentence: string) => void this.notes.push(sentence);
    this.agreement = new Agreement({ log, siblings, note });
    this.differs = new Promise((resolve) => {
      this.agreement.differs = resolve;
    });
  }

  /** What it says of its log. */
  async end() {
    await new Promise<void>((resolve) => {
      if (this.agreement.end(resolve)) resolve();
    });
    const end = this.agreement.end(() => {});
    assert(end);
    return end;
  }

  [Symbol.dispose](): void {
    this.agreement[Symbol.dispose]();
  }
}

/** Two servers with logs of some texts. */
async function compare(
  [one, other]: readonly [readonly string[], readonly string[]],
  test: (there: Comparing, comes: Comparing) => Promise<void>,
): Promise<void> {
  await using room = await SharedServers.make();
  const [a, b] = [await room.start("a"), await room.start("b")];
  await a.has.log.append(one.map((text, at) => said(at, text)));
  await b.has.log.append(other.map((text, at) => said(at, text)));
  using there = new Comparing(a);
  using comes = new Comparing(b);
  await test(there, comes);
}

const COMES = { id: "b", address: "b.example:5000" };

Deno.test("a server with the same lines is let in when another has looked", async () => {
  await compare([["1", "2", "3"], ["1", "2"]], async (there, comes) => {
    const end = await comes.end();
    assertEquals(end.head, 2);
    const settled = comes.agreement.settled(true);
    await there.agreement.judge(COMES, end);
    await settled;
    assertEquals(there.notes, []);
  });
});

Deno.test("a server with other lines is told the first of them, and the other one's owner which server that is", async () => {
  await compare([["1", "2", "3"], ["1", "x", "3"]], async (there, comes) => {
    await there.agreement.judge(COMES, await comes.end());
    const error = await comes.differs;
    assert(error instanceof AdvisedError);
    assertMatch(error.message, /event 2 of the log here isn't the one/);
    assertEquals(there.notes, [
      "The log of the server at b.example:5000 has other lines than the one here, in event 3 or before: that server is to stop",
    ]);
  });
});

Deno.test("a server whose log is counted late comes without waiting, and is told later", async () => {
  await compare([["1", "2"], ["x", "2"]], async (there, comes) => {
    const answers = [false, false, true];
    comes.server.has.log.chainChecked = () =>
      Promise.resolve(answers.shift() ?? true);
    assertEquals(await comes.end(), {});
    await comes.agreement.settled(true);
    const error = await comes.differs;
    assert(error instanceof AdvisedError);
    assertMatch(error.message, /event 1 of the log here isn't the one/);
    assertEquals(there.notes, [
      "The log of the server has other lines than the one here, in event 2 or before: that server is to stop",
    ]);
  });
});

/** How often a server was told what comes of its log. */
function verdicts({ server }: Comparing): number {
  const { sent } = server.has.siblings.company;
  return sent.filter(({ topic }) => topic === "verdict").length;
}

/** Lets a log's counting go on for some more looks. */
function countLong({ server: { has } }: Comparing, looks = Infinity): void {
  has.log.chainChecked = () => Promise.resolve(looks-- <= 0);
}

Deno.test("a server's log is counted once, and whoever asked is told when it is", async () => {
  await compare([[], ["1"]], async (_, { agreement, server }) => {
    let looks = 0;
    const { log } = server.has;
    const look = log.chainChecked.bind(log);
    log.chainChecked = () => (looks++, look());
    const counted = Promise.withResolvers<void>();
    const never = () => assert(false, "it was asked for before");
    assertEquals(agreement.end(counted.resolve), undefined);
    assertEquals(agreement.end(never), undefined);
    await counted.promise;
    const end = agreement.end(never);
    assertEquals(end, { head: 1, chain: await server.value() });
    assertEquals(looks, 1);
  });
});

Deno.test("a server waits for a verdict for a second, and for none where there are no others, or where one has come", () =>
  DrivenClock.with(async (clock) => {
    await compare([["1"], ["1"]], async (there, comes) => {
      const end = await comes.end();
      await comes.agreement.settled(false);
      await comes.end();
      await there.agreement.judge(COMES, end);
      await comes.agreement.settled(true);
      assertEquals(clock.now, 0);
      await comes.end();
      const waiting = comes.agreement.settled(true);
      await there.agreement.judge(COMES, end);
      await waiting;
      assertEquals(clock.now, 0);
      await comes.end();
      await clock.until(comes.agreement.settled(true));
      assertEquals(clock.now, 1_000);
      await comes.end();
      const settled = comes.agreement.settled(true);
      comes[Symbol.dispose]();
      await settled;
      assertEquals(clock.now, 1_000);
    });
  }));

Deno.test("a verdict is told five times at most, until it is noted, and not by a server that ends", async () => {
  await compare([["1"], ["1"]], async (there, comes) => {
    const end = await comes.end();
    const { siblings } = there.server.has;
    const ask = siblings.ask.bind(siblings);
    siblings.ask = (topic, message, options) => {
      assertEquals(options.to, "b");
      assert(verdicts(comes) < 20, "there is no end to it");
      return ask(topic, message, options);
    };
    await there.agreement.judge(COMES, end);
    assertEquals(verdicts(comes), 1);
    comes.server.has.siblings.isSilent = true;
    await there.agreement.judge(COMES, end);
    assertEquals(verdicts(comes), 6);
    there[Symbol.dispose]();
    await there.agreement.judge(COMES, end);
    assertEquals(verdicts(comes), 6);
  });
});

Deno.test("what can't be told of a log isn't held against it, and of what isn't said nothing is told", async () => {
  await compare([["1"], ["x", "2"]], async (there, comes) => {
    const end = await comes.end(); // there is no event 2 at the other one
    await there.agreement.judge(COMES, end);
    assertEquals([there.notes, verdicts(comes)], [[], 1]);
    await there.agreement.judge(COMES, { head: 1 });
    await there.agreement.judge(COMES, { chain: "x" });
    const { siblings } = comes.server.has;
    const wrong = [["1", "x"], [-1, "x"], [1, 5]];
    for (const [head, chain] of wrong) {
      siblings.tell("log-end", { head, chain });
    }
    await cryptoIdle();
    assertEquals([there.notes, verdicts(comes)], [[], 1]);
  });
});

Deno.test("a log that differs is looked at line by line, and only a real difference stops its server", async () => {
  await compare([["1", "2"], ["1", "2"]], async (there, comes) => {
    let why: unknown;
    comes.agreement.differs = (error) => why = error;
    const { siblings } = there.server.has;
    const options = { time: 1, to: "b" };
    const tell = (message: Message) =>
      siblings.ask("verdict", message, options);
    const noted = { from: "b", message: {} };
    assertEquals(await tell({ head: 2, agrees: false }), noted);
    assertEquals(await tell({ head: "2", agrees: false }), noted);
    siblings.isSilent = true; // where it could look
    assertEquals(await tell({ head: 2, agrees: false }), undefined);
    assertEquals(await tell({ head: 2, agrees: true }), noted);
    assertEquals(why, undefined);
  });
});

Deno.test("a server whose log is counted late says so to the others then, unless it has ended", async () => {
  const told = ({ server }: Comparing) =>
    server.has.siblings.company.sent.filter(({ topic }) => topic === "log-end");
  await compare([["1"], ["1"]], async (there, comes) => {
    countLong(comes);
    assertEquals(await comes.end(), {});
    countLong(comes, 3);
    await comes.agreement.settled(true);
    await until(() => verdicts(comes) > 0);
    assertEquals([told(comes).length, verdicts(comes)], [1, 1]);
    assertEquals(there.notes, []);
    countLong(comes);
    assertEquals(await comes.end(), {});
    await comes.agreement.settled(true);
    comes[Symbol.dispose]();
    for (let time = 0; time < 5; time++) await cryptoIdle();
    assertEquals(told(comes).length, 1);
  });
  await compare([[], ["1"]], async (_, comes) => {
    const { log } = comes.server.has;
    log.chainAt = () => Promise.resolve(undefined);
    await comes.agreement.settled(true); // which has said nothing
    for (let time = 0; time < 5; time++) await cryptoIdle();
    assertEquals(told(comes), []);
  });
});

Deno.test("a server looks at another's log once its own is counted, after 120 looks all the same, and looks no more once it has ended", async () => {
  await compare([["1"], ["1"]], async (there, comes) => {
    const end = await comes.end();
    const looks = async (needed: number) => {
      let count = 0;
      there.server.has.log.chainChecked = () => {
        assert(++count < 200, "there is no end to it");
        return Promise.resolve(count >= needed);
      };
      await there.agreement.judge(COMES, end);
      return count;
    };
    assertEquals([await looks(1), await looks(4)], [1, 4]);
    assertEquals(await looks(Infinity), 120);
    there[Symbol.dispose]();
    assertEquals(await looks(Infinity), 0);
  });
});

Deno.test("an owner is told of other lines of a server whose address isn't known", async () => {
  await compare([["1"], ["x"]], async (there, comes) => {
    await there.agreement.judge({ id: "b", address: "" }, await comes.end());
    assertMatch(there.notes[0] ?? "", /^The log of the server has other lines/);
  });
});
