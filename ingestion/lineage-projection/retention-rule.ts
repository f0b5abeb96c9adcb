import { formatUrn, parseUrn } from '#graph-schema';
import { type EventTime, isOwnUnitUrn } from '../openlineage/index.js';
import type { RunRecord } from './record-kinds.js';

/** Which runs and versions have had their time. */
export interface RetentionRule {
  /** Of these runs nothing was heard from this instant on, by the times of events and not of their arrival. */
  readonly before: EventTime;
  /** The latest runs of each job stay, however old they are. */
  readonly keepRunsPerJob: number;
  /** Of jobs and data sets; null for all. */
  readonly namespace: string | null;
}

/** Whether all jobs of a run are such as the rule speaks of. */
export function isMeant({ namespace }: RetentionRule, { state: { jobs } }: RunRecord): boolean {
  if (jobs.some(isOwnUnitUrn)) return false;
  return namespace === null || jobs.every((job) => parseUrn(job).parts[0] === namespace);
}

/** How the urns of the versions begin that the rule speaks of. */
export function versionPrefix({ namespace }: RetentionRule): string {
  return namespace === null ? 'nucleus:dataset-version:' : `${formatUrn('dataset-version', [namespace])}:`;
}
