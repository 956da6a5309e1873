/**
 * Stands for `node:` modules inside a page: a test that calls one of these is ignored there.
 *
 * @module
 */

/** Something was called that a page hasn't got. */
export class NotInPageError extends Error {
  override name = "NotInPageError";
}

function absent(): never {
  throw new NotInPageError("A page hasn't got it");
}

export {
  absent as createCipheriv,
  absent as createHash,
  absent as createPrivateKey,
  absent as createPublicKey,
  absent as hkdfSync,
  absent as runInNewContext,
  absent as setFlagsFromString,
};
