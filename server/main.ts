import { Client, Connection } from '@temporalio/client';
import pino, { type Logger } from 'pino';
import { type Config, loadConfig, runEntryPoint } from '#config';
import {
  IngestionCatalog,
  migrateGraph,
  Neo4jChangeLog,
  Neo4jGraphStore,
  Neo4jLineageReader,
  Neo4jLineageStore,
  openDriver,
  openKnowledge,
  warmUpLineage,
} from '#graph-store';
import { EndpointOperations, IngestionClient, LineageRetention, reconcileRuns } from '#ingestion';
import { inBackground } from './background-task.js';
import { API_ACTOR } from './commands/command-context.js';
import { createApp } from './create-app.js';
import { ChangeFeed } from './events/change-feed.js';
import { EventStreams } from './events/event-streams.js';
import { ProgressHub } from './events/progress-hub.js';
import { loadGraphiqlBundle } from './graphiql/graphiql-bundle.js';
import { requestLimits } from './graphql/limits/request-limits.js';
import { scheduleRetention } from './lineage/schedule-retention.js';
import { startLineage } from './lineage/start-lineage.js';
import { repeat } from './repeat.js';
import { SecretBox } from './secrets/index.js';

const RECONCILE_EVERY_MS = 60_000;
const PRUNE_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Entry point of the server: `node --import tsx server/main.ts`. SIGTERM and SIGINT stop it gracefully. */
await runEntryPoint(async () => {
  const config = loadConfig('server', process.env);
  const logger = pino({ level: config.LOG_LEVEL, base: { process: 'server' } });
  const server = await startServer(config, logger);
  logger.info({ address: server.address }, 'ready');
  await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  await server.stop();
  logger.info('stopped');
});

async function startServer(config: Config<'server'>, logger: Logger) {
  const now = () => new Date();
  const driver = openDriver({ uri: config.NEO4J_URI, user: config.NEO4J_USER, password: config.NEO4J_PASSWORD });
  const migrated = await migrateGraph(driver);
  if (migrated.length > 0) logger.info({ versions: migrated }, 'the graph schema was brought up to date');
  const temporal = await Connection.connect({ address: config.TEMPORAL_ADDRESS });
  const workflows = new Client({ connection: temporal, namespace: config.TEMPORAL_NAMESPACE });
  const ingestion = new IngestionClient(workflows);
  const catalog = new IngestionCatalog(driver);
  const log = new Neo4jChangeLog(driver);
  const feed = new ChangeFeed(log, { logger });
  const onCommit = (sequence: number) => {
    logger.debug({ sequence }, 'committed');
    feed.announce(sequence);
  };
  const graph = new Neo4jGraphStore(driver, { onCommit });
  const knowledge = openKnowledge(driver, graph, log);
  const syncTemplates = () =>
    ingestion.syncTemplates().catch((error: unknown) => logger.warn({ err: error }, 'templates could not be read'));

  const lineageStore = new Neo4jLineageStore(driver, { onCommit });
  const openLineage = startLineage(config, { graph: lineageStore, onCommit, logger, now });
  const retention = new LineageRetention(lineageStore);
  const retentionPolicy = { days: config.LINEAGE_RETENTION_DAYS, keepRunsPerJob: config.LINEAGE_RETENTION_RUNS };
  const app = await createApp({
    driver,
    context: {
      commands: {
        ...{ catalog, graph, ingestion },
        operations: new EndpointOperations(workflows),
        previews: { metadataRoot: config.METADATA_ROOT, maskedTags: config.MASKED_TAGS },
        secrets: SecretBox.fromBase64(config.NUCLEUS_SECRET_KEY),
      },
      knowledge,
      lineage: new Neo4jLineageReader(driver),
      openLineage,
      retention,
      retentionPolicy,
      lineageWaitMs: config.LINEAGE_WAIT_MS,
      events: {
        streams: new EventStreams(feed),
        progress: new ProgressHub(),
        catalog,
        kinds: knowledge.kinds,
        now,
      },
      ...API_ACTOR,
      browserUrl: config.NEO4J_BROWSER_URL,
    },
    apiToken: config.NUCLEUS_API_TOKEN,
    internalToken: config.NUCLEUS_INTERNAL_TOKEN,
    onWorkerReady: () => void syncTemplates(),
    healthChecks: {
      neo4j: () => driver.verifyConnectivity(),
      temporal: () => temporal.healthService.check({}),
    },
    graphiql: await loadGraphiqlBundle('.nucleus/build'),
    limits: requestLimits(config),
    bulkMaxBytes: config.BULK_MAX_BYTES,
    lineage: { maxBytes: config.LINEAGE_MAX_BYTES, waitMs: config.LINEAGE_WAIT_MS },
    logger,
  });
  const reconciler = repeat(
    RECONCILE_EVERY_MS,
    async () => {
      const lost = await reconcileRuns({ catalog, graph, client: ingestion, now });
      if (lost.length > 0) logger.warn({ runIds: lost }, 'runs without a workflow were recorded as failed');
    },
    (error) => logger.warn({ err: error }, 'runs could not be reconciled, trying again later'),
  );
  const pruning = repeat(
    PRUNE_EVERY_MS,
    async () => {
      const removed = await log.prune(retainedSince(config.CHANGE_RETENTION_DAYS, now()));
      if (removed > 0) logger.info({ changes: removed }, 'changes past their retention were removed from the log');
    },
    (error) => logger.warn({ err: error }, 'the change log could not be pruned, trying again later'),
  );
  const lineageRetention = scheduleRetention(retentionPolicy, {
    ...{ retention, now, logger },
    isDraining: () => openLineage.drainer.isDraining,
  });
  await syncTemplates();
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  const warmUp = inBackground(
    async (signal) => {
      const statements = await warmUpLineage(driver, { signal });
      logger.debug({ statements }, 'lineage queries are planned');
    },
    (error) => logger.warn({ err: error }, 'lineage queries were not planned, the first ones will take longer'),
  );
  return {
    address,
    stop: async () => {
      await Promise.all([warmUp.stop(), reconciler.stop(), pruning.stop(), lineageRetention.stop()]);
      feed.close();
      await app.close();
      await openLineage.close();
      await temporal.close();
      await driver.close();
    },
  };
}

/** @param days 0 keeps every change */
function retainedSince(days: number, now: Date): Date {
  return new Date(days === 0 ? 0 : now.getTime() - days * DAY_MS);
}
