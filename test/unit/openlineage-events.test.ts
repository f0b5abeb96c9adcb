import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INGESTION_JOB_NAMESPACE } from '#graph-schema';
import { EVENT_LIMITS, readEvent, readEventTime } from '../../ingestion/openlineage/index.js';
import {
  datasetEvent,
  facet,
  type Json,
  jobEvent,
  RECEIVED_AT,
  RUN_A,
  runEvent,
  taken,
} from '../support/openlineage-events.js';

describe('the time of an event', () => {
  it.each([
    ['2026-01-31T08:00:00Z', '2026-01-31T08:00:00.000000000Z'],
    ['2026-01-31T08:00:00.1+01:00', '2026-01-31T07:00:00.100000000Z'],
    ['2020-12-28T19:51:01.641499', '2020-12-28T19:51:01.641499000Z'],
    ['2020-12-28T19:51:01.123456789Z', '2020-12-28T19:51:01.123456789Z'],
    ['2020-12-28T19:51:01.1234567899Z', '2020-12-28T19:51:01.123456789Z'],
    ['2024-02-29 23:59:59-0130', '2024-03-01T01:29:59.000000000Z'],
    ['2026-01-31T08:00+01', '2026-01-31T07:00:00.000000000Z'],
    ['2026-01-31T08:00:00+01:00[Europe/Paris]', '2026-01-31T07:00:00.000000000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000000Z'],
  ])('%s is %s', (given, kept) => {
    expect(readEventTime(given)).toBe(kept);
  });

  it.each([
    '',
    'yesterday',
    '2026-01-31',
    '2026-02-30T08:00:00Z',
    '2026-13-01T08:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T08:00:60Z',
    '2026-01-31T08:00:00+24:00',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    `2026-01-31T08:00:00.${'1'.repeat(1_000)}Z`,
  ])('%s is none', (given) => {
    expect(readEventTime(given)).toBeNull();
  });

  it('orders as text as the instants do', () => {
    const instants = fc.tuple(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), fc.nat(999_999));
    const textOf = ([date, nanos]: [Date, number]) =>
      readEventTime(`${date.toISOString().slice(0, -1)}${String(nanos).padStart(6, '0')}Z`) ?? '';
    const rankOf = ([date, nanos]: [Date, number]) => BigInt(date.getTime()) * 1_000_000n + BigInt(nanos);
    fc.assert(
      fc.property(instants, instants, (a, b) => {
        expect(textOf(a) < textOf(b)).toBe(rankOf(a) < rankOf(b));
      }),
    );
  });
});

describe('an event', () => {
  it('is a Run, a Job or a Dataset event by what it has', () => {
    expect(taken(runEvent())).toMatchObject({ is: 'run', type: 'COMPLETE', run: { id: RUN_A } });
    expect(taken(jobEvent())).toMatchObject({ is: 'job', job: { name: 'copy_orders' } });
    expect(taken(datasetEvent())).toMatchObject({ is: 'dataset', dataset: { name: '/staging/orders' } });
  });

  it.each<[string, Json, unknown]>([
    ['no schemaURL', { schemaURL: undefined }, { schemaUrl: null, warnings: [] }],
    ['no producer', { producer: null }, { producer: null, warnings: [] }],
    ['no eventType', { eventType: undefined }, { type: 'OTHER' }],
    ['an eventType in small letters', { eventType: 'complete' }, { type: 'COMPLETE' }],
    ['null for no inputs and outputs', { inputs: null, outputs: null }, { inputs: [], outputs: [] }],
    ['no inputs and outputs', { inputs: undefined, outputs: undefined }, { inputs: [], outputs: [] }],
    ['a time without zone', { eventTime: '2026-01-01T08:00:00' }, { at: '2026-01-01T08:00:00.000000000Z' }],
    ['null for facets', { run: { runId: RUN_A, facets: null } }, { run: { facets: { all: {} } } }],
    ['a facet that is null', { run: { runId: RUN_A, facets: { tags: null } } }, { run: { facets: { all: {} } } }],
    ['a run id in capitals', { run: { runId: RUN_A.toUpperCase() } }, { run: { id: RUN_A } }],
    ['a name in another script', { job: { namespace: '店', name: 'задача🕷' } }, { job: { name: 'задача🕷' } }],
    [
      'a run id that is no UUID',
      { run: { runId: 'run 1' } },
      { run: { id: 'run 1' }, warnings: [{ path: 'run.runId', rule: expect.stringContaining('UUID') }] },
    ],
    [
      'a dataset beside its job',
      { dataset: { namespace: 'a', name: 'b' } },
      { is: 'run', warnings: [{ path: 'dataset', rule: expect.stringContaining('left out') }] },
    ],
    ['a producer that is no text', { producer: 5 }, { producer: null, warnings: [{ path: 'producer' }] }],
  ])('may have %s', (_, members, expected) => {
    expect(taken(runEvent(members))).toMatchObject(expected as object);
  });

  it.each<[string, unknown, 400 | 422, string]>([
    ['no object', [runEvent()], 400, ''],
    ['a text', 'event', 400, ''],
    ['neither run, job nor dataset', { eventTime: '2026-01-01T08:00:00Z' }, 400, ''],
    ['no time', runEvent({ eventTime: undefined }), 400, 'eventTime'],
    ['a time that is none', runEvent({ eventTime: 'today' }), 422, 'eventTime'],
    ['a type that nobody knows', runEvent({ eventType: 'DONE' }), 422, 'eventType'],
    ['a run without id', runEvent({ run: {} }), 400, 'run.runId'],
    ['a run that is a text', runEvent({ run: RUN_A }), 400, 'run'],
    ['a run without job', runEvent({ job: undefined }), 400, 'job'],
    ['a unit of Nucleus', jobEvent({ job: { namespace: INGESTION_JOB_NAMESPACE, name: 'a/b' } }), 422, 'job.namespace'],
    ['an empty name', runEvent({ inputs: [{ namespace: 'a', name: '' }] }), 422, 'inputs[0].name'],
    ['a missing namespace', runEvent({ outputs: [{}, { name: 'b' }] }), 400, 'outputs[1].namespace'],
    ['half a character in a name', runEvent({ job: { namespace: 'a', name: '\ud83d' } }), 422, 'job.name'],
    ['a list entry that is null', runEvent({ inputs: [null] }), 400, 'inputs[0]'],
    ['inputs that are no list', runEvent({ inputs: {} }), 400, 'inputs'],
    ['facets that are a list', runEvent({ run: { runId: RUN_A, facets: [] } }), 400, 'run.facets'],
    ['a name without end', datasetEvent({ dataset: { namespace: 'a', name: 'x'.repeat(5_000) } }), 422, 'dataset.name'],
    [
      'a urn without end',
      datasetEvent({ dataset: { namespace: '店'.repeat(500), name: '店'.repeat(500) } }),
      422,
      'dataset',
    ],
    ['a run id without end', runEvent({ run: { runId: '店'.repeat(1_000) } }), 422, 'run.runId'],
  ])('is refused with %s', (_, value, status, path) => {
    const read = readEvent(value, RECEIVED_AT);
    expect(read).toMatchObject({ ok: false, status });
    expect(read.ok ? [] : read.faults.map((fault) => fault.path)).toContain(path);
  });

  it('tells all of its faults at once, but not a million of them', () => {
    const read = readEvent(runEvent({ eventTime: 5, inputs: Array.from({ length: 5_000 }, () => null) }), RECEIVED_AT);
    expect(read).toMatchObject({ ok: false, status: 400 });
    expect(read.ok ? [] : read.faults).toHaveLength(50);
    expect(read.ok ? undefined : read.faults[0]).toEqual({
      path: 'eventTime',
      rule: 'must be a date and time of ISO 8601, got a number',
    });
  });

  it.each<[string, () => Json, string]>([
    ['depth', () => ({ deep: nested(10_000) }), 'deep.a.a.a.a.a.a.a'],
    ['number of values', () => ({ wide: Array.from({ length: EVENT_LIMITS.values }, () => 0) }), ''],
    ['length of a text', () => ({ long: 'x'.repeat(EVENT_LIMITS.textLength + 1) }), 'long'],
    ['length of a key', () => ({ odd: { ['k'.repeat(EVENT_LIMITS.keyLength + 1)]: 1 } }), 'odd'],
    [
      'number of inputs',
      () => ({ inputs: Array.from({ length: EVENT_LIMITS.datasets + 1 }, () => ({ namespace: 'a', name: 'b' })) }),
      'inputs',
    ],
    [
      'number of facets',
      () => ({
        job: {
          namespace: 'a',
          name: 'b',
          facets: Object.fromEntries(Array.from({ length: EVENT_LIMITS.facets + 1 }, (_, n) => [`f${n}`, {}])),
        },
      }),
      'job.facets',
    ],
  ])('is bounded in the %s', (_, members, path) => {
    expect(readEvent(runEvent(members()), RECEIVED_AT)).toMatchObject({ ok: false, status: 422, faults: [{ path }] });
  });

  it('is read or refused, never a crash, whatever it holds', () => {
    const places = fc.constantFrom('eventTime', 'eventType', 'run', 'job', 'inputs', 'outputs', 'dataset', 'producer');
    fc.assert(
      fc.property(fc.dictionary(places, fc.jsonValue({ maxDepth: 5 })), fc.boolean(), (members, whole) => {
        const read = readEvent(whole ? members : runEvent(members), RECEIVED_AT);
        if (read.ok) expect(read.event.at).toMatch(/Z$/);
        else expect(read.faults.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('facets', () => {
  const outputWith = (facets: Json): Json => runEvent({ outputs: [{ namespace: 'a', name: 'b', facets }] });
  const facetsOf = (value: Json) => {
    const event = taken(value);
    return event.is === 'run' ? event.outputs[0]?.facets : undefined;
  };

  it('of every kind are kept as they came', () => {
    const odd = { _producer: 'x', deep: [{ a: null }], 'käse 🧀': 1.5 };
    expect(facetsOf(outputWith({ odd, storage: facet({ storageLayer: 'iceberg', more: true }) }))).toMatchObject({
      all: { odd, storage: { storageLayer: 'iceberg', more: true } },
      known: { storage: { storageLayer: 'iceberg', more: true } },
    });
  });

  it('that are named like members of every object are facets like others', () => {
    const facets = JSON.parse('{"__proto__": {"x": 1}, "constructor": {"y": 2}, "toString": {}}') as Json;
    expect(Object.keys(facetsOf(outputWith(facets))?.all ?? {})).toEqual(['__proto__', 'constructor', 'toString']);
  });

  it('are removed by `_deleted`', () => {
    expect(
      facetsOf(outputWith({ schema: { _deleted: true }, tags: facet({ tags: [], _deleted: false }) })),
    ).toMatchObject({
      removed: ['schema'],
      all: { tags: { tags: [] } },
    });
  });

  it('that break their schema are kept, named by a warning and not understood', () => {
    const event = taken(outputWith({ schema: facet({ fields: [{ name: 'a' }, { type: 'int' }] }), text: 'no object' }));
    expect(event).toMatchObject({
      outputs: [
        { facets: { all: { schema: { fields: [{ name: 'a' }, { type: 'int' }] }, text: 'no object' }, known: {} } },
      ],
      warnings: [
        { path: 'outputs[0].facets.schema.fields[1].name', rule: expect.stringContaining('kept as it came') },
        { path: 'outputs[0].facets.text', rule: expect.stringContaining('kept as it came') },
      ],
    });
  });

  it.each<[string, Json]>([
    ['schema', { fields: [{ name: 'a', type: 'struct', fields: [{ name: 'b', type: null }] }] }],
    ['symlinks', { identifiers: [{ namespace: 'hive', name: 'orders', type: 'TABLE' }] }],
    ['columnLineage', { fields: { a: { inputFields: [{ namespace: 'n', name: 'd', field: 'x' }] } } }],
    ['lineage', { inputs: [{ namespace: 'n', name: 'd', type: 'DATASET' }] }],
    ['ownership', { owners: [{ name: 'team', type: 'MAINTAINER' }] }],
    ['tags', { tags: [{ key: 'pii', value: 'true', field: 'email' }] }],
    ['documentation', { description: 'Orders.' }],
    ['version', { datasetVersion: '7' }],
    ['lifecycleStateChange', { lifecycleStateChange: 'CREATE' }],
    ['dataQualityMetrics', { rowCount: 5, columnMetrics: { a: { nullCount: 0, quantiles: { '0.5': 1 } } } }],
    ['dataQualityAssertions', { assertions: [{ assertion: 'not_null', success: false, column: 'a' }] }],
    ['dataSource', { name: 'db', uri: 'postgres://db' }],
  ])('called %s are understood on a data set', (name, members) => {
    const facets = facetsOf(outputWith({ [name]: facet(members) }));
    expect(facets?.known).toHaveProperty(name);
    expect(facets?.known[name as 'schema']).toMatchObject(members);
  });

  it('of runs, jobs, inputs and outputs are understood', () => {
    const event = taken(
      runEvent({
        run: {
          runId: RUN_A,
          facets: {
            parent: facet({ run: { runId: RUN_A }, job: { namespace: 'n', name: 'dag' } }),
            nominalTime: facet({ nominalStartTime: '2026-01-01T00:00:00Z', nominalEndTime: null }),
            errorMessage: facet({ message: 'no', programmingLanguage: 'python' }),
          },
        },
        job: {
          namespace: 'n',
          name: 'j',
          facets: {
            sql: facet({ query: 'SELECT 1' }),
            sourceCode: facet({ language: 'python', sourceCode: 'print(1)' }),
            jobType: facet({ processingType: 'BATCH', integration: 'SPARK' }),
          },
        },
        inputs: [{ namespace: 'a', name: 'b', inputFacets: { inputStatistics: facet({ rowCount: 5 }) } }],
        outputs: [{ namespace: 'a', name: 'b', outputFacets: { outputStatistics: facet({ size: 7 }) } }],
      }),
    );
    expect(event).toMatchObject({
      run: {
        facets: { known: { parent: { job: { name: 'dag' } }, nominalTime: {}, errorMessage: { message: 'no' } } },
      },
      job: { facets: { known: { sql: { query: 'SELECT 1' }, sourceCode: {}, jobType: { integration: 'SPARK' } } } },
      inputs: [{ inputFacets: { known: { inputStatistics: { rowCount: 5 } } } }],
      outputs: [{ outputFacets: { known: { outputStatistics: { size: 7 } } } }],
      warnings: [],
    });
  });
});

function nested(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}
