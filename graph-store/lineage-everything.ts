import type { Driver } from 'neo4j-driver';
import { readStarts } from './lineage-answer.js';
import { nodesFromRows, readNodes } from './lineage-nodes.js';
import { groundOf, reach } from './lineage-reach.js';
import { type CheckedWalk, nothingFound } from './lineage-request.js';
import { boundedRead, tooLate } from './lineage-session.js';
import type { LineageNode } from './lineage-types.js';

/** Nodes of one piece. */
const PIECE = 2_000;

/** Urns of all nodes are held in memory, about 100 bytes each; names and labels are not. */
export async function* readEverything(
  driver: Driver,
  walk: CheckedWalk,
  { signal, isLate }: { readonly signal: AbortSignal | undefined; readonly isLate: () => boolean },
): AsyncGenerator<readonly LineageNode[]> {
  const bounds = { deadlineMs: walk.deadlineMs, signal };
  const levels = await boundedRead(driver, bounds, async (read) => {
    const starts = await readStarts(read, walk);
    if (starts === null) throw nothingFound(walk);
    const reached = await reach(read, groundOf(walk), starts, { isFull: () => false, isLate });
    if (reached.stopped !== null) throw tooLate(walk.deadlineMs);
    return reached.levels;
  });
  for (const [step, urns] of levels.entries()) {
    for (let at = 0; at < urns.length; at += PIECE) {
      const told = urns.slice(at, at + PIECE).map((urn) => ({ urn, step }));
      yield nodesFromRows(walk, told, await boundedRead(driver, bounds, (read) => readNodes(read, told)));
    }
  }
}
