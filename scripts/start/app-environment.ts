import { join } from 'node:path';
import { LAYOUT } from './layout.js';

export interface AppEnvironmentInput {
  /** Undefined for a process that does not know Neo4j. */
  readonly neo4j: { readonly uri: string; readonly user: string; readonly browserUrl: string | undefined } | undefined;
  /** Undefined when Neo4j is the user's: then its password comes from the user's own variables. */
  readonly ownNeo4jPasswordFile: string | undefined;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly apiPort: number;
  readonly eventsUrl: string;
  readonly secretKeyFile: string;
  readonly internalTokenFile: string;
}

function neo4jEnvironment({ neo4j, ownNeo4jPasswordFile }: AppEnvironmentInput): Record<string, string | undefined> {
  if (!neo4j) return {};
  const ownPassword = { NEO4J_PASSWORD: undefined, NEO4J_PASSWORD_FILE: ownNeo4jPasswordFile };
  return {
    NEO4J_URI: neo4j.uri,
    NEO4J_USER: neo4j.user,
    NEO4J_BROWSER_URL: neo4j.browserUrl,
    ...(ownNeo4jPasswordFile === undefined ? {} : ownPassword),
  };
}

/** The variables of our own three processes. Secrets go by file: a variable shows up in process listings and crash reports. */
export function appEnvironment(input: AppEnvironmentInput): Record<string, string | undefined> {
  return {
    HOST: '127.0.0.1',
    PORT: String(input.apiPort),
    ...neo4jEnvironment(input),
    TEMPORAL_ADDRESS: input.temporal.address,
    TEMPORAL_NAMESPACE: input.temporal.namespace,
    KV_PATH: join(LAYOUT.data, 'kv'),
    LINEAGE_INBOX_PATH: join(LAYOUT.data, 'lineage-inbox'),
    STAGING_ROOT: join(LAYOUT.data, 'staging'),
    METADATA_ROOT: join(LAYOUT.data, 'metadata'),
    SPARK_JARS_DIR: LAYOUT.sparkJars,
    NUCLEUS_SECRET_KEY: undefined,
    NUCLEUS_SECRET_KEY_FILE: input.secretKeyFile,
    NUCLEUS_INTERNAL_TOKEN: undefined,
    NUCLEUS_INTERNAL_TOKEN_FILE: input.internalTokenFile,
    NUCLEUS_EVENTS_URL: input.eventsUrl,
  };
}
