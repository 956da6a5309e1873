/**
 * The tests that run inside a page: the published vectors, the known answers of every primitive, and how what is built
 * of them behaves. The same files that `deno test` runs.
 *
 * @module
 */

import { runTests } from "./kept_tests.ts"; // before the others: they call what it puts in place
import "../../unit/crypto_utils_test.ts";
import "../../unit/crypto/cpace_test.ts";
import "../../unit/crypto/epoch_test.ts";
import "../../unit/crypto/identity_test.ts";
import "../../unit/crypto/kem_test.ts";
import "../../unit/crypto/noise_test.ts";
import "../../unit/crypto/noise_vectors_test.ts";
import "../../unit/crypto/primitives_test.ts";
import "../../unit/crypto/xwing_test.ts";
import "../../unit/keys/spoken_code_test.ts";
import "../../unit/sealed/content_key_test.ts";
import "../../unit/sealed/control_line_test.ts";
import "../../unit/sealed/control_record_test.ts";
import "../../unit/sealed/membership_test.ts";
import "../../unit/sealed/private_message_test.ts";
import "../../unit/sealed/sealed_line_test.ts";
import "../../unit/sealed/sealed_piece_test.ts";

Object.assign(globalThis, { results: runTests() });
