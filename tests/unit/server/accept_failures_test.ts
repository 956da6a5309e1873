import { connect } from "node:net";
import { AcceptFailures, isGone } from "../../../src/server/accept_failures.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { ManualClock } from "../../kit/memory_stream.ts";
import { overhear } from "../../kit/overhear.ts";

Deno.test("isGone() knows a connection that was reset before it could be accepted, and no other failure", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const ended = Promise.withResolvers<void>();
  const socket = connect(port, "127.0.0.1", () => socket.resetAndDestroy());
  socket.on("close", () => ended.resolve());
  await ended.promise;
  const error = await assertRejects(() => listener.accept(), Error);
  assert(isGone(error), String(error));

  const waiting = assertRejects(() => listener.accept(), Error);
  listener.close();
  assert(!isGone(await waiting));
  assert(!isGone(new Deno.errors.NotCapable("too many open files")));
});

Deno.test("isGone() knows each way in which a connection ends before it is accepted", () => {
  const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
  for (const Kind of [NotConnected, ConnectionAborted, ConnectionReset]) {
    assert(isGone(new Kind("x")), Kind.name);
  }
  assert(!isGone(new Deno.errors.ConnectionRefused("x")));
});

Deno.test("AcceptFailures says once that nothing can be accepted, and once that it can again, a second after the last failure", async () => {
  using clock = new ManualClock();
  const full = new Error("too many open files");
  const failing =
    "warning gate: Cannot accept a connection: too many open files. Members stay, newcomers wait. If too many files are open, let the server have more (ulimit -n, LimitNOFILE)";
  const again = "info gate: Accepting connections again";
  const said = await overhear("info", async () => {
    using failures = new AcceptFailures();
    for (let time = 0; time < 5; time++) {
      let over = false;
      const added = failures.add(full).then(() => over = true);
      clock.advance(249);
      for (let turn = 0; turn < 9; turn++) await Promise.resolve();
      assertEquals(over, false);
      clock.advance(1);
      await added;
    }
    clock.advance(749);
    assertEquals(clock.pending, 1);
    clock.advance(1); // a second after the last
    assertEquals(clock.pending, 0);
    const added = failures.add(full);
    clock.advance(250);
    await added;
  });
  assertEquals(said, [failing, again, failing]);
  assertEquals(clock.pending, 0); // the end is no recovery
});

Deno.test("AcceptFailures goes on at once, and says nothing, where a connection had just ended", async () => {
  using clock = new ManualClock();
  const said = await overhear("debug", async () => {
    using failures = new AcceptFailures();
    await failures.add(new Deno.errors.ConnectionReset());
  });
  assertEquals([said, clock.pending], [[], 0]);
});
