import { InputError, type InputProblem } from '#errors';
import type { SecretBox } from './secret-box.js';
import { isObject, type JsonObject, secretFields } from './secret-fields.js';

/**
 * Replaces the secrets of a config that a caller sent by sealed ones. Missing secrets stay missing and null stays null,
 * so the result of sealing a patch is a patch.
 *
 * @param input.field dotted path of the config in the caller's input, for errors, e.g. `input.config`
 * @throws InputError when a secret is no text, or when the caller sends something sealed: whoever could do that could
 *   try sealed values out without knowing them
 * @throws SecretSchemaError
 */
export function sealConfigSecrets(
  config: JsonObject,
  schema: JsonObject,
  input: { box: SecretBox; endpointId: string; field: string },
): JsonObject {
  const secrets = secretFields(schema);
  const problems: InputProblem[] = [];
  const refuse = (path: string, message: string) => {
    problems.push({ code: 'BAD_USER_INPUT', field: `${input.field}.${path}`, message });
  };
  const sealed = mapFields(config, '', (value, path) => {
    if (path === '$sealed' || holdsSealed(value))
      refuse(path, 'must be sent in clear; "$sealed" is written by the server alone');
    else if (secrets.has(path) && value !== null) {
      if (typeof value === 'string')
        return { value: input.box.seal(value, { endpointId: input.endpointId, field: path }) };
      refuse(path, 'must be text');
    }
    return undefined;
  });
  const [first, ...rest] = problems;
  if (first !== undefined) throw new InputError([first, ...rest]);
  return sealed;
}

/**
 * A stored config as callers may see it: without its secrets, which are listed by path instead. What is sealed is left
 * out even where the schema does not call it a secret any more.
 * @throws SecretSchemaError
 */
export function redactConfigSecrets(
  config: JsonObject,
  schema: JsonObject,
): { config: JsonObject; secretsSet: string[] } {
  const secrets = secretFields(schema);
  const secretsSet: string[] = [];
  const shown = mapFields(config, '', (value, path) => {
    if (!secrets.has(path) && !holdsSealed(value)) return undefined;
    if (value !== null) secretsSet.push(path);
    return { value: undefined };
  });
  return { config: shown, secretsSet: secretsSet.sort() };
}

/**
 * The config after a change, as JSON Merge Patch (RFC 7396) has it: fields left out stay, also secrets that the caller
 * cannot see; null removes; objects merge; a sealed secret is one value, never merged into.
 */
export function mergeConfig(stored: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(stored));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else if (isObject(value) && !isSealed(value)) {
      const present = merged.get(name);
      merged.set(name, mergeConfig(isObject(present) && !isSealed(present) ? present : {}, value));
    } else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}

/** The schema that a stored config follows: that of the template, where each secret may also be a sealed one. */
export function sealedConfigSchema(schema: JsonObject): JsonObject {
  return allowSealed(schema) as JsonObject;
}

function allowSealed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(allowSealed);
  if (!isObject(node)) return node;
  if (node.writeOnly === true) return { anyOf: [node, SEALED_SECRET_JSON_SCHEMA] };
  return Object.fromEntries(Object.entries(node).map(([keyword, value]) => [keyword, allowSealed(value)]));
}

const SEALED_SECRET_JSON_SCHEMA = {
  type: 'object',
  required: ['$sealed'],
  properties: { $sealed: { type: 'string' } },
  additionalProperties: false,
};

function isSealed(value: unknown): boolean {
  return isObject(value) && '$sealed' in value;
}

/** A sealed value, well-formed or not, or a list with one somewhere in it: no list of a config holds a secret. */
function holdsSealed(value: unknown): boolean {
  return isSealed(value) || (Array.isArray(value) && value.some(holdsSealedWithin));
}

function holdsSealedWithin(value: unknown): boolean {
  return holdsSealed(value) || (isObject(value) && Object.values(value).some(holdsSealedWithin));
}

/**
 * A copy of the config in which `replace` has had its say on every field, from the outside in: what it answers takes
 * the place of the field (undefined takes the field out); without an answer the fields of an object come next.
 */
function mapFields(
  config: JsonObject,
  parent: string,
  replace: (value: unknown, path: string) => { value: unknown } | undefined,
): JsonObject {
  const fields = Object.entries(config).map(([name, value]) => {
    const path = parent === '' ? name : `${parent}.${name}`;
    const replaced = replace(value, path);
    if (replaced !== undefined) return [name, replaced.value] as const;
    return [name, isObject(value) ? mapFields(value, path, replace) : value] as const;
  });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}
