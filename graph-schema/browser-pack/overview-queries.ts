import { edgeIn } from '../cypher/lineage-statements.js';
import type { SavedQuery } from './saved-query.js';

const LIVE_EDGE = edgeIn('CURRENT', 'r');

export const OVERVIEW_QUERIES: readonly SavedQuery[] = [
  {
    id: 'hubs',
    title: 'Hubs',
    shows: 'Data sets and jobs with the most neighbours.',
    parameters: [],
    cypher: `MATCH (n:Entity)-[r:FEEDS|PRODUCES]-()
WHERE (n:Dataset OR n:Job) AND n.deletedAt IS NULL AND ${LIVE_EDGE}
RETURN n.urn AS urn, n.name AS name, count(r) AS neighbours
ORDER BY neighbours DESC, urn LIMIT 25`,
  },
  {
    id: 'orphans',
    title: 'Orphans',
    shows: 'Data sets that no job reads or writes.',
    parameters: [],
    cypher: `MATCH (n:Dataset)
WHERE n.deletedAt IS NULL AND NOT EXISTS { MATCH (n)-[r:FEEDS|PRODUCES]-() WHERE ${LIVE_EDGE} }
RETURN n.urn AS urn, n.name AS name, n.createdAt AS since
ORDER BY since DESC, urn LIMIT 1000`,
  },
  {
    id: 'dead-ends',
    title: 'Written, never read',
    shows: 'Data sets that a job writes and no job reads.',
    parameters: [],
    cypher: `MATCH (n:Dataset)
WHERE n.deletedAt IS NULL AND EXISTS { MATCH (n)<-[r:PRODUCES]-() WHERE ${LIVE_EDGE} }
  AND NOT EXISTS { MATCH (n)-[r:FEEDS]->() WHERE ${LIVE_EDGE} }
RETURN n.urn AS urn, n.name AS name
ORDER BY urn LIMIT 1000`,
  },
  {
    id: 'kinds',
    title: 'How many of each kind',
    shows: 'Counts of the nodes of each label.',
    parameters: [],
    cypher: `MATCH (n:Entity)
WHERE n.deletedAt IS NULL
UNWIND [label IN labels(n) WHERE label <> 'Entity'] AS label
RETURN label, count(n) AS nodes
ORDER BY nodes DESC, label`,
  },
];
