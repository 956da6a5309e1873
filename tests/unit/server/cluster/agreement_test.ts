/**
 * Whether two servers have the same lines: what each of them is told, also where a log is counted late.
 *
 * @module
 */

import { AdvisedError } from "../../../../src/base/advised_error.ts";
import { Agreement } from "../../../../src/server/cluster/agreement.ts";
import { assert, assertEquals, assertMatch } from "../../../kit/assert.ts";
import { said } from "../../../kit/log_kit.ts";
import {
  type SharedServer,
  SharedServers,
} from "../../../kit/shared_servers.ts";

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
    Object.defineProperty(comes.server.has.log, "chainChecked", {
      value: () => Promise.resolve(answers.shift() ?? true),
    });
    assertEquals(await comes.end(), {});
    await comes.agreement.settled(true);
    const error = await comes.differs;
    assert(error instanceof AdvisedError);
    assertMatch(error.message, /event 1 of the log here isn't the one/);
    assertEquals(there.notes.length, 1);
  });
});
