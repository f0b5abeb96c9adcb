import { type AppError, InputError } from '#errors';
import { overLimit } from '../row-limits.js';
import { arrowFault } from './arrow-fault.js';
import type { FlatTable } from './flat-table.js';

/** Types that are taken; the names are those of the Arrow specification in lower case. */
export type ArrowType =
  | { readonly is: 'null' | 'bool' }
  | { readonly is: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly is: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly is: 'decimal'; readonly bits: 32 | 64 | 128 | 256; readonly scale: number }
  | { readonly is: 'date'; readonly unit: 'day' | 'millisecond' }
  | { readonly is: 'timestamp'; readonly perSecond: 1 | 1_000 | 1_000_000 | 1_000_000_000 }
  | { readonly is: 'utf8' | 'largeUtf8' | 'utf8View' }
  | { readonly is: 'list' | 'largeList' | 'map' | 'struct' }
  | { readonly is: 'fixedSizeList'; readonly size: number };

export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly children: readonly ArrowField[];
  /** Values are numbers into a dictionary, which has the type above. */
  readonly dictionary?: { readonly id: number; readonly index: Extract<ArrowType, { is: 'int' }> };
}

const ARROW_LIMITS = { columns: 500, nesting: 8, fields: 5_000 } as const;

/** Slots of the tables in the Arrow specification's Schema.fbs. */
const SCHEMA = { endianness: 0, fields: 1 } as const;
const FIELD = { name: 0, typeId: 2, type: 3, dictionary: 4, children: 5 } as const;
const DICTIONARY = { id: 0, indexType: 1 } as const;

const UNSUPPORTED: Readonly<Record<number, string>> = {
  4: 'binary',
  9: 'time',
  11: 'interval',
  14: 'union',
  15: 'fixed_size_binary',
  18: 'duration',
  19: 'large_binary',
  22: 'run_end_encoded',
  23: 'binary_view',
  25: 'list_view',
  26: 'large_list_view',
};

/**
 * The columns that a schema message declares.
 * @throws AppError PAYLOAD_TOO_LARGE over `ARROW_LIMITS`
 * @throws InputError for columns of types that no property can hold
 */
export function readSchema(schema: FlatTable): ArrowField[] {
  if (schema.int16(SCHEMA.endianness) !== 0) throw arrowFault('is big-endian: write it on a little-endian machine');
  const columns = schema.tables(SCHEMA.fields, ARROW_LIMITS.fields);
  if (columns.length > ARROW_LIMITS.columns) throw overLimit('too many columns', 'columns', ARROW_LIMITS.columns);
  const budget = { fields: ARROW_LIMITS.fields };
  const fields = columns.map((column) => readField(column, { path: '', depth: 1, budget }));
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) throw columnFault(name, 'occurs twice');
    names.add(name);
  }
  return fields;
}

export function columnFault(column: string, rule: string): AppError {
  return InputError.one('BAD_USER_INPUT', column, rule);
}

interface Place {
  readonly path: string;
  readonly depth: number;
  /** Tables may be shared in a flatbuffer, so a small one can unfold without end unless all its fields are counted. */
  readonly budget: { fields: number };
}

function readField(field: FlatTable, { path, depth, budget }: Place): ArrowField {
  budget.fields -= 1;
  if (budget.fields < 0) throw overLimit('too many nested fields', 'fields', ARROW_LIMITS.fields);
  if (depth > ARROW_LIMITS.nesting) throw overLimit(`${path} is nested too deeply`, 'nesting', ARROW_LIMITS.nesting);
  const name = field.text(FIELD.name) ?? '';
  const at = path === '' ? name : `${path}.${name}`;
  const type = readType(field, at);
  const children = field
    .tables(FIELD.children, ARROW_LIMITS.fields)
    .map((child) => readField(child, { path: at, depth: depth + 1, budget }));
  checkChildren(type, children, at);
  const encoding = field.table(FIELD.dictionary);
  if (encoding === undefined) return { name, type, children };
  if (!isText(type)) throw columnFault(at, 'is a dictionary of something else than text: decode it first');
  const indexType = encoding.table(DICTIONARY.indexType);
  const index = indexType === undefined ? ({ is: 'int', bits: 32, signed: true } as const) : readInt(indexType);
  return { name, type, children, dictionary: { id: encoding.int64(DICTIONARY.id), index } };
}

export function isText(type: ArrowType): boolean {
  return type.is === 'utf8' || type.is === 'largeUtf8' || type.is === 'utf8View';
}

function checkChildren(type: ArrowType, children: readonly ArrowField[], at: string): void {
  if (type.is === 'struct') return;
  const expected = type.is === 'list' || type.is === 'largeList' || type.is === 'map' || type.is === 'fixedSizeList';
  if (children.length !== (expected ? 1 : 0)) throw arrowFault(`declares ${at} with the wrong number of children`);
  if (type.is !== 'map') return;
  const [entries] = children;
  const [key, value] = entries?.children ?? [];
  if (entries?.type.is !== 'struct' || key === undefined || value === undefined || entries.children.length !== 2) {
    throw arrowFault(`declares ${at} as a map without keys and values`);
  }
  if (!isText(key.type)) throw columnFault(at, 'is a map whose keys are not text');
}

function readType(field: FlatTable, at: string): ArrowType {
  const id = field.uint8(FIELD.typeId);
  const table = field.table(FIELD.type);
  switch (id) {
    case 1:
      return { is: 'null' };
    case 5:
      return { is: 'utf8' };
    case 6:
      return { is: 'bool' };
    case 12:
      return { is: 'list' };
    case 13:
      return { is: 'struct' };
    case 17:
      return { is: 'map' };
    case 20:
      return { is: 'largeUtf8' };
    case 21:
      return { is: 'largeList' };
    case 24:
      return { is: 'utf8View' };
  }
  const unsupported = UNSUPPORTED[id];
  if (unsupported !== undefined) {
    throw columnFault(
      at,
      `is of Arrow type ${unsupported}, which no property can hold: convert it to text or a number`,
    );
  }
  if (table === undefined) throw arrowFault(`declares ${at} without a type`);
  switch (id) {
    case 2:
      return readInt(table);
    case 3:
      return { is: 'float', bits: pick([16, 32, 64], table.int16(0), at) };
    case 7:
      return readDecimal(table, at);
    case 8:
      return { is: 'date', unit: pick(['day', 'millisecond'], table.int16(0, 1), at) };
    case 10:
      if (!table.has(1)) {
        throw columnFault(
          at,
          'is a timestamp without a time zone, which names no instant: give it one, for instance UTC',
        );
      }
      return { is: 'timestamp', perSecond: pick([1, 1_000, 1_000_000, 1_000_000_000], table.int16(0), at) };
    case 16: {
      const size = table.int32(0);
      if (size < 1 || size > 100_000) throw columnFault(at, 'has lists of a fixed size outside 1 to 100000');
      return { is: 'fixedSizeList', size };
    }
  }
  throw arrowFault(`declares ${at} with an unknown type`);
}

function readInt(table: FlatTable): Extract<ArrowType, { is: 'int' }> {
  const bits = table.int32(0);
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64)
    throw arrowFault('declares integers of an unknown width');
  return { is: 'int', bits, signed: table.boolean(1) };
}

function readDecimal(table: FlatTable, at: string): ArrowType {
  const bits = table.int32(2, 128);
  const scale = table.int32(1);
  if (bits !== 32 && bits !== 64 && bits !== 128 && bits !== 256)
    throw arrowFault(`declares ${at} with an unknown width`);
  if (scale < -76 || scale > 76) throw arrowFault(`declares ${at} with an impossible scale`);
  return { is: 'decimal', bits, scale };
}

function pick<const Choice>(choices: readonly Choice[], index: number, at: string): Choice {
  const choice = choices[index];
  if (choice === undefined) throw arrowFault(`declares ${at} with an unknown unit or precision`);
  return choice;
}
