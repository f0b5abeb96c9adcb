import fc from 'fast-check';
import { AppError } from '#errors';
import { readEntities } from './arrow-streams.js';

type Mutation =
  | { readonly is: 'byte'; readonly at: number; readonly value: number }
  | { readonly is: 'int32'; readonly at: number; readonly value: number }
  | { readonly is: 'int64'; readonly at: number; readonly value: bigint }
  | { readonly is: 'cut' | 'drop' | 'repeat'; readonly at: number; readonly length: number };

const place = fc.double({ min: 0, max: 1, noNaN: true });

/** Numbers lie on a grid. Where metadata is hurt a reader goes astray most, so numbers that lengths and offsets would be are tried often. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ is: fc.constant('byte' as const), at: place, value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({
    is: fc.constant('int32' as const),
    at: place,
    value: fc.oneof(fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 24), fc.integer()),
  }),
  fc.record({
    is: fc.constant('int64' as const),
    at: place,
    value: fc.constantFrom(0n, -1n, 2n ** 40n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 1_000_000n),
  }),
  fc.record({ is: fc.constantFrom('cut', 'drop', 'repeat'), at: place, length: fc.integer({ min: 1, max: 4_096 }) }),
);

export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

export function mutated(bytes: Uint8Array, changes: readonly Mutation[]): Buffer {
  let text = Buffer.from(bytes);
  for (const change of changes) {
    const at = Math.floor(change.at * Math.max(0, text.byteLength - 8));
    if (text.byteLength < 16) return text;
    switch (change.is) {
      case 'byte':
        text[at] = change.value;
        break;
      case 'int32':
        text.writeInt32LE(change.value, at - (at % 4));
        break;
      case 'int64':
        text.writeBigInt64LE(change.value, at - (at % 8));
        break;
      case 'cut':
        text = text.subarray(0, at);
        break;
      case 'drop':
        text = Buffer.concat([text.subarray(0, at), text.subarray(at + change.length)]);
        break;
      case 'repeat':
        text = Buffer.concat([text.subarray(0, at + change.length), text.subarray(at)]);
        break;
    }
  }
  return text;
}

const MEMORY_BYTES = 256 * 1024 * 1024;

/**
 * Reads a damaged stream. It must either be read, or be refused in a way that tells the sender what is wrong.
 * @throws Error for any other end, and when reading took memory out of proportion
 */
export async function readDamaged(bytes: Uint8Array): Promise<'read' | 'refused'> {
  const before = process.memoryUsage().rss;
  const end = await readEntities(bytes).then(
    () => 'read' as const,
    (error: unknown) => {
      const isTold = error instanceof AppError && ['BAD_USER_INPUT', 'PAYLOAD_TOO_LARGE'].includes(error.code);
      if (!isTold) throw error;
      return 'refused' as const;
    },
  );
  const taken = process.memoryUsage().rss - before;
  if (taken > MEMORY_BYTES) throw new Error(`reading ${bytes.byteLength} bytes took ${taken} bytes of memory`);
  return end;
}
