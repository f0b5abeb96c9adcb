import { openEventInbox } from '#kv';
import { payloadsOf } from './event-inbox.js';

/** What the process can be told to do with the inbox that it opened; it answers each task with one `Answer`. */
export type Task =
  | { do: 'append'; texts: string[] }
  /** Appends batches from several connections at once, as many as asked for, and reports each one that is acknowledged. */
  | { do: 'flood'; writer: string; connections: number; batches: number }
  | { do: 'park'; position: number }
  | { do: 'replay'; position: number }
  | { do: 'remove'; upTo: number }
  | { do: 'acquire'; ttlMs: number };

export type Acknowledged = { first: number; last: number; texts: string[] };
export type Answer = { result?: unknown; error?: unknown };
/** `acknowledged` is sent before the answer to a flood, many times. */
export type Message = Answer & { acknowledged?: Acknowledged };

const [path = ''] = process.argv.slice(2);
const inbox = openEventInbox({ kind: 'lmdb', path, now: () => new Date() });

async function perform(task: Task): Promise<unknown> {
  switch (task.do) {
    case 'append':
      return inbox.append(payloadsOf(task.texts), { receivedAt: new Date() });
    case 'flood':
      return flood(task.writer, task.connections, task.batches);
    case 'park':
      return inbox.park(task.position, { code: 'A', path: 'job', message: 'b' });
    case 'replay':
      return inbox.replay(task.position);
    case 'remove':
      return inbox.remove({ upTo: task.upTo });
    case 'acquire':
      return inbox.lease.acquire({ holder: String(process.pid), ttlMs: task.ttlMs });
  }
}

async function flood(writer: string, connections: number, batches: number): Promise<void> {
  let batch = 0;
  const connect = async () => {
    while (batch < batches) {
      batch += 1;
      const texts = eventsOf(writer, batch);
      const range = await inbox.append(payloadsOf(texts), { receivedAt: new Date() });
      const acknowledged = { ...range, texts };
      process.send?.({ acknowledged });
    }
  };
  // All come to their end first, so that nothing is appended any more after the answer.
  const ends = await Promise.allSettled(Array.from({ length: connections }, connect));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** One to four events of different sizes, each of which tells where in its batch it belongs. */
function eventsOf(writer: string, batch: number): string[] {
  const count = 1 + (batch % 4);
  return Array.from({ length: count }, (_, index) =>
    `${writer}/${batch}/${index}/${count}/`.padEnd(20 + 600 * ((batch * 7) % 13), 'x'),
  );
}

process.on('message', (task: Task) => {
  perform(task)
    .then((result) => ({ result }))
    .catch((error: Error) => ({ error: { ...error } }))
    .then((answer) => process.send?.(answer));
});
// Sent at a write beyond the file size limit, which then fails as it does on a full disk.
process.on('SIGXFSZ', () => {});
process.send?.({});
