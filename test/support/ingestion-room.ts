import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { EndpointOperations, IngestionClient } from '#ingestion';
import type {
  ControlActivities,
  Cursor,
  DatasetRef,
  IngestionRunInput,
  RunIngestionUnitResult,
  WriteMode,
} from '#ingestion/contracts';
import { CheckpointStore, checkpointKey, createKeyValueStore } from '#kv';
import { createControlActivities } from '../../ingestion/activities/control-activities.js';
import type { CommandContext } from '../../server/commands/command-context.js';
import { defineIngestionUnit } from '../../server/commands/define-ingestion-unit.js';
import { registerMetadataEndpoint } from '../../server/commands/register-metadata-endpoint.js';
import { SecretBox } from '../../server/secrets/index.js';
import { testEnvironment } from './environment.js';
import { scratchFolder } from './folder.js';
import type { TestGraph } from './graph.js';
import { pythonTemplates } from './templates.js';

/** The password of every source that `defineUnit` registers; it must be found nowhere again. */
export const SOURCE_PASSWORD = `canary-${randomUUID()}`;

/** The control activities on a real graph and LMDB, with the commands by which a user would have made the units. */
export interface IngestionRoom extends AsyncDisposable {
  readonly commands: CommandContext;
  readonly checkpoints: CheckpointStore;
  readonly control: ControlActivities;
  /** Where runs leave metadata files. */
  readonly metadataRoot: string;
  /** A unit with its source and its sinks; answers the input of its next run. */
  defineUnit(endpointId: string, options?: { sinkIds?: readonly string[]; writeMode?: WriteMode }): Promise<RunOf>;
}

/** Makes the input of one more run of a unit into its first sink. */
export type RunOf = (change?: Partial<IngestionRunInput>) => IngestionRunInput;

/** @param client where runs are started; by default nowhere, for what starts none */
export async function openIngestionRoom(graph: TestGraph, client?: Client): Promise<IngestionRoom> {
  const [folder, metadata] = await Promise.all([scratchFolder(), scratchFolder()]);
  const keyValues = createKeyValueStore({ kind: 'lmdb', path: folder.path });
  const checkpoints = new CheckpointStore(keyValues);
  const control = createControlActivities({
    catalog: graph.catalog,
    graph: graph.store,
    checkpoints,
    knowledge: graph.knowledge,
    metadataRoot: metadata.path,
    now: () => new Date(),
  });
  await control.storeMetadataEndpointTemplates(await pythonTemplates());
  const connection = Connection.lazy({ address: testEnvironment().TEMPORAL_ADDRESS });
  const workflows = client ?? new Client({ connection });
  const commands: CommandContext = {
    catalog: graph.catalog,
    graph: graph.store,
    ingestion: new IngestionClient(workflows),
    operations: new EndpointOperations(workflows),
    previews: { metadataRoot: metadata.path, maskedTags: ['pii', 'sensitive'] },
    secrets: SecretBox.fromBase64(randomBytes(32).toString('base64')),
  };
  return {
    commands,
    checkpoints,
    control,
    metadataRoot: metadata.path,
    defineUnit: async (endpointId, { sinkIds = [`${endpointId}-lake`], writeMode = 'append' } = {}) => {
      await defineUnit(commands, { endpointId, sinkIds, writeMode });
      return (change) => ({ runId: randomUUID(), endpointId, unitId: UNIT_ID, sinkId: sinkIds[0] ?? '', ...change });
    },
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await keyValues.close();
      await Promise.all([folder[Symbol.asyncDispose](), metadata[Symbol.asyncDispose]()]);
    },
  };
}

export const UNIT_ID = 'orders';

async function defineUnit(
  commands: CommandContext,
  unit: { endpointId: string; sinkIds: readonly string[]; writeMode: WriteMode },
): Promise<void> {
  if ((await commands.catalog.endpoint(unit.endpointId)) === undefined) {
    await registerMetadataEndpoint(commands, {
      id: unit.endpointId,
      templateId: 'jdbc_postgres',
      config: { host: 'db', database: 'shop', user: 'reader', password: SOURCE_PASSWORD },
    });
  }
  for (const id of unit.sinkIds) {
    if ((await commands.catalog.endpoint(id)) !== undefined) continue;
    await registerMetadataEndpoint(commands, { id, templateId: 'parquet_files', config: { directory: '/lake' } });
  }
  await defineIngestionUnit(commands, {
    endpointId: unit.endpointId,
    unitId: UNIT_ID,
    object: { table: UNIT_ID },
    mode: 'incremental',
    cursorField: 'updated_at',
    primaryKey: ['id'],
    sinks: unit.sinkIds.map((endpointId) => ({ endpointId, writeMode: unit.writeMode })),
  });
}

export const keyOf = ({ endpointId, unitId, sinkId }: IngestionRunInput) =>
  checkpointKey({ vendor: 'postgres', endpointId, unitId, sinkId });

export function cursorAt(value: string): Cursor {
  return {
    field: 'updated_at',
    sqlType: 'timestamp with time zone',
    family: 'timestamptz',
    timeZone: 'UTC',
    precision: 6,
    value,
    boundary: ['00112233aabbccdd'],
    tie: null,
    schemaFingerprint: 'f'.repeat(64),
  };
}

/** What Python would answer for a run that read some rows of one table and wrote them to one place. */
export function resultOf(facts: {
  cursor: string | null;
  rows?: number;
  inputs?: DatasetRef[];
  outputs?: DatasetRef[];
}): RunIngestionUnitResult {
  const rows = facts.rows ?? 3;
  return {
    new_checkpoint: facts.cursor === null ? null : { cursor: cursorAt(facts.cursor) },
    stats: {
      rowsRead: rows,
      rowsWritten: rows,
      rowsSkippedAtWatermark: 0,
      nullCursorRows: 0,
      rowsQuarantined: 0,
      quarantine: [],
      bytesStaged: 100,
      slices: 1,
      slicesReused: 0,
      engine: 'adbc',
      durationsMs: { export: 1, import: 1, cleanup: 1 },
      provenance: { inputs: facts.inputs ?? [], outputs: facts.outputs ?? [] },
    },
  };
}
