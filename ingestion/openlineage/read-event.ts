import { EVENT_LIMITS, isBounded } from './event-limits.js';
import { type EventTime, readEventTime } from './event-time.js';
import { entry, type FacetChoice, type Finding, Findings, member, type RefusalStatus, shape } from './findings.js';
import {
  EVENT_TYPES,
  type EventDataset,
  type EventInput,
  type EventJob,
  type EventOutput,
  type EventType,
  type LineageEvent,
  type QualifiedName,
  type RunEvent,
} from './lineage-event.js';
import { datasetUrnOf, isOwnUnit, isUuid, jobUrnOf, runIdOf, runUrn } from './lineage-urns.js';
import { readFacets } from './read-facets.js';

/** An event, or everything that is wrong with it, at most 50 findings. */
export type ReadEvent =
  | { readonly ok: true; readonly event: LineageEvent }
  | { readonly ok: false; readonly status: RefusalStatus; readonly faults: readonly Finding[] };

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads a Run, Job or Dataset event of OpenLineage 2-0-2 from a parsed body. Takes what real clients send beside the letter of the
 * schema: no producer or `schemaURL`, times without zone (then UTC) or with nanoseconds, null for absent, no `eventType` (then
 * OTHER), run ids that are no UUIDs, facets that break their schemas. Refuses what leaves open which job, run, data set or time is
 * meant, and whatever is out of bounds.
 *
 * @param receivedAt goes along with the event; nothing is decided by it
 * @param facets those that are to be understood; an event is refused for none of them
 */
export function readEvent(value: unknown, receivedAt: Date, facets: FacetChoice = 'all'): ReadEvent {
  const findings = new Findings(facets);
  if (!isObject(value)) {
    findings.misshapen('', `must be one event as a JSON object, got ${shape(value)}`);
    return refused(findings);
  }
  if (!isBounded(value, findings)) return refused(findings);
  const event = readKind(value, receivedAt, findings);
  return event === null || findings.faults.length > 0 ? refused(findings) : { ok: true, event };
}

function refused({ status, faults }: Findings): ReadEvent {
  return { ok: false, status, faults };
}

function readKind(value: Members, receivedAt: Date, findings: Findings): LineageEvent | null {
  const at = readTime(value.eventTime, findings);
  const base = {
    receivedAt,
    producer: textOrNull(value.producer, 'producer', findings),
    schemaUrl: textOrNull(value.schemaURL, 'schemaURL', findings),
    warnings: findings.warnings,
  };
  if (isAbsent(value.run) && isAbsent(value.job)) {
    if (isAbsent(value.dataset)) {
      findings.misshapen('', 'must have `run` and `job`, or `job`, or `dataset`: it has none of them');
      return null;
    }
    const dataset = readDataset(value.dataset, 'dataset', findings);
    return at === null || dataset === null ? null : { is: 'dataset', at, ...base, dataset };
  }
  if (!isAbsent(value.dataset)) findings.warn('dataset', 'has no place beside `run` or `job`, and is left out');
  const job = readJob(value.job, findings);
  const inputs = readDatasets(value.inputs, 'inputs', findings, readInput);
  const outputs = readDatasets(value.outputs, 'outputs', findings, readOutput);
  if (isAbsent(value.run)) return at === null || job === null ? null : { is: 'job', at, ...base, job, inputs, outputs };
  const run = readRun(value.run, findings);
  const type = readType(value.eventType, findings);
  if (at === null || job === null || run === null || type === null) return null;
  return { is: 'run', at, ...base, type, run, job, inputs, outputs };
}

function readTime(value: unknown, findings: Findings): EventTime | null {
  if (typeof value !== 'string') {
    findings.misshapen('eventTime', `must be a date and time of ISO 8601, got ${shape(value)}`);
    return null;
  }
  const at = readEventTime(value);
  if (at === null) {
    findings.unusable(
      'eventTime',
      'must be a date and time of ISO 8601 in the years 1 to 9999, for instance 2026-01-31T08:00:00Z',
    );
  }
  return at;
}

function readType(value: unknown, findings: Findings): EventType | null {
  if (isAbsent(value)) return 'OTHER';
  const type = typeof value === 'string' ? EVENT_TYPES.find((known) => known === value.toUpperCase()) : undefined;
  if (type === undefined) {
    findings.unusable('eventType', `must be one of ${EVENT_TYPES.join(', ')}, got ${shape(value)}`);
  }
  return type ?? null;
}

function readRun(value: unknown, findings: Findings): RunEvent['run'] | null {
  if (!isObject(value)) {
    findings.misshapen('run', `must be an object, got ${shape(value)}`);
    return null;
  }
  const id = readName(value.runId, 'run.runId', findings);
  const facets = readFacets(value.facets, 'run', 'run.facets', findings);
  if (id === null) return null;
  const run = runIdOf(id);
  if (runUrn(run).length > EVENT_LIMITS.urnLength) {
    findings.unusable('run.runId', `must make a urn of ${EVENT_LIMITS.urnLength} characters at most`);
  }
  if (!isUuid(run)) findings.warn('run.runId', 'should be a UUID: any other text may be the id of two runs');
  return { id: run, facets };
}

function readJob(value: unknown, findings: Findings): EventJob | null {
  const named = readQualifiedName(value, 'job', jobUrnOf, findings);
  if (named !== null && isOwnUnit(named)) {
    findings.unusable(
      'job.namespace',
      `must not be ${named.namespace}: its jobs are the units of Nucleus, which tells of them itself`,
    );
  }
  const facets = isObject(value) ? value.facets : undefined;
  return named === null ? null : { ...named, facets: readFacets(facets, 'job', 'job.facets', findings) };
}

function readDataset(value: unknown, path: string, findings: Findings): EventDataset | null {
  const named = readQualifiedName(value, path, datasetUrnOf, findings);
  const facets = isObject(value) ? value.facets : undefined;
  return named === null ? null : { ...named, facets: readFacets(facets, 'dataset', member(path, 'facets'), findings) };
}

function readInput(value: unknown, path: string, findings: Findings): EventInput | null {
  const dataset = readDataset(value, path, findings);
  if (dataset === null || !isObject(value)) return null;
  return { ...dataset, inputFacets: readFacets(value.inputFacets, 'input', member(path, 'inputFacets'), findings) };
}

function readOutput(value: unknown, path: string, findings: Findings): EventOutput | null {
  const dataset = readDataset(value, path, findings);
  if (dataset === null || !isObject(value)) return null;
  return { ...dataset, outputFacets: readFacets(value.outputFacets, 'output', member(path, 'outputFacets'), findings) };
}

function readDatasets<Side>(
  value: unknown,
  path: string,
  findings: Findings,
  read: (item: unknown, path: string, findings: Findings) => Side | null,
): Side[] {
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) {
    findings.misshapen(path, `must be a list of data sets, got ${shape(value)}`);
    return [];
  }
  if (value.length > EVENT_LIMITS.datasets) {
    findings.unusable(path, `must have ${EVENT_LIMITS.datasets} entries at most, got ${value.length}`);
    return [];
  }
  return value.map((item, index) => read(item, entry(path, index), findings)).filter((item) => item !== null);
}

function readQualifiedName(
  value: unknown,
  path: string,
  urnOf: (name: QualifiedName) => string,
  findings: Findings,
): QualifiedName | null {
  if (!isObject(value)) {
    findings.misshapen(path, `must be an object with namespace and name, got ${shape(value)}`);
    return null;
  }
  const namespace = readName(value.namespace, member(path, 'namespace'), findings);
  const name = readName(value.name, member(path, 'name'), findings);
  if (namespace === null || name === null) return null;
  const { length } = urnOf({ namespace, name });
  if (length <= EVENT_LIMITS.urnLength) return { namespace, name };
  findings.unusable(
    path,
    `must make a urn of ${EVENT_LIMITS.urnLength} characters at most, got ${length}: shorten namespace or name`,
  );
  return null;
}

const LONE_SURROGATE = /\p{Cs}/u;

function readName(value: unknown, path: string, findings: Findings): string | null {
  if (typeof value !== 'string') {
    findings.misshapen(path, `must be a string, got ${shape(value)}`);
    return null;
  }
  if (value === '') findings.unusable(path, 'must not be empty');
  else if (value.length > EVENT_LIMITS.nameLength) {
    findings.unusable(path, `must have ${EVENT_LIMITS.nameLength} characters at most, got ${value.length}`);
  } else if (LONE_SURROGATE.test(value)) {
    findings.unusable(path, 'holds half of a surrogate pair, which is not a character');
  } else return value;
  return null;
}

function textOrNull(value: unknown, path: string, findings: Findings): string | null {
  if (typeof value === 'string') return value;
  if (!isAbsent(value)) findings.warn(path, `should be a string, got ${shape(value)}: it is left out`);
  return null;
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
