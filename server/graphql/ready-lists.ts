import {
  type FieldNode,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type ResponsePath,
} from 'graphql';
import { fieldsBelow, type Selecting } from './selected-fields.js';

/**
 * Lists of an answer that were completed as a whole. graphql-js makes a dozen objects for each field of each item, which takes longer than
 * all else that is done for a walk of some thousand fields; a list of plain data needs none of them. So its resolver completes it by itself and
 * leaves an empty list to graphql-js, and what belongs there is filled in once the operation has been executed.
 *
 * @example
 * const ready = new ReadyLists();
 * const { data } = await execute({ schema, document, contextValue: { ready } });
 * ready.fillIn(data);
 */
export class ReadyLists {
  readonly #lists: { readonly path: ResponsePath; readonly items: readonly unknown[] }[] = [];

  /** @returns what the resolver has to answer */
  take(value: unknown, info: GraphQLResolveInfo): unknown {
    const items = completed(value, info);
    if (items === undefined) return value;
    this.#lists.push({ path: info.path, items });
    return [];
  }

  /** @param data of an answer; where an error has left nothing of the place of a list, there is nothing to fill in */
  fillIn(data: unknown): void {
    for (const { path, items } of this.#lists) {
      const place = placeIn(data, path);
      // One by one: as arguments of one call some hundred thousand of them would not fit on the stack.
      if (Array.isArray(place)) for (const item of items) place.push(item);
    }
  }
}

/** A field whose value is a list of objects. Where nobody fills in lists, graphql-js completes it. */
export function readyList<Name extends string>(
  name: Name,
): GraphQLFieldResolver<Readonly<Record<Name, unknown>>, { readonly ready?: ReadyLists | undefined }> {
  return (source, _, { ready }, info) => (ready === undefined ? source[name] : ready.take(source[name], info));
}

function placeIn(data: unknown, path: ResponsePath): unknown {
  const parent = path.prev === undefined ? data : placeIn(data, path.prev);
  return (parent as Readonly<Record<string | number, unknown>> | null | undefined)?.[path.key];
}

/** What graphql-js has to deal with: it reports it, waits for it or calls it. */
class NotPlain extends Error {}

type Complete = (value: unknown) => unknown;

function completed(list: unknown, info: GraphQLResolveInfo): readonly unknown[] | undefined {
  const complete = completionOf(info.returnType, info.fieldNodes, info);
  if (complete === undefined || list == null) return undefined;
  try {
    return complete(list) as readonly unknown[];
  } catch {
    return undefined;
  }
}

/** How values of a type become those of an answer; undefined where somebody has to resolve a field of them. */
function completionOf(type: GraphQLOutputType, fields: readonly FieldNode[], info: Selecting): Complete | undefined {
  if (isNonNullType(type)) {
    const complete = completionOf(type.ofType, fields, info);
    return complete && ((value) => complete(value) ?? isNotPlain());
  }
  if (isLeafType(type)) return (value) => (value == null ? null : (type.serialize(value) ?? isNotPlain()));
  if (isListType(type)) {
    const complete = completionOf(type.ofType, fields, info);
    return complete && ((value) => (value == null ? null : listOf(value).map(complete)));
  }
  return isObjectType(type) ? objectCompletion(type, fields, info) : undefined;
}

function objectCompletion(
  type: GraphQLObjectType,
  fields: readonly FieldNode[],
  info: Selecting,
): Complete | undefined {
  const selected = new Map<string, FieldNode[]>();
  for (const field of fieldsBelow(fields, info)) {
    const key = (field.alias ?? field.name).value;
    selected.set(key, [...(selected.get(key) ?? []), field]);
  }
  const parts: { readonly key: string; readonly name: string; readonly complete: Complete }[] = [];
  for (const [key, nodes] of selected) {
    const name = nodes[0]?.name.value ?? '';
    const field = type.getFields()[name];
    const complete =
      name === '__typename'
        ? () => type.name
        : field?.resolve === undefined
          ? field && completionOf(field.type, nodes, info)
          : undefined;
    // As a name of a property it would set the prototype.
    if (complete === undefined || key === '__proto__') return undefined;
    parts.push({ key, name, complete });
  }
  return (value) => {
    if (value == null) return null;
    const source = value as Readonly<Record<string, unknown>>;
    const answered: Record<string, unknown> = {};
    for (const { key, name, complete } of parts) answered[key] = complete(plain(source[name]));
    return answered;
  };
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' && typeof value !== 'function') return value;
  return typeof value === 'function' || value instanceof Promise || value instanceof Error ? isNotPlain() : value;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : isNotPlain());

function isNotPlain(): never {
  throw new NotPlain();
}
