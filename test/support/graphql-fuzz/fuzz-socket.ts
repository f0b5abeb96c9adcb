import { once } from 'node:events';
import fc from 'fast-check';
import { OperationTypeNode } from 'graphql';
import WebSocket from 'ws';
import { DEFAULT_LIMITS } from '../default-limits.js';
import { decisions } from './chooser.js';
import { DECISIONS } from './fuzz-http.js';
import type { FuzzedApp } from './fuzzed-app.js';
import { hostileOperation } from './hostile-operation.js';
import { flawOf } from './sound-answer.js';

const TYPES = [OperationTypeNode.SUBSCRIPTION, OperationTypeNode.SUBSCRIPTION, OperationTypeNode.QUERY] as const;
const BARRIER = JSON.stringify({ id: 'barrier', type: 'subscribe', payload: { query: '{ __typename }' } });

/** More than what a message has around its payload. */
const ENVELOPE_BYTES = 100;

interface Message {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

/**
 * Sends hostile subscriptions and queries over WebSocket, one after the other, until one is answered with a fault of the server
 * or with a closed connection.
 * @throws Error with the smallest such operation found, and the seed that leads to it
 */
export async function fuzzOverSocket(
  { app, schema, known }: FuzzedApp,
  options: { runs: number; seed: number },
): Promise<void> {
  let socket = await connected(app.socketUrl);
  const answersSoundly = fc.asyncProperty(decisions(DECISIONS), async (choose) => {
    if (socket.readyState !== WebSocket.OPEN) socket = await connected(app.socketUrl);
    const payload = hostileOperation(schema, choose.one(TYPES), choose, known);
    // A longer message closes the socket, by intention.
    if (Buffer.byteLength(JSON.stringify(payload)) > DEFAULT_LIMITS.bodyBytes - ENVELOPE_BYTES) return;
    const flaw = await flawOfExchange(socket, payload);
    if (flaw !== undefined) throw new Error(`${flaw}\nfor ${JSON.stringify(payload)}`);
  });
  try {
    await fc.assert(answersSoundly, { numRuns: options.runs, seed: options.seed });
  } finally {
    socket.close();
  }
}

async function connected(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  return socket;
}

/**
 * What comes for the operation until a later query is answered, which shows that the connection still works: a subscription may
 * well stay silent.
 */
async function flawOfExchange(socket: WebSocket, payload: object): Promise<string | undefined> {
  const flaws: string[] = [];
  await new Promise<void>((resolve) => {
    const finish = () => {
      socket.off('message', onMessage);
      socket.off('close', onClose);
      resolve();
    };
    const onClose = (code: number, reason: Buffer) => {
      flaws.push(`closed with ${code} ${reason}`);
      finish();
    };
    const onMessage = (data: WebSocket.RawData) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id === 'fuzz') flaws.push(...flawsOf(message));
      if (message.id === 'barrier' && message.type === 'complete') finish();
    };
    socket.on('message', onMessage).on('close', onClose);
    socket.send(JSON.stringify({ id: 'fuzz', type: 'subscribe', payload }));
    socket.send(BARRIER);
  });
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ id: 'fuzz', type: 'complete' }));
  return flaws[0];
}

function flawsOf({ type, payload }: Message): string[] {
  const answer = type === 'error' ? { errors: payload } : type === 'next' ? payload : {};
  const flaw = flawOf(answer);
  return flaw === undefined ? [] : [flaw];
}
