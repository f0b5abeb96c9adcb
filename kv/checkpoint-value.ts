import { z } from 'zod';
import { CURSOR_FAMILIES } from './cursor-order.js';
import type { JsonValue } from './key-value-store.js';

/** How far a unit is committed. The same shape as the contracts' `Cursor`, which this room may not import. */
export const storedCursorSchema = z.strictObject({
  field: z.string().min(1),
  sqlType: z.string().min(1),
  family: z.enum(CURSOR_FAMILIES),
  timeZone: z.enum(['UTC', 'none']),
  precision: z.int().min(0).max(6),
  value: z.string().min(1),
  boundary: z.array(z.string()),
  tie: z
    .strictObject({
      field: z.string().min(1),
      value: z.string().min(1),
      rows: z.int().min(1),
      digest: z.string().min(1),
    })
    .nullable()
    .default(null),
  schemaFingerprint: z.string().min(1),
});
export type StoredCursor = z.infer<typeof storedCursorSchema>;

/** What lies under a checkpoint key. */
export const checkpointValueSchema = z.strictObject({
  lastRunId: z.string().min(1),
  generation: z.int().min(1),
  cursor: storedCursorSchema.nullable(),
  stats: z.custom<JsonValue>((value) => value !== undefined),
});
export type CheckpointValue = z.infer<typeof checkpointValueSchema>;
