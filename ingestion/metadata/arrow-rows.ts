import { InputError } from '#errors';
import type { KindDefinition } from '#graph-schema';
import { cellsOf, itemsOf } from './arrow/arrow-cells.js';
import { type ArrowField, columnFault, isText } from './arrow/arrow-field.js';
import { BadCell, type CellReader } from './arrow/bad-cell.js';
import type { ArrowStream, ReadBatch } from './arrow/read-arrow-stream.js';
import { type MetadataRow, type MetadataRows, type RowRequest, refusedRow, urnOfKey } from './metadata-row.js';

/** What the rows of a stream are: entities of one kind, or links of one kind. */
export type RowSubject =
  | { readonly are: 'entities'; readonly kind: KindDefinition }
  | { readonly are: 'links'; readonly kind: string };

export interface ArrowRowOptions {
  /** What a null says about a property: `keep` leaves it as it is, `remove` takes it away. */
  readonly nulls: 'keep' | 'remove';
}

const IF_VERSION = 'if_version';
const SLICE_ROWS = 1_000;
/** Items of all nested values of a slice, unless it is of one row. */
const SLICE_ITEMS = 200_000;

/** More than any property holds; dictionaries and views can make a value of any size out of few bytes. */
const MAX_VALUE_BYTES = 1024 * 1024;
const TOO_LARGE = `has more than ${MAX_VALUE_BYTES} bytes as JSON`;

/** Which columns name an item, and which say something about it. */
interface Layout {
  readonly identity: readonly string[];
  readonly properties: readonly string[];
}

/**
 * Turns the columns of a stream into rows. Entities have a column `urn`, or one for each part of their key, and may have
 * `name`; links have `from` and `to`; both may have `if_version`. Every other column is the property of its name.
 *
 * @throws InputError when a column is missing, or is of a type that it cannot have; before any row is read
 */
export function arrowRows(stream: ArrowStream, subject: RowSubject, options: ArrowRowOptions): MetadataRows {
  const layout = layoutOf(stream.fields, subject);
  return readRows(stream, subject, layout, options);
}

function layoutOf(fields: readonly ArrowField[], subject: RowSubject): Layout {
  const names = fields.map(({ name }) => name);
  const identity = identityOf(names, subject);
  const texts = subject.are === 'entities' ? [...identity, 'name'] : identity;
  for (const { name, type } of fields) {
    if (texts.includes(name) && !isText(type) && type.is !== 'null')
      throw columnFault(name, 'must be a column of text');
    if (name === IF_VERSION && type.is !== 'int' && type.is !== 'null') {
      throw columnFault(name, 'must be a column of whole numbers');
    }
  }
  const special = new Set([...texts, IF_VERSION]);
  return { identity, properties: names.filter((name) => !special.has(name)) };
}

function identityOf(names: readonly string[], subject: RowSubject): readonly string[] {
  const needed = subject.are === 'links' ? ['from', 'to'] : names.includes('urn') ? ['urn'] : subject.kind.keyParts;
  const missing = needed.filter((name) => !names.includes(name));
  const [first] = missing;
  if (first === undefined) return needed;
  const choice = subject.are === 'entities' ? ', or one column `urn`' : '';
  throw InputError.one('BAD_USER_INPUT', first, `is missing: rows need the columns ${needed.join(', ')}${choice}`);
}

async function* readRows(
  { batches }: ArrowStream,
  subject: RowSubject,
  layout: Layout,
  options: ArrowRowOptions,
): AsyncGenerator<MetadataRow[]> {
  let before = 0;
  for await (const batch of batches) {
    const reader = new BatchRows(batch, subject, layout, options);
    for (let start = 0, end = 0; start < batch.rows; start = end) {
      end = sliceEnd(batch, start);
      yield reader.slice(start, end, before);
    }
    before += batch.rows;
  }
}

function sliceEnd({ rows, columns }: ReadBatch, start: number): number {
  const itemsUpTo = (end: number): number => columns.reduce((items, column) => items + itemsOf(column, start, end), 0);
  let many = Math.min(SLICE_ROWS, rows - start);
  while (many > 1 && itemsUpTo(start + many) > SLICE_ITEMS) many = Math.ceil(many / 2);
  return start + many;
}

/** What a slice of one column holds. */
interface Values {
  readonly name: string;
  readonly cells: readonly unknown[];
}

class BatchRows {
  readonly #subject: RowSubject;
  readonly #layout: Layout;
  readonly #options: ArrowRowOptions;
  readonly #readers: ReadonlyMap<string, CellReader>;

  constructor(batch: ReadBatch, subject: RowSubject, layout: Layout, options: ArrowRowOptions) {
    this.#subject = subject;
    this.#layout = layout;
    this.#options = options;
    this.#readers = new Map(
      batch.columns.map((column) => [column.field.name, cellsOf(column, batch.dictionaries)] as const),
    );
  }

  /** Column by column, so that each loop runs over one kind of value. */
  slice(start: number, end: number, before: number): MetadataRow[] {
    const values = (name: string): Values => ({ name, cells: this.#cells(name, start, end) });
    const identity = this.#layout.identity.map(values);
    const properties = this.#layout.properties.map(values);
    const versions = this.#cells(IF_VERSION, start, end);
    const captions = this.#layout.identity.includes('name') ? [] : this.#cells('name', start, end);
    return Array.from({ length: end - start }, (_, index) => {
      const row = before + start + index + 1;
      const size = { bytes: 64 };
      const key: Record<string, string> = {};
      for (const { name, cells } of identity) {
        const part = cells[index];
        if (typeof part !== 'string') return refusedRow(row, name, ruleOf(part));
        size.bytes += part.length;
        key[name] = part;
      }
      const ifVersion = versions[index] ?? undefined;
      if (ifVersion instanceof BadCell) return refusedRow(row, 'ifVersion', ifVersion.rule);
      const caption = captions[index] ?? undefined;
      if (caption instanceof BadCell) return refusedRow(row, 'name', caption.rule);
      const patch: Record<string, unknown> = {};
      for (const { name, cells } of properties) {
        const cell = cells[index];
        if (cell instanceof BadCell) return refusedRow(row, `properties.${name}`, cell.rule);
        if (cell === null && this.#options.nulls === 'keep') continue;
        const bytes = sizeOf(cell);
        size.bytes += name.length + bytes;
        // It has been made, so it counts.
        if (bytes > MAX_VALUE_BYTES) return { ...refusedRow(row, `properties.${name}`, TOO_LARGE), bytes: size.bytes };
        patch[name] = cell;
      }
      const request = this.#request(key, patch, {
        name: caption as string | undefined,
        ifVersion: ifVersion as number | undefined,
      });
      return { row, bytes: size.bytes, request };
    });
  }

  #request(
    key: Record<string, string>,
    properties: Record<string, unknown>,
    rest: { name: string | undefined; ifVersion: number | undefined },
  ): RowRequest {
    const subject = this.#subject;
    if (subject.are === 'links') {
      const { from = '', to = '' } = key;
      return { is: 'link', item: { kind: subject.kind, from, to, properties, ifVersion: rest.ifVersion } };
    }
    const kind = subject.kind.name;
    const urn = key.urn ?? urnOfKey(subject.kind, key);
    return { is: 'entity', item: { kind, properties, ...rest, ...(urn === undefined ? { key } : { urn }) } };
  }

  #cells(name: string, start: number, end: number): unknown[] {
    const read = this.#readers.get(name);
    if (read === undefined) return [];
    const cells: unknown[] = new Array(end - start);
    for (let row = start; row < end; row += 1) cells[row - start] = read(row);
    return cells;
  }
}

function ruleOf(cell: unknown): string {
  return cell instanceof BadCell ? cell.rule : 'is null: every row needs it';
}

/** About what a value takes as JSON. */
function sizeOf(cell: unknown): number {
  if (typeof cell === 'string') return cell.length + 8;
  if (typeof cell !== 'object' || cell === null || cell instanceof Date) return 24;
  let bytes = 8;
  for (const [name, value] of Object.entries(cell)) bytes += name.length + sizeOf(value);
  return bytes;
}
