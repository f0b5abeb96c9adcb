import { describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import type { KindRegistry, KnowledgeReceipt, KnowledgeWrite, KnowledgeWriter } from '#graph-store';
import { loadRows } from '#ingestion';
import type { LoadOptions } from '../../ingestion/metadata/load-rows.js';
import type { MetadataRow, RowRequest } from '../../ingestion/metadata/metadata-row.js';
import { DATASET_KIND } from '../support/arrow-streams.js';

const urn = (name: number | string) => `nucleus:dataset:n:${name}`;

/** A writer that takes everything, remembers it, and ends each write when it is told to. */
class HeldWriter implements KnowledgeWriter {
  readonly writes: { readonly request: KnowledgeWrite; readonly key: string | undefined; end(error?: Error): void }[] =
    [];
  mostOpen = 0;
  #open = 0;
  readonly #ends: boolean;

  /** @param ends whether writes end by themselves */
  constructor({ ends }: { ends: boolean }) {
    this.#ends = ends;
  }

  async write(
    request: KnowledgeWrite,
    _: unknown,
    { idempotencyKey }: { idempotencyKey?: string | undefined } = {},
  ): Promise<KnowledgeReceipt> {
    this.#open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.#open);
    const ended = new Promise<void>((resolve, reject) => {
      this.writes.push({ request, key: idempotencyKey, end: (error) => (error ? reject(error) : resolve()) });
    });
    if (this.#ends) this.writes.at(-1)?.end();
    await ended.finally(() => {
      this.#open -= 1;
    });
    const created = { outcome: 'created', version: 1 } as const;
    return {
      sequence: this.writes.length,
      transactions: 1,
      replayed: false,
      entities: (request.entities ?? []).map(() => ({ urn: null, ...created })),
      links: (request.links ?? []).map((link) => ({ ...link, ...created })),
      deletions: (request.deletions ?? []).map(() => ({ urn: null, ...created, outcome: 'deleted' as const })),
      linkDeletions: [],
      purges: [],
    };
  }
}

const kinds = { find: async (name: string) => (name === 'Dataset' ? DATASET_KIND : undefined) } as KindRegistry;
const OPTIONS: LoadOptions = { maxErrors: 10, maxValueBytes: 1_000_000_000 };

async function* slices(requests: Iterable<RowRequest>, bytes = 100): AsyncGenerator<MetadataRow[]> {
  let row = 0;
  for (const request of requests) yield [{ row: ++row, bytes, request }];
}

const entities = (count: number): RowRequest[] =>
  Array.from({ length: count }, (_, row) => ({ is: 'entity', item: { urn: urn(row) } }));
const link = (from: number, to: number): RowRequest => ({
  is: 'link',
  item: { kind: 'DERIVES', from: urn(from), to: urn(to) },
});

const load = (
  writer: KnowledgeWriter,
  rows: Iterable<RowRequest>,
  options: Partial<LoadOptions> = {},
  bytes?: number,
) => loadRows(slices(rows, bytes), { writer, kinds }, { actor: 'test' }, { ...OPTIONS, ...options });

const shapeOf = ({ entities = [], links = [], deletions = [] }: KnowledgeWrite) => [
  entities.length,
  links.length,
  deletions.length,
];

describe('loading rows', () => {
  it('writes as many at once as one transaction holds, by number and by size', async () => {
    const writer = new HeldWriter({ ends: true });
    expect(await load(writer, entities(12_000))).toMatchObject({ rows: 12_000, transactions: 3, sequence: 3 });
    expect(writer.writes.map(({ request }) => shapeOf(request)[0])).toEqual([5_000, 5_000, 2_000]);
    const heavy = new HeldWriter({ ends: true });
    await load(heavy, entities(10), {}, 3 * 1024 * 1024);
    expect(heavy.writes.map(({ request }) => shapeOf(request)[0])).toEqual([2, 2, 2, 2, 2]);
  });

  it('numbers the transactions of an idempotency key', async () => {
    const writer = new HeldWriter({ ends: true });
    await load(writer, entities(5_001), { idempotencyKey: 'k' });
    expect(writer.writes.map(({ key }) => key)).toEqual(['k#1', 'k#2']);
  });

  it('has two transactions of entities open at most, and one where the order matters', async () => {
    const plain = new HeldWriter({ ends: false });
    const loading = load(plain, entities(20_000));
    await untilWritten(plain, 1);
    for (const index of [0, 1, 2, 3]) (await untilWritten(plain, index))?.end();
    expect(await loading).toMatchObject({ counts: { created: 20_000 } });
    expect(plain.mostOpen).toBe(2);
    const ordered = new HeldWriter({ ends: true });
    const links = Array.from({ length: 10_000 }, (_, row) => link(row, row + 1));
    await load(ordered, [...entities(5_000), ...links, { is: 'deletion', item: { urn: urn('gone') } }]);
    expect(ordered.mostOpen).toBe(1);
    expect(ordered.writes.map(({ request }) => shapeOf(request))).toEqual([
      [5_000, 0, 0],
      [0, 5_000, 0],
      [0, 5_000, 0],
      [0, 0, 1],
    ]);
  });

  it('refuses the second row that names an item, also across transactions and spellings', async () => {
    const key = { kind: 'Dataset', key: { namespace: 'n', name: '3' } };
    const rows: RowRequest[] = [...entities(6_000), { is: 'entity', item: key }, link(1, 2), link(1, 2), link(2, 1)];
    const report = await load(new HeldWriter({ ends: true }), rows);
    expect(report).toMatchObject({ rows: 6_004, counts: { created: 6_002, refused: 2 } });
    expect(report.errors.map(({ row }) => row)).toEqual([6_001, 6_003]);
  });

  it('tells what was written before a write fails, and begins none after it', async () => {
    const writer = new HeldWriter({ ends: false });
    const loading = load(writer, entities(25_000));
    const [first, second] = [0, 1].map((index) => untilWritten(writer, index));
    (await first)?.end();
    (await second)?.end(new AppError('STORE_UNAVAILABLE', 'Neo4j does not answer'));
    (await untilWritten(writer, 2))?.end();
    await expect(loading).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      details: { written: { rows: 10_000, created: 10_000 } },
    });
    expect(writer.writes).toHaveLength(3);
  });

  it('gives up where the values of all rows are more than a request may hold', async () => {
    const writer = new HeldWriter({ ends: true });
    await expect(load(writer, entities(100), { maxValueBytes: 5_000 })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 'valueBytes', value: 5_000 },
    });
    expect(writer.writes).toHaveLength(0);
  });

  async function untilWritten(writer: HeldWriter, index: number) {
    await expect.poll(() => writer.writes.length).toBeGreaterThan(index);
    return writer.writes[index];
  }
});
