import type { BulkBody, BulkItem, Chunk } from './bulk-upload.js';

/** Lines are put together up to about this many characters before they are sent. */
const CHUNK_LENGTH = 64 * 1024;

/** The body of one attempt of an upload. */
export class UploadBody {
  /** What fetch takes. */
  readonly init: BodyInit;
  /** Why the source could not be read to its end. */
  sourceFailure: { readonly error: unknown } | undefined;
  #close: () => void = () => {};

  /** @param onProgress told the number of bytes handed to the connection so far */
  constructor(body: BulkBody, onProgress: ((bytes: number) => void) | undefined) {
    if (typeof body === 'string') this.init = body;
    // A copy in a buffer of its own: fetch takes no view of shared memory.
    else if (body instanceof Uint8Array) this.init = new Uint8Array(body);
    else this.init = this.#stream(encoded(typeof body === 'function' ? body() : body), onProgress);
  }

  /**
   * Reads no more of the source. A server that has refused an upload need not be sent the rest, and an aborted fetch would
   * go on reading without sending. The body ends in an error: half of it must never look like all of it.
   */
  close(): void {
    this.#close();
  }

  #stream(bytes: AsyncGenerator<Uint8Array, void, void>, onProgress: ((bytes: number) => void) | undefined) {
    let sent = 0;
    let isOver = false;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#close = () => {
          if (isOver) return;
          isOver = true;
          controller.error(new Error('the upload was ended'));
          // A source that fails while it is closed has nobody left to tell.
          bytes.return().catch(() => undefined);
        };
      },
      pull: async (controller) => {
        try {
          const { value } = await bytes.next();
          if (isOver) return;
          if (value === undefined) {
            isOver = true;
            controller.close();
            return;
          }
          controller.enqueue(value);
          sent += value.byteLength;
          onProgress?.(sent);
        } catch (error) {
          isOver = true;
          this.sourceFailure = { error };
          throw error;
        }
      },
      cancel: () => this.#close(),
    });
  }
}

async function* encoded(
  chunks: AsyncIterable<Chunk | BulkItem> | Iterable<BulkItem>,
): AsyncGenerator<Uint8Array, void, void> {
  const encoder = new TextEncoder();
  let text = '';
  for await (const chunk of chunks) {
    if (chunk instanceof Uint8Array) {
      if (text !== '') yield encoder.encode(text);
      text = '';
      yield chunk;
      continue;
    }
    text += typeof chunk === 'string' ? chunk : `${JSON.stringify(chunk)}\n`;
    if (text.length < CHUNK_LENGTH) continue;
    yield encoder.encode(text);
    text = '';
  }
  if (text !== '') yield encoder.encode(text);
}
