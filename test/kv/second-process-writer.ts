import { createKeyValueStore } from '#kv';
import type { Answer, Task } from './second-process.js';

const [path = ''] = process.argv.slice(2);
const store = createKeyValueStore({ kind: 'lmdb', path });

async function perform(task: Task): Promise<Answer> {
  switch (task.do) {
    case 'put':
      return {
        result: await store.put(
          task.key,
          task.value,
          task.ifVersion === undefined ? {} : { ifVersion: task.ifVersion },
        ),
      };
    case 'get': {
      const entry = await store.get(task.key);
      return entry === undefined ? {} : { value: entry.value, versions: [entry.version] };
    }
    case 'count':
      return { versions: await count(task.key, task.wins) };
  }
}

async function count(key: string, wins: number): Promise<number[]> {
  const versions: number[] = [];
  while (versions.length < wins) {
    const entry = await store.get(key);
    const written = await store.put(key, Number(entry?.value ?? 0) + 1, { ifVersion: entry?.version ?? 0 });
    if (written.ok) versions.push(written.version);
  }
  return versions;
}

process.on('message', (task: Task) => {
  perform(task)
    .catch((error: Error) => ({ error: { ...error } }))
    .then((answer) => process.send?.(answer));
});
// Sent at a write beyond the file size limit, which then fails as it does on a full disk.
process.on('SIGXFSZ', () => {});
process.send?.({});
