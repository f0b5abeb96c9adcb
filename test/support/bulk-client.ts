import { request } from 'node:http';
import type { Readable } from 'node:stream';
import type { HttpApp } from './http-app.js';

export const ARROW = 'application/vnd.apache.arrow.stream';
export const NDJSON = 'application/x-ndjson';

export interface BulkAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: a test selects its fields by hand and asserts on them at once
  readonly json: any;
}

/** Sends a body to the bulk route; a stream is sent as it comes. */
export function postBulk(
  app: HttpApp,
  query: Record<string, string>,
  body: string | Uint8Array | Readable,
  headers: Record<string, string> = {},
): Promise<BulkAnswer> {
  const path = `/api/v1/bulk?${new URLSearchParams(query)}`;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: app.port, method: 'POST', path, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks);
        const contentType = String(incoming.headers['content-type']);
        const json = contentType.startsWith('application/json') ? JSON.parse(text.toString('utf8')) : undefined;
        resolve({ status: incoming.statusCode ?? 0, contentType, body: text, json });
      });
    });
    outgoing.on('error', reject);
    if (typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body);
    else body.pipe(outgoing);
  });
}

export function ndjson(...lines: readonly unknown[]): string {
  return lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
}
