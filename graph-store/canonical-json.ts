/** Deeper values would exhaust the stack of those who walk them. */
const MAX_DEPTH = 64;

export const LONE_SURROGATE = /\p{Cs}/u;

/** Why a value cannot be kept as JSON; `path` leads to the part at fault. */
export class NotJson extends Error {
  override readonly name = 'NotJson';
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], rule: string) {
    super(rule);
    this.path = path;
  }
}

/**
 * A JSON value as text with its keys in order, so that equal values have equal texts and writing one again changes nothing.
 *
 * @throws NotJson for NaN, infinities, whole numbers beyond 2^53, broken characters, nesting beyond 64 levels and anything that
 *   is not JSON, such as a `Date`
 */
export function canonicalJson(value: unknown): string {
  return print(value, []);
}

function print(value: unknown, path: readonly (string | number)[]): string {
  if (path.length > MAX_DEPTH) throw new NotJson(path.slice(0, 3), `is nested deeper than ${MAX_DEPTH} levels`);
  switch (typeof value) {
    case 'string':
      return printText(value, path);
    case 'number':
      return printNumber(value, path);
    case 'boolean':
      return String(value);
    case 'object':
      break;
    default:
      throw new NotJson(path, 'is no JSON value');
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map((item, index) => print(item, [...path, index])).join(',')}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new NotJson(path, 'is no JSON value');
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${printText(key, path)}:${print(item, [...path, key])}`);
  return `{${entries.join(',')}}`;
}

function printText(text: string, path: readonly (string | number)[]): string {
  if (LONE_SURROGATE.test(text)) throw new NotJson(path, 'holds half of a surrogate pair, which is not a character');
  return JSON.stringify(text);
}

function printNumber(number: number, path: readonly (string | number)[]): string {
  if (!Number.isFinite(number)) throw new NotJson(path, `is ${number}, which JSON cannot hold`);
  if (Number.isInteger(number) && Math.abs(number) < 1e21 && !Number.isSafeInteger(number)) {
    throw new NotJson(path, 'is a whole number beyond 2^53: send it as a string');
  }
  return JSON.stringify(number);
}
