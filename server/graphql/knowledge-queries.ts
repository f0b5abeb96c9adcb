import { InputError } from '#errors';
import { entityHistory } from '#graph-store';
import { encodeEventCursor } from '../events/event-cursor.js';
import { connection, type PageArguments, page } from './connection.js';
import type { GraphqlContext } from './graphql-context.js';
import { historyView, kindView } from './knowledge-views.js';

const MOST_NODES = 500;
const SEARCH_PAGE = 20;

const same = <T>(record: T): T => record;

export const knowledgeQueries = {
  node: async (
    _: unknown,
    { urn, includeDeleted }: { urn: string; includeDeleted?: boolean | null },
    { knowledge }: GraphqlContext,
  ) => (await knowledge.reader.nodes([urn], { includeDeleted: includeDeleted ?? false }))[0],

  nodes: (
    _: unknown,
    { urns, includeDeleted }: { urns: readonly string[]; includeDeleted?: boolean | null },
    { knowledge }: GraphqlContext,
  ) => {
    if (urns.length > MOST_NODES) {
      throw InputError.one('BAD_USER_INPUT', 'urns', `must be ${MOST_NODES} at most, got ${urns.length}`);
    }
    return knowledge.reader.nodes(urns, { includeDeleted: includeDeleted ?? false });
  },

  entities: (_: unknown, args: PageArguments & { kind?: string | null }, { knowledge }: GraphqlContext) =>
    connection(knowledge.reader.entities({ kind: args.kind ?? undefined }), args, same),

  search: async (
    _: unknown,
    { text, kinds, first, after }: PageArguments & { text: string; kinds?: readonly string[] | null },
    { knowledge }: GraphqlContext,
  ) => {
    const hits = knowledge.reader.search({ text, kinds: kinds ?? undefined });
    const { rows, pageInfo } = await page(hits, { first: first ?? SEARCH_PAGE, after });
    return {
      edges: rows.map(({ cursor, record: { entity, score, highlights } }) => ({
        cursor,
        node: entity,
        score,
        highlights,
      })),
      nodes: rows.map(({ record }) => record.entity),
      pageInfo,
    };
  },

  entityKinds: async (_: unknown, __: unknown, { knowledge }: GraphqlContext) =>
    (await knowledge.kinds.all()).map(kindView),

  changes: (_: unknown, args: PageArguments & { urn: string }, { knowledge }: GraphqlContext) =>
    connection(entityHistory(knowledge.log, knowledge.kinds, args.urn), args, historyView),

  changeLog: async (_: unknown, __: unknown, { knowledge: { log } }: GraphqlContext) => {
    // The oldest first: what is pruned in between only makes it stricter.
    const oldest = await log.oldest();
    return { head: encodeEventCursor(await log.head()), oldest: encodeEventCursor(oldest - 1) };
  },
};
