import { connect } from "node:net";
import { isGone } from "../../../src/server/accept_failures.ts";
import { assert, assertRejects } from "../../kit/assert.ts";

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
