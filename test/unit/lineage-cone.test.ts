import { describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { datasetUrn, formatUrn } from '#graph-schema';
import type { Change, ChangeLog } from '#graph-store';
import { LineageCone } from '../../server/events/lineage-cone.js';

const [TABLE, JOB] = [datasetUrn('cone', 'table'), formatUrn('job', ['cone', 'job'])];

const CHANGE: Change = {
  ...{ sequence: 7, id: 'c7', at: new Date(0), actor: 'test', runId: null, size: 1 },
  items: [
    { operation: 'created', kind: 'FEEDS', urn: TABLE, to: JOB, version: 1, before: {}, after: {}, previous: null },
  ],
};

/** A log whose head counts a change that is seen after some looks only, and a graph that shows the edge of it as soon. */
function sourcesWith(looks: number) {
  let looked = 0;
  const log: Pick<ChangeLog, 'head' | 'read'> = {
    head: async () => CHANGE.sequence,
    read: async () => {
      looked += 1;
      return looked > looks ? [CHANGE] : [];
    },
  };
  const node = { name: null, labels: [], isPlaceholder: false };
  const edge = { kind: 'FEEDS' as const, from: TABLE, to: JOB };
  const lineage = {
    walk: async () => ({
      nodes: [TABLE, ...(looked > looks ? [JOB] : [])].map((urn) => ({ ...node, urn })),
      edges: looked > looks ? [edge] : [],
      truncated: null,
    }),
  };
  return { log, lineage } as unknown as ConstructorParameters<typeof LineageCone>[1];
}

const coneOver = (looks: number) =>
  new LineageCone({ urn: TABLE, direction: 'DOWNSTREAM', depth: undefined }, sourcesWith(looks));

describe('a change that the head of the log counts', () => {
  it('is waited for while it cannot be seen, so that the cone has what it brings', async () => {
    const membersAt = await coneOver(3).membersDuring([CHANGE]);
    expect([...membersAt(CHANGE.sequence)].sort()).toEqual([TABLE, JOB].sort());
  });

  it('and is never seen is told as a store that does not answer', async () => {
    await expect(coneOver(Number.POSITIVE_INFINITY).membersDuring([CHANGE])).rejects.toThrow(AppError);
    await expect(coneOver(Number.POSITIVE_INFINITY).membersDuring([CHANGE])).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });
});
