/**
 * Connections without a proxy.
 *
 * @module
 */

import { direct } from "../../../src/client/direct.ts";
import { assertRejects } from "../../kit/assert.ts";

Deno.test("direct() asks nobody for an address of Tor", async () => {
  for (
    const address of [
      "abc.onion:5000",
      "abc.ONION.:5000",
      "https://abc.onion",
      "http://abc.onion:8080",
    ]
  ) {
    await assertRejects(() => direct(address), Error, "through Tor alone");
  }
});
