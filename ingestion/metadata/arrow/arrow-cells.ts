import type { ArrowColumn } from './arrow-column.js';
import type { ArrowType } from './arrow-field.js';
import { textCells } from './arrow-text.js';
import { BadCell, type Cell, type CellReader } from './bad-cell.js';

type Dictionaries = ReadonlyMap<number, readonly Cell[]>;

/** Items of one value, at all its levels. */
const MAX_ITEMS = 100_000;

/**
 * Reader of the values of a column, chosen once for all its rows. Timestamps and dates are instants (of dates, midnight
 * UTC; finer than a millisecond is cut off), decimals text, lists arrays, structs and maps objects.
 */
export function cellsOf(column: ArrowColumn, dictionaries: Dictionaries): CellReader {
  const budget = { items: MAX_ITEMS };
  const read = anyCells(column, dictionaries, budget);
  if (column.children.length === 0) return read;
  return (row) => {
    budget.items = MAX_ITEMS;
    return read(row);
  };
}

/** Items of the values of some rows, at all their levels, those of null values too; counted without making any value. */
export function itemsOf({ field, offsets, children }: ArrowColumn, start: number, end: number): number {
  const size = field.type.is === 'fixedSizeList' ? field.type.size : 1;
  const from = offsets === undefined ? start * size : (offsets[start] ?? 0);
  const to = offsets === undefined ? end * size : (offsets[end] ?? 0);
  return children.reduce((items, child) => items + (to - from) + itemsOf(child, from, to), 0);
}

interface Budget {
  items: number;
}

function anyCells(column: ArrowColumn, dictionaries: Dictionaries, budget: Budget): CellReader {
  const read = valuesOf(column, dictionaries, budget);
  const { validity } = column;
  if (validity === undefined) return read;
  return (row) => (((validity[row >> 3] ?? 0) >> (row & 7)) & 1 ? read(row) : null);
}

/** As within a JSON value, where an instant is text. */
function nestedCells(column: ArrowColumn | undefined, dictionaries: Dictionaries, budget: Budget): CellReader {
  if (column === undefined) return () => null;
  const read = anyCells(column, dictionaries, budget);
  const { type } = column.field;
  return type.is === 'timestamp' || type.is === 'date'
    ? (row) => {
        const value = read(row);
        return value instanceof Date ? value.toISOString() : value;
      }
    : read;
}

function valuesOf(column: ArrowColumn, dictionaries: Dictionaries, budget: Budget): CellReader {
  const { field, data } = column;
  if (field.dictionary !== undefined) return dictionaryCells(column, dictionaries.get(field.dictionary.id) ?? []);
  const { type } = field;
  switch (type.is) {
    case 'null':
      return () => null;
    case 'bool':
      return (row) => (((data[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
    case 'int':
      return intCells(type, column);
    case 'float':
      return floatCells(type.bits, column);
    case 'decimal':
      return decimalCells(type, column);
    case 'date':
      return type.unit === 'day' ? instants(typed(Int32Array, column), 86_400_000) : longInstants(column, 1n, 1n);
    case 'timestamp':
      return type.perSecond <= 1_000
        ? longInstants(column, BigInt(1_000 / type.perSecond), 1n)
        : longInstants(column, 1n, BigInt(type.perSecond / 1_000));
    case 'utf8':
    case 'largeUtf8':
    case 'utf8View':
      return textCells(column);
    case 'list':
    case 'largeList':
    case 'fixedSizeList':
      return listCells(column, dictionaries, budget);
    case 'struct':
      return structCells(column, dictionaries, budget);
    case 'map':
      return mapCells(column, dictionaries, budget);
  }
}

function typed<T>(
  View: { new (buffer: ArrayBufferLike, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
  { data, length }: ArrowColumn,
  perValue = 1,
): T {
  return new View(data.buffer, data.byteOffset, Math.min(length * perValue, data.byteLength / View.BYTES_PER_ELEMENT));
}

const BEYOND = new BadCell('is a whole number beyond 2^53: send it as text to a STRING property');

function intCells(type: Extract<ArrowType, { is: 'int' }>, column: ArrowColumn): CellReader {
  if (type.bits === 64) {
    const values = type.signed ? typed(BigInt64Array, column) : typed(BigUint64Array, column);
    return (row) => {
      const value = Number(values[row]);
      return Number.isSafeInteger(value) ? value : BEYOND;
    };
  }
  const values = {
    8: type.signed ? Int8Array : Uint8Array,
    16: type.signed ? Int16Array : Uint16Array,
    32: type.signed ? Int32Array : Uint32Array,
  }[type.bits];
  const numbers: ArrayLike<number> = typed<ArrayLike<number>>(values, column);
  return (row) => numbers[row];
}

const NO_NUMBER = new BadCell('is NaN or infinite, which is no value: leave it out');

function floatCells(bits: 16 | 32 | 64, column: ArrowColumn): CellReader {
  if (bits === 16) {
    const halves = typed(Uint16Array, column);
    return (row) => finite(halfToNumber(halves[row] ?? 0));
  }
  const values: ArrayLike<number> = bits === 32 ? typed(Float32Array, column) : typed(Float64Array, column);
  return (row) => finite(values[row]);
}

function finite(value: number | undefined): Cell {
  return Number.isFinite(value) ? value : NO_NUMBER;
}

/** IEEE 754 binary16: 1 sign bit, 5 of exponent, 10 of fraction. */
function halfToNumber(half: number): number {
  const sign = half & 0x80_00 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3_ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * 2 ** (exponent - 25) * (fraction + 0x4_00);
}

function decimalCells({ bits, scale }: Extract<ArrowType, { is: 'decimal' }>, column: ArrowColumn): CellReader {
  const { data } = column;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const bytes = bits / 8;
  return (row) => {
    const start = row * bytes;
    // Little-endian two's complement, so only the last part carries the sign.
    if (bits === 32) return decimalText(BigInt(view.getInt32(start, true)), scale);
    let value = view.getBigInt64(start + bytes - 8, true);
    for (let at = start + bytes - 16; at >= start; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
    return decimalText(value, scale);
  };
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** What `Date` can hold: 100 million days on either side of 1970. */
const NO_INSTANT = new BadCell('is an instant beyond the years that a DATE_TIME holds');

function instants(values: ArrayLike<number>, factor: number): CellReader {
  return (row) => instant((values[row] ?? 0) * factor);
}

function longInstants(column: ArrowColumn, factor: bigint, divisor: bigint): CellReader {
  const values = typed(BigInt64Array, column);
  return (row) => {
    const value = (values[row] ?? 0n) * factor;
    const whole = value / divisor;
    // Division cuts towards zero; before 1970 that would be later than the instant.
    return instant(Number(value < 0n && whole * divisor !== value ? whole - 1n : whole));
  };
}

function instant(milliseconds: number): Cell {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9_999 ? date : NO_INSTANT;
}

const NO_ENTRY = new BadCell('points outside its dictionary');

function dictionaryCells(column: ArrowColumn, entries: readonly Cell[]): CellReader {
  const { dictionary } = column.field;
  const index = intCells(dictionary?.index ?? { is: 'int', bits: 32, signed: true }, column);
  return (row) => {
    const at = index(row);
    return typeof at === 'number' && at >= 0 && at < entries.length ? entries[at] : NO_ENTRY;
  };
}

const TOO_MANY = new BadCell(`has more than ${MAX_ITEMS} items`);

function listCells(column: ArrowColumn, dictionaries: Dictionaries, budget: Budget): CellReader {
  const { field, offsets, children } = column;
  const item = nestedCells(children[0], dictionaries, budget);
  const size = field.type.is === 'fixedSizeList' ? field.type.size : 0;
  return (row) => {
    const start = offsets === undefined ? row * size : (offsets[row] ?? 0);
    const end = offsets === undefined ? start + size : (offsets[row + 1] ?? 0);
    budget.items -= end - start;
    if (budget.items < 0) return TOO_MANY;
    const items: unknown[] = new Array(end - start);
    for (let at = start; at < end; at += 1) {
      const value = item(at);
      if (value instanceof BadCell) return value;
      items[at - start] = value;
    }
    return items;
  };
}

function structCells(column: ArrowColumn, dictionaries: Dictionaries, budget: Budget): CellReader {
  const members = column.children.map((child) => ({
    name: child.field.name,
    read: nestedCells(child, dictionaries, budget),
  }));
  return (row) => {
    budget.items -= members.length + 1;
    if (budget.items < 0) return TOO_MANY;
    const entries: [string, unknown][] = [];
    for (const { name, read } of members) {
      const value = read(row);
      if (value instanceof BadCell) return value;
      entries.push([name, value]);
    }
    return Object.fromEntries(entries);
  };
}

function mapCells(column: ArrowColumn, dictionaries: Dictionaries, budget: Budget): CellReader {
  const [keys, values] = column.children[0]?.children ?? [];
  const key = nestedCells(keys, dictionaries, budget);
  const value = nestedCells(values, dictionaries, budget);
  return (row) => {
    const start = column.offsets?.[row] ?? 0;
    const end = column.offsets?.[row + 1] ?? 0;
    budget.items -= end - start;
    if (budget.items < 0) return TOO_MANY;
    const entries: [string, unknown][] = [];
    for (let at = start; at < end; at += 1) {
      const [name, held] = [key(at), value(at)];
      if (name instanceof BadCell) return name;
      if (held instanceof BadCell) return held;
      if (typeof name !== 'string') return new BadCell('has a map with a null key');
      entries.push([name, held]);
    }
    return Object.fromEntries(entries);
  };
}
