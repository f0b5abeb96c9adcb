import { InputError } from '#errors';
import type { JsonValue } from './key-value-store.js';

/** The longest key of LMDB with its usual 4 KiB pages; the other stores keep the same limit so that data can move. */
const MAX_KEY_BYTES = 1978;

/** Control characters would collide with the delimiters of LMDB's key encoding, lone surrogates with each other. */
const FORBIDDEN_IN_KEY = /[\p{Cc}\p{Surrogate}]/u;

export function checkKey(key: string): void {
  if (typeof key !== 'string' || key === '') throw badInput('key', 'must be a non-empty string');
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) {
    throw badInput('key', `must be at most ${MAX_KEY_BYTES} bytes of UTF-8, not ${bytes}`);
  }
  checkKeyText('key', key);
}

/** A prefix follows the rules of a key but may be empty. */
export function checkPrefix(prefix: string): void {
  if (typeof prefix !== 'string') throw badInput('prefix', 'must be a string');
  checkKeyText('prefix', prefix);
}

export function checkIfVersion(ifVersion: number | undefined): void {
  if (ifVersion === undefined) return;
  if (!Number.isSafeInteger(ifVersion) || ifVersion < 0) {
    throw badInput('ifVersion', 'must be a whole number, 0 for "must not exist"');
  }
}

/** The JSON text of a value. Throws where `JSON.stringify` would drop or change something instead of failing. */
export function encodeJson(value: JsonValue): string {
  checkJson(value, 'value', new Set());
  return JSON.stringify(value);
}

function checkKeyText(field: string, text: string): void {
  if (FORBIDDEN_IN_KEY.test(text)) throw badInput(field, 'must not hold control characters or lone surrogates');
}

function checkJson(value: unknown, path: string, ancestors: Set<object>): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw badInput(path, 'must be a finite number');
    return;
  }
  if (typeof value !== 'object') throw badInput(path, `must be JSON, not ${typeof value}`);
  if (ancestors.has(value)) throw badInput(path, 'must not contain itself');
  ancestors.add(value);
  if (Array.isArray(value)) {
    // By index, not forEach: a hole in a sparse array is `undefined` here and would become null in JSON.
    for (let index = 0; index < value.length; index += 1) checkJson(value[index], `${path}.${index}`, ancestors);
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const type = value.constructor?.name ?? 'object';
      throw badInput(path, `must be a plain object, not ${type}`);
    }
    for (const [name, member] of Object.entries(value)) checkJson(member, `${path}.${name}`, ancestors);
  }
  ancestors.delete(value);
}

function badInput(field: string, rule: string): InputError {
  return InputError.one('BAD_USER_INPUT', field, rule);
}
