import { datasetUrn, formatUrn, INGESTION_JOB_NAMESPACE, parseUrn, runUrn, type Urn } from '#graph-schema';
import type { QualifiedName } from './lineage-event.js';

export { runUrn };

export const jobUrnOf = ({ namespace, name }: QualifiedName): Urn => formatUrn('job', [namespace, name]);

export const datasetUrnOf = ({ namespace, name }: QualifiedName): Urn => datasetUrn(namespace, name);

/** @param field name of the column; members of nested ones follow after dots, as column lineage names them */
export const fieldUrnOf = ({ namespace, name }: QualifiedName, field: string): Urn =>
  formatUrn('field', [namespace, name, field]);

/** Whether a job is a unit of Nucleus. Events may name it, as the parent of theirs; what is known of it nobody else tells. */
export function isOwnUnit({ namespace }: QualifiedName): boolean {
  return namespace === INGESTION_JOB_NAMESPACE;
}

/** The same by the urn of a job. */
export function isOwnUnitUrn(job: string): boolean {
  return parseUrn(job).parts[0] === INGESTION_JOB_NAMESPACE;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The id of a run as it is kept. Some clients print UUIDs in capitals; they mean the same run. */
export function runIdOf(text: string): string {
  const lower = text.toLowerCase();
  return isUuid(lower) ? lower : text;
}
