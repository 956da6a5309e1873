/**
 * Keys as fields of a document. No error repeats a key, nor any text that could hold one.
 *
 * @module
 */

import { damaged, type Document } from "../base/document.ts";
import { type Bytes, fromBase64url } from "../../crypto_utils.ts";

/**
 * The bytes that a document has, in base64url, under a name.
 * @param size How many bytes there must be.
 * @throws {FileError} if there is no such field, or it is something else.
 */
export function bytesField(
  path: string,
  document: Document,
  name: string,
  size: number,
): Bytes {
  const text = document[name];
  if (text === undefined) throw damaged(path, `no ${name}`);
  let bytes: Bytes | undefined;
  try {
    bytes = fromBase64url(text as string); // which takes nothing but a text
  } catch {
    // Neither the text nor what the decoder said of it is for others to see.
  }
  if (bytes?.length !== size) {
    throw damaged(path, `${name} is not ${size} bytes of base64url`);
  }
  return bytes;
}
