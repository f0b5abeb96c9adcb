import { formatUrn, type Urn } from './urn.js';

/** Namespace of the jobs that are the platform's own ingestion units. */
export const INGESTION_JOB_NAMESPACE = 'nucleus-ingestion';

export const templateUrn = (templateId: string): Urn => formatUrn('template', [templateId]);

export const endpointUrn = (endpointId: string): Urn => formatUrn('endpoint', [endpointId]);

/** The OpenLineage name of a unit's job. Ids hold no slash, so two units never share one. */
export const unitJobName = (endpointId: string, unitId: string): string => `${endpointId}/${unitId}`;

/** A unit is a job, so its urn is the urn of that job. */
export const unitUrn = (endpointId: string, unitId: string): Urn =>
  formatUrn('job', [INGESTION_JOB_NAMESPACE, unitJobName(endpointId, unitId)]);

export const unitStateUrn = (endpointId: string, unitId: string, sinkId: string): Urn =>
  formatUrn('unit-state', [endpointId, unitId, sinkId]);

export const endpointTestUrn = (testId: string): Urn => formatUrn('endpoint-test', [testId]);

export const collectionUrn = (collectionId: string): Urn => formatUrn('metadata-collection', [collectionId]);

export const runUrn = (runId: string): Urn => formatUrn('run', [runId]);

export const checkpointUrn = (key: {
  endpointId: string;
  unitId: string;
  sinkId: string;
  generation: number;
  version: number;
}): Urn =>
  formatUrn('checkpoint', [key.endpointId, key.unitId, key.sinkId, String(key.generation), String(key.version)]);

export const datasetUrn = (namespace: string, name: string): Urn => formatUrn('dataset', [namespace, name]);

/** How the urns begin of all data sets of a namespace whose names begin so. */
export const datasetUrnPrefix = (namespace: string, namePrefix: string): string =>
  // A part may not be empty, so one character is there until the end.
  datasetUrn(namespace, `${namePrefix}.`).slice(0, -1);

export const fieldUrn = (namespace: string, dataset: string, name: string): Urn =>
  formatUrn('field', [namespace, dataset, name]);

export const tagUrn = (name: string): Urn => formatUrn('tag', [name]);

export const datasetVersionUrn = (namespace: string, name: string, version: string): Urn =>
  formatUrn('dataset-version', [namespace, name, version]);
