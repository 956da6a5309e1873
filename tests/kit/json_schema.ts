/**
 * As much of JSON Schema 2020-12 as the schemas here use, and nothing silently left out: an unknown keyword is an
 * error.
 *
 * @module
 */

/** A schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

const ANNOTATIONS = ["$schema", "$defs", "title", "description"];

type Check = (value: unknown, operand: unknown, root: Schema) => boolean;

const KEYWORDS: Readonly<Record<string, Check>> = {
  $ref: (value, path, root) => fits(value, resolve(String(path), root), root),
  const: (value, wanted) => value === wanted,
  enum: (value, allowed) => list(allowed).includes(value),
  type: (value, types) =>
    [types].flat().some((type) => isOfType(value, String(type))),
  minimum: (value, least) =>
    typeof value !== "number" || value >= Number(least),
  pattern: (value, pattern) =>
    typeof value !== "string" || new RegExp(String(pattern), "u").test(value),
  required: (value, names) =>
    !isObject(value) || list(names).every((name) => String(name) in value),
  properties: (value, schemas, root) =>
    !isObject(value) ||
    Object.entries(schemas as Record<string, Schema>).every(([name, schema]) =>
      !(name in value) || fits(value[name], schema, root)
    ),
  items: (value, schema, root) =>
    !Array.isArray(value) ||
    value.every((item) => fits(item, schema as Schema, root)),
  oneOf: (value, schemas, root) =>
    list(schemas).filter((schema) => fits(value, schema as Schema, root))
      .length === 1,
};

/**
 * Whether a value is as a schema says.
 * @param root Where references lead.
 * @throws {SyntaxError} for a keyword that isn't known here.
 */
export function fits(value: unknown, schema: Schema, root = schema): boolean {
  return Object.entries(schema).every(([keyword, operand]) => {
    if (ANNOTATIONS.includes(keyword)) return true;
    const check = KEYWORDS[keyword];
    if (!check) throw new SyntaxError(`Unknown keyword "${keyword}"`);
    return check(value, operand, root);
  });
}

function resolve(path: string, root: Schema): Schema {
  let at: unknown = root;
  for (const name of path.split("/").slice(1)) at = (at as Schema)[name];
  if (!isObject(at)) throw new SyntaxError(`"${path}" leads nowhere`);
  return at;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "object") return isObject(value);
  const basic = typeof value;
  return basic === type;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
