import { runLineageEdges } from '#graph-schema';
import { cutRows, type EdgeCut, type Placed, parametersOfEdges } from './lineage-edges.js';
import type { BoundedRead } from './lineage-session.js';
import type { Window } from './lineage-window.js';
import { type CheckedRunWalk, sideOf } from './run-lineage-request.js';
import type { RunLineageEdge } from './run-lineage-types.js';

interface EdgeRow extends Omit<Placed, 'via'> {
  /** JSON. */
  readonly facets: string | null;
}

/** The edges of a window. */
export async function readRunEdges(
  read: BoundedRead,
  { ways, maxEdges }: CheckedRunWalk,
  window: Window,
): Promise<{ readonly edges: readonly RunLineageEdge[]; readonly cut: EdgeCut | null }> {
  if (window.edgesBegin >= window.listed.length) return { edges: [], cut: null };
  const [way = 'DOWNSTREAM'] = ways;
  const statement = runLineageEdges({ way, hasEarlier: window.edgesBegin > 0 });
  const rows = await read.run<EdgeRow>(statement, parametersOfEdges(window, maxEdges));
  const placed = rows.map((row) => ({ ...row, via: '' }));
  const { told, cut } = cutRows(placed, maxEdges);
  return { edges: told.map(edgeOf), cut };
}

/** The data flows from a version into the run that read it. */
function edgeOf({ from, to, facets }: EdgeRow): RunLineageEdge {
  const kind = sideOf(from) === 'VERSION' ? 'READ' : 'WROTE';
  return { kind, from, to, facets: facets === null ? null : (JSON.parse(facets) as Record<string, unknown>) };
}
