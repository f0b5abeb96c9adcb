import { type FieldNode, type GraphQLField, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';

type Variables = Readonly<Record<string, unknown>>;

/** Names under which a field takes the size of a page. */
const PAGE_ARGUMENTS: readonly string[] = ['first', 'last', 'limit'];
/** The page of a list that was asked for no size; the default of our own lists. */
const ASSUMED_PAGE = 50;

/**
 * How many times the fields below this one are answered, at most: the size of the page that is asked for, or the length of the
 * longest list in the arguments, such as the urns of `nodes` or the entities of an upsert.
 */
export function answersOf(node: FieldNode, field: GraphQLField<unknown, unknown>, variables: Variables): number {
  const given = node.arguments ?? [];
  const page = field.args.find((argument) => PAGE_ARGUMENTS.includes(argument.name));
  if (page === undefined) return Math.max(1, ...given.map((argument) => longestList(argument.value, variables)));
  const size = given.find((argument) => argument.name.value === page.name);
  const value = size === undefined ? page.defaultValue : valueFromASTUntyped(size.value, variables);
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
