/**
 * OpenLineage as Nucleus reads it: events become facts, facts merge into states in any order, and the validity of the edges of a
 * job follows from its states. Pure: no I/O, no clock, no graph.
 *
 * @example
 * const read = readEvent(JSON.parse(body), new Date());
 * if (read.ok) state = mergeStates(state, assertionsOf(read.event).state);
 */

export { changesBetween } from './assertion-changes.js';
export { runOfSource, staticTime } from './assertion-sources.js';
export {
  latestWritten,
  namedVersion,
  readVersion,
  type WrittenVersion,
  writtenVersion,
} from './dataset-versions.js';
export { aliasesOf, type FieldFact, fieldsOf, parentsOf } from './derived-facts.js';
export { edgeProperties } from './edge-properties.js';
export {
  claimsOn,
  compareMoments,
  type Interval,
  type Moment,
  noteOf,
  validityOf,
  type Word,
  wordOn,
} from './edge-validity.js';
export { isTouched, joinWindows, patchValidity, type Window } from './edge-validity-patch.js';
export { type EditWord, type EditWords, mergeEditWords } from './edit-words.js';
export { editedIntervals, latestEdit } from './edited-validity.js';
export { assertionsOf } from './event-facts.js';
export { EVENT_LIMITS } from './event-limits.js';
export { before, dateOf, type EventTime, earlier, later, readEventTime } from './event-time.js';
export { type FacetEntry, type FacetTable, facetsText, knownFacet, mergeFacets, NO_FACETS } from './facet-table.js';
export type { Finding, RefusalStatus } from './findings.js';
export { inOrder } from './in-order.js';
export { type Claims, columnEdgeOf, type Side } from './lineage-claims.js';
export type { EdgeEdit, EditedEdge, LineageEdit, RunEdit } from './lineage-edit.js';
export type { InboxEntry, LineageEvent } from './lineage-event.js';
export {
  type AssertionState,
  type DatasetState,
  type EditState,
  isRolledBack,
  type JobState,
  keyOfAssertion,
  keyOfUse,
  type LineageState,
  lastHeardOf,
  mergeAllStates,
  mergeAssertions,
  mergeFaceted,
  mergeRuns,
  mergeStates,
  mergeUses,
  NO_STATE,
  type RunState,
  type UseState,
} from './lineage-state.js';
export { isOwnUnitUrn } from './lineage-urns.js';
export { readEvent } from './read-event.js';
export { endedAt, startedAt, stateOf } from './run-outcome.js';
