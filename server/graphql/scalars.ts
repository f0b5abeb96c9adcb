import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

export const dateTimeScalar = new GraphQLScalarType({
  name: 'DateTime',
  serialize: (value) => (value instanceof Date ? value : new Date(String(value))).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : undefined),
});

/** Text in one spelling, as the generated reads take it for their filters. */
function parseDateTime(value: unknown): string {
  const date = typeof value === 'string' && /T.*(Z|[+-]\d\d:?\d\d)$/.test(value) ? new Date(value) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) {
    throw new GraphQLError('DateTime must be an ISO 8601 instant with a time zone, e.g. "2026-01-31T08:00:00Z"');
  }
  return date.toISOString();
}

/** Resolvers read the text, since their errors name the argument and the rule; those of scalars are shown without values. */
export const instantScalar = new GraphQLScalarType({
  name: 'Instant',
  serialize: String,
  parseValue: requireText,
  parseLiteral: (node) => requireText(node.kind === Kind.STRING ? node.value : undefined),
});

function requireText(value: unknown): string {
  if (typeof value !== 'string') throw new GraphQLError('Instant must be a text of ISO 8601');
  return value;
}

export const jsonObjectScalar = new GraphQLScalarType({
  name: 'JSONObject',
  parseValue: requireObject,
  parseLiteral: (node, variables) => requireObject(literalValue(node, variables ?? {})),
});

function requireObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GraphQLError('JSONObject must be an object');
  }
  return value as Record<string, unknown>;
}

/** Numbers beyond 2^53 are refused: a JavaScript number would silently become another number. */
function literalValue(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literalValue(field.value, variables)]));
    case Kind.LIST:
      return node.values.map((value) => literalValue(value, variables));
    case Kind.INT: {
      const number = Number(node.value);
      if (!Number.isSafeInteger(number)) throw new GraphQLError(`${node.value} is beyond 2^53: send it as a string`);
      return number;
    }
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.VARIABLE:
      return variables[node.name.value];
    default:
      return node.value;
  }
}
