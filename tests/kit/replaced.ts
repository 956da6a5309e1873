/**
 * Something else in a property's place, or in that of what is drawn by chance, until it is disposed of.
 *
 * @module
 */

/** Puts a value in a property's place. @returns What puts back what was there, if it was the object's own. */
export function replaced(
  object: object,
  name: PropertyKey,
  value: unknown,
): Disposable {
  const own = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, {
    value,
    configurable: true,
    writable: true,
  });
  return {
    [Symbol.dispose]() {
      if (own) Object.defineProperty(object, name, own);
      else Reflect.deleteProperty(object, name);
    },
  };
}

/** Has these be the next numbers of 32 bits that are drawn, one after the other. What else is drawn is so as ever. */
export function drawing(...numbers: number[]): Disposable {
  const { getRandomValues } = crypto;
  const draw = <T extends ArrayBufferView<ArrayBuffer>>(into: T): T => {
    getRandomValues.call(crypto, into);
    if (into.byteLength === 4) {
      new DataView(into.buffer).setUint32(0, numbers.shift() ?? NaN);
    }
    return into;
  };
  return replaced(crypto, "getRandomValues", draw);
}
