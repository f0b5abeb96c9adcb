import type { IncomingMessage } from 'node:http';
import { InputError } from '#errors';
import { type BodyBound, bodyBytes } from '../http/body-bytes.js';

const UTF_8 = /^"?(utf-?8|us-ascii)"?$/i;

/**
 * The whole body of a request, unpacked.
 *
 * @throws InputError when it says that it is not in UTF-8, and as `bodyBytes` does
 */
export async function lineageBody(request: IncomingMessage, bound: BodyBound): Promise<Uint8Array> {
  const [, charset] = /;\s*charset=([^;\s]+)/i.exec(request.headers['content-type'] ?? '') ?? [];
  if (charset !== undefined && !UTF_8.test(charset)) {
    throw InputError.one('BAD_USER_INPUT', 'Content-Type', 'must name the charset utf-8, or none');
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyBytes(request, bound)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
