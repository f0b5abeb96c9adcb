/**
 * The payloads that cross between TypeScript and Python, defined once. `npm run generate` prints them as JSON Schema into
 * `python-bridge/runtime_common/contracts/`, where Python's tests hold its own models against them.
 *
 * @example
 * import { runIngestionUnitResultSchema } from '#ingestion/contracts';
 * const result = runIngestionUnitResultSchema.parse(JSON.parse(text));
 */
export * from './checkpoint.js';
export * from './ids.js';
export * from './names.js';
export * from './operations.js';
export * from './run.js';
export * from './template.js';
export * from './worker-events.js';
export * from './workflow.js';
