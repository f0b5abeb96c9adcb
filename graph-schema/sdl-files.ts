/** The GraphQL type definitions, as files so that people and tools can read them; the server joins them in this order. */
export const SDL_FILES: readonly URL[] = ['scalars.graphql', 'ingestion.graphql', 'ingestion-events.graphql'].map(
  (file) => new URL(`./sdl/${file}`, import.meta.url),
);
