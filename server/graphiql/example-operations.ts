export interface ExampleOperation {
  /** Opens with a comment that serves as its title. */
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

const ORDERS = 'nucleus:dataset:example%3A%2F%2Fshop:orders';

/** What GraphiQL opens with, one tab each. A test runs every one of them, in this order: later ones read what earlier ones write. */
export const EXAMPLE_OPERATIONS: readonly ExampleOperation[] = [
  {
    query: `# Write entities and links; the same again changes nothing
mutation Write($input: UpsertInput!) {
  upsert(input: $input) {
    entities { urn outcome version }
    links { kind from to outcome }
    commit
    userErrors { code field message elementIndex }
  }
}
`,
    variables: {
      input: {
        entities: [
          {
            kind: 'Dataset',
            key: { namespace: 'example://shop', name: 'orders' },
            properties: { type: 'table', description: 'Every order since 2019.', rowCount: 120_000 },
          },
          { kind: 'Tag', key: { name: 'example' }, properties: { color: '#2f7d4f' } },
        ],
        links: [{ kind: 'TAGGED', from: ORDERS, to: 'nucleus:tag:example' }],
      },
    },
  },
  {
    query: `# Search names, namespaces and descriptions
query Search($text: String!) {
  search(text: $text, kinds: ["Dataset", "GlossaryTerm"], first: 10) {
    edges { score highlights { property text } node { urn kind name } }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: { text: 'orders' },
  },
  {
    query: `# One entity with its links
query Node($urn: ID!) {
  node(urn: $urn) {
    kind name version properties browserUrl
    links(first: 20) { nodes { kind direction properties node { urn kind name } } }
  }
}
`,
    variables: { urn: ORDERS },
  },
  {
    query: `# What it feeds, three hops down; \`at\` shows how that was
query Lineage($urn: ID!) {
  lineage(urn: $urn, direction: DOWNSTREAM, depth: 3) {
    nodes { urn kind name depth browserUrl }
    edges { kind from to current intervals { from to firstRun lastRun } }
    truncated { reason next }
  }
}
`,
    variables: { urn: ORDERS },
  },
  {
    query: `# What has happened to it, the latest first
query History($urn: ID!) {
  changes(urn: $urn, first: 20) {
    nodes { commit at actor item { operation version before after } }
  }
}
`,
    variables: { urn: ORDERS },
  },
  {
    query: `# Watch the graph: give the cursor of the last event as "after" to go on from there
subscription Watch($filter: GraphChangeFilter, $after: String) {
  graphChanges(filter: $filter, after: $after) {
    kind cursor at
    changes { cursor actor items { operation urn kind to version before after } }
  }
}
`,
    variables: { filter: { kinds: ['Dataset', 'TAGGED'] }, after: null },
  },
  {
    query: `# Define a kind of your own, or add to it
mutation Define($input: DefineEntityKindInput!) {
  defineEntityKind(input: $input) {
    kind { name urnKind keyParts properties { name type required } links { kind to } }
    commit
    userErrors { code field message }
  }
}
`,
    variables: {
      input: {
        name: 'ExampleReport',
        description: 'A report that people read.',
        keyParts: ['name'],
        properties: [{ name: 'audience', type: 'STRING', description: 'Who reads it.' }],
        links: [{ kind: 'SHOWS', to: ['Dataset'], description: 'Shows data of a data set.' }],
      },
    },
  },
  {
    query: `# Every kind there is
query Kinds {
  entityKinds { name origin description urnKind keyParts links { kind to } }
}
`,
  },
  {
    query: `# Data sets with columns, tags and the jobs that write them
query Datasets {
  datasets(where: { namespace: { startsWith: "example" } }, limit: 10, sort: [{ name: ASC }]) {
    urn name rowCount
    fields(first: 20) { name type nullable }
    tags(first: 5) { name }
    producers(first: 5) { name }
  }
}
`,
  },
  {
    query: `# Where every unit of ingestion stands
query Statuses {
  ingestionStatuses {
    nodes { endpointId unitId sinkId state rowsRead rowsWritten cursor { field value } error { code message } }
  }
}
`,
  },
  {
    query: `# The latest runs
query Runs {
  ingestionRuns(first: 10) {
    nodes { id endpointId unitId state startedAt endedAt stats browserUrl }
  }
}
`,
  },
  {
    query: `# What can be connected
query Templates {
  metadataEndpointTemplates { id title role capabilities writeModes configSchema }
}
`,
  },
  {
    query: `# Runs as they happen
subscription RunEvents {
  ingestionRunEvents {
    kind cursor at
    run { id unitId state }
    progress { unitId phase rowsRead rowsWritten rowsPerSecond }
  }
}
`,
  },
];
