import { z } from 'zod';
import { idSchema } from './ids.js';
import { RUN_PHASES } from './run.js';

/**
 * What a Python worker posts to the server's internal route: `POST /internal/ingestion-events` with
 * `Authorization: Bearer <internal token>` and a body `{ "events": [...] }`, answered 204. Losing one loses nothing.
 */
export const progressEventSchema = z.strictObject({
  type: z.literal('progress'),
  runId: z.uuid(),
  endpointId: idSchema,
  unitId: idSchema,
  sinkId: idSchema.nullable(),
  phase: z.enum(RUN_PHASES),
  rowsRead: z.int().min(0),
  rowsWritten: z.int().min(0),
  rowsPerSecond: z.number().min(0).describe('of the present phase, over the last seconds'),
  at: z.iso.datetime({ offset: true }),
});
export type ProgressEvent = z.infer<typeof progressEventSchema>;

/** Posted once when a worker is ready; a new hash makes the server read the templates again. */
export const workerReadyEventSchema = z.strictObject({
  type: z.literal('workerReady'),
  descriptorHash: z.string().regex(/^[0-9a-f]{64}$/),
});

export const workerEventsSchema = z.strictObject({
  events: z
    .array(z.discriminatedUnion('type', [progressEventSchema, workerReadyEventSchema]))
    .min(1)
    .max(1000),
});
export type WorkerEvents = z.infer<typeof workerEventsSchema>;
