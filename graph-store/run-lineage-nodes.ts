import { datasetUrn, mostSpecificKind, parseUrn, RUN_LINEAGE_NODES } from '#graph-schema';
import type { BoundedRead } from './lineage-session.js';
import { sortableInstant } from './lineage-validity.js';
import type { ListedNode } from './lineage-window.js';
import { STEPS_OF_HOP, sideOf } from './run-lineage-request.js';
import type { RunLineageNode, RunOfLineage, VersionOfLineage } from './run-lineage-types.js';

interface NodeRow extends RunOfLineage {
  readonly urn: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly placeholder: boolean;
  readonly writtenAt: string | null;
}

/** In the order of `told`; one that was purged meanwhile is missing. */
export async function readRunNodes(read: BoundedRead, told: readonly ListedNode[]): Promise<RunLineageNode[]> {
  if (told.length === 0) return [];
  const rows = await read.run<NodeRow>(RUN_LINEAGE_NODES, { urns: told.map(({ urn }) => urn) });
  const byUrn = new Map(rows.map((row) => [row.urn, row]));
  return told.flatMap(({ urn, step }) => {
    const row = byUrn.get(urn);
    return row === undefined ? [] : nodeOf(row, Math.ceil(step / STEPS_OF_HOP));
  });
}

function nodeOf(row: NodeRow, depth: number): RunLineageNode {
  const { urn, name, labels, placeholder } = row;
  const isRun = sideOf(urn) === 'RUN';
  return {
    ...{ urn, name, depth, placeholder },
    kind: mostSpecificKind(labels) ?? (isRun ? 'Run' : 'DatasetVersion'),
    run: isRun ? runOf(row) : null,
    version: isRun ? null : versionOf(row),
  };
}

function runOf({ job, state, startedAt, endedAt, parent, root }: NodeRow): RunOfLineage {
  const [started, ended] = [instant(startedAt, 'startedAt'), instant(endedAt, 'endedAt')];
  return { job, state, startedAt: started, endedAt: ended, parent, root };
}

/** The urn tells the data set, since links to it may be gone. */
function versionOf({ urn, writtenAt }: NodeRow): VersionOfLineage {
  const [namespace = '', name = '', datasetVersion = ''] = parseUrn(urn).parts;
  return { dataset: datasetUrn(namespace, name), datasetVersion, writtenAt: instant(writtenAt, 'writtenAt') };
}

const instant = (text: string | null, field: string): string | null =>
  text === null ? null : sortableInstant(text, field);
