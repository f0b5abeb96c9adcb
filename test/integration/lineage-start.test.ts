import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Config, loadConfig } from '#config';
import { Neo4jLineageStore } from '#graph-store';
import type { DrainReport } from '#ingestion';
import { startLineage } from '../../server/lineage/start-lineage.js';
import { ThreadedDrain } from '../../server/lineage/threaded-drain.js';
import { capturedLog } from '../support/captured-log.js';
import { testEnvironment } from '../support/environment.js';
import { scratchFolder } from '../support/folder.js';
import { openSharedGraph, type TestGraph } from '../support/graph.js';
import { runEvent } from '../support/openlineage-events.js';
import { uniquePrefix } from '../support/unique.js';

/** Starting a thread takes a second, on a machine that does nothing else. */
const LONG_MS = 120_000;
const namespace = uniquePrefix('lineage-start');

let graph: TestGraph;
beforeAll(async () => {
  graph = await openSharedGraph();
});
afterAll(() => graph[Symbol.asyncDispose]());

const eventOf = (name: string) => Buffer.from(JSON.stringify(runEvent({ job: { namespace, name } })));

const batchOf = (...names: string[]) => Buffer.from(`[${names.map((name) => eventOf(name)).join()}]`);

function settings(inboxPath: string, others: Readonly<Record<string, string>> = {}): Config<'server'> {
  const { NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD } = testEnvironment();
  return loadConfig('server', {
    NUCLEUS_INTERNAL_TOKEN: 'internal-token-of-24-chars',
    NUCLEUS_SECRET_KEY: 'not-a-key',
    ...{ NEO4J_URI, NEO4J_USER, NEO4J_PASSWORD },
    LINEAGE_INBOX_PATH: inboxPath,
    LOG_LEVEL: 'fatal',
    ...others,
  });
}

function start(config: Config<'server'>) {
  const { logger } = capturedLog();
  const commits: number[] = [];
  const openLineage = startLineage(config, {
    graph: new Neo4jLineageStore(graph.driver),
    onCommit: (sequence) => void commits.push(sequence),
    logger,
    now: () => new Date(),
  });
  return { openLineage, commits };
}

async function jobs(): Promise<unknown[]> {
  const found = await graph.query('MATCH (j:Job {namespace: $namespace}) RETURN j.name AS name ORDER BY name', {
    namespace,
  });
  return found.map(({ name }) => name);
}

describe('lineage', { timeout: 2 * LONG_MS }, () => {
  it('is drained in a thread, in batches of the settings, and goes on where it was closed', async () => {
    await using folder = await scratchFolder();
    const config = settings(join(folder.path, 'inbox'), { LINEAGE_BATCH_EVENTS: '2' });
    for (const [round, names] of [['a', 'b', 'c'] as const, ['d', 'e', 'f'] as const].entries()) {
      const { openLineage, commits } = start(config);
      await openLineage.intake.takeBatch(batchOf(...names));
      const [first, last] = [3 * round + 1, 3 * round + 3];
      const arrival = await openLineage.drainer.arrival({ first, last }, LONG_MS);
      expect(arrival).toEqual({ is: 'drained', sequence: commits.at(-1), parked: [] });
      expect(commits).toHaveLength(2);
      expect(await openLineage.drainer.status()).toMatchObject({ head: last, position: last, lag: { events: 0 } });
      await openLineage.close();
    }
    expect(await jobs()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(config.LINEAGE_BATCH_BYTES).toBe(8_388_608);
  });

  it('is drained at once when it comes in while the thread waits', async () => {
    await using folder = await scratchFolder();
    const { openLineage } = start(settings(folder.path));
    for (const name of ['g', 'h', 'i']) {
      const taken = await openLineage.intake.take(eventOf(name));
      if (!taken.ok) throw new Error(JSON.stringify(taken.faults));
      expect(await openLineage.drainer.arrival(taken.taken.range, LONG_MS)).toMatchObject({
        is: 'drained',
        parked: [],
      });
    }
    expect(await jobs()).toEqual(expect.arrayContaining(['g', 'h', 'i']));
    await openLineage.close();
  });

  it('is drained by the next thread when one has failed, of which the log tells', async () => {
    await using folder = await scratchFolder();
    const inboxPath = join(folder.path, 'inbox');
    await writeFile(inboxPath, 'no folder: a thread cannot open its inbox here');
    const { NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password } = testEnvironment();
    const { logger, lines } = capturedLog();
    const drain = new ThreadedDrain({
      settings: { neo4j: { uri, user, password }, inboxPath, batch: { events: 1, bytes: 1 }, logLevel: 'fatal' },
      onCommit: () => {},
      logger,
    });
    const reports: DrainReport[] = [];
    drain.start((report) => reports.push(report));
    await vi.waitUntil(() => lines.length >= 2, { timeout: LONG_MS });
    expect(reports.map(({ is }) => is)).toEqual(['standing-by', 'standing-by']);
    expect(lines.join('')).toContain('cannot open the event inbox');
    expect(lines.join('')).not.toContain(password);
    await rm(inboxPath);
    await vi.waitUntil(() => reports.at(-1)?.is === 'draining', { timeout: LONG_MS });
    await drain.stop();
    expect(reports.at(-1)).toEqual({ is: 'standing-by' });
  });
});
