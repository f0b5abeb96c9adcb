import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError, ERROR_REGISTRY } from '#errors';
import { type RunMetadataFile, type RunMetadataSummary, runMetadataFileSchema } from '../contracts/index.js';
import {
  arrowRows,
  deletionRows,
  type LoadReport,
  linkSetRows,
  loadRows,
  MAX_METADATA_FILE_BYTES,
  type MetadataRows,
  openArrowStream,
  readMetadataFile,
} from '../metadata/index.js';
import type { ControlDependencies } from './control-dependencies.js';

/** Reasons that are kept with the run. */
export const MAX_PROBLEMS = 20;

/** Who has left the files. */
export interface MetadataOrigin {
  /** Id of the run or collection, for the change log. */
  readonly id: string;
  /** Begins the idempotency key of each transaction. */
  readonly key: string;
}

/**
 * Writes metadata that a run or a collection has left to the graph, by the rules that hold for users. Links may name what
 * another file or run brings later. Repeated after a crash it finds its transactions made. A file that cannot be applied is a
 * problem of its own: the others are applied all the same.
 *
 * @throws what a repetition may mend
 */
export async function applyMetadataFiles(
  dependencies: ControlDependencies,
  left: readonly RunMetadataFile[],
  origin: MetadataOrigin,
): Promise<RunMetadataSummary> {
  const files = z.array(runMetadataFileSchema).parse(left);
  const problems: RunMetadataSummary['problems'][number][] = [];
  const summary = { files: files.length, failed: 0, rows: 0, refused: 0 };
  for (const file of files) {
    const { path } = file;
    try {
      const { rows, counts, errors } = await applyFile(dependencies, origin, file);
      summary.rows += rows;
      summary.refused += counts.refused;
      for (const { row, field, message } of errors) problems.push({ path, row, message: `${field} ${message}`.trim() });
    } catch (error) {
      if (mayPass(error)) throw error;
      summary.failed += 1;
      problems.push({ path, row: null, message: `the file cannot be applied: ${reasonOf(error)}` });
    }
  }
  // A file that fails says more than a row.
  const first = [...problems.filter(({ row }) => row === null), ...problems.filter(({ row }) => row !== null)];
  return { ...summary, problems: first.slice(0, MAX_PROBLEMS) };
}

async function applyFile(
  dependencies: ControlDependencies,
  origin: MetadataOrigin,
  file: RunMetadataFile,
): Promise<LoadReport> {
  const rows = await rowsOf(dependencies, file);
  const takesAway = file.contents === 'linkSets' || file.contents === 'deletions';
  const report = await loadRows(rows, dependencies.knowledge, originContext(origin.id), {
    allowPlaceholders: true,
    // What is taken away follows from what is there: repeated, it is another request, and finds nothing to do.
    idempotencyKey: takesAway ? undefined : `${origin.key} ${digestOf(file)}`,
    maxErrors: MAX_PROBLEMS,
    maxValueBytes: 8 * MAX_METADATA_FILE_BYTES,
  });
  if (!takesAway && report.rows !== file.rows) {
    throw new AppError('BAD_USER_INPUT', `it holds ${report.rows} rows where the run has counted ${file.rows}`);
  }
  return report;
}

/** Who writes what a run or a collection has seen. */
export const originContext = (id: string) => ({ actor: 'ingestion', runId: id });

/** The rows of a file, after it was held against its digest. */
export async function rowsOf(
  { knowledge, metadataRoot }: Pick<ControlDependencies, 'knowledge' | 'metadataRoot'>,
  file: RunMetadataFile,
): Promise<MetadataRows> {
  const content = await readMetadataFile(metadataRoot, file);
  const stream = await openArrowStream(once(content), { maxBytes: MAX_METADATA_FILE_BYTES });
  const { contents, kind } = file;
  if (contents === 'links') return arrowRows(stream, { are: 'links', kind }, { nulls: 'keep' });
  if (contents === 'linkSets') return linkSetRows(stream, kind, (urns) => knowledge.reader.linkEnds(urns, kind));
  const definition = await knowledge.kinds.find(kind);
  if (definition === undefined)
    throw new AppError('NOT_FOUND', `no kind ${kind} is defined: define it, then start the run again`);
  const rows = arrowRows(stream, { are: 'entities', kind: definition }, { nulls: 'keep' });
  return contents === 'deletions' ? deletionRows(rows, definition, (urns) => knowledge.reader.nodes(urns)) : rows;
}

function digestOf({ path, contents, kind, sha256 }: RunMetadataFile): string {
  return createHash('sha256')
    .update(JSON.stringify([path, contents, kind, sha256]))
    .digest('hex');
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}

/** Outages, of the graph or of the place where the files are. A fault of ours would only come again. */
function mayPass(error: unknown): boolean {
  if (error instanceof AppError) return ERROR_REGISTRY[error.code].retryable;
  return error instanceof Error && 'syscall' in error;
}

function reasonOf(error: unknown): string {
  if (error instanceof AppError) return error.message;
  return `a fault in the control worker (${error instanceof Error ? error.name : typeof error})`;
}
