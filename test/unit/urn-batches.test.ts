import { describe, expect, it } from 'vitest';
import { UrnBatches } from '../../graph-store/urn-batches.js';

interface Call {
  readonly statement: string;
  readonly urns: readonly string[];
}

/** Batches over a function that answers with the length of each urn, and what it was asked. */
function openBatches(): { batches: UrnBatches; calls: Call[] } {
  const calls: Call[] = [];
  const batches = new UrnBatches(async (statement, { urns }) => {
    calls.push({ statement, urns: urns as string[] });
    if (statement === 'fails') throw new Error('down');
    return (urns as string[]).filter((urn) => urn !== '').map((urn) => ({ urn, total: urn.length })) as never[];
  });
  return { batches, calls };
}

describe('reads of many entities', () => {
  it('in one turn are one query for each question, and each gets its own rows', async () => {
    const { batches, calls } = openBatches();
    const asked = ['a', 'bb', 'a', ''].map((urn) => batches.read('count', urn, { in: true }));
    const other = batches.read('count', 'a', { in: false });
    expect(await Promise.all(asked)).toEqual([
      [{ urn: 'a', total: 1 }],
      [{ urn: 'bb', total: 2 }],
      [{ urn: 'a', total: 1 }],
      [],
    ]);
    expect(await other).toEqual([{ urn: 'a', total: 1 }]);
    expect(calls).toEqual([
      { statement: 'count', urns: ['a', 'bb', ''] },
      { statement: 'count', urns: ['a'] },
    ]);
    await batches.read('count', 'a', { in: true });
    expect(calls).toHaveLength(3);
  });

  it('are cut into queries of a hundred', async () => {
    const { batches, calls } = openBatches();
    await Promise.all(Array.from({ length: 250 }, (_, index) => batches.read('count', `n${index}`, {})));
    expect(calls.map(({ urns }) => urns.length)).toEqual([100, 100, 50]);
  });

  it('fail together, and the next ones start anew', async () => {
    const { batches } = openBatches();
    const results = await Promise.allSettled([batches.read('fails', 'a', {}), batches.read('fails', 'b', {})]);
    expect(results).toMatchObject([{ reason: { message: 'down' } }, { reason: { message: 'down' } }]);
    expect(await batches.read('count', 'a', {})).toEqual([{ urn: 'a', total: 1 }]);
  });
});
