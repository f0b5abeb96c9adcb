import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ID_PATTERN } from '#ingestion/contracts';
import { checkpointKey, createKeyValueStore, parseCheckpointKey } from '#kv';

const id = fc.stringMatching(ID_PATTERN);
const parts = fc.record(
  { vendor: id, endpointId: id, unitId: id, sinkId: id },
  { requiredKeys: ['vendor', 'endpointId', 'unitId'] },
);

describe('the key of a checkpoint', () => {
  it('has the form of the contract', () => {
    const unit = { vendor: 'postgres', endpointId: 'crm', unitId: 'orders' };
    const start = 'ingest::postgres::endpoint::crm::unit::orders::sink::';
    expect(checkpointKey(unit)).toBe(start);
    expect(checkpointKey({ ...unit, sinkId: 'lake' })).toBe(`${start}lake`);
  });

  it('is read back as what it was made of, for all ids', () => {
    fc.assert(
      fc.property(parts, (key) => {
        expect(parseCheckpointKey(checkpointKey(key))).toEqual(key);
      }),
    );
  });

  it('is made again from what was read, or was no key', () => {
    const part = fc.oneof(id, fc.constantFrom('', ':', '::', 'sink', 'a::b', 'ingest::'), fc.string());
    fc.assert(
      fc.property(part, part, part, part, (vendor, endpoint, unit, sink) => {
        const text = `ingest::${vendor}::endpoint::${endpoint}::unit::${unit}::sink::${sink}`;
        try {
          expect(checkpointKey(parseCheckpointKey(text))).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ name: 'InputError' });
        }
      }),
    );
  });

  it('fits into a store with ids of full length', async () => {
    await using store = createKeyValueStore({ kind: 'memory' });
    const longest = 'x'.repeat(128);
    const key = checkpointKey({ vendor: longest, endpointId: longest, unitId: longest, sinkId: longest });
    expect(await store.put(key, 1)).toMatchObject({ ok: true });
  });

  it.each(['a::b', 'a:b', '', '-a', 'a b', 'ä', 'x'.repeat(129), 'a\n'])('refuses the id %j in every place', (bad) => {
    const good = { vendor: 'v', endpointId: 'e', unitId: 'u', sinkId: 's' };
    for (const field of ['vendor', 'endpointId', 'unitId', 'sinkId'] as const) {
      expect(() => checkpointKey({ ...good, [field]: bad })).toThrowError(
        expect.objectContaining({ problems: [expect.objectContaining({ field })] }),
      );
    }
  });

  it.each([
    'ingest::v::endpoint::e::unit::u::sink',
    'ingest::v::endpoint::e::unit::::sink::',
    'ingest::v::endpoint::e::unit::u::sink::s::more',
    ' ingest::v::endpoint::e::unit::u::sink::s',
    'ingest::v::endpoint::e::unit::u::sink::s\n',
    'ingest::v::endpoint::ä::unit::u::sink::s',
  ])('does not read %j', (text) => {
    expect(() => parseCheckpointKey(text)).toThrowError(expect.objectContaining({ name: 'InputError' }));
  });
});
