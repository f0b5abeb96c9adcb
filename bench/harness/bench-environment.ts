import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import neo4j from 'neo4j-driver';
import { openRunFolder, REPOSITORY_ROOT, type RunFolder, type RunningNeo4j, startNeo4j } from '#stack';

/** On the disk of the checkout: a temporary folder may lie in memory, where a flush costs nothing. */
const PARENT = join(REPOSITORY_ROOT, '.nucleus', 'bench');

/** What a benchmark may use; all of it ends with the benchmark, also when that fails or is interrupted. */
export interface BenchEnvironment {
  readonly quick: boolean;
  readonly signal: AbortSignal;
  /** An empty folder on a real disk. */
  readonly folder: string;
  /** Data folder and record file for a server of #stack: a recorded process is ended even after a crash of the harness. */
  place(name: string): { dataDir: string; recordFile: string; signal: AbortSignal };
  /** Disposes of it when the benchmark ends; the latest first. */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource;
  /** A Neo4j of the benchmark's own, empty. */
  startNeo4j(): Promise<RunningNeo4j>;
}

export interface OpenedEnvironment extends BenchEnvironment, AsyncDisposable {
  /** Of the servers that were started, by name, for the result. */
  readonly serverVersions: Readonly<Record<string, string>>;
}

/** Opens the place where one benchmark runs. */
export async function openBenchEnvironment(options: {
  quick: boolean;
  signal: AbortSignal;
}): Promise<OpenedEnvironment> {
  const folder: RunFolder = await openRunFolder(PARENT, 'run-');
  const resources: AsyncDisposable[] = [folder];
  const serverVersions: Record<string, string> = {};
  const environment: OpenedEnvironment = {
    ...options,
    folder: folder.path,
    serverVersions,
    place: (name) => ({ ...folder.place(name), signal: options.signal }),
    use: (resource) => {
      resources.push(resource);
      return resource;
    },
    startNeo4j: async () => {
      const password = randomBytes(12).toString('base64url');
      const server = await startNeo4j({
        ...environment.place(`neo4j-${resources.length}`),
        password,
        heapMiB: 2048,
        pageCacheMiB: 1024,
      });
      environment.use(server);
      serverVersions.neo4j = await neo4jVersion(server);
      return server;
    },
    [Symbol.asyncDispose]: async () => {
      const failures: unknown[] = [];
      for (const resource of resources.reverse()) {
        try {
          await resource[Symbol.asyncDispose]();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, 'what the benchmark had opened did not all close');
    },
  };
  return environment;
}

async function neo4jVersion({ uri, user, password }: RunningNeo4j): Promise<string> {
  const driver = neo4j.driver(uri, neo4j.auth.basic(user, password));
  try {
    const statement = 'CALL dbms.components() YIELD versions, edition RETURN versions[0] + " " + edition AS version';
    const { records } = await driver.executeQuery(statement);
    return records[0]?.get('version') ?? 'unknown';
  } finally {
    await driver.close();
  }
}
