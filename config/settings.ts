import { z } from 'zod';

/** The processes that read settings. The Python worker reads its own with the same names. */
export type SettingReader = 'server' | 'worker' | 'python';

export interface Setting {
  readonly description: string;
  readonly schema: z.ZodType;
  readonly readBy: readonly SettingReader[];
  /** Text of the default as a user would write it; absent when the setting is required or simply off. */
  readonly default?: string;
  readonly required?: true;
  /** A secret may come from the file that `<NAME>_FILE` names instead, and is never shown. */
  readonly secret?: true;
}

const text = z.string().min(1);
const secretText = z.string().min(1);
const positiveInteger = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Every setting, once: the loader, `.env.example` and docs/configuration.md are made from this table. */
export const SETTINGS = {
  HOST: {
    description: 'Address that the server binds to. Anything but loopback needs NUCLEUS_API_TOKEN.',
    schema: text,
    readBy: ['server'],
    default: '127.0.0.1',
  },
  PORT: {
    description: 'TCP port of the server; 0 takes a free one.',
    schema: z.coerce.number().int().min(0).max(65_535),
    readBy: ['server'],
    default: '4000',
  },
  NUCLEUS_API_TOKEN: {
    description:
      'Bearer token that callers of the API must send. Off on loopback when not set. At least 24 characters.',
    schema: secretText.min(24, 'must have at least 24 characters'),
    readBy: ['server'],
    secret: true,
  },
  NUCLEUS_INTERNAL_TOKEN: {
    description:
      'Bearer token with which workers post progress to the server; Python needs it where NUCLEUS_EVENTS_URL is set. At least 24 characters.',
    schema: secretText.min(24, 'must have at least 24 characters'),
    readBy: ['server', 'python'],
    required: true,
    secret: true,
  },
  NUCLEUS_SECRET_KEY: {
    description:
      'Key that seals secret fields of endpoint configs: 32 bytes in base64. Server and Python worker share it.',
    schema: secretText,
    readBy: ['server', 'python'],
    required: true,
    secret: true,
  },
  NUCLEUS_EVENTS_URL: {
    description:
      'Where Python workers post progress, e.g. http://127.0.0.1:4000/internal/ingestion-events. Nothing is posted when not set.',
    schema: z.url(),
    readBy: ['python'],
  },
  BULK_MAX_BYTES: {
    description: 'Bytes that the body of one bulk request may have, also after unpacking gzip.',
    schema: z.coerce.number().int().min(1_024).max(268_435_456),
    readBy: ['server'],
    default: '67108864',
  },
  LINEAGE_INBOX_PATH: {
    description:
      'Folder in which events of OpenLineage wait for the graph; on a local disk, and not the folder of KV_PATH. A copy from before must never be put back: start with an empty folder instead.',
    schema: text,
    readBy: ['server'],
    default: '.nucleus/data/lineage-inbox',
  },
  LINEAGE_MAX_BYTES: {
    description: 'Bytes that the body of one request with OpenLineage events may have, also after unpacking gzip.',
    schema: z.coerce.number().int().min(1_024).max(268_435_456),
    readBy: ['server'],
    default: '16777216',
  },
  LINEAGE_BATCH_EVENTS: {
    description: 'Events that are written into the graph in one transaction at most.',
    schema: z.coerce.number().int().min(1).max(10_000),
    readBy: ['server'],
    default: '1000',
  },
  LINEAGE_BATCH_BYTES: {
    description:
      'Bytes of events that are written into the graph in one transaction at most; a larger event goes alone.',
    schema: z.coerce.number().int().min(1_024).max(268_435_456),
    readBy: ['server'],
    default: '8388608',
  },
  LINEAGE_WAIT_MS: {
    description:
      'Milliseconds that a request with `?wait=committed`, and a mutation that edits lineage, waits for the graph before it is answered with 504 or TIMEOUT; for so long a mutation that applies retention goes on.',
    schema: z.coerce.number().int().min(1).max(600_000),
    readBy: ['server'],
    default: '10000',
  },
  HTTP_ALLOWED_NETWORKS: {
    description:
      'Networks that HTTP sources may reach beside public addresses, comma-separated, such as 10.0.0.0/8,fd00::/8; without it private, loopback and link-local addresses are refused.',
    schema: z.string().regex(/^[0-9A-Fa-f.:/, ]*$/, 'must be networks such as 10.0.0.0/8, joined by commas'),
    readBy: ['python'],
  },
  LINEAGE_RETENTION_DAYS: {
    description:
      'Days after its last event for which a run that events of OpenLineage tell of stays in the graph; 0 keeps all. docs/lineage-retention.md says what else stays.',
    schema: z.coerce.number().min(0).max(36_500),
    readBy: ['server'],
    default: '0',
  },
  LINEAGE_RETENTION_RUNS: {
    description: 'Latest runs of each job that stay in any case where LINEAGE_RETENTION_DAYS is not 0.',
    schema: z.coerce.number().int().min(0).max(1_000),
    readBy: ['server'],
    default: '10',
  },
  METADATA_ROOT: {
    description:
      'Folder in which runs leave files of metadata for the graph, and previews their rows; server and workers must reach it, and the server must be able to remove what the Python worker has written.',
    schema: text,
    readBy: ['server', 'worker', 'python'],
    default: '.nucleus/data/metadata',
  },
  MASKED_TAGS: {
    description:
      'Names of tags, with commas between them: values of a column that carries one of them, or whose data set does, are not shown by previews.',
    schema: z
      .string()
      .regex(/^[^\s,][^,]*(,[^,]+)*$/, 'must be names with commas between them')
      .transform((names) => names.split(',').map((name) => name.trim())),
    readBy: ['server'],
    default: 'pii,sensitive',
  },
  NEO4J_URI: {
    description: 'Bolt address of Neo4j 5.26 or later with APOC core.',
    schema: z.string().regex(/^(bolt|neo4j)(\+s|\+ssc)?:\/\/.+/, 'must be a bolt:// or neo4j:// address'),
    readBy: ['server', 'worker'],
    default: 'bolt://127.0.0.1:7687',
  },
  NEO4J_USER: { description: 'Neo4j user.', schema: text, readBy: ['server', 'worker'], default: 'neo4j' },
  NEO4J_PASSWORD: {
    description: 'Password of that user.',
    schema: secretText,
    readBy: ['server', 'worker'],
    required: true,
    secret: true,
  },
  NEO4J_BROWSER_URL: {
    description: 'Address of Neo4j Browser as people reach it; every entity then carries a browserUrl.',
    schema: z.url(),
    readBy: ['server'],
  },
  GRAPHQL_MAX_DEPTH: {
    description: 'Levels of fields that one operation may have. docs/limits.md explains this and the following limits.',
    schema: z.coerce.number().int().min(1).max(100),
    readBy: ['server'],
    default: '15',
  },
  GRAPHQL_MAX_COST: {
    description: 'Fields that one answer may hold at most; page sizes multiply what lies below them.',
    schema: positiveInteger,
    readBy: ['server'],
    default: '100000',
  },
  GRAPHQL_MAX_TOKENS: {
    description: 'Tokens that the text of one operation may have. Values in variables do not count.',
    schema: positiveInteger,
    readBy: ['server'],
    default: '10000',
  },
  GRAPHQL_MAX_BODY_BYTES: {
    description: 'Bytes that one HTTP body or WebSocket message of GraphQL may have.',
    schema: positiveInteger,
    readBy: ['server'],
    default: '1048576',
  },
  GRAPHQL_MAX_SOCKET_OPERATIONS: {
    description: 'Operations, subscriptions among them, that one WebSocket may have open at once.',
    schema: positiveInteger,
    readBy: ['server'],
    default: '100',
  },
  GRAPHQL_TIMEOUT_MS: {
    description: 'Milliseconds that a query or mutation over HTTP may take.',
    schema: positiveInteger,
    readBy: ['server'],
    default: '30000',
  },
  TEMPORAL_ADDRESS: {
    description: 'host:port of the Temporal frontend.',
    schema: z.string().regex(/^[^\s:]+:\d+$/, 'must be host:port'),
    readBy: ['server', 'worker', 'python'],
    default: '127.0.0.1:7233',
  },
  TEMPORAL_NAMESPACE: {
    description: 'Temporal namespace.',
    schema: text,
    readBy: ['server', 'worker', 'python'],
    default: 'nucleus',
  },
  KV_PATH: {
    description: 'Folder of the LMDB environment that holds the checkpoints.',
    schema: text,
    readBy: ['worker'],
    default: '.nucleus/data/kv',
  },
  STAGING_ROOT: {
    description: 'Folder of the local_directory staging provider, and of files that the other providers put on disk.',
    schema: text,
    readBy: ['python'],
    default: '.nucleus/data/staging',
  },
  STAGING_URL: {
    description:
      'Directory of the hdfs_directory staging provider, as hdfs://host:port/path; without it there is none.',
    schema: z.string().regex(/^hdfs:\/\/[^/?#@\s]+(\/[^/?#\s]+)+\/?$/, 'must be hdfs://host:port/path'),
    readBy: ['python'],
  },
  STAGING_MEMORY_BYTES: {
    description:
      'Bytes of memory that the in_memory staging provider may hold, all slices together; what is beyond goes to STAGING_ROOT.',
    schema: z.coerce.number().int().min(0),
    readBy: ['python'],
    default: '268435456',
  },
  SPARK_JARS_DIR: {
    description: 'Folder of the jars that Spark loads: the Iceberg runtime and the Postgres driver.',
    schema: text,
    readBy: ['python'],
    default: '.nucleus/jars/spark',
  },
  CHANGE_RETENTION_DAYS: {
    description:
      'Days for which changes stay in the change log, so how long a subscriber can be away and still resume; 0 keeps all.',
    schema: z.coerce.number().min(0).max(36_500),
    readBy: ['server'],
    default: '30',
  },
  LOG_LEVEL: {
    description: 'trace, debug, info, warn, error or fatal.',
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
    readBy: ['server', 'worker', 'python'],
    default: 'info',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
