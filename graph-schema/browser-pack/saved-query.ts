/** A query that people keep in Neo4j Browser. */
export interface SavedQuery {
  /** Name of its file. */
  readonly id: string;
  readonly title: string;
  /** One sentence: what the answer shows. */
  readonly shows: string;
  /** Parameters that must be set before, by `:param`. */
  readonly parameters: readonly ('urn' | 'at' | 'text')[];
  /** Only reads, ends by itself, and begins no line with `//`, which Browser takes for the title. */
  readonly cypher: string;
}
