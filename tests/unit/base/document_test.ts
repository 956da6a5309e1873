/**
 * JSON documents in private files, on a real file system.
 *
 * @module
 */

import {
  readDocument,
  readOrCreateDocument,
  writeDocument,
} from "../../../src/base/document.ts";
import {
  FileError,
  readPrivate,
  writePrivate,
} from "../../../src/base/private_file.ts";
import { assert, assertEquals, assertRejects } from "../../kit/assert.ts";
import { inFolder } from "../../kit/folder.ts";

Deno.test("readDocument() reads what writeDocument() wrote, for people too", () =>
  inFolder(async (folder) => {
    const path = `${folder}/file`;
    assertEquals(await readDocument(path), undefined);
    await writeDocument(path, { name: "x" });
    assertEquals(await readDocument(path), { version: 1, name: "x" });
    assertEquals(
      await readPrivate(path),
      '{\n  "version": 1,\n  "name": "x"\n}\n',
    );
  }));

Deno.test("readDocument() names what is wrong, and shows nothing of the text", () =>
  inFolder(async (folder) => {
    const path = `${folder}/file`;
    const cases = [
      ["", "it is damaged (not JSON)"],
      ['{ "key": "c2VjcmV0" ', "it is damaged (not JSON)"],
      ['"c2VjcmV0"', "it is damaged (not a JSON object)"],
      ["null", "it is damaged (not a JSON object)"],
      ['{ "key": "c2VjcmV0" }', "it is damaged (no version)"],
      [
        '{ "version": 2, "key": "c2VjcmV0" }',
        "it has version 2, and this program reads version 1",
      ],
      [
        '{ "version": "1" }',
        'it has version "1", and this program reads version 1',
      ],
    ] as const;
    for (const [text, reason] of cases) {
      await writePrivate(path, text);
      const error = await assertRejects(() => readDocument(path), FileError);
      assertEquals(error.message, `Cannot use "${path}": ${reason}`);
      assert(!Deno.inspect(error).includes("c2VjcmV0"));
    }
  }));

Deno.test("readOrCreateDocument() gives everybody who starts at once the same", () =>
  inFolder(async (folder) => {
    const results = await Promise.all(
      Array.from(
        { length: 20 },
        (_, at) => readOrCreateDocument(`${folder}/file`, () => ({ at })),
      ),
    );
    const documents = new Set(results.map(({ document }) => document.at));
    assertEquals(results.filter(({ created }) => created).length, 1);
    const first = results.findIndex(({ created }) => created);
    assertEquals(documents, new Set([first]));
  }));
