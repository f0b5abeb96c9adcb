import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { INTERNAL_EVENTS_PATH } from '#ingestion/contracts';
import { REPOSITORY_ROOT, startApp, startNeo4j, startPostgres, startTemporal } from '#stack';
import { appEnvironment } from './app-environment.js';
import type { GivenServers } from './environment.js';
import { LAYOUT, placeOf } from './layout.js';
import type { Ports } from './ports.js';
import type { Secret, SecretName } from './secrets.js';
import type { Supervisor } from './supervisor.js';

export interface StackPlan {
  readonly given: GivenServers;
  readonly ports: Ports;
  readonly secrets: Readonly<Record<SecretName, Secret>>;
  readonly supervisor: Supervisor;
  readonly signal: AbortSignal;
  /** Told of each part when its start begins and when it is ready. */
  readonly onStarting: (name: string) => void;
  readonly onReady: (name: string, address: string) => void;
}

export interface LaunchedStack {
  readonly apiUrl: string;
  readonly demoPostgresUrl: string;
  readonly neo4j: { readonly uri: string; readonly user: string; readonly browserUrl: string | undefined };
  readonly temporal: { readonly namespace: string; readonly uiUrl: string | undefined };
}

async function launchNeo4j(plan: StackPlan): Promise<LaunchedStack['neo4j']> {
  if (plan.given.neo4j) return { ...plan.given.neo4j, browserUrl: undefined };
  plan.onStarting('neo4j');
  const { uri, user, httpUrl } = await plan.supervisor.start({
    name: 'neo4j',
    start: (signal) =>
      startNeo4j({
        ...placeOf('neo4j'),
        password: plan.secrets['neo4j-password'].value,
        boltPort: plan.ports.neo4jBolt,
        httpPort: plan.ports.neo4jHttp,
        signal,
      }),
  });
  plan.onReady('neo4j', uri);
  return { uri, user, browserUrl: `${httpUrl}/browser/` };
}

async function launchTemporal(plan: StackPlan): Promise<{ address: string } & LaunchedStack['temporal']> {
  if (plan.given.temporal) return { ...plan.given.temporal, uiUrl: undefined };
  plan.onStarting('temporal');
  const { address, namespace, uiUrl } = await plan.supervisor.start({
    name: 'temporal',
    start: (signal) =>
      startTemporal({
        ...placeOf('temporal'),
        port: plan.ports.temporal,
        uiPort: plan.ports.temporalUi,
        signal,
      }),
  });
  plan.onReady('temporal', address);
  return { address, namespace, uiUrl };
}

async function launchDemoPostgres(plan: StackPlan): Promise<string> {
  let url = plan.given.demoPostgresUrl;
  if (url === undefined) {
    plan.onStarting('postgres');
    const postgres = await plan.supervisor.start({
      name: 'postgres',
      start: (signal) =>
        startPostgres({
          ...placeOf('postgres'),
          password: plan.secrets['postgres-password'].value,
          port: plan.ports.postgres,
          database: 'nycflights',
          signal,
        }),
    });
    plan.onReady('postgres', `127.0.0.1:${postgres.port}`);
    url = postgres.url();
  }
  plan.onStarting('demo data');
  const script = join(REPOSITORY_ROOT, 'scripts', 'demo', 'load_nycflights.py');
  const { stdout } = await promisify(execFile)(LAYOUT.python, [script], {
    // By environment, because every user of the machine can read the arguments of a process.
    env: { ...process.env, DEMO_POSTGRES_URL: url },
    signal: plan.signal,
  });
  plan.onReady('demo data', stdout.trim());
  return url;
}

/**
 * Starts everything that is not given, each part as soon as what it needs is ready.
 * @throws StackError, or the abort reason
 */
export async function launchStack(plan: StackPlan): Promise<LaunchedStack> {
  const apiUrl = `http://127.0.0.1:${plan.ports.api}`;
  const neo4j = launchNeo4j(plan);
  const temporal = launchTemporal(plan);
  const demoPostgres = launchDemoPostgres(plan);

  const launchApp = async (name: 'api' | 'control-worker' | 'data-worker', address: string) => {
    const env = appEnvironment({
      // The data plane knows no graph, and Spark takes longest to start: it does not wait for Neo4j.
      neo4j: name === 'data-worker' ? undefined : await neo4j,
      ownNeo4jPasswordFile: plan.given.neo4j ? undefined : plan.secrets['neo4j-password'].file,
      temporal: await temporal,
      apiPort: plan.ports.api,
      eventsUrl: `${apiUrl}${INTERNAL_EVENTS_PATH}`,
      secretKeyFile: plan.secrets['secret-key'].file,
      internalTokenFile: plan.secrets['internal-token'].file,
    });
    const { logFile, recordFile } = placeOf(name);
    plan.onStarting(name);
    await plan.supervisor.start({ name, start: (signal) => startApp(name, { env, logFile, recordFile, signal }) });
    plan.onReady(name, address);
  };
  const [launchedNeo4j, launchedTemporal, demoPostgresUrl] = await Promise.all([
    neo4j,
    temporal,
    demoPostgres,
    launchApp('data-worker', 'task queue nucleus-data'),
    launchApp('control-worker', 'task queue nucleus-control'),
    launchApp('api', apiUrl),
  ]);
  return { apiUrl, demoPostgresUrl, neo4j: launchedNeo4j, temporal: launchedTemporal };
}
