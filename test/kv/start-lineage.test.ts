import { join } from 'node:path';
import pino from 'pino';
import { expect, it } from 'vitest';
import { loadConfig } from '#config';
import { startLineage } from '../../server/lineage/start-lineage.js';
import { scratchFolder } from '../support/folder.js';
import { eventOf } from '../support/lineage-intake.js';
import { RecordingLineageWriter } from '../support/recording-lineage-writer.js';

const LONG_MS = 30_000;

it('lineage starts with an inbox in the folder of the settings and their batches, and goes on where it was closed', async () => {
  await using folder = await scratchFolder();
  const config = loadConfig('server', {
    NUCLEUS_INTERNAL_TOKEN: 'internal-token-of-24-chars',
    NUCLEUS_SECRET_KEY: 'not-a-key',
    NEO4J_PASSWORD: 'a-password',
    LINEAGE_INBOX_PATH: join(folder.path, 'inbox'),
    LINEAGE_BATCH_EVENTS: '2',
  });
  const writer = new RecordingLineageWriter();
  const options = { logger: pino({ enabled: false }), now: () => new Date() };
  const batch = Buffer.concat([Buffer.from('['), eventOf('a'), Buffer.from(','), eventOf('b'), Buffer.from(']')]);
  for (let start = 1; start <= 2; start += 1) {
    const openLineage = startLineage(config, writer, options);
    await openLineage.intake.takeBatch(batch);
    await openLineage.intake.take(eventOf('c'));
    const last = 3 * start;
    expect(await openLineage.drainer.arrival({ first: last, last }, LONG_MS)).toMatchObject({ is: 'drained' });
    await openLineage.close();
  }
  expect(writer.applied.join('')).toBe('abcabc');
  expect(Math.max(...writer.batches.map(({ length }) => length))).toBeLessThanOrEqual(2);
  expect(config.LINEAGE_BATCH_BYTES).toBe(8_388_608);
});
