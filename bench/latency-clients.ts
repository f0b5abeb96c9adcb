import { isEvent, openSubscriptions } from './subscription-socket.js';

/**
 * Subscribers to changes of the graph that tell how old each change is when it comes, in a process of their own. Forked with
 * the address, the query, the number of clients and how many subscriptions one more socket has, which does not read.
 *
 * Tells its parent `ready`. Then, for each number of changes that it is sent, the ages in milliseconds once every client has had as many.
 */
const [url = '', query = '', count = '0', stalled = '0'] = process.argv.slice(2);
const clients = Number(count);
let ages: number[] = [];
let expected = Number.POSITIVE_INFINITY;

/** In the payload only changes have a time; a change is cheaper to find than to parse. */
const TIME_OF_CHANGE = /"at":"([^"]+)"/g;

function onMessage(message: Buffer): void {
  const now = Date.now();
  if (!isEvent(message)) throw new Error(`a subscription has ended: ${message}`);
  for (const [, at = ''] of message.toString('latin1').matchAll(TIME_OF_CHANGE)) ages.push(now - Date.parse(at));
  if (ages.length < expected) return;
  process.send?.(Float64Array.from(ages));
  ages = [];
}

process.on('message', (changes) => {
  expected = Number(changes) * clients;
});
const sockets = await Promise.all(Array.from({ length: clients }, () => openSubscriptions(url, query)));
for (const socket of sockets) socket.on('message', onMessage);
if (Number(stalled) > 0) (await openSubscriptions(url, query, Number(stalled))).pause();
process.send?.('ready');
