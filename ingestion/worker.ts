import { makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pino, { type Logger } from 'pino';
import { type Config, loadConfig, runEntryPoint } from '#config';
import {
  IngestionCatalog,
  migrateGraph,
  Neo4jChangeLog,
  Neo4jGraphStore,
  openDriver,
  openKnowledge,
} from '#graph-store';
import { CheckpointStore, createKeyValueStore } from '#kv';
import { createControlActivities } from './activities/control-activities.js';
import { heartbeats } from './activities/heartbeats.js';
import { TYPESCRIPT_TASK_QUEUE } from './contracts/index.js';
import { loadWorkflowBundle } from './workflow-bundle.js';

/** Entry point of the TypeScript worker: `node --import tsx ingestion/worker.ts`. SIGTERM and SIGINT stop it gracefully. */
await runEntryPoint(async () => {
  const config = loadConfig('worker', process.env);
  const log = pino({ level: config.LOG_LEVEL, base: { process: 'worker' } });
  Runtime.install({
    shutdownSignals: [],
    logger: temporalLogger(log),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN' }), forward: {} } },
  });
  await runWorker(config, log);
});

async function runWorker(config: Config<'worker'>, log: Logger): Promise<void> {
  const driver = openDriver({ uri: config.NEO4J_URI, user: config.NEO4J_USER, password: config.NEO4J_PASSWORD });
  await migrateGraph(driver);
  const graph = new Neo4jGraphStore(driver);
  const keyValues = createKeyValueStore({ kind: 'lmdb', path: config.KV_PATH });
  const connection = await NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
  const worker = await Worker.create({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: TYPESCRIPT_TASK_QUEUE,
    workflowBundle: await loadWorkflowBundle('.nucleus/build'),
    activities: createControlActivities({
      catalog: new IngestionCatalog(driver),
      graph,
      checkpoints: new CheckpointStore(keyValues),
      knowledge: openKnowledge(driver, graph, new Neo4jChangeLog(driver)),
      metadataRoot: config.METADATA_ROOT,
      now: () => new Date(),
    }),
    interceptors: { activity: [heartbeats] },
    shutdownGraceTime: '10 seconds',
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => worker.shutdown());
  const running = worker.run();
  log.info('ready');
  await running;
  await connection.close();
  await keyValues.close();
  await driver.close();
  log.info('stopped');
}

/** Temporal's own lines in our format; its info lines are of interest to its developers only. */
function temporalLogger(log: Logger): NonNullable<Parameters<typeof Runtime.install>[0]['logger']> {
  const child = log.child({ component: 'temporal' }, { level: log.isLevelEnabled('debug') ? 'debug' : 'warn' });
  const write = (level: pino.Level) => (message: string, meta?: object) => child[level](meta ?? {}, message);
  return {
    log: (level, message, meta) => child[level.toLowerCase() as pino.Level](meta ?? {}, message),
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
}
