import { openListener, openSubscriptions } from './subscription-socket.js';

/**
 * Subscribers that count messages and look into none, in a process of their own. Forked with the address, the number of clients
 * and, when they are to speak GraphQL, the query.
 *
 * Tells its parent `ready` when all have what they wait for, then the number of messages whenever each client has had one more on average.
 */
const [url = '', count = '0', query] = process.argv.slice(2);
const clients = Number(count);
let received = 0;

function onMessage(): void {
  received += 1;
  if (received % clients === 0) process.send?.(received);
}

const sockets = await Promise.all(
  Array.from({ length: clients }, () => (query === undefined ? openListener(url) : openSubscriptions(url, query))),
);
for (const socket of sockets) socket.on('message', onMessage);
process.send?.('ready');
