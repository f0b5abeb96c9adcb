import {
  type KindCatalog,
  type KindDefinition,
  type PropertyDefinition,
  parseUrn,
  UrnSyntaxError,
} from '#graph-schema';
import type { Deletion, EdgeDeletion, EdgeUpsert, EntityUpsert, Refusal } from './graph-store.js';
import {
  identify,
  identifyLink,
  isObject,
  NAME_LIMITS,
  quoted,
  Refused,
  readUrn,
  UNPRINTABLE,
  writableKind,
} from './knowledge-identity.js';
import type { EntityInput, EntityReference, LinkInput, LinkReference } from './knowledge-types.js';
import { checkValue, shapeOf } from './knowledge-values.js';
import type { PropertyPatch, PropertyValue } from './property-values.js';

/** What an item names: an entity, whose urn is null when the item does not tell it, or a link. */
export type Names =
  | { readonly urn: string | null }
  | { readonly kind: string; readonly from: string; readonly to: string };

/** An item that may be written, or why not. */
export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      readonly names: Names;
      readonly refusal: Refusal;
      /** True where a newer copy of the kinds could allow it. */
      readonly unknownName: boolean;
    };

export function checkEntity(input: EntityInput, catalog: KindCatalog): Checked<EntityUpsert> {
  const identified = check(input, entityNames, (item) => identify(item, catalog));
  if (!identified.ok) return identified;
  const { kind, label, urn, parts } = identified.value;
  return check(
    input,
    () => ({ urn }),
    (item) => {
      const name = checkName(item.name);
      const keys = keyProperties(kind, parts);
      const properties = checkProperties(item.properties, kind.properties, keys, `kind ${kind.name}`);
      const required = requiredOf(kind.properties);
      const ifVersion = checkVersion(item.ifVersion);
      return {
        kind: label,
        urn,
        ...(name !== undefined && { name }),
        ...(properties !== undefined && { properties }),
        ...(keys !== undefined && { initial: keys }),
        ...(required !== undefined && { required }),
        ...(ifVersion !== undefined && { ifVersion }),
      };
    },
  );
}

export function checkLink(input: LinkInput, catalog: KindCatalog): Checked<EdgeUpsert> {
  return check(input, linkNames, (item) => {
    const { identity, declared } = identifyLink(item, catalog);
    const properties = checkProperties(item.properties, declared, undefined, `link ${identity.kind}`);
    const required = requiredOf(declared);
    const ifVersion = checkVersion(item.ifVersion);
    return {
      ...identity,
      ...(properties !== undefined && { properties }),
      ...(required !== undefined && { required }),
      ...(ifVersion !== undefined && { ifVersion }),
    };
  });
}

export function checkReference(input: EntityReference, catalog: KindCatalog): Checked<Deletion> {
  return check(input, entityNames, (item) => {
    const { urn, kinds, parts } = readUrn('urn', item.urn, catalog);
    writableKind(kinds, parts, 'urn');
    const ifVersion = checkVersion(item.ifVersion);
    return { urn, ...(ifVersion !== undefined && { ifVersion }) };
  });
}

export function checkLinkReference(input: LinkReference, catalog: KindCatalog): Checked<EdgeDeletion> {
  return check(input, linkNames, (item) => {
    const ifVersion = checkVersion(item.ifVersion);
    return { ...identifyLink(item, catalog).identity, ...(ifVersion !== undefined && { ifVersion }) };
  });
}

function check<Input extends object, Value>(
  input: Input,
  namesOf: (input: Readonly<Record<string, unknown>>) => Names,
  run: (item: Input) => Value,
): Checked<Value> {
  try {
    if (!isObject(input)) throw new Refused('', `must be an object, got ${shapeOf(input)}`);
    return { ok: true, value: run(input) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { refusal, unknownName } = error;
    return { ok: false, names: namesOf(isObject(input) ? input : {}), refusal, unknownName };
  }
}

/** What a refused item says of its urn, as long as that is one. */
function entityNames({ urn }: Readonly<Record<string, unknown>>): Names {
  try {
    if (typeof urn !== 'string') return { urn: null };
    parseUrn(urn);
    return { urn };
  } catch (error) {
    if (error instanceof UrnSyntaxError) return { urn: null };
    throw error;
  }
}

function linkNames({ kind, from, to }: Readonly<Record<string, unknown>>): Names {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { kind: text(kind), from: text(from), to: text(to) };
}

/** The parts of the urn by name; `name` is left out, for it is the caption, which may change. */
function keyProperties(kind: KindDefinition, parts: readonly string[]): Record<string, string> | undefined {
  const keys: Record<string, string> = {};
  let any = false;
  for (const [index, part] of kind.keyParts.entries()) {
    const value = parts[index];
    if (part === 'name' || value === undefined) continue;
    keys[part] = value;
    any = true;
  }
  return any ? keys : undefined;
}

function checkName(name: unknown): string | undefined {
  if (name == null) return undefined;
  if (typeof name !== 'string') throw new Refused('name', `must be a string, got ${shapeOf(name)}`);
  if (name.trim() === '') throw new Refused('name', 'is empty: leave it out to keep the present one');
  if (name.length > NAME_LIMITS.nameCharacters) {
    throw new Refused('name', `has ${name.length} characters, where ${NAME_LIMITS.nameCharacters} are allowed`);
  }
  if (UNPRINTABLE.test(name)) throw new Refused('name', 'holds a control character or half of a surrogate pair');
  return name;
}

function checkVersion(version: unknown): number | undefined {
  if (version == null) return undefined;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0) {
    throw new Refused('ifVersion', `must be a whole number, 0 or greater, got ${shapeOf(version)}`);
  }
  return version;
}

function checkProperties(
  given: unknown,
  declared: Readonly<Record<string, PropertyDefinition>>,
  keys: Readonly<Record<string, string>> | undefined,
  owner: string,
): PropertyPatch | undefined {
  if (given == null) return undefined;
  if (!isObject(given)) throw new Refused('properties', `must be an object, got ${shapeOf(given)}`);
  const patch: Record<string, PropertyValue | null> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (keys !== undefined && Object.hasOwn(keys, name)) {
      if (value === keys[name]) continue;
      throw new Refused(`properties.${name}`, 'is a part of the urn and never changes');
    }
    const definition = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (definition === undefined || definition.hidden) {
      throw new Refused(
        PLAIN_NAME.test(name) ? `properties.${name}` : 'properties',
        name === 'name'
          ? 'is given beside `properties`, not in them'
          : `names no property of ${owner}: ${quoted(name)}; entityKinds lists them`,
        true,
      );
    }
    const checked = checkValue(definition.type, value);
    if ('problem' in checked) throw new Refused(`properties.${name}`, checked.problem);
    patch[name] = checked.value;
  }
  return patch;
}

/** A field path is read by programs: a name that is none goes into the message alone. */
const PLAIN_NAME = /^\w{1,64}$/;

function requiredOf(declared: Readonly<Record<string, PropertyDefinition>>): readonly string[] | undefined {
  const known = REQUIRED.get(declared) ?? Object.keys(declared).filter((name) => declared[name]?.required);
  REQUIRED.set(declared, known);
  return known.length === 0 ? undefined : known;
}

/** Asked for each of many rows of one kind. */
const REQUIRED = new WeakMap<object, readonly string[]>();
