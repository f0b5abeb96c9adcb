import { describe, expect, it } from 'vitest';
import { encodeEventCursor } from '../../server/events/event-cursor.js';
import { waitForCommit } from '../../server/graphql/read-after.js';

const log = { head: async () => 1_000 };
const tokens = (count: number) => Array.from({ length: count }, (_, index) => encodeEventCursor(index + 1)).join(', ');

describe('a read after commits', () => {
  it('waits for none that the log has', async () => {
    await expect(waitForCommit({ log }, tokens(1_000))).resolves.toBeUndefined();
  });

  it('waits for the latest, wherever it stands in the list', async () => {
    const heads = [1_000, 1_001];
    const growing = { head: async () => heads.shift() ?? Number.NaN };
    await waitForCommit(
      { log: growing },
      `${encodeEventCursor(1)},${encodeEventCursor(1_001)},${encodeEventCursor(2)}`,
    );
    expect(heads).toEqual([]);
  });

  it.each([
    ['more tokens than 1,000', tokens(1_001), 'more than 1000'],
    ['a megabyte of them', tokens(100_000), 'more than 1000'],
    ['what is none', 'nonsense', 'is not a commit token'],
    ['none', '', 'is not a commit token'],
    ['something between them that is none', `${tokens(2)},,${tokens(1)}`, 'is not a commit token'],
    ['a number', 7, 'is not a commit token'],
  ])('refuses %s', async (_, token, message) => {
    await expect(waitForCommit({ log }, token)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(message),
    });
  });
});
