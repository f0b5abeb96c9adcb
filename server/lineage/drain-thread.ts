import { parentPort, workerData } from 'node:worker_threads';
import pino from 'pino';
import { Neo4jLineageStore, openDriver } from '#graph-store';
import { LineageEventWriter, openInboxDrain } from '#ingestion';
import { type DrainSettings, STOP } from './threaded-drain.js';

/*
 * Entry point of the thread that drains the inbox of lineage: it sends reports of its progress, and ends when it is told to. A drain
 * that cannot begin ends it with the error.
 */
const { neo4j, inboxPath, batch, logLevel }: DrainSettings = workerData;
const logger = pino({ level: logLevel, base: { process: 'server', thread: 'lineage-drain' } });
const driver = openDriver(neo4j);
const writer = new LineageEventWriter(new Neo4jLineageStore(driver));
const drain = openInboxDrain({ inboxPath, writer, batch, logger, now: () => new Date() });

parentPort?.on('message', async (message) => {
  if (message !== STOP) return;
  await drain.stop();
  await driver.close();
  parentPort?.close();
});
drain.start((report) => parentPort?.postMessage(report));
