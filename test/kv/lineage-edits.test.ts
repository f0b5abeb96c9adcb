import { describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn } from '#graph-schema';
import type { EdgeEdit } from '../../ingestion/openlineage/index.js';
import { openTestIntake } from '../support/lineage-intake.js';
import { RecordingLineageWriter } from '../support/recording-lineage-writer.js';

const LONG_MS = 30_000;
const EDIT: Omit<EdgeEdit, 'at'> = {
  is: 'edge-edit',
  id: 'one',
  does: 'assert',
  actor: 'alice',
  note: 'because',
  edges: [
    { kind: 'FEEDS', from: datasetUrn('data', 'a'), to: formatUrn('job', ['j', 'one']) },
    {
      kind: 'DERIVES',
      from: formatUrn('field', ['data', 'a', 'x']),
      to: formatUrn('field', ['data', 'b', 'x']),
      via: null,
    },
  ],
};

/** A writer that keeps what it is given. */
async function openRecording() {
  const writer = new RecordingLineageWriter();
  const given: unknown[] = [];
  writer.before = (entries) => void given.push(...entries);
  const intake = await openTestIntake(writer);
  intake.drainer.start();
  return { intake, given };
}

describe('an edit of lineage', () => {
  it('goes through the inbox among the events, as it was made', async () => {
    const { intake, given } = await openRecording();
    await using _ = intake;
    await intake.append('before');
    const { range } = await intake.edits.take(EDIT);
    expect(await intake.drainer.arrival(range, LONG_MS)).toMatchObject({ is: 'drained', parked: [] });
    expect(given).toMatchObject([{ is: 'run' }, { ...EDIT, at: '2026-03-01T12:00:00.000000000Z' }]);
  });

  it('is later than the one before it, also within one millisecond of the clock', async () => {
    const { intake, given } = await openRecording();
    await using _ = intake;
    await intake.edits.take(EDIT);
    await intake.edits.take({ is: 'run-edit', id: 'two', does: 'restore', actor: 'bob', note: null, run: 'r1' });
    intake.clock.move(1);
    const { range } = await intake.edits.take({ ...EDIT, does: 'withdraw' });
    await intake.drainer.arrival(range, LONG_MS);
    expect(given.map((edit) => (edit as EdgeEdit).at)).toEqual([
      '2026-03-01T12:00:00.000000000Z',
      '2026-03-01T12:00:00.000000001Z',
      '2026-03-01T12:00:00.001000000Z',
    ]);
  });

  it('that this server does not understand is kept aside', async () => {
    const { intake, given } = await openRecording();
    await using _ = intake;
    const payloads = ['nucleus-edit {', 'nucleus-edit {"is":"job-edit"}'].map((text) => Buffer.from(text));
    const range = await intake.inbox.append(payloads, { receivedAt: intake.clock.now() });
    const reason = expect.objectContaining({ code: 'UNREADABLE' });
    expect(await intake.drainer.arrival(range, LONG_MS)).toMatchObject({ parked: [{ reason }, { reason }] });
    expect(given).toEqual([]);
  });
});
