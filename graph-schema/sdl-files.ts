/** The GraphQL type definitions, as files so that people and tools can read them; the server joins them in this order. */
export const SDL_FILES: readonly URL[] = [
  'scalars.graphql',
  'ingestion.graphql',
  'endpoint-operations.graphql',
  'ingestion-events.graphql',
  'knowledge.graphql',
  'knowledge-events.graphql',
  'lineage-intake.graphql',
  'lineage.graphql',
  'lineage-edits.graphql',
  'lineage-retention.graphql',
].map((file) => new URL(`./sdl/${file}`, import.meta.url));

/** Types whose queries @neo4j/graphql makes; it reads directives there that the other files do not know. */
export const GENERATED_READS_FILE: URL = new URL('./sdl/generated-reads.graphql', import.meta.url);
