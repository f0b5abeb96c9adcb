import { describe, expect, it } from 'vitest';
import { datasetUrn, runUrn } from '#graph-schema';
import {
  keyOfUse,
  type LineageState,
  mergeStates,
  NO_STATE,
  readVersion,
  startedAt,
  writtenVersion,
} from '../../ingestion/openlineage/index.js';
import { facet, minute, runEvent, stateOfEvent } from '../support/openlineage-events.js';

const DATA = datasetUrn('data', 'd');

function event(type: string, runId: string, at: number, side: 'inputs' | 'outputs', version?: string) {
  const facets = version === undefined ? {} : { version: facet({ datasetVersion: version }) };
  const dataset = { namespace: 'data', name: 'd', facets };
  return runEvent({
    eventType: type,
    eventTime: minute(at),
    run: { runId },
    inputs: [],
    outputs: [],
    [side]: [dataset],
  });
}

const stateOf = (...events: unknown[]): LineageState => events.map(stateOfEvent).reduce(mergeStates, NO_STATE);

function usageOf(state: LineageState, id: string, side: 'input' | 'output') {
  const run = state.runs[runUrn(id)];
  const use = state.uses[keyOfUse({ run: runUrn(id), side, dataset: DATA })];
  if (run === undefined || use === undefined) throw new Error(`${id} does not name the data set`);
  return { run, use };
}

function written(state: LineageState, id: string) {
  const { run, use } = usageOf(state, id, 'output');
  return writtenVersion(run, use);
}

function read(state: LineageState, id: string) {
  const { run, use } = usageOf(state, id, 'input');
  const versions = Object.values(state.uses)
    .filter(({ side }) => side === 'output')
    .map((output) => ({ output, writer: state.runs[output.run] }))
    .flatMap(({ output, writer }) => (writer === undefined ? [] : [writtenVersion(writer, output)]))
    .filter((version) => version !== null);
  return readVersion(use, startedAt(run.outcome), versions);
}

describe('the version that a run writes', () => {
  it('is named by the run, which makes it by completing', () => {
    const state = stateOf(event('START', 'w', 1, 'outputs'), event('COMPLETE', 'w', 5, 'outputs'));
    expect(written(state, 'w')).toEqual({ version: 'run-w', run: runUrn('w'), at: '2026-01-01T00:05:00.000000000Z' });
  });

  it('is the one that its latest event names', () => {
    const state = stateOf(event('COMPLETE', 'w', 5, 'outputs', '8'), event('START', 'w', 1, 'outputs', '7'));
    expect(written(state, 'w')?.version).toBe('8');
  });

  it.each(['START', 'RUNNING', 'FAIL', 'ABORT'])('is none after %s, unless it is named', (type) => {
    expect(written(stateOf(event(type, 'w', 1, 'outputs')), 'w')).toBeNull();
    expect(written(stateOf(event(type, 'w', 1, 'outputs', '7')), 'w')).toMatchObject({ version: '7' });
  });
});

describe('the version that a run reads', () => {
  const history = [event('COMPLETE', 'w1', 1, 'outputs'), event('COMPLETE', 'w2', 5, 'outputs')];

  it('is the latest that was written when it began', () => {
    const state = stateOf(...history, event('START', 'r', 4, 'inputs'), event('COMPLETE', 'r', 9, 'inputs'));
    expect(read(state, 'r')).toBe('run-w1');
    expect(read(stateOf(...history, event('COMPLETE', 'r', 5, 'inputs')), 'r')).toBe('run-w2');
  });

  it('is the one that it names', () => {
    expect(read(stateOf(...history, event('COMPLETE', 'r', 9, 'inputs', '3')), 'r')).toBe('3');
  });

  it('is never the one that it writes itself', () => {
    const state = stateOf(...history, event('COMPLETE', 'r', 9, 'inputs'), event('COMPLETE', 'r', 9, 'outputs'));
    expect(read(state, 'r')).toBe('run-w2');
  });

  it('is none before the first, and skips what a failed run has left', () => {
    expect(read(stateOf(...history, event('START', 'r', 0, 'inputs')), 'r')).toBeNull();
    const failed = event('FAIL', 'w3', 7, 'outputs');
    expect(read(stateOf(...history, failed, event('START', 'r', 9, 'inputs')), 'r')).toBe('run-w2');
  });
});
