import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLResolveInfo,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/**
 * The library puts what is selected under each alias of `edges` and of `node` together, so two that mean different things by
 * one name would be answered with one of them, and it takes an alias for the field of that name. So it is asked without
 * aliases, but for the fields of the nodes, whose names tell where they were selected.
 */
export function withoutAmbiguity(info: GraphQLResolveInfo): GraphQLResolveInfo {
  const connection = (selected: FieldNode): SelectionNode => withoutAlias(withChildren(selected, edge));
  const edge = (selected: FieldNode, edges: string): SelectionNode => {
    const field = withChildren(selected, (child, node) => renamed(child, nodeFieldAlias(edges, node, keyOf(child))));
    return withoutAlias(field.name.value === 'node' ? withUrn(field) : field);
  };

  function withChildren(field: FieldNode, change: Change): FieldNode {
    const { selectionSet } = field;
    return selectionSet === undefined
      ? field
      : { ...field, selectionSet: changed(selectionSet, info.fragments, (child) => change(child, keyOf(field))) };
  }

  return { ...info, fieldNodes: info.fieldNodes.map((field) => withChildren(field, connection)) };
}

/** @param parent the name under which the field that holds `child` is answered */
type Change = (child: FieldNode, parent: string) => SelectionNode;
type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

/** The lengths keep apart what would read alike. */
function nodeFieldAlias(edges: string, node: string, field: string): string {
  return `_${edges.length}_${node.length}_${edges}_${node}_${field}`;
}

/** The name under which a field of a node of a connection stands in what the library answers; undefined for other fields. */
export function answeredAs({ path: { key, prev: node } }: GraphQLResolveInfo): string | undefined {
  if (!isEdge(node?.typename)) return undefined;
  return nodeFieldAlias(String(node?.prev?.prev?.key), String(node?.key), String(key));
}

/** Fragments are written out: the name of a field depends on where it is spread. */
function changed(
  { selections, ...set }: SelectionSetNode,
  fragments: Fragments,
  change: (field: FieldNode) => SelectionNode,
): SelectionSetNode {
  const one = (selection: SelectionNode): SelectionNode[] => {
    if (selection.kind === Kind.FIELD) return [change(selection)];
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      return [{ ...selection, selectionSet: changed(selection.selectionSet, fragments, change) }];
    }
    const fragment = fragments[selection.name.value];
    if (fragment === undefined) return [];
    const { typeCondition, selectionSet } = fragment;
    return [
      {
        ...selection,
        kind: Kind.INLINE_FRAGMENT,
        typeCondition,
        selectionSet: changed(selectionSet, fragments, change),
      },
    ];
  };
  return { ...set, selections: selections.flatMap(one) };
}

/** The library makes Cypher that cannot be parsed when nothing is asked of nodes but `__typename`. */
function withUrn(node: FieldNode): FieldNode {
  const { selectionSet } = node;
  if (selectionSet === undefined) return node;
  return { ...node, selectionSet: { ...selectionSet, selections: [...selectionSet.selections, URN] } };
}

const renamed = (field: FieldNode, alias: string): FieldNode => ({
  ...field,
  alias: { kind: Kind.NAME, value: alias },
});

const withoutAlias = ({ alias: _, ...field }: FieldNode): FieldNode => field;

const URN = renamed({ kind: Kind.FIELD, name: { kind: Kind.NAME, value: 'urn' } }, '__urn');

const keyOf = ({ alias, name }: FieldNode): string => (alias ?? name).value;

/** The library names them so. */
export const isConnection = (type: string): boolean => type.endsWith('Connection');
export const isEdge = (type: string | undefined): boolean => type?.endsWith('Edge') ?? false;
export const isPageInfo = (type: string): boolean => type === 'PageInfo';
