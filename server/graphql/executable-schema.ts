import { readFileSync } from 'node:fs';
import { mergeSchemas } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import { SDL_FILES } from '#graph-schema';
import type { LineageManualEdit } from '#graph-store';
import { browserUrlResolver } from './browser-url-resolver.js';
import { endpointOperationMutations, endpointResolvers } from './endpoint-operation-resolvers.js';
import { entityResolvers } from './entity-resolvers.js';
import { type GeneratedSources, generatedReads } from './generated-reads.js';
import { knowledgeMutations } from './knowledge-mutations.js';
import { knowledgeQueries } from './knowledge-queries.js';
import { lineageEditMutations } from './lineage-edit-resolvers.js';
import { lineageIntakeMutations, lineageIntakeQueries } from './lineage-intake-resolvers.js';
import { lineageQueries } from './lineage-queries.js';
import { lineageRetentionMutations } from './lineage-retention-resolvers.js';
import { mutationResolvers } from './mutation-resolvers.js';
import { queryResolvers } from './query-resolvers.js';
import { readyList } from './ready-lists.js';
import { dateTimeScalar, instantScalar, jsonObjectScalar } from './scalars.js';
import { subscriptionResolvers } from './subscription-resolvers.js';

/** The schema that `/graphql` serves: the SDL of graph-schema with the resolvers of this folder, and the generated reads. */
export async function createExecutableSchema(sources: GeneratedSources): Promise<GraphQLSchema> {
  return mergeSchemas({
    schemas: [await generatedReads(sources)],
    typeDefs: SDL_FILES.map((file) => readFileSync(file, 'utf8')),
    resolvers: {
      DateTime: dateTimeScalar,
      Instant: instantScalar,
      JSONObject: jsonObjectScalar,
      Query: { ...queryResolvers, ...knowledgeQueries, ...lineageQueries, ...lineageIntakeQueries },
      Mutation: {
        ...mutationResolvers,
        ...endpointOperationMutations,
        ...knowledgeMutations,
        ...lineageIntakeMutations,
        ...lineageEditMutations,
        ...lineageRetentionMutations,
      },
      Entity: entityResolvers,
      IngestionStatus: browserUrlResolver,
      Lineage: { ...browserUrlResolver, nodes: readyList('nodes'), edges: readyList('edges') },
      LineageImpactConnection: { nodes: readyList('nodes') },
      LineageManualEdit: { operation: ({ does }: LineageManualEdit) => does.toUpperCase() },
      LineageNode: browserUrlResolver,
      MetadataEndpoint: endpointResolvers,
      MetadataEndpointTemplate: browserUrlResolver,
      LineagePart: { nodes: readyList('nodes'), edges: readyList('edges') },
      RunLineage: { ...browserUrlResolver, nodes: readyList('nodes'), edges: readyList('edges') },
      RunLineageNode: browserUrlResolver,
      Subscription: subscriptionResolvers,
    },
    resolverValidationOptions: { requireResolversToMatchSchema: 'error' },
  });
}
