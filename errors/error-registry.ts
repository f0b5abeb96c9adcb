/**
 * Every error code a client can meet. `status` is the HTTP status where a plain route answers, `retryable` says whether
 * the same request may succeed later without change, `meaning` and `remedy` are printed into docs/errors.md.
 */
export const ERROR_REGISTRY = {
  BAD_USER_INPUT: {
    status: 400,
    retryable: false,
    meaning: 'A field of the input breaks a rule.',
    remedy: 'Change the field that `field` names; `message` states the rule.',
  },
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    meaning: 'The request carries no valid token.',
    remedy: 'Send `Authorization: Bearer <token>`; over WebSocket put it into the connection parameters.',
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    meaning: 'The request comes from an origin or a caller that may not do this.',
    remedy: 'Call from an allowed origin or with another token.',
  },
  NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'An id in the input names nothing that exists.',
    remedy: 'List what exists with the matching query and use one of those ids.',
  },
  CONFLICT: {
    status: 409,
    retryable: false,
    meaning: 'The present state does not allow the change, for instance a stale version or an endpoint still in use.',
    remedy: 'Read the present state, then decide again.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    retryable: false,
    meaning: 'The request is larger than a limit; `details` names the limit and its value.',
    remedy: 'Send less at once, in several requests.',
  },
  QUERY_TOO_COMPLEX: {
    status: 400,
    retryable: false,
    meaning: 'The operation is deeper, wider or more costly than a limit; `details` names the limit and its value.',
    remedy: 'Ask for less at once: fewer levels, aliases or rows.',
  },
  RATE_LIMITED: {
    status: 429,
    retryable: true,
    meaning: 'The caller has more operations open than a limit; `details` names the limit and its value.',
    remedy: 'End some of them, or wait, and try again.',
  },
  CURSOR_EXPIRED: {
    status: 410,
    retryable: false,
    meaning:
      'The cursor lies before what the change log still keeps; `details.oldest` is the oldest cursor that works.',
    remedy: 'Read the present state, then subscribe from now.',
  },
  STORE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'Neo4j, the key-value store or Temporal does not answer.',
    remedy: 'Try again; `/readyz` names the part that is down.',
  },
  WORKER_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'No worker took the work within seconds: none is running, or all are busy; `details.worker` says which.',
    remedy: 'Start that worker, or wait until one is free, and try again.',
  },
  TIMEOUT: {
    status: 504,
    retryable: true,
    meaning: 'The request took longer than its deadline.',
    remedy: 'Try again, or ask for less at once.',
  },
  STORAGE_FULL: {
    status: 507,
    retryable: true,
    meaning: 'The disk of the event inbox has no room, or fails, so the events could not be stored.',
    remedy:
      'Make room on the disk of `LINEAGE_INBOX_PATH`, then send the events again: none of the request was stored.',
  },
  LAGGED: {
    status: 409,
    retryable: true,
    meaning: 'A subscriber read too slowly and was cut off; `details.cursor` is the last event it was sent.',
    remedy: 'Subscribe again with `after` set to that cursor.',
  },
  INTERNAL_SERVER_ERROR: {
    status: 500,
    retryable: false,
    meaning: 'A fault in Nucleus. The log holds the cause under the `requestId` of the answer.',
    remedy: 'Report it with the `requestId`.',
  },
} as const satisfies Record<string, { status: number; retryable: boolean; meaning: string; remedy: string }>;

export type ErrorCode = keyof typeof ERROR_REGISTRY;

/**
 * Codes that GraphQL itself gives before any of our code runs: they tell about the request, and its form, not about the server.
 * The same request never succeeds later.
 */
export const REQUEST_ERROR_REGISTRY = {
  BAD_REQUEST: {
    meaning: 'The HTTP request holds no GraphQL operation, several of them, or accepts no type that is served.',
    remedy: 'POST one JSON object with `query`, and `variables` if there are any, as `application/json`.',
  },
  GRAPHQL_PARSE_FAILED: {
    meaning: 'The document is no GraphQL.',
    remedy: 'Correct the syntax where `locations` point.',
  },
  GRAPHQL_VALIDATION_FAILED: {
    meaning: 'The document does not fit the schema.',
    remedy: 'Look the field, argument or type up in the schema, which GraphiQL shows.',
  },
  OPERATION_RESOLUTION_FAILURE: {
    meaning: 'The document has no operation of the given name, or has several and none is named.',
    remedy: 'Send the `operationName` of one that it has.',
  },
  PERSISTED_QUERY_NOT_FOUND: {
    meaning: 'The document is named by a hash alone.',
    remedy: 'Send the document itself.',
  },
  PERSISTED_QUERY_NOT_SUPPORTED: {
    meaning: 'The document is named by a hash alone.',
    remedy: 'Send the document itself.',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;
