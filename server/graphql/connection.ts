import type { KeysetList } from '#graph-store';

export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** A list that is paged; not every one can be counted. */
type PagedList<Row> = Pick<KeysetList<Row>, 'page'> & Partial<KeysetList<Row>>;

const DEFAULT_PAGE = 50;

/** One page of a list with the `pageInfo` of a Relay connection. */
export async function page<Row>(list: PagedList<Row>, { first, after }: PageArguments) {
  const { rows, hasNextPage } = await list.page({ first: first ?? DEFAULT_PAGE, after: after ?? undefined });
  return {
    rows,
    pageInfo: {
      hasNextPage,
      hasPreviousPage: after != null,
      startCursor: rows[0]?.cursor ?? null,
      endCursor: rows.at(-1)?.cursor ?? null,
    },
  };
}

/** A list as a Relay connection. `totalCount` is a function, so the count runs only when a query selects it. */
export async function connection<Row, Node>(
  list: PagedList<Row>,
  { first, after }: PageArguments,
  toNode: (row: Row) => Node,
) {
  const { rows, pageInfo } = await page(list, { first, after });
  const edges = rows.map(({ cursor, record }) => ({ cursor, node: toNode(record) }));
  return { edges, nodes: edges.map((edge) => edge.node), pageInfo, totalCount: () => list.count?.() };
}
