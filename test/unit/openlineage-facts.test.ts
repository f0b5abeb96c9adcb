import { describe, expect, it } from 'vitest';
import { datasetUrn, formatUrn, INGESTION_JOB_NAMESPACE, runUrn } from '#graph-schema';
import {
  aliasesOf,
  assertionsOf,
  columnEdgeOf,
  EVENT_LIMITS,
  fieldsOf,
  type LineageState,
  parentsOf,
  runOfSource,
} from '../../ingestion/openlineage/index.js';
import {
  datasetEvent,
  facet,
  type Json,
  jobEvent,
  RUN_A,
  RUN_B,
  runEvent,
  stateOfEvent,
  taken,
} from '../support/openlineage-events.js';

const ORDERS = datasetUrn('postgres://db:5432', 'shop.public.orders');
const STAGED = datasetUrn('file', '/staging/orders');
const JOB = formatUrn('job', ['shop', 'copy_orders']);
const job = (name: string) => formatUrn('job', ['n', name]);
const data = (name: string) => datasetUrn('n', name);
const field = (dataset: string, name: string) => formatUrn('field', ['n', dataset, name]);

/** Who claims which edges, in short. */
function claimed({ assertions }: LineageState) {
  return Object.values(assertions).map(({ owner, by, inputs, outputs, columns }) => ({
    owner,
    run: runOfSource(by),
    inputs: Object.keys(inputs),
    outputs: Object.keys(outputs),
    columns: Object.values(columns).flatMap((claims) =>
      Object.entries(claims).map(([key, { note }]) => ({ ...columnEdgeOf(key), note })),
    ),
  }));
}

describe('a Run event', () => {
  it('tells its job, its run, its data sets and what the run claims for the job', () => {
    const state = stateOfEvent(runEvent());
    expect(Object.keys(state.jobs)).toEqual([JOB]);
    expect(state.runs[runUrn(RUN_A)]).toMatchObject({ id: RUN_A, jobs: [JOB] });
    expect(Object.keys(state.datasets).sort()).toEqual([STAGED, ORDERS].sort());
    expect(claimed(state)).toEqual([
      { owner: JOB, run: runUrn(RUN_A), inputs: [ORDERS], outputs: [STAGED], columns: [] },
    ]);
  });

  it('names its parent and its root, which are there from then on', () => {
    const parent = facet({
      run: { runId: RUN_B.toUpperCase() },
      job: { namespace: 'n', name: 'dag.task' },
      root: { run: { runId: 'top' }, job: { namespace: 'n', name: 'dag' } },
    });
    const state = stateOfEvent(runEvent({ run: { runId: RUN_A, facets: { parent } } }));
    expect(Object.keys(state.jobs).sort()).toEqual([JOB, job('dag'), job('dag.task')].sort());
    expect(state.runs[runUrn(RUN_B)]).toMatchObject({ jobs: [job('dag.task')], facets: {} });
    const run = state.runs[runUrn(RUN_A)];
    expect(run === undefined ? null : parentsOf(run)).toEqual({
      parent: { run: runUrn(RUN_B), job: job('dag.task') },
      root: { run: runUrn('top'), job: job('dag') },
    });
  });

  it('claims columns as the facet of its output tells, with their transformations', () => {
    const columnLineage = facet({
      fields: {
        id: {
          inputFields: [
            { namespace: 'n', name: 'd', field: 'key', transformations: [{ type: 'DIRECT', subtype: 'IDENTITY' }] },
          ],
        },
        total: {
          inputFields: [{ namespace: 'n', name: 'd', field: 'price' }],
          transformationType: 'MASKED',
          transformationDescription: 'sum',
        },
      },
      dataset: [{ namespace: 'n', name: 'e', field: 'day', transformations: [{ type: 'INDIRECT' }] }],
    });
    const state = stateOfEvent(
      runEvent({ inputs: [], outputs: [{ namespace: 'n', name: 'out', facets: { columnLineage } }] }),
    );
    const [claims] = claimed(state);
    expect(claims?.inputs).toEqual([]);
    expect(claims?.columns).toHaveLength(4);
    expect(claims?.columns).toEqual(
      expect.arrayContaining([
        { from: field('d', 'key'), to: field('out', 'id'), note: '[{"subtype":"IDENTITY","type":"DIRECT"}]' },
        { from: field('d', 'price'), to: field('out', 'total'), note: '[{"description":"sum","type":"MASKED"}]' },
        { from: field('e', 'day'), to: field('out', 'id'), note: '[{"type":"INDIRECT"}]' },
        { from: field('e', 'day'), to: field('out', 'total'), note: '[{"type":"INDIRECT"}]' },
      ]),
    );
    expect(Object.keys(state.datasets).sort()).toEqual([data('d'), data('e'), data('out')]);
  });

  it('claims no more edges between columns than the bound, and says so', () => {
    const inputFields = Array.from({ length: 200 }, (_, n) => ({ namespace: 'n', name: 'd', field: `f${n}` }));
    const fields = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`c${n}`, { inputFields }]));
    const outputs = [{ namespace: 'n', name: 'out', facets: { columnLineage: facet({ fields }) } }];
    const { state, warnings } = assertionsOf(taken(runEvent({ outputs })));
    expect(claimed(state)[0]?.columns).toHaveLength(EVENT_LIMITS.columnEdges);
    expect(warnings).toEqual([{ path: '', rule: expect.stringContaining(String(EVENT_LIMITS.columnEdges)) }]);
  });
});

describe('a Job event', () => {
  it('claims without a run', () => {
    expect(claimed(stateOfEvent(jobEvent()))).toEqual([
      { owner: JOB, run: null, inputs: [ORDERS], outputs: [STAGED], columns: [] },
    ]);
  });

  it('is another source than a Job event of another time', () => {
    const [a, b] = ['2026-01-01T08:00:00Z', '2026-01-01T09:00:00Z'].map((eventTime) =>
      stateOfEvent(jobEvent({ eventTime })),
    );
    expect(Object.keys(a?.assertions ?? {})).not.toEqual(Object.keys(b?.assertions ?? {}));
  });
});

describe('the facet of explicit lineage', () => {
  const entries = (...given: Json[]): Json =>
    jobEvent({
      job: { namespace: 'n', name: 'own', facets: { lineage: facet({ entries: given }) } },
      inputs: [],
      outputs: [],
    });
  const dataset = (name: string, more: Json = {}): Json => ({ type: 'DATASET', namespace: 'n', name, ...more });

  it('links a data set to those that feed it through the job of the event', () => {
    const fields = { a: { inputs: [dataset('x', { field: 'k', transformations: [{ type: 'DIRECT' }] })] } };
    expect(claimed(stateOfEvent(entries(dataset('t', { inputs: [dataset('x')], fields }))))).toEqual([
      {
        owner: job('own'),
        run: null,
        inputs: [data('x')],
        outputs: [data('t')],
        columns: [{ from: field('x', 'k'), to: field('t', 'a'), note: '[{"type":"DIRECT"}]' }],
      },
    ]);
  });

  it('lets a field that decides about the whole data set feed each column that is named', () => {
    const fields = { a: { inputs: [{ type: 'JOB' }] }, b: { inputs: [] } };
    const [claims] = claimed(stateOfEvent(entries(dataset('t', { inputs: [dataset('x', { field: 'day' })], fields }))));
    expect(claims?.columns.map(({ to }) => to)).toEqual([field('t', 'a'), field('t', 'b')]);
  });

  it('takes a job without a name for the one of the event', () => {
    expect(claimed(stateOfEvent(entries({ type: 'JOB', inputs: [dataset('x')] })))).toEqual([
      { owner: job('own'), run: null, inputs: [data('x')], outputs: [], columns: [] },
    ]);
  });

  it('claims for another job by its own run, never by that of the event', () => {
    const other = { type: 'JOB', namespace: 'n', name: 'other' };
    const event = runEvent({
      job: {
        namespace: 'n',
        name: 'own',
        facets: {
          lineage: facet({
            entries: [dataset('t', { inputs: [{ ...other, runId: RUN_B }] }), { ...other, inputs: [dataset('x')] }],
          }),
        },
      },
      inputs: [],
      outputs: [],
    });
    const others = claimed(stateOfEvent(event)).filter(({ owner }) => owner === job('other'));
    expect(others).toHaveLength(2);
    expect(others).toEqual(
      expect.arrayContaining([
        { owner: job('other'), run: runUrn(RUN_B), inputs: [], outputs: [data('t')], columns: [] },
        { owner: job('other'), run: null, inputs: [data('x')], outputs: [], columns: [] },
      ]),
    );
  });

  it('claims nothing for a unit of Nucleus', () => {
    const unit = { type: 'JOB', namespace: INGESTION_JOB_NAMESPACE, name: 'a/b' };
    const facts = assertionsOf(taken(entries({ ...unit, inputs: [dataset('x')] }, dataset('t', { inputs: [unit] }))));
    expect(Object.keys(facts.state.jobs)).toEqual([job('own')]);
    expect(Object.values(facts.state.assertions).map(({ owner }) => owner)).not.toContain(
      formatUrn('job', [unit.namespace, unit.name]),
    );
    const rule = expect.stringContaining('units of Nucleus');
    expect(facts.warnings).toContainEqual({ path: 'facets.lineage', rule });
  });

  it('says what the graph cannot show: jobs linked to jobs, and data sets linked without a job', () => {
    const other = { type: 'JOB', namespace: 'n', name: 'other' };
    const jobs = assertionsOf(taken(entries({ ...other, inputs: [{ type: 'JOB', namespace: 'n', name: 'third' }] })));
    expect(jobs.warnings).toEqual([
      { path: 'job.facets.lineage', rule: expect.stringContaining('links a job to a job') },
    ]);
    const lineage = facet({ inputs: [dataset('x')], fields: { a: { inputs: [dataset('x', { field: 'k' })] } } });
    const alone = assertionsOf(taken(datasetEvent({ dataset: { namespace: 'n', name: 't', facets: { lineage } } })));
    expect(alone.warnings).toEqual([{ path: 'dataset.facets.lineage', rule: expect.stringContaining('no job') }]);
    expect(claimed(alone.state)).toMatchObject([{ owner: data('t'), columns: [{ from: field('x', 'k') }] }]);
  });

  it('of an input is not taken for the work of the job that reads it', () => {
    const lineage = facet({ inputs: [dataset('x')] });
    const event = runEvent({ inputs: [{ namespace: 'n', name: 't', facets: { lineage } }], outputs: [] });
    expect(claimed(stateOfEvent(event))).toEqual([
      { owner: JOB, run: runUrn(RUN_A), inputs: [data('t')], outputs: [], columns: [] },
    ]);
  });
});

describe('a data set', () => {
  const datasetWith = (facets: Json) => {
    const [state] = Object.values(
      stateOfEvent(datasetEvent({ dataset: { namespace: 'n', name: 'd', facets } })).datasets,
    );
    if (state === undefined) throw new Error('no data set');
    return state;
  };

  it('has the aliases that its symlinks tell, and is none of them', () => {
    const identifiers = [
      { namespace: 'hive://m', name: 'db.d', type: 'TABLE' },
      { namespace: 'n', name: 'd', type: 'TABLE' },
    ];
    expect(aliasesOf(datasetWith({ symlinks: facet({ identifiers }) }))).toEqual([
      { urn: datasetUrn('hive://m', 'db.d'), namespace: 'hive://m', name: 'db.d', type: 'TABLE' },
    ]);
  });

  it('has the columns of its schema, nested ones by the path to them', () => {
    const fields = [
      { name: 'id', type: 'int', ordinal_position: 3 },
      { name: 'address', fields: [{ name: 'city', description: 'Where.' }] },
    ];
    expect(fieldsOf(datasetWith({ schema: facet({ fields }) }))).toEqual([
      { urn: field('d', 'id'), name: 'id', type: 'int', description: null, ordinal: 3 },
      { urn: field('d', 'address'), name: 'address', type: null, description: null, ordinal: 2 },
      { urn: field('d', 'address.city'), name: 'address.city', type: null, description: 'Where.', ordinal: 1 },
    ]);
  });

  it('has neither where the facet is not understood', () => {
    const dataset = datasetWith({ schema: facet({ fields: 5 }), symlinks: 'x' });
    expect([fieldsOf(dataset), aliasesOf(dataset)]).toEqual([[], []]);
  });
});
