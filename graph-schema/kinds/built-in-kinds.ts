import type { KindDefinition, LinkDefinition, PropertyDefinition } from './kind-definition.js';

type Properties = Readonly<Record<string, PropertyDefinition>>;

const text = (description: string): PropertyDefinition => ({ type: 'STRING', description });

/** What people want to say about anything in a catalog. */
const DESCRIBED: Properties = {
  description: text('Free text.'),
  externalUrl: text('Where people find it in the system that it comes from.'),
  attributes: { type: 'JSON', description: 'Whatever else is known, as one JSON value; replaced as a whole.' },
};

/** What the systems that people work in say of their things. */
const TRACKED: Properties = {
  status: text('Where it stands, in the words of the system.'),
  type: text('What sort of thing it is, in the words of the system.'),
  sourceCreatedAt: { type: 'DATE_TIME', description: 'When it was made, by the clock of the system.' },
  sourceUpdatedAt: { type: 'DATE_TIME', description: 'When it was last changed there.' },
};

const AUTHORED: readonly LinkDefinition[] = [
  { kind: 'AUTHORED_BY', to: ['Person'], description: 'Was made by somebody.' },
];

/** What OpenLineage says of a thing, facet by facet. */
const FACETS: Properties = {
  facets: { type: 'JSON', description: 'Facets of OpenLineage by their names, as they were sent last.' },
};

/** Links that every kind may have, in the words that users of other catalogs know. */
export const COMMON_LINKS: readonly LinkDefinition[] = [
  { kind: 'TAGGED', to: ['Tag'], description: 'Carries a tag.' },
  {
    kind: 'OWNED_BY',
    to: ['Owner'],
    properties: { role: text('What the owner answers for, for instance `technical` or `business`.') },
    description: 'Is looked after by a person or a group.',
  },
  { kind: 'HAS_TERM', to: ['GlossaryTerm'], description: 'Is meant by a term of the glossary.' },
  { kind: 'IN_DOMAIN', to: ['Domain'], description: 'Belongs to a domain of the business.' },
];

const catalog = (kind: Omit<KindDefinition, 'origin' | 'links'> & { links?: readonly LinkDefinition[] }) => ({
  ...kind,
  origin: 'CATALOG' as const,
  properties: { ...DESCRIBED, ...kind.properties },
  links: [...COMMON_LINKS, ...(kind.links ?? [])],
});

const platform = (kind: Omit<KindDefinition, 'origin' | 'links'> & { links?: readonly LinkDefinition[] }) => ({
  ...kind,
  origin: 'PLATFORM' as const,
  links: [...COMMON_LINKS, ...(kind.links ?? [])],
});

/** The kinds that ship with Nucleus. Where a node carries the labels of two of them the first here is the most specific. */
export const BUILT_IN_KINDS: readonly KindDefinition[] = [
  platform({
    name: 'MetadataEndpointTemplate',
    description: 'A kind of endpoint that the Python workers offer.',
    urnKind: 'template',
    keyParts: ['id'],
    properties: {
      vendor: text('Vendor of the system.'),
      description: text('What it connects to.'),
      role: text('source, staging or sink.'),
    },
  }),
  platform({
    name: 'MetadataEndpoint',
    description: 'A registered source or sink.',
    urnKind: 'endpoint',
    keyParts: ['id'],
    properties: {
      templateId: text('Id of its template.'),
      vendor: text('Vendor of the system.'),
      role: text('source, staging or sink.'),
      config: { type: 'JSON', hidden: true, description: 'Its config; the ingestion queries show it without secrets.' },
    },
  }),
  platform({
    name: 'IngestionUnit',
    description: 'A unit of ingestion, which is a job.',
    urnKind: 'job',
    keyParts: ['namespace', 'name'],
    properties: {
      id: text('Id within its endpoint.'),
      endpointId: text('Id of the endpoint that it reads.'),
      object: { type: 'JSON', description: 'What it reads.' },
      mode: text('full or incremental.'),
      cursorField: text('Column of the watermark.'),
      primaryKey: { type: 'STRING_LIST', description: 'Columns that identify a row.' },
    },
  }),
  platform({
    name: 'IngestionUnitState',
    description: 'Where a unit stands with one of its sinks.',
    urnKind: 'unit-state',
    keyParts: ['endpointId', 'unitId', 'sinkId'],
    properties: {
      state: text('IDLE, RUNNING, SUCCEEDED, FAILED, CANCELLED or PAUSED.'),
      lastRunId: text('Id of the latest run.'),
      rowsRead: { type: 'INTEGER' },
      rowsWritten: { type: 'INTEGER' },
      startedAt: { type: 'DATE_TIME' },
      endedAt: { type: 'DATE_TIME' },
    },
  }),
  platform({
    name: 'IngestionRun',
    description: 'One run of an ingestion unit.',
    urnKind: 'run',
    keyParts: ['id'],
    properties: {
      endpointId: text('Id of the source.'),
      unitId: text('Id of the unit.'),
      sinkId: text('Id of the sink.'),
      state: text('QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.'),
      stats: { type: 'JSON' },
      startedAt: { type: 'DATE_TIME' },
      endedAt: { type: 'DATE_TIME' },
      errorCode: text('Code of the error that ended it.'),
      errorMessage: text('What went wrong.'),
    },
  }),
  platform({
    name: 'Checkpoint',
    description: 'How far a unit has come with one of its sinks.',
    urnKind: 'checkpoint',
    keyParts: ['endpointId', 'unitId', 'sinkId', 'generation', 'checkpointVersion'],
    properties: { cursorField: text('Column of the cursor.'), cursorValue: text('Value of the cursor.') },
  }),
  platform({
    name: 'EndpointTest',
    description: 'A connection test of an endpoint.',
    urnKind: 'endpoint-test',
    keyParts: ['id'],
    properties: {
      endpointId: text('Id of the endpoint.'),
      endpointVersion: { type: 'INTEGER', description: 'Version of the endpoint whose config was tested.' },
      passed: { type: 'BOOLEAN', description: 'Whether no step failed.' },
      checks: { type: 'JSON', description: 'Its steps in order, with what each found.' },
      startedAt: { type: 'DATE_TIME' },
      endedAt: { type: 'DATE_TIME' },
      errorCode: text('Code of the error that kept it from being carried out.'),
      errorMessage: text('What went wrong.'),
    },
  }),
  platform({
    name: 'MetadataCollection',
    description: 'A look through a source for what it has.',
    urnKind: 'metadata-collection',
    keyParts: ['id'],
    properties: {
      endpointId: text('Id of the source.'),
      state: text('RUNNING, SUCCEEDED, FAILED or CANCELLED.'),
      phase: text('What it does while it runs: COLLECTING, APPLYING or REMOVING.'),
      scope: { type: 'STRING_LIST', description: 'Parts of the source that were looked at; none means all.' },
      counts: { type: 'JSON', description: 'What was found, by sort.' },
      files: { type: 'INTEGER', description: 'Files that the data worker has left.' },
      filesApplied: { type: 'INTEGER', description: 'Those that are in the graph.' },
      problems: { type: 'JSON', description: 'Rows and files that were refused, the first of them.' },
      removals: { type: 'JSON', description: 'What has vanished from each scope, and whether it was removed.' },
      startedAt: { type: 'DATE_TIME' },
      endedAt: { type: 'DATE_TIME' },
      errorCode: text('Code of the error that ended it.'),
      errorMessage: text('What went wrong.'),
    },
  }),
  platform({
    name: 'DatasetVersion',
    description: 'One state of a data set.',
    urnKind: 'dataset-version',
    keyParts: ['namespace', 'dataset', 'datasetVersion'],
    properties: {
      schema: { type: 'JSON', description: 'Fields with their types.' },
      writtenAt: { type: 'DATE_TIME', description: 'When a run wrote it last.' },
    },
  }),
  catalog({
    name: 'Dataset',
    description: 'A table, file, topic or other set of data, named as in OpenLineage.',
    urnKind: 'dataset',
    keyParts: ['namespace', 'name'],
    properties: {
      type: text('For instance `table`, `view` or `topic`.'),
      format: text('For instance `iceberg` or `parquet`.'),
      rowCount: { type: 'INTEGER', description: 'Rows when last counted.' },
      sizeBytes: { type: 'INTEGER', description: 'Bytes when last measured.' },
      aliases: { type: 'STRING_LIST', description: 'Urns of the same data under other names.' },
      ...FACETS,
    },
    links: [{ kind: 'HAS_FIELD', to: ['Field'], description: 'Has a column.' }],
  }),
  catalog({
    name: 'Field',
    description: 'A column of a data set.',
    urnKind: 'field',
    keyParts: ['namespace', 'dataset', 'name'],
    properties: {
      type: text('Type as the system names it.'),
      nullable: { type: 'BOOLEAN' },
      ordinal: { type: 'INTEGER', description: 'Place in the data set, from 1.' },
    },
    links: [
      {
        kind: 'DERIVES',
        to: ['Field'],
        properties: {
          via: text('Urn of the job, or of the data set where no job is known, that has said so last.'),
          transformations: { type: 'JSON', description: 'How, as OpenLineage has it.' },
        },
        description: 'Feeds a column.',
      },
    ],
  }),
  catalog({
    name: 'Job',
    description: 'A process that reads and writes data sets, named as in OpenLineage.',
    urnKind: 'job',
    keyParts: ['namespace', 'name'],
    properties: { type: text('For instance `batch` or `streaming`.'), ...FACETS },
  }),
  platform({
    name: 'Run',
    description: 'One run of a job.',
    urnKind: 'run',
    keyParts: ['id'],
    properties: {
      state: text('OTHER, RUNNING, COMPLETE, ABORT or FAIL, as OpenLineage has them.'),
      startedAt: { type: 'DATE_TIME' },
      endedAt: { type: 'DATE_TIME' },
      errorMessage: text('What went wrong.'),
      root: text('Urn of the run at the top, of which this is a part.'),
      rolledBackAt: { type: 'DATE_TIME', description: 'When somebody took back what it has said.' },
      rolledBackBy: text('Who did.'),
      rollBackReason: text('Why.'),
      ...FACETS,
    },
  }),
  catalog({
    name: 'Tag',
    description: 'A short label that groups things.',
    urnKind: 'tag',
    keyParts: ['name'],
    properties: { color: text('Colour in which it is drawn, as `#rrggbb`.') },
  }),
  catalog({
    name: 'Owner',
    description: 'A person or a group that looks after things.',
    urnKind: 'owner',
    keyParts: ['id'],
    properties: { type: text('`person` or `group`.'), email: text('Where to write to.') },
  }),
  catalog({
    name: 'GlossaryTerm',
    description: 'A term of the business with its meaning.',
    urnKind: 'term',
    keyParts: ['glossary', 'name'],
    properties: { definition: text('What the term means.') },
    links: [{ kind: 'BROADER', to: ['GlossaryTerm'], description: 'Is a special case of a broader term.' }],
  }),
  catalog({
    name: 'Domain',
    description: 'A part of the business that data belongs to.',
    urnKind: 'domain',
    keyParts: ['name'],
    properties: {},
    links: [{ kind: 'PART_OF', to: ['Domain'], description: 'Is a part of a larger domain.' }],
  }),
  catalog({
    name: 'Person',
    description: 'Somebody with an account in a system that is read, by the id of the account.',
    urnKind: 'person',
    keyParts: ['namespace', 'id'],
    properties: { active: { type: 'BOOLEAN', description: 'Whether the account can be used.' } },
  }),
  catalog({
    name: 'Project',
    description: 'A project of issues.',
    urnKind: 'project',
    keyParts: ['namespace', 'id'],
    properties: { key: text('Short name, which begins the keys of its issues.') },
  }),
  catalog({
    name: 'Issue',
    description: 'A task, fault or wish that is tracked. The caption is its summary.',
    urnKind: 'issue',
    keyParts: ['namespace', 'id'],
    properties: { key: text('Key that people know it by; a new one after a move.'), ...TRACKED },
    links: [
      { kind: 'IN_PROJECT', to: ['Project'], description: 'Belongs to a project.' },
      { kind: 'CHILD_OF', to: ['Issue'], description: 'Is a part of a larger issue.' },
      { kind: 'RELATES_TO', to: ['Issue'], description: 'Is linked to another issue.' },
      { kind: 'ASSIGNED_TO', to: ['Person'], description: 'Is worked on by somebody.' },
      ...AUTHORED,
    ],
  }),
  catalog({
    name: 'Space',
    description: 'A space of pages.',
    urnKind: 'space',
    keyParts: ['namespace', 'id'],
    properties: { key: text('Short name.') },
  }),
  catalog({
    name: 'Page',
    description: 'A page that people write. The caption is its title.',
    urnKind: 'page',
    keyParts: ['namespace', 'id'],
    properties: TRACKED,
    links: [
      { kind: 'IN_SPACE', to: ['Space'], description: 'Belongs to a space.' },
      { kind: 'CHILD_OF', to: ['Page'], description: 'Stands below another page.' },
      ...AUTHORED,
    ],
  }),
  catalog({
    name: 'File',
    description: 'A file or folder of a drive.',
    urnKind: 'file',
    keyParts: ['namespace', 'id'],
    properties: {
      ...TRACKED,
      folder: { type: 'BOOLEAN', description: 'Whether it is a folder.' },
      size: { type: 'INTEGER', description: 'Bytes.' },
      mediaType: text('For instance `application/pdf`.'),
    },
    links: [{ kind: 'CHILD_OF', to: ['File'], description: 'Lies in a folder.' }, ...AUTHORED],
  }),
  platform({
    name: 'KindDefinition',
    description: 'A kind of entity that users have defined.',
    urnKind: 'kind',
    keyParts: ['name'],
    properties: {
      description: text('What it stands for.'),
      urnKind: text('The second part of its urns.'),
      keyParts: { type: 'STRING_LIST', description: 'What the parts of its urns are called.' },
      declares: { type: 'JSON', description: 'Its properties and links.' },
    },
  }),
];
