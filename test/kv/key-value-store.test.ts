import { describe, expect, it } from 'vitest';
import { createKeyValueStore, type JsonValue, type KeyValueEntry, type KeyValueStore } from '#kv';
import { scratchFolder } from '../support/folder.js';

const KEY_VALUE_STORES = [
  { name: 'in-memory store', open: async () => createKeyValueStore({ kind: 'memory' }) },
  { name: 'LMDB store', open: openTemporaryLmdb },
];

async function openTemporaryLmdb(): Promise<KeyValueStore> {
  const folder = await scratchFolder();
  const store = createKeyValueStore({ kind: 'lmdb', path: folder.path });
  const dispose = store[Symbol.asyncDispose].bind(store);
  store[Symbol.asyncDispose] = async () => {
    await dispose();
    await folder[Symbol.asyncDispose]();
  };
  return store;
}

async function keysOf(entries: AsyncIterable<KeyValueEntry>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of entries) keys.push(key);
  return keys;
}

describe.each(KEY_VALUE_STORES)('$name', ({ open }) => {
  it('gives back what was put, and undefined for what never was', async () => {
    await using store = await open();
    const value = { text: 'grüße 😀 \ud800', list: [1, null, true, { deep: [] }], zero: 0, empty: '' };
    expect(await store.put('a', value)).toEqual({ ok: true, version: 1 });
    expect(await store.get('a')).toEqual({ value, version: 1 });
    expect(await store.get('b')).toBeUndefined();
  });

  it.each<JsonValue>([null, false, 0, '', [], {}])('tells the value %j from no value', async (value) => {
    await using store = await open();
    await store.put('a', value);
    expect(await store.get('a')).toEqual({ value, version: 1 });
  });

  it('rejects a write whose expected version is stale', async () => {
    await using store = await open();
    await store.put('a', { cursor: '1' }, { ifVersion: 0 });
    expect(await store.put('a', { cursor: '2' }, { ifVersion: 0 })).toEqual({ ok: false, version: 1 });
    expect(await store.put('a', { cursor: '2' }, { ifVersion: 1 })).toEqual({ ok: true, version: 2 });
    expect(await store.put('a', { cursor: '3' }, { ifVersion: 1 })).toEqual({ ok: false, version: 2 });
    expect(await store.get('a')).toEqual({ value: { cursor: '2' }, version: 2 });
  });

  it('writes nothing when a version of an absent key is expected', async () => {
    await using store = await open();
    expect(await store.put('a', 1, { ifVersion: 3 })).toEqual({ ok: false, version: 0 });
    expect(await store.get('a')).toBeUndefined();
  });

  it('counts versions for each key apart', async () => {
    await using store = await open();
    await store.put('a', 1);
    await store.put('a', 2);
    expect(await store.put('b', 1)).toEqual({ ok: true, version: 1 });
    expect(await store.put('a', 3)).toEqual({ ok: true, version: 3 });
  });

  it('deletes, conditionally or not', async () => {
    await using store = await open();
    await store.put('a', 1);
    expect(await store.delete('a', { ifVersion: 7 })).toEqual({ ok: false, version: 1 });
    expect(await store.delete('a', { ifVersion: 1 })).toEqual({ ok: true, version: 0 });
    expect(await store.get('a')).toBeUndefined();
    expect(await store.delete('a')).toEqual({ ok: true, version: 0 });
    expect(await store.delete('a', { ifVersion: 1 })).toEqual({ ok: false, version: 0 });
    expect(await store.delete('never', { ifVersion: 0 })).toEqual({ ok: true, version: 0 });
  });

  it('never gives a version out twice, so that a writer from before a delete loses', async () => {
    await using store = await open();
    await store.put('a', 'old');
    await store.put('a', 'old');
    await store.delete('a');
    await store.delete('a');
    expect(await store.put('a', 'new', { ifVersion: 0 })).toEqual({ ok: true, version: 3 });
    expect(await store.put('a', 'zombie', { ifVersion: 1 })).toEqual({ ok: false, version: 3 });
    expect(await store.put('a', 'zombie', { ifVersion: 2 })).toEqual({ ok: false, version: 3 });
    expect(await store.get('a')).toEqual({ value: 'new', version: 3 });
  });

  it('lets exactly one of many concurrent writers win each version', async () => {
    await using store = await open();
    for (const expected of [0, 1, 2]) {
      const writes = Array.from({ length: 20 }, (_, writer) => store.put('a', writer, { ifVersion: expected }));
      const results = await Promise.all(writes);
      expect(results.filter((result) => result.ok)).toEqual([{ ok: true, version: expected + 1 }]);
      expect(results.filter((result) => !result.ok && result.version === expected + 1)).toHaveLength(19);
    }
  });

  it('gives every unconditional write a version of its own', async () => {
    await using store = await open();
    const results = await Promise.all(Array.from({ length: 50 }, (_, writer) => store.put('a', writer)));
    const versions = results.map((result) => result.version).sort((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  it('keeps a value of its own: changing an object after put or get changes nothing in the store', async () => {
    await using store = await open();
    const value = { list: [1] };
    await store.put('a', value);
    value.list.push(2);
    const read = (await store.get('a'))?.value as { list: number[] };
    read.list.push(3);
    expect((await store.get('a'))?.value).toEqual({ list: [1] });
  });

  it('holds values of a megabyte', async () => {
    await using store = await open();
    const value = { boundary: Array.from({ length: 55_000 }, (_, index) => index.toString(16).padStart(16, '0')) };
    await store.put('a', value);
    expect((await store.get('a'))?.value).toEqual(value);
  });

  it('lists by prefix in code point order, without what was deleted', async () => {
    await using store = await open();
    for (const key of ['b::2', 'a::1', 'b::\uFFFD', 'b::10', 'b::😀', 'b::gone', 'b:', 'c::1'])
      await store.put(key, key);
    await store.delete('b::gone');
    expect(await keysOf(store.list('b::'))).toEqual(['b::10', 'b::2', 'b::\uFFFD', 'b::😀']);
    expect(await keysOf(store.list(''))).toEqual(['a::1', 'b:', 'b::10', 'b::2', 'b::\uFFFD', 'b::😀', 'c::1']);
    expect(await keysOf(store.list('none'))).toEqual([]);
  });

  it('lists over many pages, each entry once, while keys come and go', async () => {
    await using store = await open();
    const name = (index: number) => `k${String(index).padStart(4, '0')}`;
    await Promise.all(Array.from({ length: 700 }, (_, index) => store.put(name(index), index)));
    const seen: string[] = [];
    for await (const { key, value, version } of store.list('k')) {
      seen.push(key);
      expect({ value, version }).toEqual({ value: seen.length - 1, version: 1 });
      if (seen.length === 1)
        await Promise.all([store.delete(name(699)), store.put('j', 'before'), store.put('l', 'after')]);
    }
    expect(seen).toEqual(Array.from({ length: 699 }, (_, index) => name(index)));
  });

  it.each([
    ['an empty key', ''],
    ['a key of 1979 bytes', 'x'.repeat(1979)],
    ['a key of 1979 bytes in fewer characters', `${'ü'.repeat(989)}x`],
    ['a NUL in the key', 'a\u0000b'],
    ['a lone surrogate in the key', 'a\ud800'],
    ['a key that is no string', 7 as unknown as string],
  ])('refuses %s', async (_, key) => {
    await using store = await open();
    const refusal = { name: 'InputError', problems: [{ code: 'BAD_USER_INPUT', field: 'key' }] };
    await expect(store.put(key, 1)).rejects.toMatchObject(refusal);
    await expect(store.get(key)).rejects.toMatchObject(refusal);
    await expect(store.delete(key)).rejects.toMatchObject(refusal);
  });

  it('takes a key of exactly 1978 bytes', async () => {
    await using store = await open();
    const key = 'ü'.repeat(989);
    await store.put(key, 1);
    expect(await keysOf(store.list('ü'))).toEqual([key]);
    expect(await store.get(key)).toEqual({ value: 1, version: 1 });
  });

  it.each([
    ['undefined', undefined, 'value'],
    ['undefined in an object', { a: undefined }, 'value.a'],
    ['a hole in an array', new Array(1), 'value.0'],
    ['NaN', { rate: Number.NaN }, 'value.rate'],
    ['Infinity', [Number.POSITIVE_INFINITY], 'value.0'],
    ['a bigint', { rows: 1n }, 'value.rows'],
    ['a function', () => 1, 'value'],
    ['a Date', { at: new Date(0) }, 'value.at'],
    ['a Map', new Map(), 'value'],
    ['a value that contains itself', selfReferring(), 'value.self'],
  ])('refuses %s as a value and keeps the old one', async (_, value, field) => {
    await using store = await open();
    await store.put('a', 'before');
    await expect(store.put('a', value as JsonValue)).rejects.toMatchObject({
      name: 'InputError',
      problems: [{ field }],
    });
    expect(await store.get('a')).toEqual({ value: 'before', version: 1 });
  });

  it.each([-1, 1.5, Number.NaN])('refuses %d as an expected version', async (ifVersion) => {
    await using store = await open();
    await expect(store.put('a', 1, { ifVersion })).rejects.toMatchObject({ problems: [{ field: 'ifVersion' }] });
    await expect(store.delete('a', { ifVersion })).rejects.toMatchObject({ problems: [{ field: 'ifVersion' }] });
  });

  it('finishes writes under way when it closes, and refuses everything after', async () => {
    await using store = await open();
    const write = store.put('a', 1);
    await Promise.all([store.close(), store.close()]);
    expect(await write).toEqual({ ok: true, version: 1 });
    const closed = { name: 'KeyValueStoreError', reason: 'closed', code: 'STORE_UNAVAILABLE' };
    await expect(store.get('a')).rejects.toMatchObject(closed);
    await expect(store.put('a', 2)).rejects.toMatchObject(closed);
    await expect(store.delete('a')).rejects.toMatchObject(closed);
    await expect(keysOf(store.list(''))).rejects.toMatchObject(closed);
  });
});

function selfReferring(): unknown {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}
