import { readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { SDL_FILES } from '#graph-schema';
import { mutationResolvers } from './mutation-resolvers.js';
import { queryResolvers } from './query-resolvers.js';
import { dateTimeScalar, jsonObjectScalar } from './scalars.js';
import { subscriptionResolvers } from './subscription-resolvers.js';

/** The schema that `/graphql` serves: the SDL of graph-schema with the resolvers of this folder. */
export function createExecutableSchema(): GraphQLSchema {
  return makeExecutableSchema({
    typeDefs: SDL_FILES.map((file) => readFileSync(file, 'utf8')),
    resolvers: {
      DateTime: dateTimeScalar,
      JSONObject: jsonObjectScalar,
      Query: queryResolvers,
      Mutation: mutationResolvers,
      Subscription: subscriptionResolvers,
    },
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
}
