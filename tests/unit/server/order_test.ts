import { HERE, type Item } from "../../../src/server/batch.ts";
import { OwnOrder } from "../../../src/server/order.ts";
import { assert, assertEquals } from "../../kit/assert.ts";

Deno.test("OwnOrder has happen what is proposed, once, at the time when it was", async () => {
  const order = new OwnOrder();
  const items: Item[] = [{ kind: "got", person: "x", id: 1 }];
  assertEquals([order.isFree, order.next()], [true, undefined]);
  const before = order.now();
  order.propose(items);
  assertEquals([order.isFree, order.hasNext], [false, false]);
  const next = order.next();
  assert(next && next.items === items && next.behind === undefined);
  assert(next.at >= before && next.at <= Date.now());
  assertEquals([order.isFree, order.next()], [true, undefined]);
  assertEquals([order.rejected(), order.server], [[], HERE]);
  assertEquals(
    [order.isUp, order.mayDecide, order.hasOthers, order.isShared],
    [true, true, false, false],
  );
  await order.caughtUp();
});
