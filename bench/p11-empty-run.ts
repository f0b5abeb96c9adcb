import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pg from 'pg';
import { startPostgres } from '#stack';
import { type ApiServer, openPlatform } from './api-server.js';
import { type BenchEnvironment, defineBenchmark, type Round } from './harness/index.js';
import { startPythonSample } from './python-sample.js';

const RUNS = { full: 20, quick: 3 };
const QUEUES = { typescript: 'bare-typescript', python: 'bare-python' };
const ENDPOINT = 'empty-source';
const UNIT = 'nothing-new';

interface Platform {
  readonly server: ApiServer;
  readonly client: Client;
}

async function mutate<Payload>(server: ApiServer, field: string, type: string, input: object, selection: string) {
  const query = `mutation ($input: ${type}!) { ${field}(input: $input) { ${selection} userErrors { field message } } }`;
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const answer = (await response.json()) as { data?: Record<string, Payload & { userErrors: unknown[] }> };
  const payload = answer.data?.[field];
  if (payload === undefined || payload.userErrors.length > 0) throw new Error(`${field}: ${JSON.stringify(answer)}`);
  return payload;
}

/** From the word to start it until its workflow has ended, which is after checkpoint and graph were written. */
async function runUnit({ server, client }: Platform): Promise<void> {
  const input = { endpointId: ENDPOINT, unitId: UNIT };
  const { runId } = await mutate<{ runId: string }>(server, 'startIngestion', 'StartIngestionInput', input, 'runId');
  if (!runId) throw new Error('the unit was not started');
  await client.workflow.getHandle(`ingestion::${ENDPOINT}::${UNIT}`).result();
}

async function runBare({ client }: Platform, id: string): Promise<void> {
  await client.workflow.execute('bareWorkflow', { workflowId: id, taskQueue: QUEUES.typescript, args: [QUEUES] });
}

/** A unit that has read all of its table, so that every further run finds an empty slice. */
async function defineUnit(environment: BenchEnvironment, platform: Platform): Promise<void> {
  const postgres = environment.use(await startPostgres({ ...environment.place('postgres'), password: 'benchmark' }));
  const source = new pg.Client({ connectionString: postgres.url() });
  await source.connect();
  await source.query('CREATE TABLE events AS SELECT n AS id, now() AS at FROM generate_series(1, 1000) n');
  await source.end();
  const { hostname, port, pathname, username, password } = new URL(postgres.url());
  const directory = join(environment.folder, 'parquet');
  mkdirSync(directory);
  const register = (id: string, templateId: string, config: object) =>
    mutate(
      platform.server,
      'registerMetadataEndpoint',
      'RegisterMetadataEndpointInput',
      { id, templateId, config },
      'endpoint { id }',
    );
  await register(ENDPOINT, 'jdbc_postgres', {
    ...{ host: hostname, port: Number(port), database: pathname.slice(1) },
    ...{ user: decodeURIComponent(username), password: decodeURIComponent(password) },
  });
  await register('empty-sink', 'parquet_files', { directory });
  const unit = {
    ...{ endpointId: ENDPOINT, unitId: UNIT, object: { schema: 'public', table: 'events' }, mode: 'INCREMENTAL' },
    ...{
      cursorField: 'at',
      primaryKey: ['id'],
      sinks: [{ endpointId: 'empty-sink', target: 'events', writeMode: 'APPEND' }],
    },
  };
  await mutate(platform.server, 'defineIngestionUnit', 'DefineIngestionUnitInput', unit, 'unit { urn }');
  await runUnit(platform);
}

/** Workers for the bare workflow: one here, and a Python process whose activity runs in a thread as ours do. */
async function startBareWorkers(environment: BenchEnvironment, temporal: { address: string; namespace: string }) {
  const logger = new DefaultLogger('WARN');
  Runtime.install({ logger, shutdownSignals: [] });
  const connection = await NativeConnection.connect({ address: temporal.address });
  environment.use({ [Symbol.asyncDispose]: () => connection.close() });
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: QUEUES.typescript,
    workflowBundle: await bundleWorkflowCode({
      logger,
      workflowsPath: fileURLToPath(new URL('./bare-workflow.ts', import.meta.url)),
    }),
    activities: { nothing: async () => undefined },
  });
  const running = worker.run();
  environment.use({
    [Symbol.asyncDispose]: async () => {
      worker.shutdown();
      await running;
    },
  });
  const args = [temporal.address, temporal.namespace, QUEUES.python];
  environment.use(await startPythonSample('bare_worker', args, environment.signal));
}

async function setUp(environment: BenchEnvironment): Promise<Platform> {
  const { server, temporal } = await openPlatform(environment);
  const connection = await Connection.connect({ address: temporal.address });
  environment.use({ [Symbol.asyncDispose]: () => connection.close() });
  const platform = { server, client: new Client({ connection, namespace: temporal.namespace }) };
  await startBareWorkers(environment, temporal);
  await untilTemplates(server);
  await defineUnit(environment, platform);
  return platform;
}

/** The templates come from the Python worker by way of a workflow, shortly after both are ready. */
async function untilTemplates(server: ApiServer): Promise<void> {
  const url = `${server.url}/graphql?query=${encodeURIComponent('{ metadataEndpointTemplates { id } }')}`;
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(url, { headers: { 'apollo-require-preflight': '1' } });
    const { data } = (await response.json()) as { data: { metadataEndpointTemplates: readonly unknown[] } };
    if (data.metadataEndpointTemplates.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the server has no templates after 20 s');
}

/** One after the other, as many as make a sample. */
function repeated(run: (platform: Platform, id: string) => Promise<void>) {
  return ({ env, quick, number, time }: Round<Platform>) => {
    const count = quick ? RUNS.quick : RUNS.full;
    return time(count, async () => {
      for (let n = 0; n < count; n++) await run(env, `bare-${number}-${n}`);
    });
  };
}

export const benchmark = defineBenchmark<Platform>({
  id: 'P11',
  name: 'empty-run',
  what: 'Runs of a unit whose source has nothing new, from startIngestion by GraphQL to the end of the workflow with checkpoint and graph written, in comparison with a bare workflow of three activities that do nothing, two in TypeScript and one in Python. 0.67 is one and a half times as long.',
  setUp,
  cases: [
    {
      kind: 'ratio',
      name: 'empty slice ÷ three empty activities',
      unit: 'runs',
      target: { atLeast: 0.67 },
      sides: { ours: repeated(runUnit), baseline: repeated(runBare) },
    },
  ],
});
