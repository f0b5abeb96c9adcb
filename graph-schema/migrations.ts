/** One step of the graph's schema. Steps are only ever added; a step that has run anywhere is never edited. */
export interface Migration {
  readonly version: number;
  readonly description: string;
  readonly statements: readonly string[];
}

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    description: 'one uniqueness constraint for every entity; the change log and its counter',
    statements: [
      'CREATE CONSTRAINT entity_urn IF NOT EXISTS FOR (n:Entity) REQUIRE n.urn IS UNIQUE',
      'CREATE CONSTRAINT change_sequence IF NOT EXISTS FOR (c:Change) REQUIRE c.sequence IS UNIQUE',
      'CREATE CONSTRAINT change_log_id IF NOT EXISTS FOR (l:ChangeLog) REQUIRE l.id IS UNIQUE',
      "MERGE (l:ChangeLog {id: 'main'}) ON CREATE SET l.sequence = 0",
    ],
  },
  {
    version: 2,
    description: 'look-ups of the ingestion lists',
    statements: [
      'CREATE INDEX unit_endpoint IF NOT EXISTS FOR (n:IngestionUnit) ON (n.endpointId)',
      'CREATE INDEX unit_state_state IF NOT EXISTS FOR (n:IngestionUnitState) ON (n.state)',
      'CREATE INDEX run_started_at IF NOT EXISTS FOR (n:IngestionRun) ON (n.startedAt)',
      'CREATE INDEX dataset_name IF NOT EXISTS FOR (n:Dataset) ON (n.namespace, n.name)',
    ],
  },
];

export const GRAPH_SCHEMA_VERSION = Math.max(...MIGRATIONS.map((migration) => migration.version));
