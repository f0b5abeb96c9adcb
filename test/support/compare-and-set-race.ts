import { expect } from 'vitest';
import { datasetUrn } from '#graph-schema';
import { BatchRefused } from '#graph-store';
import { wholeLog } from './change-log.js';
import type { TestGraph } from './graph.js';

const WRITERS = 8;
const ENTITIES = 100;

/**
 * Writers race for the versions of the same entities: each read a version, and writes the next only if nobody has. A round is
 * one attempt of each of 8 writers. Afterwards every version must have one winner, and log and histories must hold all of them.
 */
export async function expectOneWinnerPerVersion(graph: TestGraph, prefix: string, rounds: number): Promise<void> {
  const urns = Array.from({ length: ENTITIES }, (_, index) => datasetUrn(prefix, `raced-${index}`));
  const known = new Map<string, number>(urns.map((urn) => [urn, 0]));
  const start = await graph.log.head();
  const attempt = async (writer: number, round: number): Promise<{ urn: string; won: number } | undefined> => {
    // All writers of a round go for the same entity; the version that they have seen is the same one too.
    const urn = urns[round % ENTITIES] ?? '';
    const ifVersion = known.get(urn) ?? 0;
    const entity = { kind: 'Dataset', urn, name: 'raced', properties: { winner: `${writer} in ${round}` } } as const;
    try {
      const receipt = await graph.store.write({ entities: [{ ...entity, ifVersion }] }, { actor: prefix });
      return { urn, won: receipt.entities[0]?.version ?? 0 };
    } catch (error) {
      if (!(error instanceof BatchRefused) || error.code !== 'CONFLICT') throw error;
      return undefined;
    }
  };
  for (let round = 0; round < rounds; round += 1) {
    const attempts = await Promise.all(Array.from({ length: WRITERS }, (_, writer) => attempt(writer, round)));
    const winners = attempts.filter((won) => won !== undefined);
    expect(winners).toHaveLength(1);
    for (const { urn, won } of winners) {
      expect(won).toBe((known.get(urn) ?? 0) + 1);
      known.set(urn, won);
    }
  }

  const log = await wholeLog(graph.log, start);
  expect(log.map((change) => change.sequence)).toEqual(log.map((_, index) => start + 1 + index));
  const items = log.flatMap((change) => change.items.map((item) => ({ ...item, change: change.id })));
  for (const [urn, versions] of known) {
    const told = items.filter((item) => item.urn === urn);
    expect(told.map((item) => item.version)).toEqual(Array.from({ length: versions }, (_, index) => index + 1));
    expect(told.map((item) => item.previous)).toEqual(
      [null, ...told.slice(0, -1).map((item) => item.change)].slice(0, versions),
    );
    const history = await graph.log.history(urn, { limit: versions + 1 });
    expect(history.map(({ change }) => change.id)).toEqual(told.map((item) => item.change).reverse());
  }
}
