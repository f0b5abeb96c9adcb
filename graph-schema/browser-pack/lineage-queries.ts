import { edgeIn, type LineageViewName, type LineageWay, nodeIn } from '../cypher/lineage-statements.js';
import type { SavedQuery } from './saved-query.js';

/** Nodes that a picture can hold and a person can still read. */
const MOST_NODES = 300;

/** Stored edges from the start: six hops over data sets, each of two edges by way of a job. */
const MOST_STEPS = 12;

/** Makes of the parameter `at`, any text that Cypher reads as a date or a date-time, both forms in which validity is kept. */
const MOMENT = `WITH datetime({datetime: datetime($at), timezone: 'Z'}) AS atTime
WITH atTime, apoc.temporal.format(atTime, "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSS'Z'") AS at
`;
const MOMENT_NAMES = { text: 'at', time: 'atTime' };

/**
 * A walk as a picture: the nodes that are reached, and of the edges between them those of the view. Distinct ends make it a
 * search that visits each node once, so that a graph of many ways takes no longer than one of few.
 */
function walk(way: LineageWay, view: LineageViewName): string {
  const [moment, kept] = view === 'AT' ? [MOMENT, ', at, atTime'] : ['', ''];
  const edge = (r: string) => edgeIn(view, r, MOMENT_NAMES);
  const [out, into] = way === 'DOWNSTREAM' ? ['-', '->'] : ['<-', '-'];
  return `${moment}MATCH walk = (start:Entity {urn: $urn})${out}[:FEEDS|PRODUCES*0..${MOST_STEPS}]${into}(n)
WHERE all(r IN relationships(walk) WHERE ${edge('r')})
  AND all(m IN nodes(walk) WHERE ${nodeIn(view, 'm', MOMENT_NAMES)})
WITH DISTINCT n${kept} LIMIT ${MOST_NODES}
WITH collect(n) AS found${kept}
UNWIND found AS n
OPTIONAL MATCH (n)-[r:FEEDS|PRODUCES]->(m)
WHERE m IN found AND ${edge('r')}
RETURN n, r, m`;
}

const NOW = (r: string): string => edgeIn('CURRENT', r);

export const LINEAGE_QUERIES: readonly SavedQuery[] = [
  {
    id: 'find',
    title: 'Find data sets and jobs by name',
    shows: 'Urns to set as parameter urn.',
    parameters: ['text'],
    cypher: `MATCH (n:Entity)
WHERE (n:Dataset OR n:Job) AND n.deletedAt IS NULL AND toLower(n.name) CONTAINS toLower($text)
RETURN n.urn AS urn, n.name AS name, n.namespace AS namespace
ORDER BY name, urn LIMIT 100`,
  },
  {
    id: 'upstream',
    title: 'Upstream: what is it made of?',
    shows: 'Jobs and data sets from which the data comes, six data sets far.',
    parameters: ['urn'],
    cypher: walk('UPSTREAM', 'CURRENT'),
  },
  {
    id: 'downstream',
    title: 'Downstream: what is made of it?',
    shows: 'Jobs and data sets to which the data goes, six data sets far.',
    parameters: ['urn'],
    cypher: walk('DOWNSTREAM', 'CURRENT'),
  },
  {
    id: 'upstream-at',
    title: 'Upstream as of a time',
    shows: 'What it was made of at that time.',
    parameters: ['urn', 'at'],
    cypher: walk('UPSTREAM', 'AT'),
  },
  {
    id: 'downstream-at',
    title: 'Downstream as of a time',
    shows: 'What was made of it at that time.',
    parameters: ['urn', 'at'],
    cypher: walk('DOWNSTREAM', 'AT'),
  },
  {
    id: 'ended',
    title: 'What was, and is no more',
    shows: 'Jobs that have read or written a data set, or data sets of a job, with the stretches of time.',
    parameters: ['urn'],
    cypher: `MATCH (n:Entity {urn: $urn})-[r:FEEDS|PRODUCES]-(m)
WHERE NOT (${NOW('r')})
RETURN type(r) AS kind, m.urn AS urn, r.validFrom AS began, r.validTo AS ended, toString(r.deletedAt) AS deleted
ORDER BY urn LIMIT 100`,
  },
  {
    id: 'columns',
    title: 'Columns: what are they made of?',
    shows: 'For each column of a data set the columns from which it comes, six steps far.',
    parameters: ['urn'],
    cypher: `MATCH (:Entity {urn: $urn})-[h:HAS_FIELD]->(column)
WHERE h.deletedAt IS NULL AND column.deletedAt IS NULL
MATCH walk = (column)<-[:DERIVES*1..6]-(source)
WHERE all(r IN relationships(walk) WHERE ${NOW('r')})
  AND all(m IN nodes(walk) WHERE ${nodeIn('CURRENT', 'm')})
WITH DISTINCT column, source
RETURN column.name AS column, source.urn AS madeOf
ORDER BY column, madeOf LIMIT ${MOST_NODES}`,
  },
  {
    id: 'owners',
    title: 'Who is to be told of a change?',
    shows: 'Owners of what lies downstream, with what they own.',
    parameters: ['urn'],
    cypher: `MATCH walk = (start:Entity {urn: $urn})-[:FEEDS|PRODUCES*0..${MOST_STEPS}]->(n)
WHERE all(r IN relationships(walk) WHERE ${NOW('r')})
  AND all(m IN nodes(walk) WHERE ${nodeIn('CURRENT', 'm')})
WITH DISTINCT n LIMIT 10000
MATCH (n)-[o:OWNED_BY]->(owner)
WHERE o.deletedAt IS NULL AND owner.deletedAt IS NULL
RETURN coalesce(owner.name, owner.urn) AS owner, owner.email AS email, collect(n.urn) AS owns
ORDER BY owner`,
  },
];
