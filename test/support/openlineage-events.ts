import fc from 'fast-check';
import { assertionsOf, type LineageEvent, type LineageState, readEvent } from '../../ingestion/openlineage/index.js';

export const RECEIVED_AT = new Date('2026-02-01T00:00:00Z');

export const RUN_A = '01a20500-0000-7000-8000-00000000000a';
export const RUN_B = '01a20500-0000-7000-8000-00000000000b';

export type Json = Readonly<Record<string, unknown>>;

/** A full Run event as a client would post it; members given replace whole members. */
export function runEvent(members: Json = {}): Json {
  return {
    eventType: 'COMPLETE',
    eventTime: '2026-01-01T08:00:00Z',
    run: { runId: RUN_A },
    job: { namespace: 'shop', name: 'copy_orders' },
    inputs: [{ namespace: 'postgres://db:5432', name: 'shop.public.orders' }],
    outputs: [{ namespace: 'file', name: '/staging/orders' }],
    producer: 'https://example.com/producer',
    schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
    ...members,
  };
}

export function jobEvent(members: Json = {}): Json {
  const { run: _run, eventType: _type, ...rest } = runEvent();
  return { ...rest, ...members };
}

export function datasetEvent(members: Json = {}): Json {
  return {
    eventTime: '2026-01-01T08:00:00Z',
    dataset: { namespace: 'file', name: '/staging/orders' },
    producer: 'https://example.com/producer',
    ...members,
  };
}

/** A facet with what every facet must have. */
export function facet(members: Json): Json {
  return {
    _producer: 'https://example.com/producer',
    _schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/BaseFacet',
    ...members,
  };
}

/** @throws Error that lists the faults */
export function taken(value: unknown): LineageEvent {
  const read = readEvent(value, RECEIVED_AT);
  if (!read.ok) throw new Error(`refused: ${JSON.stringify(read.faults)}`);
  return read.event;
}

/** What an event says, read as it is for the graph. */
export function stateOfEvent(value: unknown): LineageState {
  const read = readEvent(value, RECEIVED_AT, 'linking');
  if (!read.ok) throw new Error(`refused: ${JSON.stringify(read.faults)}`);
  return assertionsOf(read.event).state;
}

/** The n-th minute of a year. */
export function minute(n: number): string {
  return `${new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString().slice(0, 19)}Z`;
}

const names = ['a', 'b', 'c'];
const datasets = fc.subarray(names).map((chosen) => chosen.map((name) => ({ namespace: 'data', name })));
const times = fc.nat({ max: 12 }).map(minute);
const facetBag = fc.dictionary(
  fc.constantFrom('documentation', 'custom', '__proto__', 'version', 'schema', 'parent'),
  fc.oneof(
    // Whatever the facet is called, it finds its members here.
    fc.record({
      description: fc.constantFrom('x', 'y'),
      datasetVersion: fc.constantFrom('1', '2'),
      fields: fc.subarray([{ name: 'x' }, { name: 'y', type: 'int' }, { name: 'z' }]),
      run: fc.record({ runId: fc.constantFrom('r1', 'r2', 'r5') }),
      job: fc.constant({ namespace: 'j', name: 'parent' }),
    }),
    fc.constant({ _deleted: true }),
  ),
  { maxKeys: 2 },
);
const described = datasets.chain((chosen) =>
  fc.tuple(...chosen.map((dataset) => facetBag.map((facets) => ({ ...dataset, facets })))),
);
const columns = fc.dictionary(
  fc.constantFrom('x', 'y'),
  fc.record({
    inputFields: fc.array(
      fc.record({
        namespace: fc.constant('data'),
        name: fc.constantFrom(...names),
        field: fc.constantFrom('x', 'y'),
        transformations: fc.constantFrom([], [{ type: 'DIRECT' }], [{ type: 'INDIRECT' }]),
      }),
      { maxLength: 2 },
    ),
  }),
);

/** Events of few jobs, runs, data sets and times, so that they meet in every way. */
export const meetingEvents = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      eventType: fc.constantFrom('START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER'),
      eventTime: times,
      run: fc.record({ runId: fc.constantFrom('r1', 'r2', 'r3', 'r4'), facets: facetBag }),
      job: fc.record({ namespace: fc.constant('j'), name: fc.constantFrom('one', 'one', 'two'), facets: facetBag }),
      inputs: described,
      outputs: fc
        .tuple(datasets, columns)
        .map(([chosen, fields]) => chosen.map((dataset) => ({ ...dataset, facets: { columnLineage: { fields } } }))),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      eventTime: times,
      job: fc.record({ namespace: fc.constant('j'), name: fc.constant('one'), facets: facetBag }),
      inputs: described,
      outputs: datasets,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      eventTime: times,
      dataset: fc.record({ namespace: fc.constant('data'), name: fc.constantFrom(...names), facets: facetBag }),
    }),
  },
);
