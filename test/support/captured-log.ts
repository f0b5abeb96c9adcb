import { Writable } from 'node:stream';
import pino, { type Logger } from 'pino';

/** A logger of all levels whose lines are kept. */
export function capturedLog(): { readonly logger: Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return { logger: pino({ level: 'trace' }, sink), lines };
}
