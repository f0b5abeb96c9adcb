import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { CheckpointStore, checkpointKey, createKeyValueStore, type KeyValueStore } from '#kv';
import { defineBenchmark, type RatioCase, type Round } from './harness/index.js';

interface Stores {
  readonly store: KeyValueStore;
  readonly checkpoints: CheckpointStore;
  readonly bare: RootDatabase<string, string>;
}

const CURSOR = {
  field: 'updated_at',
  sqlType: 'timestamp with time zone',
  family: 'timestamptz',
  timeZone: 'UTC',
  precision: 6,
  schemaFingerprint: 'sha256:0b9f6f2d',
} as const;
const STATS = { rowsRead: 50_000, rowsWritten: 50_000, bytes: 7_340_032, slices: 4 };

/** Puts of one writer in one round; a put waits for the disk, so few take long. */
const PUTS_PER_WRITER = { full: 200, quick: 10 };

function cursorAt(step: number) {
  const at = new Date(Date.UTC(2026, 0, 1) + step * 1000);
  return { ...CURSOR, boundary: ['4711', '4712'], tie: null, value: at.toISOString().replace('Z', '000Z') };
}

/** What the store holds of a checkpoint after so many commits. */
function valueAt(step: number) {
  return { lastRunId: `run-${step}`, generation: 1, cursor: cursorAt(step), stats: STATS };
}

type Write = (stores: Stores, key: string, puts: number) => Promise<void>;

/** Every writer moves a checkpoint of its own, one put after the other, as the runs of different units do. */
function comparison(what: string, writers: number, ours: Write, baseline: Write): RatioCase<Stores> {
  const by = (write: Write) => (round: Round<Stores>) => {
    const puts = round.quick ? PUTS_PER_WRITER.quick : PUTS_PER_WRITER.full;
    const keys = Array.from({ length: writers }, (_, writer) =>
      checkpointKey({ vendor: 'bench', endpointId: `${what}-${writers}`, unitId: `round${round.number}.${writer}` }),
    );
    return round.time(puts * writers, () => Promise.all(keys.map((key) => write(round.env, key, puts))));
  };
  return {
    kind: 'ratio',
    name: `${what}, ${writers === 1 ? '1 writer' : `${writers} writers`}`,
    unit: 'puts',
    target: { atLeast: 0.85 },
    sides: { ours: by(ours), baseline: by(baseline) },
  };
}

/** As a run does it: it knows the version that it started from, and commits the next. */
async function commit({ checkpoints }: Stores, key: string, puts: number): Promise<void> {
  for (let version = 0; version < puts; version += 1) {
    const next = { runId: `run-${version}`, expectedVersion: version, cursor: cursorAt(version), stats: STATS };
    const result = await checkpoints.commit(key, next);
    if (!result.ok) throw new Error(`the commit of version ${version} was refused: ${result.reason}`);
  }
}

/** The store below, without the rules of checkpoints. */
async function put({ store }: Stores, key: string, puts: number): Promise<void> {
  for (let version = 0; version < puts; version += 1) {
    const result = await store.put(key, valueAt(version), { ifVersion: version });
    if (!result.ok) throw new Error(`the put of version ${version} was refused`);
  }
}

/** The same bytes with the same condition and the same flush, without any of our rules. */
async function putBare({ bare }: Stores, key: string, puts: number): Promise<void> {
  for (let version = 0; version < puts; version += 1) {
    const value = JSON.stringify(valueAt(version));
    const won = await bare.put(key, value, version + 1, version === 0 ? NO_ENTRY : version);
    if (!won) throw new Error(`the put of version ${version} was refused`);
  }
}

/** As a careful user of bare lmdb-js moves a checkpoint: reads what is there, sees whose it is, and puts on that condition. */
async function commitBare({ bare }: Stores, key: string, puts: number): Promise<void> {
  for (let version = 0; version < puts; version += 1) {
    const entry = bare.getEntry(key);
    const held = entry === undefined ? undefined : (JSON.parse(entry.value) as { lastRunId: string });
    const next = valueAt(version);
    if ((entry?.version ?? 0) !== version || held?.lastRunId === next.lastRunId)
      throw new Error('another run was faster');
    const won = await bare.put(key, JSON.stringify(next), version + 1, version === 0 ? NO_ENTRY : version);
    if (!won) throw new Error(`the put of version ${version} was refused`);
  }
}

/** What lmdb-js takes as `ifVersion` for "only if there is no entry"; its type declaration leaves it out. */
const NO_ENTRY = null as unknown as number;

export const benchmark = defineBenchmark<Stores>({
  id: 'P6',
  name: 'checkpoint-put',
  what:
    'A durable compare-and-set of a checkpoint, each flushed to disk before its promise resolves. The put of the key-value store against `put(key, value, version, ifVersion)` of bare ' +
    'lmdb-js with the same bytes; the commit of a checkpoint, with all its rules, against a get, a comparison of run and version, and such a put by hand.',
  setUp: async (environment) => {
    const store = environment.use(createKeyValueStore({ kind: 'lmdb', path: join(environment.folder, 'ours') }));
    const bare = open<string, string>({
      path: join(environment.folder, 'bare'),
      noSubdir: false,
      encoding: 'string',
      useVersions: true,
      // Otherwise a put resolves before it is on disk, which a checkpoint must not.
      overlappingSync: false,
      eventTurnBatching: false,
    });
    environment.use({ [Symbol.asyncDispose]: () => bare.close() });
    return { store, checkpoints: new CheckpointStore(store), bare };
  },
  cases: [
    comparison('put', 1, put, putBare),
    comparison('put', 8, put, putBare),
    comparison('put', 64, put, putBare),
    comparison('commit', 1, commit, commitBare),
    comparison('commit', 8, commit, commitBare),
    comparison('commit', 64, commit, commitBare),
  ],
});
