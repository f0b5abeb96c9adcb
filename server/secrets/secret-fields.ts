import { AppError } from '#errors';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Keywords that hold a value, not a schema; `$defs` count only where something refers to them. */
const NOT_SCHEMAS = new Set(['default', 'examples', 'const', 'enum', 'required', '$defs', 'definitions']);
/** Keywords whose schemas speak of the same value as the schema that they stand in. */
const SAME_VALUE = new Set(['anyOf', 'oneOf', 'allOf']);

/**
 * A template marks a secret where its path is not known beforehand (list items, free-form names, conditions), or a
 * schema contains itself. Storing such a secret in clear is the alternative, so the template is refused.
 */
class SecretSchemaError extends AppError {
  override readonly name = 'SecretSchemaError';

  constructor(place: string, message: string) {
    super('INTERNAL_SERVER_ERROR', `config schema of the template, at ${place || 'its root'}: ${message}`, {
      details: { place },
    });
  }
}

/**
 * Dotted paths of the fields that a config's JSON Schema marks `writeOnly: true`, also behind local `$ref`s and `anyOf`.
 * @throws SecretSchemaError
 */
export function secretFields(schema: JsonObject): ReadonlySet<string> {
  const found = new Set<string>();
  collect(schema, schema, [], [], found);
  return found;
}

function collect(root: JsonObject, node: unknown, path: string[], refs: string[], found: Set<string>): void {
  if (!isObject(node)) return;
  if (node.writeOnly === true) {
    if (path.length === 0) throw new SecretSchemaError('', 'only single fields can be secret, not the whole config');
    // The path is part of what the secret is sealed with, so it must not be readable in two ways.
    if (path.some((name) => name.includes('.'))) throw new SecretSchemaError(path.join('.'), 'a name holds a dot');
    found.add(path.join('.'));
    return;
  }
  for (const [keyword, value] of Object.entries(node)) {
    if (keyword === '$ref') {
      collect(root, resolve(root, value, path, refs), path, [...refs, String(value)], found);
    } else if (keyword === 'properties' && isObject(value)) {
      for (const [name, child] of Object.entries(value)) collect(root, child, [...path, name], refs, found);
    } else if (SAME_VALUE.has(keyword) && Array.isArray(value)) {
      for (const child of value) collect(root, child, path, refs, found);
    } else if (!NOT_SCHEMAS.has(keyword) && hidesSecret(root, value, path, refs)) {
      throw new SecretSchemaError(
        path.join('.'),
        `a secret under "${keyword}" cannot be sealed; make it a named field`,
      );
    }
  }
}

function hidesSecret(root: JsonObject, node: unknown, path: string[], refs: string[]): boolean {
  if (Array.isArray(node)) return node.some((child) => hidesSecret(root, child, path, refs));
  if (!isObject(node)) return false;
  if (node.writeOnly === true) return true;
  return Object.entries(node).some(([keyword, value]) =>
    keyword === '$ref'
      ? hidesSecret(root, resolve(root, value, path, refs), path, [...refs, String(value)])
      : !NOT_SCHEMAS.has(keyword) && hidesSecret(root, value, path, refs),
  );
}

function resolve(root: JsonObject, ref: unknown, path: string[], refs: string[]): unknown {
  const place = path.join('.');
  if (typeof ref !== 'string' || !ref.startsWith('#/'))
    throw new SecretSchemaError(place, 'only local $refs are followed');
  if (refs.includes(ref)) throw new SecretSchemaError(place, `${ref} contains itself`);
  // JSON Pointer, RFC 6901 section 4.
  const names = ref
    .slice(2)
    .split('/')
    .map((name) => decodeURIComponent(name).replace(/~1/g, '/').replace(/~0/g, '~'));
  const target = names.reduce<unknown>((node, name) => (isObject(node) ? node[name] : undefined), root);
  if (target === undefined) throw new SecretSchemaError(place, `${ref} does not exist`);
  return target;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
