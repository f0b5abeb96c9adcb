import { collectionUrn, endpointTestUrn, endpointUrn } from '#graph-schema';
import type {
  CollectionPhase,
  CollectionRecord,
  EntityUpsert,
  ErrorRecord,
  GraphBatch,
  PropertyPatch,
} from '#graph-store';
import type { CollectionInput, CompleteCollectionInput, EndpointTestReport } from './contracts/index.js';
import { errorProperties } from './error-properties.js';

/** The graph when a registered endpoint was tested. Pure, as are all builders of records. */
export function endpointTestBatch(report: EndpointTestReport & { readonly endpointId: string }): GraphBatch {
  const { testId, endpointId, endpointVersion, startedAt, endedAt, result, failure } = report;
  const urn = endpointTestUrn(testId);
  const passed = result?.passed ?? false;
  return {
    entities: [
      {
        kind: 'EndpointTest',
        urn,
        name: `${endpointId}: ${passed ? 'passed' : 'failed'}`,
        properties: {
          id: testId,
          endpointId,
          endpointVersion,
          passed,
          checks: JSON.stringify(result?.checks ?? []),
          startedAt: new Date(startedAt),
          endedAt: new Date(endedAt),
          ...errorProperties(failure),
        },
      },
    ],
    edges: [{ kind: 'HAS_TEST', from: endpointUrn(endpointId), to: urn }],
  };
}

type Collection = Pick<CollectionInput, 'collectionId' | 'endpointId'>;

export function collectionStarted(collection: CollectionInput, startedAt: Date): GraphBatch {
  const { collectionId, endpointId, scope } = collection;
  const started = { state: 'RUNNING', phase: 'COLLECTING', startedAt, ...(scope.length > 0 && { scope: [...scope] }) };
  return {
    entities: [collectionEntity(collection, started)],
    edges: [{ kind: 'HAS_COLLECTION', from: endpointUrn(endpointId), to: collectionUrn(collectionId) }],
  };
}

/** Where a collection stands that goes on. */
export function collectionProgress(
  collection: Collection,
  progress: { phase: CollectionPhase; files?: number; filesApplied?: number },
): GraphBatch {
  return { entities: [collectionEntity(collection, progress)] };
}

/** A collection of which no workflow exists any more. */
export function collectionLost(collection: CollectionRecord, endedAt: Date): GraphBatch {
  const message = 'no workflow of this collection exists any more: collect again';
  const failure = { code: 'RUN_LOST', category: 'internal', field: null, message };
  const { id: collectionId, endpointId } = collection;
  return collectionEnded({ collectionId, endpointId }, { state: 'FAILED', endedAt, failure });
}

export function collectionEnded(
  collection: Collection,
  end: {
    state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
    endedAt: Date;
    failure: ErrorRecord | null;
    done?: Pick<CompleteCollectionInput, 'counts' | 'applied' | 'removals'>;
  },
): GraphBatch {
  const { state, endedAt, failure, done } = end;
  const results = done && {
    counts: JSON.stringify(done.counts),
    files: done.applied.files,
    filesApplied: done.applied.files - done.applied.failed,
    rows: done.applied.rows,
    refused: done.applied.refused,
    problems: JSON.stringify(done.applied.problems),
    removals: JSON.stringify(done.removals),
  };
  return {
    entities: [collectionEntity(collection, { state, phase: null, endedAt, ...results, ...errorProperties(failure) })],
  };
}

function collectionEntity({ collectionId, endpointId }: Collection, properties: PropertyPatch): EntityUpsert {
  return {
    kind: 'MetadataCollection',
    urn: collectionUrn(collectionId),
    name: `${endpointId}: collection`,
    properties: { id: collectionId, endpointId, ...properties },
  };
}
