import type { LineageRecords, LineageWrite } from '#graph-store';
import type { LineageState } from '../openlineage/index.js';
import { projectEdges } from './project-edges.js';
import { projectDataset, projectFields, projectJob, projectRuns } from './project-things.js';
import { projectVersions } from './project-versions.js';
import { ProjectedBatch } from './projected-batch.js';
import { RecordBook } from './record-book.js';
import { mergeIntoBook } from './told-changes.js';

/**
 * What events and edits add to what is known, and what the graph shows of it. The result is a function of the set of them: neither
 * the order in which they came, nor how they were cut into batches, nor that some came twice leaves a trace, but for nodes and edges
 * that are deleted, or valid at no time, where another order would never have made them.
 */
export async function projectLineage(records: LineageRecords, told: LineageState): Promise<LineageWrite> {
  const book = new RecordBook(records);
  const batch = new ProjectedBatch();
  const { jobs, runs, datasets, uses, assertions, edits } = await mergeIntoBook(book, told);
  for (const job of jobs) projectJob(batch, job);
  await projectRuns(book, batch, runs);
  for (const dataset of datasets) projectDataset(batch, dataset);
  await projectEdges(book, batch, { assertions, edits });
  await projectFields(book, batch, datasets);
  await projectVersions(book, batch, { runs, uses });
  return { records: book.changed(), removed: book.removed(), batch: batch.batch() };
}
