/**
 * Tests of `src/keys/bytes_field.ts`.
 *
 * @module
 */

import { FileError } from "../../../src/base/private_file.ts";
import { bytesField } from "../../../src/keys/bytes_field.ts";
import { assertEquals, assertThrows } from "../../kit/assert.ts";

Deno.test("bytesField() takes base64url of the right size and nothing else", () => {
  const field = (key: unknown) => bytesField("f", { key }, "key", 3);
  assertEquals(field("AQID"), new Uint8Array([1, 2, 3]));
  for (
    const bad of ["", "AQI", "AQIDBA", "AQ+/", "AQ!D", 123, null, ["AQID"]]
  ) {
    const error = assertThrows(() => field(bad), FileError);
    assertEquals(
      error.message,
      'Cannot use "f": it is damaged (key is not 3 bytes of base64url)',
    );
    assertEquals(error.cause, undefined);
  }
  const error = assertThrows(() => field(undefined), FileError);
  assertEquals(error.message, 'Cannot use "f": it is damaged (no key)');
});
