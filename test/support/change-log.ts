import type { Change, ChangeLog } from '#graph-store';

/** Everything from the log after a sequence, up to what is its head now. */
export async function wholeLog(log: ChangeLog, after: number): Promise<Change[]> {
  const upTo = await log.head();
  const changes: Change[] = [];
  for (let position = after; position < upTo; position = changes.at(-1)?.sequence ?? upTo) {
    changes.push(...(await log.read({ after: position, upTo, limit: 1_000 })));
  }
  return changes;
}
