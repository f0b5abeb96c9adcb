import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { formatUrn, runUrn } from '#graph-schema';
import { LineageEventWriter, LineageRetention, type RetentionRule } from '../../ingestion/lineage-projection/index.js';
import type { InboxEntry } from '../../ingestion/openlineage/index.js';
import { editsOfManyRuns, meetingEdits, runEdit } from '../support/lineage-edits.js';
import { beforeMinute, retain } from '../support/lineage-retention.js';
import { MemoryLineage, type ShownGraph } from '../support/memory-lineage.js';
import { type Json, jobEvent, meetingEvents, minute, runEvent, taken } from '../support/openlineage-events.js';

let store: MemoryLineage;
let position: number;
beforeEach(() => {
  store = new MemoryLineage();
  position = 0;
});

async function write(...entries: readonly InboxEntry[]): Promise<void> {
  const cursor = { inboxId: 'test', after: position, upTo: position + entries.length, fence: 1 };
  await new LineageEventWriter(store).write(entries, cursor);
  position = cursor.upTo;
}

interface Told extends Json {
  readonly at: number;
  readonly run: string;
  readonly type?: string;
  readonly job?: string;
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  readonly facets?: Json;
}

/** The inputs and outputs are tables, or a table and its version as `table@version`. */
function event({ at, run, type = 'COMPLETE', job = 'load', reads = [], writes = [], facets = {} }: Told): InboxEntry {
  const tables = (names: readonly string[]) =>
    names.map((text) => {
      const [name, datasetVersion] = text.split('@');
      return { namespace: 'd', name, facets: datasetVersion === undefined ? {} : { version: { datasetVersion } } };
    });
  return taken(
    runEvent({
      eventType: type,
      eventTime: minute(at),
      run: { runId: run, facets },
      job: { namespace: 'j', name: job },
      inputs: tables(reads),
      outputs: tables(writes),
    }),
  );
}

const job = (name: string) => formatUrn('job', ['j', name]);
const version = (table: string, name: string) => formatUrn('dataset-version', ['d', table, name]);
const madeBy = (table: string, run: string) => version(table, `run-${run}`);
const nodesOf = (kind: string) =>
  Object.entries(store.shown().nodes).flatMap(([urn, node]) => (node.kind === kind ? [urn] : []));
const runs = () => nodesOf('Run').map((urn) => urn.slice('nucleus:run:'.length));
const edgesOf = (...kinds: readonly string[]) => ofKinds(store.shown(), kinds);

function ofKinds({ edges }: ShownGraph, kinds: readonly string[]) {
  return Object.fromEntries(Object.entries(edges).filter(([edge]) => kinds.includes(edge.split(' ')[0] ?? '')));
}

const LINEAGE = ['FEEDS', 'PRODUCES', 'DERIVES'];

describe('runs', () => {
  it('go when their last event lies before the instant, whether or not they have ended', async () => {
    await write(
      event({ at: 1, run: 'ended' }),
      event({ at: 2, run: 'never-ended', type: 'START' }),
      event({ at: 3, run: 'long', type: 'START' }),
      event({ at: 8, run: 'long', type: 'RUNNING' }),
      event({ at: 5, run: 'at-the-instant' }),
    );
    expect(await retain(store, beforeMinute(5))).toMatchObject({ runs: 2, versions: 0, isComplete: true });
    expect(runs()).toEqual(['at-the-instant', 'long']);
  });

  it('are judged by the times of events, not by the order in which they came', async () => {
    await write(event({ at: 9, run: 'young' }));
    await write(event({ at: 1, run: 'old' }));
    await retain(store, beforeMinute(5));
    expect(runs()).toEqual(['young']);
  });

  it('stay where they are among the latest of their job', async () => {
    const many = Array.from({ length: 9 }, (_, n) => event({ at: n, run: `r${n}` }));
    await write(...many, event({ at: 0, run: 'rare', job: 'yearly' }), event({ at: 1, run: 'both', type: 'START' }));
    await write(event({ at: 1, run: 'both', job: 'yearly' }));
    await retain(store, beforeMinute(60, { keepRunsPerJob: 2 }));
    expect(runs()).toEqual(['both', 'r7', 'r8', 'rare']);
  });

  it('of a job that static events tell of, too, are counted without these', async () => {
    const told = Array.from({ length: 40 }, (_, n) =>
      taken(jobEvent({ eventTime: minute(20 + n), job: { namespace: 'j', name: 'load' } })),
    );
    await write(event({ at: 1, run: 'a' }), event({ at: 2, run: 'b' }), ...told);
    await retain(store, beforeMinute(60, { keepRunsPerJob: 1 }));
    expect(runs()).toEqual(['b']);
  });

  it('that are gone and speak again do not count among the latest', async () => {
    await write(event({ at: 1, run: 'a' }), event({ at: 2, run: 'b' }), event({ at: 3, run: 'c' }));
    await retain(store, beforeMinute(3));
    await write(event({ at: 9, run: 'a' }), event({ at: 9, run: 'b' }));
    await retain(store, beforeMinute(60, { keepRunsPerJob: 1 }));
    expect(runs()).toEqual(['c']);
  });

  it('of which others are a part, and nothing else is known, go with the last that names them', async () => {
    const facets = { parent: { run: { runId: 'parent' }, job: { namespace: 'j', name: 'flow' } } };
    await write(event({ at: 1, run: 'a', facets }), event({ at: 4, run: 'b', facets }));
    await retain(store, beforeMinute(3));
    expect(runs()).toEqual(['b', 'parent']);
    await retain(store, beforeMinute(5));
    expect(runs()).toEqual([]);
  });

  it('of other namespaces stay', async () => {
    await write(event({ at: 1, run: 'a', writes: ['t'] }), event({ at: 2, run: 'b', writes: ['t'] }));
    expect(await retain(store, beforeMinute(60, { namespace: 'other' }))).toMatchObject({ runs: 0, versions: 0 });
    expect(await retain(store, beforeMinute(60, { namespace: 'j' }))).toMatchObject({ runs: 1, versions: 0 });
    expect(await retain(store, beforeMinute(60, { namespace: 'd' }))).toMatchObject({ runs: 0, versions: 1 });
  });

  it('of Nucleus itself stay', async () => {
    const facets = { parent: { run: { runId: 'own' }, job: { namespace: 'nucleus-ingestion', name: 'e/u' } } };
    await write(event({ at: 1, run: 'a', facets }));
    expect(await retain(store, beforeMinute(60))).toMatchObject({ runs: 1 });
    await write(event({ at: 2, run: 'b', facets }));
    expect(Object.keys(edgesOf('PART_OF'))).toEqual([`PART_OF ${runUrn('b')} ${runUrn('own')}`]);
  });
});

describe('versions', () => {
  it('go when no run is left that has read or written them, but for the latest and who has written it', async () => {
    await write(
      event({ at: 1, run: 'w1', writes: ['t'] }),
      event({ at: 2, run: 'w2', writes: ['t'] }),
      event({ at: 3, run: 'w3', writes: ['t'] }),
      event({ at: 4, run: 'w4', writes: ['t'] }),
      event({ at: 2, run: 'reader', job: 'use', type: 'START', reads: ['t'] }),
      event({ at: 9, run: 'reader', job: 'use', reads: ['t'] }),
    );
    expect(await retain(store, beforeMinute(8))).toMatchObject({ runs: 3, versions: 2 });
    expect(runs()).toEqual(['reader', 'w4']);
    expect(nodesOf('DatasetVersion')).toEqual([madeBy('t', 'w2'), madeBy('t', 'w4')]);
    expect(Object.keys(edgesOf('READ', 'WROTE'))).toEqual([
      `READ ${runUrn('reader')} ${madeBy('t', 'w2')}`,
      `WROTE ${runUrn('w4')} ${madeBy('t', 'w4')}`,
    ]);
    expect(await retain(store, beforeMinute(60))).toMatchObject({ runs: 1, versions: 1 });
    expect(nodesOf('DatasetVersion')).toEqual([madeBy('t', 'w4')]);
  });

  it('of one name are kept by the last run that has written it', async () => {
    await write(event({ at: 1, run: 'w1', writes: ['t@main'] }), event({ at: 2, run: 'w2', writes: ['t@main'] }));
    await retain(store, beforeMinute(60));
    expect(runs()).toEqual(['w2']);
    expect(nodesOf('DatasetVersion')).toEqual([version('t', 'main')]);
  });

  it('that runs name as what they read go with these, even the latest', async () => {
    await write(event({ at: 1, run: 'a', reads: ['t@1'] }), event({ at: 2, run: 'b', reads: ['t@2'] }));
    expect(await retain(store, beforeMinute(2))).toMatchObject({ runs: 1, versions: 1 });
    expect(nodesOf('DatasetVersion')).toEqual([version('t', '2')]);
    expect(await retain(store, beforeMinute(60))).toMatchObject({ runs: 1, versions: 1 });
    expect(nodesOf('DatasetVersion')).toEqual([]);
  });

  it('that are gone come back when a run names one as what it reads, and not otherwise', async () => {
    await write(event({ at: 1, run: 'w1', writes: ['t'] }), event({ at: 3, run: 'w2', writes: ['t'] }));
    await retain(store, beforeMinute(3));
    await write(event({ at: 2, run: 'late', job: 'use', reads: ['t'] }));
    expect(edgesOf('READ')).toEqual({});
    await write(event({ at: 2, run: 'later', job: 'use', reads: [`t@run-w1`] }));
    expect(Object.keys(edgesOf('READ'))).toEqual([`READ ${runUrn('later')} ${madeBy('t', 'w1')}`]);
    expect(Object.keys(edgesOf('WROTE'))).toEqual([`WROTE ${runUrn('w2')} ${madeBy('t', 'w2')}`]);
  });
});

describe('a run that is gone', () => {
  it('is not brought back by late events, which count for lineage as before', async () => {
    await write(event({ at: 1, run: 'a', writes: ['t'] }), event({ at: 3, run: 'b', writes: ['t'] }));
    await retain(store, beforeMinute(2));
    const whole = new MemoryLineage();
    const events = [1, 3].map((at) => event({ at, run: at === 1 ? 'a' : 'b', writes: ['t'] }));
    const late = event({ at: 2, run: 'a', reads: ['s'], writes: ['u'] });
    await write(late);
    await new LineageEventWriter(whole).write([...events, late], { inboxId: 'test', after: 0, upTo: 3, fence: 1 });
    expect(runs()).toEqual(['b']);
    expect(nodesOf('DatasetVersion')).toEqual([madeBy('t', 'b')]);
    expect(Object.keys(edgesOf('FEEDS'))).toHaveLength(1);
    expect(edgesOf(...LINEAGE)).toEqual(ofKinds(whole.shown(), LINEAGE));
  });

  it('keeps a version that it is late to have written, when that is there, from going with the others of its name', async () => {
    await write(event({ at: 1, run: 'gone' }), event({ at: 3, run: 'other', writes: ['t@1'] }));
    await retain(store, beforeMinute(2));
    await write(
      event({ at: 1, run: 'gone', writes: ['t@1'] }),
      event({ at: 2, run: 'reader', job: 'use', reads: ['t'] }),
    );
    await write(runEdit({ does: 'roll-back', run: 'other' }));
    expect(nodesOf('DatasetVersion')).toEqual([version('t', '1')]);
    expect(Object.keys(edgesOf('READ', 'WROTE'))).toEqual([`READ ${runUrn('reader')} ${version('t', '1')}`]);
    expect(store.loose()).toEqual([]);
  });

  it('is no parent of those that name it later', async () => {
    const facets = { parent: { run: { runId: 'a' }, job: { namespace: 'j', name: 'load' } } };
    await write(event({ at: 1, run: 'a' }), event({ at: 0, run: 'child', type: 'START', facets }));
    await retain(store, beforeMinute(2));
    await write(event({ at: 9, run: 'child', facets }), event({ at: 9, run: 'other', facets }));
    expect(runs()).toEqual(['other']);
    expect(edgesOf('PART_OF')).toEqual({});
  });

  it('can be rolled back, and restored', async () => {
    await write(event({ at: 1, run: 'a', reads: ['s'] }), event({ at: 3, run: 'b', job: 'use', reads: ['s'] }));
    await retain(store, beforeMinute(2));
    const before = edgesOf('FEEDS');
    expect(Object.keys(before)).toHaveLength(2);
    await write(runEdit({ does: 'roll-back', run: 'a' }));
    expect(Object.keys(edgesOf('FEEDS')).filter((edge) => edge.endsWith(job('load')))).toEqual([]);
    await write(runEdit({ id: '2', does: 'restore', run: 'a', at: taken(runEvent({ eventTime: minute(4) })).at }));
    expect(edgesOf('FEEDS')).toEqual(before);
    expect(runs()).toEqual(['b']);
  });

  it('is remembered in few words', async () => {
    const facets = { plan: { nodes: 'x'.repeat(20_000) } };
    await write(event({ at: 1, run: 'a', facets, reads: ['s'], writes: ['t'] }));
    await write(event({ at: 2, run: 'b', writes: ['t'] }));
    await retain(store, beforeMinute(2));
    expect(store.size).toBeLessThan(8_000);
    expect(await new LineageRetention(store).isRemoved(runUrn('a'))).toBe(true);
    expect(await new LineageRetention(store).isRemoved(runUrn('b'))).toBe(false);
  });
});

it('a pass that is stopped says so, and the next one goes on', async () => {
  await write(...Array.from({ length: 250 }, (_, n) => event({ at: 1, run: `r${n}` })));
  const stop = new AbortController();
  const options = { isDryRun: false, signal: stop.signal, onStep: () => stop.abort() };
  const rule = beforeMinute(2);
  const first = await new LineageRetention(store).apply(rule, options, { actor: 'test' });
  expect(first).toMatchObject({ runs: 100, isComplete: false });
  expect(await retain(store, rule)).toMatchObject({ runs: 150, isComplete: true });
});

const entries = fc.oneof({ weight: 4, arbitrary: meetingEvents.map(taken) }, { weight: 1, arbitrary: meetingEdits });

const rules: fc.Arbitrary<RetentionRule> = fc
  .record({ before: fc.nat({ max: 14 }), keepRunsPerJob: fc.constantFrom(0, 0, 1, 2) })
  .map(({ before, keepRunsPerJob }) => beforeMinute(before, { keepRunsPerJob }));

type Step = { readonly entry: InboxEntry } | { readonly rule: RetentionRule };

const stepsOf = (entry: fc.Arbitrary<InboxEntry>, minLength: number, maxLength: number) =>
  fc.array<Step>(
    fc.oneof(
      { weight: 4, arbitrary: entry.map((told) => ({ entry: told })) },
      { weight: 1, arbitrary: rules.map((rule) => ({ rule })) },
    ),
    { minLength, maxLength },
  );

const manyRuns = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        at: fc.oneof(fc.nat({ max: 90 }), fc.nat({ max: 13 })),
        run: fc.nat({ max: 30 }).map((id) => `r${id}`),
        type: fc.constantFrom('START', 'RUNNING', 'COMPLETE', 'COMPLETE', 'FAIL'),
        reads: fc.subarray(['a', 'b', 'c']),
        writes: fc.subarray(['b', 'c@1', 'd']),
      })
      .map(event),
  },
  { weight: 1, arbitrary: editsOfManyRuns },
);

describe('retention between events', () => {
  it.each([
    ['few runs', stepsOf(entries, 2, 12), 150],
    ['many runs', stepsOf(manyRuns, 20, 60), 40],
  ])('leaves lineage, jobs, data sets and columns as they are without it: %s', async (_, steps, numRuns) => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        store = new MemoryLineage();
        position = 0;
        for (const step of given) {
          if ('entry' in step) {
            await write(step.entry);
            continue;
          }
          const { sequence: _dry, ...dry } = await retain(store, step.rule, true);
          expect(await retain(store, step.rule)).toMatchObject(dry);
          expect(await retain(store, step.rule)).toMatchObject({ runs: 0, versions: 0 });
        }
        expect(store.loose()).toEqual([]);
        const shown = store.shown();
        store = new MemoryLineage();
        position = 0;
        await write(...given.flatMap((step) => ('entry' in step ? [step.entry] : [])));
        compare(shown, store.shown());
      }),
      { numRuns },
    );
  });
});

/** Lineage is the same; of runs and versions nothing is there that would not be without retention, and what is there is linked alike. */
function compare(retained: ShownGraph, whole: ShownGraph): void {
  expect(ofKinds(retained, [...LINEAGE, 'HAS_FIELD'])).toEqual(ofKinds(whole, [...LINEAGE, 'HAS_FIELD']));
  const stays = ({ nodes }: ShownGraph) =>
    Object.entries(nodes).filter(([, { kind }]) => kind !== 'Run' && kind !== 'DatasetVersion');
  expect(stays(retained)).toEqual(stays(whole));
  const there = (edge: string) =>
    edge
      .split(' ')
      .slice(1)
      .every((urn) => Object.hasOwn(retained.nodes, urn));
  const writers = Object.keys(ofKinds(whole, ['WROTE'])).map((edge) => edge.split(' ')[2]);
  // What was read of a name that comes again may stay unlinked, if it was gone in between.
  const mayLack = (edge: string) => {
    const [kind, , version] = edge.split(' ');
    return kind === 'READ' && writers.filter((written) => written === version).length > 1;
  };
  for (const kind of ['HAS_RUN', 'PART_OF', 'READ', 'WROTE']) {
    const kept = Object.entries(ofKinds(whole, [kind])).filter(
      ([edge]) => there(edge) && (Object.hasOwn(retained.edges, edge) || !mayLack(edge)),
    );
    expect(Object.entries(ofKinds(retained, [kind])), kind).toEqual(kept);
  }
  for (const [urn, node] of Object.entries(retained.nodes)) {
    if (node.kind === 'Run') expect(node).toEqual(whole.nodes[urn]);
    else expect(whole.nodes[urn]?.kind).toBe(node.kind);
  }
}
