import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { Neo4jGraphQL } from '@neo4j/graphql';
import {
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  isTypeDefinitionNode,
  parse,
} from 'graphql';
import { InputError } from '#errors';
import { GENERATED_READS_FILE } from '#graph-schema';
import { asReadError, checkPageSize, type GraphDriver } from '#graph-store';
import { browserUrlResolver } from './browser-url-resolver.js';
import { answeredAs, isConnection, isEdge, isPageInfo, withoutAmbiguity } from './connection-selection.js';

/** What generated fields read from. Without a driver the schema can be printed, but answers nothing. */
export interface GeneratedSources {
  readonly driver?: GraphDriver;
  /** Feeds the generated `…Created`, `…Updated` and `…Deleted` subscriptions. */
  readonly changes?: { readonly events: EventEmitter };
}

const TIMEOUT_MS = 30_000;

type Resolver = GraphQLFieldResolver<unknown, unknown>;

/** The queries that @neo4j/graphql makes from the types of generated-reads.graphql. */
export async function generatedReads({
  driver,
  changes = { events: new EventEmitter() },
}: GeneratedSources): Promise<GraphQLSchema> {
  const typeDefs = parse(readFileSync(GENERATED_READS_FILE, 'utf8'));
  const typeNames = typeDefs.definitions.filter(isTypeDefinitionNode).map(({ name }) => name.value);
  const generator = new Neo4jGraphQL({
    typeDefs,
    resolvers: Object.fromEntries(typeNames.map((name) => [name, browserUrlResolver])),
    // Done where the schema is printed; a server would start later, and with a warning that is not meant for its log.
    validate: driver === undefined,
    features: {
      limitRequired: true,
      // The rules that hide deleted nodes are rules of authorization there, which asks for a key. No token is ever read.
      authorization: { key: randomUUID() },
      // Typed for the library's own engines, but an emitter is all that it uses.
      subscriptions: changes as never,
      excludeDeprecatedFields: {
        mutationOperations: true,
        aggregationFilters: true,
        aggregationFiltersOutsideConnection: true,
        relationshipFilters: true,
        attributeFilters: true,
      },
    },
  });
  const schema = await generator.getSchema();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const isQuery = type === schema.getQueryType();
    const hasPlainNames = isConnection(type.name) || isEdge(type.name) || isPageInfo(type.name);
    for (const field of Object.values(type.getFields())) {
      if (hasPlainNames) field.resolve = byFieldName;
      else if (field.name === 'browserUrl') field.resolve = browserUrlResolver.browserUrl;
      else if (field.resolve)
        field.resolve = isQuery ? inOwnContext(field.resolve, driver) : underItsName(field.resolve);
    }
  }
  return schema;
}

/** Connections, edges and page information are asked for without aliases. */
const byFieldName: GraphQLFieldResolver<Readonly<Record<string, unknown>>, unknown> = (source, _, __, { fieldName }) =>
  source[fieldName];

/**
 * Answers of the library stand under their alias, which its own resolvers know. They are called `defaultFieldResolver`, by which
 * schemas that are merged take them for the one of graphql-js and leave them out; under another name they stay.
 */
function underItsName(resolve: Resolver): Resolver {
  return (source, args, context, info) => {
    const alias = answeredAs(info);
    return alias === undefined ? resolve(source, args, context, info) : (source as Record<string, unknown>)[alias];
  };
}

/** The library writes into the context that it is given, so it gets one of its own. */
function inOwnContext(resolve: Resolver, driver: GraphDriver | undefined): Resolver {
  return async (root, args, _, info) => {
    checkPaging(args);
    try {
      const context = { executionContext: driver, transaction: { timeout: TIMEOUT_MS } };
      const asked = isConnection(getNamedType(info.returnType).name) ? withoutAmbiguity(info) : info;
      return await resolve(root, withoutVoid(args), context, asked);
    } catch (error) {
      throw asReadError(error, (rule) => InputError.one('BAD_USER_INPUT', info.fieldName, rule));
    }
  };
}

/** The library would take a limit of 0 for none, and a foreign cursor for the beginning. @throws InputError */
function checkPaging(args: Readonly<Record<string, unknown>>): void {
  const { limit, first, offset, after } = args;
  if (typeof limit === 'number') checkPageSize(limit, 'limit');
  if (typeof first === 'number') checkPageSize(first);
  if (typeof offset === 'number' && offset < 0) {
    throw InputError.one('BAD_USER_INPUT', 'offset', `must be 0 or greater, got ${offset}`);
  }
  if (typeof after === 'string' && !OFFSET_CURSOR.test(Buffer.from(after, 'base64').toString('utf8'))) {
    throw InputError.one('BAD_USER_INPUT', 'after', 'is not a cursor that this list has returned');
  }
}

const OFFSET_CURSOR = /^arrayconnection:\d{1,9}$/;

/**
 * A filter that is null or empty filters nothing, which the library does not know everywhere; to equal null is to be absent,
 * and to have some of something is a condition even where nothing is asked of it. The argument itself stays: without it the
 * library would read the text of the query.
 */
function withoutVoid(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.entries(args).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, pruned(value)]));
}

function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, prunedMember(key, item)] as const);
  return Object.fromEntries(entries.filter(([key, item]) => !isVoid(key, item)));
}

/** An empty list of values is a condition, an empty list of filters is none. */
function prunedMember(key: string, item: unknown): unknown {
  const value = pruned(item);
  return LISTS_OF_FILTERS.has(key) && Array.isArray(value) ? value.filter((filter) => !isEmpty(filter)) : value;
}

const LISTS_OF_FILTERS = new Set(['AND', 'OR']);
const COUNTING = new Set(['some', 'all', 'none', 'single']);

function isVoid(key: string, item: unknown): boolean {
  if (item === null) return key !== 'eq';
  if (Array.isArray(item)) return LISTS_OF_FILTERS.has(key) && item.length === 0;
  return isEmpty(item) && !COUNTING.has(key);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isEmpty = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;
