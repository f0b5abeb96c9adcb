import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Everything that a subscriber can ask of changes, but for the time of the event itself. */
export const DATASET_CHANGES = `subscription { graphChanges(filter: { kinds: ["Dataset"] }) {
  kind cursor changes { cursor at actor runId items { operation urn kind to version before after } }
} }`;

/** Listens without a word. */
export async function openListener(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

/**
 * Subscribes over a socket of its own.
 *
 * @param operations how often, on the same socket
 * @returns once each has sent its first event, which only says that the subscription stands
 */
export async function openSubscriptions(url: string, query: string, operations = 1): Promise<WebSocket> {
  const socket = new WebSocket(url, ['graphql-transport-ws'], { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  let waiting = operations;
  const standing = new Promise<void>((resolve, reject) => {
    socket.on('message', function onFirst(message) {
      if (!isEvent(message as Buffer)) reject(new Error(`the subscription was refused: ${message}`));
      waiting -= 1;
      if (waiting > 0) return;
      socket.off('message', onFirst);
      resolve();
    });
  });
  for (let operation = 0; operation < operations; operation += 1) {
    socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload: { query } }));
  }
  await standing;
  return socket;
}

/** Whether a message holds an event, and not the end of the subscription. The type stands behind the id. */
export function isEvent(message: Buffer): boolean {
  return message.subarray(0, 80).includes('"type":"next"');
}
