import { isAscii, isUtf8 } from 'node:buffer';
import type { ArrowColumn } from './arrow-column.js';
import { arrowFault } from './arrow-fault.js';
import { BadCell, type CellReader } from './bad-cell.js';

/** Bytes of one text, as UTF-8. */
const MAX_TEXT_BYTES = 1024 * 1024;

const NO_UTF8 = new BadCell('is no valid UTF-8');
const TOO_LONG = new BadCell(`is a text of more than ${MAX_TEXT_BYTES} bytes`);

/** Reader of text, valid as UTF-8 or refused: a decoder would put replacement characters in silence. */
export function textCells(column: ArrowColumn): CellReader {
  return column.offsets === undefined ? viewCells(column) : offsetCells(column, column.offsets);
}

function offsetCells({ data, length }: ArrowColumn, offsets: Int32Array): CellReader {
  const base = offsets[0] ?? 0;
  const bytes = Buffer.from(data.buffer, data.byteOffset + base, (offsets[length] ?? base) - base);
  if (isAscii(bytes)) {
    // One decoding for the whole column; a slice of it is much cheaper than a decoding of its own.
    const whole = bytes.toString('latin1');
    return (row) => {
      const start = (offsets[row] ?? 0) - base;
      const end = (offsets[row + 1] ?? 0) - base;
      return end - start > MAX_TEXT_BYTES ? TOO_LONG : whole.slice(start, end);
    };
  }
  return (row) => decoded(bytes, (offsets[row] ?? 0) - base, (offsets[row + 1] ?? 0) - base);
}

function decoded(bytes: Buffer, start: number, end: number): string | BadCell {
  if (end - start > MAX_TEXT_BYTES) return TOO_LONG;
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : NO_UTF8;
}

/** Bytes of a view; a text this long or shorter lies in the view itself. */
const VIEW_BYTES = 16;
const INLINE_BYTES = 12;

function viewCells({ data, variadic, field }: ArrowColumn): CellReader {
  const views = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const inline = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const buffers = variadic.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return (row) => {
    const view = row * VIEW_BYTES;
    const length = views.getInt32(view, true);
    if (length >= 0 && length <= INLINE_BYTES) return decoded(inline, view + 4, view + 4 + length);
    const buffer = buffers[views.getInt32(view + 8, true)];
    const start = views.getInt32(view + 12, true);
    if (length < 0 || buffer === undefined || start < 0 || start + length > buffer.byteLength) {
      throw arrowFault(`has a text of ${field.name} outside its buffers`);
    }
    return decoded(buffer, start, start + length);
  };
}
