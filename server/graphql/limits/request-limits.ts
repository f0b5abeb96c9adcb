import type { Config } from '#config';

/** Bounds of one GraphQL operation, the same over HTTP and WebSocket. */
export interface OperationLimits {
  /** Tokens of the document: names, numbers, strings, brackets. */
  readonly tokens: number;
  /** Brackets open at once in the document, and levels of the JSON in the variables. */
  readonly nesting: number;
  /** Levels of fields, fragments unfolded, introspection aside. */
  readonly depth: number;
  /** Fields under another name than their own, fragments unfolded. */
  readonly aliases: number;
  /** Fields of the operation itself: each is a query or mutation of its own. */
  readonly rootFields: number;
  /** Directives, fragments unfolded. */
  readonly directives: number;
  /** Conditions and sort keys of generated reads, fragments unfolded. */
  readonly filterTerms: number;
  /** Fields that the answer may hold, at most: page sizes multiply what lies below them. */
  readonly cost: number;
}

/** Bounds of all that clients can send to `/graphql`. */
export interface RequestLimits {
  readonly operation: OperationLimits;
  /** Bytes of one HTTP body or of one WebSocket message. */
  readonly bodyBytes: number;
  /** Milliseconds that a query or mutation over HTTP may take. */
  readonly timeoutMs: number;
  /** Operations that one WebSocket may have open at once. */
  readonly socketOperations: number;
}

/** Those that no setting changes: no sound request comes near them. */
const FIXED = { nesting: 100, aliases: 200, rootFields: 50, directives: 100, filterTerms: 50 } as const;

type LimitSettings = Pick<
  Config<'server'>,
  | 'GRAPHQL_MAX_TOKENS'
  | 'GRAPHQL_MAX_DEPTH'
  | 'GRAPHQL_MAX_COST'
  | 'GRAPHQL_MAX_BODY_BYTES'
  | 'GRAPHQL_MAX_SOCKET_OPERATIONS'
  | 'GRAPHQL_TIMEOUT_MS'
>;

export function requestLimits(settings: LimitSettings): RequestLimits {
  return {
    operation: {
      ...FIXED,
      tokens: settings.GRAPHQL_MAX_TOKENS,
      depth: settings.GRAPHQL_MAX_DEPTH,
      cost: settings.GRAPHQL_MAX_COST,
    },
    bodyBytes: settings.GRAPHQL_MAX_BODY_BYTES,
    timeoutMs: settings.GRAPHQL_TIMEOUT_MS,
    socketOperations: settings.GRAPHQL_MAX_SOCKET_OPERATIONS,
  };
}
