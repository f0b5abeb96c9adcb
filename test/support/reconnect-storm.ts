import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import { datasetUrn } from '#graph-schema';
import type { Change } from '#graph-store';
import { freePort, RECORD_SUFFIX, type RunningApp, startApp } from '#stack';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import { ChangeSubscriber } from './change-subscriber.js';
import { testEnvironment } from './environment.js';
import { scratchFolder } from './folder.js';
import type { OwnGraph } from './graph.js';

export interface Storm {
  readonly sockets: number;
  /** How often each socket is cut off. */
  readonly cuts: number;
  /** Decides when sockets are cut and whither they come back. */
  readonly seed: number;
}

/** What one socket has seen in all its lives, without what came twice. */
interface Witness {
  readonly cursors: string[];
  /** Changes that came again after a cut. */
  repeated: number;
}

/**
 * Two server processes on one graph, a writer that never rests, and sockets that are cut off again and again and come back to
 * either of the two; half-way through one of the processes is killed, and started anew.
 */
export async function reconnectStorm(graph: OwnGraph, namespace: string, storm: Storm): Promise<void> {
  await using folder = await scratchFolder();
  const servers = await Promise.all(['a', 'b'].map((name) => ServerProcess.start(graph, namespace, folder.path, name)));
  const random = randomFrom(storm.seed);
  const start = await graph.log.head();
  const all = storm.sockets * storm.cuts;
  let cutsDone = 0;
  let isOver = false;
  try {
    const writing = writeUntil(graph, () => isOver);
    const killing = killHalfWay(servers[0], () => cutsDone >= all / 2);
    const witnesses = await Promise.all(
      Array.from({ length: storm.sockets }, () => {
        const own = randomFrom(Math.floor(random() * 2 ** 31));
        return liveThrough(servers, storm.cuts, encodeEventCursor(start), own, () => {
          cutsDone += 1;
        });
      }),
    );
    await killing;
    isOver = true;
    const head = await writing;
    const log = await readLog(graph, start, head);
    // Otherwise nothing would have been de-duplicated.
    expect(witnesses.some(({ repeated }) => repeated > 0)).toBe(true);
    for (const witness of witnesses) {
      const last = witness.cursors.at(-1) ?? encodeEventCursor(start);
      await watch(servers, last, witness, random, () => witness.cursors.at(-1) === log.at(-1));
      expect(witness.cursors).toEqual(log);
    }
  } finally {
    isOver = true;
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

class ServerProcess implements AsyncDisposable {
  readonly socketUrl: string;
  readonly #launch: () => Promise<RunningApp>;
  #running: RunningApp | undefined;

  private constructor(port: number, launch: () => Promise<RunningApp>) {
    this.socketUrl = `ws://127.0.0.1:${port}/graphql`;
    this.#launch = launch;
  }

  static async start(graph: OwnGraph, namespace: string, folder: string, name: string): Promise<ServerProcess> {
    const port = await freePort();
    const { TEST_RECORDS_DIR, ...shared } = testEnvironment();
    const env = {
      ...shared,
      NEO4J_URI: graph.server.uri,
      NEO4J_USER: graph.server.user,
      NEO4J_PASSWORD: graph.server.password,
      TEMPORAL_NAMESPACE: namespace,
      PORT: String(port),
      HOST: '127.0.0.1',
      NUCLEUS_SECRET_KEY: randomBytes(32).toString('base64'),
      NUCLEUS_INTERNAL_TOKEN: randomBytes(24).toString('base64url'),
      LINEAGE_INBOX_PATH: join(folder, 'lineage-inbox'),
    };
    const server = new ServerProcess(port, () =>
      startApp('api', {
        env,
        logFile: join(folder, `${name}.log`),
        recordFile: join(TEST_RECORDS_DIR, `storm-${randomUUID()}${RECORD_SUFFIX}`),
      }),
    );
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    this.#running = await this.#launch();
  }

  async kill(): Promise<void> {
    if (this.#running === undefined) return;
    process.kill(-this.#running.pid, 'SIGKILL');
    await this.#running.exited;
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.stop();
  }
}

/** Writes without a pause, transactions of different sizes, so that some changes come in parts. @returns the last sequence */
async function writeUntil(graph: OwnGraph, isOver: () => boolean): Promise<number> {
  let last = 0;
  for (let round = 0; !isOver(); round += 1) {
    const size = round % 97 === 96 ? 700 : 1 + (round % 5);
    const entities = Array.from({ length: size }, (_, index) => ({
      kind: 'Dataset' as const,
      urn: datasetUrn('storm', `entity-${index}`),
      properties: { rowCount: round },
    }));
    const { sequence } = await graph.store.write({ entities }, { actor: 'storm' });
    last = sequence ?? last;
  }
  return last;
}

async function killHalfWay(server: ServerProcess | undefined, isHalfWay: () => boolean): Promise<void> {
  await expect.poll(isHalfWay, { timeout: 600_000, interval: 20 }).toBe(true);
  await server?.kill();
  await server?.start();
}

/** One socket: watches for a few changes, is cut, comes back behind the last change that it has dealt with. */
async function liveThrough(
  servers: readonly ServerProcess[],
  cuts: number,
  start: string,
  random: () => number,
  onCut: () => void,
): Promise<Witness> {
  const witness: Witness = { cursors: [], repeated: 0 };
  for (let cut = 0; cut < cuts; cut += 1) {
    const wanted = witness.cursors.length + 1 + Math.floor(random() * 8);
    await watch(servers, witness.cursors.at(-1) ?? start, witness, random, () => witness.cursors.length >= wanted);
    onCut();
  }
  return witness;
}

/** Subscribes to one of the servers, to another when it does not answer or dies, until enough was seen; then cuts the line. */
async function watch(
  servers: readonly ServerProcess[],
  after: string,
  witness: Witness,
  random: () => number,
  isEnough: () => boolean,
): Promise<void> {
  const seen = new Set(witness.cursors.slice(-2_000));
  while (!isEnough()) {
    const server = servers[Math.floor(random() * servers.length)];
    // Now and then a client that has not written down the last thing that it was sent.
    const resumeAt = random() < 0.3 ? (witness.cursors.at(-2) ?? after) : (witness.cursors.at(-1) ?? after);
    await using subscriber = new ChangeSubscriber(server?.socketUrl ?? '', { after: resumeAt }, LEAN);
    let taken = 0;
    await subscriber
      .until(() => {
        const { changes } = subscriber;
        for (; taken < changes.length && !isEnough(); taken += 1) {
          const { cursor } = changes[taken] ?? { cursor: '' };
          if (seen.has(cursor)) {
            witness.repeated += 1;
          } else {
            seen.add(cursor);
            witness.cursors.push(cursor);
          }
        }
        return isEnough();
      })
      .catch((error: unknown) => {
        // A server that is down or was killed; any refusal of the subscription itself is a failure of the test.
        if (subscriber.ended !== 'closed' && subscriber.ended !== 'completed') throw error;
      });
    subscriber.cut();
  }
}

const LEAN = `subscription($after: String) { graphChanges(after: $after) { kind cursor changes { cursor } } }`;

/** Cursors of all changes, as a subscriber without a filter is to see them. */
async function readLog(graph: OwnGraph, after: number, head: number): Promise<string[]> {
  const changes: Change[] = [];
  while ((changes.at(-1)?.sequence ?? after) < head) {
    changes.push(...(await graph.log.read({ after: changes.at(-1)?.sequence ?? after, upTo: head, limit: 500 })));
  }
  return changes.flatMap(({ sequence, items }) =>
    items.length <= 500
      ? [encodeEventCursor(sequence)]
      : Array.from({ length: Math.ceil(items.length / 500) }, (_, index) => encodeEventCursor(sequence, index + 1)),
  );
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
