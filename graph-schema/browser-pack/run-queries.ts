import type { SavedQuery } from './saved-query.js';

export const RUN_QUERIES: readonly SavedQuery[] = [
  {
    id: 'run-history',
    title: 'Runs of a unit or a job',
    shows: 'The latest runs, with state and error.',
    parameters: ['urn'],
    cypher: `MATCH (:Job {urn: $urn})-[:HAS_RUN]->(run:Run)
RETURN run.urn AS urn, run.state AS state, run.startedAt AS startedAt, run.endedAt AS endedAt,
  duration.between(run.startedAt, run.endedAt) AS took, run.errorMessage AS error
ORDER BY coalesce(run.startedAt, run.endedAt) DESC, urn LIMIT 100`,
  },
  {
    id: 'run-versions',
    title: 'What a run has read and written',
    shows: 'The versions of data sets on both sides of a run.',
    parameters: ['urn'],
    cypher: `MATCH (run:Run {urn: $urn})
OPTIONAL MATCH (run)-[r:READ|WROTE]->(version:DatasetVersion)<-[h:HAS_VERSION]-(dataset:Dataset)
RETURN run, r, version, h, dataset LIMIT 300`,
  },
  {
    id: 'versions',
    title: 'Versions of a data set',
    shows: 'Each version with the runs that have written and read it.',
    parameters: ['urn'],
    cypher: `MATCH (:Dataset {urn: $urn})-[:HAS_VERSION]->(version)
RETURN version.urn AS version, version.writtenAt AS writtenAt,
  COLLECT { MATCH (version)<-[:WROTE]-(run) RETURN run.urn ORDER BY run.urn LIMIT 20 } AS writtenBy,
  COLLECT { MATCH (version)<-[:READ]-(run) RETURN run.urn ORDER BY run.urn LIMIT 20 } AS readBy
ORDER BY writtenAt DESC, version DESC LIMIT 100`,
  },
  {
    id: 'failed-runs',
    title: 'Runs that have failed',
    shows: 'The latest failures of all jobs, with the error.',
    parameters: [],
    cypher: `MATCH (job:Job)-[:HAS_RUN]->(run:Run)
WHERE run.state IN ['FAIL', 'ABORT', 'FAILED']
RETURN job.name AS job, run.urn AS run, run.state AS state, run.endedAt AS endedAt, run.errorMessage AS error
ORDER BY coalesce(endedAt, run.startedAt) DESC, run LIMIT 100`,
  },
  {
    id: 'checkpoints',
    title: 'Checkpoints of a unit',
    shows: 'The chain of checkpoints, each with the run that has moved it there and the one before it.',
    parameters: ['urn'],
    cypher: `MATCH (unit:IngestionUnit {urn: $urn})-[h:HAS_RUN]->(run)-[a:ADVANCED]->(checkpoint:Checkpoint)
OPTIONAL MATCH (checkpoint)-[f:FOLLOWS]->(before:Checkpoint)
RETURN unit, h, run, a, checkpoint, f, before
ORDER BY checkpoint.generation DESC, checkpoint.checkpointVersion DESC LIMIT 50`,
  },
];
