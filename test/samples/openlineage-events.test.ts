import { beforeAll, describe, expect, it } from 'vitest';
import { datasetUrn } from '#graph-schema';
import {
  assertionsOf,
  mergeStates,
  NO_STATE,
  readEvent,
  readVersion,
  startedAt,
  writtenVersion,
} from '../../ingestion/openlineage/index.js';
import { RECEIVED_AT, RUN_A, runEvent, stateOfEvent, taken } from '../support/openlineage-events.js';
import {
  type FacetSample,
  facetSamplesIn,
  type Sample,
  sampleFolder,
  samplesIn,
} from '../support/openlineage-samples.js';

describe('the events of real clients and published suites', () => {
  let samples: readonly Sample[] = [];
  let facets: readonly FacetSample[] = [];

  beforeAll(() => {
    const folder = sampleFolder();
    samples = samplesIn(folder);
    facets = facetSamplesIn(folder);
  });

  const stateOfAll = (events: readonly Sample[]) =>
    events.map(({ event }) => stateOfEvent(event)).reduce(mergeStates, NO_STATE);

  it('are there', () => {
    expect(samples.length).toBeGreaterThan(100);
    expect(facets.length).toBeGreaterThan(30);
  });

  it('are all taken', () => {
    const refused = samples
      .map(({ name, event }) => ({ name, read: readEvent(event, RECEIVED_AT) }))
      .filter(({ read }) => !read.ok);
    expect(refused).toEqual([]);
  });

  it('are understood but for what is odd in them', () => {
    const odd = samples.flatMap(({ name, event }) => {
      const read = taken(event);
      return [...read.warnings, ...assertionsOf(read).warnings].map(({ path, rule }) => `${name}: ${path} ${rule}`);
    });
    expect(odd).toEqual([
      expect.stringMatching(/simple_run_event.json: run.runId should be a UUID/),
      expect.stringMatching(/example_full_event.json: dataset has no place beside/),
    ]);
  });

  it('say the same whether all of their facets are understood or those alone that link', () => {
    for (const { event } of samples) expect(stateOfEvent(event)).toEqual(assertionsOf(taken(event)).state);
  });

  it('give one state in order, reversed, shuffled and doubled', () => {
    const whole = JSON.stringify(stateOfAll(samples));
    expect(JSON.stringify(stateOfAll([...samples].reverse()))).toBe(whole);
    const stride = samples
      .map((_, index) => samples[(index * 37) % samples.length])
      .filter((sample) => sample !== undefined);
    expect(JSON.stringify(stateOfAll([...stride, ...samples]))).toBe(whole);
  });

  it('have facets that are read as the examples of the specification mean them', () => {
    const misread = facets.flatMap(({ file, schema, facets: given }) =>
      taken(eventWith(schema, given)).warnings.map(({ path, rule }) => `${file}: ${path} ${rule}`),
    );
    expect(misread).toEqual([]);
  });

  it('name the run and the inputs behind each version of the apple pie', () => {
    const state = stateOfAll(samples.filter(({ name }) => name.includes('apples')));
    const uses = Object.values(state.uses).map((use) => ({ use, run: state.runs[use.run] }));
    const versionsOf = (dataset: string) =>
      uses
        .filter(({ use }) => use.side === 'output' && use.dataset === dataset)
        .flatMap(({ use, run }) => (run === undefined ? [] : [writtenVersion(run, use)]))
        .filter((version) => version !== null)
        .sort((a, b) => (a.at < b.at ? -1 : 1));
    const inputsOf = (runId: string) =>
      Object.fromEntries(
        uses.flatMap(({ use, run }) =>
          use.side === 'input' && run?.id === runId
            ? [[use.dataset, readVersion(use, startedAt(run.outcome), versionsOf(use.dataset))]]
            : [],
        ),
      );
    const kitchen = (name: string) => datasetUrn('grandmas.kitchen', name);
    expect(versionsOf(kitchen('apple.pie')).map(({ version }) => version)).toEqual([
      'run-66ad484e-9bba-4eed-a5f5-3a17558e7f6b',
      'run-bcef9942-cb5c-476a-995b-3e5ca14aff27',
    ]);
    expect(inputsOf('bcef9942-cb5c-476a-995b-3e5ca14aff27')).toEqual({
      [kitchen('apple.filling')]: 'run-e7d71919-25b3-49cc-a0f5-63ecbee72b0f',
    });
    expect(inputsOf('66ad484e-9bba-4eed-a5f5-3a17558e7f6b')).toEqual({
      [kitchen('apple.filling')]: 'run-ab468fb4-4654-4286-9679-59d13d185b19',
    });
    expect(inputsOf('e7d71919-25b3-49cc-a0f5-63ecbee72b0f')).toMatchObject({
      [kitchen('apples')]: 'run-155dbf08-c4c5-43e6-bb3a-8095c4ba59b8',
    });
  });
});

/** An event with the facets where their schema says that they stand. */
function eventWith(schema: string, facets: Readonly<Record<string, unknown>>) {
  const dataset = { namespace: 'n', name: 'd' };
  const job = { namespace: 'n', name: 'j' };
  if (schema === 'LineageFacet') {
    const ofJob = JSON.stringify(facets).includes('"entries"');
    return ofJob ? runEvent({ job: { ...job, facets } }) : runEvent({ outputs: [{ ...dataset, facets }] });
  }
  if (schema.endsWith('RunFacet')) return runEvent({ run: { runId: RUN_A, facets } });
  if (schema.endsWith('JobFacet')) return runEvent({ job: { ...job, facets } });
  if (schema.endsWith('InputDatasetFacet')) return runEvent({ inputs: [{ ...dataset, inputFacets: facets }] });
  if (schema.endsWith('OutputDatasetFacet')) return runEvent({ outputs: [{ ...dataset, outputFacets: facets }] });
  return runEvent({ outputs: [{ ...dataset, facets }] });
}
