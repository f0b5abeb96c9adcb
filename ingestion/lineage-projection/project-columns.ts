import { datasetUrn, parseUrn } from '#graph-schema';
import { columnEdgeOf, edgeProperties } from '../openlineage/index.js';
import { combinedEdge, latestEditOf } from './combined-validity.js';
import type { ProjectedBatch } from './projected-batch.js';
import type { RecordBook } from './record-book.js';
import { COLUMNS, keyOfSide, recordOf, SIDE } from './record-kinds.js';
import { editOf, manualProperty, shownIntervals } from './shown-edge.js';

/** An edge between columns of which one of its owners has said something new. */
export interface OwnedColumnEdge {
  readonly owner: string;
  /** Urn of the data set that the edge enters. */
  readonly dataset: string;
  /** As `columnEdgeKey`. */
  readonly edge: string;
  /** Whether that owner has shown it before. */
  readonly wasShown: boolean;
}

/** Projects `DERIVES`, of which each edge may be claimed by several owners, and the columns at its ends. */
export async function projectColumns(
  book: RecordBook,
  batch: ProjectedBatch,
  touched: readonly OwnedColumnEdge[],
): Promise<void> {
  const fields = new Set(touched.flatMap(({ edge }) => Object.values(columnEdgeOf(edge))));
  const columns = new Map<string, Named>();
  const namedOf = (dataset: string): Named => {
    const named = columns.get(dataset) ?? { makers: new Set(), fields: new Set() };
    columns.set(dataset, named);
    return named;
  };
  for (const { dataset, owner } of touched) namedOf(dataset).makers.add(owner);
  for (const field of fields) namedOf(datasetOf(field)).fields.add(field);
  await book.load([...columns.keys()].map((dataset) => [COLUMNS, dataset] as const));
  for (const [dataset, named] of columns) {
    const held = book.get(COLUMNS, dataset) ?? { makers: [], claimed: [] };
    const claimed = new Set(held.claimed);
    // One that was claimed before is there, unless somebody has deleted or purged it.
    for (const urn of named.fields) batch.entity({ ...claimedField(urn), onlyIfAbsent: claimed.has(urn) });
    book.put(COLUMNS, dataset, {
      makers: union(held.makers, named.makers),
      claimed: union(held.claimed, named.fields),
    });
  }
  const makersOf = (dataset: string) => book.get(COLUMNS, dataset)?.makers ?? [];
  await book.load(
    [...columns.keys()].flatMap((dataset) =>
      makersOf(dataset).map((maker) => [SIDE, keyOfSide(maker, { columnsOf: dataset })] as const),
    ),
  );
  for (const { dataset, edge, wasShown } of touched) {
    const owned = makersOf(dataset).flatMap((owner) => {
      const record = recordOf(book.get(SIDE, keyOfSide(owner, { columnsOf: dataset })) ?? {}, edge);
      if (record === undefined) return [];
      return [{ owner, intervals: shownIntervals(record), note: record.note, edit: editOf(record) }];
    });
    const combined = combinedEdge(owned);
    const manual = manualProperty(latestEditOf(owned));
    const { from, to } = columnEdgeOf(edge);
    if (combined !== null) {
      const { owner, note } = combined.latest;
      const properties = { ...edgeProperties(combined.intervals), via: owner, transformations: note };
      batch.edge('DERIVES', from, to, { ...properties, ...manual });
    } else if (wasShown) batch.edge('DERIVES', from, to, { ...edgeProperties([]), ...manual });
  }
}

/** Who makes columns of a data set, and which of its columns are named, by what this write touches. */
interface Named {
  readonly makers: Set<string>;
  readonly fields: Set<string>;
}

const union = (a: readonly string[], b: ReadonlySet<string>): readonly string[] => [...new Set([...a, ...b])].sort();

function datasetOf(field: string): string {
  const [namespace = '', dataset = ''] = parseUrn(field).parts;
  return datasetUrn(namespace, dataset);
}

/** A column that lineage names, whether or not a schema tells more of it. */
function claimedField(urn: string) {
  const [namespace = '', dataset = '', name = ''] = parseUrn(urn).parts;
  return { kind: 'Field' as const, urn, name, properties: { namespace, dataset } };
}
