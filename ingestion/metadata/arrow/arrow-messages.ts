import { overLimit } from '../row-limits.js';
import { arrowFault } from './arrow-fault.js';
import { FlatTable, readMetadata } from './flat-table.js';

/** Bytes of the metadata of one message: of the schema, or of the buffers of a batch. */
const MAX_METADATA_BYTES = 4 * 1024 * 1024;

const CONTINUATION = 0xff_ff_ff_ff;
/** Slots of the table Message in the Arrow specification's Message.fbs; versions are V4 and V5. */
const MESSAGE = { version: 0, headerType: 1, header: 2, bodyLength: 3 } as const;
const VERSIONS: readonly number[] = [3, 4];
const HEADER_TYPES = { 1: 'schema', 2: 'dictionary', 3: 'batch' } as const;

export interface ArrowMessage {
  readonly is: (typeof HEADER_TYPES)[keyof typeof HEADER_TYPES];
  readonly header: FlatTable;
  /** Aligned to 8 bytes. */
  readonly body: Uint8Array;
}

/**
 * The messages of an Arrow IPC stream. No memory is taken for what a length merely claims: a message is held once its bytes
 * have come, and the caller bounds these.
 *
 * @param maxBytes bytes of the whole stream; a message that claims more is refused before it is awaited
 * @throws AppError BAD_USER_INPUT for what is no such stream, or ends in the middle of a message
 */
export async function* readMessages(
  chunks: AsyncIterable<Uint8Array>,
  { maxBytes }: { maxBytes: number },
): AsyncGenerator<ArrowMessage> {
  const bytes = new ByteQueue(chunks);
  for (;;) {
    const start = await bytes.take(4, { endIsSound: true });
    // The end of the bytes at the end of a message is a sound end as well.
    if (start === undefined) return;
    if (uint32(start) !== CONTINUATION) throw arrowFault(foreignStart(start));
    const length = uint32(await bytes.take(4));
    if (length === 0) break;
    if (length > MAX_METADATA_BYTES)
      throw overLimit(`metadata of ${length} bytes`, 'metadataBytes', MAX_METADATA_BYTES);
    const metadata = await bytes.take(length);
    const { is, header, bodyLength } = readMetadata(() => readMessage(FlatTable.root(metadata)));
    if (bodyLength > maxBytes) throw overLimit(`a message of ${bodyLength} bytes`, 'bytes', maxBytes);
    yield { is, header, body: await bytes.take(bodyLength) };
  }
  if (!(await bytes.ended())) throw arrowFault('goes on after its end: send one stream at a time');
}

function readMessage(message: FlatTable): Omit<ArrowMessage, 'body'> & { bodyLength: number } {
  const version = message.int16(MESSAGE.version);
  if (!VERSIONS.includes(version))
    throw arrowFault('is older than Arrow 0.8 or newer than this server: write metadata V5');
  const is = HEADER_TYPES[message.uint8(MESSAGE.headerType) as keyof typeof HEADER_TYPES];
  const header = message.table(MESSAGE.header);
  if (is === undefined || header === undefined) throw arrowFault('holds a message that is neither schema nor batch');
  const bodyLength = message.int64(MESSAGE.bodyLength);
  if (bodyLength < 0) throw arrowFault('declares a body of negative length');
  return { is, header, bodyLength };
}

function foreignStart(start: Uint8Array): string {
  return Buffer.from(start).toString('latin1') === 'ARRO'
    ? 'is an Arrow file, which is read from its end: write it in the stream format'
    : 'does not begin where a message begins: it was damaged, is compressed, or no Arrow';
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

/** Bytes by the number that is asked for, out of chunks as they come. */
class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunks: Uint8Array[] = [];
  #held = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  async take(count: number): Promise<Uint8Array>;
  async take(count: number, options: { endIsSound: true }): Promise<Uint8Array | undefined>;
  async take(count: number, { endIsSound = false } = {}): Promise<Uint8Array | undefined> {
    while (this.#held < count) {
      const next = await this.#source.next();
      if (next.done) {
        if (endIsSound && this.#held === 0) return undefined;
        throw arrowFault('ends in the middle of a message: it was cut off on its way');
      }
      if (next.value.byteLength === 0) continue;
      this.#chunks.push(next.value);
      this.#held += next.value.byteLength;
    }
    return this.#copy(count);
  }

  async ended(): Promise<boolean> {
    while (this.#held === 0) {
      const next = await this.#source.next();
      if (next.done) return true;
      this.#held += next.value.byteLength;
    }
    return false;
  }

  /** Into memory of its own, so that typed arrays may lie on it at offsets that the stream decides. */
  #copy(count: number): Uint8Array {
    const taken = new Uint8Array(count);
    let filled = 0;
    let used = 0;
    for (const chunk of this.#chunks) {
      if (filled === count) break;
      const part = chunk.subarray(0, count - filled);
      taken.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength < chunk.byteLength) {
        this.#chunks[used] = chunk.subarray(part.byteLength);
        break;
      }
      used += 1;
    }
    this.#chunks = this.#chunks.slice(used);
    this.#held -= count;
    return taken;
  }
}
