import { isEvent, openSubscriptions } from './subscription-socket.js';

/**
 * Subscribers to changes of the graph that tell when each change came, in a process of their own. Forked with the address, the
 * query, the number of clients and how many subscriptions one more socket has, which does not read.
 *
 * Tells its parent `ready`. Then, for each number of changes that it is sent, once every client has had as many, the wall-clock
 * times of their arrival by cursor.
 */
const [url = '', query = '', count = '0', stalled = '0'] = process.argv.slice(2);
const clients = Number(count);
let arrivals = new Map<string, number[]>();
let left = Number.POSITIVE_INFINITY;

/** Of the changes of an event, not of the event itself. A cursor is cheaper to find than a message to parse. */
const CURSOR_OF_CHANGE = /"cursor":"([^"]+)","at"/g;

function onMessage(message: Buffer): void {
  const now = Date.now();
  if (!isEvent(message)) throw new Error(`a subscription has ended: ${message}`);
  for (const [, cursor = ''] of message.toString('latin1').matchAll(CURSOR_OF_CHANGE)) {
    const times = arrivals.get(cursor);
    if (times === undefined) arrivals.set(cursor, [now]);
    else times.push(now);
    left -= 1;
  }
  if (left > 0) return;
  process.send?.(arrivals);
  arrivals = new Map();
}

process.on('message', (changes) => {
  left = Number(changes) * clients;
});
const sockets = await Promise.all(Array.from({ length: clients }, () => openSubscriptions(url, query)));
for (const socket of sockets) socket.on('message', onMessage);
if (Number(stalled) > 0) (await openSubscriptions(url, query, Number(stalled))).pause();
process.send?.('ready');
