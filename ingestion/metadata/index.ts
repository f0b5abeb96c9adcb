/**
 * Metadata as tables and lines: rows of Arrow streams or NDJSON become entities and links of the graph. The bulk route and
 * the files that a run leaves behind go through here alike.
 *
 * @example
 * const stream = await openArrowStream(bytes, { maxBytes: 64 * 1024 * 1024 });
 * const rows = arrowRows(stream, { are: 'entities', kind }, { nulls: 'keep' });
 * const report = await loadRows(rows, { writer, kinds }, { actor: 'me' }, { maxErrors: 1_000, maxValueBytes: 1e9 });
 */
export { openArrowStream } from './arrow/read-arrow-stream.js';
export { arrowRows, type RowSubject } from './arrow-rows.js';
export type { LoadReport } from './load-report.js';
export { type LoadDependencies, loadRows } from './load-rows.js';
export { type MetadataRows, urnOfKey } from './metadata-row.js';
export { ndjsonRows } from './ndjson-rows.js';
export { discardPreview, takePreview } from './preview-file.js';
export { MAX_METADATA_FILE_BYTES, readMetadataFile } from './read-metadata-file.js';
export { deletionRows, linkSetRows } from './replacing-rows.js';
export { MAX_ROWS } from './row-limits.js';
