import { datasetUrn, parseUrn } from '#graph-schema';
import { columnEdgeOf, edgeProperties } from '../openlineage/index.js';
import { combinedEdge, latestEditOf } from './combined-validity.js';
import type { ProjectedBatch } from './projected-batch.js';
import type { RecordBook } from './record-book.js';
import { COLUMNS, type ColumnsRecord, keyOfSide, recordOf, SIDE } from './record-kinds.js';
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
  const ends = touched.map(({ edge }) => columnEdgeOf(edge));
  const fields = [...new Set(ends.flatMap(({ from, to }) => [from, to]))];
  const datasets = new Set([...touched.map(({ dataset }) => dataset), ...fields.map(datasetOf)]);
  await book.load([...datasets].map((dataset) => [COLUMNS, dataset] as const));
  for (const { dataset, owner } of touched) add(book, dataset, { makers: [owner], claimed: [] });
  for (const field of fields) add(book, datasetOf(field), { makers: [], claimed: [field] });
  const makersOf = (dataset: string) => book.get(COLUMNS, dataset)?.makers ?? [];
  await book.load(
    [...datasets].flatMap((dataset) =>
      makersOf(dataset).map((maker) => [SIDE, keyOfSide(maker, { columnsOf: dataset })] as const),
    ),
  );
  for (const urn of fields) batch.entity(claimedField(urn));
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

function add(book: RecordBook, dataset: string, more: ColumnsRecord): void {
  const held = book.get(COLUMNS, dataset) ?? { makers: [], claimed: [] };
  book.put(COLUMNS, dataset, {
    makers: union(held.makers, more.makers),
    claimed: union(held.claimed, more.claimed),
  });
}

const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])].sort();

function datasetOf(field: string): string {
  const [namespace = '', dataset = ''] = parseUrn(field).parts;
  return datasetUrn(namespace, dataset);
}

/** A column that lineage names, whether or not a schema tells more of it. */
function claimedField(urn: string) {
  const [namespace = '', dataset = '', name = ''] = parseUrn(urn).parts;
  return { kind: 'Field' as const, urn, name, properties: { namespace, dataset } };
}
