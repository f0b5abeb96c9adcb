import { buildSchema, execute, type GraphQLError, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { withoutValues } from '../../server/graphql/without-values.js';

const SECRET = 'hunter2-secret';
const SCHEMA = buildSchema(`
  scalar JSONObject
  enum Mode { FULL INCREMENTAL }
  input Endpoint { id: ID!, templateId: ID!, port: Int, mode: Mode, config: JSONObject }
  type Query { register(input: Endpoint!): Boolean, count(first: Int): Int }
`);

/** Messages of graphql-js for a query with variables, as it makes them. */
async function messagesOf(query: string, input: unknown): Promise<string[]> {
  let document: ReturnType<typeof parse>;
  try {
    document = parse(query);
  } catch (error) {
    return [(error as GraphQLError).message];
  }
  const invalid = validate(SCHEMA, document);
  if (invalid.length > 0) return invalid.map((error) => error.message);
  const { errors = [] } = await execute({ schema: SCHEMA, document, variableValues: { input } });
  return errors.map((error) => error.message);
}

const QUERY = 'query Q($input: Endpoint!) { register(input: $input) }';
const CONFIG = { password: SECRET };

describe('a message about a request keeps the rule and loses the values', () => {
  it.each([
    [
      'a missing field',
      QUERY,
      { id: 'crm', config: CONFIG },
      /Field "templateId" of required type "ID!" was not provided/,
    ],
    [
      'an unknown field',
      QUERY,
      { id: 'crm', templateId: 'x', pw: SECRET },
      /Field "pw" is not defined by type "Endpoint"/,
    ],
    [
      'a wrong type within',
      QUERY,
      { id: 'crm', templateId: 'x', port: SECRET },
      /at "input.port".*Int cannot represent non-integer value/,
    ],
    [
      'a wrong enum value',
      QUERY,
      { id: 'crm', templateId: 'x', mode: SECRET },
      /at "input.mode".*not of the declared type/,
    ],
    ['no object at all', QUERY, SECRET, /Expected type "Endpoint" to be an object/],
    ['a wrong literal', `{ count(first: "${SECRET}") }`, null, /Int cannot represent non-integer value/],
    ['a text where a name belongs', `{ count(first: 1) "${SECRET}" }`, null, /Syntax Error/],
  ])('%s', async (_, query, input, rule) => {
    const messages = await messagesOf(query, input);
    expect(messages.length).toBeGreaterThan(0);
    // Otherwise this test would prove nothing.
    expect(messages.join(' ')).toContain(SECRET);
    const shown = messages.map(withoutValues).join(' ');
    expect(shown).not.toContain(SECRET);
    expect(shown).toMatch(rule);
  });

  it('other messages stay as they are', () => {
    const message = 'Cannot query field "passwort" on type "Query". Did you mean "password"?';
    expect(withoutValues(message)).toBe(message);
  });
});
