import type { RunState, UnitState } from '#graph-schema';
import type { PropertyValue } from './property-values.js';

type JsonObject = Record<string, unknown>;

interface Versioned {
  readonly urn: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface TemplateRecord {
  readonly id: string;
  readonly urn: string;
  readonly title: string;
  readonly vendor: string;
  readonly description: string;
  readonly role: 'source' | 'staging' | 'sink';
  readonly descriptorVersion: string;
  readonly capabilities: readonly string[];
  readonly writeModes: readonly string[];
  readonly deliveryGuarantee: string | null;
  readonly configSchema: JsonObject;
  readonly objectSchema: JsonObject | null;
}

export interface EndpointRecord extends Versioned {
  readonly id: string;
  readonly name: string;
  readonly templateId: string;
  readonly vendor: string;
  readonly role: 'source' | 'staging' | 'sink';
  /** As stored: secret fields are sealed. */
  readonly config: JsonObject;
}

export interface UnitSinkRecord {
  readonly endpointId: string;
  readonly target: string;
  readonly writeMode: 'append' | 'merge' | 'overwrite';
}

export interface UnitRecord extends Versioned {
  readonly id: string;
  readonly name: string;
  readonly endpointId: string;
  readonly object: JsonObject;
  readonly mode: 'full' | 'incremental';
  readonly cursorField: string | null;
  readonly primaryKey: readonly string[];
  readonly policy: JsonObject;
  readonly stagingProviderId: string;
  readonly sinks: readonly UnitSinkRecord[];
}

export interface ErrorRecord {
  readonly code: string;
  readonly category: string;
  readonly field: string | null;
  readonly message: string;
}

export interface StatusRecord extends Versioned {
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId: string;
  readonly state: UnitState;
  readonly lastRunId: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly rowsRead: number | null;
  readonly rowsWritten: number | null;
  readonly checkpointVersion: number;
  readonly generation: number;
  /** Urn of the checkpoint that the unit stands at; null before the first. */
  readonly checkpointUrn: string | null;
  readonly cursor: { readonly field: string; readonly sqlType: string; readonly value: string } | null;
  /** Number of runs begun; the latest run's fence. */
  readonly runCount: number;
  readonly error: ErrorRecord | null;
}

export interface RunRecord extends Versioned {
  readonly id: string;
  readonly fence: number;
  readonly endpointId: string;
  readonly unitId: string;
  readonly sinkId: string;
  readonly state: RunState;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly stats: JsonObject | null;
  readonly error: ErrorRecord | null;
}

/** One step of a connection test, as the data worker has told it. */
interface CheckRecord {
  readonly name: string;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly code: string | null;
  readonly message: string | null;
  readonly field: string | null;
  readonly durationMs: number;
}

export interface EndpointTestRecord extends Versioned {
  readonly id: string;
  readonly endpointId: string;
  readonly endpointVersion: number;
  readonly passed: boolean;
  readonly checks: readonly CheckRecord[];
  /** Why it could not be carried out. */
  readonly error: ErrorRecord | null;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

export type CollectionPhase = 'COLLECTING' | 'APPLYING' | 'REMOVING';

export interface CollectionRecord extends Versioned {
  readonly id: string;
  readonly endpointId: string;
  readonly state: RunState;
  /** Null once it has ended. */
  readonly phase: CollectionPhase | null;
  readonly scope: readonly string[];
  readonly counts: JsonObject | null;
  readonly files: number | null;
  readonly filesApplied: number | null;
  readonly rows: number | null;
  readonly refused: number | null;
  readonly problems: readonly JsonObject[];
  readonly removals: readonly JsonObject[];
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly error: ErrorRecord | null;
}

/** A data set that a collection has brought, and its columns. */
export interface CollectedRecord {
  readonly urn: string;
  readonly fields: readonly string[];
}

type NodeProperties = Readonly<Record<string, PropertyValue>>;

export function templateFromNode(node: NodeProperties): TemplateRecord {
  return {
    ...(node as unknown as TemplateRecord),
    title: node.name as string,
    deliveryGuarantee: (node.deliveryGuarantee as string | undefined) ?? null,
    configSchema: parseObject(node.configSchema) ?? {},
    objectSchema: parseObject(node.objectSchema),
  };
}

export function endpointFromNode(node: NodeProperties): EndpointRecord {
  return { ...(node as unknown as EndpointRecord), config: parseObject(node.config) ?? {} };
}

export function unitFromNode(node: NodeProperties, sinks: readonly UnitSinkRecord[]): UnitRecord {
  return {
    ...(node as unknown as UnitRecord),
    object: parseObject(node.object) ?? {},
    policy: parseObject(node.policy) ?? {},
    cursorField: (node.cursorField as string | undefined) ?? null,
    sinks,
  };
}

export function statusFromNode(node: NodeProperties): StatusRecord {
  return {
    ...(node as unknown as StatusRecord),
    ...nullable(node, ['lastRunId', 'startedAt', 'endedAt', 'rowsRead', 'rowsWritten', 'checkpointUrn']),
    cursor:
      node.cursorValue === undefined
        ? null
        : {
            field: node.cursorField as string,
            sqlType: node.cursorSqlType as string,
            value: node.cursorValue as string,
          },
    error: errorFromNode(node),
  } as StatusRecord;
}

export function runFromNode(node: NodeProperties): RunRecord {
  return {
    ...(node as unknown as RunRecord),
    ...nullable(node, ['startedAt', 'endedAt']),
    stats: parseObject(node.stats),
    error: errorFromNode(node),
  } as RunRecord;
}

export function endpointTestFromNode(node: NodeProperties): EndpointTestRecord {
  return {
    ...(node as unknown as EndpointTestRecord),
    checks: JSON.parse(node.checks as string) as CheckRecord[],
    error: errorFromNode(node),
  };
}

export function collectionFromNode(node: NodeProperties): CollectionRecord {
  const listOf = (text: PropertyValue | undefined) =>
    typeof text === 'string' ? (JSON.parse(text) as JsonObject[]) : [];
  return {
    ...(node as unknown as CollectionRecord),
    ...nullable(node, ['phase', 'files', 'filesApplied', 'rows', 'refused', 'endedAt']),
    scope: (node.scope as string[] | undefined) ?? [],
    counts: parseObject(node.counts),
    problems: listOf(node.problems),
    removals: listOf(node.removals),
    error: errorFromNode(node),
  } as CollectionRecord;
}

function errorFromNode(node: NodeProperties): ErrorRecord | null {
  if (node.errorCode === undefined) return null;
  return {
    code: node.errorCode as string,
    category: node.errorCategory as string,
    field: (node.errorField as string | undefined) ?? null,
    message: node.errorMessage as string,
  };
}

/** Neo4j keeps no nulls: a property without a value is absent. */
function nullable(node: NodeProperties, keys: readonly string[]): Record<string, PropertyValue | null> {
  return Object.fromEntries(keys.map((key) => [key, node[key] ?? null]));
}

function parseObject(text: PropertyValue | undefined): JsonObject | null {
  return typeof text === 'string' ? (JSON.parse(text) as JsonObject) : null;
}
