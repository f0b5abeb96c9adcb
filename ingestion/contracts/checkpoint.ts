import { z } from 'zod';

/**
 * The families of SQL types that a cursor may have. The family decides how two cursor values compare;
 * the exact type stays in `sqlType`.
 */
export const CURSOR_FAMILIES = ['timestamptz', 'timestamp', 'date', 'integer', 'decimal', 'text', 'offsets'] as const;
export type CursorFamily = (typeof CURSOR_FAMILIES)[number];

/**
 * How far one unit has been committed to one sink. Values travel as canonical strings because JavaScript
 * dates stop at milliseconds and JSON numbers at 2^53:
 * timestamptz `YYYY-MM-DDTHH:MM:SS.ffffffZ` (UTC), timestamp the same without `Z`, date `YYYY-MM-DD`,
 * integer and decimal in plain notation without exponent, offsets (of a log with partitions) a JSON object from partition
 * number to the next offset, keys in ascending numeric order and no blanks.
 */
export const cursorTieSchema = z.strictObject({
  field: z.string().min(1).describe('the unique column'),
  value: z.string().min(1).describe('its highest committed value among the rows of the watermark, as text'),
  rows: z.int().min(1).describe('committed rows of the watermark up to that value'),
  digest: z.string().min(1).describe('hash over the tie-break values of those rows, made by the source'),
});

export const cursorSchema = z.strictObject({
  field: z.string().min(1).describe('column that the source is ordered by'),
  sqlType: z.string().min(1).describe('type of that column as the source declares it, e.g. "timestamp with time zone"'),
  family: z.enum(CURSOR_FAMILIES),
  timeZone: z.enum(['UTC', 'none']).describe('UTC for timestamptz, none for every other family'),
  precision: z.int().min(0).max(6).describe('fractional digits of seconds that the source keeps; 0 for other families'),
  value: z.string().min(1).describe('watermark: the highest committed value'),
  boundary: z
    .array(z.string().regex(/^[0-9a-f]{16}$/))
    .max(20_000)
    .describe(
      'BLAKE2b-64 of each committed row whose cursor equals the watermark, so that a late tie is recognised (rule R2)',
    ),
  tie: cursorTieSchema
    .nullable()
    .default(null)
    .describe('stands for the boundary where more rows share the watermark than it may list (policy tieBreakField)'),
  schemaFingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 over the column names and types of the unit'),
});
export type Cursor = z.infer<typeof cursorSchema>;

/** What a run starts from. `version` 0 means that nothing was ever committed under this key. */
export const checkpointSchema = z.strictObject({
  version: z.int().min(0).describe('version of the key-value entry, for compare-and-set'),
  generation: z.int().min(1).describe('raised by a reset or a rewind; cursors only grow within one generation'),
  cursor: cursorSchema.nullable().describe('null before the first incremental commit and for full units'),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;
