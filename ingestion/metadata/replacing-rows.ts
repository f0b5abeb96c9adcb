import { InputError } from '#errors';
import { type KindDefinition, parseUrn } from '#graph-schema';
import { cellsOf } from './arrow/arrow-cells.js';
import type { ArrowStream, ReadBatch } from './arrow/read-arrow-stream.js';
import { type MetadataRow, type MetadataRows, type RowRequest, refusedRow } from './metadata-row.js';

/** Sets whose present links are looked up at once. */
const SLICE_SETS = 500;
const LIST_RULE = 'must be a list of urns';

/** Where the links of a kind lead at present, by the urn that they leave. */
export type FindLinkEnds = (urns: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>>;

/**
 * Turns rows of `from` and `to`, a list, into what makes the links of one kind that leave `from` exactly those to `to`: the
 * others are deleted. Rows of the result stand for single links, numbered by the set that they come from.
 *
 * @throws InputError when a column is missing
 */
export async function* linkSetRows(stream: ArrowStream, kind: string, findEnds: FindLinkEnds): MetadataRows {
  const names = stream.fields.map(({ name }) => name);
  for (const name of ['from', 'to'])
    if (!names.includes(name)) throw InputError.one('BAD_USER_INPUT', name, 'is missing: link sets need from and to');
  let before = 0;
  for await (const batch of stream.batches) {
    const sets = new SetReader(batch);
    for (let start = 0; start < batch.rows; start += SLICE_SETS) {
      const end = Math.min(start + SLICE_SETS, batch.rows);
      const read = Array.from({ length: end - start }, (_, index) => sets.at(start + index));
      const present = await findEnds(read.flatMap(({ from }) => (typeof from === 'string' ? [from] : [])));
      yield read.flatMap((set, index) => rowsOf(before + start + index + 1, set, kind, present));
    }
    before += batch.rows;
  }
}

/** Which of some entities are there to be deleted; null for the others. */
export type FindNodes = (urns: readonly string[]) => Promise<readonly ({ readonly urn: string } | null)[]>;

/** Turns rows of entities into their deletions. One of another kind is refused, one that is not there is passed over. */
export async function* deletionRows(rows: MetadataRows, kind: KindDefinition, findNodes: FindNodes): MetadataRows {
  for await (const slice of rows) {
    const found = await findNodes(slice.flatMap(({ request }) => urnOf(request, kind) ?? []));
    const present = new Set(found.flatMap((node) => node?.urn ?? []));
    yield slice.flatMap((row): MetadataRow[] => {
      if (row.request.is !== 'entity') return [row];
      const urn = urnOf(row.request, kind);
      if (urn === undefined) return [refusedRow(row.row, 'urn', `must be the urn of a ${kind.name}`)];
      return present.has(urn) ? [{ ...row, request: { is: 'deletion', item: { urn } } }] : [];
    });
  }
}

interface LinkSet {
  readonly from: unknown;
  readonly to: unknown;
}

class SetReader {
  readonly #from: (row: number) => unknown;
  readonly #to: (row: number) => unknown;

  constructor({ columns, dictionaries }: ReadBatch) {
    const reader = (name: string) => {
      const column = columns.find(({ field }) => field.name === name);
      return column === undefined ? () => null : cellsOf(column, dictionaries);
    };
    this.#from = reader('from');
    this.#to = reader('to');
  }

  at(row: number): LinkSet {
    return { from: this.#from(row), to: this.#to(row) };
  }
}

function rowsOf(
  row: number,
  { from, to }: LinkSet,
  kind: string,
  present: ReadonlyMap<string, readonly string[]>,
): MetadataRow[] {
  if (typeof from !== 'string') return [refusedRow(row, 'from', 'must be a urn')];
  if (!Array.isArray(to) || !to.every((end) => typeof end === 'string')) return [refusedRow(row, 'to', LIST_RULE)];
  const wanted = new Set<string>(to);
  const gone = (present.get(from) ?? []).filter((end) => !wanted.has(end));
  const sized = (end: string) => ({ row, bytes: 64 + from.length + end.length });
  return [
    ...gone.map(
      (end): MetadataRow => ({ ...sized(end), request: { is: 'linkDeletion', item: { kind, from, to: end } } }),
    ),
    ...[...wanted].map(
      (end): MetadataRow => ({ ...sized(end), request: { is: 'link', item: { kind, from, to: end } } }),
    ),
  ];
}

/** The urn that a row names, if it is one of the kind. */
function urnOf(request: RowRequest, kind: KindDefinition): string | undefined {
  const urn = request.is === 'entity' ? request.item.urn : undefined;
  try {
    return urn && parseUrn(urn).kind === kind.urnKind ? urn : undefined;
  } catch {
    return undefined;
  }
}
