import { Writable } from 'node:stream';
import { ServiceError } from '@temporalio/client';
import { GraphQLError } from 'graphql';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { AppError, ERROR_REGISTRY, type ErrorCode, InputError } from '#errors';
import { formatError } from '../../server/graphql/error-format.js';

function capturingLogger() {
  const lines: string[] = [];
  const stream = new Writable({
    write: (chunk, _, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  return { logger: pino(stream), lines };
}

/** As graphql-js wraps what a resolver has thrown. */
const thrown = (originalError: Error) => new GraphQLError(originalError.message, { originalError, path: ['field'] });

describe('an error on its way out', () => {
  it('shows nothing of an unexpected throw but a request id, under which the log holds the cause', () => {
    const { logger, lines } = capturingLogger();
    const formatted = formatError(thrown(new TypeError('secret-of-the-house is undefined')), logger);
    expect(JSON.stringify(formatted)).not.toContain('secret-of-the-house');
    expect(formatted).toMatchObject({
      path: ['field'],
      extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false, requestId: expect.any(String) },
    });
    const logged = JSON.parse(lines[0] ?? '{}');
    expect(logged).toMatchObject({ requestId: formatted.extensions?.requestId, err: { type: 'TypeError' } });
    expect(logged.err.message).toContain('secret-of-the-house');
  });

  it.each(Object.keys(ERROR_REGISTRY) as ErrorCode[])('keeps code, message and details of an expected %s', (code) => {
    const { logger, lines } = capturingLogger();
    const error = new AppError(code, 'say what to do', { details: { urn: 'nucleus:run:a' } });
    const formatted = formatError(thrown(error), logger);
    expect(formatted).toMatchObject({
      message: 'say what to do',
      extensions: { code, retryable: ERROR_REGISTRY[code].retryable, details: { urn: 'nucleus:run:a' } },
    });
    // What is the server's fault is found in its log under the id that the caller was given; the rest is the caller's.
    const logged = ERROR_REGISTRY[code].status >= 500 ? [formatted.extensions?.requestId] : [];
    expect(lines.map((line) => JSON.parse(line).requestId)).toEqual(logged);
  });

  it('lists the problems of an input', () => {
    const error = InputError.one('BAD_USER_INPUT', 'after', 'is not a cursor');
    expect(formatError(thrown(error), pino({ enabled: false }))).toMatchObject({
      message: 'after is not a cursor',
      extensions: { code: 'BAD_USER_INPUT', details: { problems: [{ field: 'after' }] } },
    });
  });

  it('says that Temporal is down without its own words', () => {
    const refused = Object.assign(new Error('14 UNAVAILABLE: 10.0.0.7 refused'), { code: 14 });
    const error = new ServiceError('Failed to start Workflow', { cause: refused });
    expect(formatError(thrown(error), pino({ enabled: false }))).toMatchObject({
      message: 'Temporal does not answer',
      extensions: { code: 'STORE_UNAVAILABLE', retryable: true, details: { store: 'temporal' } },
    });
  });

  it('takes an answer that Temporal did give for a fault, not for an outage', () => {
    const unknown = Object.assign(new Error('5 NOT_FOUND: namespace'), { code: 5 });
    const error = new ServiceError('Failed to start Workflow', { cause: unknown });
    expect(formatError(thrown(error), pino({ enabled: false })).extensions?.code).toBe('INTERNAL_SERVER_ERROR');
  });

  it('passes on what GraphQL says about a request', () => {
    const { logger, lines } = capturingLogger();
    const error = new GraphQLError('Syntax Error: Unexpected "}".', {
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    });
    expect(formatError(error, logger)).toMatchObject({
      message: 'Syntax Error: Unexpected "}".',
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    });
    expect(formatError(new GraphQLError('Unknown argument "x".'), logger).extensions?.code).toBe('BAD_USER_INPUT');
    expect(lines).toEqual([]);
  });
});
