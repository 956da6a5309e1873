/**
 * Something else in a property's place, until it is disposed of.
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
