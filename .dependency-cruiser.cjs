/**
 * The walls between the rooms; ARCHITECTURE.md says why they stand where they do. A room is entered by its `index.ts`.
 */
const ROOMS = ['errors', 'config', 'graph-schema', 'graph-store', 'kv', 'ingestion', 'server', 'client'];

/** Which rooms each room may import, its own files aside. */
const MAY_IMPORT = {
  errors: [],
  config: [],
  'graph-schema': [],
  'graph-store': ['errors', 'graph-schema'],
  kv: ['errors'],
  ingestion: ['config', 'errors', 'graph-schema', 'graph-store', 'kv'],
  server: ['config', 'errors', 'graph-schema', 'graph-store', 'ingestion'],
  // Published alone: what it knows of the server is the SDL.
  client: [],
};

const walls = ROOMS.map((room) => {
  const forbidden = [...ROOMS, 'scripts', 'bench', 'test'].filter(
    (other) => other !== room && !MAY_IMPORT[room].includes(other),
  );
  return {
    name: `${room}-wall`,
    severity: 'error',
    comment: `${room} may import only ${['itself', ...MAY_IMPORT[room]].join(', ')}`,
    from: { path: `^${room}/` },
    to: { path: `^(${forbidden.join('|')})/` },
  };
});

const doors = ROOMS.map((room) => ({
  name: `${room}-door`,
  severity: 'error',
  comment: `other rooms enter ${room} by its index.ts`,
  from: { path: `^(${[...ROOMS, 'scripts'].filter((other) => other !== room).join('|')})/` },
  to: {
    path: `^${room}/`,
    pathNot: room === 'ingestion' ? '^ingestion/(contracts/)?index\\.ts$' : `^${room}/index\\.ts$`,
  },
}));

module.exports = {
  forbidden: [
    ...walls,
    ...doors,
    {
      name: 'workflows-are-deterministic',
      severity: 'error',
      comment: 'workflow code may import only the contracts and @temporalio/workflow: it is replayed',
      from: { path: '^ingestion/workflows/' },
      to: { pathNot: '^(ingestion/(workflows|contracts)/|node_modules/@temporalio/workflow/)' },
    },
    {
      name: 'pure-graph-schema',
      severity: 'error',
      comment: 'graph-schema is pure: no driver, no I/O',
      from: { path: '^graph-schema/' },
      to: { pathNot: '^graph-schema/' },
    },
    {
      name: 'only-graph-store-opens-neo4j',
      severity: 'error',
      comment: 'graph-store is the one door to Neo4j',
      from: { path: '^(errors|config|graph-schema|kv|ingestion|server)/' },
      to: { path: 'node_modules/neo4j-driver' },
    },
    {
      name: 'only-kv-opens-lmdb',
      severity: 'error',
      comment: 'kv is the one door to LMDB; a benchmark opens it bare as its baseline',
      from: { pathNot: '^(kv|bench)/' },
      to: { path: 'node_modules/lmdb' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages-in-production',
      severity: 'error',
      from: { path: `^(${ROOMS.join('|')})/` },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
    skipAnalysisNotInRules: true,
  },
};
