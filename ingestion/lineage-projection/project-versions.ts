import { datasetVersionUrn, parseUrn } from '#graph-schema';
import {
  dateOf,
  EVENT_LIMITS,
  type EventTime,
  earlier,
  type FacetEntry,
  type FacetTable,
  facetsText,
  isRolledBack,
  keyOfUse,
  knownFacet,
  later,
  latestWritten,
  mergeFacets,
  namedVersion,
  readVersion,
  startedAt,
  type UseState,
  type WrittenVersion,
  writtenVersion,
} from '../openlineage/index.js';
import type { ProjectedBatch } from './projected-batch.js';
import type { RecordBook } from './record-book.js';
import { RUN, type RunRecord, seriesOfUses, USE, type UseRecord, VERSION, type VersionRecord } from './record-kinds.js';
import { isRemovedRun, removedOutput } from './removed-runs.js';
import type { Told } from './told-changes.js';

/**
 * Links runs to the versions of data sets that they have read and written. What a run has read follows from what others had
 * written when it began, so a write that becomes known late moves the links of those that began after it.
 */
export async function projectVersions(
  book: RecordBook,
  batch: ProjectedBatch,
  told: { readonly runs: readonly Told<RunRecord>[]; readonly uses: readonly UseState[] },
): Promise<void> {
  const uses = await affectedUses(book, told);
  const writes = uses.filter(({ side }) => side === 'output').map((use) => rewritten(book, use));
  const reads = uses.filter(({ side }) => side === 'input').map((use) => begun(book, use));
  const moved = await readsAfter(book, writes);
  const links = new Map<string, UseRecord>();
  for (const { record } of writes) links.set(keyOfUse(record.use), record);
  for (const record of [...moved, ...reads]) links.set(keyOfUse(record.use), record);
  const linked = await withVersions(book, [...links.values()]);
  await book.load(linked.flatMap(versionsOfLink).map((urn) => [VERSION, urn] as const));
  // What counts only where a version is known comes after what makes it known.
  const [late, others] = [linked.filter(isLate), linked.filter((link) => !isLate(link))];
  for (const link of others.filter(isWrite)) showLink(book, batch, link);
  for (const link of late) showLink(book, batch, link);
  for (const link of others.filter((one) => !isWrite(one))) showLink(book, batch, link);
}

/**
 * The uses that events tell of, and those of the runs that they tell of: a run that completes has written what it had named before,
 * and one that is rolled back has not.
 */
async function affectedUses(
  book: RecordBook,
  { runs, uses }: { readonly runs: readonly Told<RunRecord>[]; readonly uses: readonly UseState[] },
): Promise<UseState[]> {
  const affected = new Map(uses.map((use) => [keyOfUse(use), use]));
  const others = runs
    .filter(({ before, after }) => courseOf(before) !== courseOf(after))
    .flatMap(({ after }) => after.uses.filter((key) => !affected.has(key)));
  await book.load(others.map((key) => [USE, key] as const));
  for (const key of others) {
    const record = book.get(USE, key);
    if (record !== undefined) affected.set(key, record.use);
  }
  await book.load([...affected.values()].map(({ run }) => [RUN, run] as const));
  return [...affected.values()].flatMap((use) => {
    if (!isRemovedRun(book, use.run)) return use;
    return use.side === 'output' ? removedOutput(use) : [];
  });
}

const courseOf = (run: RunRecord | null): string =>
  run === null ? '' : JSON.stringify([run.state.outcome, isRolledBack(run.state)]);

/** An output with what it has written before and now. */
interface Rewritten {
  readonly record: UseRecord;
  readonly before: WrittenVersion | null;
}

function rewritten(book: RecordBook, use: UseState): Rewritten {
  const held = book.get(USE, keyOfUse(use));
  const run = book.get(RUN, use.run)?.state;
  const isGone = run !== undefined && isRolledBack(run);
  const written = run === undefined || isGone ? null : writtenVersion(run, use);
  const record: UseRecord = {
    ...{ use, version: held?.version ?? null, named: null, written, began: null, isRolledBack: isGone },
    ...(isRemovedRun(book, use.run) && { isRemoved: true }),
  };
  book.put(USE, keyOfUse(use), record);
  return { record, before: held?.written ?? null };
}

function begun(book: RecordBook, use: UseState): UseRecord {
  const held = book.get(USE, keyOfUse(use));
  const run = book.get(RUN, use.run)?.state;
  const isGone = run !== undefined && isRolledBack(run);
  const began = run === undefined || isGone || namedVersion(use) !== null ? null : startedAt(run.outcome);
  const { version = null, named = null } = held ?? {};
  const record = { use, version, named, written: null, began, isRolledBack: isGone };
  book.put(USE, keyOfUse(use), record);
  return record;
}

const FOR_EVER = '9999-12-31T23:59:59.999999999Z';

/** The reads that began between a write that has changed and the one after the next: a run does not read its own. */
async function readsAfter(book: RecordBook, writes: readonly Rewritten[]): Promise<UseRecord[]> {
  const spans = new Map<string, { from: EventTime; to: EventTime }>();
  for (const { record, before } of writes) {
    if (JSON.stringify(before) === JSON.stringify(record.written)) continue;
    for (const at of [before?.at, record.written?.at]) {
      if (at === undefined) continue;
      const { dataset } = record.use;
      const span = spans.get(dataset) ?? { from: at, to: at };
      spans.set(dataset, { from: earlier(at, span.from), to: later(at, span.to) });
    }
  }
  const datasets = [...spans];
  const near = await book.around(
    USE,
    datasets.map(([dataset, { from, to }]) => ({
      series: seriesOfUses('output', dataset),
      from,
      to,
      since: from,
      isEnough: ({ values, wholeUntil }) => wholeUntil === null || secondAfter(values, to) <= wholeUntil,
    })),
  );
  const reads = await book.within(
    USE,
    datasets.map(([dataset, { from, to }], index) => ({
      series: seriesOfUses('input', dataset),
      from,
      to: secondAfter(near[index]?.values ?? [], to),
      since: from,
    })),
  );
  return reads.flat();
}

function secondAfter(uses: readonly UseRecord[], to: EventTime): string {
  const times = writtenBy(uses).flatMap(({ at }) => (at > to ? [at] : []));
  return times.sort()[1] ?? FOR_EVER;
}

const writtenBy = (uses: readonly UseRecord[]): WrittenVersion[] => uses.flatMap(({ written }) => written ?? []);

/** A use with the version that it is linked to, and the one that it is to be linked to. */
interface Link {
  readonly record: UseRecord;
  readonly before: Pick<UseRecord, 'version' | 'named'>;
}

async function withVersions(book: RecordBook, records: readonly UseRecord[]): Promise<Link[]> {
  const unnamed = records.flatMap(({ use, began }) => (began === null ? [] : [{ use, began }]));
  const near = await book.around(
    USE,
    unnamed.map(({ use, began }) => ({
      series: seriesOfUses('output', use.dataset),
      from: began,
      to: began,
      since: began,
      isEnough: ({ values, wholeSince }) => {
        const latest = latestWritten(use, began, writtenBy(values));
        return wholeSince === null || (latest !== null && latest.at > wholeSince);
      },
    })),
  );
  const written = new Map(unnamed.map(({ use }, index) => [keyOfUse(use), writtenBy(near[index]?.values ?? [])]));
  return records.map((record) => {
    const { use, began, isRolledBack: isGone } = record;
    const others = written.get(keyOfUse(use)) ?? [];
    const read = isGone ? null : readVersion(use, began, others);
    const name = use.side === 'output' ? (record.written?.version ?? null) : read;
    const version = name === null ? null : versionUrn(use.dataset, name);
    const named = use.side === 'input' && namedVersion(use) !== null ? version : null;
    return { record: { ...record, version, named }, before: record };
  });
}

/** Null for one that would be too long to be found again, as for all that events name. */
function versionUrn(dataset: string, version: string): string | null {
  const [namespace = '', name = ''] = parseUrn(dataset).parts;
  const urn = datasetVersionUrn(namespace, name, version);
  return urn.length > EVENT_LIMITS.urnLength ? null : urn;
}

const versionsOfLink = ({ before, record }: Link): string[] =>
  [before.version, record.version].filter((urn) => urn !== null);

const isWrite = ({ record }: Link): boolean => record.use.side === 'output';

/** A write that is told of only after retention has removed its run. */
const isLate = ({ record, before }: Link): boolean => record.isRemoved === true && record.version !== before.version;

function showLink(book: RecordBook, batch: ProjectedBatch, link: Link): void {
  const { before } = link;
  const record = withoutGoneVersion(book, link);
  const { use, version } = record;
  const kind = use.side === 'output' ? 'WROTE' : 'READ';
  book.put(USE, keyOfUse(use), record);
  if (before.version !== null && before.version !== version) {
    if (record.isRemoved !== true) batch.deleteEdge(kind, use.run, before.version);
    if (isKnown(book, before.version)) keepVersion(book, batch, { record, before }, before.version);
  }
  if (version === null) return;
  if (record.isRemoved !== true || version !== before.version) keepVersion(book, batch, { record, before }, version);
  if (record.isRemoved !== true) batch.edge(kind, use.run, version, { facets: facetsText(use.facets) });
}

/**
 * What a run has read without naming it was written by a run, so it is known, unless retention has removed both. And what a removed
 * run is late to tell that it has written brings no version back, but is one more reason to keep one that is there. Call it after
 * the other outputs of the same write were shown.
 */
function withoutGoneVersion(book: RecordBook, link: Link): UseRecord {
  const { record } = link;
  const { version, named } = record;
  if (version === null || isKnown(book, version)) return record;
  return isLate(link) || (!isWrite(link) && named === null) ? { ...record, version: null } : record;
}

function isKnown(book: RecordBook, version: string): boolean {
  const { writers, namedReaders } = book.get(VERSION, version) ?? UNKNOWN;
  return namedReaders > 0 || Object.keys(writers).length > 0;
}

const UNKNOWN: VersionRecord = { writers: {}, namedReaders: 0 };

/** Remembers what one use now means to a version that it is or was linked to. */
function keepVersion(book: RecordBook, batch: ProjectedBatch, { record, before }: Link, urn: string): void {
  const { use, written, version, named } = record;
  const held = book.get(VERSION, urn) ?? UNKNOWN;
  const { [keyOfUse(use)]: _, ...others } = held.writers;
  const mine =
    written !== null && version === urn
      ? { [keyOfUse(use)]: { schema: use.version.schema ?? null, writtenAt: written.at } }
      : {};
  const kept: VersionRecord = {
    writers: Object.fromEntries(Object.entries({ ...others, ...mine }).sort(([a], [b]) => (a < b ? -1 : 1))),
    namedReaders: held.namedReaders + (named === urn ? 1 : 0) - (before.named === urn ? 1 : 0),
  };
  book.put(VERSION, urn, kept);
  showVersion(batch, use.dataset, urn, kept);
}

function showVersion(
  batch: ProjectedBatch,
  dataset: string,
  urn: string,
  { writers, namedReaders }: VersionRecord,
): void {
  const told = Object.values(writers);
  if (told.length === 0 && namedReaders === 0) {
    batch.deleteEdge('HAS_VERSION', dataset, urn);
    batch.deleteEntity(urn);
    return;
  }
  const writtenAt = told.reduce<EventTime | null>((latest, use) => later(latest, use.writtenAt), null);
  const [namespace = '', name = '', datasetVersion = ''] = parseUrn(urn).parts;
  const schema = schemaOf(told.map((use) => use.schema).filter((entry) => entry !== null));
  batch.entity({
    kind: 'DatasetVersion',
    urn,
    properties: {
      namespace,
      dataset: name,
      datasetVersion,
      schema,
      writtenAt: writtenAt === null ? null : dateOf(writtenAt),
    },
  });
  batch.edge('HAS_VERSION', dataset, urn);
}

function schemaOf(told: readonly FacetEntry[]): string | null {
  const table = told.map((schema): FacetTable => ({ schema })).reduce(mergeFacets, {});
  const fields = knownFacet(table, 'dataset', 'schema')?.fields;
  return fields === undefined ? null : JSON.stringify(fields);
}
