import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { AppError } from '#errors';
import { arrowRows, openArrowStream } from '#ingestion';
import { DATASET_KIND, inPieces, MAX_BYTES, pyarrowStream, readEntities } from '../support/arrow-streams.js';

/** What the rows say about one property, or why a row was refused. */
async function values(stream: Uint8Array, property: string): Promise<unknown[]> {
  return (await readEntities(stream)).map(({ request }) => {
    if (request.is === 'refused') return `${request.refusal.field} ${request.refusal.message}`;
    return request.is === 'entity' ? request.item.properties?.[property] : request;
  });
}

async function refusalOf(stream: Uint8Array): Promise<AppError> {
  const error = await readEntities(stream).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

describe('a stream that pyarrow has written', async () => {
  const stream = await pyarrowStream('types');

  it('names its entities by the columns of their key', async () => {
    const rows = await readEntities(stream);
    expect(rows.map(({ row }) => row)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(rows[6]?.request).toMatchObject({
      is: 'entity',
      item: { kind: 'Dataset', urn: 'nucleus:dataset:s3%3A%2F%2Flake:t6-%C3%BC', ifVersion: 0 },
    });
  });

  it.each<[string, unknown[]]>([
    ['large', ['', undefined, 'xx', undefined, 'xxxx', undefined, 'xxxxxx']],
    ['view', ['short', 'a text of more than twelve bytes', undefined, 'a', 'b', 'c', 'd']],
    ['int64', [1, 2 ** 53 - 1, -(2 ** 53) + 1, 0, 5, undefined, 7]],
    ['uint8', [0, 255, undefined, 3, 4, 5, 6]],
    ['half', [1.5, -2.25, 0, 65504, 0.5, 0.125, undefined]],
    ['double', [1.5, -0.1, undefined, 4, 5, 6, 7]],
    ['flag', [true, false, undefined, true, true, false, true]],
    ['decimal', ['1.50', '-12345678901234567890.01', '0.00', ...Array(4).fill(undefined)]],
    ['wide', ['-7', ...Array(6).fill(undefined)]],
    ['instant', [new Date('1969-12-31T23:59:59.999Z'), ...Array(6).fill(undefined)]],
    ['seconds', Array(7).fill(new Date('2026-01-31T08:00:00Z'))],
    ['day', Array(7).fill(new Date('1969-12-31T00:00:00Z'))],
    ['day64', Array(7).fill(new Date('2026-02-01T00:00:00Z'))],
    ['texts', [['a', 'b'], [], undefined, ['c'], ['d'], ['e'], ['f']]],
    ['nested', [{ a: 1, b: { c: [1, 2] } }, undefined, ...Array(5).fill({ a: 2, b: null })]],
    ['map', [{ k: 1 }, {}, undefined, ...Array(4).fill({ x: 2, y: 3 })]],
    ['fixed', Array(7).fill([1, 2])],
    ['days', Array(7).fill(['2026-01-01T00:00:00.000Z'])],
    ['nothing', Array(7).fill(undefined)],
  ])('is read as it was written: %s', async (property, expected) => {
    expect(await values(stream, property)).toEqual(expected);
  });

  it('has a null remove a property when asked to', async () => {
    const [row] = await readEntities(stream, 'remove');
    expect(row?.request).toMatchObject({ item: { properties: { nothing: null, flag: true } } });
  });

  it('may hold no row at all', async () => {
    expect(await readEntities(await pyarrowStream('empty'))).toEqual([]);
  });

  it('refuses the rows whose values no property can hold, and no others', async () => {
    expect(await values(await pyarrowStream('bad-cells'), 'count')).toEqual([
      'properties.count is a whole number beyond 2^53: send it as text to a STRING property',
      'properties.size is NaN or infinite, which is no value: leave it out',
      'properties.size is NaN or infinite, which is no value: leave it out',
      'properties.at is an instant beyond the years that a DATE_TIME holds',
      'name is null: every row needs it',
    ]);
  });

  it('refuses a value that a few bytes blow up', async () => {
    const [row] = await values(await pyarrowStream('shared-entries'), 'value');
    expect(row).toBe('properties.value has more than 1048576 bytes as JSON');
  });

  it('is read in slices that hold few items of lists', async () => {
    const stream = await openArrowStream(inPieces(await pyarrowStream('few-unbacked-items')), { maxBytes: MAX_BYTES });
    const slices: number[] = [];
    for await (const rows of arrowRows(stream, { are: 'entities', kind: DATASET_KIND }, { nulls: 'keep' })) {
      slices.push(rows.length);
      // A value that is refused has been made all the same.
      expect(rows[0]).toMatchObject({ request: { is: 'refused' } });
      expect(rows[0]?.bytes).toBeGreaterThan(1_000_000);
    }
    expect(slices).toEqual(Array(30).fill(1));
  });

  it.each([
    ['naive', 'BAD_USER_INPUT', 'value is a timestamp without a time zone, which names no instant'],
    ['binary', 'BAD_USER_INPUT', 'value is of Arrow type binary'],
    ['int-dictionary', 'BAD_USER_INPUT', 'value is a dictionary of something else than text'],
    ['compressed', 'BAD_USER_INPUT', 'has compressed buffers'],
    ['file', 'BAD_USER_INPUT', 'is an Arrow file'],
    ['deep', 'PAYLOAD_TOO_LARGE', 'at most 8 are taken (nesting)'],
    ['wide', 'PAYLOAD_TOO_LARGE', 'at most 500 are taken (columns)'],
    ['shared-views', 'PAYLOAD_TOO_LARGE', 'views of too much text'],
    ['unbacked-items', 'PAYLOAD_TOO_LARGE', 'at most 4194304 are taken (nestedValues)'],
  ])('is refused as a whole, with the reason: %s', async (name, code, message) => {
    const error = await refusalOf(await pyarrowStream(name));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});

describe('a stream that apache-arrow has written', () => {
  const columns = { namespace: ['n', 'n'], name: ['a', 'b'], size: Int32Array.of(1, 2) };

  it('is read as it was written', async () => {
    const bytes = tableToIPC(tableFromArrays(columns), 'stream');
    expect(await values(bytes, 'size')).toEqual([1, 2]);
  });

  it('needs the columns that name its rows', async () => {
    const { name: _, ...rest } = columns;
    const error = await refusalOf(tableToIPC(tableFromArrays(rest), 'stream'));
    expect(error.message).toBe('name is missing: rows need the columns namespace, name, or one column `urn`');
  });

  it('names links by their ends', async () => {
    const bytes = tableToIPC(tableFromArrays({ from: ['a'], to: ['b'], role: ['owner'] }), 'stream');
    const stream = await openArrowStream(inPieces(bytes), { maxBytes: MAX_BYTES });
    for await (const [row] of arrowRows(stream, { are: 'links', kind: 'OWNED_BY' }, { nulls: 'keep' })) {
      expect(row?.request).toEqual({
        is: 'link',
        item: { kind: 'OWNED_BY', from: 'a', to: 'b', properties: { role: 'owner' }, ifVersion: undefined },
      });
    }
  });

  it('may end where a message ends, but in no message', async () => {
    const bytes = tableToIPC(tableFromArrays(columns), 'stream');
    expect(await values(bytes.subarray(0, -8), 'size')).toEqual([1, 2]);
    expect((await refusalOf(bytes.subarray(0, -9))).message).toContain('ends in the middle of a message');
    expect((await refusalOf(Buffer.concat([bytes, bytes]))).message).toContain('goes on after its end');
    expect((await refusalOf(new Uint8Array(0))).message).toContain('is empty');
  });

  it('is refused before its rows are looked for when it claims more than it has', async () => {
    const many = 12_345;
    const bytes = Buffer.from(tableToIPC(tableFromArrays({ size: new Int32Array(many) }), 'stream'));
    const [length, claimed] = [Buffer.alloc(8), Buffer.alloc(8)];
    length.writeBigInt64LE(BigInt(many));
    claimed.writeBigInt64LE(2n ** 40n);
    let claims = 0;
    for (let at = bytes.indexOf(length); at >= 0; at = bytes.indexOf(length, at + 8)) {
      claims += claimed.copy(bytes, at);
    }
    // Of the batch and of its column.
    expect(claims).toBe(16);
    const { batches } = await openArrowStream(inPieces(bytes), { maxBytes: MAX_BYTES });
    await expect(batches[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 'rows', value: 1_000_000 },
    });
  });

  it('is refused at a message that is larger than the whole may be', async () => {
    const bytes = tableToIPC(tableFromArrays({ ...columns, wide: ['x'.repeat(2_000), ''] }), 'stream');
    await expect(async () => {
      const { batches } = await openArrowStream(inPieces(bytes), { maxBytes: 1_000 });
      for await (const batch of batches) expect(batch).toBeUndefined();
    }).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { limit: 'bytes', value: 1_000 } });
  });
});
