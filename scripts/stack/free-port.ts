import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { StackError } from './stack-error.js';

// Below the range that Linux and macOS hand out to outgoing connections, so that none of those takes a port between choice and use.
const LOWEST_RANDOM_PORT = 20_000;
const HIGHEST_RANDOM_PORT = 32_000;
const ATTEMPTS = 50;

const handedOut = new Set<number>();

/** Whether something answers on the port, for servers that listen on every address and so would not fail our own listen. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

/** Whether a server could listen on `127.0.0.1:port` now. */
async function isPortFree(port: number): Promise<boolean> {
  return !(await answers(port)) && (await canListen(port));
}

/**
 * A free port of the loopback address; never the same one twice in this process.
 * @throws StackError NO_FREE_PORT
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST_RANDOM_PORT, HIGHEST_RANDOM_PORT);
    if (handedOut.has(port) || !(await isPortFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new StackError('NO_FREE_PORT', `no free port found in ${ATTEMPTS} attempts`, { attempts: ATTEMPTS });
}

/**
 * The wished-for port when it is free, else the next free one above it.
 * @throws StackError NO_FREE_PORT
 */
export async function freePortFrom(wished: number): Promise<number> {
  for (let port = wished; port < wished + ATTEMPTS && port <= 65_535; port++) {
    if (handedOut.has(port) || !(await isPortFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new StackError('NO_FREE_PORT', `ports ${wished} to ${wished + ATTEMPTS - 1} are all taken`, { wished });
}
