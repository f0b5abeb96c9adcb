import type {
  EntityRecord,
  KnowledgeReader,
  LineageDiff,
  LineageImpact,
  LineageNode,
  LineagePath,
  LineageTruncation,
  RunLineageNode,
} from '#graph-store';

/** Gives the entities of urns, which are read at once for all when the first is asked for. */
type EntityOf = (urn: string) => Promise<EntityRecord | null>;

function entitiesOf(urns: () => readonly string[], reader: KnowledgeReader): EntityOf {
  let reading: Promise<ReadonlyMap<string, EntityRecord>> | undefined;
  const read = async () => {
    const found = await reader.nodes(urns(), { includeDeleted: true });
    return new Map(found.flatMap((entity) => (entity === null ? [] : [[entity.urn, entity]])));
  };
  return async (urn) => {
    reading ??= read();
    return (await reading).get(urn) ?? null;
  };
}

export function nodeViews<Node extends LineageNode | RunLineageNode>(nodes: readonly Node[], reader: KnowledgeReader) {
  const entityOf = entitiesOf(() => nodes.map(({ urn }) => urn), reader);
  return nodes.map((node) => ({ ...node, entity: () => entityOf(node.urn) }));
}

export function truncationView(truncated: LineageTruncation | null) {
  return truncated && { ...truncated, reason: truncated.reason.toUpperCase() };
}

export function impactView(
  { rows, truncated }: LineageImpact,
  after: string | null | undefined,
  reader: KnowledgeReader,
) {
  const nodes = nodeViews(
    rows.map(({ record }) => record),
    reader,
  );
  return {
    edges: rows.map(({ cursor }, index) => ({ cursor, node: nodes[index] })),
    nodes,
    pageInfo: {
      hasNextPage: truncated !== null,
      hasPreviousPage: after != null,
      startCursor: rows[0]?.cursor ?? null,
      endCursor: truncated?.next ?? rows.at(-1)?.cursor ?? null,
    },
    truncated: truncationView(truncated),
  };
}

export function pathViews(paths: readonly LineagePath[], reader: KnowledgeReader) {
  const entityOf = entitiesOf(() => [...new Set(paths.flatMap(({ urns }) => urns))], reader);
  return paths.map((path) => ({ ...path, entities: () => Promise.all(path.urns.map(entityOf)) }));
}

/** @param viewOf makes what is shown of the nodes of one side */
export function diffView(
  { added, removed, fromTruncated, toTruncated }: LineageDiff<object>,
  viewOf: (nodes: readonly LineageNode[], side: 'added' | 'removed') => readonly LineageNode[],
) {
  return {
    added: added && { ...added, nodes: viewOf(added.nodes, 'added') },
    removed: removed && { ...removed, nodes: viewOf(removed.nodes, 'removed') },
    fromTruncated: fromTruncated?.toUpperCase() ?? null,
    toTruncated: toTruncated?.toUpperCase() ?? null,
  };
}
