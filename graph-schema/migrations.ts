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
  {
    version: 3,
    description:
      'full-text search; kinds of users; entity history as a chain of changes; requests that are answered once',
    statements: [
      // The analyzer keeps a name such as `shop.public.order_items` whole; searches look inside it by regular expressions.
      `CREATE FULLTEXT INDEX entity_text IF NOT EXISTS FOR (n:Entity) ON EACH [n.name, n.namespace, n.description, n.definition]
       OPTIONS { indexConfig: { \`fulltext.analyzer\`: 'standard-no-stop-words' } }`,
      'CREATE CONSTRAINT kind_urn_kind IF NOT EXISTS FOR (k:KindDefinition) REQUIRE k.urnKind IS UNIQUE',
      // Changes of before this version have no id.
      "MATCH (c:Change) WHERE c.id IS NULL SET c.id = replace(randomUUID(), '-', '')",
      'CREATE CONSTRAINT change_id IF NOT EXISTS FOR (c:Change) REQUIRE c.id IS UNIQUE',
      'CREATE INDEX change_at IF NOT EXISTS FOR (c:Change) ON (c.at)',
      'CREATE CONSTRAINT write_request_key IF NOT EXISTS FOR (r:WriteRequest) REQUIRE r.key IS UNIQUE',
      'CREATE INDEX write_request_at IF NOT EXISTS FOR (r:WriteRequest) ON (r.at)',
    ],
  },
  {
    version: 4,
    description: 'full-text search that writers do not wait for',
    statements: [
      // Lucene opens its index anew for each commit otherwise: more than half of what a small write cost. Searches wait for it.
      'DROP INDEX entity_text IF EXISTS',
      `CREATE FULLTEXT INDEX entity_text IF NOT EXISTS FOR (n:Entity) ON EACH [n.name, n.namespace, n.description, n.definition]
       OPTIONS { indexConfig: { \`fulltext.analyzer\`: 'standard-no-stop-words', \`fulltext.eventually_consistent\`: true } }`,
    ],
  },
  {
    version: 5,
    description: 'what is remembered of lineage events, and how far those of an inbox are in the graph',
    statements: [
      'CREATE CONSTRAINT lineage_inbox_id IF NOT EXISTS FOR (i:LineageInbox) REQUIRE i.id IS UNIQUE',
      'CREATE CONSTRAINT lineage_record_key IF NOT EXISTS FOR (r:LineageRecord) REQUIRE r.key IS UNIQUE',
      'CREATE INDEX lineage_record_first IF NOT EXISTS FOR (r:LineageRecord) ON (r.series, r.first)',
      'CREATE INDEX lineage_record_last IF NOT EXISTS FOR (r:LineageRecord) ON (r.series, r.last)',
    ],
  },
  {
    version: 6,
    description: 'runs of lineage events lie in time, so that retention finds the old ones',
    statements: [
      // Before this version no record of a run had a place. Within the JSON of one, texts of clients have their quotes escaped.
      `MATCH (r:LineageRecord)
       WHERE r.key STARTS WITH 'run ' AND r.series IS NULL AND NOT r.data ENDS WITH '"isRemoved":true}'
       WITH r, split(split(split(r.data, '"outcome":{')[1], '"last":"')[1], '"')[0] AS last
       WHERE last IS NOT NULL
       SET r.series = 'runs', r.first = last, r.last = last`,
    ],
  },
  {
    version: 7,
    description: 'look-ups of the tests of an endpoint',
    statements: ['CREATE INDEX endpoint_test_endpoint IF NOT EXISTS FOR (n:EndpointTest) ON (n.endpointId)'],
  },
  {
    version: 8,
    description: 'look-ups of the collections of an endpoint',
    statements: ['CREATE INDEX collection_endpoint IF NOT EXISTS FOR (n:MetadataCollection) ON (n.endpointId)'],
  },
];

export const GRAPH_SCHEMA_VERSION = Math.max(...MIGRATIONS.map((migration) => migration.version));
