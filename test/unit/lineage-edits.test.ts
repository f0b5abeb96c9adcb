import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn, runUrn } from '#graph-schema';
import { LineageEventWriter } from '../../ingestion/lineage-projection/index.js';
import type { InboxEntry } from '../../ingestion/openlineage/index.js';
import { atMinute, edgeEdit, meetingEdits, runEdit } from '../support/lineage-edits.js';
import { MemoryLineage } from '../support/memory-lineage.js';
import { meetingEvents, minute, runEvent, taken } from '../support/openlineage-events.js';

const ONE = formatUrn('job', ['j', 'one']);
const A = datasetUrn('data', 'a');
const FEEDS = `FEEDS ${A} ${ONE}`;
const edges = [{ kind: 'FEEDS' as const, from: A, to: ONE }];

async function shownAfter(entries: readonly InboxEntry[]) {
  const store = new MemoryLineage();
  const writer = new LineageEventWriter(store);
  for (const [after, entry] of entries.entries()) {
    await writer.write([entry], { inboxId: 'test', after, upTo: after + 1, fence: 1 });
  }
  return store.shown();
}

const run = (id: string, at: number, members: object) =>
  taken(runEvent({ run: { runId: id }, eventTime: minute(at), job: { namespace: 'j', name: 'one' }, ...members }));
const data = (name: string, facets = {}) => [{ namespace: 'data', name, facets }];

describe('an edge that somebody vouches for', () => {
  it('is valid until it is withdrawn, and names who has done it', async () => {
    const drawn = edgeEdit({ does: 'assert', edges, at: atMinute(3), actor: 'alice b', note: 'seen' });
    const withdrawn = edgeEdit({ does: 'withdraw', edges, at: atMinute(7), actor: 'bob' });
    const { [FEEDS]: open } = (await shownAfter([drawn])).edges;
    expect(open).toMatchObject({
      validFrom: [atMinute(3)],
      validTo: [],
      current: true,
      firstRuns: ['manual:alice%20b'],
      manual: JSON.stringify({ does: 'assert', actor: 'alice b', at: atMinute(3), note: 'seen' }),
    });
    const { [FEEDS]: closed } = (await shownAfter([withdrawn, drawn])).edges;
    expect(closed).toMatchObject({ validTo: [atMinute(7)], current: false, lastRuns: ['manual:alice%20b'] });
    expect(JSON.parse(String(closed?.manual))).toMatchObject({ does: 'withdraw', actor: 'bob' });
  });

  it('is not ended by a run that goes without it, and the times of runs and people add up', async () => {
    const { edges: shown } = await shownAfter([
      run('r1', 1, { inputs: data('a'), outputs: [] }),
      run('r2', 2, { inputs: data('b'), outputs: [] }),
      edgeEdit({ does: 'assert', edges, at: atMinute(4) }),
      run('r3', 5, { inputs: data('b'), outputs: [] }),
    ]);
    expect(shown[FEEDS]).toMatchObject({ validFrom: [atMinute(1), atMinute(4)], validTo: [atMinute(2)] });
  });

  it('is asserted once by a request that comes twice', async () => {
    const drawn = edgeEdit({ does: 'assert', edges, at: atMinute(1) });
    const withdrawn = edgeEdit({ does: 'withdraw', edges, at: atMinute(2) });
    const { edges: shown } = await shownAfter([{ ...drawn, at: atMinute(3) }, withdrawn, drawn]);
    expect(shown[FEEDS]).toMatchObject({ validFrom: [atMinute(1)], validTo: [atMinute(2)] });
  });
});

describe('a run that is rolled back', () => {
  it('is linked to no version, and asserts no edge alone', async () => {
    const entries = fc.array(fc.oneof(meetingEvents.map(taken), meetingEdits), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(entries, async (given) => {
        const gone = ['r1', 'r2'].map((id) => runEdit({ does: 'roll-back', run: id, at: atMinute(99) }));
        const shown = await shownAfter([...given, ...gone]);
        const told = Object.entries(shown.edges).flatMap(([key, { firstRuns, lastRuns }]) => [
          key,
          firstRuns,
          lastRuns,
        ]);
        const sources = JSON.stringify(told.filter((text) => !String(text).startsWith('HAS_RUN')));
        for (const id of ['r1', 'r2']) {
          expect(sources).not.toContain(`"${runUrn(id)}"`);
          expect(sources).not.toMatch(new RegExp(`"(READ|WROTE) ${runUrn(id)} `));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leaves a version that another has written or named, and the version before to its readers', async () => {
    const version = (name: string) => ({ version: { _producer: '', _schemaURL: '', datasetVersion: name } });
    const { edges: shown, nodes } = await shownAfter([
      run('r1', 1, { inputs: [], outputs: data('a') }),
      run('r2', 2, { inputs: [], outputs: [...data('a'), ...data('b', version('1')), ...data('c', version('1'))] }),
      run('r3', 3, { inputs: [...data('a'), ...data('b', version('1'))], outputs: [] }),
      runEdit({ does: 'roll-back', run: 'r2', at: atMinute(9) }),
    ]);
    const links = Object.keys(shown).filter((key) => /^(READ|WROTE) /.test(key));
    const versionOf = (of: string, name: string) => formatUrn('dataset-version', ['data', of, name]);
    expect(links).toEqual([
      `READ ${runUrn('r3')} ${versionOf('a', 'run-r1')}`,
      `READ ${runUrn('r3')} ${versionOf('b', '1')}`,
      `WROTE ${runUrn('r1')} ${versionOf('a', 'run-r1')}`,
    ]);
    expect(nodes[versionOf('a', 'run-r2')]).toBeUndefined();
    expect(nodes[versionOf('c', '1')]).toBeUndefined();
    expect(nodes[runUrn('r2')]?.properties).toMatchObject({ state: 'COMPLETE', rolledBackBy: 'alice' });
  });

  it('counts as before once it is restored', async () => {
    const told = [
      run('r1', 1, { inputs: data('a'), outputs: data('b') }),
      run('r2', 2, { inputs: data('b'), outputs: data('c') }),
    ];
    const undone = [
      runEdit({ does: 'restore', run: 'r1', at: atMinute(6) }),
      runEdit({ does: 'roll-back', run: 'r1', at: atMinute(5) }),
    ];
    expect(await shownAfter([...told, ...undone])).toEqual(await shownAfter(told));
  });
});
