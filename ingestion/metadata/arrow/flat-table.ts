import { isUtf8 } from 'node:buffer';
import { arrowFault } from './arrow-fault.js';

/** Names and the like are short; a longer text is an attack or a mistake. */
const MAX_TEXT_BYTES = 1_024;

/**
 * One table of a flatbuffer, read with every position checked: generated flatbuffer code trusts its input and would read
 * lengths of 2^31 as they stand. Slots are numbered as in the fields of the schema file, from 0.
 *
 * @see https://flatbuffers.dev/internals/
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #position: number;
  readonly #slots: number;
  readonly #vtable: number;

  /** @throws RangeError beyond the end of the buffer, here and in every reader below; `readMetadata` turns it into a fault */
  constructor(view: DataView, position: number) {
    this.#view = view;
    this.#position = position;
    this.#vtable = position - view.getInt32(position, true);
    const bytes = view.getUint16(this.#vtable, true);
    if (bytes < 4 || this.#vtable + bytes > view.byteLength) throw new RangeError('a vtable leaves the buffer');
    this.#slots = (bytes - 4) / 2;
  }

  /** The table that a buffer begins with. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  uint8(slot: number, absent = 0): number {
    const place = this.#place(slot);
    return place === undefined ? absent : this.#view.getUint8(place);
  }

  boolean(slot: number): boolean {
    return this.uint8(slot) !== 0;
  }

  int16(slot: number, absent = 0): number {
    const place = this.#place(slot);
    return place === undefined ? absent : this.#view.getInt16(place, true);
  }

  int32(slot: number, absent = 0): number {
    const place = this.#place(slot);
    return place === undefined ? absent : this.#view.getInt32(place, true);
  }

  /** Lengths and offsets; what is beyond 2^53 is refused here, so that it can be a number. */
  int64(slot: number, absent = 0): number {
    const place = this.#place(slot);
    return place === undefined ? absent : this.#int64At(place);
  }

  table(slot: number): FlatTable | undefined {
    const place = this.#place(slot);
    return place === undefined ? undefined : new FlatTable(this.#view, this.#target(place));
  }

  /** @param most number of tables above which the vector is refused before one of them is read */
  tables(slot: number, most: number): FlatTable[] {
    const { start, count } = this.#vector(slot, 4, most);
    return Array.from({ length: count }, (_, index) => new FlatTable(this.#view, this.#target(start + 4 * index)));
  }

  /** A vector of structs of two int64, as field nodes and buffers are. */
  pairs(slot: number, most: number): (readonly [number, number])[] {
    const { start, count } = this.#vector(slot, 16, most);
    return Array.from({ length: count }, (_, index) => {
      const place = start + 16 * index;
      return [this.#int64At(place), this.#int64At(place + 8)] as const;
    });
  }

  int64s(slot: number, most: number): number[] {
    const { start, count } = this.#vector(slot, 8, most);
    return Array.from({ length: count }, (_, index) => this.#int64At(start + 8 * index));
  }

  text(slot: number): string | undefined {
    if (this.#place(slot) === undefined) return undefined;
    const { start, count } = this.#vector(slot, 1, MAX_TEXT_BYTES);
    const bytes = new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, count);
    if (!isUtf8(bytes)) throw new RangeError('a text is no UTF-8');
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  has(slot: number): boolean {
    return this.#place(slot) !== undefined;
  }

  #place(slot: number): number | undefined {
    if (slot >= this.#slots) return undefined;
    const offset = this.#view.getUint16(this.#vtable + 4 + 2 * slot, true);
    return offset === 0 ? undefined : this.#position + offset;
  }

  #target(place: number): number {
    return place + this.#view.getUint32(place, true);
  }

  #int64At(place: number): number {
    const value = Number(this.#view.getBigInt64(place, true));
    if (!Number.isSafeInteger(value)) throw new RangeError('a length is beyond 2^53');
    return value;
  }

  #vector(slot: number, itemBytes: number, most: number): { start: number; count: number } {
    const place = this.#place(slot);
    if (place === undefined) return { start: 0, count: 0 };
    const vector = this.#target(place);
    const count = this.#view.getUint32(vector, true);
    if (count > most) throw new RangeError(`a vector holds ${count} items`);
    const start = vector + 4;
    if (start + count * itemBytes > this.#view.byteLength) throw new RangeError('a vector leaves the buffer');
    return { start, count };
  }
}

/** Runs a reader over metadata; every read beyond its end becomes the one fault that it is. */
export function readMetadata<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw arrowFault('has broken metadata: it was damaged on its way, or not written by an Arrow library');
  }
}
