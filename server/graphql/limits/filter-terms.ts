import { type FieldNode, Kind, type ValueNode } from 'graphql';

/** Arguments of generated reads that become Cypher. */
const FILTERS: ReadonlySet<string> = new Set(['where', 'sort']);

/**
 * Conditions and sort keys of one field: the objects in its filters, on all levels. Neo4j takes more than linear time to plan a
 * statement of many; a list of plain values is one parameter however long it is.
 */
export function filterTermsOf(node: FieldNode, variables: Readonly<Record<string, unknown>>): number {
  const filters = node.arguments?.filter((argument) => FILTERS.has(argument.name.value)) ?? [];
  return filters.reduce((total, { value }) => total + objectsIn(value, variables), 0);
}

function objectsIn(node: ValueNode, variables: Readonly<Record<string, unknown>>): number {
  switch (node.kind) {
    case Kind.VARIABLE:
      return objectsInJson(variables[node.name.value]);
    case Kind.LIST:
      return node.values.reduce((total, value) => total + objectsIn(value, variables), 0);
    case Kind.OBJECT:
      return node.fields.reduce((total, { value }) => total + objectsIn(value, variables), 1);
    default:
      return 0;
  }
}

function objectsInJson(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : 1;
  return Object.values(value).reduce<number>((total, member) => total + objectsInJson(member), own);
}
