import { describe, expect, it } from 'vitest';
import { InputError } from '#errors';
import { datasetUrn, formatUrn, INGESTION_JOB_NAMESPACE } from '#graph-schema';
import { checkWalk, isShown } from '../../graph-store/lineage-request.js';
import type { LineageFilter, LineageWalk } from '../../graph-store/lineage-types.js';

const URN = datasetUrn('s3://lake', 'orders');
const JOB = formatUrn('job', ['airflow', 'load']);
const UNIT = formatUrn('job', [INGESTION_JOB_NAMESPACE, 'crm/orders']);
const FIELD = formatUrn('field', ['s3://lake', 'orders', 'id']);

const fieldsOf = (walk: Partial<LineageWalk>): string[] => {
  try {
    checkWalk({ urn: URN, direction: 'BOTH', ...walk });
    return [];
  } catch (error) {
    if (error instanceof InputError) return error.problems.map(({ field }) => field);
    throw error;
  }
};

describe('what a walk asks for', () => {
  it.each<[Partial<LineageWalk>, string[]]>([
    [{}, []],
    [{ urn: 'orders' }, ['urn']],
    [{ urn: FIELD }, ['urn']],
    [{ urn: FIELD, level: 'FIELD' }, []],
    [{ level: 'JOB' }, ['urn']],
    [{ urn: JOB, level: 'JOB' }, []],
    [{ level: 'COLUMN' as 'FIELD', direction: 'UP' as 'BOTH' }, ['level', 'direction', 'urn']],
    [{ depth: 0 }, ['depth']],
    [{ depth: 1.5 }, ['depth']],
    [{ maxNodes: 50_001, maxEdges: 200_001, deadlineMs: 0 }, ['maxNodes', 'maxEdges', 'deadlineMs']],
    [{ filter: { kinds: [] } }, ['filter.kinds']],
    [{ filter: { kinds: ['Run' as 'Job'] } }, ['filter.kinds']],
    [{ filter: { namespaces: Array.from({ length: 101 }, String) } }, ['filter.namespaces']],
    [{ view: { at: 'yesterday' } }, ['view.at']],
    [{ view: 'NEVER' as 'EVER' }, ['view']],
  ])('is checked: %j has faults in %j', (walk, fields) => {
    expect(fieldsOf(walk)).toEqual(fields);
  });
});

describe('a filter', () => {
  const shown = (filter: LineageFilter, urns = [URN, JOB, UNIT, FIELD]) =>
    urns.filter((urn) => isShown(checkWalk({ urn: URN, direction: 'BOTH', filter }), urn));

  it('tells kinds and namespaces by the urn', () => {
    expect(shown({})).toEqual([URN, JOB, UNIT, FIELD]);
    expect(shown({ kinds: ['Dataset'] })).toEqual([URN]);
    expect(shown({ kinds: ['Job'] })).toEqual([JOB, UNIT]);
    expect(shown({ kinds: ['IngestionUnit', 'Field'] })).toEqual([UNIT, FIELD]);
    expect(shown({ namespaces: ['s3://lake'] })).toEqual([URN, FIELD]);
    expect(shown({ namespaces: ['s3://lake', 'airflow'], kinds: ['Job'] })).toEqual([JOB]);
  });
});
