import { expect, it } from 'vitest';
import { ERROR_REGISTRY } from '#errors';
import {
  CursorExpiredError,
  graphqlError,
  NucleusError,
  SERVER_CODES,
  UnauthenticatedError,
  WriteRefusedError,
} from '../../client/nucleus-error.js';

it('the client knows every code of the server, and which may pass', () => {
  const registry = Object.fromEntries(
    Object.entries(ERROR_REGISTRY).map(([code, { retryable }]) => [code, { retryable }]),
  );
  expect(SERVER_CODES).toEqual(registry);
});

it('an error of GraphQL keeps what the server says of it', () => {
  const error = graphqlError({
    message: 'Neo4j does not answer',
    extensions: { code: 'STORE_UNAVAILABLE', retryable: true, requestId: 'r-1', details: { store: 'neo4j' } },
  });
  expect(error).toBeInstanceOf(NucleusError);
  expect(error).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: 'Neo4j does not answer',
    retryable: true,
    requestId: 'r-1',
    details: { store: 'neo4j' },
  });
});

it('codes that callers act upon have classes of their own', () => {
  const expired = graphqlError({
    message: 'too old',
    extensions: { code: 'CURSOR_EXPIRED', details: { oldest: 'c' } },
  });
  expect(expired).toBeInstanceOf(CursorExpiredError);
  expect(expired).toMatchObject({ oldest: 'c', retryable: false });
  expect(graphqlError({ message: 'no', extensions: { code: 'UNAUTHENTICATED' } })).toBeInstanceOf(UnauthenticatedError);
});

it('a code of a newer server is kept, and believed about retries', () => {
  expect(graphqlError({ message: 'x', extensions: { code: 'NEW_CODE', retryable: true } })).toMatchObject({
    code: 'NEW_CODE',
    retryable: true,
  });
  expect(graphqlError({ message: 'x', extensions: { code: 'NEW_CODE' } }).retryable).toBe(false);
});

it.each([null, undefined, 'text', 7, {}, { extensions: null }])(
  'an error that is none of ours, %j, is a bad response',
  (sent) => {
    expect(graphqlError(sent)).toMatchObject({ code: 'BAD_RESPONSE', retryable: false });
  },
);

it('a refused write tells the first reason, how many there are, and what became of each item', () => {
  const stale = { code: 'CONFLICT', field: 'input.entities.0', message: 'has version 3', elementIndex: 0 };
  const result = { commit: null };
  const error = new WriteRefusedError([stale, { ...stale, elementIndex: 1 }], result);
  expect(error).toMatchObject({ code: 'CONFLICT', retryable: false, result });
  expect(error.message).toBe('input.entities.0: has version 3 (and 1 more, see userErrors)');
  expect(error.userErrors).toHaveLength(2);
});
