import type { EntityRecord } from '#graph-store';
import { browserUrlResolver } from './browser-url-resolver.js';
import { connection, type PageArguments } from './connection.js';
import type { GraphqlContext } from './graphql-context.js';

interface LinksArguments extends PageArguments {
  readonly kinds?: readonly string[] | null;
  readonly direction?: 'OUT' | 'IN' | 'BOTH' | null;
}

/** Fields of `Entity` that are read or made only when they are selected. */
export const entityResolvers = {
  links: ({ urn }: EntityRecord, { kinds, direction, ...page }: LinksArguments, { knowledge }: GraphqlContext) =>
    connection(
      knowledge.reader.links(urn, { kinds: kinds ?? undefined, direction: direction ?? undefined }),
      page,
      (link) => link,
    ),

  ...browserUrlResolver,
};
