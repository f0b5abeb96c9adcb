import {
  checkpointUrn,
  datasetUrn,
  datasetVersionUrn,
  endpointUrn,
  type RunState,
  runUrn,
  unitJobName,
  unitStateUrn,
  unitUrn,
} from '#graph-schema';
import {
  type EdgeUpsert,
  type EntityUpsert,
  type ErrorRecord,
  edgeKey,
  type GraphBatch,
  type StatusRecord,
} from '#graph-store';
import type { Cursor, DatasetRef, RunMetadataSummary, RunStats } from './contracts/index.js';
import { errorProperties } from './error-properties.js';

/** One run of one unit into one sink: what every record of it needs to name. */
export interface RunIdentity {
  readonly runId: string;
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId: string;
}

/** The graph when a run begins. Pure, as are all builders here: the same facts give the same batch. */
export function runStartedBatch(
  run: RunIdentity,
  facts: { startedAt: Date; fence: number; status: StatusRecord },
): GraphBatch {
  const { status } = facts;
  const abandoned = status.state === 'RUNNING' && status.lastRunId !== run.runId ? status.lastRunId : null;
  return {
    entities: [
      // Its workflow is gone, or this one could not have begun: nobody else would ever close it.
      ...(abandoned === null ? [] : [lostRun({ ...run, runId: abandoned }, facts.startedAt)]),
      runEntity(run, 'RUNNING', { startedAt: facts.startedAt, fence: facts.fence }),
      stateEntity(run, status.version, {
        state: 'RUNNING',
        lastRunId: run.runId,
        runCount: facts.fence,
        startedAt: facts.startedAt,
        endedAt: null,
        rowsRead: null,
        rowsWritten: null,
        ...errorProperties(null),
      }),
    ],
    edges: [{ kind: 'HAS_RUN', from: unitUrn(run.endpointId, run.unitId), to: runUrn(run.runId) }],
  };
}

export interface CheckpointFacts {
  readonly generation: number;
  readonly version: number;
  readonly cursor: Cursor | null;
  /** True when this run moved the cursor; a run without new rows keeps the old checkpoint (rule R6). */
  readonly advanced: boolean;
  /** Urn of the checkpoint that this one follows; null for the first. */
  readonly previousUrn: string | null;
}

/** The graph when a run has succeeded: its end, its checkpoint, and the lineage that it makes. */
export function runCompletedBatch(
  run: RunIdentity,
  facts: {
    endedAt: Date;
    stats: RunStats;
    metadata: RunMetadataSummary | undefined;
    checkpoint: CheckpointFacts;
    status: StatusRecord | undefined;
  },
): GraphBatch {
  const { stats, metadata, checkpoint } = facts;
  const shownStats = metadata === undefined ? stats : { ...stats, metadata };
  const lineage = lineageOf(run, stats);
  const chain = checkpoint.advanced ? checkpointRecords(run, checkpoint) : { entities: [], edges: [] };
  return {
    entities: [
      runEntity(run, 'SUCCEEDED', {
        endedAt: facts.endedAt,
        stats: JSON.stringify(shownStats),
        ...errorProperties(null),
      }),
      ...stateIfThere(run, facts.status, {
        state: 'SUCCEEDED',
        endedAt: facts.endedAt,
        rowsRead: stats.rowsRead,
        rowsWritten: stats.rowsWritten,
        checkpointVersion: checkpoint.version,
        generation: checkpoint.generation,
        ...errorProperties(null),
        ...(checkpoint.cursor === null ? {} : cursorProperties(checkpoint.cursor)),
        ...(checkpoint.advanced ? { checkpointUrn: checkpointUrn({ ...run, ...checkpoint }) } : {}),
      }),
      ...chain.entities,
      ...lineage.entities,
    ],
    edges: [...chain.edges, ...lineage.edges],
  };
}

/** The graph when a run has failed or was cancelled. The checkpoint is not touched, so the unit can start again. */
export function runEndedBatch(
  run: RunIdentity,
  facts: {
    endedAt: Date;
    state: Extract<RunState, 'FAILED' | 'CANCELLED'>;
    error: ErrorRecord | null;
    status: StatusRecord | undefined;
  },
): GraphBatch {
  return {
    entities: [
      runEntity(run, facts.state, { endedAt: facts.endedAt, ...errorProperties(facts.error) }),
      ...stateIfThere(run, facts.status, {
        state: facts.state,
        endedAt: facts.endedAt,
        ...errorProperties(facts.error),
      }),
    ],
    edges: [{ kind: 'HAS_RUN', from: unitUrn(run.endpointId, run.unitId), to: runUrn(run.runId) }],
  };
}

function runEntity(run: RunIdentity, state: RunState, properties: EntityUpsert['properties']): EntityUpsert {
  return {
    kind: 'IngestionRun',
    urn: runUrn(run.runId),
    name: `${unitJobName(run.endpointId, run.unitId)} → ${run.sinkId}`,
    properties: {
      id: run.runId,
      endpointId: run.endpointId,
      unitId: run.unitId,
      sinkId: run.sinkId,
      state,
      ...properties,
    },
  };
}

/** @param ifVersion version that the status was read at: what was decided from it must not overwrite what came since */
function stateEntity(run: RunIdentity, ifVersion: number, properties: EntityUpsert['properties']): EntityUpsert {
  return {
    kind: 'IngestionUnitState',
    urn: unitStateUrn(run.endpointId, run.unitId, run.sinkId),
    name: `${unitJobName(run.endpointId, run.unitId)} → ${run.sinkId}`,
    properties: { endpointId: run.endpointId, unitId: run.unitId, sinkId: run.sinkId, ...properties },
    ifVersion,
  };
}

/** A unit that was deleted during its run stays deleted: an upsert of its status would bring it back. */
function stateIfThere(
  run: RunIdentity,
  status: StatusRecord | undefined,
  properties: EntityUpsert['properties'],
): EntityUpsert[] {
  return status === undefined ? [] : [stateEntity(run, status.version, properties)];
}

export const RUN_LOST: ErrorRecord = {
  code: 'RUN_LOST',
  category: 'internal',
  field: null,
  message: 'no workflow of this run exists any more: start the unit again',
};

function lostRun(run: RunIdentity, endedAt: Date): EntityUpsert {
  return runEntity(run, 'FAILED', { endedAt, ...errorProperties(RUN_LOST) });
}

function cursorProperties(cursor: Cursor): NonNullable<EntityUpsert['properties']> {
  return { cursorField: cursor.field, cursorSqlType: cursor.sqlType, cursorValue: cursor.value };
}

interface Records {
  readonly entities: EntityUpsert[];
  readonly edges: EdgeUpsert[];
}

function checkpointRecords(run: RunIdentity, checkpoint: CheckpointFacts): Records {
  const urn = checkpointUrn({ ...run, ...checkpoint });
  const edges: EdgeUpsert[] = [{ kind: 'ADVANCED', from: runUrn(run.runId), to: urn }];
  // A repeated attempt finds its own checkpoint as the latest one; the edge is there already.
  if (checkpoint.previousUrn !== null && checkpoint.previousUrn !== urn) {
    edges.push({ kind: 'FOLLOWS', from: urn, to: checkpoint.previousUrn });
  }
  return {
    entities: [
      {
        kind: 'Checkpoint',
        urn,
        name: checkpoint.cursor?.value ?? `version ${checkpoint.version}`,
        properties: {
          endpointId: run.endpointId,
          unitId: run.unitId,
          sinkId: run.sinkId,
          generation: checkpoint.generation,
          checkpointVersion: checkpoint.version,
          ...(checkpoint.cursor === null ? {} : cursorProperties(checkpoint.cursor)),
        },
      },
    ],
    edges,
  };
}

function lineageOf(run: RunIdentity, stats: RunStats): Records {
  const job = unitUrn(run.endpointId, run.unitId);
  const records: Records = { entities: [], edges: [] };
  // A data set may be both read and written, and be there in several parts; a batch names each node and each edge once.
  const seen = new Set<string>();
  const link = (edge: EdgeUpsert) => {
    const key = edgeKey(edge);
    if (seen.has(key)) return;
    seen.add(key);
    records.edges.push(edge);
  };
  const add = (dataset: DatasetRef, side: 'input' | 'output', endpointId: string) => {
    const urn = datasetUrn(dataset.namespace, dataset.name);
    if (!seen.has(urn)) {
      seen.add(urn);
      records.entities.push({
        kind: 'Dataset',
        urn,
        name: dataset.name,
        properties: { namespace: dataset.namespace, endpointId },
      });
    }
    link(side === 'input' ? { kind: 'FEEDS', from: urn, to: job } : { kind: 'PRODUCES', from: job, to: urn });
    if (dataset.version === null) return;
    const versionUrn = datasetVersionUrn(dataset.namespace, dataset.name, dataset.version);
    if (!seen.has(versionUrn)) {
      seen.add(versionUrn);
      records.entities.push({
        kind: 'DatasetVersion',
        urn: versionUrn,
        name: `${dataset.name} @ ${dataset.version}`,
        properties: { datasetVersion: dataset.version, schema: JSON.stringify(dataset.fields) },
      });
    }
    link({ kind: 'HAS_VERSION', from: urn, to: versionUrn });
    link({ kind: side === 'input' ? 'READ' : 'WROTE', from: runUrn(run.runId), to: versionUrn });
  };
  for (const dataset of stats.provenance.inputs) add(dataset, 'input', run.endpointId);
  for (const dataset of stats.provenance.outputs) add(dataset, 'output', run.sinkId);
  return records;
}

/** Edges that tie a run's unit to its endpoints are made when the unit is defined. */
export function unitEdges(
  endpointId: string,
  unitId: string,
  sinks: readonly { endpointId: string; target: string; writeMode: string }[],
): EdgeUpsert[] {
  const unit = unitUrn(endpointId, unitId);
  return [
    { kind: 'HAS_UNIT', from: endpointUrn(endpointId), to: unit },
    ...sinks.flatMap((sink): EdgeUpsert[] => [
      {
        kind: 'WRITES_TO',
        from: unit,
        to: endpointUrn(sink.endpointId),
        properties: { target: sink.target, writeMode: sink.writeMode },
      },
      { kind: 'HAS_STATE', from: unit, to: unitStateUrn(endpointId, unitId, sink.endpointId) },
    ]),
  ];
}
