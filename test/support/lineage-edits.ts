import fc from 'fast-check';
import { datasetUrn, formatUrn } from '#graph-schema';
import {
  type EdgeEdit,
  type EditedEdge,
  type EventTime,
  type LineageEdit,
  type RunEdit,
  readEventTime,
} from '../../ingestion/openlineage/index.js';
import { minute } from './openlineage-events.js';

/** The n-th minute of a year, as events hold it. */
export function atMinute(n: number): EventTime {
  const at = readEventTime(minute(n));
  if (at === null) throw new RangeError(`no minute ${n}`);
  return at;
}

export function edgeEdit(members: Partial<EdgeEdit> & Pick<EdgeEdit, 'does' | 'edges'>): EdgeEdit {
  return { is: 'edge-edit', id: 'an-edit', at: atMinute(1), actor: 'alice', note: null, ...members };
}

export function runEdit(members: Partial<RunEdit> & Pick<RunEdit, 'does' | 'run'>): RunEdit {
  return { is: 'run-edit', id: 'an-edit', at: atMinute(1), actor: 'alice', note: null, ...members };
}

const job = fc.constantFrom('one', 'one', 'two').map((name) => formatUrn('job', ['j', name]));
const name = fc.constantFrom('a', 'b', 'c');
const dataset = name.map((of) => datasetUrn('data', of));
const column = fc.tuple(name, fc.constantFrom('x', 'y')).map(([of, field]) => formatUrn('field', ['data', of, field]));

const edges: fc.Arbitrary<EditedEdge> = fc.oneof(
  fc.record({ kind: fc.constant('FEEDS' as const), from: dataset, to: job }),
  fc.record({ kind: fc.constant('PRODUCES' as const), from: job, to: dataset }),
  fc.record({ kind: fc.constant('DERIVES' as const), from: column, to: column, via: fc.option(job) }),
);

const base = {
  // Few of them, so that requests are repeated.
  id: fc.constantFrom('1', '2', '3', '4'),
  at: fc.nat({ max: 12 }).map(atMinute),
  actor: fc.constantFrom('alice', 'bob b|'),
  note: fc.constantFrom(null, 'because'),
};

const edgeEdits: fc.Arbitrary<EdgeEdit> = fc.record({
  is: fc.constant('edge-edit' as const),
  ...base,
  does: fc.constantFrom('assert', 'assert', 'withdraw'),
  edges: fc.array(edges, { minLength: 1, maxLength: 2 }),
});

const runEdits: fc.Arbitrary<RunEdit> = fc.record({
  is: fc.constant('run-edit' as const),
  ...base,
  does: fc.constantFrom('roll-back', 'roll-back', 'restore'),
  run: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
});

/** Edits that meet the events of `meetingEvents`, and each other, in every way. */
export const meetingEdits: fc.Arbitrary<LineageEdit> = fc.oneof(edgeEdits, runEdits);

/** Roll-backs among many runs. */
export const editsOfManyRuns: fc.Arbitrary<RunEdit> = fc
  .record({ ...base, at: fc.nat({ max: 90 }).map(atMinute), run: fc.nat({ max: 30 }), rollsBack: fc.boolean() })
  .map(({ run, rollsBack, ...rest }) => ({
    is: 'run-edit',
    ...rest,
    does: rollsBack ? 'roll-back' : 'restore',
    run: `r${run}`,
  }));
