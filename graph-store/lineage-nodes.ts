import { LINEAGE_NODES, mostSpecificKind } from '#graph-schema';
import type { CheckedWalk } from './lineage-request.js';
import type { BoundedRead } from './lineage-session.js';
import type { LineageNode } from './lineage-types.js';
import { sortableInstant } from './lineage-validity.js';
import type { ListedNode } from './lineage-window.js';

/** A node as the statements return it. */
export interface NodeRow {
  readonly urn: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly placeholder: boolean;
  readonly deletedAt: string | null;
}

/** By urn; one that was purged meanwhile is missing. */
export async function readNodes(read: BoundedRead, told: readonly ListedNode[]): Promise<ReadonlyMap<string, NodeRow>> {
  if (told.length === 0) return new Map();
  const rows = await read.run<NodeRow>(LINEAGE_NODES, { urns: told.map(({ urn }) => urn) });
  return new Map(rows.map((row) => [row.urn, row]));
}

/** In the order of `told`. */
export function nodesFromRows(
  { stepsOfHop }: CheckedWalk,
  told: readonly ListedNode[],
  rows: ReadonlyMap<string, NodeRow>,
): LineageNode[] {
  return told.flatMap(({ urn, step }) => {
    const row = rows.get(urn);
    if (row === undefined) return [];
    const { name, labels, placeholder, deletedAt } = row;
    return {
      urn,
      kind: mostSpecificKind(labels) ?? kindOfUrn(urn),
      labels: labels.filter((label) => label !== 'Entity'),
      name,
      depth: Math.ceil(step / stepsOfHop),
      placeholder,
      deletedAt: deletedAt === null ? null : sortableInstant(deletedAt, 'deletedAt'),
    };
  });
}

const KIND_OF_URN: Readonly<Record<string, string>> = { dataset: 'Dataset', job: 'Job', field: 'Field' };

const kindOfUrn = (urn: string): string => KIND_OF_URN[urn.split(':')[1] ?? ''] ?? 'Entity';
