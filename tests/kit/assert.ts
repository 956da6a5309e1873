/**
 * The assertions that the tests use, with their types: the npm package that carries them has none.
 *
 * @module
 */

// @ts-types="./types/assert.d.ts"
export { assert } from "@std/assert/assert";
// @ts-types="./types/assert.d.ts"
export { assertEquals } from "@std/assert/equals";
// @ts-types="./types/assert.d.ts"
export { assertMatch } from "@std/assert/match";
// @ts-types="./types/assert.d.ts"
export { assertRejects } from "@std/assert/rejects";
// @ts-types="./types/assert.d.ts"
export { assertStringIncludes } from "@std/assert/string-includes";
// @ts-types="./types/assert.d.ts"
export { assertThrows } from "@std/assert/throws";
