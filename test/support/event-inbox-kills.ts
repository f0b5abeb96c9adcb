import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { type EventInbox, openEventInbox } from '#kv';
import { readAll, textsOf } from './event-inbox.js';
import type { Acknowledged } from './event-inbox-child.js';
import { InboxProcess } from './event-inbox-process.js';
import { scratchFolder } from './folder.js';

/**
 * What must hold after any crash: see the messages. The inbox holds nothing but what other processes appended by `flood`.
 * @returns how many events there are
 */
export async function checkQueue(inbox: EventInbox, acknowledged: readonly Acknowledged[]): Promise<number> {
  const events = await readAll(inbox);
  const texts = textsOf(events);
  expect(await inbox.head(), 'positions have no gap up to the head').toBe(events.length);
  expect(new Set(texts).size, 'nothing is there twice').toBe(texts.length);
  for (const { first, last, texts: sent } of acknowledged) {
    expect(texts.slice(first - 1, last), 'what was acknowledged is where it was said to be').toEqual(sent);
  }
  let inBatch = 0;
  for (const [at, text] of texts.entries()) {
    const [writer, batch, index, count] = text.split('/');
    expect(index, 'an append is there as a whole, in order').toBe(String(inBatch));
    if (inBatch > 0) expect(texts[at - 1]).toMatch(new RegExp(`^${writer}/${batch}/${inBatch - 1}/`));
    inBatch = inBatch + 1 === Number(count) ? 0 : inBatch + 1;
  }
  expect(inBatch, 'no append is cut off').toBe(0);
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  expect((await inbox.size()).bytes, 'the running total is that of the events').toBe(bytes);
  return events.length;
}

/**
 * Kills one writer after the other at a random moment of its appends, and looks at the inbox after each.
 * @returns what all of them have reported as acknowledged
 */
export async function killAtRandom({ rounds }: { rounds: number }): Promise<Acknowledged[]> {
  await using folder = await scratchFolder();
  const acknowledged: Acknowledged[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await using writer = await InboxProcess.open(folder.path);
    await writer.floodAndKill(`round${round}`, randomInt(1, 150));
    acknowledged.push(...writer.acknowledged);
    await using inbox = openEventInbox({ kind: 'lmdb', path: folder.path, now: () => new Date() });
    await checkQueue(inbox, acknowledged);
  }
  return acknowledged;
}
