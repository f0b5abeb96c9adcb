import {
  type DefinitionNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  OperationTypeNode,
  parse,
  SingleFieldSubscriptionsRule,
  validate,
} from 'graphql';
import { asGraphqlError, LimitError } from './limit-error.js';
import { measureOperation } from './operation-size.js';
import type { OperationLimits } from './request-limits.js';
import { checkSource, checkVariables } from './source-limits.js';

/** Documents kept parsed, since clients send the same few again and again. */
const KEPT_DOCUMENTS = 500;
/** Longer ones hold values, and so come once. */
const LONGEST_KEPT = 10_000;

const SIZES = [
  ['depth', 'ask for fewer levels'],
  ['rootFields', 'send fewer queries or mutations in one operation'],
  ['aliases', 'use fewer aliases'],
  ['directives', 'use fewer directives'],
  ['filterTerms', 'use fewer conditions and sort keys'],
  ['cost', 'ask for smaller pages or fewer fields'],
] as const;

/**
 * Refuses operations that would cost too much, before anything is spent on them: validation too is slow on what these limits
 * keep out. HTTP and WebSocket both go through it.
 *
 * @example
 * const document = gate.parse(query); // throws GraphQLError
 * const errors = gate.check(document, { variables, operationName });
 * if (errors.length === 0) validateAndExecute(document);
 */
export class OperationGate {
  readonly #schema: GraphQLSchema;
  readonly #limits: OperationLimits;
  readonly #documents = new Map<string, DocumentNode>();

  constructor(schema: GraphQLSchema, limits: OperationLimits) {
    this.#schema = schema;
    this.#limits = limits;
  }

  /** @throws GraphQLError for a syntax error, or with a LimitError as its cause */
  parse(text: string): DocumentNode {
    const kept = this.#documents.get(text);
    if (kept !== undefined) return kept;
    const document = this.#parseNew(text);
    if (text.length <= LONGEST_KEPT) {
      const [oldest] = this.#documents.keys();
      if (this.#documents.size >= KEPT_DOCUMENTS && oldest !== undefined) this.#documents.delete(oldest);
      this.#documents.set(text, document);
    }
    return document;
  }

  #parseNew(text: string): DocumentNode {
    try {
      checkSource(text, this.#limits);
      return parse(text);
    } catch (error) {
      if (error instanceof LimitError) throw asGraphqlError(error);
      if (error instanceof GraphQLError) throw asParseError(error);
      throw error;
    }
  }

  /** The first reason to refuse the operation; empty lets it in. One that the document does not have is left to execution to refuse. */
  check(
    document: DocumentNode,
    request: {
      variables?: Readonly<Record<string, unknown>> | null | undefined;
      operationName?: string | null | undefined;
    },
  ): GraphQLError[] {
    const variables = request.variables ?? {};
    try {
      checkVariables(variables, this.#limits);
    } catch (error) {
      if (error instanceof LimitError) return [asGraphqlError(error)];
      throw error;
    }
    const broken = brokenSubscription(this.#schema, document);
    if (broken !== undefined) return [broken];
    const operation = getOperationAST(document, request.operationName);
    if (!operation) return [];
    const size = measureOperation(this.#schema, document, operation, variables);
    const over = SIZES.find(([limit]) => size[limit] > this.#limits[limit]);
    if (over === undefined) return [];
    const [limit, remedy] = over;
    const details = { limit, value: this.#limits[limit], actual: size[limit] };
    return [asGraphqlError(new LimitError('QUERY_TOO_COMPLEX', details, remedy))];
  }
}

/**
 * One rule of graphql-js throws where it should report: when a directive on the field of a subscription has no sound argument. In
 * `validate`, that looks like a fault of the server.
 */
function brokenSubscription(schema: GraphQLSchema, document: DocumentNode): GraphQLError | undefined {
  if (!document.definitions.some(isSubscription)) return undefined;
  try {
    validate(schema, document, [SingleFieldSubscriptionsRule]);
    return undefined;
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const extensions = { code: 'GRAPHQL_VALIDATION_FAILED', http: { status: 400 } };
    return new GraphQLError(error.message, { nodes: error.nodes ?? null, extensions });
  }
}

const isSubscription = (definition: DefinitionNode): boolean =>
  definition.kind === Kind.OPERATION_DEFINITION && definition.operation === OperationTypeNode.SUBSCRIPTION;

/** With the code that Apollo gives to what it parses itself. */
function asParseError({ message, source, positions }: GraphQLError): GraphQLError {
  const extensions = { code: 'GRAPHQL_PARSE_FAILED', http: { status: 400 } };
  return new GraphQLError(message, { source, positions, extensions });
}
