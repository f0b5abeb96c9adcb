import { type ASTNode, type FieldNode, type GraphQLResolveInfo, Kind, visit } from 'graphql';

/**
 * The library makes Cypher that cannot be parsed for a connection that is asked for nothing of its nodes but `__typename`. So
 * it is made to read their urns as well, under a name that no answer shows.
 */
export function withNamedNodes(info: GraphQLResolveInfo): GraphQLResolveInfo {
  const fragments = Object.entries(info.fragments).map(([name, fragment]) => [name, named(fragment)] as const);
  return { ...info, fieldNodes: info.fieldNodes.map(named), fragments: Object.fromEntries(fragments) };
}

const URN: FieldNode = {
  kind: Kind.FIELD,
  alias: { kind: Kind.NAME, value: '__urn' },
  name: { kind: Kind.NAME, value: 'urn' },
};

function named<Node extends ASTNode>(node: Node): Node {
  return visit(node, {
    Field: {
      leave: (field: FieldNode) =>
        field.name.value === 'node' && field.selectionSet !== undefined
          ? { ...field, selectionSet: { ...field.selectionSet, selections: [...field.selectionSet.selections, URN] } }
          : undefined,
    },
  });
}
