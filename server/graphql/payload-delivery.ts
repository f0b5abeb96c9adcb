import type { WebSocket } from 'ws';

/** Bytes that may wait in a socket before its subscriptions wait for it. */
const HIGH_WATER_BYTES = 65_536;

/**
 * Sends the payloads of a subscription as `next` messages of graphql-transport-ws, and gives nothing on: graphql-ws only sees
 * how the stream ends. It would serialise each payload anew for every subscriber; here the same bytes go to all.
 *
 * @param payloads JSON, in UTF-8
 */
export function delivered(
  payloads: AsyncGenerator<Buffer, void, void>,
  to: { socket: WebSocket; id: string },
): AsyncGenerator<never, void, void> {
  const head = Buffer.from(`{"id":${JSON.stringify(to.id)},"type":"next","payload":`);
  const stream: AsyncGenerator<never, void, void> = {
    next: async () => {
      for (;;) {
        const { value, done } = await payloads.next();
        if (done) return { value: undefined, done };
        const sending = send(to.socket, Buffer.concat([head, value, TAIL], head.length + value.length + TAIL.length));
        if (sending !== undefined) await sending;
      }
    },
    return: () => payloads.return() as Promise<IteratorReturnResult<void>>,
    throw: (error) => payloads.throw(error) as Promise<IteratorReturnResult<void>>,
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await payloads.return();
    },
  };
  return stream;
}

const TAIL = Buffer.from('}');

/** @returns what to wait for when the client does not read as fast as it is sent to */
function send(socket: WebSocket, message: Buffer): Promise<void> | undefined {
  if (socket.readyState !== socket.OPEN) return undefined;
  if (socket.bufferedAmount + message.length <= HIGH_WATER_BYTES) {
    socket.send(message, { binary: false });
    return undefined;
  }
  // Also called when the socket breaks: then graphql-ws ends the stream.
  return new Promise((resolve) => socket.send(message, { binary: false }, () => resolve()));
}
