import { isDeepStrictEqual } from 'node:util';
import { InputError, type InputProblem } from '#errors';
import { endpointUrn, unitJobName, unitStateUrn, unitUrn } from '#graph-schema';
import {
  all,
  type EndpointRecord,
  type EntityUpsert,
  type GraphBatch,
  type IngestionCatalog,
  type StatusRecord,
  type TemplateRecord,
  type UnitRecord,
} from '#graph-store';
import { unitEdges } from '#ingestion';
import { DEFAULT_STAGING_PROVIDER_ID, ID_PATTERN, type IngestionMode, type WriteMode } from '#ingestion/contracts';
import { API_ACTOR, type CommandContext } from './command-context.js';
import { checkAgainstSchema } from './config-validation.js';
import { mergeReason, policyProblems } from './policy-rules.js';

export interface DefineIngestionUnitInput {
  readonly endpointId: string;
  readonly unitId: string;
  readonly object: Readonly<Record<string, unknown>>;
  readonly mode: IngestionMode;
  readonly cursorField?: string | null;
  readonly primaryKey?: readonly string[] | null;
  readonly sinks: readonly { endpointId: string; target?: string | null; writeMode: WriteMode }[];
  readonly policy?: Readonly<Record<string, unknown>> | null;
  readonly stagingProviderId?: string | null;
}

interface Definition {
  readonly endpointId: string;
  readonly unitId: string;
  readonly object: Readonly<Record<string, unknown>>;
  readonly mode: IngestionMode;
  readonly cursorField: string | null;
  readonly primaryKey: readonly string[];
  readonly sinks: readonly { endpointId: string; target: string; writeMode: WriteMode }[];
  readonly policy: Readonly<Record<string, unknown>>;
  readonly stagingProviderId: string;
}

/** Table and folder names that every sink can take as they are. */
const TARGET_PATTERN = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;

/** Creates or changes a unit with its sinks and their statuses, as one change. */
export async function defineIngestionUnit(
  { catalog, graph }: CommandContext,
  input: DefineIngestionUnitInput,
): Promise<{ unit: UnitRecord; sequence: number | null }> {
  const definition = definitionOf(input);
  const present = await presentState(catalog, definition);
  await checkDefinition(catalog, definition, present);
  const receipt = await graph.write(unitBatch(definition, present), API_ACTOR);
  const unit = await catalog.unit(definition.endpointId, definition.unitId);
  if (unit === undefined) {
    throw InputError.one('CONFLICT', 'input.unitId', 'was deleted while it was being defined: define it again');
  }
  return { unit, sequence: receipt.sequence };
}

function definitionOf(input: DefineIngestionUnitInput): Definition {
  return {
    endpointId: input.endpointId,
    unitId: input.unitId,
    object: input.object,
    mode: input.mode,
    cursorField: input.cursorField || null,
    primaryKey: input.primaryKey ?? [],
    sinks: input.sinks.map((sink) => ({ ...sink, target: sink.target ?? input.unitId })),
    policy: input.policy ?? {},
    stagingProviderId: input.stagingProviderId ?? DEFAULT_STAGING_PROVIDER_ID,
  };
}

/** The unit as it stands before the change; `unit` is undefined for a new one. */
interface Present {
  readonly unit: UnitRecord | undefined;
  readonly statuses: readonly StatusRecord[];
}

async function presentState(catalog: IngestionCatalog, { endpointId, unitId }: Definition): Promise<Present> {
  const [unit, statuses] = await Promise.all([
    catalog.unit(endpointId, unitId),
    all(catalog.statuses({ endpointId, unitId })),
  ]);
  return { unit, statuses };
}

async function checkDefinition(catalog: IngestionCatalog, definition: Definition, present: Present): Promise<void> {
  const problems = ruleProblems(definition);
  const source = await endpointWithTemplate(catalog, definition.endpointId);
  if (source === undefined) {
    problems.push(
      problem('NOT_FOUND', 'input.endpointId', `names no endpoint: ${JSON.stringify(definition.endpointId)}`),
    );
  } else {
    problems.push(...sourceProblems(definition, source));
  }
  problems.push(...checkpointProblems(definition, present));
  for (const [index, sink] of definition.sinks.entries()) {
    const problemsOfSink = await sinkProblems(catalog, definition, sink);
    problems.push(...problemsOfSink.map((found) => ({ ...found, elementIndex: index })));
  }
  const [first, ...rest] = problems;
  if (first !== undefined) throw new InputError([first, ...rest]);
}

/**
 * A checkpoint is of one object, cursor and target. Under any other the next run would skip every row below the watermark
 * and still succeed, so such a change needs a unit of its own.
 */
function checkpointProblems(definition: Definition, { unit, statuses }: Present): InputProblem[] {
  const begun = new Set(statuses.filter((status) => status.cursor !== null).map((status) => status.sinkId));
  if (unit === undefined || begun.size === 0) return [];
  const advice = 'cannot change once rows have been delivered: define a new unit with a target of its own';
  const changed = (field: string): InputProblem => problem('CONFLICT', `input.${field}`, advice);
  const problems: InputProblem[] = [];
  if (!isDeepStrictEqual(unit.object, definition.object)) problems.push(changed('object'));
  if (unit.mode !== definition.mode) problems.push(changed('mode'));
  if (unit.cursorField !== definition.cursorField) problems.push(changed('cursorField'));
  for (const [index, sink] of definition.sinks.entries()) {
    const before = unit.sinks.find((candidate) => candidate.endpointId === sink.endpointId);
    if (begun.has(sink.endpointId) && before !== undefined && before.target !== sink.target) {
      problems.push({ ...changed('sinks.target'), elementIndex: index });
    }
  }
  return problems;
}

/** Rules that need no look at the graph. */
function ruleProblems(definition: Definition): InputProblem[] {
  const problems: InputProblem[] = [];
  const refuse = (field: string, message: string) =>
    problems.push(problem('BAD_USER_INPUT', `input.${field}`, message));
  if (!ID_PATTERN.test(definition.unitId)) {
    refuse('unitId', 'must start with a letter or digit and hold only letters, digits, "_", "." and "-" (128 at most)');
  }
  if (definition.mode === 'incremental' && !definition.cursorField) {
    refuse('cursorField', 'is required for an incremental unit: name the column whose values only grow');
  }
  if (definition.mode === 'full' && definition.cursorField) {
    refuse('cursorField', 'has no meaning for a full unit: leave it out or make the unit incremental');
  }
  if (!ID_PATTERN.test(definition.stagingProviderId))
    refuse('stagingProviderId', 'is not the id of a staging provider');
  if (definition.primaryKey.some((column) => column === '')) refuse('primaryKey', 'names a column without a name');
  problems.push(...policyProblems(definition));
  if (definition.sinks.length === 0) refuse('sinks', 'must name at least one sink');
  const ids = definition.sinks.map((sink) => sink.endpointId);
  if (new Set(ids).size < ids.length) refuse('sinks', 'names one endpoint twice');
  for (const [index, sink] of definition.sinks.entries()) {
    const wrong = (field: string, message: string) =>
      problems.push({ ...problem('BAD_USER_INPUT', `input.sinks.${field}`, message), elementIndex: index });
    if (!TARGET_PATTERN.test(sink.target)) {
      wrong('target', 'must start with a letter and hold only letters, digits and "_" (128 at most)');
    }
    if (sink.writeMode === 'merge' && definition.primaryKey.length === 0) {
      wrong('writeMode', 'MERGE needs the primaryKey of the unit');
    }
    if (sink.writeMode === 'overwrite' && definition.mode === 'incremental') {
      wrong('writeMode', 'OVERWRITE would keep only the latest slice of an incremental unit: use MERGE or APPEND');
    }
    const needsMerge = sink.writeMode === 'merge' ? undefined : mergeReason(definition.policy);
    if (needsMerge !== undefined) wrong('writeMode', needsMerge);
  }
  return problems;
}

interface EndpointWithTemplate {
  readonly endpoint: EndpointRecord;
  readonly template: TemplateRecord | undefined;
}

async function endpointWithTemplate(catalog: IngestionCatalog, id: string): Promise<EndpointWithTemplate | undefined> {
  const endpoint = await catalog.endpoint(id);
  return endpoint && { endpoint, template: await catalog.template(endpoint.templateId) };
}

function sourceProblems(definition: Definition, { endpoint, template }: EndpointWithTemplate): InputProblem[] {
  if (endpoint.role !== 'source') {
    return [problem('BAD_USER_INPUT', 'input.endpointId', `names a ${endpoint.role}; units read from a source`)];
  }
  const problems: InputProblem[] = [];
  if (template !== undefined && !template.capabilities.includes(`ingest.${definition.mode}`)) {
    problems.push(problem('BAD_USER_INPUT', 'input.mode', `${template.id} cannot do ${definition.mode} ingestion`));
  }
  try {
    checkAgainstSchema(template?.objectSchema ?? {}, definition.object, 'input.object');
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(...error.problems);
  }
  return problems;
}

async function sinkProblems(
  catalog: IngestionCatalog,
  definition: Definition,
  sink: Definition['sinks'][number],
): Promise<InputProblem[]> {
  const found = await endpointWithTemplate(catalog, sink.endpointId);
  if (found === undefined) {
    return [problem('NOT_FOUND', 'input.sinks.endpointId', `names no endpoint: ${JSON.stringify(sink.endpointId)}`)];
  }
  if (found.endpoint.role !== 'sink') {
    return [problem('BAD_USER_INPUT', 'input.sinks.endpointId', `names a ${found.endpoint.role}, not a sink`)];
  }
  const problems: InputProblem[] = [];
  const modes = found.template?.writeModes ?? [];
  if (modes.length > 0 && !modes.includes(sink.writeMode)) {
    problems.push(
      problem(
        'BAD_USER_INPUT',
        'input.sinks.writeMode',
        `must be one of ${modes.join(', ').toUpperCase()} for ${found.endpoint.templateId}`,
      ),
    );
  }
  const writers = await all(catalog.units({ sinkId: sink.endpointId }));
  const other = writers.find(
    (unit) =>
      unit.urn !== unitUrn(definition.endpointId, definition.unitId) &&
      unit.sinks.some(({ endpointId, target }) => endpointId === sink.endpointId && target === sink.target),
  );
  if (other !== undefined) {
    problems.push(
      problem('CONFLICT', 'input.sinks.target', `is written by unit ${other.name} already: choose another name`),
    );
  }
  return problems;
}

function unitBatch(definition: Definition, present: Present): GraphBatch {
  const { endpointId, unitId, sinks } = definition;
  const urn = unitUrn(endpointId, unitId);
  const wanted = new Set(sinks.map((sink) => sink.endpointId));
  const droppedSinks = (present.unit?.sinks ?? []).filter((sink) => !wanted.has(sink.endpointId));
  return {
    entities: [
      {
        kind: 'IngestionUnit',
        urn,
        name: unitJobName(endpointId, unitId),
        properties: {
          id: unitId,
          endpointId,
          object: JSON.stringify(definition.object),
          mode: definition.mode,
          cursorField: definition.cursorField,
          primaryKey: definition.primaryKey,
          policy: JSON.stringify(definition.policy),
          stagingProviderId: definition.stagingProviderId,
        },
      },
      ...sinks.map((sink) => idleStatus(definition, sink.endpointId)),
    ],
    edges: unitEdges(endpointId, unitId, sinks),
    edgeDeletions: droppedSinks.map((sink) => ({ kind: 'WRITES_TO', from: urn, to: endpointUrn(sink.endpointId) })),
    deletions: present.statuses.filter((status) => !wanted.has(status.sinkId)).map(({ urn }) => ({ urn })),
  };
}

function idleStatus({ endpointId, unitId }: Definition, sinkId: string): EntityUpsert {
  return {
    kind: 'IngestionUnitState',
    urn: unitStateUrn(endpointId, unitId, sinkId),
    name: `${unitJobName(endpointId, unitId)} → ${sinkId}`,
    properties: { endpointId, unitId, sinkId },
    // A status that was there before keeps its state and, since its checkpoint lives on too, its numbers.
    initial: { state: 'IDLE', runCount: 0, checkpointVersion: 0, generation: 1 },
  };
}

function problem(code: InputProblem['code'], field: string, message: string): InputProblem {
  return { code, field, message };
}
