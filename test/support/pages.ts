/** All nodes of a connection, page by page. */
export async function pages(
  read: (
    after: string | null,
  ) => Promise<{ nodes: readonly unknown[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }>,
) {
  const nodes: unknown[] = [];
  let after: string | null = null;
  for (;;) {
    const page = await read(after);
    nodes.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return nodes;
    after = page.pageInfo.endCursor;
  }
}
