import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
} from 'graphql';

/** What tells which fields a validated operation selects. */
export type Selecting = Pick<GraphQLResolveInfo, 'fragments' | 'variableValues'>;

/**
 * Names of the fields that an operation selects of what lies below a field: under whatever aliases, in fragments, and as `@skip` and
 * `@include` leave it.
 *
 * @param path names of fields from the one that is resolved to the one whose fields are asked for
 * @example
 * // lineage { all: edges { from to } ...F } fragment F on Lineage { edges { firstRun } }
 * selectedFields(info, ['edges']); // from, to, firstRun
 */
export function selectedFields(
  info: Selecting & Pick<GraphQLResolveInfo, 'fieldNodes'>,
  path: readonly string[],
): ReadonlySet<string> {
  const found = path.reduce(
    (fields, name) => fieldsBelow(fields, info).filter((field) => field.name.value === name),
    info.fieldNodes,
  );
  return new Set(fieldsBelow(found, info).map(({ name }) => name.value));
}

/**
 * The selections of fields, in their order. The fields must be of an object type: a fragment within one is of the same type, or of an
 * interface or a union that it belongs to, and so applies whatever type it names.
 */
export function fieldsBelow(fields: readonly FieldNode[], info: Selecting): readonly FieldNode[] {
  // A fragment adds its fields once, however often it is spread; some spread each other twice, and would be of exponential size.
  const spread = new Set<string>();
  const fieldsOf = (selections: readonly SelectionNode[]): readonly FieldNode[] =>
    selections.filter((selection) => isIncluded(selection, info)).flatMap(unfolded);
  const unfolded = (selection: SelectionNode): readonly FieldNode[] => {
    if (selection.kind === Kind.FIELD) return [selection];
    if (selection.kind === Kind.INLINE_FRAGMENT) return fieldsOf(selection.selectionSet.selections);
    const name = selection.name.value;
    if (spread.has(name)) return [];
    spread.add(name);
    return fieldsOf(info.fragments[name]?.selectionSet.selections ?? []);
  };
  return fields.flatMap(({ selectionSet }) => fieldsOf(selectionSet?.selections ?? []));
}

function isIncluded(selection: SelectionNode, { variableValues }: Selecting): boolean {
  if (getDirectiveValues(GraphQLSkipDirective, selection, variableValues)?.if === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, selection, variableValues)?.if !== false;
}
