import type { AppError } from '#errors';
import { MAX_ROWS, overLimit } from '../row-limits.js';
import { arrowFault } from './arrow-fault.js';
import type { ArrowField, ArrowType } from './arrow-field.js';
import type { FlatTable } from './flat-table.js';

/** Slots of the table RecordBatch in the Arrow specification's Message.fbs. */
const RECORD_BATCH = { length: 0, nodes: 1, buffers: 2, compression: 3, variadicCounts: 4 } as const;

/** Values of all nested columns of a batch together: they need not be backed by any bytes. */
const MAX_NESTED_VALUES = 4_194_304;

/** Bytes of all texts that the views of a batch show: views may show the same bytes again and again. */
const MAX_VIEW_BYTES = 128 * 1024 * 1024;

const MAX_BUFFERS = 100_000;

/** A column whose buffers hold what its length says; offsets never leave the values. Nothing is copied that needs not be. */
export interface ArrowColumn {
  readonly field: ArrowField;
  readonly length: number;
  /** A bit per value, 1 where there is one; undefined when no value is null. */
  readonly validity: Uint8Array | undefined;
  /** Fixed-width values, text, or the 16-byte views of a utf8View. */
  readonly data: Uint8Array;
  /** Of text and lists: value `i` lies from `offsets[i]` to `offsets[i + 1]`. */
  readonly offsets: Int32Array | undefined;
  /** Text behind the views of a utf8View. */
  readonly variadic: readonly Uint8Array[];
  readonly children: readonly ArrowColumn[];
}

export interface ArrowBatch {
  readonly rows: number;
  readonly columns: readonly ArrowColumn[];
}

/**
 * Reads one record batch or dictionary over its body. Everything that the metadata says about the body is checked before a
 * value is touched, so readers of values need no checks of their own.
 */
export function readBatch(header: FlatTable, body: Uint8Array, fields: readonly ArrowField[]): ArrowBatch {
  if (header.has(RECORD_BATCH.compression)) {
    throw arrowFault('has compressed buffers: write it without compression, and send it with Content-Encoding: gzip');
  }
  const rows = header.int64(RECORD_BATCH.length);
  if (rows < 0) throw arrowFault('declares a negative number of rows');
  if (rows > MAX_ROWS) throw overLimit(`a batch of ${rows} rows`, 'rows', MAX_ROWS);
  const source = new BatchSource(header, body);
  const columns = fields.map((field) => source.column(field, rows));
  source.finish();
  return { rows, columns };
}

const NO_BYTES = new Uint8Array(0);

class BatchSource {
  readonly #body: Uint8Array;
  readonly #nodes: readonly (readonly [number, number])[];
  readonly #buffers: readonly (readonly [number, number])[];
  readonly #variadicCounts: readonly number[];
  #node = 0;
  #buffer = 0;
  #variadic = 0;
  #viewBytes = 0;
  #nestedValues = 0;

  constructor(header: FlatTable, body: Uint8Array) {
    this.#body = body;
    this.#nodes = header.pairs(RECORD_BATCH.nodes, MAX_BUFFERS);
    this.#buffers = header.pairs(RECORD_BATCH.buffers, MAX_BUFFERS);
    this.#variadicCounts = header.int64s(RECORD_BATCH.variadicCounts, MAX_BUFFERS);
  }

  column(field: ArrowField, rows: number): ArrowColumn {
    const [length, nullCount] = this.#nextNode();
    if (length !== rows) throw missingValues(field, length, rows);
    return this.#values(field, length, nullCount);
  }

  /** @param expected length that the parent demands, at least: slices of lists may leave values unused */
  #child(field: ArrowField, expected: number): ArrowColumn {
    const [length, nullCount] = this.#nextNode();
    if (length < 0 || length < expected) throw missingValues(field, length, expected);
    this.#nestedValues += length;
    if (this.#nestedValues > MAX_NESTED_VALUES) {
      throw overLimit('a batch of too many nested values', 'nestedValues', MAX_NESTED_VALUES);
    }
    return this.#values(field, length, nullCount);
  }

  #nextNode(): readonly [number, number] {
    return this.#nodes[this.#node++] ?? [-1, 0];
  }

  #values(field: ArrowField, length: number, nullCount: number): ArrowColumn {
    if (nullCount < 0 || nullCount > length) throw arrowFault(`declares ${nullCount} nulls of ${length} values`);
    const stored = field.dictionary?.index ?? field.type;
    const whole = { field, length, offsets: undefined, variadic: [], children: [], data: NO_BYTES };
    if (stored.is === 'null')
      return { ...whole, validity: length === 0 ? undefined : new Uint8Array((length + 7) >> 3) };
    const bitmap = this.#bytes(nullCount === 0 ? 0 : (length + 7) >> 3, field);
    const column = { ...whole, validity: nullCount === 0 ? undefined : bitmap };
    switch (stored.is) {
      case 'utf8':
      case 'largeUtf8': {
        const offsets = this.#offsets(length, stored.is === 'largeUtf8', field);
        return { ...column, offsets, data: this.#bytes(offsets[length] ?? 0, field) };
      }
      case 'utf8View': {
        const data = this.#bytes(16 * length, field);
        this.#countViews(data, length);
        const count = this.#variadicCounts[this.#variadic++] ?? 0;
        if (count < 0 || count > MAX_BUFFERS) throw arrowFault(`declares ${count} buffers for ${field.name}`);
        const variadic = Array.from({ length: count }, () => this.#bytes(0, field));
        return { ...column, data, variadic };
      }
      case 'list':
      case 'largeList':
      case 'map': {
        const offsets = this.#offsets(length, stored.is === 'largeList', field);
        return { ...column, offsets, children: this.#children(field, offsets[length] ?? 0) };
      }
      case 'fixedSizeList':
        return { ...column, children: this.#children(field, length * stored.size) };
      case 'struct':
        return { ...column, children: this.#children(field, length) };
      default:
        return { ...column, data: this.#bytes(Math.ceil((bitsOf(stored) * length) / 8), field) };
    }
  }

  /** What is left over shows that the schema is not that of the batch. */
  finish(): void {
    if (this.#node !== this.#nodes.length || this.#buffer !== this.#buffers.length) {
      throw arrowFault('has a batch that does not fit its schema');
    }
  }

  #countViews(data: Uint8Array, length: number): void {
    const words = new Int32Array(data.buffer, data.byteOffset, 4 * length);
    for (let view = 0; view < words.length; view += 4) this.#viewBytes += Math.max(0, words[view] ?? 0);
    if (this.#viewBytes > MAX_VIEW_BYTES) throw overLimit('views of too much text', 'viewBytes', MAX_VIEW_BYTES);
  }

  #children(field: ArrowField, expected: number): ArrowColumn[] {
    return field.children.map((child) => this.#child(child, expected));
  }

  /** @param needed bytes that the values take; the buffer may be longer */
  #bytes(needed: number, field: ArrowField): Uint8Array {
    const [offset, length] = this.#buffers[this.#buffer++] ?? [-1, 0];
    if (offset < 0 || length < 0 || offset + length > this.#body.byteLength) {
      throw arrowFault(`places a buffer of ${field.name} outside its body`);
    }
    if (offset % 8 !== 0) throw arrowFault(`places a buffer of ${field.name} off the 8-byte grid`);
    if (length < needed) throw arrowFault(`gives ${length} bytes to ${field.name} where ${needed} are needed`);
    return this.#body.subarray(offset, offset + length);
  }

  /** Offsets that start at 0 or later and never fall. A column without values may have none at all. */
  #offsets(length: number, large: boolean, field: ArrowField): Int32Array {
    const bytes = this.#bytes(length === 0 ? 0 : (length + 1) * (large ? 8 : 4), field);
    if (length === 0) return new Int32Array(1);
    const offsets = large
      ? narrowed(bytes, length + 1, field)
      : new Int32Array(bytes.buffer, bytes.byteOffset, length + 1);
    let previous = 0;
    for (let index = 0; index <= length; index += 1) {
      const offset = offsets[index] ?? -1;
      if (offset < previous) throw arrowFault(`has offsets of ${field.name} that fall`);
      previous = offset;
    }
    return offsets;
  }
}

function missingValues({ name }: ArrowField, length: number, expected: number): AppError {
  return arrowFault(`declares ${length} values for ${name} where ${expected} are needed`);
}

/** 64-bit offsets as 32-bit ones: no body is so large that it needs more. */
function narrowed(bytes: Uint8Array, count: number, field: ArrowField): Int32Array {
  const halves = new Int32Array(bytes.buffer, bytes.byteOffset, 2 * count);
  const offsets = new Int32Array(count);
  for (let index = 0; index < count; index += 1) {
    if (halves[2 * index + 1] !== 0) throw arrowFault(`has offsets of ${field.name} beyond its body`);
    offsets[index] = halves[2 * index] ?? -1;
  }
  return offsets;
}

function bitsOf(
  type: Extract<ArrowType, { is: 'bool' | 'int' | 'float' | 'decimal' | 'date' | 'timestamp' | 'null' }>,
): number {
  switch (type.is) {
    case 'null':
      return 0;
    case 'bool':
      return 1;
    case 'date':
      return type.unit === 'day' ? 32 : 64;
    case 'timestamp':
      return 64;
    default:
      return type.bits;
  }
}
