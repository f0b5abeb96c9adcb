/** Every operation that the client sends; a test validates each against the SDL. */

const ENTITY = `urn kind name labels version createdAt updatedAt deletedAt placeholder properties browserUrl`;
const KIND_PROPERTY = `name type required description`;
const KIND = `name origin description urnKind keyParts properties { ${KIND_PROPERTY} }
  links { kind to properties { ${KIND_PROPERTY} } description }`;
const ENTITY_RESULT = `urn outcome version`;
const LINK_RESULT = `kind from to outcome version`;
const USER_ERROR = `code field message elementIndex`;
const CHANGE_ITEM = `operation urn kind to version before after`;
const LINEAGE_NODE = `urn kind labels name depth placeholder deletedAt browserUrl`;
const LINEAGE_EDGE = `kind from to via current intervals { from to firstRun lastRun firstActor lastActor }
  firstRun lastRun manual { operation actor at note }`;
const RUN_LINEAGE_NODE = `urn kind name depth placeholder browserUrl
  run { job state startedAt endedAt parent root } version { dataset datasetVersion writtenAt }`;
const TRUNCATION = `reason hub { urn neighbours } next`;
const INGESTION_ERROR = `code category field message`;
const ENDPOINT_TEST = `id endpointId endpointVersion passed
  checks { name title status code message field durationMs } error { ${INGESTION_ERROR} } startedAt endedAt`;
const VANISHED = `held vanished removed`;
const COLLECTION = `id state phase counts files filesApplied rows refused problems { path row message }
  removals { namespace namePrefix datasets { ${VANISHED} } fields { ${VANISHED} } heldBack }
  error { ${INGESTION_ERROR} } startedAt endedAt`;
const PAGE_INFO = `hasNextPage endCursor`;

export const OPERATIONS = {
  node: `query Node($urn: ID!, $includeDeleted: Boolean) {
    node(urn: $urn, includeDeleted: $includeDeleted) { ${ENTITY} }
  }`,
  nodes: `query Nodes($urns: [ID!]!, $includeDeleted: Boolean) {
    nodes(urns: $urns, includeDeleted: $includeDeleted) { ${ENTITY} }
  }`,
  entities: `query Entities($kind: String, $first: Int, $after: String) {
    entities(kind: $kind, first: $first, after: $after) { nodes { ${ENTITY} } pageInfo { ${PAGE_INFO} } }
  }`,
  links: `query Links($urn: ID!, $kinds: [String!], $direction: LinkDirection, $first: Int, $after: String) {
    node(urn: $urn, includeDeleted: true) {
      links(kinds: $kinds, direction: $direction, first: $first, after: $after) {
        nodes { kind direction node { ${ENTITY} } version createdAt updatedAt properties }
        pageInfo { ${PAGE_INFO} }
      }
    }
  }`,
  search: `query Search($text: String!, $kinds: [String!], $first: Int, $after: String) {
    search(text: $text, kinds: $kinds, first: $first, after: $after) {
      edges { node { ${ENTITY} } score highlights { property text } }
      pageInfo { ${PAGE_INFO} }
    }
  }`,
  entityKinds: `query EntityKinds { entityKinds { ${KIND} } }`,
  changes: `query Changes($urn: ID!, $first: Int, $after: String) {
    changes(urn: $urn, first: $first, after: $after) {
      nodes { commit at actor runId item { ${CHANGE_ITEM} } }
      pageInfo { ${PAGE_INFO} }
    }
  }`,
  changeLog: `query ChangeLog { changeLog { head oldest } }`,
  lineage: `query Lineage($urn: ID!, $direction: LineageDirection, $depth: Int, $level: LineageLevel, $view: LineageView,
    $at: Instant, $asOfRun: ID, $filter: LineageFilter, $maxNodes: Int, $maxEdges: Int, $after: String) {
    lineage(urn: $urn, direction: $direction, depth: $depth, level: $level, view: $view, at: $at, asOfRun: $asOfRun,
      filter: $filter, maxNodes: $maxNodes, maxEdges: $maxEdges, after: $after) {
      urn browserUrl at nodes { ${LINEAGE_NODE} } edges { ${LINEAGE_EDGE} }
      truncated { ${TRUNCATION} }
    }
  }`,
  runLineage: `query RunLineage($urn: ID!, $direction: LineageDirection, $depth: Int, $maxNodes: Int, $maxEdges: Int, $after: String) {
    runLineage(urn: $urn, direction: $direction, depth: $depth, maxNodes: $maxNodes, maxEdges: $maxEdges, after: $after) {
      urn browserUrl nodes { ${RUN_LINEAGE_NODE} } edges { kind from to facets } truncated { ${TRUNCATION} }
    }
  }`,
  upsert: `mutation Upsert($input: UpsertInput!) {
    upsert(input: $input) {
      entities { ${ENTITY_RESULT} } links { ${LINK_RESULT} }
      commit transactions replayed userErrors { ${USER_ERROR} }
    }
  }`,
  delete: `mutation Delete($input: DeleteInput!) {
    delete(input: $input) {
      entities { ${ENTITY_RESULT} } links { ${LINK_RESULT} }
      commit transactions replayed userErrors { ${USER_ERROR} }
    }
  }`,
  purge: `mutation Purge($input: PurgeInput!) {
    purge(input: $input) {
      entities { ${ENTITY_RESULT} }
      commit transactions replayed userErrors { ${USER_ERROR} }
    }
  }`,
  defineEntityKind: `mutation DefineEntityKind($input: DefineEntityKindInput!) {
    defineEntityKind(input: $input) { kind { ${KIND} } commit userErrors { ${USER_ERROR} } }
  }`,
  lineageDeadLetters: `query LineageDeadLetters($first: Int, $after: String) {
    lineageDeadLetters(first: $first, after: $after) {
      nodes { position receivedAt parkedAt reason { code path message } bytes payload }
      pageInfo { ${PAGE_INFO} }
    }
  }`,
  replayLineageEvent: `mutation ReplayLineageEvent($input: ReplayLineageEventInput!) {
    replayLineageEvent(input: $input) { position userErrors { ${USER_ERROR} } }
  }`,
  discardLineageEvent: `mutation DiscardLineageEvent($input: DiscardLineageEventInput!) {
    discardLineageEvent(input: $input) { discarded userErrors { ${USER_ERROR} } }
  }`,
  applyLineageRetention: `mutation ApplyLineageRetention($input: ApplyLineageRetentionInput!) {
    applyLineageRetention(input: $input) {
      olderThan keepRunsPerJob runs versions isComplete commit userErrors { ${USER_ERROR} }
    }
  }`,
  testMetadataEndpoint: `mutation TestMetadataEndpoint($input: TestMetadataEndpointInput!) {
    testMetadataEndpoint(input: $input) { test { ${ENDPOINT_TEST} } userErrors { ${USER_ERROR} } }
  }`,
  previewMetadata: `mutation PreviewMetadata($input: PreviewMetadataInput!) {
    previewMetadata(input: $input) {
      preview { datasetUrn namespace name columns { name type masked } rows truncated }
      error { ${INGESTION_ERROR} } userErrors { ${USER_ERROR} }
    }
  }`,
  collectMetadata: `mutation CollectMetadata($input: CollectMetadataInput!) {
    collectMetadata(input: $input) { collectionId alreadyRunning userErrors { ${USER_ERROR} } }
  }`,
  collections: `query Collections($endpointId: ID!) {
    metadataEndpoints(ids: [$endpointId]) { nodes { collections { nodes { ${COLLECTION} } } } }
  }`,
  graphChanges: `subscription GraphChanges($filter: GraphChangeFilter, $after: String) {
    graphChanges(filter: $filter, after: $after) {
      kind cursor at changes { cursor at actor runId items { ${CHANGE_ITEM} } }
    }
  }`,
  lineageChanges: `subscription LineageChanges($urn: ID!, $direction: LineageDirection, $depth: Int, $after: String) {
    lineageChanges(urn: $urn, direction: $direction, depth: $depth, after: $after) {
      kind cursor at changes { cursor at actor runId items { ${CHANGE_ITEM} } }
    }
  }`,
  ingestionRunEvents: `subscription IngestionRunEvents($filter: IngestionRunEventFilter, $after: String) {
    ingestionRunEvents(filter: $filter, after: $after) {
      kind cursor at
      run { id urn endpointId unitId sinkId state startedAt endedAt stats error { ${INGESTION_ERROR} } browserUrl }
      progress { runId endpointId unitId sinkId phase rowsRead rowsWritten rowsPerSecond }
    }
  }`,
} as const;
