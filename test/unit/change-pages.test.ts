import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import type { Change, ChangeItem, ChangeLog } from '#graph-store';
import { ChangePages } from '../../server/events/change-pages.js';

const item = (operation: ChangeItem['operation'] = 'created'): ChangeItem => ({
  operation,
  urn: 'nucleus:dataset:a:b',
  kind: 'Dataset',
  version: 1,
  before: {},
  after: {},
  previous: null,
});

/** A change log in memory that counts its reads. */
class CountedLog implements Pick<ChangeLog, 'read'> {
  reads = 0;
  head: number;
  oldest = 1;
  purgedBefore = 0;
  /** Of each change. */
  size = 100;
  readonly #largest: number;

  constructor(head: number, largest = 500) {
    this.head = head;
    this.#largest = largest;
  }

  change(sequence: number, operation?: ChangeItem['operation']): Change {
    const actor = sequence < this.purgedBefore ? 'redacted' : 'original';
    const items = [item(operation)];
    return { sequence, id: String(sequence), at: new Date(0), actor, runId: null, items, size: this.size };
  }

  async read({ after, upTo, limit }: { after: number; upTo: number; limit: number }): Promise<Change[]> {
    this.reads += 1;
    await Promise.resolve();
    if (after + 1 < this.oldest) throw new AppError('CURSOR_EXPIRED', 'gone', { details: { oldest: this.oldest } });
    const count = Math.min(limit, this.#largest, Math.min(upTo, this.head) - after);
    return Array.from({ length: count }, (_, index) => this.change(after + 1 + index));
  }
}

const pagesOf = (log: CountedLog) => new ChangePages(log as unknown as ChangeLog);

async function readAll(pages: ChangePages, after: number, upTo: number): Promise<number[]> {
  const sequences: number[] = [];
  while ((sequences.at(-1) ?? after) < upTo) {
    const page = await pages.read(sequences.at(-1) ?? after, upTo);
    expect(page.length).toBeGreaterThan(0);
    sequences.push(...page.map((change) => change.sequence));
  }
  return sequences;
}

const range = (after: number, upTo: number) => Array.from({ length: upTo - after }, (_, index) => after + 1 + index);

describe('the pages of the change log', () => {
  it('give each reader all changes in order, whatever is kept, appended, or too large for one read', async () => {
    const scenario = fc.record({
      start: fc.nat({ max: 200 }),
      appended: fc.nat({ max: 200 }),
      largest: fc.integer({ min: 1, max: 100 }),
      readers: fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 400 })), { maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ start, appended, largest, readers }) => {
        const log = new CountedLog(start, largest);
        const pages = pagesOf(log);
        pages.startAt(start);
        const head = start + appended;
        const early = readers.filter(([after, upTo]) => after < upTo && upTo <= start);
        const reading = early.map(async ([after, upTo]) =>
          expect(await readAll(pages, after, upTo)).toEqual(range(after, upTo)),
        );
        while (log.head < head) {
          log.head += 1;
          pages.append(log.change(log.head));
        }
        const late = readers.filter(([after, upTo]) => after < upTo && upTo <= head);
        for (const [after, upTo] of late) reading.push(check(after, upTo));
        await Promise.all(reading);

        async function check(after: number, upTo: number): Promise<void> {
          expect(await readAll(pages, after, upTo)).toEqual(range(after, upTo));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('read once for a crowd that comes back with cursors of its own', async () => {
    const log = new CountedLog(1_000);
    const pages = pagesOf(log);
    pages.startAt(1_000);
    await Promise.all(Array.from({ length: 500 }, (_, index) => readAll(pages, 500 + index, 1_000)));
    // Blocks of 64 from 448 to 960, and the beginning of the one that holds 1,000.
    expect(log.reads).toBe(9);
  });

  it('are the same arrays for all readers of a whole block', async () => {
    const pages = pagesOf(new CountedLog(128));
    pages.startAt(128);
    expect(await pages.read(64, 128)).toBe(await pages.read(64, 128));
  });

  it('forget copies of what a purge has removed from the log', async () => {
    const log = new CountedLog(128);
    const pages = pagesOf(log);
    pages.startAt(128);
    expect((await pages.read(0, 128))[0]?.actor).toBe('original');
    log.head = 129;
    log.purgedBefore = 129;
    pages.append(log.change(129, 'purged'));
    expect((await pages.read(0, 129))[0]?.actor).toBe('redacted');
    expect(await readAll(pages, 0, 129)).toEqual(range(0, 129));
  });

  it('keep large changes only as long as they take little memory in all', async () => {
    const log = new CountedLog(0, 4);
    log.size = 4 * 1024 * 1024;
    const pages = pagesOf(log);
    pages.startAt(0);
    for (log.head = 1; log.head <= 40; log.head += 1) pages.append(log.change(log.head));
    expect((await pages.read(36, 40)).map(({ sequence }) => sequence)).toEqual(range(36, 40));
    expect(log.reads).toBe(0);
    expect(await readAll(pages, 0, 40)).toEqual(range(0, 40));
    expect(log.reads).toBeGreaterThan(0);
  });

  it('keep few blocks when these are large', async () => {
    const log = new CountedLog(64 * 10);
    log.size = 128 * 1024;
    const pages = pagesOf(log);
    pages.startAt(log.head);
    await readAll(pages, 0, log.head);
    const reads = log.reads;
    // Six blocks of 8 MiB fit.
    await readAll(pages, 64 * 4, log.head);
    expect(log.reads).toBe(reads);
    await readAll(pages, 64 * 3, 64 * 4);
    expect(log.reads).toBe(reads + 1);
  });

  it('give what is left of a block of which the first have expired, and say so when the wanted ones have', async () => {
    const log = new CountedLog(128);
    log.oldest = 31;
    const pages = pagesOf(log);
    pages.startAt(128);
    expect((await pages.read(30, 128))[0]?.sequence).toBe(31);
    await expect(pages.read(29, 128)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
  });

  it('try again after a read that has failed', async () => {
    const log = new CountedLog(64);
    const pages = pagesOf(log);
    pages.startAt(64);
    const read = log.read.bind(log);
    log.read = () => Promise.reject(new AppError('STORE_UNAVAILABLE', 'down'));
    await expect(pages.read(0, 64)).rejects.toThrow('down');
    log.read = read;
    expect(await readAll(pages, 0, 64)).toEqual(range(0, 64));
  });
});
