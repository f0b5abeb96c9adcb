import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppError, ERROR_REGISTRY } from '#errors';

/** Errors of the plain HTTP routes, in the words of the error registry. */
export function replyWithErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: FastifyError | AppError, request, reply) => {
    const expected = error instanceof AppError ? error : refusalOfBody(error, request.routeOptions.bodyLimit);
    if (expected !== undefined) {
      const { status } = ERROR_REGISTRY[expected.code];
      if (status >= 500) logger.error({ err: expected }, expected.message);
      return reply.code(refusalStatus(error) ?? status).send(errorBody(expected));
    }
    const requestId = randomUUID();
    logger.error({ requestId, err: error }, 'unexpected error');
    return reply.code(500).send({
      error: { code: 'INTERNAL_SERVER_ERROR', message: 'an unexpected fault', retryable: false, requestId },
    });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      error: {
        code: 'NOT_FOUND',
        message: `nothing is served at ${request.method} ${request.url.split('?')[0]}`,
        retryable: false,
      },
    }),
  );
}

/** An expected error as plain HTTP routes show it. */
export function errorBody({ code, message, details }: AppError) {
  return { error: { code, message, retryable: ERROR_REGISTRY[code].retryable, details } };
}

/** Fastify's own refusals: a body that is too large, no JSON, of an unknown type. Undefined for what is a fault of the server. */
export function refusalOfBody(error: FastifyError, maxBytes: number): AppError | undefined {
  const status = refusalStatus(error);
  if (status === undefined) return undefined;
  if (status !== 413) return new AppError('BAD_USER_INPUT', error.message);
  const message = `the body is limited to ${maxBytes} bytes: send less at once, in several requests`;
  return new AppError('PAYLOAD_TOO_LARGE', message, { details: { limit: 'bodyBytes', value: maxBytes } });
}

/** More exact than the status of the code, such as 415. */
export function refusalStatus(error: FastifyError | AppError): number | undefined {
  if (error instanceof AppError) return undefined;
  return error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : undefined;
}
