import type { KeysetList } from '#graph-store';

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
}

const DEFAULT_PAGE = 50;

/** A list as a Relay connection. `totalCount` is a function, so the count runs only when a query selects it. */
export async function connection<Row, Node>(
  list: KeysetList<Row>,
  { first, after }: PageArguments,
  toNode: (row: Row) => Node,
) {
  const page = await list.page({ first: first ?? DEFAULT_PAGE, after: after ?? undefined });
  const edges = page.rows.map(({ cursor, record }) => ({ cursor, node: toNode(record) }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: { hasNextPage: page.hasNextPage, endCursor: edges.at(-1)?.cursor ?? null },
    totalCount: () => list.count(),
  };
}
