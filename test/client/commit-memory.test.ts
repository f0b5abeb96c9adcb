import { describe, expect, it } from 'vitest';
import { CommitMemory } from '../../client/commit-memory.js';

const FIRST_HAND = { replayed: false };

it('knows nothing before the first write', () => {
  expect(new CommitMemory().header).toBeUndefined();
});

it('of writes one after the other keeps the last', () => {
  const memory = new CommitMemory();
  for (const token of ['a', 'b', 'c']) memory.remember(token, memory.begin(), FIRST_HAND);
  expect(memory.header).toBe('c');
});

it('a write that changes nothing leaves the last commit in force', () => {
  const memory = new CommitMemory();
  memory.remember('a', memory.begin(), FIRST_HAND);
  memory.remember(null, memory.begin(), FIRST_HAND);
  expect(memory.header).toBe('a');
});

it('of writes that overlap keeps all, since none of them is known to be the later', () => {
  const memory = new CommitMemory();
  memory.remember('before', memory.begin(), FIRST_HAND);
  const [one, other] = [memory.begin(), memory.begin()];
  memory.remember('b', other, FIRST_HAND);
  memory.remember('a', one, FIRST_HAND);
  expect(memory.header).toBe('b, a');
  memory.remember('after', memory.begin(), FIRST_HAND);
  expect(memory.header).toBe('after');
});

it('an answer of an earlier request displaces nothing, for its commit may be old', () => {
  const memory = new CommitMemory();
  memory.remember('new', memory.begin(), FIRST_HAND);
  memory.remember('old', memory.begin(), { replayed: true });
  expect(memory.header).toBe('new, old');
});

it('names a commit once', () => {
  const memory = new CommitMemory();
  const [one, other] = [memory.begin(), memory.begin()];
  memory.remember('a', one, FIRST_HAND);
  memory.remember('a', other, FIRST_HAND);
  expect(memory.header).toBe('a');
});

/** A change log whose tokens are numbers, to be told which of them a read has waited for. */
function changeLog() {
  const asked: string[] = [];
  let head = 0;
  const headAfter = async (header: string) => {
    asked.push(header);
    await Promise.resolve();
    head = Math.max(head, ...header.split(', ').map(Number));
    return String(head);
  };
  return { asked, headAfter };
}

describe.each([
  ['writes that overlap', false],
  ['answers of earlier requests', true],
])('of 2,000 %s', (_, replayed) => {
  const filled = () => {
    const memory = new CommitMemory();
    const begun = Array.from({ length: 2_000 }, () => memory.begin());
    for (const [index, mark] of begun.entries()) memory.remember(String(2_000 - index), mark, { replayed });
    return memory;
  };

  it('a few tokens are left that stand for all, read in headers of 50 at most, and once for reads at the same time', async () => {
    const memory = filled();
    const { asked, headAfter } = changeLog();
    await Promise.all([memory.condense(headAfter), memory.condense(headAfter)]);
    const left = memory.header?.split(', ') ?? [];
    expect(left.length).toBeLessThanOrEqual(50);
    expect(left).toContain('2000');
    expect(Math.max(...asked.map((header) => header.split(', ').length))).toBe(50);
    expect(asked.length).toBeLessThan(50);
    await memory.condense(headAfter);
    expect(memory.header?.split(', ')).toEqual(left);
  });

  it('all are kept when the head cannot be read', async () => {
    const memory = filled();
    await expect(memory.condense(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(memory.header?.split(', ')).toHaveLength(2_000);
  });

  it('what is written meanwhile stays', async () => {
    const memory = filled();
    const { headAfter } = changeLog();
    const mark = memory.begin();
    const condensed = memory.condense(headAfter);
    memory.remember('9999', mark, { replayed });
    await condensed;
    expect(memory.header?.split(', ')).toContain('9999');
  });
});
