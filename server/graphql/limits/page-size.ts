import {
  type FieldNode,
  type GraphQLArgument,
  type GraphQLField,
  Kind,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

/** Names under which a field takes the size of a page. */
const PAGE_ARGUMENTS: readonly string[] = ['first', 'last', 'limit'];
/** The page of a list that was asked for no size; the default of our own lists. */
const ASSUMED_PAGE = 50;

/** Lists whose size is an argument of a field above them, such as `maxNodes` for the `nodes` of a walk. */
const LISTS_OF_ARGUMENTS = { maxNodes: 'nodes', maxEdges: 'edges' } as const;

/** The most entries that lists below a field may have, by the names of the lists. */
export type ListSizes = ReadonlyMap<string, number>;

export const NO_LIST_SIZES: ListSizes = new Map();

/** Undefined for a field that has no such arguments. */
export function listSizesOf(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  variables: Variables,
): ListSizes | undefined {
  const sizes = Object.entries(LISTS_OF_ARGUMENTS).flatMap(([name, list]) => {
    const declared = field.args.find((argument) => argument.name === name);
    return declared === undefined ? [] : [[list, sizeIn(node, declared, variables)] as const];
  });
  return sizes.length === 0 ? undefined : new Map(sizes);
}

/**
 * How many times the fields below this one are answered, at most: the size of the page that is asked for, or the length of the
 * longest list in the arguments, such as the urns of `nodes` or the entities of an upsert.
 */
export function answersOf(node: FieldNode, field: GraphQLField<unknown, unknown>, variables: Variables): number {
  const given = node.arguments ?? [];
  const page = field.args.find((argument) => PAGE_ARGUMENTS.includes(argument.name));
  if (page === undefined) return Math.max(1, ...given.map((argument) => longestList(argument.value, variables)));
  return sizeIn(node, page, variables);
}

function sizeIn(node: FieldNode, { name, defaultValue }: GraphQLArgument, variables: Variables): number {
  const size = node.arguments?.find((argument) => argument.name.value === name);
  const value = size === undefined ? defaultValue : valueFromASTUntyped(size.value, variables);
  return typeof value === 'number' ? Math.max(1, value) : ASSUMED_PAGE;
}

/** Length of the value, or of a list directly inside of it: `input` holds its lists one level below. */
function longestList(node: ValueNode, variables: Variables): number {
  switch (node.kind) {
    case Kind.VARIABLE:
      return longestInJson(variables[node.name.value]);
    case Kind.LIST:
      return node.values.length;
    case Kind.OBJECT:
      return Math.max(0, ...node.fields.map(({ value }) => lengthOf(value, variables)));
    default:
      return 0;
  }
}

function lengthOf(node: ValueNode, variables: Variables): number {
  if (node.kind === Kind.LIST) return node.values.length;
  const value = node.kind === Kind.VARIABLE ? variables[node.name.value] : undefined;
  return Array.isArray(value) ? value.length : 0;
}

function longestInJson(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>(
    (longest, one) => Math.max(longest, Array.isArray(one) ? one.length : 0),
    0,
  );
}
