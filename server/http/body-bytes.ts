import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AppError, InputError } from '#errors';

/** How long a sender may pause while the server waits for it. */
const MAX_PAUSE_MS = 60_000;

export interface BodyBound {
  readonly maxBytes: number;
  /** Name of the setting that says so. */
  readonly setting: string;
}

/**
 * The bytes of a body as they come, unpacked where it is gzipped; the bound holds before and after unpacking. The socket
 * is left open whatever happens, so that an answer can still be sent.
 *
 * @throws AppError PAYLOAD_TOO_LARGE, TIMEOUT, or BAD_USER_INPUT for a body that breaks off or is no gzip
 */
export function bodyBytes(request: IncomingMessage, bound: BodyBound): AsyncIterable<Uint8Array> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bound.maxBytes) throw tooLarge(bound);
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const raw = bounded(received(request), bound);
  if (encoding === 'identity') return raw;
  if (encoding === 'gzip') return bounded(unpacked(raw), bound);
  throw InputError.one('BAD_USER_INPUT', 'Content-Encoding', 'must be gzip, or left out');
}

async function* received(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const chunks = request.iterator({ destroyOnReturn: false });
  for (;;) {
    const next = await nextChunk(chunks);
    if (next.done) return;
    yield next.value;
  }
}

async function nextChunk(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<never>((_, reject) => {
    // An error that is made in advance, with its stack, is a tenth of what it costs to take an event.
    const late = () => new AppError('TIMEOUT', `the body made no progress for ${MAX_PAUSE_MS} ms`);
    timer = setTimeout(() => reject(late()), MAX_PAUSE_MS);
  });
  try {
    return await Promise.race([chunks.next(), pause]);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('BAD_USER_INPUT', 'the connection broke off in the middle of the body', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, bound: BodyBound): AsyncGenerator<Uint8Array> {
  let seen = 0;
  for await (const chunk of chunks) {
    seen += chunk.byteLength;
    if (seen > bound.maxBytes) throw tooLarge(bound);
    yield chunk;
  }
}

async function* unpacked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const feeding = pipeline(chunks, gunzip);
  // Its failure also ends the reading below, which is where it is told.
  feeding.catch(() => undefined);
  try {
    yield* gunzip;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw InputError.one('BAD_USER_INPUT', 'body', 'is no gzip, or was cut off: compress it again');
  } finally {
    gunzip.destroy();
  }
}

function tooLarge({ maxBytes, setting }: BodyBound): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', `the body is larger than ${maxBytes} bytes (${setting})`, {
    details: { limit: 'bytes', value: maxBytes },
  });
}
