import type { GraphqlContext } from './graphql-context.js';
import { browserUrlOf } from './views.js';

/** The field `browserUrl` of everything that has a urn; it is made only when it is selected. */
export const browserUrlResolver = {
  browserUrl: ({ urn }: { readonly urn: string }, _: unknown, { browserUrl }: GraphqlContext) =>
    browserUrlOf(browserUrl, urn),
};
