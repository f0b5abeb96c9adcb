import { readFileSync } from 'node:fs';

/** Servers that the user has, to be used instead of started. */
export interface GivenServers {
  readonly neo4j: { readonly uri: string; readonly user: string } | undefined;
  readonly temporal: { readonly address: string; readonly namespace: string } | undefined;
  readonly demoPostgresUrl: string | undefined;
  readonly apiPort: number | undefined;
  readonly apiToken: string | undefined;
}

/** Everything that the set of given variables has wrong, in one error. */
export class EnvironmentError extends Error {
  constructor(problems: readonly string[]) {
    super(`the environment does not fit:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'EnvironmentError';
  }
}

/** @throws EnvironmentError */
export function readGivenServers(env: NodeJS.ProcessEnv): GivenServers {
  const problems: string[] = [];
  const { NEO4J_URI, TEMPORAL_ADDRESS, DEMO_POSTGRES_URL, PORT } = env;

  if (NEO4J_URI && !env.NEO4J_PASSWORD && !env.NEO4J_PASSWORD_FILE) {
    problems.push('NEO4J_URI is set, so NEO4J_PASSWORD or NEO4J_PASSWORD_FILE must be set too');
  }
  if (DEMO_POSTGRES_URL && !isPostgresUrl(DEMO_POSTGRES_URL)) {
    problems.push('DEMO_POSTGRES_URL must read postgresql://user:password@host:port/database');
  }
  const apiPort = PORT ? Number(PORT) : undefined;
  if (apiPort !== undefined && !(Number.isInteger(apiPort) && apiPort > 0 && apiPort <= 65_535)) {
    problems.push('PORT must be a port number from 1 to 65535');
  }
  if (problems.length > 0) throw new EnvironmentError(problems);
  return {
    neo4j: NEO4J_URI ? { uri: NEO4J_URI, user: env.NEO4J_USER ?? 'neo4j' } : undefined,
    temporal: TEMPORAL_ADDRESS
      ? { address: TEMPORAL_ADDRESS, namespace: env.TEMPORAL_NAMESPACE ?? 'nucleus' }
      : undefined,
    demoPostgresUrl: DEMO_POSTGRES_URL || undefined,
    apiPort,
    apiToken: env.NUCLEUS_API_TOKEN || readOptional(env.NUCLEUS_API_TOKEN_FILE),
  };
}

function readOptional(file: string | undefined): string | undefined {
  return file ? readFileSync(file, 'utf8').trim() : undefined;
}

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== '' && url.username !== '' && url.pathname.length > 1;
}
