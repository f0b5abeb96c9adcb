import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { datasetUrn } from '#graph-schema';
import { encodeEventCursor } from '../server/events/event-cursor.js';
import { type ApiServer, openTwoApiServers } from './api-server.js';
import { type BenchmarkCase, defineBenchmark, percentile, type Round } from './harness/index.js';
import { LatencyClientProcess } from './latency-client-process.js';
import { DATASET_CHANGES } from './subscription-socket.js';
import { send, upsertBody } from './upsert-request.js';

const SUBSCRIBERS = 100;
const ITEMS = 25;
/** 40 transactions a second. */
const PERIOD_MS = 25;
/** Transactions of one round. What is written first is not measured: the code is compiled, and the socket that does not read fills up. */
const TRANSACTIONS = { full: { first: 80, measured: 400 }, quick: { first: 40, measured: 80 } };
/** Transactions that write the same data sets are so far apart that none waits for another's locks. */
const GROUPS = 40;
/** Enough to fill the buffers of the system in a second; 100 is the most that a socket may have. */
const STALLED = 50;
/** By how much a round may overrun the time of its writes: then they came at another rate than is said. */
const OVERRUN = 1.2;

/** Transactions before the first round. */
const WARM_UP = 2_000;

interface Fleet {
  /** Takes all writes. */
  readonly writing: ApiServer;
  readonly other: ApiServer;
  /** Of the latest transaction, so that every one changes something. */
  edition: number;
}

type Measured = Pick<Round<Fleet>, 'env' | 'quick' | 'number'>;

/** Data sets of one transaction, all of which differ from what they were. */
function body(fleet: Fleet): string {
  fleet.edition += 1;
  const { edition } = fleet;
  const group = edition % GROUPS;
  const rows = Array.from({ length: ITEMS }, (_, row) => ({
    urn: datasetUrn('postgres://warehouse:5432', `shop.public.orders_${group}_${row}`),
    properties: {
      rowCount: edition,
      description: `Orders of the shop, one row for each line of an order, edition ${edition}.`,
    },
  }));
  return upsertBody(rows);
}

/** Sends a transaction each period, whether or not those before were answered: a slow server gets no rest. */
async function write(fleet: Fleet, transactions: number): Promise<void> {
  const writes = Array.from({ length: transactions }, async (_, index) => {
    await setTimeout(index * PERIOD_MS);
    await send(`${fleet.writing.url}/graphql`, body(fleet), 'application/json');
  });
  await Promise.all(writes);
}

/** Writes a few at a time until Neo4j and the server are compiled: a fresh Neo4j cannot do a tenth of what it can do later. */
async function warmUp(fleet: Fleet): Promise<void> {
  const writers = Array.from({ length: 4 }, async () => {
    while (fleet.edition < WARM_UP) await send(`${fleet.writing.url}/graphql`, body(fleet), 'application/json');
  });
  await Promise.all(writers);
}

/** Wall-clock time at which a server learnt that a change was committed, by its cursor. */
async function commitsOf(server: ApiServer): Promise<ReadonlyMap<string, number>> {
  const commits = new Map<string, number>();
  for (const line of (await readFile(server.logFile, 'utf8')).split('\n')) {
    if (!line.includes('"msg":"committed"')) continue;
    const { sequence, time } = JSON.parse(line) as { sequence: number; time: number };
    commits.set(encodeEventCursor(sequence), time);
  }
  return commits;
}

function agesOf(arrivals: ReadonlyMap<string, readonly number[]>, commits: ReadonlyMap<string, number>): number[] {
  return [...arrivals].flatMap(([cursor, times]) => {
    const committedAt = commits.get(cursor);
    if (committedAt === undefined) throw new Error(`no server has committed the change at ${cursor}`);
    return times.map((time) => time - committedAt);
  });
}

/** Milliseconds to each subscriber of a server, for each change. */
async function deliveries({ env, quick, number }: Measured, server: ApiServer, stalled = 0): Promise<number[]> {
  const { first, measured } = quick ? TRANSACTIONS.quick : TRANSACTIONS.full;
  const options = { clients: SUBSCRIBERS, stalled };
  await using readers = await LatencyClientProcess.start(server.socketUrl, DATASET_CHANGES, options);
  await readers.arrivalsOf(first, () => write(env, first));
  const startedAt = performance.now();
  const arrivals = await readers.arrivalsOf(measured, () => write(env, measured));
  const tookMs = performance.now() - startedAt;
  const plannedMs = measured * PERIOD_MS;
  if (number < 0 || tookMs <= plannedMs * OVERRUN) return agesOf(arrivals, await commitsOf(env.writing));
  throw new Error(`this machine does not write as much: ${tookMs.toFixed(0)} ms for what is to take ${plannedMs} ms`);
}

function latency(name: string, atMostMs: number, server: (env: Fleet) => ApiServer): BenchmarkCase<Fleet> {
  const target = { percentile: 99, atMostMs };
  return { kind: 'latency', name, target, measure: (round) => deliveries(round, server(round.env)) };
}

/** How many latencies at the 99th percentile fit into a second: half as many is a latency twice as long. */
async function inverse99(round: Measured, stalled: number) {
  const ages = await deliveries(round, round.env.writing, stalled);
  return { count: 1, durationMs: percentile(ages, 99) };
}

export const benchmark = defineBenchmark<Fleet>({
  id: 'P8',
  name: 'commit-to-subscriber',
  what: `Time from the commit of a change to its arrival at a subscriber of \`graphChanges\`, over all ${SUBSCRIBERS} subscribers: ${1_000 / PERIOD_MS} mutations a second of ${ITEMS} data sets each (1,000 changed items a second), sent at fixed times. A commit counts from when the writing server learns of it. The last case compares the 99th percentile beside one socket that does not read, with ${STALLED} subscriptions, with that without it: 0.5 is a latency twice as long.`,
  setUp: async (environment) => {
    const [writing, other] = await openTwoApiServers(environment);
    const fleet = { writing, other, edition: 0 };
    await warmUp(fleet);
    return fleet;
  },
  cases: [
    latency('same process', 50, ({ writing }) => writing),
    latency('through another server process', 250, ({ other }) => other),
    {
      kind: 'ratio',
      name: 'beside a stalled socket',
      unit: 'p99 latencies',
      target: { atLeast: 0.5 },
      sides: {
        ours: (round) => inverse99(round, STALLED),
        baseline: (round) => inverse99(round, 0),
      },
    },
  ],
});
